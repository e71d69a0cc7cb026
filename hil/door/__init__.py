"""The engine's door: a loopback socket between a process that serves and the screens that attach to it."""
