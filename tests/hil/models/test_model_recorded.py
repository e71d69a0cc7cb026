"""Recordings: scored as the board was live, and learnt from with their people and labels."""

from pathlib import Path

import numpy as np
import pytest
from model_boards import STREAM, batch, decide, gap, readings, small_model

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Arrival, Connected, Gap, Item, Mark
from firmware_bridge.streams import BoardInfo, Stream
from hil.models.data_config import DataConfig, RecordingEntry
from hil.models.datasets import NONE
from hil.models.labelled import load_recordings
from hil.models.recorded import items_of
from hil.models.windows import windows_of
from hil.recording.header import BoardSetup, Header
from hil.recording.reader import Recording
from hil.recording.writer import RecordingWriter

INFO = BoardInfo("m", "1", "f", (STREAM,), "native")
BOARDS = ("watch", "other")


def record(path: Path, items: list[Item], marks: list[Mark] | None = None, **about: str) -> Path:
    setups = tuple(BoardSetup(role, f"virtual://{role}", None, 1, INFO) for role in BOARDS)
    writer = RecordingWriter(path, Header(0, setups, about=about, versions={}, environment={}))
    for role in BOARDS:
        writer.write(Arrival(role, 0, 0, "open", b"virtual://x", (Connected(role, 0, INFO, 0),)))
    for seq, item in enumerate(items, 1):
        t_ns = item.t_ns if isinstance(item, Gap) else int(item.t_ns[-1])  # type: ignore[union-attr]
        writer.write(Arrival(item.board, seq, t_ns, "rx", b"x", (item,)))
    for mark in marks or []:
        writer.mark(mark)
    writer.close()
    return path


def test_a_recording_gives_the_decisions_that_its_boards_gave_live(tmp_path: Path) -> None:
    raw = readings(200)
    items: list[Item] = [
        batch(raw[:70], 0, "watch"),
        batch(raw[100:160], 0, "other"),
        gap(70, 9, "watch"),
        batch(raw[:60], 79, "watch"),
        gap(139, None, "watch"),  # uncounted: the numbers go on
        batch(raw[60:120], 139, "watch"),
        batch(raw[:50], 0, "watch", boot=1),
    ]
    path = record(tmp_path / "a.mcap", items)
    model = small_model()
    live = decide(items, model)
    for role in BOARDS:
        offline = model.predict(path, board=role)
        assert offline == [decision for decision in live if decision.board == role]
        assert offline
    assert sorted(model.predict(path), key=lambda d: (d.board, d.boot, d.sample)) == sorted(
        live, key=lambda d: (d.board, d.boot, d.sample)
    )
    with Recording(path) as recording:
        assert sum(isinstance(item, Gap) for item in items_of(recording, model.contract, "watch")) == 2
        for role in BOARDS:
            windows = windows_of(recording, model.contract, role)
            decided = [(item.boot, item.sample) for item in model.predict(path, board=role)]
            assert list(zip(windows.boot.tolist(), windows.ends.tolist(), strict=True)) == decided
            assert windows.raw.shape[1:] == (model.contract.memory_samples, len(STREAM.channels))


def test_a_recording_without_a_stream_that_fits_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mcap", [batch(readings(10), board="watch")])
    with pytest.raises(UsageError, match="board nobody has no stream with ax, ay, wz, which model small reads"):
        small_model().predict(path, board="nobody")


def test_labels_and_people_of_recordings_become_series(tmp_path: Path) -> None:
    raw = readings(100)
    period = 20_000_000
    marks = [
        Mark("watch", 10 * period, "A", "start"), Mark("watch", 40 * period, "A", "stop"),
        Mark("", 35 * period, "B", "start"), Mark("", 60 * period, "B", "stop"),
    ]  # fmt: skip
    record(tmp_path / "a.mcap", [batch(raw[:70], 0, "watch"), batch(raw[70:], 75, "watch")], marks, person="Ada")
    record(tmp_path / "b.mcap", [batch(raw, 0, "watch")], person="Bob", label="B")
    config = DataConfig(
        recordings=(RecordingEntry(file="a.mcap"), RecordingEntry(file="b.mcap", person="Bea")), channels=("wz", "ax")
    )
    dataset = load_recordings(config, tmp_path)
    assert dataset.people == ("Ada", "Bea")
    assert (dataset.labels, dataset.units, dataset.rate_hz) == (("A", "B"), ("rad/s", "g"), 50.0)
    first, second, whole = dataset.series
    assert [len(item.values) for item in dataset.series] == [70, 30, 100]
    expected = np.full(70, NONE)
    expected[10:35], expected[40:60] = 0, 1  # where both run, nobody knows
    assert first.labels.tolist() == expected.tolist()
    assert set(second.labels) == {NONE}
    assert set(whole.labels) == {1}
    assert np.array_equal(whole.values, STREAM.values(raw)[:, [2, 0]])


def test_a_recording_that_says_not_whose_it_is_cannot_be_learnt_from(tmp_path: Path) -> None:
    record(tmp_path / "a.mcap", [batch(readings(50), board="watch")], label="A")
    config = DataConfig(recordings=(RecordingEntry(file="a.mcap"),), channels=("ax",))
    with pytest.raises(UsageError, match="nobody said whose"):
        load_recordings(config, tmp_path)
    record(tmp_path / "c.mcap", [batch(readings(50), board="watch")], person="Ada", label="A")
    config = DataConfig(recordings=(RecordingEntry(file="c.mcap"),), channels=("ax",))
    with pytest.raises(UsageError, match="1 labels"):
        load_recordings(config, tmp_path)
    with pytest.raises(UsageError, match="no stream with pressure"):
        load_recordings(config.model_copy(update={"channels": ("pressure",)}), tmp_path)


def test_frames_are_read_row_by_row_and_streams_side_by_side_where_both_have_a_sample(tmp_path: Path) -> None:
    thermal = Stream("thermal", ("T",), ("degC",), "<i2", (2, 3), 5.0, scale=(0.1,))
    ambient = Stream("ambient", ("A",), ("degC",), "<i2", (1,), 5.0, scale=(0.1,))
    info = BoardInfo("d6t", "1", "f", (thermal, ambient), "native")
    numbers = np.arange(20, dtype=np.int64)
    frames = np.arange(120, dtype=np.int16).reshape(20, 2, 3)
    times = numbers * 200_000_000
    writer = RecordingWriter(tmp_path / "a.mcap", Header(0, (BoardSetup("d6t", "", None, 1, info),), about={
        "person": "Ada", "day": "3", "label": "sit"}))  # fmt: skip
    writer.write(Arrival("d6t", 0, 0, "open", b"x", (Connected("d6t", 0, info, 0),)))
    lost = Gap("d6t", int(times[8]), "ambient", 0, 8, 2, "lost")
    warm = numbers.astype(np.int16)[:, None]
    for seq, item in enumerate((
        Batch("d6t", thermal, 0, 0, times, times, frames), Batch("d6t", ambient, 0, 0, times[:8], times[:8], warm[:8]),
        lost, Batch("d6t", ambient, 0, 10, times[10:], times[10:], warm[10:]),
    ), 1):  # fmt: skip
        writer.write(Arrival("d6t", seq, seq, "rx", b"x", (item,)))
    writer.close()
    one = DataConfig(folder=str(tmp_path), streams=("thermal",), labels=("sit", "stand"))
    dataset = load_recordings(one)
    assert (dataset.frame, dataset.channels, dataset.units) == ((2, 3), ("T",), ("degC",))
    assert np.allclose(dataset.series[0].values, frames.reshape(20, 6) * 0.1)
    assert dataset.by("day").people == ("3",)
    with pytest.raises(UsageError, match="no group"):
        dataset.by("mood")
    both = load_recordings(one.model_copy(update={"streams": ("thermal", "ambient")}))
    assert both.channels == ("T.0.0", "T.0.1", "T.0.2", "T.1.0", "T.1.1", "T.1.2", "A")
    assert [len(item.values) for item in both.series] == [8, 10]
    assert np.allclose(both.series[1].values[:, 6], numbers[10:] * 0.1)
