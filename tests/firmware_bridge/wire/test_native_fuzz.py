"""The parser and the conversation under whatever comes, as long as CI says: nothing raises, every byte is booked."""

import os
import time

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from toy_board import ToyBoard

from firmware_bridge.wire.encode import encode
from firmware_bridge.wire.messages import STATUS_MODEL, STATUS_ROW, TABLE, Flag, Kind, Message
from firmware_bridge.wire.native import NativeDialect
from firmware_bridge.wire.protocol import Session

EXAMPLES = 200
FROM_BOARD = [kind for kind in Kind if kind < Kind.IDENTIFY]
HELLO = ToyBoard().hello()
T0 = 1_700_000_000_000_000_000


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """A frame of any kind a board sends, with fields and a tail that may make sense or not."""
    kind = draw(st.sampled_from(FROM_BOARD))
    widths = {"B": 8, "H": 16, "I": 32}
    small = draw(st.booleans())  # numbers that follow each other, as those of a board that is well
    fields = {
        name: draw(st.integers(0, 3 if small else 2 ** widths[code] - 1)) for name, code in TABLE[kind].fields
    }  # fmt: skip
    tail = draw(st.binary(max_size=80)) if TABLE[kind].tail else b""
    if kind == Kind.STATUS and small:
        tail = STATUS_ROW.pack(0, *(draw(st.integers(0, 50)) for _ in range(5)))
        tail += STATUS_MODEL.pack(0, *(draw(st.integers(0, 50)) for _ in range(3))) if draw(st.booleans()) else b""
    flags = draw(st.sampled_from([Flag.NONE, Flag.NONE, Flag.DELTAS])) if kind == Kind.SAMPLES else Flag.NONE
    crc_bits, longest = draw(st.sampled_from([16, 32])), draw(st.sampled_from([64, 512]))
    return encode(Message(kind, fields, tail, flags), draw(st.integers(0, 65535)), crc_bits, longest)


def spoilt(frame: bytes, at: int, what: bytes, cut: int) -> bytes:
    at %= len(frame)
    return frame[:at] + what + frame[at + cut :]


pieces = st.lists(
    frames()
    | st.just(HELLO)
    | st.binary(max_size=40)
    | st.builds(spoilt, frames(), st.integers(0, 400), st.binary(max_size=3), st.integers(0, 3)),
    max_size=10,
)  # fmt: skip


def hear(said: list[bytes], cuts: list[int]) -> None:
    session = Session("fuzzed", NativeDialect(), nonce=2)
    session.opened("virtual://fuzzed", T0)
    data, now, at = b"".join(said), T0, 0
    for size in [*cuts, len(data)]:
        now += 1_000_000
        session.sent(session.due(now)[0], now)
        session.received(data[at : at + size], now)
        at += size
    session.closed("the end", now)
    books = session.books()
    assert not books.closes()
    for judged in books.windows.values():
        assert judged.due == judged.judged + judged.skipped + judged.unsent + judged.lost
        assert min(judged.as_dict().values()) >= 0


@pytest.mark.fuzz
def test_nothing_that_a_board_says_breaks_the_parser_or_leaves_the_books_open() -> None:
    """Rounds of examples, each with a seed of its own, until the time is over."""
    until, rounds = time.monotonic() + int(os.environ.get("HIL_FUZZ_S", "3")), 0
    while rounds == 0 or time.monotonic() < until:
        checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
        run = settings(max_examples=EXAMPLES, database=None, suppress_health_check=checks)
        seed(rounds)(run(given(pieces, st.lists(st.integers(1, 60), max_size=12))(hear)))()
        rounds += 1
