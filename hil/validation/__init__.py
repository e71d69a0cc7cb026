"""Judging models on people they have not met."""
