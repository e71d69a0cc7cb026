"""Whether a board answers as its model does, and where not, whose fault it is: `hil parity`.

Rule of this room: what was read from a board or a file is compared by pure functions; only `run` opens files and
ports. A verdict names one stage, and blames it only on what was seen. Two ways in: `scores` for any board, which
compares what the board itself printed with the model on the board's own recorded readings; `boards` for boards that
run an op list, where three answers to the same windows meet: floating point, the int8 reference and the board.
"""
