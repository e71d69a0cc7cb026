"""One scenario run once on one target: its feeds or live boards, its chips and networks, and its cost."""
