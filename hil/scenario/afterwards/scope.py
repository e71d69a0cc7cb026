"""Looks at a run for people: a coarse picture of all of it, and the seconds around chosen moments sample by sample.

Rule of this room: it only looks; no metric is made here. Memory is bounded however long the run is: an envelope has at
most `BUCKETS` pieces, a window `ROWS` samples, and of events the first `EVENTS` are kept and the others counted.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.events import (
    Arrival,
    ClockReading,
    Damage,
    Disconnected,
    Gap,
    Item,
    Log,
    Prediction,
    Rebooted,
    Stall,
)

__all__ = ["Envelope", "Probe", "Scope", "Trigger", "columns_of"]

BUCKETS = 160
ROWS = 1200
EVENTS = 200
CHANNELS = 9
"""Channels of a stream that are drawn, at most."""

_PENDING = 4096
_EXCHANGES = 800
_FIRST_WIDTH_NS = 10_000_000
_LONGEST_NS, _SHORTEST_NS = 6_000_000_000, 200_000_000

Floats = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Trigger:
    """What to look at, for one check.

    Attributes:
        metric: Of the check.
        board: Role.
        stream: Its stream; empty: the first that sends samples.
        channel: The channel that matters; empty: all.
        kind: `time`, or what makes a sample worse than others: `minimum`, `maximum`, `far` (from `value`), `step` (of
            the board's clock, from the usual one).
        t_ns: The moment, for `time`.
        value: See `kind`.
        why: What is to be seen there.
        model: Name in the scenario of the model whose decision it is; empty: no decision is meant.
        decision: That decision.
        before_ns: What is kept before it besides, so that the decision can be made again.
    """

    metric: str
    board: str
    stream: str = ""
    channel: str = ""
    kind: str = "time"
    t_ns: int = 0
    value: float = 0.0
    why: str = ""
    model: str = ""
    decision: Prediction | None = None
    before_ns: int = 0


def columns_of(batch: Batch) -> tuple[tuple[str, ...], Floats]:
    """Return the names and readings `(N, C)` that stand for a batch: channels, or of an image its extremes and mean."""
    stream, values = batch.stream, batch.values.astype(np.float64)
    if not stream.is_image:
        return stream.channels[:CHANNELS], values.reshape(len(batch), -1)[:, :CHANNELS]
    flat = values.reshape(len(batch), -1)
    return ("least pixel", "mean pixel", "greatest pixel"), np.stack((flat.min(1), flat.mean(1), flat.max(1)), axis=1)


class Envelope:
    """Least and greatest reading of each channel in pieces of time, of one stream."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self.units: tuple[str, ...] = ()
        self.rate_hz: float | None = None
        self.tick_hz: float | None = None
        self.samples = 0
        self.start_ns = 0
        self.width_ns = _FIRST_WIDTH_NS
        self.low = self.high = np.zeros((0, 0))
        self._held: list[Batch] = []
        self._waiting = 0

    def add(self, batch: Batch) -> None:
        """Take samples."""
        self.samples += len(batch)
        self._held.append(batch)
        self._waiting += len(batch)
        if self._waiting >= _PENDING:
            self.settle()

    def settle(self) -> None:
        """Sum up what waits."""
        for batch in self._held:
            self._add(batch)
        self._held, self._waiting = [], 0

    def _add(self, batch: Batch) -> None:
        names, values = columns_of(batch)
        if not self.names:
            self.names, self.start_ns = names, int(batch.t_ns[0])
            stream = batch.stream
            self.units = (stream.units[0],) * 3 if stream.is_image else stream.units[:CHANNELS]
            self.rate_hz, self.tick_hz = stream.rate_hz, stream.tick_hz
            self.low, self.high = (np.full((BUCKETS, len(names)), end) for end in (np.inf, -np.inf))
        if len(names) != len(self.names):
            return
        away = np.maximum(batch.t_ns - self.start_ns, 0)
        while int(away[-1]) // self.width_ns >= BUCKETS:
            self._fold()
        place = away // self.width_ns
        starts = np.concatenate(([0], np.flatnonzero(np.diff(place)) + 1))
        at = place[starts]
        np.minimum.at(self.low, at, np.minimum.reduceat(values, starts))
        np.maximum.at(self.high, at, np.maximum.reduceat(values, starts))

    def _fold(self) -> None:
        """Make the pieces twice as wide."""
        self.width_ns *= 2
        for ends, take, empty in ((self.low, np.minimum, np.inf), (self.high, np.maximum, -np.inf)):
            ends[: BUCKETS // 2] = take(ends[0::2], ends[1::2])
            ends[BUCKETS // 2 :] = empty


class Probe:
    """Keeps the samples around the moment of a trigger.

    Args:
        trigger: What to look at.
    """

    def __init__(self, trigger: Trigger) -> None:
        self.trigger = trigger
        self.t_ns: int | None = trigger.t_ns if trigger.kind == "time" else None
        self.parts: list[Batch] = []
        self.before: list[Batch] = []
        self.half_ns = _LONGEST_NS // 2
        self._worst = -np.inf
        self._ring: deque[Batch] = deque()
        self._usual: float | None = None

    def take(self, batch: Batch) -> None:
        """Look at samples of its stream."""
        rate = batch.stream.rate_hz or 50.0
        self.half_ns = int(min(_LONGEST_NS, max(_SHORTEST_NS, ROWS / rate * 1e9))) // 2
        if self.trigger.kind != "time":
            self._judge(batch)
            self._ring.append(batch)
            while self._ring and int(self._ring[0].t_ns[-1]) < int(batch.t_ns[-1]) - self.half_ns:
                self._ring.popleft()
        if self.t_ns is None:
            return
        low, high = (int(np.searchsorted(batch.t_ns, self.t_ns + away)) for away in (-self.half_ns, self.half_ns))
        if low < high:
            self.parts.append(batch.part(low, high))
        if self.trigger.before_ns:
            end = self.t_ns if self.trigger.decision is None else self.trigger.decision.t_ns
            low = int(np.searchsorted(batch.t_ns, end - self.trigger.before_ns))
            high = int(np.searchsorted(batch.t_ns, end, side="right"))
            if low < high:
                self.before.append(batch.part(low, high))

    def _judge(self, batch: Batch) -> None:
        """Move on to a sample that is worse than all before."""
        bad = self._badness(batch)
        at = int(np.argmax(bad))
        if not bad[at] > self._worst:
            return
        self._worst, self.t_ns = float(bad[at]), int(batch.t_ns[at])
        kept = [one for one in self._ring if int(one.t_ns[-1]) >= self.t_ns - self.half_ns]
        self.parts = [one.part(int(np.searchsorted(one.t_ns, self.t_ns - self.half_ns)), len(one)) for one in kept]

    def _badness(self, batch: Batch) -> Floats:
        kind = self.trigger.kind
        if kind == "step":
            ticks = batch.ticks.astype(np.float64)
            before = [float(self._ring[-1].ticks[-1])] if self._ring and self._ring[-1].end == batch.first else []
            steps = np.diff(np.concatenate((before, ticks)))
            if self._usual is None and len(steps):
                self._usual = float(np.median(steps))
            away: Floats = np.abs(steps - (self._usual or 0.0))
            return np.concatenate((np.full(len(ticks) - len(steps), -np.inf), away))
        values = batch.values.astype(np.float64).reshape(len(batch), -1)
        if self.trigger.channel in batch.stream.channels and not batch.stream.is_image:
            values = values[:, [batch.stream.channels.index(self.trigger.channel)]]
        if kind == "minimum":
            return np.asarray(-values.min(axis=1), np.float64)
        if kind == "maximum":
            return np.asarray(values.max(axis=1), np.float64)
        return np.asarray(np.abs(values - self.trigger.value).max(axis=1), np.float64)


@dataclass(slots=True, eq=False)
class _Told:
    """Events of one board."""

    events: list[tuple[int, str, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    exchanges: list[tuple[int, int, int]] = field(default_factory=list)
    every: int = 1
    seen: int = 0

    def exchange(self, item: ClockReading) -> None:
        """Keep every n-th exchange, n growing, so that their number stays bounded."""
        if self.seen % self.every == 0:
            self.exchanges.append((item.sent_ns, item.tick, item.received_ns))
            if len(self.exchanges) >= _EXCHANGES:
                self.exchanges, self.every = self.exchanges[::2], self.every * 2
        self.seen += 1


class Scope:
    """Looks at every arrival of a run.

    Args:
        triggers: Moments to keep sample by sample.
        overview: Whether to make envelopes and keep events too.
    """

    def __init__(self, triggers: Sequence[Trigger] = (), overview: bool = True) -> None:
        self.probes = [Probe(trigger) for trigger in triggers]
        self.envelopes: dict[tuple[str, str], Envelope] = {}
        self.told: dict[str, _Told] = {}
        self.samples: Counter[tuple[str, str]] = Counter()
        self._overview = overview
        self._streams: dict[str, str] = {}

    def take(self, arrival: Arrival) -> None:
        """Look at an arrival with its items."""
        self.look(arrival.items)

    def look(self, items: Iterable[Item]) -> None:
        """Look at batches and events."""
        for item in items:
            if isinstance(item, Batch):
                if len(item):
                    self._samples(item)
            elif self._overview:
                self._event(item)

    def first(self, board: str, *kinds: str) -> tuple[int, str] | None:
        """Return when the first event of some kinds was, and what it was."""
        told = self.told.get(board)
        found = () if told is None else (one for one in told.events if one[1] in kinds)
        return next(((t_ns, text) for t_ns, _, text in found), None)

    def _samples(self, batch: Batch) -> None:
        name = batch.stream.name
        self.samples[batch.board, name] += len(batch)
        self._streams.setdefault(batch.board, name)
        if self._overview:
            self.envelopes.setdefault((batch.board, name), Envelope()).add(batch)
        for probe in self.probes:
            if probe.trigger.board == batch.board and (probe.trigger.stream or self._streams[batch.board]) == name:
                probe.take(batch)

    def _event(self, item: Any) -> None:
        told = self.told.setdefault(item.board, _Told())
        if isinstance(item, ClockReading):
            told.exchange(item)
            return
        if isinstance(item, Rebooted):
            told.exchanges, told.every, told.seen = [], 1, 0
        kind, text = _words(item)
        if not kind:
            return
        told.counts[kind] += 1
        if told.counts[kind] <= EVENTS:
            told.events.append((item.t_ns, kind, text))


def _words(item: Any) -> tuple[str, str]:
    if isinstance(item, Gap):
        if item.count == 1:
            return "gap", f"1 sample of {item.stream} is missing ({item.cause})"
        count = "an unknown number of" if item.count is None else str(item.count)
        return "gap", f"{count} samples of {item.stream} are missing ({item.cause})"
    if isinstance(item, Damage):
        return "damage", f"{item.count} bytes belong to nothing valid ({item.kind})"
    if isinstance(item, Rebooted):
        return "reboot", "the board started anew"
    if isinstance(item, Disconnected):
        return "disconnect", item.reason or "the connection went"
    if isinstance(item, Stall):
        return "stall", f"the host stopped reading for {item.stalled_ns / 1e6:.0f} ms"
    if isinstance(item, Log) and item.level in ("warning", "error"):
        return "log", f"{item.level}: {item.text}"
    return "", ""
