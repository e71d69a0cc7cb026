"""Few-shot learning: a model of prototypes, new classes from a few examples, what resembles no class, and the figures.

Rule: a class is a point on a sphere. Whoever enrols one adds a row to the last layer and changes none of the others.
"""
