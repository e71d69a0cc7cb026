"""What may stand in a scenario and what it means: read, checked whole, each mistake told with its line."""
