"""Text and described boards in a conversation: what reaches the user."""

from pathlib import Path

import pytest
from speech import BOOT, SPEECH, cut

from firmware_bridge.batch import Batch
from firmware_bridge.events import Connected, Gap, Item
from firmware_bridge.wire.dialect import DialectSpec
from firmware_bridge.wire.dialects import make_dialect
from firmware_bridge.wire.protocol import Session

MS = 1_000_000
START = 10**18
THERMAL = (Path(__file__).resolve().parents[3] / "scenarios" / "boards" / "omron_d6t.toml").read_text()


def talk(session: Session, parts: list[bytes], now: int = START, step_ns: int = 10 * MS) -> list[Item]:
    items = list(session.opened("somewhere", now))
    for part in parts:
        items += session.received(part, now)
        now += step_ns
    return [*items, *session.closed("unplugged", now)]


@pytest.mark.parametrize("name", SPEECH)
def test_a_text_board_is_captured_without_being_introduced(name: str) -> None:
    session = Session("board", make_dialect("auto"), nonce=5)
    speech = BOOT + SPEECH[name]
    items = talk(session, cut(speech, range(0, len(speech), 64)))
    assert len([item for item in items if isinstance(item, Connected)]) == 1
    assert session.books().closes() == []
    counts = {key[0]: books for key, books in session.books().streams.items()}
    for stream, books in counts.items():
        batches = [item for item in items if isinstance(item, Batch) and item.stream.name == stream]
        assert sum(map(len, batches)) == books.delivered == books.received
        assert all(int(batch.t_ns[-1]) <= START + len(speech) // 64 * 10 * MS for batch in batches)
        assert books.lost is None or batches[0].stream.counted
    assert counts


def test_unknown_bytes_do_not_end_a_capture() -> None:
    session = Session("board", make_dialect("auto"), nonce=5)
    items = talk(session, [bytes(range(256))] * 20)
    assert [item.info.dialect for item in items if isinstance(item, Connected)] == ["undescribed"]
    assert session.books().closes() == []


def test_frames_that_the_board_does_not_trust_are_gaps() -> None:
    session = Session("thermal", make_dialect(DialectSpec("boardfile", {"text": THERMAL})), nonce=5)
    lines = [b"291, " + b"271, " * 16 + b"%d, 212, 2016/10/16 - 21:3:38\n" % (number != 7) for number in range(20)]
    items = talk(session, [b"Time Stamp\n", *lines])
    gaps = [item for item in items if isinstance(item, Gap)]
    assert {(gap.stream, gap.first, gap.count, gap.cause) for gap in gaps} == {
        ("thermal", 7, 1, "invalid"), ("ambient", 7, 1, "invalid"),
    }  # fmt: skip
    assert session.books().closes() == []


def test_a_board_that_comes_back_is_told_again() -> None:
    session = Session("board", make_dialect(DialectSpec("boardfile", {"text": THERMAL})), nonce=5)
    line = b"291, " + b"271, " * 16 + b"1, 212, 2016/10/16 - 21:3:38\n"
    first, again = talk(session, [line] * 5), talk(session, [line] * 5, START + 10**10)
    for items in (first, again):
        assert len([item for item in items if isinstance(item, Connected)]) == 1
