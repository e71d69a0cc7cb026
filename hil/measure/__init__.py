"""Figures of a sensor with units, intervals and the conditions under which they hold."""

from typing import TYPE_CHECKING, Any

from hil.measure.figure import Figure, Measurement, PlotData

if TYPE_CHECKING:
    from hil.measure.whole import measure

__all__ = ["Figure", "Measurement", "PlotData", "measure"]


def __getattr__(name: str) -> Any:
    if name == "measure":
        from hil.measure.whole import measure

        return measure
    raise AttributeError(name)
