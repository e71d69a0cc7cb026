"""What makes a glitch: a threshold crossed, a model unsure, an anomaly of the ledger, a mark.

Rule of this room: pure, items in, triggers out. A limit fires on its edge and is armed again only when the value has
come back by the hysteresis, so that one glitch fires once; the result never depends on how samples were cut into
batches.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Arrival, Damage, Disconnected, Gap, Mark, Prediction, Rebooted, Stall

__all__ = ["METADATA", "Limit", "Trigger", "Triggers", "parse_confidence", "parse_threshold", "watching"]

METADATA = "hil/glitch"
"""Name of the metadata record of a recording that says what triggered."""
HYSTERESIS = 0.05
"""Share of a limit by which the value must come back before it fires again, where nobody says more."""

_LIMIT = re.compile(r"\s*([^<>\s]+)\s*([<>])\s*([^~\s]+)(?:\s*~\s*(\S+))?\s*")
_BEFORE_IDENTITY = "before_identity"


@dataclass(frozen=True, slots=True)
class Limit:
    """A value that is not to be passed.

    Attributes:
        place: `STREAM.CHANNEL`, `BOARD/STREAM.CHANNEL`, or the name of a model.
        above: Whether passing means greater (else less).
        value: The limit, in the unit of the channel; confidence from 0 to 1.
        back: How far the value must come back before it fires again.
    """

    place: str
    above: bool
    value: float
    back: float

    @property
    def text(self) -> str:
        """The limit as a person wrote it."""
        return f"{self.place}{'>' if self.above else '<'}{self.value:g}"

    def of(self, batch: Batch) -> int | None:
        """Return which channel of a batch it is about, None where it is about none."""
        board, _, rest = self.place.rpartition("/")
        stream, _, channel = rest.rpartition(".")
        if board not in ("", batch.board) or stream != batch.stream.name:
            return None
        return batch.stream.channels.index(channel) if channel in batch.stream.channels else None

    def edges(self, values: np.ndarray[Any, np.dtype[Any]], armed: bool) -> tuple[list[int], bool]:
        """Return at which of the values it fires, and whether it is armed after them.

        Args:
            values: `(N,)`, or `(N, ...)` for images, of which the extreme pixel counts; NaN changes nothing.
            armed: Whether it was before.
        """
        flat = values.reshape(len(values), -1).astype(np.float64) * (1.0 if self.above else -1.0)
        limit = self.value if self.above else -self.value
        flat = np.where(np.isnan(flat), -np.inf, flat).max(axis=1, initial=-np.inf)
        state = np.where(flat > limit, 1, np.where((flat < limit - self.back) & (flat > -np.inf), -1, 0))
        told = np.flatnonzero(state)
        if not len(told):
            return [], armed
        course = np.concatenate([[-1 if armed else 1], state[told]])
        fired = told[(course[1:] == 1) & (course[:-1] == -1)]
        return fired.tolist(), bool(course[-1] == -1)


@dataclass(frozen=True, slots=True)
class Trigger:
    """Something that is worth keeping.

    Attributes:
        t_ns: When, UTC.
        cause: `key`, `mark`, `threshold`, `confidence`, `gap`, `damage`, `stall`, `reboot` or `disconnect`.
        text: What was seen, in words.
        board: Role of the board; empty for the bench itself.
        place: `STREAM.CHANNEL` of a threshold, the name of a model; else empty.
        above: Of a threshold: whether greater was asked for.
        limit: The limit that was passed; None where there is none.
    """

    t_ns: int
    cause: str
    text: str
    board: str = ""
    place: str = ""
    above: bool = True
    limit: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class Triggers:
    """Watches arrivals.

    Args:
        thresholds: Limits of channels.
        confidences: Limits of models.
        on_mark: Whether marks and labels trigger.
        on_anomaly: Whether gaps, damage, stalls, reboots and disconnections trigger.
        crossings: Whether a value that is beyond its limit at the start has crossed nothing, and does not trigger.
    """

    def __init__(
        self, thresholds: Sequence[Limit] = (), confidences: Sequence[Limit] = (), *, on_mark: bool = False,
        on_anomaly: bool = False, crossings: bool = False,
    ) -> None:  # fmt: skip
        self._crossings = crossings
        self._met: set[tuple[Limit, str, str]] = set()
        self._thresholds = tuple(thresholds)
        self._confidences = tuple(confidences)
        self._on_mark = on_mark
        self._on_anomaly = on_anomaly
        self._fired: set[tuple[Limit, str, str]] = set()

    def feed(self, arrivals: Iterable[Arrival]) -> list[Trigger]:
        """Return what these arrivals trigger, in their order."""
        if not (self._thresholds or self._confidences or self._on_mark or self._on_anomaly):
            return []
        return [trigger for arrival in arrivals for item in arrival.items for trigger in self._judge(item)]

    def unmatched(self, streams: Iterable[tuple[str, str, Sequence[str]]]) -> list[str]:
        """Return the thresholds that are about none of the channels (board, stream, channels) that there are."""
        known = {f"{board}/{stream}.{channel}" for board, stream, channels in streams for channel in channels}
        known |= {place.partition("/")[2] for place in known}
        return [limit.text for limit in self._thresholds if limit.place not in known]

    def _judge(self, item: Any) -> Iterator[Trigger]:
        if isinstance(item, Batch):
            for limit in self._thresholds:
                if (at := limit.of(item)) is not None and len(item):
                    yield from self._crossed(limit, item, at)
        elif isinstance(item, Prediction):
            for limit in self._confidences:
                if limit.place == item.model:
                    yield from self._unsure(limit, item)
        elif isinstance(item, Mark):
            if self._on_mark:
                yield Trigger(item.t_ns, "mark", f"{item.kind}: {item.text}" if item.kind != "mark" else item.text,
                              item.board)  # fmt: skip
        elif self._on_anomaly and (told := _anomaly(item)) is not None:
            yield Trigger(item.t_ns, *told, item.board)

    def _crossed(self, limit: Limit, batch: Batch, at: int) -> Iterator[Trigger]:
        key = (limit, batch.board, batch.stream.name)
        values = batch.values if batch.stream.is_image else batch.values[:, at]
        places, armed = limit.edges(values, self._is_armed(key))
        self._arm(key, armed)
        unit, side = batch.stream.units[at], "above" if limit.above else "below"
        for place in places:
            pixels = np.asarray(values[place])
            seen = float(np.nanmax(pixels) if limit.above else np.nanmin(pixels))
            text = f"{limit.place} was {seen:.6g} {unit}, {side} {limit.value:g}"
            stream = f"{batch.stream.name}.{batch.stream.channels[at]}"
            yield Trigger(int(batch.t_ns[place]), "threshold", text, batch.board, stream, limit.above, limit.value)

    def _unsure(self, limit: Limit, made: Prediction) -> Iterator[Trigger]:
        key = (limit, made.board, made.stream)
        places, armed = limit.edges(np.array([made.confidence]), self._is_armed(key))
        self._arm(key, armed)
        if places:
            side = "above" if limit.above else "below"
            text = f"{made.model} said {made.label} with confidence {made.confidence:.3g}, {side} {limit.value:g}"
            yield Trigger(made.t_ns, "confidence", text, made.board, made.model, limit.above, limit.value)

    def _is_armed(self, key: tuple[Limit, str, str]) -> bool:
        first = self._crossings and key not in self._met
        self._met.add(key)
        return not first and key not in self._fired

    def _arm(self, key: tuple[Limit, str, str], armed: bool) -> None:
        (self._fired.discard if armed else self._fired.add)(key)


def _anomaly(item: Any) -> tuple[str, str] | None:
    """Return cause and words of what should not happen on a link."""
    match item:
        case Gap():
            return (
                "gap",
                f"{'an unknown number of' if item.count is None else item.count} samples of {item.stream} lost",
            )
        case Damage() if item.kind != _BEFORE_IDENTITY:
            return "damage", f"{item.count} damaged bytes ({item.kind})"
        case Stall():
            return "stall", f"reading paused for {item.stalled_ns / 1e6:.0f} ms"
        case Rebooted():
            return "reboot", "the board started anew"
        case Disconnected():
            return "disconnect", f"the connection went: {item.reason}"
    return None


def parse_threshold(text: str) -> Limit:
    """Return the meaning of `STREAM.CHANNEL>VALUE`, with `BOARD/` before it and `~BACK` behind it where wished.

    Raises:
        UsageError: It means nothing.
    """
    limit = _parse(text, "--threshold", "write for example --threshold 'imu.ax>2.5', or 'watch/imu.ax<-2.5~0.2'")
    if "." not in limit.place.rpartition("/")[2]:
        raise UsageError(f"{limit.place!r} names no channel", "--threshold", "write STREAM.CHANNEL, such as imu.ax")
    return limit


def parse_confidence(text: str) -> Limit:
    """Return the meaning of `MODEL<0.5`.

    Raises:
        UsageError: It means nothing.
    """
    limit = _parse(text, "--confidence", "write for example --confidence 'exercise<0.5'")
    if not 0 <= limit.value <= 1:
        raise UsageError(f"{limit.value:g} is no confidence", "--confidence", "give 0 to 1")
    return limit


def watching(text: str, crossings: bool = True) -> Triggers:
    """Return what watches for `STREAM.CHANNEL>VALUE`, `MODEL<0.5`, `anomaly` or `mark`.

    Raises:
        UsageError: It means none of them.
    """
    words = text.strip()
    if words in ("anomaly", "mark"):
        return Triggers(on_anomaly=words == "anomaly", on_mark=words == "mark", crossings=crossings)
    where = "write STREAM.CHANNEL>VALUE such as imu.ax>2.5~0.2, MODEL<0.5, anomaly or mark"
    limit = _parse(words, "trigger", where)
    if "." in limit.place.rpartition("/")[2]:
        return Triggers([limit], crossings=crossings)
    if not 0 <= limit.value <= 1:
        raise UsageError(f"{limit.value:g} is no confidence, and {limit.place!r} names no channel", "trigger", where)
    return Triggers(confidences=[limit], crossings=crossings)


def _parse(text: str, option: str, next_step: str) -> Limit:
    found = _LIMIT.fullmatch(text)
    try:
        value = float(found[3]) if found else math.nan
        back = float(found[4]) if found and found[4] else HYSTERESIS * abs(value)
    except ValueError:
        value = back = math.nan
    if found is None or not (math.isfinite(value) and math.isfinite(back) and back >= 0):
        raise UsageError(f"{text!r} is no limit", option, next_step)
    return Limit(found[1], found[2] == ">", value, back)
