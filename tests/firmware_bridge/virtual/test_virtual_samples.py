"""What a virtual board samples depends on seed and number alone; what it loses shows as an exact gap."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_host import SECOND, START_NS, Host, samples

from firmware_bridge.timebase import Timebase
from firmware_bridge.virtual.boards import make_board
from firmware_bridge.virtual.noise import Walk, exponential, normal
from firmware_bridge.virtual.timeline import Grid, Played
from firmware_bridge.wire.messages import Kind

BOARDS = {"imu": "imu", "watch": "imu", "ppg": "ppg", "thermal": "thermal"}


@pytest.mark.parametrize("board", BOARDS)
@settings(max_examples=8)
@given(steps=st.lists(st.integers(1, 400_000_000), min_size=1, max_size=30))
def test_the_same_seed_gives_the_same_bytes_however_polls_are_split(board: str, steps: list[int]) -> None:
    params = {"seed": "5", "jitter_us": "50", "ppm": "-30"}
    whole, split = Host(make_board(board, params)), Host(make_board(board, params))
    for host in (whole, split):
        host.start()
    for step in steps:
        split.now += step
        split.listen()
    whole.now = split.now
    whole.listen()
    assert whole.bytes == split.bytes


@pytest.mark.parametrize("board", BOARDS)
def test_another_seed_gives_other_samples(board: str) -> None:
    raws = []
    for seed in ("1", "2"):
        host = Host(make_board(board, {"seed": seed}))
        host.start()
        host.run(2.0)
        raws.append(samples(host.heard, BOARDS[board])[2])
    assert raws[0].shape == raws[1].shape
    assert not np.array_equal(raws[0], raws[1])


@pytest.mark.parametrize("board", BOARDS)
def test_the_grouping_into_frames_changes_no_sample(board: str) -> None:
    raws = []
    for group in ("1", "7"):
        host = Host(make_board(board, {"seed": "3", "group": group}))
        host.start()
        host.run(3.0)
        raws.append(samples(host.heard, BOARDS[board])[2])
    n = min(map(len, raws))
    assert n >= 14
    assert np.array_equal(raws[0][:n], raws[1][:n])


def test_a_host_that_stops_reading_loses_whole_frames_and_the_board_says_how_many() -> None:
    host = Host(make_board("imu", {"tx_buffer": "2000"}))
    host.start()
    host.run(0.5)
    host.now += 4 * SECOND  # nobody reads
    host.listen()
    host.run(0.5)
    numbers, _, _ = samples(host.heard, "imu")
    steps = np.diff(numbers)
    assert (steps > 1).sum() == 1  # one gap
    assert 3500 < steps.max() < 4000
    row = host.status()[0]
    assert row["dropped"] == steps.max() - 1
    assert row["produced"] == len(numbers) + row["dropped"]


def test_a_board_that_nobody_read_for_a_year_catches_up_at_once() -> None:
    host = Host(make_board("imu", {}))
    host.start()
    begun = time.process_time()
    host.now += 365 * 24 * 3600 * SECOND
    host.listen()
    assert time.process_time() - begun < 5
    row = host.status()[0]
    assert row["dropped"] > 1000
    assert len(host.bytes) < 80_000


def test_a_slow_line_drops_what_it_cannot_carry_and_the_books_close() -> None:
    host = Host(make_board("imu", {"baud": "115200", "tx_buffer": "1024"}))  # 1 kHz x 12 bytes do not fit
    host.start()
    host.run(5.0, step_ns=5_000_000)
    assert len(host.bytes) == pytest.approx(11_520 * 5, rel=0.02)
    host.send(Kind.STOP)
    host.run(1.0)
    row = host.status(wait_s=0.1)[0]
    numbers, _, _ = samples(host.heard, "imu")
    assert row["dropped"] > 100
    assert row["produced"] == len(numbers) + row["dropped"]


def test_the_counter_wraps_and_goes_on() -> None:
    host = Host(make_board("imu", {"start_tick": str(2**32 - 100_000)}))
    host.start()
    host.run(0.5)
    _, ticks, _ = samples(host.heard, "imu")
    unwrapped = Timebase(1e6).unwrap(ticks.astype(np.uint64), 32, host.now)
    assert ticks.min() < 1000
    assert set(np.diff(unwrapped)) == {1000}


def test_the_boards_clock_decides_how_many_samples_are_due() -> None:
    host = Host(make_board("ppg", {"ppm": "10000"}))
    host.start()
    host.run(100.0)
    assert len(samples(host.heard, "ppg")[0]) == pytest.approx(10_100, abs=2)


def test_jitter_shows_in_the_ticks_and_never_disorders_them() -> None:
    host = Host(make_board("imu", {"jitter_us": "80"}))
    host.start()
    host.run(2.0)
    _, ticks, _ = samples(host.heard, "imu")
    late = ticks - ticks[0] - np.arange(len(ticks)) * 1000
    assert 50 < (late - late.min()).mean() < 110
    assert (np.diff(ticks) > 0).all()
    assert late.max() - late.min() <= 800


def test_a_slow_stream_whose_steps_fit_no_delta_tells_the_first_tick_of_each_frame() -> None:
    host = Host(make_board("thermal", {"jitter_us": "500", "group": "4"}))
    host.start()
    host.run(8.0)
    _, ticks, _ = samples(host.heard, "thermal")
    late = ticks - np.arange(len(ticks)) * 100_000
    assert late.min() >= 0
    assert late.max() < 10_000
    assert len(set(late[::4].tolist())) > 3


def test_the_link_can_delay_one_sidedly_and_keeps_the_order() -> None:
    host = Host(make_board("imu", {"delay_us": "1000"}))
    trips = []
    for token in range(300):
        sent = host.now
        host.send(Kind.PING, token=token)
        while len(host.answers(Kind.PONG)) <= token:
            host.run(0.000_05, step_ns=50_000)
        trips.append(host.now - sent)
        host.run(0.01)
    assert np.mean(trips) == pytest.approx(2_000_000, rel=0.15)
    assert min(trips) < 500_000
    assert [pong.token for pong in host.answers(Kind.PONG)] == list(range(300))


# -------------------------------------------------------------------------------- pieces


@given(st.integers(0, 5000), st.integers(1, 3000), st.integers(1, 900))
@settings(max_examples=40)
def test_noise_by_number_is_the_same_from_any_start(first: int, n: int, cut: int) -> None:
    cut = min(cut, n)
    for make in (
        lambda a, k: normal(3, "x", a, k, 2),
        lambda a, k: exponential(3, "x", a, k),
        lambda a, k: Walk(3, "x", 2)(a, k),
    ):
        whole = make(first, n)
        parts = np.concatenate([make(first, cut), make(first + cut, n - cut)])
        assert np.array_equal(whole, parts)


def test_a_walk_has_the_variance_of_a_walk_across_blocks() -> None:
    ends = np.array([Walk(seed, "w", 1)(0, 5000)[[10, 1023, 1024, 4999], 0] for seed in range(400)])
    assert ends.var(axis=0) == pytest.approx([11, 1024, 1025, 5000], rel=0.3)
    steps = np.diff(Walk(1, "w", 1)(0, 50_000)[:, 0])
    assert steps.std() == pytest.approx(1, rel=0.03)
    assert abs(np.corrcoef(steps[1:], steps[:-1])[0, 1]) < 0.02


@given(
    st.integers(0, 10**9), st.integers(1, 5_000_000), st.sampled_from([0.0, 20.0]), st.lists(st.integers(0, 10**8))
)  # fmt: skip
def test_what_is_due_on_a_grid_is_what_its_ticks_say(base_tick: int, rate: int, jitter: float, past: list[int]) -> None:
    grid = Grid(100, base_tick, rate, jitter_ticks=jitter, seed=1)
    for tick in (base_tick - 1, base_tick, *(base_tick + one for one in past[:5])):
        due = grid.due(tick)
        assert due >= 100
        assert grid.tick(due) > tick or due == 100
        assert due == 100 or grid.tick(due - 1) <= tick


def test_a_played_timeline_keeps_gaps_and_ends() -> None:
    played = Played(np.array([0, 10, 20, 50, 60]), np.array([0, 1, 2, 5, 6]), shift=1000)
    assert played.run(0, 10) == 3
    assert played.run(3, 10) == 2
    assert played.run(5, 10) == 0
    assert played.number(3) == 5
    assert played.due(1020) == 3
    assert played.tick(5) > START_NS
