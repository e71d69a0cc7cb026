"""Rows of a real terminal: styles, strips, the pane that repaints only what changed, and when pictures are made."""
