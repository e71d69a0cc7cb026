"""When the host says what to a native board: live only, a replay has the bytes already.

IDENTIFY until HELLO comes (0.2 s apart, then doubling to 2 s) and again when a known board is silent for 2 s; START
until it takes effect; PING ten times a second in the first minute, then once; GET_STATUS every 2 s, sooner when a loss
waits to be attributed. The facts come from the bytes; only the timing of what was asked lives here.
"""

from dataclasses import dataclass

from firmware_bridge.wire.messages import Kind, Message

__all__ = ["Facts", "Schedule"]

_S = 1_000_000_000
_SILENCE_NS = 2 * _S
_PING_OFTEN_NS, _PING_NS, _OFTEN_FOR_NS = _S // 10, _S, 60 * _S
_STATUS_NS, _STATUS_SOON_NS = 2 * _S, _S // 4


@dataclass(frozen=True, slots=True)
class Facts:
    """What the conversation knows.

    Attributes:
        identified: A HELLO was understood on this connection.
        wants_start: The board should be started and has not confirmed it.
        heard_ns: When bytes last came.
        has_clock: The board has a clock to date.
        waiting: A loss is not attributed yet.
        nonce: For START.
        injected: For START: bit mask of the streams that take their samples from the host.
    """

    identified: bool
    wants_start: bool
    heard_ns: int
    has_clock: bool
    waiting: bool
    nonce: int
    injected: int = 0


class Schedule:
    """What was asked when, on one connection."""

    def __init__(self) -> None:
        self._token = 0
        self.restart(0)

    def restart(self, now: int) -> None:
        """A connection was opened."""
        self._identify_at, self._identify_step = now, _S // 5
        self._start_at, self._start_step = now, 3 * _S // 10
        self._ping_at = self._status_at = now
        self._asked_status = now - _STATUS_NS
        self._known_since: int | None = None

    def due(self, now: int, facts: Facts) -> tuple[list[Message], int]:
        """Return what to say now, and when to ask again."""
        if not facts.identified:
            self._known_since = None
            return self._identify(now)
        if self._known_since is None:
            self._known_since = self._start_at = self._ping_at = now
            self._status_at = now + _S
            self._start_step = 3 * _S // 10
        say: list[Message] = []
        times = [facts.heard_ns + _SILENCE_NS]
        if now >= times[0]:
            asked, times[0] = self._identify(now)
            say += asked
        else:
            self._identify_at, self._identify_step = now, _SILENCE_NS
        if facts.wants_start:
            if now >= self._start_at:
                say.append(Message(Kind.START, {"nonce": facts.nonce, "streams": 0, "injected": facts.injected}))
                self._start_at = now + self._start_step
                self._start_step = min(2 * self._start_step, 5 * _S)
            times.append(self._start_at)
        else:
            self._start_at, self._start_step = now, 3 * _S // 10
        if facts.has_clock:
            if now >= self._ping_at:
                self._token = (self._token + 1) & 0xFFFFFFFF
                say.append(Message(Kind.PING, {"token": self._token}))
                self._ping_at = now + (_PING_OFTEN_NS if now - self._known_since < _OFTEN_FOR_NS else _PING_NS)
            times.append(self._ping_at)
        soon = self._asked_status + _STATUS_SOON_NS if facts.waiting else self._status_at
        if now >= min(self._status_at, soon):
            say.append(Message(Kind.GET_STATUS))
            self._asked_status, self._status_at = now, now + _STATUS_NS
            soon = now + _STATUS_SOON_NS if facts.waiting else self._status_at
        times.append(min(self._status_at, soon))
        return say, min(times)

    def _identify(self, now: int) -> tuple[list[Message], int]:
        if now < self._identify_at:
            return [], self._identify_at
        self._identify_at = now + self._identify_step
        self._identify_step = min(2 * self._identify_step, _SILENCE_NS)
        return [Message(Kind.IDENTIFY)], self._identify_at
