"""Scenarios on several machines: a Dask cluster whose workers are bench hosts that say which boards they have.

Dask moves bytes, finds a free worker, notices that one died. What we hand it is text (a scenario, its options; a
result) and file contents by their hash. Dask itself pickles the envelope around that text, and whoever may connect to
a Dask scheduler can run any code on its workers: hence TLS with certificates on both sides wherever it is not one
machine.
"""
