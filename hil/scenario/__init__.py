"""Scenarios: TOML files that say which readings, models and faults, and what must come of them."""
