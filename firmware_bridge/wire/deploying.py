"""A model sent to a board: what to say when, and what its answers mean.

Rule of this room: pure. It is told what was heard and when, and gives the messages to write. What the board says is
missing is the truth; that it acknowledged parts only tells how fast it takes them:

- Parts go out in order, no more of them at once than the board's line buffer holds. A NAK names the offset to go on
  from (go-back-N); a part that comes twice is passed over by the board.
- MODEL_END is the question, too: while bytes are missing its answer names the offset. It is asked when all was sent
  and when nothing was heard for a while, so that no lost answer leaves it waiting.
- A checksum that is wrong, and a board that knows of no beginning (it started anew), begin it all again, a few times.
"""

import zlib
from collections import deque

from firmware_bridge.wire.messages import HEADER, REASONS, TABLE, Kind, Message

__all__ = ["Upload", "chunk_room", "said"]

_MS = 1_000_000
_QUIET_NS = 50 * _MS
"""After going back, the answers to what was under way say the same again for so long."""
_PATIENCE_NS = 500 * _MS
_TRIES = 12
"""So often it is asked without an answer that leads on; six seconds."""
_BEGINNINGS = 4
_MOST_RESENT = 50
"""The whole model so often on top: a board that always wants more is broken."""
_UNKNOWN, _BAD_CHECKSUM, _BAD_ARGUMENT, _NO_ROOM, _OUT_OF_ORDER = 1, 2, 3, 5, 6


def chunk_room(max_frame: int, crc_bits: int) -> int:
    """Return how many bytes of a model one MODEL_CHUNK holds; below 1 where none fits."""
    return max_frame - HEADER.size - crc_bits // 8 - TABLE[Kind.MODEL_CHUNK].codec().size


class Upload:
    """One model on its way.

    Args:
        blob: The op list.
        chunk: Bytes of it in a message.
        in_flight: Bytes that may be under way unanswered; at least one message is sent all the same.

    Attributes:
        done: Whether the board has it, has checked it and uses it.
        failed: One sentence where it cannot go on; empty while it can.
        unanswered: Whether that is because the board said nothing.
        refusal: Why the board refuses the op list, (reason, operator, op) as in `oplist`; None where it does not.
        resent: Bytes that were sent more than once.
        begun: How often it was begun.
    """

    def __init__(self, blob: bytes, chunk: int, in_flight: int) -> None:
        self.done, self.failed, self.unanswered, self.resent, self.begun = False, "", False, 0, 0
        self.refusal: tuple[int, int, int] | None = None
        self._blob, self._crc32 = blob, zlib.crc32(blob)
        self._chunk, self._in_flight = max(1, chunk), in_flight
        self._ask_at = self._nak_ns = self._high = 0
        self._begin()

    def _begin(self) -> None:
        self._runs = False
        """Whether the board has confirmed that it began."""
        self._sent = self._taken = 0
        self._ends: deque[int] = deque()
        self._tries = self._ask_at = 0
        self._went_back = -1

    # ------------------------------------------------------------------ what was heard

    def take(self, message: Message, now: int) -> None:
        """Take an answer of the board (any message; what does not concern a model is passed over).

        Args:
            message: In their order.
            now: Nanoseconds.
        """
        if message.kind not in (Kind.ACK, Kind.NAK) or self.done or self.failed:
            return
        if message.of == Kind.MODEL_BEGIN:
            self._began(message)
        elif self._runs and message.of == Kind.MODEL_CHUNK:
            self._part(message, now)
        elif self._runs and message.of == Kind.MODEL_END:
            self._end(message, now)

    def _began(self, message: Message) -> None:
        if message.kind == Kind.ACK:
            if not self._runs:
                self._runs, self._tries, self._ask_at = True, 0, 0
        elif message.reason == _NO_ROOM:
            self.failed = f"the model has {len(self._blob)} bytes and the board has room for {message.detail}"
        elif message.reason == _UNKNOWN:
            self.failed = said(message) if message.tail else "the board knows no models"
        else:
            self.failed = f"the board refuses to begin: {said(message)}"

    def _part(self, message: Message, now: int) -> None:
        if message.kind == Kind.ACK:
            if self._ends:
                self._taken = max(self._taken, self._ends.popleft())
                self._moved()
        elif message.reason == _OUT_OF_ORDER:
            self._back_to(message.detail, now)
        else:
            self._again(said(message))

    def _end(self, message: Message, now: int) -> None:
        if message.kind == Kind.ACK:
            self.done = True
        elif message.reason == _OUT_OF_ORDER:
            self._nak_ns = 0  # nothing else is under way once it is asked
            self._back_to(message.detail, now)
        elif message.reason == _BAD_ARGUMENT and message.detail & 0xFF:
            detail = message.detail
            self.refusal = detail & 0xFF, detail >> 8 & 0xFF, detail >> 16
            self.failed = "the board refuses the op list"
        elif message.reason == _NO_ROOM:
            self.failed = f"a window of {message.detail} bytes has no room on the board"
        else:
            self._again(said(message))

    def _back_to(self, wanted: int, now: int) -> None:
        if wanted > len(self._blob) or (wanted == self._went_back and now - self._nak_ns < _QUIET_NS):
            return
        if self.resent > _MOST_RESENT * len(self._blob):
            self.failed = f"the board still misses byte {wanted} after {self.resent} bytes were sent again"
            return
        if wanted > self._taken or wanted != self._went_back:
            self._moved()
        self._went_back, self._nak_ns = wanted, now
        self._sent = self._taken = wanted
        self._ends.clear()

    def _moved(self) -> None:
        self._tries, self._ask_at = 0, 0

    def _again(self, why: str) -> None:
        if self.begun >= _BEGINNINGS:
            self.failed = f"the board refused the model {self.begun} times, the last time because of: {why}"
        else:
            self._begin()

    # ------------------------------------------------------------------ what to say

    def due(self, now: int) -> list[Message]:
        """Return what to write now; ask again after every answer, and a few times a second without one."""
        if self.done or self.failed:
            return []
        say = self._parts() if self._runs else []
        if say:
            self._ask_at = now + _PATIENCE_NS
        elif now >= self._ask_at:
            if self._waits_for_parts(now):
                return []
            if self._tries >= _TRIES:
                what = "MODEL_END" if self._runs else "MODEL_BEGIN"
                self.failed = f"the board did not answer {what} in {_TRIES * _PATIENCE_NS / 1e9:g} s"
                self.unanswered = True
                return []
            self._tries += 1
            self._ask_at = now + _PATIENCE_NS
            say = [self._question()]
        return say

    def _waits_for_parts(self, now: int) -> bool:
        """Whether answers to parts are still to come; it is asked once they are late."""
        if not self._runs or not self._ends or self._ask_at:
            return False
        self._ask_at = now + _PATIENCE_NS
        return True

    def _question(self) -> Message:
        if self._runs:
            return Message(Kind.MODEL_END, {"crc32": self._crc32})
        self.begun += self._tries == 1
        return Message(Kind.MODEL_BEGIN, {"size": len(self._blob), "crc32": self._crc32})

    def _parts(self) -> list[Message]:
        say = []
        while self._sent < len(self._blob):
            part = self._blob[self._sent : self._sent + self._chunk]
            if self._ends and self._sent + len(part) - self._taken > self._in_flight:
                break
            say.append(Message(Kind.MODEL_CHUNK, {"offset": self._sent}, part))
            self._sent += len(part)
            self._ends.append(self._sent)
            self.resent += max(0, min(len(part), self._high - self._sent + len(part)))
            self._high = max(self._high, self._sent)
        return say


def said(nak: Message) -> str:
    """Return why a board refused, in its own words where it has some."""
    return nak.tail.decode("utf-8", "replace") or REASONS.get(nak.reason, f"reason {nak.reason}")
