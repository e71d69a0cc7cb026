"""One board and one host that talk alone: who it is, what a command brings, a network sent and put to the test."""
