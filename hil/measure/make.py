"""How figures are made: the table gives unit, kind and direction, the place gives the name.

Rule of this room: a value that is not a finite number becomes `unknown`, with the reason that was given or, lacking
one, with the statement that it could not be computed; an interval that does not hold its value is no interval.
"""

import math
import re
from dataclasses import dataclass

from firmware_bridge.streams import Stream
from hil.measure.catalogue import METRICS, Metric
from hil.measure.figure import Figure

__all__ = ["Maker", "slug", "walk_unit"]

_NAME = re.compile(r"[^\w+~-]+")


def slug(text: str) -> str:
    """Return text as one part of a dotted name."""
    return _NAME.sub("_", text).strip("_") or "unnamed"


def walk_unit(unit: str) -> str:
    """Return the unit of the random walk of an axis: `deg/sqrt(h)` of a rate, `m/s/sqrt(h)` of an acceleration."""
    return {"rad/s": "deg/sqrt(h)", "deg/s": "deg/sqrt(h)", "dps": "deg/sqrt(h)"}.get(unit, "m/s/sqrt(h)")


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the figures of one stream, or of a board (`stream` None).

    Attributes:
        board: Role.
        stream: The stream.
        told: Said in every condition, such as which part of the recording was measured.
    """

    board: str
    stream: Stream | None = None
    told: str = ""

    @property
    def place(self) -> str:
        """`BOARD/STREAM`, or the board."""
        return self.board if self.stream is None else f"{self.board}/{self.stream.name}"

    def unit_of(self, channel: str) -> str:
        """Return the unit of a channel; of the first one for the whole stream."""
        if self.stream is None:
            return "1"
        units = dict(zip(self.stream.channels, self.stream.units, strict=False))
        return units.get(channel) or (self.stream.units[0] if self.stream.units else "?")

    def __call__(
        self, metric: str, value: float | None, low: float | None = None, high: float | None = None, *,
        channel: str = "", condition: str = "", method: str = "", n: int = 0, note: str = "",
    ) -> Figure:  # fmt: skip
        """Return a figure; `value` None or not finite makes it unknown, for the reason in `condition`."""
        row = METRICS[metric]
        known = value is not None and math.isfinite(value)
        ends = known and low is not None and high is not None and not (math.isnan(low) or math.isnan(high))
        if not known:
            condition = condition or "unknown: it could not be computed from these readings"
        words = [part for part in (condition, self.told) if part]
        return Figure(
            name=self._name(row, channel), stream=self.place,
            value=float(value) + 0.0 if known and value is not None else None,  # no -0
            unit=self._unit(row, channel), low=low if ends else None, high=high if ends else None,
            condition="; ".join(words), kind=row.kind, better=row.better, method=method, n=int(n), note=note,
            channel=channel, metric=metric,
        )  # fmt: skip

    def unknown(self, metric: str, why: str, channel: str = "", note: str = "", n: int = 0) -> Figure:
        """Return a figure that cannot be known."""
        return self(metric, None, channel=channel, condition=f"unknown: {why}", note=note, n=n)

    def _name(self, row: Metric, channel: str) -> str:
        if row.level in ("clock", "link"):
            return f"{row.level}.{slug(self.board)}.{row.key}"
        parts = ["stream", slug(self.board), slug(self.stream.name if self.stream else "")]
        return ".".join([*parts, *([slug(channel)] if channel else []), row.key])

    def _unit(self, row: Metric, channel: str) -> str:
        unit = self.unit_of(channel)
        return row.unit.replace("{u}", unit).replace("{w}", walk_unit(unit))
