"""Judging models on people they have not met: folds, intervals, calibration, selection, sets, faults, cost.

No torch here: what trains and runs a network stands in `hil.models`.
"""
