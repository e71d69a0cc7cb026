"""What a stream of a virtual board reads and what of it is due: one `Feed` a stream.

Samples due come from the board's free-running counter: a timeline gives the tick of every sample, and a feed hands out
whatever the counter has passed, in frames of `group` samples. Readings come from a sensor by index, or from the host
in order where the stream was started as injected. An injected sample that is due and not there is counted as starved
and its slot passes unused: numbering goes on with the next injected sample, so that results keyed by sample number do
not depend on how fast the host was. Nothing is due before the first injected sample has come.
"""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import Stream
from firmware_bridge.virtual.timeline import Grid, Timeline

__all__ = ["Chunk", "Feed", "Sensor"]

Int64 = npt.NDArray[np.int64]
Raw = npt.NDArray[Any]


class Sensor(Protocol):
    """Where the readings of one stream come from."""

    @property
    def stream(self) -> Stream:
        """What is sampled."""

    def raw(self, first: int, n: int) -> Raw:
        """Return samples `first` to `first + n - 1`, `(n, *shape)` in the wire's dtype; the same for any split."""


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Samples for one frame: `number` of the first, int64 ticks `(n,)`, raw `(n, *shape)`; `index` in the timeline."""

    index: int
    number: int
    ticks: Int64
    raw: Raw


class Feed:
    """One stream at work.

    Args:
        sensor: Where readings come from.
        group: Samples a frame.
        room: Injected samples that fit at once.
    """

    def __init__(self, sensor: Sensor, group: int, room: int) -> None:
        self.sensor = sensor
        self.stream = sensor.stream
        self.group = group
        self.room = room
        self.begin(injecting=False)

    def begin(self, injecting: bool) -> None:
        """Number samples from 0 again, with readings of the host (`injecting`) or of the sensor."""
        self.timeline: Timeline | None = None
        self.injecting = injecting
        self.at = self.produced = self.dropped = 0
        self.accepted = self.consumed = self.starved = self._announced = 0
        self._waiting: list[Raw] = []

    @property
    def credit(self) -> int:
        """Injected samples there has been room for since the stream began; 0 where it reads its sensor."""
        return self.consumed + self.room if self.injecting else 0

    @property
    def owes_credit(self) -> bool:
        """Whether so much room came free that the host should be told."""
        return self.injecting and self.credit - self._announced >= self.room // 4

    def announce(self) -> int:
        """Return the credit, to be told to the host."""
        self._announced = self.credit
        return self._announced

    def inject(self, first: int, raw: Raw) -> bool:
        """Take samples of the host; False where `first` is not the next expected or there is no room for all.

        Samples that were taken before (sent again after a lost answer) are passed over.
        """
        if first > self.accepted:
            return False
        fresh = raw[self.accepted - first :]
        if self.accepted + len(fresh) > self.credit:
            return False
        if len(fresh):
            self._waiting.append(fresh)
            self.accepted += len(fresh)
        return True

    def due_tick(self) -> int | None:
        """Return the tick at which the next frame is complete; None where none will be."""
        if self.timeline is None:
            return None
        n = self.timeline.run(self.at, self.group)
        return self.timeline.tick(self.at + n - 1) if n else None

    def take(self, tick: int, group: int | None = None) -> Chunk | None:
        """Return the next frame's samples and pass on; None where injected samples are wanting.

        Args:
            tick: What the clock reads; only slots up to it are used.
            group: At most so many samples instead of the usual.
        """
        timeline = self.timeline
        if timeline is None:
            return None
        n = timeline.run(self.at, group or self.group)
        at = self.at
        wanting = 0
        if self.injecting:
            have = min(n, self.accepted - self.consumed)
            wanting = timeline.due(tick) - at - have if have < n else 0
            n = have
            raw = self._injected(n)
        else:
            raw = self.sensor.raw(at, n)
        chunk = Chunk(at, timeline.number(at), timeline.ticks(at, n), raw) if n else None
        self._pass(timeline, n)
        if wanting > 0:
            self._starve(timeline, wanting)
        return chunk

    def skip(self, tick: int) -> None:
        """Let all whole frames that are due at `tick` be lost."""
        while self.timeline is not None:
            n = self.timeline.due(tick) - self.at
            n = self.timeline.run(self.at, n - n % self.group)
            if self.injecting:
                n = min(n, self.accepted - self.consumed)
                self._injected(n)
            if n <= 0:
                return
            self._pass(self.timeline, n)
            self.dropped += n

    def _pass(self, timeline: Timeline, n: int) -> None:
        """Go on by `n` samples; numbers that a played timeline leaves out count as dropped."""
        if n:
            first = timeline.number(self.at)
            self.dropped += first - self.produced
            self.at += n
            self.produced = first + n

    def _starve(self, timeline: Timeline, slots: int) -> None:
        """Pass `slots` unused: the next sample keeps its index and takes the slot after them."""
        self.starved += slots
        if isinstance(timeline, Grid):
            self.timeline = replace(timeline, base=self.at, base_tick=timeline.tick(self.at + slots))
        else:
            self.at += slots

    def _injected(self, n: int) -> Raw:
        taken: list[Raw] = []
        left = n
        while left > 0:
            head = self._waiting.pop(0)
            if len(head) > left:
                self._waiting.insert(0, head[left:])
                head = head[:left]
            taken.append(head)
            left -= len(head)
        self.consumed += max(0, n)
        if not taken:
            return np.empty((0, *self.stream.shape), self.stream.dtype)
        return taken[0] if len(taken) == 1 else np.concatenate(taken)
