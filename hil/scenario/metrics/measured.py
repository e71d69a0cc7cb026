"""Figures of a sensor as metrics of a run: what `hil.measure` finds in a recording of it."""

from collections.abc import Iterable
from pathlib import Path

from firmware_bridge.errors import UsageError
from hil.measure.lookup import value_of
from hil.measure.whole import measure
from hil.scenario.results.outcome import UNSET, Reading

__all__ = ["measured_readings"]


def measured_readings(path: Path, names: Iterable[str]) -> dict[str, Reading]:
    """Return figures of a recording by their names; one that is not known is UNSET, with its condition as the reason.

    Args:
        path: The recording.
        names: Such as `stream.imu.imu.ax.noise_floor`.
    """
    measurement = measure(path)
    found = {}
    for name in names:
        try:
            figure = value_of(measurement, name)
        except UsageError as error:
            found[name] = Reading(name, None, "", absent=UNSET, why=str(error))
            continue
        absent, why = ("", "") if figure.known else (UNSET, figure.condition)
        found[name] = Reading(name, figure.value, figure.unit, figure.kind, absent, why)
    return found
