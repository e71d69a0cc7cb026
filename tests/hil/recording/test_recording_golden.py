"""Recordings of version 1 open for ever; newer ones are refused in a sentence."""

import json
from pathlib import Path

import numpy as np
import pytest
from recording_golden import BOOKS, EVENTS, HEADER, INFO, MARKS, PREDICTION, RAW, READING, STREAMS, samples, write
from recording_samples import T0

from firmware_bridge.errors import FileError
from firmware_bridge.ledger import Books
from hil.recording.header import Header
from hil.recording.marks import add_mark
from hil.recording.reader import Recording
from hil.recording.writer import RecordingWriter

GOLDEN = Path(__file__).resolve().parents[2] / "data" / "golden" / "recording-v1.mcap"


def test_the_golden_recording_opens_and_holds_what_was_written() -> None:
    with Recording(GOLDEN) as recording:
        assert recording.lost is None
        assert recording.header == HEADER
        assert recording.boards["watch"] == INFO
        assert [known.stream for known in recording.streams()] == list(STREAMS)
        for stream in STREAMS:
            read, wanted = recording.read("watch", stream.name), samples(stream)
            for name, column in wanted.items():
                assert np.array_equal(getattr(read, name), column), (stream.name, name)
            assert read.raw.dtype == np.dtype(stream.dtype)
        assert tuple(recording.events()) == EVENTS
        assert recording.marks == MARKS
        assert recording.predictions() == (PREDICTION,)
        assert recording.clock("watch") == (READING,)
        assert [(seq, Books.from_dict(books)) for seq, books in recording.ledger("watch")] == [(3, BOOKS)]
        assert [(a.seq, a.kind, a.data) for a in recording.arrivals()] == list(RAW)
        assert recording.file.attachment("board.toml") == b"schema = 1\n"
        assert dict(recording.file.metadata)["hil/model"]["slots"] == "8"
        assert recording.labels[0].text == "squat"


def test_the_forms_of_storing_have_not_moved(tmp_path: Path) -> None:
    """What is written today is read by the version that wrote the golden file: the same channels, forms and schemas."""
    write(tmp_path / "now.mcap")
    with Recording(GOLDEN) as golden, Recording(tmp_path / "now.mcap") as now:
        assert [known.form for known in golden.streams()] == [known.form for known in now.streams()]
        assert {known.form for known in now.streams()} == {
            "inverse32", "exact32", "inverse64", "raw64", "image",
        }  # fmt: skip
        for one, other in zip(golden.file.channels.values(), now.file.channels.values(), strict=True):
            assert (one.topic, one.encoding, one.schema) == (other.topic, other.encoding, other.schema)
        for one, other in zip(golden.file.chunks, now.file.chunks, strict=True):
            assert golden.file.unpack(one) == now.file.unpack(other)


def test_a_newer_recording_is_refused_in_a_sentence(tmp_path: Path) -> None:
    RecordingWriter(tmp_path / "a.mcap", Header(T0, schema=2)).close()
    with pytest.raises(FileError, match=r"schema 2 and this version reads up to 1; update with"):
        Recording(tmp_path / "a.mcap")


def test_newer_marks_are_refused_in_a_sentence(tmp_path: Path) -> None:
    RecordingWriter(tmp_path / "a.mcap", Header(T0)).close()
    add_mark(tmp_path / "a.mcap", MARKS[0], T0)
    with (tmp_path / "a.marks.jsonl").open("a") as file:
        file.write(json.dumps({"schema": 2, "id": "x", "mark": None}) + "\n")
    with Recording(tmp_path / "a.mcap") as recording, pytest.raises(FileError, match="newer version"):
        _ = recording.marks
