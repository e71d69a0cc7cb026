"""One board's connection, one step at a time: open, read, decode, answer, write, lose, open again.

No thread and no waiting of its own: `step` does what is due by the clock and returns, so that a test drives it with a
scripted port and a clock that stands still; `link` calls it from a thread. Every read, write and change of the
connection becomes one Arrival that went through `Session.apply`, the same call that a replay makes.

Bytes are stamped when they are read. A board that sends more often than every `gather_ns` is decoded once in that
time, under the stamp of the last read, so that a thousand small messages a second cost two hundred decodings; a board
that is slower, and an answer to what was just written, is decoded at once.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from firmware_bridge import hints
from firmware_bridge.clock import Clock
from firmware_bridge.errors import BridgeError, NoAnswer, PortEnded, TransportError
from firmware_bridge.events import Arrival, Log, Rebooted
from firmware_bridge.outbox import Outbox
from firmware_bridge.plan import MS, Command, LinkState, Plan, Port, never, renamed
from firmware_bridge.wire.identity import is_known

__all__ = ["Turn"]

_ANSWER_NS = 20 * MS
"""For so long after a write an answer is looked for, which is decoded at once because its time counts."""
_ASK_NS = 500 * MS
_HINT_NS = 3_000 * MS
_FIT_NS = 500 * MS
_HELD_BYTES = 1 << 20
_AWAY = {"opening": "waiting", "waiting": "waiting", "wrong": "wrong"}
"""What a board is called whose port cannot be opened, by what it was before; any other one is lost."""
_MEANINGLESS = 200
"""So many bytes without a meaning are worth a sentence about the baud rate."""


class Turn:
    """The connection of one board.

    Args:
        way: Opens and closes the port.
        plan: How to work.
        clock: Time.
        put: Takes an arrival and returns how long (ns) it held the caller; `put(arrival, force=True)` never does.
        idle: Waits so many seconds while there is no connection, or less when woken.
    """

    def __init__(
        self,
        way: Port,
        plan: Plan,
        clock: Clock,
        put: Callable[..., int],
        idle: Callable[[float], object] = lambda _: None,
    ) -> None:
        self.role = plan.role or ""
        self.state = LinkState("opening", "", clock.now_ns())
        self.fit: Any = None
        self.retry_now = False
        """Set to open a lost port in the next step, whatever its back-off says."""
        self._way, self._plan, self._clock, self._put, self._idle = way, plan, clock, put, idle
        self.session = plan.make_session(self.role, plan.expect)
        self.books: Any = self.session.books()
        self._transport: Any = None
        self._outbox = Outbox()
        self._held: list[Arrival] | None = [] if plan.role is None else None
        self._held_bytes = 0
        self._seq = 0
        self._chunks: list[bytes] = []
        self._stamp = self._decode_at = self._hurry_until = self._opened = self._came = self._fit_at = self._usual = 0
        self._due_at: int | None = None
        self._hinted = False
        self._was_gone = True

    def open(self, wait_s: float = 0.0, given_up: Callable[[], bool] = never) -> None:
        """Open the port; wait so long for another user of it, unless given up.

        Raises:
            BridgeError: It cannot be opened.
        """
        self._transport = self._way.open(wait_s, given_up)
        now = self._opened = self._clock.now_ns()
        self._hinted, self._came, self._due_at = False, 0, None
        if self._way.settings.on_connect:
            self._outbox.add(self._way.settings.on_connect)
        self.state = self.state.to("identifying", "", now)
        self._arrive("open", self._way.port.encode(), now)
        for note in self._transport.notes:
            self.note("debug", note)

    def step(self, max_wait_s: float = 0.0) -> bool:
        """Do what is due, waiting at most `max_wait_s` for bytes; false when the link has come to its end."""
        now = self._clock.now_ns()
        if self._transport is None:
            return self._step_closed(now, max_wait_s)
        try:
            now = self._read(now, max_wait_s)
            if self._chunks and now >= self._decode_at:
                self._decode()
            if self._due_at is None or now >= self._due_at:
                self._ask(now)
            if self._outbox:
                self._write()
            if not self._hinted and now - self._opened >= _HINT_NS:
                self._hint(now)
        except TransportError as error:
            self._lost(error)
        return self.state.state != "closed"

    def close(self, reason: str = "closed by the user") -> None:
        """Close the port for good."""
        if self._transport is not None:
            self._flush()
        if self._transport is not None:
            self._end(reason)
        self.state = self.state.to("closed", reason, self._clock.now_ns())

    def queue(self, command: Command, future: "Future[bytes]") -> None:
        """Take a command to be written; its bytes, or what is wrong with it, go to `future`."""
        try:
            if self._transport is None:
                raise NoAnswer(f"the board is not there (it is {self.state.state})", self.role, "wait until it is live")
            self._outbox.add(command if isinstance(command, bytes) else self.session.dialect.send(command), future)
        except BridgeError as error:
            future.set_exception(error)

    def note(self, level: str, text: str) -> None:
        """Say something about this board in its stream of events."""
        now = self._clock.now_ns()
        self._emit(Arrival(self.role, self._count(), now, "note", b"", (Log(self.role, now, level, text),)))

    # -- pieces of a step ----------------------------------------------------------------------------------------

    def _read(self, now: int, max_wait_s: float) -> int:
        """Read until something is to be done with it; the loop that runs for every message of every board."""
        read, clock, chunks = self._transport.read, self._clock.now_ns, self._chunks
        until = now + round(max_wait_s * 1e9)
        if self._due_at is not None:
            until = min(until, self._due_at)
        while True:
            end = min(until, self._decode_at) if chunks else until
            data = read((end - now) / 1e9 if end > now else 0.0)
            now = clock()
            if not data:
                return now
            chunks.append(data)
            self._stamp = now
            if len(data) != self._usual:  # in a steady stream, an answer shows in the size of what was read
                self._usual = len(data)
                if now < self._hurry_until:
                    self._decode_at = now
            if now >= self._decode_at or now >= until:
                return now

    def _step_closed(self, now: int, max_wait_s: float) -> bool:
        if self.state.state == "closed":
            return False
        retry = self.state.retry_ns
        if retry is not None and now < retry and not self.retry_now:
            self._idle(min(max_wait_s, (retry - now) / 1e9))
            return True
        self.retry_now = False
        try:
            self.open()
        except BridgeError as error:
            self._was_gone = self._was_gone or self._way.is_gone(error)
            reason = self.state.reason if self.state.state == "wrong" else str(error)
            self.state = self.state.again(_AWAY.get(self.state.state, "lost"), reason, now, fresh=False)
        return True

    def _decode(self) -> None:
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._decode_at = self._stamp + self._plan.gather_ns
        self._came += len(data)
        arrival = self._arrive("rx", data, self._stamp)
        self._due_at = None
        if self.session.refused:
            self._end(self.session.refused)
            self.state = self.state.again("wrong", self.session.refused, self._stamp, fresh=False)
            return
        if self.state.state == "identifying" and self._known:
            self.state = self.state.to("live", "", self._stamp)
        if not self._hinted and not self._was_gone and any(type(item) is Rebooted for item in arrival.items):
            self._hinted = True
            if self._way.is_serial and self._way.settings.dtr is not False:
                self.note("warning", hints.reset_on_open(self._way.port))

    @property
    def _known(self) -> bool:
        """Whether the board is understood."""
        return is_known(self.session.info)

    def _flush(self) -> None:
        if self._chunks:
            self._decode()

    def _ask(self, now: int) -> None:
        if self._outbox or self._transport is None:
            return
        data, later = self.session.due(now)
        self._due_at = later if later is not None else now + _ASK_NS
        if data:
            self._outbox.add(data)

    def _write(self) -> None:
        self._flush()  # what was read before comes before what is written now
        if self._transport is None:
            return
        for data, before in self._outbox.write(self._transport.write, self._clock.now_ns):
            self._arrive("tx", data, before)
            self._hurry_until = before + _ANSWER_NS
        if lost := self._outbox.give_up(self._clock.now_ns()):
            what = f"the board has taken no byte for 5 s; {lost} bytes of commands were given up"
            self.note("warning", f"{self._way.port}: {what}; check its flow control and whether it reads at all")

    def _hint(self, now: int) -> None:
        self._hinted = True
        if self._held is not None:
            self._name()
        seconds = (now - self._opened) / 1e9
        if not self._came and not self._chunks:
            sentence = hints.silent(self._way.port, seconds, self._way.is_serial)
        elif not self._known and self._way.is_serial and self._came >= _MEANINGLESS:
            sentence = hints.wrong_baud(self._way.port, self._way.settings.baud, self._came, seconds)
        else:
            return
        self.note("warning", sentence)
        self.state = LinkState(self.state.state, sentence, self.state.since_ns, None, self.state.tries)

    def _lost(self, error: TransportError) -> None:
        self._flush()
        if self._transport is None:  # the last bytes were those of a wrong board
            return
        reason, now = str(error), self._clock.now_ns()
        self._end(reason)
        self._was_gone = False
        if isinstance(error, PortEnded) or not self._plan.reconnect:
            self.state = self.state.to("closed", reason, now)
        else:
            self.state = self.state.again("lost", reason, now, fresh=self._came > 0)

    def _end(self, reason: str) -> None:
        """The connection is over: say so, and let go of the port."""
        if self._held is not None:
            self._name()
        self._arrive("close", reason.encode(), self._clock.now_ns())
        self._outbox.fail(self.role, reason)
        self._transport = None
        self._chunks.clear()
        self._way.close()

    # -- what comes out ------------------------------------------------------------------------------------------

    def _count(self) -> int:
        self._seq += 1
        return self._seq - 1

    def _arrive(self, kind: str, data: bytes, t_ns: int) -> Arrival:
        arrival = self.session.apply(Arrival(self.role, self._count(), t_ns, kind, data))
        self.books = arrival.books if arrival.books is not None else self.books
        if t_ns - self._fit_at >= _FIT_NS:
            self._fit_at = t_ns
            self.fit = self.session.clock()
        self._emit(arrival)
        return arrival

    def _emit(self, arrival: Arrival) -> None:
        if self._held is not None:
            self._held.append(arrival)
            self._held_bytes += len(arrival.data)
            if self._known or self._held_bytes > _HELD_BYTES:
                self._name()
            return
        held_ns = self._put(arrival, force=arrival.kind != "rx")  # only more bytes can wait for room
        if held_ns:
            stall = Arrival(self.role, self._count(), self._clock.now_ns(), "stall", str(held_ns).encode())
            self._put(self.session.apply(stall), force=True)

    def _name(self) -> None:
        """Give the board its role, and tell what happened until now under it, from the same bytes."""
        held, self._held = self._held or [], None
        self.role = self._plan.name(self.session.info)
        self.session = self._plan.make_session(self.role, self._plan.expect)
        for old in held:
            items = renamed(old.items, self.role) if old.kind == "note" else ()
            again = Arrival(self.role, old.seq, old.t_ns, old.kind, old.data, items)
            self._put(again if old.kind == "note" else self.session.apply(again), force=True)
