"""What the engine remembers for its screens: rings, rates, figures, scopes and the log, asked for as frozen views.

Rule of this room: taking in is a copy and nothing more; what a plot costs is paid when somebody asks. Bench time is an
argument.
"""
