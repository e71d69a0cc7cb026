"""Whether what a model reads is still what it learnt from: numbers in, one verdict over time out.

Rule of this room: pure. No model, no torch, no file and no clock: readings, scores and times are arguments, so that a
verdict on a recording is the verdict that stood at the bench. What is learnt is learnt from people who are named.
"""
