"""A figure by its dotted name, for checks: the one that is meant, or a sentence that says which there are."""

import difflib

from firmware_bridge.errors import UsageError
from hil.measure.catalogue import METRICS
from hil.measure.figure import Figure, Measurement

__all__ = ["value_of"]


def value_of(measurement: Measurement, name: str) -> Figure:
    """Return the figure of a name such as `stream.watch.imu.ax.noise_density` or `clock.watch.drift`.

    A figure that could not be known is returned as well: its `value` is None and its `condition` says why.

    Raises:
        UsageError: Nothing measures such a metric, or this recording has no such figure.
    """
    for figure in measurement:
        if figure.name == name:
            return figure
    metric = name.rpartition(".")[2]
    names = [figure.name for figure in measurement]
    same = [other for other in names if other.rpartition(".")[2] == metric]
    if metric not in METRICS and not same:
        near = difflib.get_close_matches(metric, METRICS, 3, 0.5)
        hint = f"did you mean {' or '.join(near)}" if near else "see `hil metrics`"
        raise UsageError(f"nothing measures {metric!r}", name, hint)
    near = same or difflib.get_close_matches(name, names, 3, 0.3)
    hint = f"there is {', '.join(near[:4])}" if near else "no stream of this recording has it"
    raise UsageError("there is no such figure in this recording", name, hint)
