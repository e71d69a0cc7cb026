"""What a screen asks for and what it is shown: frozen values that cross from the engine to any screen.

Rule of this room: data only. A view knows how it is written into a message and read again, and nothing of engines,
sockets, threads or screens; unknown is None and never 0.
"""
