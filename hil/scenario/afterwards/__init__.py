"""After the verdict: the moments to look at, why a model said so, the baseline, and what of a run is kept and shown."""
