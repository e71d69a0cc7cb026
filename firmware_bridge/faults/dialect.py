"""The dialect `faulty`: any dialect, with sensor and clock faults on what it hears.

It stands between a dialect and the session, so that numbering, clock fit, models and checks see damaged readings and
times while the recorded bytes stay what the board sent. Its `DialectSpec` carries the schedule and the dialect inside;
recordings keep that spec, so replay and `verify` apply the same faults to the same samples again.

A restart (`clock.reboot`) is played with what was heard: the board says who it is under nonce 0 (under none where
nobody has started it since the last one), and its numbers and ticks begin at 0, until it really starts anew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from firmware_bridge.faults.samples import SampleFaults
from firmware_bridge.faults.schedule import Schedule
from firmware_bridge.wire.dialect import API_VERSION, Answer, Described, Dialect, DialectSpec, Heard, Samples
from firmware_bridge.wire.follow import part_of
from firmware_bridge.wire.messages import Flag, Kind, Message

__all__ = ["NAME", "FaultyDialect", "faulty", "plain"]

NAME = "faulty"
_FULL64 = np.uint64(0xFFFFFFFFFFFFFFFF)


def faulty(spec: DialectSpec, schedule: Schedule, board: str) -> DialectSpec:
    """Return the spec of a dialect with the sensor and clock faults of a schedule; `spec` itself where there are none.

    Args:
        spec: How the board talks.
        schedule: What goes wrong, at any level.
        board: Its role.
    """
    kept = schedule.of(board, ("sensor", "clock"))
    if not kept:
        return spec
    inside = {"name": spec.name, "arguments": dict(spec.arguments)}
    return DialectSpec(NAME, {"inside": inside, "schedule": kept.as_dict(), "board": board})


def plain(spec: DialectSpec) -> DialectSpec:
    """Return the spec of the dialect inside, without faults."""
    if spec.name != NAME:
        return spec
    inside = spec.arguments["inside"]
    return DialectSpec(inside["name"], inside["arguments"])


def make(inside: Mapping[str, Any], schedule: Mapping[str, Any], board: str = "") -> "FaultyDialect":
    """Return the dialect of a spec that `faulty` made."""
    from firmware_bridge.wire.dialects import make_dialect

    dialect = make_dialect(DialectSpec(inside["name"], inside["arguments"]))
    return FaultyDialect(dialect, SampleFaults(Schedule.from_dict(schedule, "recorded faults"), board))


class FaultyDialect:
    """A dialect with faults behind it.

    Args:
        inside: The dialect that hears.
        faults: What goes wrong.
    """

    api_version = API_VERSION
    name = NAME

    def __init__(self, inside: Dialect, faults: SampleFaults) -> None:
        self.inside = inside
        self._faults = faults
        self._told: Described | None = None
        self._restart: dict[str, int] = {}
        self._restarted = False
        self._zero: int | None = None

    @property
    def talks(self) -> bool:
        """Whether the board answers native commands, as known now."""
        return self.inside.talks

    @property
    def chosen(self) -> Dialect:
        """The dialect in charge."""
        chosen: Dialect = getattr(self.inside, "chosen", self.inside)
        return chosen

    @property
    def books(self) -> Mapping[str, int]:
        """Bytes by bucket so far."""
        return self.inside.books

    @property
    def pending(self) -> int:
        """Bytes held back so far."""
        return self.inside.pending

    def feed(self, data: bytes, now: int) -> list[Heard]:
        """Take bytes that arrived at `now`; return what they complete, damaged."""
        return self._all(self.inside.feed(data, now), now)

    def end(self, now: int) -> list[Heard]:
        """The connection is gone."""
        return self._all(self.inside.end(now), now)

    def send(self, command: Message | str) -> bytes:
        """Return the bytes of a command, as the dialect inside says it."""
        return self.inside.send(command)

    def sent(self, data: bytes) -> list[Message]:
        """Take bytes that the host wrote; return the commands in them, where the dialect inside reads them."""
        read = getattr(self.inside, "sent", None)
        return list(read(data)) if read is not None else []

    # ------------------------------------------------------------------ what was heard

    def _all(self, heard: Iterable[Heard], now: int) -> list[Heard]:
        out: list[Heard] = []
        for one in heard:
            if isinstance(one, Samples):
                self._samples(one, now, out)
            elif isinstance(one, Answer):
                self._answer(one, out)
            else:
                if isinstance(one, Described):
                    self._told = one
                    if one.nonce == 0:
                        self._forget()
                out.append(one)
        return out

    def _answer(self, heard: Answer, out: list[Heard]) -> None:
        message = heard.message
        if message.kind == Kind.ACK and message.of == Kind.START:
            self._forget()
        if message.kind == Kind.PONG and self._told is not None:
            hz = next((stream.tick_hz for stream in self._told.info.streams if stream.tick_hz), 0.0)
            bits = 64 if message.flags & Flag.TICK64 else 32
            fields = dict(message.fields)
            for name in ("tick_received", "tick_sent"):
                tick = self._faults.shown((fields[name] - (self._zero or 0)) % (1 << bits), hz or 0.0)
                if tick is None:
                    return  # the counter is to wrap some time after a first sample that has not come yet
                fields[name] = tick % (1 << bits)
            heard = Answer(replace(message, fields=fields))
        out.append(heard)

    def _samples(self, samples: Samples, now: int, out: list[Heard]) -> None:
        n = len(samples.raw)
        if not n:
            return
        keys, seconds = self._faults.place(samples.stream, samples.number, samples.number_bits, n, now)
        self._note(samples)
        while (cut := self._faults.reboot(seconds)) is not None:
            if cut:
                self._put(part_of(samples, slice(0, cut)), keys[:cut], seconds[:cut], out)
            samples, keys, seconds = part_of(samples, slice(cut, None)), keys[cut:], seconds[cut:]
            self._begin(samples, out)
        self._put(samples, keys, seconds, out)

    def _begin(self, samples: Samples, out: list[Heard]) -> None:
        """Play a restart before these samples."""
        if self._told is not None and self._told.nonce is not None:
            # Nobody has started the board since it last played one: that it did shows in its numbers alone.
            out.append(Described(self._told.info, None if self._restarted else 0))
        self._restarted = True
        self._restart.clear()
        self._zero = None if samples.ticks is None else int(samples.ticks[0])

    def _note(self, samples: Samples) -> None:
        """The board really started anew: what it sends is as it says again."""
        if samples.number is None or not self._restarted:
            return
        number, name = int(samples.number[0]), samples.stream.name
        if number < self._restart.get(name, 0):
            self._forget()

    def _forget(self) -> None:
        self._restarted = False
        self._restart.clear()
        self._zero = None

    def _put(self, samples: Samples, keys: Any, seconds: Any, out: list[Heard]) -> None:
        ticks, number = samples.ticks, samples.number
        if ticks is not None and self._zero is not None:
            ticks = (ticks - np.uint64(self._zero)) & _mask(samples.tick_bits)
        ticks, raw = self._faults.damage(samples.stream, keys, seconds, ticks, samples.raw)
        if self._restarted and number is not None:
            begin = self._restart.setdefault(samples.stream.name, int(number[0]))
            number = (number - np.uint64(begin)) & _mask(samples.number_bits)
        if ticks is not None and ticks is not samples.ticks:
            ticks = ticks & _mask(samples.tick_bits)
        if raw is not samples.raw:
            raw.flags.writeable = False
        out.append(replace(samples, raw=raw, ticks=ticks, number=number))


def _mask(bits: int) -> np.uint64:
    return _FULL64 if bits >= 64 else np.uint64((1 << bits) - 1)
