"""The engine: the one process that owns ports, recording and models. `python -m hil.engine` runs one.

Rule of this room: screens skip, the engine never does; whoever wants something of it comes through `hil.door` or holds
it in the same process.
"""
