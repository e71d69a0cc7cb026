"""What panes say in words: frozen values in, lines of runs out, as wide as they may be."""
