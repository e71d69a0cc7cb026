"""A board that speaks the native protocol: hello, start, stop, rates, pings, status, injection, reset, models.

`NativeBoard` is the conversation; what its streams read is the sensors' affair. Rules worth knowing:

- HELLO (nonce 0) is said at power-up and after a reset, and again to every IDENTIFY.
- Sample numbers begin at 0 with a START whose nonce is new; the nonce that runs already changes nothing; after a STOP
  the same nonce goes on with the next number.
- Injected sample i becomes sample number i. The clock of an injected stream starts with the first INJECT.
- A frame that does not fit into the TX buffer is dropped whole and counted in STATUS; its sample numbers are never used
  again, so that the host sees the exact gap.
"""

from collections import deque
from collections.abc import Sequence

from firmware_bridge.faults.samples import SampleFaults
from firmware_bridge.streams import BoardInfo
from firmware_bridge.virtual.board import NEVER, BoardClock
from firmware_bridge.virtual.commands import CommandReader, Heard
from firmware_bridge.virtual.damage import damaged
from firmware_bridge.virtual.engine import COMMANDS, LIMITS, Engine
from firmware_bridge.virtual.sampling import Chunk, Sensor
from firmware_bridge.virtual.settings import Identity, Notes, Settings
from firmware_bridge.virtual.streams import Plan, Streams
from firmware_bridge.virtual.uplink import Delay, Uplink
from firmware_bridge.wire.description import describe
from firmware_bridge.wire.encode import Encoder
from firmware_bridge.wire.messages import VERSION, Kind, Message

__all__ = ["NativeBoard"]

_UNKNOWN, _BAD_CHECKSUM, _BAD_ARGUMENT, _NO_ROOM, _OUT_OF_ORDER = 1, 2, 3, 5, 6
_MASK = 0xFFFFFFFF


class NativeBoard:
    """A virtual board; see the module's rules.

    Args:
        identity: Who it is.
        sensors: One a stream, in the order of the wire's stream numbers.
        settings: How it behaves.
        notes: Lines to log at sample numbers.
        plans: When each stream samples; None, or nothing at all: at its rate.
    """

    hz = 1_000_000

    def __init__(
        self, identity: Identity, sensors: Sequence[Sensor], settings: Settings | None = None,
        notes: Notes | None = None, plans: Sequence[Plan | None] = (),
    ) -> None:  # fmt: skip
        self.identity = identity
        self.settings = settings = settings or Settings()
        self._notes = notes
        self._streams = Streams(sensors, settings, self.hz, plans)
        self._feeds = self._streams.feeds
        self._engine = Engine()
        self._writer = Encoder(settings.crc_bits, settings.max_frame)
        self._delay = Delay(settings.seed, "host to board", settings.delay_us)
        self._uplink = Uplink(settings)
        self._inbound: deque[tuple[int, bytes]] = deque()
        self._clock: BoardClock | None = None
        self.faults: SampleFaults | None = None
        """What is wrong with its sensors and its clock."""

    # ------------------------------------------------------------------ what a carrier calls

    def receive(self, data: bytes, now_ns: int) -> None:
        """Take bytes of the host that arrive at `now_ns`."""
        self._advance(now_ns)
        if data:
            last = self._inbound[-1][0] if self._inbound else 0
            self._inbound.append((max(last, now_ns + self._delay()), data))
            self._advance(now_ns)

    def poll(self, now_ns: int) -> bytes:
        """Return the bytes that have left the board up to `now_ns`."""
        self._advance(now_ns)
        return self._uplink.fetch(now_ns)

    def next_due_ns(self) -> int:
        """Return when something will be due."""
        if self._clock is None:
            return 0
        return min(self._uplink.next_ns(), self._next_event()[0])

    # ------------------------------------------------------------------ time

    def _boot(self, at_ns: int, on_its_way: bool = False) -> None:
        """Start anew; what is on its way to the host gets there or not."""
        self._clock = BoardClock(at_ns, self.settings.start_tick, self.settings.ppm, self.hz)
        self._commands = CommandReader(self.settings.crc_bits, self.settings.max_frame)
        self._writer.seq = 0
        if not on_its_way:
            self._uplink.clear()
        self._nonce = 0
        self._awake_ns = at_ns + round(self.settings.boot_ms * 1e6)
        self._greeted = False
        self._streams.reset()
        self._engine.reset()

    def _next_event(self) -> tuple[int, int]:
        """Return (when, which): which is a stream, or -1 for a command, or -2 for the greeting after a reboot."""
        if not self._greeted:
            return self._awake_ns, -2
        when = self._inbound[0][0] if self._inbound else NEVER
        which = -1
        for index, due in enumerate(self._streams.due):
            if due <= when:  # samples taken before a command was heard leave before its answer
                when, which = due, index
        return when, which

    def _advance(self, now_ns: int) -> None:
        if self._clock is None:
            self._boot(now_ns)
        while True:
            when, which = self._next_event()
            if when > now_ns:
                return
            if which >= 0:
                self._emit(which, when, now_ns)
            elif which == -1:
                _, data = self._inbound.popleft()
                for heard in self._commands.feed(data):
                    self._command(heard, when)
                    if not self._greeted:
                        break  # that was a reset: nobody heard the rest
            else:
                self._greeted = True
                while self._inbound and self._inbound[0][0] < self._awake_ns:
                    self._inbound.popleft()  # nobody listened while it booted
                self._hello(when)

    def _schedule(self, index: int) -> None:
        assert self._clock is not None
        self._streams.schedule(index, self._clock)

    def _tick(self, at_ns: int) -> int:
        assert self._clock is not None
        return self._clock.tick(at_ns)

    # ------------------------------------------------------------------ samples

    def _emit(self, index: int, at_ns: int, now_ns: int, group: int | None = None) -> None:
        feed = self._feeds[index]
        chunk, restarts = feed.take(self._tick(at_ns), group), False
        if chunk is not None:
            if not feed.injecting:  # what it knows of its own readings is not true of the host's
                self._log_notes(index, chunk, at_ns)
            pieces = [chunk]
            if self.faults:
                pieces, restarts = damaged(self.faults, self._streams.described()[index], chunk, at_ns)
            for piece in pieces:
                flags, payload = self._streams.payload(index, piece, uneven=bool(self.faults))
                if not self._uplink.queue(self._writer.payload(Kind.SAMPLES, flags, payload), at_ns):
                    feed.dropped += len(piece.raw)
                    feed.skip(self._tick(now_ns))
                for result in self._engine.sampled(index, piece.number, piece.raw):
                    if not self._uplink.queue(self._writer.encode(self._stamped(result, at_ns)), at_ns):
                        self._engine.unsent()
            if feed.owes_credit:
                self._credit(index, at_ns)
        if restarts:
            self._boot(at_ns, on_its_way=True)
        else:
            self._schedule(index)

    def _log_notes(self, index: int, chunk: Chunk, at_ns: int) -> None:
        for number, text in self._notes(index, chunk.number, chunk.number + len(chunk.raw)) if self._notes else ():
            tick = int(chunk.ticks[number - chunk.number])
            self._send(Message(Kind.LOG, {"level": 1, "tick": tick & _MASK}, text.encode()), at_ns)

    # ------------------------------------------------------------------ conversation

    def _command(self, heard: Heard, at_ns: int) -> None:
        kind, seq, message = heard.kind, heard.seq, heard.message
        if message is not None and kind in COMMANDS:
            for said in self._engine.obey(heard, self._streams.described()):
                self._send(self._stamped(said, at_ns), at_ns)
            return
        answer = {
            Kind.IDENTIFY: self._identify, Kind.START: self._start, Kind.STOP: self._stop, Kind.RESET: self._reset,
            Kind.SET_RATE: self._set_rate, Kind.PING: self._ping, Kind.GET_STATUS: self._status,
            Kind.INJECT: self._inject,
        }.get(kind) if message is not None else None  # type: ignore[call-overload]  # fmt: skip
        if answer is None:
            self._nak(kind, seq, _UNKNOWN, 0, f"this board does not know command 0x{kind:02x}", at_ns)
        else:
            answer(message, seq, at_ns)

    def _identify(self, message: Message, seq: int, at_ns: int) -> None:
        self._hello(at_ns)

    def _hello(self, at_ns: int) -> None:
        who = self.identity
        limits, held = {"tx_buffer": self.settings.tx_buffer, "inject_room": self.settings.room}, self._engine.described
        extra = {"limits": {**limits, **(LIMITS if held else {})}, "virtual": True, **who.extra, **held}
        info = BoardInfo(who.model, who.serial, who.firmware, self._streams.described(), "native", extra=extra)
        fields = {
            "version": VERSION, "crc_bits": self.settings.crc_bits, "max_frame": self.settings.max_frame,
            "tick_hz": self.hz, "nonce": self._nonce,
        }  # fmt: skip
        self._send(Message(Kind.HELLO, fields, describe(info)), at_ns)

    def _start(self, message: Message, seq: int, at_ns: int) -> None:
        mask = message.streams or (1 << len(self._feeds)) - 1
        if mask >> len(self._feeds) or not message.nonce:
            self._nak(Kind.START, seq, _BAD_ARGUMENT, len(self._feeds), "no such stream, or nonce 0", at_ns)
            return
        anew = message.nonce != self._nonce
        self._nonce = message.nonce
        self._ack(Kind.START, seq, at_ns)
        if anew:
            self._engine.begin()
        for index, feed in enumerate(self._feeds):
            wanted = bool(mask >> index & 1)
            if anew:
                feed.begin(injecting=wanted and bool(message.injected >> index & 1))
            if wanted and feed.injecting and not feed.accepted:
                self._credit(index, at_ns)
            elif wanted and feed.timeline is None:
                self._streams.run(index, self._tick(at_ns))
            self._schedule(index)

    def _stop(self, message: Message, seq: int, at_ns: int) -> None:
        for index, feed in enumerate(self._feeds):
            self._flush(index, at_ns)
            feed.timeline = None
            self._schedule(index)
        self._ack(Kind.STOP, seq, at_ns)

    def _flush(self, index: int, at_ns: int) -> None:
        """Send what has been sampled of a frame that is not full."""
        feed = self._feeds[index]
        if feed.timeline is not None and (n := feed.timeline.due(self._tick(at_ns)) - feed.at) > 0:
            self._emit(index, at_ns, at_ns, group=n)

    def _set_rate(self, message: Message, seq: int, at_ns: int) -> None:
        index, rate = message.stream, message.rate_mhz
        if index >= len(self._feeds) or not 1 <= rate <= self.hz * 100 or not self._streams.adjustable(index):
            self._nak(Kind.SET_RATE, seq, _BAD_ARGUMENT, 0, "no such stream or no such rate", at_ns)
            return
        self._flush(index, at_ns)
        self._streams.rates_mhz[index] = rate
        if self._feeds[index].timeline is not None:
            self._streams.run(index, self._tick(at_ns))
            self._schedule(index)
        self._ack(Kind.SET_RATE, seq, at_ns)

    def _ping(self, message: Message, seq: int, at_ns: int) -> None:
        tick = self._tick(at_ns) & _MASK
        if self.faults:
            shown = self.faults.shown(tick, self.hz)
            if shown is None:
                return  # its counter is to wrap some time after a first sample that was not taken yet
            tick = shown & _MASK
        self._send(Message(Kind.PONG, {"token": message.token, "tick_received": tick, "tick_sent": tick}), at_ns)

    def _status(self, message: Message, seq: int, at_ns: int) -> None:
        fields = {"nonce": self._nonce, "tick": self._tick(at_ns) & _MASK, "refused": self._commands.refused & _MASK}
        self._send(Message(Kind.STATUS, fields, self._streams.status() + self._engine.counts()), at_ns)

    def _inject(self, message: Message, seq: int, at_ns: int) -> None:
        index = message.stream
        raw = self._streams.injected(index, message.n, message.tail)
        if isinstance(raw, str):
            self._nak(Kind.INJECT, seq, _BAD_ARGUMENT, 0, raw, at_ns)
            return
        feed = self._feeds[index]
        if feed.inject(message.first, raw):
            if feed.timeline is None:
                self._streams.run(index, self._tick(at_ns))
                self._schedule(index)
        else:
            reason = _OUT_OF_ORDER if message.first > feed.accepted else _NO_ROOM
            self._nak(Kind.INJECT, seq, reason, feed.accepted, "", at_ns)

    def _credit(self, index: int, at_ns: int) -> None:
        total = self._feeds[index].announce()
        self._send(Message(Kind.CREDIT, {"stream": index, "total": total & _MASK}), at_ns)

    def _reset(self, message: Message, seq: int, at_ns: int) -> None:
        self._boot(at_ns)

    # ------------------------------------------------------------------ the way out

    def _ack(self, kind: int, seq: int, at_ns: int) -> None:
        self._send(Message(Kind.ACK, {"of": kind, "of_seq": seq}), at_ns)

    def _nak(self, kind: int, seq: int, reason: int, detail: int, text: str, at_ns: int) -> None:
        fields = {"of": kind, "of_seq": seq, "reason": reason, "detail": detail}
        self._send(Message(Kind.NAK, fields, text.encode()), at_ns)

    def _stamped(self, message: Message, at_ns: int) -> Message:
        """Return a RESULT with the tick at which it was ready; anything else as it is."""
        if message.kind != Kind.RESULT:
            return message
        return Message(message.kind, {**message.fields, "tick": self._tick(at_ns) & _MASK}, message.tail)

    def _send(self, message: Message, at_ns: int) -> None:
        self._uplink.queue(self._writer.encode(message), at_ns, reserve=4096)
