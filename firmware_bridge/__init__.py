"""Talks to sensor boards: bytes in, batches and events out. Knows nothing of `hil`, torch or any screen."""
