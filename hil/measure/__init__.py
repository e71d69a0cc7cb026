"""Figures of a sensor with units, intervals and the conditions under which they hold."""

from hil.measure.figure import Figure, Measurement, PlotData

__all__ = ["Figure", "Measurement", "PlotData"]
