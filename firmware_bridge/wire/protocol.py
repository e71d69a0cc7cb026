"""The conversation with one board: who it is, whether it started anew, what it answers.

`Session` takes bytes and times and gives items. State follows the bytes: what the host wrote is learnt from `sent`,
never from what `due` proposed, so that a replay of (kind, bytes, time) gives exactly the items of the live run.

Boots are told by the nonce of START (see `boots`). Samples of a board that runs for an earlier host are `unstarted` and
given to nobody until our START took effect; a board that sends samples under nonce 0 runs freely and is listened to. A
board without a nonce has started anew when its numbers step back by more than 64 or to 0, or its ticks by more than a
tenth of a second (`inferred`).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from firmware_bridge.events import (  # isort: skip
    Arrival, Connected, Damage, Disconnected, Item, Log, RateChanged, Rebooted, Stall,
)  # fmt: skip
from firmware_bridge.ledger import Books, Ledger
from firmware_bridge.streams import BoardInfo
from firmware_bridge.timebase import ClockFit
from firmware_bridge.wire.answers import Answers
from firmware_bridge.wire.boots import Boots, Verdict
from firmware_bridge.wire.dialect import Answer, Damaged, Described, Dialect, Heard, Samples, Text
from firmware_bridge.wire.follow import Follower, part_of
from firmware_bridge.wire.identity import Identity
from firmware_bridge.wire.inject import start_mask
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.pings import Pings
from firmware_bridge.wire.schedule import Facts, Schedule
from firmware_bridge.wire.times import Clockwork, Times
from firmware_bridge.wire.together import Together, look_together
from firmware_bridge.wire.traffic import Traffic

__all__ = ["Session"]


class Session:
    """A conversation with one board, over any number of connections.

    Args:
        board: Role.
        dialect: How it talks.
        nonce: For START; the run of boot k gets `nonce + k`.
        timebase: Makes a timebase for a tick rate; None: `timebase.Timebase`.
        expect: Judges an identity: one sentence where it is the wrong board, else None.
        injected: Names the stream of a board that is to take its samples from the host; empty: none. Live only.

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
        injected: Callable[[BoardInfo], str] | None = None,
    ) -> None:
        self.board, self.dialect, self.nonce = board, dialect, nonce & 0xFFFFFFFF
        self.info: BoardInfo | None = None
        self.refused = ""
        self.heard_ns = 0
        self._identity, self._injected = Identity(expect), injected
        self._ledger, self._times = Ledger(), Times(timebase)
        self._follow = Follower(board, self._ledger, self._times)
        self._schedule, self._boots, self._pings = Schedule(), Boots(), Pings()
        self._answers = Answers(board, self._boots, self._pings, self._times, self._follow, self._ledger)
        self._connected = self._renumber = False

    @property
    def boot(self) -> int:
        """How often the board has started anew since the session began."""
        return self._follow.boot

    @property
    def _spoken(self) -> Dialect:
        """The dialect in charge: a detecting one has chosen another."""
        chosen: Dialect = getattr(self.dialect, "chosen", self.dialect)
        return chosen

    @property
    def _tick_hz(self) -> float | None:
        return next((stream.tick_hz for stream in self.info.streams if stream.tick_hz), None) if self.info else None

    def books(self) -> Books:
        """Return a frozen copy of the ledger."""
        return self._ledger.freeze(self.dialect.books, self.dialect.pending, getattr(self._spoken, "frames_lost", None))

    def clock(self) -> ClockFit | None:
        """Return what is known of the board's clock when bytes last came; None while too little is."""
        return self._times.fit(self.heard_ns)

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
        elif kind == "begin":
            items = self.begun()
        else:
            return arrival
        return Arrival(arrival.board, arrival.seq, now, kind, data, tuple(items), self.books())

    def opened(self, port: str, now: int) -> list[Item]:
        """A connection exists; a dialect that still holds bytes of the one before gives them up."""
        items = self._begin()
        for heard in self.dialect.end(now):
            self._hear(heard, now)
        self._connected, self.refused = False, ""  # another board may be there now
        self._identity.opened(port)
        self._follow.broken("disconnected")
        self._schedule.restart(now)
        self.heard_ns = now
        return items

    def closed(self, reason: str, now: int) -> list[Item]:
        """The connection is gone."""
        items = self._begin()
        for heard in self.dialect.end(now):
            self._hear(heard, now)
        self._follow.tails(now)
        self._connected = False
        self._pings.clear()
        items.append(Disconnected(self.board, now, reason))
        return items

    def stalled(self, stalled_ns: int, now: int) -> list[Item]:
        """The host had not read for a while because its queue was full."""
        self._follow.broken("stalled")
        return [Stall(self.board, now, stalled_ns)]

    def begun(self) -> list[Item]:
        """A recording begins here, in the middle of a run: what came before is known and not missing from it."""
        items = self._begin()
        self._follow.join()
        self._answers.join()
        self._pings.clear()
        return items

    def received(self, data: bytes, now: int) -> list[Item]:
        """Take bytes that arrived at `now` (UTC ns) and return what they mean."""
        items = self._begin()
        self._ledger.bytes_received += len(data)
        self.heard_ns = now
        for heard in self.dialect.feed(data, now):
            self._hear(heard, now)
        self._follow.flush()
        return items

    def together(self, traffic: Traffic) -> Together | None:
        """Take reads and writes that follow each other at once, where all is plain; else take nothing (None).

        What comes out is what one after another would give, but for the batches: a stream has one.
        """
        if not self._connected or self._renumber or self.refused or not self._pings.fits(int((~traffic.read).sum())):
            return None
        looked = look_together(traffic, self.dialect, self._follow, self._times, self._boots, self._tick_hz)
        if looked is None:
            return None
        items = self._begin()
        self._ledger.bytes_received += len(looked.plain.data)
        written = looked.written(self._commands)
        self._times.foresee(self._tick_hz, self._pings.coming(written, looked.answers()))
        came_ns = looked.take(self._hear, self._wrote, written)
        self.heard_ns = looked.last_ns
        self._follow.flush()
        return Together(tuple(items), came_ns, self.books())

    def sent(self, data: bytes, now: int) -> list[Item]:
        """Take bytes that the host wrote, `now` being just before they were written."""
        for message in self._commands(data):
            self._wrote(message, now)
        return []

    def _commands(self, data: bytes) -> Sequence[Message]:
        read: Callable[[bytes], Sequence[Message]] | None = getattr(self.dialect, "sent", None)
        return () if read is None else read(data)

    def _wrote(self, message: Message, now: int) -> None:
        if message.kind == Kind.PING:
            self._pings.wrote(message.token, now)
        elif message.kind == Kind.START:
            self._boots.asked(message.nonce, now)

    def due(self, now: int) -> tuple[bytes, int | None]:
        """Return what to write now (live only) and when to ask again (ns; None: after the next bytes)."""
        if not self.dialect.talks or self.refused:
            return b"", None
        facts = Facts(
            identified=self._connected and self._boots.native, wants_start=self._boots.wants_start,
            heard_ns=self.heard_ns, waiting=self._follow.waiting, nonce=(self.nonce + self.boot) & 0xFFFFFFFF or 1,
            has_clock=self._tick_hz is not None,
            injected=start_mask(self._injected, self.info, self.dialect),
        )  # fmt: skip
        messages, later = self._schedule.due(now, facts)
        return b"".join(self.dialect.send(message) for message in messages), later

    def _begin(self) -> list[Item]:
        items: list[Item] = []
        self._follow.out = items
        return items

    def _hear(self, heard: Heard, now: int) -> None:
        out = self._follow.out
        if isinstance(heard, Samples):
            self._samples(heard, now)
        elif isinstance(heard, Damaged):
            if heard.kind != "idle":  # a lone zero between frames is allowed
                out.append(Damage(self.board, now, heard.kind, heard.count))
        elif isinstance(heard, Text):
            out.append(Log(self.board, now, heard.level, heard.text))
            self.refused = getattr(self._spoken, "refused", "") or self.refused
        elif isinstance(heard, Described):
            self._described(heard, now)
        else:
            self._answer(heard, now)

    def _samples(self, samples: Samples, now: int) -> None:
        if not len(samples.raw):
            return
        if not self._connected and not self.refused and self.info is not None:
            self._announce(self.info, now)  # a dialect that says who it is only once
        self._boots.wait(now)
        if self._boots.foreign and samples.number is not None and bool((begins := samples.number == 0).any()):
            first = int(begins.argmax())
            if first:
                self._follow.unstarted(part_of(samples, slice(0, first)))
                samples = part_of(samples, slice(first, None))
            self._react(self._boots.first_came(), now)
        if self.refused or self._boots.foreign:
            self._follow.unstarted(samples)
            return
        native, renumbered, self._renumber = self._boots.native, self._renumber, False
        restart = self._follow.take(samples, now, restarts=not native or renumbered)
        self._note_rate(samples)
        if restart is not None:
            # A board that ran freely has taken our START: a new run, and a confirmed one.
            self._react(Verdict.RENUMBERED, now) if renumbered else self._rebooted(now, inferred=not native)
            self._samples(part_of(samples, slice(restart, None)), now)

    def _note_rate(self, samples: Samples) -> None:
        """Keep the rates in `info` as they are."""
        if self.info is not None and any(isinstance(item, RateChanged) for item in self._follow.out):
            now = samples.stream
            streams = tuple(now if each.name == now.name else each for each in self.info.streams)
            self.info = replace(self.info, streams=streams)

    def _described(self, heard: Described, now: int) -> None:
        self.refused = self._identity.judge(heard.info)
        if self.refused:
            self._follow.out.append(Log(self.board, now, "error", self.refused))
            return
        self._react(self._boots.hello(heard.nonce), now)
        if not self._connected or heard.info != self.info:
            self._announce(heard.info, now)

    def _announce(self, info: BoardInfo, now: int) -> None:
        self.info = info
        self._connected = True
        self._follow.out.append(Connected(self.board, now, info, self.boot))

    def _react(self, verdict: Verdict, now: int) -> None:
        """Draw the consequences of what a nonce or an answer told."""
        if verdict is Verdict.REBOOTED:
            self._rebooted(now, inferred=False)
        elif verdict is Verdict.RENUMBERED:  # the host itself asked for numbers from 0
            self._new_boot(now, inferred=False)
            self._follow.from_zero = True
        elif verdict is Verdict.STARTED:
            self._renumber = self._follow.delivered_any
            self._follow.from_zero = True
        elif verdict is Verdict.CONFIRMED:
            self._follow.head(now)

    def _rebooted(self, now: int, *, inferred: bool) -> None:
        self._boots.anew()
        self._new_boot(now, inferred=inferred)

    def _new_boot(self, now: int, *, inferred: bool) -> None:
        self._follow.begin_boot(now)
        self._renumber = False
        self._pings.clear()
        self._follow.out.append(Rebooted(self.board, now, self.boot, inferred))

    def _answer(self, heard: Answer, now: int) -> None:
        self._react(self._answers.verdict(heard.message), now)
        names = getattr(self._spoken, "stream_names", {})
        self._follow.out += self._answers.take(heard.message, names, self._tick_hz, now)
