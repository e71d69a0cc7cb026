"""The screen with nobody before it: keys from a text, and a recording of what was written to the terminal."""
