"""What a screen is told: exact envelopes, gaps that are seen, unknown figures that stay unknown."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Connected, Damage, Disconnected, Gap, Log, Mark, Prediction, Rebooted
from firmware_bridge.ledger import Books, SampleBooks
from firmware_bridge.streams import BoardInfo, Stream
from hil.monitor.monitor import Bench, Monitor, ledger_rows
from hil.views.snapshot import BoardView, PredictionView
from hil.views.view import View

START = 1_700_000_000_000_000_000
MS = 1_000_000
IMU = Stream("imu", ("x", "y"), ("g", "g"), "<i2", (2,), 1000.0, scale=(0.5, -0.25), offset=(1.0,))
HEAT = Stream("heat", ("temperature",), ("degC",), "<i2", (2, 3), 10.0, scale=(0.1,))
INFO = BoardInfo("hil-imu", "0001", "1.2", (IMU, HEAT), "native")


def batch(
    first: int, count: int, *, stream: Stream = IMU, boot: int = 0, start_ns: int = START, ppm: float = 0.0
) -> Batch:
    """Samples of a board whose clock is off by `ppm`."""
    period = 1e9 / (stream.rate_hz or 1.0)
    number = np.arange(first, first + count, dtype=np.int64)
    raw = (np.arange(first * 7, (first + count) * 7, 7) % 1000).astype(stream.dtype)
    raw = np.stack([raw + at for at in range(int(np.prod(stream.shape)))], axis=1).reshape(count, *stream.shape)
    ticks = (number * period / 1e3).astype(np.int64)
    t_ns = start_ns + (number * period * (1 + ppm * 1e-6)).astype(np.int64)
    return Batch("imu", stream, boot, first, ticks, t_ns, raw.astype(stream.dtype))


def arrival(*items: object, t_ns: int = START, board: str = "imu", books: Books | None = None) -> Arrival:
    return Arrival(board, 0, t_ns, "rx", b"", tuple(items), books)  # type: ignore[arg-type]


def look(monitor: Monitor, now_ns: int, **view: object):
    return monitor.snapshot(View(**view), now_ns, Bench(boards=(BoardView("imu", "live"),)))  # type: ignore[arg-type]


def test_an_envelope_is_the_exact_minimum_and_maximum_in_units() -> None:
    monitor = Monitor()
    monitor.accept([arrival(batch(0, 2000))])
    stream = look(monitor, START + 2000 * MS, columns=20, seconds=2.0).streams[0]
    values, times = batch(0, 2000).values, batch(0, 2000).t_ns
    for column in range(20):
        left = stream.start_ns + column * 100 * MS
        inside = values[(times >= left) & (times < left + 100 * MS)]
        np.testing.assert_array_equal(stream.low[:, column], inside.min(0))
        np.testing.assert_array_equal(stream.high[:, column], inside.max(0))
    assert stream.end_ns - stream.start_ns == 2_000 * MS
    np.testing.assert_array_equal(stream.latest, values[-1])
    assert not stream.gaps.any()


@settings(max_examples=30)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_a_snapshot_does_not_depend_on_how_samples_were_split(sizes: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    whole, parted = Monitor(), Monitor()
    first = 0
    arrivals = []
    for size in sizes:
        arrivals.append(arrival(batch(first, size)))
        first += size + (10 if random.random() < 0.3 else 0)
    whole.accept(arrivals)
    for one in arrivals:
        for item in one.items:
            assert isinstance(item, Batch)
            cut = int(random.integers(0, len(item) + 1))
            parted.accept([arrival(item.part(0, cut)), arrival(item.part(cut, len(item)))])
            look(parted, START + int(random.integers(0, 5000)) * MS, columns=33, seconds=1.0)
    now = START + first * MS
    one, other = (look(monitor, now, columns=50, seconds=3.0).streams[0] for monitor in (whole, parted))
    np.testing.assert_array_equal(one.low, other.low)
    np.testing.assert_array_equal(one.high, other.high)
    np.testing.assert_array_equal(one.gaps, other.gaps)
    assert one.samples == other.samples


def test_missing_samples_are_marked_where_they_are_missing() -> None:
    monitor = Monitor()
    monitor.accept([arrival(batch(0, 500), Gap("imu", START, "imu", 0, 500, 300, "link"), batch(800, 200))])
    stream = look(monitor, START + 1000 * MS, columns=10, seconds=1.0).streams[0]
    assert np.flatnonzero(stream.gaps).tolist() == [4, 5, 6, 7, 8]
    assert np.flatnonzero(np.isnan(stream.low[0])).tolist() == [5, 6, 7]


def test_a_gap_of_unknown_length_is_marked_although_numbers_go_on() -> None:
    monitor = Monitor()
    later = batch(100, 100, start_ns=START + 500 * MS)
    monitor.accept([arrival(batch(0, 100), Gap("imu", START, "imu", 0, 100, None, "silence"), later)])
    stream = look(monitor, START + 1000 * MS, columns=10, seconds=1.0).streams[0]
    assert np.flatnonzero(stream.gaps).tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_the_rate_is_measured_on_the_boards_own_clock_and_lost_samples_do_not_change_it() -> None:
    monitor = Monitor()
    monitor.accept([arrival(batch(0, 3000, ppm=500.0))])
    assert look(monitor, START + 3000 * MS).streams[0].measured_hz == pytest.approx(1000.0, rel=1e-6)
    monitor.accept([arrival(batch(3100, 3000, ppm=500.0))])
    snapshot = look(monitor, START + 6200 * MS)
    assert snapshot.streams[0].measured_hz == pytest.approx(1000.0, rel=1e-6)
    assert snapshot.boards[0].rate_hz == snapshot.streams[0].measured_hz


def test_a_silent_board_shows_rate_zero_and_one_that_never_spoke_none() -> None:
    monitor = Monitor()
    assert look(monitor, START).boards[0].rate_hz is None
    monitor.accept([arrival(batch(0, 100))])
    assert look(monitor, START + 10_000 * MS).boards[0].rate_hz == 0.0


def test_a_board_that_was_closed_keeps_the_rate_it_had_however_long_closing_took() -> None:
    monitor = Monitor()
    monitor.accept([arrival(batch(0, 100))])
    closed = monitor.snapshot(View(), START + 10_000 * MS, Bench(boards=(BoardView("imu", "closed"),)))
    assert closed.boards[0].rate_hz == pytest.approx(1000.0)


def test_a_frozen_view_shows_what_was_there_then() -> None:
    monitor = Monitor()
    monitor.accept([arrival(batch(0, 1000))])
    before = look(monitor, START + 1000 * MS, columns=10, seconds=1.0).streams[0]
    monitor.accept([arrival(batch(1000, 5000))])
    frozen = look(monitor, START + 6000 * MS, columns=10, seconds=1.0, end_ns=before.end_ns).streams[0]
    assert (frozen.start_ns, frozen.end_ns) == (before.start_ns, before.end_ns)
    np.testing.assert_array_equal(frozen.low[:, :-1], before.low[:, :-1])


def test_frames_come_as_pictures_with_their_range() -> None:
    monitor = Monitor()
    monitor.accept([arrival(batch(0, 20, stream=HEAT))])
    stream = look(monitor, START + 2000 * MS, columns=4, seconds=2.0).streams[0]
    values = batch(0, 20, stream=HEAT).values
    assert stream.image is not None
    np.testing.assert_array_equal(stream.image, values[-1])
    assert stream.image_ns == START + 1900 * MS
    assert (stream.image_low, stream.image_high) == (pytest.approx(values.min()), pytest.approx(values.max()))
    np.testing.assert_array_equal(stream.low[0], values.reshape(4, 5, -1).min((1, 2)))
    earlier = look(monitor, START + 2000 * MS, columns=4, seconds=2.0, end_ns=START + 1000 * MS).streams[0]
    assert earlier.image is not None
    np.testing.assert_array_equal(earlier.image, values[10])


def test_unknown_losses_stay_unknown() -> None:
    monitor = Monitor()
    known = SampleBooks(received=5, delivered=5, expected=8, lost=2, unattributed=1)
    unknown = SampleBooks(received=5, delivered=5, duplicate=None, late=None, expected=None, lost=None,
                          unattributed=None, board_dropped=None, host_dropped=None)  # fmt: skip
    monitor.accept([arrival(books=Books(10, {"frames": 10}, 0, {("imu", 0): known}))])
    assert look(monitor, START).boards[0].lost == 3
    both = Books(10, {"frames": 10}, 0, {("imu", 0): known, ("text", 0): unknown})
    monitor.accept([arrival(books=both)])
    board = look(monitor, START).boards[0]
    assert board.lost is None
    assert dict(board.ledger)["lost"] is None
    assert dict(board.ledger)["delivered"] == 10
    assert dict(ledger_rows(both))["bytes frames"] == 10
    assert board.closes == ()


def test_identity_boots_and_events_reach_the_screen() -> None:
    monitor = Monitor()
    monitor.accept(
        [
            arrival(Connected("imu", START, INFO, 0), Log("imu", START, "info", "hello\x1b[31m"),
                    Rebooted("imu", START, 1, False), Disconnected("imu", START, "unplugged"),
                    Mark("", START, "note 1")),
            arrival(*(Damage("imu", START + at, "checksum", 7) for at in range(500))),
            arrival(*(Gap("imu", START + at, "imu", 0, at, 2, "link") for at in range(50))),
        ]
    )  # fmt: skip
    snapshot = look(monitor, START + 2000 * MS)
    board = snapshot.boards[0]
    assert (board.model, board.serial, board.firmware, board.dialect, board.boot) == (
        "hil-imu", "0001", "1.2", "native", 1,
    )  # fmt: skip
    text = "\n".join(line.text for line in snapshot.log)
    assert "\x1b" not in text
    for expected in ("hil-imu 0001 1.2", "rebooted (boot 1)", "unplugged", "note 1", "3500 bytes unreadable: checksum"):
        assert expected in text
    assert "100 samples of imu lost in 50 gaps (link)" in text
    assert len(snapshot.log) < 10


def test_decisions_carry_their_history_what_the_board_told_and_their_lag() -> None:
    monitor = Monitor()
    decisions = [
        Prediction("imu", START + at * MS, "exercise", "imu", 0, at, label, 0.5 + at / 10_000, (0.4, 0.6))
        for at, label in ((499, "squat"), (999, "press"))
    ]
    monitor.accept(
        [arrival(Log("imu", START, "info", "label: squat person 9 side left"), batch(0, 1200), decisions[0])]
    )
    monitor.accept([arrival(decisions[1])])
    bench = Bench(boards=(BoardView("imu", "live"),), models=(PredictionView("exercise", "imu", "ready"),))
    shown = monitor.snapshot(View(history=10), START + 1200 * MS, bench).predictions[0]
    assert (shown.label, shown.told, shown.behind_s) == ("press", "squat", pytest.approx(0.2))
    assert [row[1] for row in shown.history] == ["squat", "press"]
    frozen = monitor.snapshot(View(end_ns=START + 600 * MS), START + 1200 * MS, bench).predictions[0]
    assert frozen.label == "squat"
    assert "label:" not in "".join(line.text for line in monitor.snapshot(View(), START, bench).log)


def test_a_jump_forgets_readings_but_not_boards() -> None:
    monitor = Monitor()
    monitor.accept([arrival(Connected("imu", START, INFO, 0), batch(0, 1000))])
    monitor.reset()
    monitor.accept([arrival(batch(100, 100))])
    snapshot = look(monitor, START + 200 * MS, columns=10, seconds=1.0)
    assert snapshot.boards[0].model == "hil-imu"
    assert np.flatnonzero(~np.isnan(snapshot.streams[0].low[0])).tolist() == [9]
    assert not snapshot.streams[0].gaps.any()
