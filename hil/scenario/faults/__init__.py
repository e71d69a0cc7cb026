"""Faults as a whole: every kind at several strengths, and the smallest under which a scenario fails."""
