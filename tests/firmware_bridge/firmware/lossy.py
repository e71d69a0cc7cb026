"""A line between host and board that does to each frame what it is told: pass it, lose it, bring it twice or late."""

from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from typing import Any

from virtual_host import Host

from firmware_bridge.wire.dialect import Answer

FATES = ("pass", "lose", "twice", "late", "damage")
_STEP_NS = 20_000_000


class Line:
    """One direction."""

    def __init__(self, fates: Iterable[str]) -> None:
        self._fates = chain(fates, repeat("pass"))
        self._late = b""

    def carry(self, data: bytes) -> bytes:
        out = b""
        for frame in frames(data):
            fate = next(self._fates)
            late, self._late = self._late, b""
            if fate == "late":
                self._late = frame
            elif fate == "damage":
                out += frame[:1] + bytes([frame[1] ^ 0xFF or 1]) + frame[2:] if len(frame) > 2 else frame
            else:
                out += frame * {"pass": 1, "lose": 0, "twice": 2}[fate]
            out += late
        return out


def frames(data: bytes) -> Iterator[bytes]:
    """The frames in some bytes, each with its zero."""
    for part in data.split(b"\0")[:-1]:
        yield part + b"\0"


def lead(work: Any, host: Host, down: Line, up: Line, most_s: float = 300.0) -> float:
    """Let `work` and a board talk over such a line until it is done or fails; return how long it took."""
    began = host.now
    while not (work.done or work.failed):
        assert host.now - began < most_s * 1e9, "it never came to an end"
        said = b"".join(map(host.dialect.send, work.due(host.now)))
        host.board.receive(down.carry(said), host.now)
        heard = up.carry(host.board.poll(host.now))
        for one in host.dialect.feed(heard, host.now):
            host.heard.append(one)
            if isinstance(one, Answer):
                work.take(one.message, host.now)
        if not heard:
            host.now += _STEP_NS
    return (host.now - began) / 1e9
