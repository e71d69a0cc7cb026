"""A recording as a source of the same arrivals that were once live, and stretches of one as recordings of their own.

Rule of this room: what comes out follows from the raw bytes in the file, by the same dialects as live; time is an
absolute schedule, and a jump is told.
"""
