"""A snapshot crosses to a screen unchanged, and anything else is refused in a sentence."""

import contextlib
import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from firmware_bridge.errors import UsageError
from hil.views.message import pack, to_plain, unpack
from hil.views.snapshot import (
    BoardView,
    LogLine,
    MarkView,
    PredictionView,
    RecordingView,
    ReplayView,
    Snapshot,
    StreamView,
    View,
)


def full_snapshot(columns: int = 7) -> Snapshot:
    """A snapshot in which every field is used."""
    low = np.linspace(-1, 1, 2 * columns, dtype=np.float32).reshape(2, columns)
    low[:, 2] = np.nan
    gaps = np.zeros(columns, bool)
    gaps[2] = True
    imu = StreamView(
        "imu", "accel", ("x", "y"), ("g", "?"), 1000.0, 999.9, True, 12345, 1_000, 2_000, low, low + 1, gaps, low[:, 0]
    )
    frame = np.arange(64, dtype=np.float32).reshape(8, 8)
    heat = StreamView(
        "thermal", "frame", ("temperature",), ("degC",), 8.0, None, False, 3, 1_000, 2_000, low[:1], low[:1], gaps,
        low[:1, 0], True, frame, 1_900, 0.0, 63.0,
    )  # fmt: skip
    board = BoardView(
        "imu", "live", "", "virtual://imu", "hil-imu", "0001", "1.0", "native", 1.0, 1000.0, False, 12345, 3, 50.1,
        49.0, 51.0, 12.0, 1, 0.01, 99999, (("delivered", 12345), ("unattributed", None)), (), 1_000,
    )  # fmt: skip
    unknown = BoardView("text", "lost", "the port went away", lost=None)
    label = PredictionView(
        "exercise", "watch", "ready", "", ("squat", "press"), "squat", 0.9, (0.9, 0.1), 1_950, "squat", 0.02,
        ((1_900, "press", 0.5),),
    )  # fmt: skip
    recording = RecordingView("a.mcap", "recording", "", 10_000, 2.0, 1e6, 1)
    replay = ReplayView(
        "a.mcap", 1.0, 2.0, 0.0, 2.0, None, False, True, False, 0.1, 0.2, 0.3, 4, (MarkView(0.5, "start", "squat"),)
    )
    return Snapshot(
        9, 2_000, "live", (board, unknown), (imu, heat), (label,), recording, replay, (LogLine(5, "", "info", "hi"),),
        ("squat", "press"), "squat", "",
    )  # fmt: skip


def same(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def test_every_field_crosses_unchanged() -> None:
    snapshot = full_snapshot()
    back = Snapshot.from_wire(snapshot.to_wire())
    assert same(to_plain(back), to_plain(snapshot))
    assert isinstance(back.streams[0], StreamView)
    assert isinstance(back.boards[0].ledger[0], tuple)
    assert back.replay is not None
    assert isinstance(back.replay.marks[0], MarkView)


def test_a_view_crosses_and_missing_keys_keep_their_defaults() -> None:
    view = View(80, 2.5, 123, ("imu",), None, False, True, 4, 5)
    assert View.from_dict(json.loads(json.dumps(view.to_dict()))) == view
    assert View.from_dict({"columns": 10}) == View(columns=10)


def test_a_newer_schema_is_refused_in_a_sentence() -> None:
    plain = dict(to_plain(full_snapshot()), schema=2)
    with pytest.raises(UsageError, match="schema 2"):
        Snapshot.from_wire(pack(plain))


@pytest.mark.parametrize("boards", [[3], ["watch"], [["watch", "live"]], [{"state": "live"}], 7])
def test_a_snapshot_with_a_board_that_is_none_is_refused_in_a_sentence(boards) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        Snapshot.from_wire(pack(dict(to_plain(full_snapshot()), boards=boards)))


def test_an_object_array_cannot_be_sent() -> None:
    with pytest.raises(ValueError, match="object"):
        pack({"bad": np.array([object()])})


@given(hnp.arrays(st.sampled_from([np.float32, np.int16, np.bool_, np.uint64]), hnp.array_shapes(min_side=0)))
def test_any_array_of_numbers_crosses(array: np.ndarray) -> None:
    back = unpack(pack({"a": array, "b": [array, {"c": 1}]}))
    np.testing.assert_array_equal(back["a"], array)
    assert back["a"].dtype == array.dtype
    assert not back["a"].flags.writeable


@given(st.data())
def test_a_damaged_message_is_refused_and_never_crashes(data: st.DataObject) -> None:
    block = bytearray(full_snapshot().to_wire())
    cut = data.draw(st.integers(0, len(block)))
    flips = data.draw(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4))
    for at, value in flips:
        block[at] = value
    with contextlib.suppress(UsageError):
        assert isinstance(Snapshot.from_wire(bytes(block[:cut])), Snapshot)


@pytest.mark.parametrize("dtype", ["|O", "<U4", "V8"])
def test_an_array_kind_that_could_carry_code_is_refused(dtype: str) -> None:
    text = json.dumps({"body": {"a": {"$array": 0}}, "$arrays": [{"dtype": dtype, "shape": [1]}]}).encode()
    with pytest.raises(UsageError, match="cannot be read"):
        unpack(struct.pack("<I", len(text)) + text + bytes(64))
