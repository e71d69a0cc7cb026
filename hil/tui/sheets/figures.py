"""What the engine computed of a stream as tables: spectra, distributions, paths, an attitude.

Rule of this room: pure. Names of columns carry the units that the figures have.
"""

from typing import Any

import numpy as np

from hil.tui.sheet import Sheet
from hil.views.figure import ATTITUDE, HISTOGRAM, SPECTROGRAM, SPECTRUM, FigureView
from hil.views.stream import StreamView

__all__ = ["figure"]


def figure(view: FigureView, stream: StreamView, again: str) -> Sheet | str:
    """Return a figure as a table, or why there is none.

    Args:
        view: As the engine told it.
        stream: Of which readings it was computed.
        again: The command line that gets such readings.
    """
    if view.sentence or not view.x.size:
        return view.sentence or "it is not computed yet"
    kind, channels = view.ask.kind, [(stream.channels[at], stream.units[at]) for at in view.ask.channels]
    columns: dict[str, Any]
    if kind == SPECTRUM:
        columns = {"frequency [Hz]": view.x}
        columns |= {f"{name} [{unit}/√Hz]": view.y[at] for at, (name, unit) in enumerate(channels)}
    elif kind == SPECTROGRAM:
        times = np.linspace(view.start_ns - view.end_ns, 0, view.y.shape[1], endpoint=False) / 1e9
        name, unit = channels[0]
        columns = {"t_s": np.tile(times, len(view.x)), "frequency [Hz]": np.repeat(view.x, len(times)),
                   f"{name} [({unit})²/Hz]": view.y.reshape(-1)}  # fmt: skip
    elif kind == HISTOGRAM:
        unit = channels[0][1] if channels else "?"
        columns = {f"from [{unit}]": view.x[:-1], f"to [{unit}]": view.x[1:]}
        columns |= {f"{name} count": view.y[at] for at, (name, _) in enumerate(channels)}
    elif kind == ATTITUDE:
        columns = {name: view.x[at : at + 1] for at, name in enumerate("wxyz")}
        told = view.marks.reshape(-1)[:3]
        names = ("inclination [deg]", "its deviation [deg]", "deviation of heading [deg]")
        columns |= {name: told[at : at + 1] for at, name in enumerate(names) if at < len(told)}
    else:
        columns = {f"{name} [{unit}]": side for (name, unit), side in zip(channels, (view.x, view.y[0]), strict=True)}
    return Sheet(f"{kind}-{stream.board}-{stream.name}", columns, again)
