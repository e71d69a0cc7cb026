"""Source -> stages -> sinks: what every reading goes through, live or replayed, and the recorder at its end."""
