"""The conversation with one board: who it is, whether it started anew, what it answers.

`Session` takes bytes and times and gives items. State follows the bytes: what the host wrote is learnt from `sent`,
never from what `due` proposed, so that a replay of (kind, bytes, time) gives exactly the items of the live run.

A native board echoes the nonce of START. Once it has confirmed (ACK, or the nonce in HELLO or STATUS) any other nonce
means Rebooted and `boot` counts up; the same nonce after the port was opened again is a mere reconnect. Until our START
took effect, samples of a board that runs under somebody else's nonce are `unstarted` and given to nobody; a board that
sends samples under nonce 0 runs freely and is listened to. A board without a nonce has started anew when its numbers
step back by more than 64 or to 0, or its ticks by more than a tenth of a second (`inferred`).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from firmware_bridge.batch import (
    Arrival,
    BoardInfo,
    ClockReading,
    Connected,
    Damage,
    Disconnected,
    Item,
    Log,
    RateChanged,
    Rebooted,
    Reply,
    Stall,
    Status,
)  # fmt: skip
from firmware_bridge.ledger import Books, Ledger
from firmware_bridge.timebase import ClockFit
from firmware_bridge.wire.dialect import Answer, Damaged, Described, Dialect, Heard, Samples, Text
from firmware_bridge.wire.follow import Follower
from firmware_bridge.wire.messages import STATUS_ROW, Flag, Kind, Message
from firmware_bridge.wire.schedule import Facts, Schedule
from firmware_bridge.wire.times import Clockwork, Times

__all__ = ["Session"]

_GIVE_UP_START_NS = 5_000_000_000
"""After so long without an answer to START a board is taken for one that only talks."""
_PINGS = 256
_REASONS = {1: "unknown", 2: "bad checksum", 3: "bad argument", 4: "busy", 5: "no room", 6: "out of order"}


class Session:
    """A conversation with one board, over any number of connections.

    Args:
        board: Role.
        dialect: How it talks.
        nonce: For START; the run of boot k gets `nonce + k`.
        timebase: Makes a timebase for a tick rate; None: `timebase.Timebase`.
        expect: Judges an identity: one sentence where it is the wrong board, else None.

    Attributes:
        info: Who it is, as known now; None until it said so.
        refused: Why nothing of this board is used, one sentence; empty while all is well.
        nonce: As given.
        heard_ns: When bytes last came.
    """

    def __init__(
        self,
        board: str,
        dialect: Dialect,
        *,
        nonce: int,
        timebase: Callable[[float | None], Clockwork] | None = None,
        expect: Callable[[BoardInfo], str | None] | None = None,
    ) -> None:
        self.board, self.dialect, self.nonce = board, dialect, nonce & 0xFFFFFFFF
        self.info: BoardInfo | None = None
        self.refused = ""
        self.heard_ns = 0
        self._expect = expect
        self._ledger = Ledger()
        self._times = Times(timebase)
        self._follow = Follower(board, self._ledger, self._times)
        self._schedule = Schedule()
        self._connected = self._talks_nonce = self._confirmed = self._foreign = self._deaf = self._renumber = False
        self._asked: tuple[int, int] | None = None
        self._confirmed_nonce = 0
        self._pings: dict[int, int] = {}

    @property
    def boot(self) -> int:
        """How often the board has started anew since the session began."""
        return self._follow.boot

    def books(self) -> Books:
        """Return a frozen copy of the ledger."""
        return self._ledger.freeze(self.dialect.books, self.dialect.pending, getattr(self.dialect, "frames_lost", None))

    def clock(self) -> ClockFit | None:
        """Return what is known of the board's clock when bytes last came; None while too little is."""
        return self._times.fit(self.heard_ns)

    # ------------------------------------------------------------------ what happens to a connection

    def apply(self, arrival: Arrival) -> Arrival:
        """Return an arrival with what it means: `items` and `books` filled in, live or in a replay."""
        kind, data, now = arrival.kind, arrival.data, arrival.t_ns
        if kind == "rx":
            items = self.received(data, now)
        elif kind == "tx":
            items = self.sent(data, now)
        elif kind == "open":
            items = self.opened(data.decode("utf-8", "replace"), now)
        elif kind == "close":
            items = self.closed(data.decode("utf-8", "replace"), now)
        elif kind == "stall":
            items = self.stalled(int(data) if data.isdigit() else 0, now)
        else:
            return arrival
        return Arrival(arrival.board, arrival.seq, now, kind, data, tuple(items), self.books())

    def opened(self, port: str, now: int) -> list[Item]:
        """A connection exists; a dialect that still holds bytes of the one before gives them up."""
        items = self._begin()
        self._hear_all(self.dialect.end(now), now)
        self._connected = False
        self.refused = ""  # another board may be there now
        self._follow.broken("disconnected")
        self._schedule.restart(now)
        self.heard_ns = now
        return items

    def closed(self, reason: str, now: int) -> list[Item]:
        """The connection is gone."""
        items = self._begin()
        self._hear_all(self.dialect.end(now), now)
        self._follow.tails(now)
        self._connected = False
        self._pings.clear()
        items.append(Disconnected(self.board, now, reason))
        return items

    def stalled(self, stalled_ns: int, now: int) -> list[Item]:
        """The host had not read for a while because its queue was full."""
        self._follow.broken("stalled")
        return [Stall(self.board, now, stalled_ns)]

    def received(self, data: bytes, now: int) -> list[Item]:
        """Take bytes that arrived at `now` (UTC ns) and return what they mean."""
        items = self._begin()
        self._ledger.bytes_received += len(data)
        self.heard_ns = now
        self._hear_all(self.dialect.feed(data, now), now)
        self._follow.flush()
        return items

    def sent(self, data: bytes, now: int) -> list[Item]:
        """Take bytes that the host wrote, `now` being just before they were written."""
        read = getattr(self.dialect, "sent", None)
        for message in read(data) if read is not None else ():
            if message.kind == Kind.PING:
                self._pings[message.token] = now
                if len(self._pings) > _PINGS:
                    del self._pings[next(iter(self._pings))]
            elif message.kind == Kind.START and (self._asked is None or self._asked[0] != message.nonce):
                self._asked = (message.nonce, now)
        return []

    def due(self, now: int) -> tuple[bytes, int | None]:
        """Return what to write now (live only) and when to ask again (ns; None: after the next bytes)."""
        if not self.dialect.talks or self.refused:
            return b"", None
        facts = Facts(
            identified=self._connected and self._talks_nonce,
            wants_start=not self._confirmed and not self._deaf,
            heard_ns=self.heard_ns,
            has_clock=self.info is not None and any(stream.tick_hz for stream in self.info.streams),
            waiting=self._follow.waiting,
            nonce=(self.nonce + self.boot) & 0xFFFFFFFF or 1,
        )
        messages, later = self._schedule.due(now, facts)
        return b"".join(self.dialect.send(message) for message in messages), later

    # ------------------------------------------------------------------ what was heard

    def _begin(self) -> list[Item]:
        items: list[Item] = []
        self._follow.out = items
        return items

    def _hear_all(self, all_heard: Any, now: int) -> None:
        for heard in all_heard:
            self._hear(heard, now)

    def _hear(self, heard: Heard, now: int) -> None:
        out = self._follow.out
        if isinstance(heard, Samples):
            self._samples(heard, now)
        elif isinstance(heard, Damaged):
            if heard.kind != "idle":  # a lone zero between frames is allowed
                out.append(Damage(self.board, now, heard.kind, heard.count))
        elif isinstance(heard, Text):
            out.append(Log(self.board, now, heard.level, heard.text))
            self.refused = getattr(self.dialect, "refused", "") or self.refused
        elif isinstance(heard, Described):
            self._described(heard, now)
        else:
            self._answer(heard, now)

    def _samples(self, samples: Samples, now: int) -> None:
        if not len(samples.raw):
            return
        if not self._connected and not self.refused and self.info is not None:
            self._announce(self.info, now)  # a dialect that says who it is only once
        if self._foreign and self._asked is not None and self._asked[1] + _GIVE_UP_START_NS < now:
            self._foreign, self._deaf = False, True
        if self.refused or (self._foreign and not self._starts_here(samples, now)):
            self._follow.unstarted(samples)
            return
        before = None if self.info is None else samples.stream
        restarts = not self._talks_nonce or self._renumber
        restart = self._follow.take(samples, now, restarts)
        self._renumber = False
        if before is not None:
            self._note_rate(samples)
        if restart is not None:
            self._rebooted(now, inferred=not self._talks_nonce)
            self._samples(_from(samples, restart), now)

    def _starts_here(self, samples: Samples, now: int) -> bool:
        """Whether these samples are the first of our run, whose ACK was lost."""
        if self._asked is None or samples.number is None or not bool((samples.number == 0).any()):
            return False
        self._confirm(now)
        return True

    def _note_rate(self, samples: Samples) -> None:
        """Keep the rates in `info` as they are."""
        assert self.info is not None
        if any(isinstance(item, RateChanged) for item in self._follow.out):
            name = samples.stream.name
            streams = tuple(samples.stream if each.name == name else each for each in self.info.streams)
            self.info = replace(self.info, streams=streams)

    def _described(self, heard: Described, now: int) -> None:
        if self._expect is not None and (wrong := self._expect(heard.info)):
            self.refused = wrong
            self._follow.out.append(Log(self.board, now, "error", wrong))
            return
        self.refused = ""
        nonce = heard.nonce
        self._talks_nonce = nonce is not None
        if nonce is not None:
            self._nonce_is(nonce, now)
            if not self._confirmed and not self._deaf:
                self._foreign = nonce not in (0, self._asked[0] if self._asked else 0)
        if not self._connected or heard.info != self.info:
            self._announce(heard.info, now)

    def _announce(self, info: BoardInfo, now: int) -> None:
        self.info = info
        self._connected = True
        self._follow.out.append(Connected(self.board, now, info, self.boot))

    def _nonce_is(self, nonce: int, now: int) -> None:
        """HELLO or STATUS says under which nonce the board runs."""
        asked = self._asked[0] if self._asked is not None else None
        if self._confirmed:
            if nonce != self._confirmed_nonce and nonce != asked:
                self._rebooted(now, inferred=False)
            elif nonce != self._confirmed_nonce:
                self._confirm(now)
        elif nonce and nonce == asked:
            self._confirm(now)
            self._follow.head(now)

    def _confirm(self, now: int) -> None:
        """The board runs under the nonce of our latest START."""
        if self._asked is None:
            return
        nonce = self._asked[0]
        if self._confirmed and nonce != self._confirmed_nonce:
            self._rebooted(now, inferred=False)  # the host itself asked for numbers from 0
            self._asked = (nonce, now)
        if not self._confirmed:
            self._renumber = self._follow.delivered_any
            self._follow.from_zero = True
        self._confirmed, self._confirmed_nonce, self._foreign, self._deaf = True, nonce, False, False

    def _rebooted(self, now: int, *, inferred: bool) -> None:
        self._follow.begin_boot(now)
        self._confirmed = self._foreign = self._renumber = False
        self._asked = None
        self._pings.clear()
        self._follow.out.append(Rebooted(self.board, now, self.boot, inferred))

    def _answer(self, heard: Answer, now: int) -> None:
        message, out = heard.message, self._follow.out
        kind = message.kind
        if kind == Kind.PONG:
            self._pong(message, now)
        elif kind == Kind.STATUS:
            self._status(message, now)
        elif kind in (Kind.ACK, Kind.NAK, Kind.CREDIT, Kind.RESULT):
            if kind == Kind.ACK and message.of == Kind.START:
                self._confirm(now)
            elif kind == Kind.NAK:
                if message.of == Kind.START:
                    self._deaf, self._foreign = True, False
                said = message.tail.decode("utf-8", "replace") or _REASONS.get(message.reason, "no reason")
                out.append(Log(self.board, now, "warning", f"the board refused {_name(message.of)}: {said}"))
            out.append(Reply(self.board, now, kind.name, message.fields, message.tail))

    def _pong(self, message: Message, now: int) -> None:
        sent_ns = self._pings.pop(message.token, None)
        hz = next((stream.tick_hz for stream in self.info.streams if stream.tick_hz), None) if self.info else None
        if sent_ns is None or not hz:
            return
        bits = 64 if message.flags & Flag.TICK64 else 32
        inside = round(((message.tick_sent - message.tick_received) % 2**bits) / hz * 1e9)
        received_ns = max(sent_ns, now - inside) if inside < now - sent_ns else now
        tick = self._times.exchange(hz, sent_ns, message.tick_received, bits, received_ns)
        self._follow.out.append(ClockReading(self.board, now, sent_ns, tick, received_ns))

    def _status(self, message: Message, now: int) -> None:
        self._nonce_is(message.nonce, now)
        names = dict(enumerate(stream.name for stream in self.info.streams)) if self.info is not None else {}
        names = getattr(self.dialect, "stream_names", names)
        fields: dict[str, Any] = {key: message.fields[key] for key in ("nonce", "tick", "refused")}
        rows: dict[str, dict[str, int]] = {}
        for at in range(0, len(message.tail) - STATUS_ROW.size + 1, STATUS_ROW.size):
            stream, produced, dropped, starved, credit, consumed = STATUS_ROW.unpack_from(message.tail, at)
            name = names.get(stream, str(stream))
            rows[name] = {
                "produced": produced, "dropped": dropped, "starved": starved, "credit": credit, "consumed": consumed,
            }  # fmt: skip
            if self._confirmed and message.nonce == self._confirmed_nonce:
                self._follow.status(name, produced, dropped)
        fields["streams"] = rows
        self._follow.out.append(Status(self.board, now, fields))


def _name(kind: int) -> str:
    return Kind(kind).name if kind in Kind._value2member_map_ else f"command 0x{kind:02x}"


def _from(samples: Samples, start: int) -> Samples:
    """Return the samples from `start` on."""
    cut = {
        name: value[start:]
        for name in ("raw", "number", "ticks", "valid", "arrived")
        if (value := getattr(samples, name)) is not None
    }
    return replace(samples, **cut)
