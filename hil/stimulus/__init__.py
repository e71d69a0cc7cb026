"""Recorded readings pushed into a board in place of its sensor's, and what comes back matched with them."""
