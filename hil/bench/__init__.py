"""Figures against peers, measured side by side in one run; each room of it has `run(quick=False) -> list[Row]`."""
