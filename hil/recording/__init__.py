"""Recordings: one crash-safe MCAP file of raw bytes, viewable samples, events and the identity of what made them."""
