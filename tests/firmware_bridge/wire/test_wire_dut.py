"""The text of devices under test: every line is read as what it is, and no bytes break the reader."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.wire.dut import LINE_MOST, LineReader, Say, command, elapsed_us, load_commands, said
from firmware_bridge.wire.transcript import TranscriptWriter, read_transcript

SPEECH = (
    b"\0m-timestamp-mode-performance\r\nm-lap-us-17\r\nm-init-done\r\nm-ready\r\n"
    b"m-name-dut-[unspecified]\r\nm-profile-[ULPMark for tinyML Firmware V0.0.1]\r\nm-model-[kws01]\r\n"
    b"m-[Expecting 490 bytes]\r\nm-load-done\r\nm-buffer-00-ff-7F\r\n\r\n"
    b"m-warmup-start-10\r\nm-warmup-done\r\nm-infer-start-70\r\nm-infer-done\r\n"
    b"m-results-[0.000,0.996,-0.5]\r\ne-[Unknown command: nmae]\r\nInput db has 3 elemented, expected 490\n"
)


def test_every_line_of_the_reference_firmware_is_read_as_what_it_is() -> None:
    lines = list(LineReader().feed(SPEECH))
    assert [line.kind for line in lines] == [
        Say.MODE, Say.LAP, Say.BOOT, Say.READY, Say.NAME, Say.PROFILE, Say.MODEL, Say.EXPECTING, Say.LOADED, Say.BUFFER,
        Say.PROGRESS, Say.PROGRESS, Say.PROGRESS, Say.PROGRESS, Say.RESULTS, Say.REFUSED, Say.OTHER,
    ]  # fmt: skip
    by_kind = {line.kind: line for line in lines}
    assert by_kind[Say.LAP].number == 17
    assert by_kind[Say.EXPECTING].number == 490
    assert by_kind[Say.BUFFER].data == b"\x00\xff\x7f"
    assert by_kind[Say.RESULTS].values == (0.0, 0.996, -0.5)
    assert (by_kind[Say.MODEL].word, by_kind[Say.REFUSED].word) == ("kws01", "Unknown command: nmae")


@given(st.lists(st.integers(0, len(SPEECH)), max_size=12))
def test_lines_are_the_same_wherever_the_bytes_are_cut(cuts: list[int]) -> None:
    reader = LineReader()
    edges = [0, *sorted(cuts), len(SPEECH)]
    parts = [SPEECH[start:stop] for start, stop in pairwise(edges)]
    assert [line for part in parts for line in reader.feed(part)] == list(LineReader().feed(SPEECH))


@given(st.lists(st.binary(max_size=60)))
def test_any_bytes_are_lines_of_some_kind(parts: list[bytes]) -> None:
    reader = LineReader()
    lines = [line for part in parts for line in reader.feed(part)]
    whole = [line.strip(b"\r\0") for line in b"".join(parts).split(b"\n")[:-1]]
    assert len(lines) == sum(map(bool, whole))
    assert all(line.text.isascii() for line in lines)


@pytest.mark.parametrize(
    "line", [b"m-redy", b"m-results-[]", b"m-results-[1,nan]", b"m-results-[1,x]", b"m-lap-us-", b"m-buffer-0",
             b"e-[cut", b"what \xff is this", b"xm-ready\x01"]
)  # fmt: skip
def test_what_begins_like_a_message_and_is_none_is_damage(line: bytes) -> None:
    assert said(line).kind is Say.STRANGE


def test_a_line_without_an_end_is_thrown_away_and_counted_once() -> None:
    reader = LineReader()
    assert [line for _ in range(40) for line in reader.feed(b"m" * 4096)] == []
    assert reader.overlong == 1
    assert [line.kind for line in reader.feed(b"rest\nm-ready\n")] == [Say.READY]


@given(st.binary(min_size=1, max_size=400), st.integers(1, 38))
def test_a_window_is_loaded_in_lines_that_fit_a_board(data: bytes, chunk: int) -> None:
    first, *rest = load_commands(data, chunk)
    assert first == f"db load {len(data)}"
    assert bytes.fromhex("".join(line.removeprefix("db ") for line in rest)) == data
    assert all(len(command(line)) <= LINE_MOST + 1 and command(line).endswith(b"%") for line in (first, *rest))


@pytest.mark.parametrize("text", ["", "%", "name%name", "x" * 81, "näme", "name\n"])
def test_what_no_board_could_read_is_not_sent(text: str) -> None:
    with pytest.raises(UsageError, match="is no command"):
        command(text)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_time_passes_a_counters_end(first: int, took: int) -> None:
    assert elapsed_us(first, (first + took) % 2**32) == took
    assert elapsed_us(2**40 + first, 2**40 + first + took) == took


# ------------------------------------------------------------------ transcript

TEXTS = st.lists(st.tuples(st.sampled_from("<>#"), st.text(max_size=30)), min_size=1, max_size=8)


def written(texts: list[tuple[str, str]]) -> list[str]:
    writer = TranscriptWriter()
    lines = [writer.begin({"port": "/dev/x"}, 5)]
    lines += [writer.line(way, text, 10 + at) for at, (way, text) in enumerate(texts)]
    return [*lines, writer.end(99)]


@given(TEXTS)
def test_a_transcript_is_read_as_it_was_written(texts: list[tuple[str, str]]) -> None:
    lines = written(texts)
    read = read_transcript(lines, "file")
    assert (dict(read.about), read.whole) == ({"port": "/dev/x"}, True)
    assert [(entry.t_ns, entry.way, entry.text) for entry in read.entries] == [
        (10 + at, way, text) for at, (way, text) in enumerate(texts)
    ]
    assert not read_transcript(lines[:-1], "file").whole


@given(TEXTS, st.data())
def test_an_altered_line_is_named(texts: list[tuple[str, str]], data: st.DataObject) -> None:
    lines = written(texts)
    at = data.draw(st.integers(1, len(texts)))
    line = json.loads(lines[at])
    line["text"] += "0"
    with pytest.raises(FileError, match=f"line {at + 1} is not what its hash says"):
        read_transcript([*lines[:at], json.dumps(line), *lines[at + 1 :]], "file")
    with pytest.raises(FileError, match=f"line {at + 1} is not what its hash says"):
        read_transcript(lines[:at] + lines[at + 1 :], "file")


def test_what_is_no_transcript_and_what_is_newer_is_told() -> None:
    with pytest.raises(FileError, match="line 1 is no line of a transcript"):
        read_transcript(["m-ready\n"], "file")
    with pytest.raises(FileError, match="it is no transcript"):
        read_transcript([], "file")
    newer = TranscriptWriter().begin({"schema": 2}, 0)
    with pytest.raises(FileError, match="schema 2"):
        read_transcript([newer], "file")
