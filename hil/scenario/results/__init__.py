"""What came of checks and scenarios: printed, written for other tools, kept as a history, and compared."""
