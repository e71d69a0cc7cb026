"""What measuring gives: figures with unit, interval and condition, and the curves behind them.

Rule of this room: a figure that cannot be known has `value` None and says why in `condition`; it is never 0 and never
left out. A figure that is known says in `condition` under which circumstances it holds. Everything here is frozen and
plain, so that a table, a page, a comparison and a check read the same thing.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Figure", "Measurement", "PlotData", "plain_number"]

Array = npt.NDArray[Any]


def plain_number(value: float | None) -> float | int | None:
    """Return a number as JSON can hold it: None where it is not finite, a whole number without its fraction."""
    if value is None or not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else float(value)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a sensor.

    Attributes:
        name: Dotted name, such as `stream.watch.imu.ax.noise_density` (see `catalogue`).
        stream: `BOARD/STREAM` it belongs to; `BOARD` for a figure of the whole board.
        value: The estimate; None: unknown, and `condition` says why.
        unit: Unit of value, low and high (`1` for a pure number, `%` for a share).
        low: Lower end of the 95 % interval; None where there is none.
        high: Upper end of the 95 % interval; None where there is none.
        condition: Under which circumstances it holds (at rest, for how long, at which temperature), or why unknown.
        kind: `data` (follows from the readings alone) or `timing` (depends on the host's wall clock).
        better: `lower`, `higher`, or `none` where neither is better.
        method: How value and interval were found, a few words.
        n: How many samples, beats, pixels or exchanges it rests on.
        note: What a reader should know besides, such as the names of spectral peaks.
        channel: Channel it belongs to; empty for the whole stream.
        metric: Last part of the name, the key of `catalogue.METRICS`.
    """

    name: str
    stream: str
    value: float | None
    unit: str
    low: float | None
    high: float | None
    condition: str
    kind: str = "data"
    better: str = "none"
    method: str = ""
    n: int = 0
    note: str = ""
    channel: str = ""
    metric: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        numbers = {key: plain_number(getattr(self, key)) for key in ("value", "low", "high")}
        return {key: numbers.get(key, getattr(self, key)) for key in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True, eq=False)
class PlotData:
    """Arrays of one picture; no drawing.

    Attributes:
        kind: `allan`, `spectrum`, `histogram`, `map`, `clock`, `overlay`, `correlation` or `orientation`.
        title: What is shown, a few words.
        stream: `BOARD/STREAM`, or `BOARD`.
        channel: Channel; empty for the whole stream.
        x_label: Name and unit of `arrays["x"]`.
        y_label: Name and unit of the other arrays.
        arrays: `x` and `y`; besides, by kind: `allan` low, high, fit and one array a named slope; `spectrum` low,
            high; `histogram` count in `y`, edges in `x` (one longer); `map` `z` (H, W) in place of x and y; `clock`
            below, above; `overlay` y, reference; `correlation` `z` (C, C); `orientation` roll, pitch, heading.
        log_x: Whether x belongs on a logarithmic axis.
        log_y: Whether y belongs on a logarithmic axis.
        marks: Named places: `(x, text)`.
        names: Names of rows and columns of `z`, where they have any.
    """

    kind: str
    title: str
    stream: str
    channel: str
    x_label: str
    y_label: str
    arrays: Mapping[str, Array]
    log_x: bool = False
    log_y: bool = False
    marks: tuple[tuple[float, str], ...] = ()
    names: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values; what is not finite becomes null."""
        plain = {key: getattr(self, key) for key in self.__dataclass_fields__}
        plain["arrays"] = {name: _listed(array) for name, array in self.arrays.items()}
        return plain | {"marks": [list(mark) for mark in self.marks], "names": list(self.names)}


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """All figures of a recording.

    Attributes:
        figures: In the order of boards, streams and channels.
        plots: By `KIND.BOARD.STREAM.CHANNEL` (parts that do not apply are left out).
        facts: About the recording: `path`, `start_ns`, `duration_s`, `from_s`, `to_s`, `origin`, `about`, `boards`,
            `streams` (name, kind, samples, rate_hz, channels, units), `lost`, `remarks`.
        expected: What a datasheet says, by the name of a figure: `{"typical": ..., "maximum": ..., "unit": ...}`.
    """

    figures: tuple[Figure, ...]
    plots: Mapping[str, PlotData] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    expected: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Figure]:
        return iter(self.figures)

    def __len__(self) -> int:
        return len(self.figures)

    def __getitem__(self, name: str) -> Figure:
        """Return the figure of a name.

        Raises:
            KeyError: There is none of that name.
        """
        for figure in self.figures:
            if figure.name == name:
                return figure
        raise KeyError(name)

    def find(self, metric: str, stream: str | None = None, channel: str | None = None) -> list[Figure]:
        """Return the figures of a metric, of one stream and channel or of all."""
        return [
            figure for figure in self.figures
            if figure.metric == metric and stream in (None, figure.stream) and channel in (None, figure.channel)
        ]  # fmt: skip

    def as_dict(self, plots: bool = False) -> dict[str, Any]:
        """Return plain JSON values; curves only where asked for, they are long."""
        figures = [
            figure.as_dict() | ({"expected": dict(self.expected[figure.name])} if figure.name in self.expected else {})
            for figure in self.figures
        ]
        plain = {"schema": 1, "recording": dict(self.facts), "figures": figures}
        return plain | ({"plots": {name: plot.as_dict() for name, plot in self.plots.items()}} if plots else {})


def _listed(array: Array) -> list[Any]:
    plain = array.astype(object)
    if array.dtype.kind == "f":
        plain[~np.isfinite(array)] = None
    listed: list[Any] = plain.tolist()
    return listed
