"""Decisions depend on samples and their numbers only: not on batches, boards, backends' slots or seeks."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from model_boards import (
    CHANNELS,
    HOP,
    MEMORY,
    SCALE,
    STREAM,
    UNITS,
    batch,
    by_board,
    contract,
    decide,
    gap,
    readings,
    reference,
    small_model,
    split,
)

from firmware_bridge.errors import UsageError
from firmware_bridge.events import Connected, Disconnected, Rebooted
from firmware_bridge.streams import BoardInfo, Stream
from hil.models.contract import Architecture
from hil.models.model import Model
from hil.models.nets.shapes import TcnConfig
from hil.models.nets.tcn import Tcn
from hil.models.package import pack, unpack
from hil.models.segments import Coverage

SIZE = 90
MODEL = small_model()
WHOLE = decide([batch(readings(SIZE))], MODEL)


@settings(max_examples=60)
@given(st.lists(st.integers(1, SIZE - 1), max_size=30))
def test_any_split_into_batches_gives_the_same_bits(cuts: list[int]) -> None:
    runner = MODEL.runner()
    made = [decision for piece in split(batch(readings(SIZE)), cuts) for decision in runner.push([piece])]
    assert made == WHOLE


@settings(max_examples=60)
@given(st.data())
def test_any_interleaving_of_boards_gives_each_the_same_bits(data: st.DataObject) -> None:
    boards = ["a", "b", "c", "d", "e"]
    waiting = {
        board: split(
            batch(readings(SIZE, seed), board=board), data.draw(st.lists(st.integers(1, SIZE - 1), max_size=6))
        )
        for seed, board in enumerate(boards)
    }
    runner = MODEL.runner(boards=boards, slots=3)  # two calls a hop: five boards do not fit into one
    made = []
    while any(waiting.values()):
        board = data.draw(st.sampled_from([board for board in boards if waiting[board]]))
        made += runner.push([waiting[board].pop(0)])
    found = by_board(made)
    for seed, board in enumerate(boards):
        alone = MODEL.runner(boards=boards, slots=3).push([batch(readings(SIZE, seed), board=board)])
        assert found[board] == alone


def test_scanning_from_the_start_offline_equals_live_bit_for_bit() -> None:
    raw = readings(SIZE)
    live = MODEL.runner(boards=["a"], slots=8)
    made = [d for start in range(SIZE) for d in live.push([batch(raw[start : start + 1], start)])]
    offline = MODEL.runner(boards=["a"], slots=8).push([batch(raw)])
    assert made == offline
    assert [(d.sample, d.t_ns) for d in made] == [
        (end - 1, (end - 1) * 20_000_000) for end in range(25, SIZE + 1, HOP)
    ]  # fmt: skip


def test_decisions_equal_whole_windows_in_float64_within_1e_5() -> None:
    expected = reference(readings(SIZE))
    assert [decision.sample for decision in WHOLE] == list(expected)
    worst = max(np.abs(np.array(decision.scores) - expected[decision.sample]).max() for decision in WHOLE)
    assert worst <= 1e-5


def test_the_comparison_notices_lost_state() -> None:
    """Negative control: a break between batches that the data do not have must show."""
    runner, raw, expected = MODEL.runner(), readings(SIZE), reference(readings(SIZE))
    step = runner._groups[0].step
    worst = 0.0
    for start in range(0, SIZE, HOP):
        for decision in runner.push([batch(raw[start : start + HOP], start)]):
            worst = max(worst, np.abs(np.array(decision.scores) - expected[decision.sample]).max())
        if start == 60:
            step.run([0], [0])  # what is in the state is dropped once
    assert worst > 1e-3


def test_a_seek_into_the_middle_gives_the_same_bits_where_memory_is_whole() -> None:
    raw = readings(SIZE)
    for start in (1, 5, 13, 20):
        made = decide([batch(raw[start:], start)], MODEL)
        assert made == [decision for decision in WHOLE if decision.sample - MEMORY + 1 >= start]
        assert made


@settings(max_examples=50)
@given(st.integers(1, SIZE - 2), st.integers(1, 30), st.booleans())
def test_no_window_straddles_a_gap(at: int, missing: int, told: bool) -> None:
    """After a gap the stream decides like one that begins there, whether the gap is an event or only a jump."""
    raw, later = readings(SIZE), readings(SIZE, 1)
    begin = at + missing
    items = [batch(raw[:at]), gap(at, missing), batch(later, begin)] if told else [batch(raw[:at]), batch(later, begin)]
    runner = MODEL.runner()
    made = runner.push(items)
    assert made == decide([batch(raw[:at])], MODEL) + decide([batch(later, begin)], MODEL)
    coverage = runner.coverage["a", "imu"]
    due = (begin + SIZE) // HOP
    warming = (MEMORY - 1) // HOP
    assert coverage == Coverage(len(made), warming, due - warming - len(made))


def test_an_uncounted_gap_ends_the_segment_although_numbers_go_on() -> None:
    raw = readings(SIZE)
    made = decide([batch(raw[:50]), gap(50, None), batch(raw[50:], 50)], MODEL)
    expected = [d for d in WHOLE if d.sample < 50 or d.sample - MEMORY + 1 >= 50]
    assert made == expected
    assert len(made) < len(WHOLE)


def test_a_reboot_begins_anew_and_what_it_costs_is_missed() -> None:
    raw = readings(60)
    runner = MODEL.runner()
    made = runner.push([batch(raw), Rebooted("a", 0, 1, False), batch(raw, boot=1)])
    first, second = made[: len(made) // 2], made[len(made) // 2 :]
    assert [d.scores for d in first] == [d.scores for d in second]
    assert {d.boot for d in second} == {1}
    assert runner.coverage["a", "imu"] == Coverage(16, 4, 4)
    assert runner.coverage["a", "imu"].share == 0.8


def test_a_disconnect_breaks_only_streams_without_sample_numbers() -> None:
    raw = readings(SIZE)
    uncounted = Stream("imu", CHANNELS, UNITS, "<i2", (3,), 50.0, scale=SCALE, counted=False)
    for stream, broken in ((STREAM, False), (uncounted, True)):
        made = decide(
            [batch(raw[:50], stream=stream), Disconnected("a", 0, "unplugged"), batch(raw[50:], 50, stream=stream)],
            MODEL,
        )
        assert (len(made) < len(WHOLE)) is broken


def test_channels_are_picked_by_name() -> None:
    raw = readings(SIZE)
    wide = Stream(
        "imu", ("t", "wz", "ay", "ax"), ("degC", "rad/s", "g", "g"), "<i2", (4,), 50.0,
        scale=(0.01, 1 / 1024, 1 / 4096, 1 / 4096),
    )  # fmt: skip
    mixed = np.column_stack((raw[:, 0] * 0 + 7, raw[:, 2], raw[:, 1], raw[:, 0])).astype(np.int16)
    assert decide([batch(mixed, stream=wide)], MODEL) == WHOLE


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"channels": ("ax", "ay", "wx")}, "no stream has the channels ax, ay, wz"),
        ({"units": ("g", "m/s2", "rad/s")}, "channel ay is in 'm/s2' and model small reads it in 'g'"),
        ({"units": ("g", "g", "?")}, "channel wz is in '\\?'"),
        ({"rate_hz": 100.0}, "it runs at 100 Hz and model small reads 50 Hz"),
        ({"rate_hz": None}, "its rate is unknown"),
    ],
)
def test_a_stream_that_does_not_fit_is_refused_in_a_sentence(changes: dict[str, object], said: str) -> None:
    stream = Stream(**{**STREAM.as_dict(), "shape": (3,), **changes})  # type: ignore[arg-type]
    info = BoardInfo("m", "1", "f", (stream,), "native")
    runner = MODEL.runner(boards=["a"])
    with pytest.raises(UsageError, match=said):
        runner.push([Connected("a", 0, info, 0), batch(readings(10), stream=stream)])
    assert MODEL.runner().push([batch(readings(SIZE), stream=stream)]) == []  # nobody asked for this board


def test_a_rate_that_changes_for_good_stops_decisions_and_says_why() -> None:
    faster = Stream(**{**STREAM.as_dict(), "shape": (3,), "rate_hz": 200.0})  # type: ignore[arg-type]
    runner = MODEL.runner(boards=["a"])
    made = runner.push([batch(readings(50)), batch(readings(50), 50, stream=faster)])
    assert [d.sample for d in made] == [24, 29, 34, 39, 44, 49]
    coverage = runner.coverage["a", "imu"]
    assert "200 Hz" in coverage.refused
    assert coverage.missed == 10


def test_another_scale_within_one_push_applies_from_its_first_sample() -> None:
    """The new scale must not reach readings that were waiting when it came."""
    raw = readings(SIZE)
    double = Stream(**{**STREAM.as_dict(), "shape": (3,), "scale": tuple(2 * s for s in SCALE)})  # type: ignore[arg-type]
    at_once = decide([batch(raw[:50]), batch(raw[50:], 50, stream=double)], MODEL)
    assert [d for d in at_once if d.sample < 50] == [d for d in WHOLE if d.sample < 50]
    assert min(d.sample for d in at_once if d.sample >= 50) >= 50 + MEMORY - 1


def test_a_reading_that_is_no_number_costs_its_own_windows_only() -> None:
    stream = Stream("imu", CHANNELS, UNITS, "<f4", (3,), 50.0)
    values = readings(SIZE).astype(np.float32) / 4096
    broken = values.copy()
    broken[40, 1] = np.nan
    good = decide([batch(values, stream=stream), batch(values, board="b", stream=stream)], MODEL)
    runner = MODEL.runner()
    made = runner.push([batch(broken, stream=stream), batch(values, board="b", stream=stream)])
    hit = [d for d in good if d.board == "a" and d.sample - MEMORY < 40 <= d.sample]
    assert made == [d for d in good if d not in hit]
    assert runner.coverage["a", "imu"].missed == len(hit) > 0


def test_a_board_keeps_its_slot_and_a_given_map_is_obeyed() -> None:
    runner = MODEL.runner(slots=2, slot_map={"b/imu": 3, "a/imu": 0})
    runner.push([batch(readings(10), board=board) for board in ("c", "b", "a")])
    assert runner.slot_map == {"c/imu": 1, "b/imu": 3, "a/imu": 0}
    assert runner.identity()["slot_map"] == runner.slot_map
    again = MODEL.runner(boards=["c", "b"])
    again.push([batch(readings(10), board="c"), batch(readings(10), board="b")])
    assert again.slot_map == {"b/imu": 0, "c/imu": 1}


@settings(max_examples=15)
@given(st.integers(1, 6), st.integers(1, 40))
def test_arrays_predict_like_boards(hop: int, pool: int) -> None:
    """Any hop, any pool: shorter or longer than a hop, a multiple of it or not."""
    shape = TcnConfig(inputs=3, classes=4, channels=4, kernel=2, dilations=(1, 3), pool=pool)
    torch.manual_seed(pool)
    net = Tcn(shape).eval()
    promised = contract(
        architecture=Architecture(name="tcn", config=shape), hop=hop, window=shape.memory, memory_samples=shape.memory
    )
    model = Model(unpack(pack(promised, {k: v.numpy() for k, v in net.state_dict().items()}), "any"))
    values = readings(70, hop).astype(np.float32) / 4096
    made = model.predict(values)
    assert [d.sample + 1 for d in made] == [end for end in range(hop, 71, hop) if end >= shape.memory]
    mean, std = (np.array([getattr(item, k) for item in promised.inputs]) for k in ("mean", "std"))
    for decision in made:
        window = ((values - mean) / std)[decision.sample + 1 - shape.memory : decision.sample + 1]
        with torch.inference_mode():
            expected = torch.softmax(net.double()(torch.from_numpy(window)[None])[0], 0).numpy()
        assert np.abs(np.array(decision.scores) - expected).max() <= 1e-5
