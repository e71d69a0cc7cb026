"""Verbs that read recordings: `hil info`, `hil verify`, `hil recover`, `hil export`, `hil replay`."""

VERBS = ()
