"""The Allan deviation that grows while a board rests: readings go in as they come, motion and gaps are left out.

Rule of this room: nothing is computed until a screen asks, and nothing is kept once none asks any more. Taking readings
is appending references; the sums are made when the curve is wanted, outside the monitor's lock. Readings are judged in
blocks of half a second: a block is motion when it scatters clearly more than the quietest one so far, or when its mean
jumps. Time is an argument.
"""

import math
import threading
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.streams import Stream
from hil.monitor.ondemand import OnDemand
from hil.views.allan import AllanView

if TYPE_CHECKING:
    from hil.dsp.allanstream import AllanStream

__all__ = ["Stability", "can_average", "refusal", "stabilities"]

BLOCK_S = 0.5
NEAR = 1.6
"""Times the quietest block's scatter beyond which a block is motion, but for chance (see `_near`)."""
JUMP = 8.0
"""Standard errors of a block's mean beyond which a step from block to block is motion; never below half a scatter."""
WAITING = 4_000_000
"""Readings that wait for a screen to ask, at most; beyond, the curve is given up until somebody asks again."""

Float = npt.NDArray[np.float64]


class Stability:
    """One stream's curve.

    Args:
        board: Role.
        stream: What is sampled; channels and a nominal rate are needed.
    """

    def __init__(self, board: str, stream: Stream) -> None:
        self.board, self.stream = board, stream
        self._rate = float(stream.rate_hz or 0.0)
        self._size = max(4, round(self._rate * BLOCK_S))
        # Made when the curve is first wanted: its libraries take a while to load, and the monitor's lock is held here.
        self._series: AllanStream | None = None
        self._judged = _moves(stream)
        # The scatter of a block is itself uncertain; four of its standard errors to either side are chance.
        doubt = min(0.7, 4 / math.sqrt(2 * self._size))
        self._near = NEAR * (1 + doubt) / (1 - doubt)
        bits = np.broadcast_to(np.abs(np.asarray(stream.scale, np.float64)), (len(stream.channels),))
        # A channel that stands still scatters by nothing; a part of its least bit is the floor.
        self._least: Float = bits / 3 if np.dtype(stream.dtype).kind in "iu" else np.full(len(bits), 1e-30)
        self._lock = threading.Lock()
        self._waiting: deque[Batch] = deque()
        # Each is written by one thread only: what came under the monitor's lock, what was used under our own.
        self._came = self._used = 0
        self._next: tuple[int, int] | None = None
        self._held: Float = np.empty((0, len(stream.channels)))
        self._quiet: Float | None = None
        self._mean: Float | None = None
        self._resting, self._joined = True, False
        self._left_out = 0

    @property
    def full(self) -> bool:
        """Whether too much waits because nobody asks."""
        return self._came - self._used > WAITING

    def take(self, batches: Sequence[Batch]) -> None:
        """Keep batches, in order, until the curve is wanted."""
        self._waiting.extend(batches)
        self._came += sum(batch.raw.size for batch in batches)

    def view(self) -> AllanView:
        """Return the curve so far."""
        with self._lock:
            while self._waiting:
                batch = self._waiting.popleft()
                self._used += batch.raw.size
                self._add(batch)
            return self._curve()

    @property
    def _sums(self) -> "AllanStream":
        """The sums behind the curve, made when they are first wanted."""
        if self._series is None:
            from hil.dsp.allanstream import AllanStream

            self._series = AllanStream(self._rate, len(self.stream.channels), kinds=("oadev",))
        return self._series

    def _add(self, batch: Batch) -> None:
        if self._next != (batch.boot, batch.first):
            self._held = self._held[:0]
            self._cut()
        self._next = (batch.boot, batch.end)
        values = batch.values.astype(np.float64)
        held = np.concatenate((self._held, values)) if len(self._held) else values
        whole = len(held) - len(held) % self._size
        for block in held[:whole].reshape(-1, self._size, held.shape[1]):
            self._block(block)
        self._held = held[whole:]

    def _cut(self) -> None:
        if self._joined:
            self._sums.gap()
        self._joined, self._mean = False, None

    def _block(self, block: Float) -> None:
        if not np.isfinite(block).all():
            self._cut()
            return
        self._resting = not self._judged or self._rests(block)
        if self._resting:
            self._sums.append(block)
            self._joined = True
        else:
            self._left_out += len(block)
            self._cut()

    def _rests(self, block: Float) -> bool:
        scatter, mean = np.maximum(block.std(axis=0), self._least), block.mean(axis=0)
        quiet = scatter if self._quiet is None else np.minimum(scatter, self._quiet)
        if self._quiet is not None and (scatter < self._quiet / self._near).any():
            self._restart()  # what was taken for rest so far was motion, seen from here
        before, self._mean, self._quiet = self._mean, mean, quiet
        jump = max(JUMP / math.sqrt(self._size), 0.5) * quiet
        jumped = before is not None and bool((np.abs(mean - before) > jump).any())
        return not jumped and not (scatter > self._near * quiet).any()

    def _restart(self) -> None:
        self._left_out += self._sums.samples
        self._series, self._joined = None, False

    def _curve(self) -> AllanView:
        found = self._sums.result("oadev")
        rest, left = (count / self._rate for count in (self._sums.samples, self._left_out))
        sentence = ""
        if not len(found.tau_s):
            sentence = "the board moves; the curve begins when it lies still" if not self._resting else (
                "the first averages are being gathered"
            )  # fmt: skip
        return AllanView(
            self.board, self.stream.name, found.tau_s, np.ascontiguousarray(found.deviation.T),
            np.ascontiguousarray(found.low.T), np.ascontiguousarray(found.high.T), rest, left, self._resting, sentence,
        )  # fmt: skip


def _moves(stream: Stream) -> bool:
    """Whether a stream's readings tell motion: inertial ones do."""
    from hil.measure.kinds import ACCELERATION, RATE

    return any(unit in (*ACCELERATION, *RATE) for unit in stream.units)


def stabilities() -> OnDemand[Stability]:
    """Return the curves that screens ask for."""
    return OnDemand(Stability)


def can_average(stream: Stream) -> bool:
    """Whether a stream can have a curve: channels, and a rate that is known."""
    return not stream.is_image and bool(stream.rate_hz)


def refusal(role: str, name: str, stream: Stream | None) -> AllanView:
    """Return a view that says why a stream (None: not seen yet) has no curve."""
    sentence = "its rate is not known"
    if stream is None:
        sentence = "no readings have come yet"
    elif stream.is_image:
        sentence = "a picture has no Allan deviation; choose a stream of channels"
    nothing = np.empty((1 if stream is None else len(stream.channels), 0))
    return AllanView(role, name, np.empty(0), nothing, nothing, nothing, sentence=sentence)
