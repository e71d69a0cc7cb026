"""A dataset before anything is learnt from it: what is in it, how it is split, and what is wrong with it.

No torch here; scikit-learn and SciPy are imported by the one check that needs each.
"""
