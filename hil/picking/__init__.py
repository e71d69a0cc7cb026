"""Which stretches of recordings are worth a label next, and how much that saves.

Importing this package loads neither torch nor matplotlib.
"""
