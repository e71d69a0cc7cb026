"""Windows read lazily are the windows of what was loaded whole, in an order that a seed fixes."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from model_boards import gap, readings
from test_model_conditioning import FAST, HOW, record, sent
from torch.utils.data import DataLoader

from firmware_bridge.errors import UsageError
from firmware_bridge.events import Item, Mark
from hil.models.data_config import DataConfig, RecordingEntry
from hil.models.datasets import NONE, window_truth
from hil.models.labelled import load_recordings
from hil.models.window_data import BlockShuffle, WindowData
from hil.recording.marks import add_mark

WINDOW, HOP = 30, 10


def folder(path: Path) -> DataConfig:
    """Two people; Ada's board lost samples, was interrupted without a count, and changes label on the way."""
    raw = readings(9000)
    items: list[Item] = [
        *(sent(raw[low : low + 500], low) for low in range(0, 4000, 500)),
        gap(4000, 13), sent(raw[4013:6000], 4013), replace(gap(6000, None), stream="imu"), sent(raw[6000:], 6000),
    ]  # fmt: skip
    record(path / "ada.mcap", items)
    period = 10_000_000
    for text, low, high in (("A", 0, 5000), ("B", 5000, 8000)):
        add_mark(path / "ada.mcap", Mark("", low * period, text, "start"), 1)
        add_mark(path / "ada.mcap", Mark("", high * period, text, "stop"), 1)
    record(path / "bob.mcap", [sent(readings(700, seed=1))])
    entries = (RecordingEntry(file="ada.mcap"), RecordingEntry(file="bob.mcap", person="Bob", label="B"))
    return DataConfig(recordings=entries, channels=("x", "w"))


def whole(config: DataConfig, path: Path) -> list[tuple[bytes, int]]:
    """The same windows from memory; a stretch's numbers are known from its source."""
    found = []
    for series in load_recordings(config, path).series:
        first = int(series.source.partition("[")[2].rstrip("]"))
        first += 13 if "ada" in series.source and first >= 4000 else 0
        ends = np.arange(-(-(first + WINDOW) // HOP) * HOP, first + len(series.values) + 1, HOP) - first
        truth = window_truth(series.labels, ends, WINDOW, 2)
        for end, label in zip(ends.tolist(), truth.tolist(), strict=True):
            if label != NONE:
                found.append((series.values[end - WINDOW : end].tobytes(), label))
    return found


def test_lazy_windows_are_those_of_the_whole_and_no_more_is_kept_than_asked_for(tmp_path: Path) -> None:
    config = folder(tmp_path)
    data = WindowData(config, tmp_path, window=WINDOW, hop=HOP, kept=2)
    assert [(values.numpy().tobytes(), label) for values, label in (data[at] for at in range(len(data)))] == whole(
        config, tmp_path
    )
    assert data.labels == ("A", "B")
    assert data.unlabelled > 0
    assert len(data._chunks) <= 2
    assert {data.person(at) for at in range(len(data))} == {"Ada", "Bob"}
    alone = WindowData(config, tmp_path, window=WINDOW, hop=HOP, without=["Ada"])
    assert {alone.person(at) for at in range(len(alone))} == {"Bob"}


def test_a_window_is_the_same_in_any_order_in_another_process_and_for_any_number_of_workers(tmp_path: Path) -> None:
    config = folder(tmp_path)
    data = WindowData(config, tmp_path, window=WINDOW, hop=HOP)
    data[3]
    copy = pickle.loads(pickle.dumps(data))
    assert copy[700 % len(data)][0].equal(data[700 % len(data)][0])
    order = BlockShuffle(len(data), seed=5, block=8, pool=4)
    first = list(order)
    assert sorted(first) == list(range(len(data)))
    assert first == list(BlockShuffle(len(data), seed=5, block=8, pool=4))
    order.epoch = 1
    assert list(order) != first
    order.epoch = 0
    loaders = [DataLoader(data, 32, sampler=order, num_workers=workers) for workers in (0, 2)]
    loaded = [[(values.numpy().tobytes(), labels.tolist()) for values, labels in loader] for loader in loaders]
    assert loaded[0] == loaded[1]


def test_resampled_windows_are_made_of_the_readings_that_a_live_board_would_give(tmp_path: Path) -> None:
    config = folder(tmp_path).model_copy(
        update={"channels": ("ax", "ay", "wz"), "units": ("g", "g", "rad/s"), "rate_hz": 50.0, "conditioning": HOW}
    )
    data = WindowData(config, tmp_path, window=WINDOW, hop=HOP, kept=2)
    bob = load_recordings(config, tmp_path).series[-1]
    lazy = [data[at][0].numpy() for at in range(len(data)) if data.person(at) == "Bob"]
    first = 20  # as many samples as the filter has taps make no reading
    ends = [end for end in range(HOP, first + len(bob.values) + 1, HOP) if end - WINDOW >= first]
    assert len(lazy) == len(ends)
    for end, values in zip(ends, lazy, strict=True):
        assert values.tobytes() == bob.values[end - WINDOW - first : end - first].tobytes()


def test_a_dataset_without_a_labelled_window_says_so(tmp_path: Path) -> None:
    record(tmp_path / "a.mcap", [sent(readings(100), stream=FAST)])
    config = DataConfig(recordings=(RecordingEntry(file="a.mcap"),), channels=("x",))
    with pytest.raises(UsageError, match="no window of 30 samples has a label"):
        WindowData(config, tmp_path, window=WINDOW, hop=HOP)
