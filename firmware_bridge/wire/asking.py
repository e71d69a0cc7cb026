"""Windows put to the model on a board: what to ask when, and which answer belongs to which window.

Rule of this room: pure. It is told what was heard and when, and gives the messages to write. An answer belongs to the
window whose id it bears; a board answers in the order it was asked, so that an answer to a later window tells that an
earlier one, or its answer, was lost. What is lost is asked again, at most `most_again` times, and counted; a window
that was never answered stays None, and nothing is made up for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firmware_bridge.wire.deploying import said
from firmware_bridge.wire.messages import HEADER, TABLE, Kind, Message

__all__ = ["LAST_LAYER", "Answer", "Asker", "infer_bytes"]

LAST_LAYER = 255
"""As `layer` in RESULT: the answer itself."""

_MS = 1_000_000
_QUIET_NS = 50 * _MS
_FIRST_PATIENCE_NS = 3_000 * _MS
"""As long as it is not known how long the model takes; doubled with every time of asking."""
_LEAST_PATIENCE_NS = 250 * _MS
_OUT_OF_ORDER = 6
_CIRCLE = 1 << 32

Int8 = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a board answered to one window.

    Attributes:
        outputs: int8 `(k,)`.
        elapsed_ticks: How long it took by the board's own counter.
        instructions: How many were executed; None where the board cannot count them.
        again: How often the window was asked again because no answer had come.
    """

    outputs: Int8
    elapsed_ticks: int
    instructions: int | None
    again: int


@dataclass(slots=True)
class _Asked:
    """A window under way: its index, when it was asked, and when it is given up to be asked again."""

    index: int
    at_ns: int
    until_ns: int


def infer_bytes(window: bytes) -> int:
    """Return about how many bytes asking a window takes on the wire, and in a board's line buffer."""
    bare = len(window) + TABLE[Kind.INFER].codec().size
    return bare + bare // 100 + 2 * (HEADER.size + 10)


class Asker:
    """Windows that are put to a board.

    Args:
        windows: Raw readings of each, as bytes.
        stream: Wire id of the stream they are of.
        rows: Samples in a window.
        in_flight: Bytes that the board's line buffer holds; at least one window is asked all the same.
        first_id: Of the first window; an answer to an id that was not asked means nothing.
        most_again: How often a window is asked again.
        layer: A layer to wait for as well (TAP was sent before); None: the answer alone.

    Attributes:
        answers: Answer to each window; None where none came (yet).
        layers: Output of that layer for each window, int8 `(n,)`; None where none came.
        failed: One sentence where the board refuses; empty where it does not.
    """

    def __init__(
        self, windows: Sequence[bytes], stream: int, rows: int, *, in_flight: int, first_id: int = 0,
        most_again: int = 3, layer: int | None = None,
    ) -> None:  # fmt: skip
        self._windows, self._stream, self._rows = windows, stream, rows
        self._first_id, self._most_again, self._layer = first_id, most_again, layer
        self._room = max(1, in_flight // infer_bytes(windows[0])) if windows else 1
        self.answers: list[Answer | None] = [None] * len(windows)
        self.layers: list[Int8 | None] = [None] * len(windows)
        self.failed = ""
        self._again = [0] * len(windows)
        self._waiting = list(range(len(windows)))[::-1]
        self._asked: list[_Asked] = []
        self._slowest_ns = 0
        self._heard_ns = self._nak_ns = -_QUIET_NS

    @property
    def done(self) -> bool:
        """Whether every window was answered or given up."""
        return not self._waiting and not self._asked

    @property
    def again(self) -> int:
        """How often windows were asked again, all together."""
        return sum(self._again)

    # ------------------------------------------------------------------ what was heard

    def take(self, message: Message, now: int) -> None:
        """Take a message of the board; what is no answer to a window is passed over.

        Args:
            message: In their order.
            now: Nanoseconds.
        """
        if message.kind == Kind.RESULT and message.keyed_by == 0:
            self._result(message, now)
        elif message.kind == Kind.NAK and message.of == Kind.INFER and self._asked:
            if message.reason != _OUT_OF_ORDER:
                self.failed = f"the board refuses a window: {said(message)}"
            elif now - self._nak_ns >= _QUIET_NS:  # what follows a lost part is refused as well
                self._nak_ns = now
                self._lost(self._asked.pop(0))

    def _result(self, message: Message, now: int) -> None:
        index = (message.key - self._first_id) % _CIRCLE
        if index >= len(self._windows) or message.n > len(message.tail) or message.dtype != 0:
            return
        outputs = np.frombuffer(message.tail, np.int8, message.n)
        if self._layer is not None and message.layer == self._layer:
            self.layers[index] = outputs
        if message.layer != LAST_LAYER or self.answers[index] is not None:
            return
        place = next((place for place, each in enumerate(self._asked) if each.index == index), None)
        if place is not None:
            for each in self._asked[:place]:
                self._lost(each)
            self._slowest_ns = max(self._slowest_ns, now - max(self._asked[place].at_ns, self._heard_ns))
            del self._asked[: place + 1]
        elif index in self._waiting:
            self._waiting.remove(index)  # it came after all
        self._heard_ns = now
        counted = message.instructions or None
        self.answers[index] = Answer(outputs, message.elapsed, counted, self._again[index])
        if self._layer is not None and self.layers[index] is None:  # its layer was lost on the way
            self.answers[index] = None
            self._lost(_Asked(index, now, now))

    def _lost(self, asked: _Asked) -> None:
        if self._again[asked.index] < self._most_again:
            self._again[asked.index] += 1
            self._waiting.append(asked.index)

    # ------------------------------------------------------------------ what to say

    def due(self, now: int) -> list[Message]:
        """Return what to write now; ask again after every answer, and a few times a second without one."""
        if self.failed:
            return []
        self._give_up(now)
        say = []
        while self._waiting and len(self._asked) < self._room:
            index = self._waiting.pop()
            self._asked.append(_Asked(index, now, now + self._patience(index)))
            fields = {"window": (self._first_id + index) % _CIRCLE, "stream": self._stream, "n": self._rows}
            say.append(Message(Kind.INFER, fields, self._windows[index]))
        return say

    def _give_up(self, now: int) -> None:
        """Take as lost what is late; as long as answers come, those behind them are not late."""
        late = [each for each in self._asked if now >= max(each.until_ns, self._heard_ns + self._patience(each.index))]
        if late:
            self._asked = [each for each in self._asked if each not in late]
            for each in late:
                self._lost(each)

    def _patience(self, index: int) -> int:
        once = max(_LEAST_PATIENCE_NS, 4 * self._slowest_ns) if self._slowest_ns else _FIRST_PATIENCE_NS
        return int(once) << self._again[index]
