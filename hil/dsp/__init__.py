"""Pure signal rooms: arrays in, frozen results out; no time, no files, no ports.

Allan deviations and their intervals (`allan`, `allanstream`, `confidence`), the noise terms behind them (`noisefit`),
spectra (`spectrum`), robust figures (`robust`), bootstrap intervals (`bootstrap`), delays (`align`) and rest (`rest`).
SciPy is loaded inside the functions that need it.
"""
