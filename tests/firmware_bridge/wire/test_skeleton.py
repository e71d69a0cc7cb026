import pytest
from speech import BOOT, SPEECH, hear, tables

from firmware_bridge.errors import UsageError
from firmware_bridge.wire.boardfile import parse_board_file
from firmware_bridge.wire.dialects import make_dialect
from firmware_bridge.wire.explain import explain
from firmware_bridge.wire.lines import LineDialect
from firmware_bridge.wire.skeleton import describe

MORE = {
    "dates": b"datetime,hr\n" + b"".join(b"2016-11-24 13:58:58.%03d000,%d\n" % (40 * i, i) for i in range(12)),
    "counter": b"".join(b"%d,%d\n" % (i, i % 4) for i in range(20)),
    "semicolons": b"t [s];v [V]\n" + b"".join(b"%d,5;%d,25\n" % (i, i) for i in range(12)),
    "json list": b"".join(b"[%d, 2, 3, 4]\n" % (i % 5) for i in range(12)),
    "json nested": b"".join(b'{"seq":%d,"imu":{"a":[1,%d],"t":3}}\n' % (i, i) for i in range(12)),
}


@pytest.mark.parametrize("name", [*SPEECH, *MORE])
def test_the_written_file_reads_what_it_was_written_from(name: str) -> None:
    data = (SPEECH | MORE)[name]
    text = describe(data, "demo", whole=True)
    board = parse_board_file(text)
    learned = tables(hear(LineDialect(whole=True), [data]))
    assert tables(hear(board.dialect(whole=True), [data])) == learned
    assert explain(board, data, whole=True).share_explained == 1.0
    assert board.info.model == "demo"
    assert all(stream.rate_hz is None or "# measured" in text for stream in board.streams)


def test_units_that_nobody_printed_are_pointed_out() -> None:
    assert "say in which unit" in describe(SPEECH["bare"])
    assert "say in which unit" not in describe(SPEECH["csv"])


def test_noise_in_front_does_not_matter() -> None:
    board = parse_board_file(describe(BOOT + SPEECH["csv"]))
    assert board.streams[0].units == ("g", "g", "degC")


def test_what_holds_no_data_is_refused_in_a_sentence() -> None:
    with pytest.raises(UsageError, match=r"\[frame\]"):
        describe(b"\xb5\x62\x01" * 50)


def test_a_dialect_that_calls_bytes_damaged_does_not_explain_them() -> None:
    book = explain(make_dialect("native"), bytes(range(256)) * 4)
    assert book.share_explained < 0.1
    assert book.first_unexplained_offset is None
    assert sum(book.buckets.values()) == book.total
