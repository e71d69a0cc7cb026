"""Readings out of evidence, and limits against readings: pure."""
