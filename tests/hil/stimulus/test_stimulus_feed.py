"""A recording goes into a board and comes back whole; what a link or a sensor does to it is counted exactly."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from firmware_bridge.errors import UsageError
from firmware_bridge.faults import Fault, Schedule
from firmware_bridge.ledger import Books
from firmware_bridge.rehearsal import Rehearsal
from firmware_bridge.roles import PortSpec
from firmware_bridge.streams import BoardInfo, Stream
from firmware_bridge.wire.dialect import DialectSpec
from hil.cli import app
from hil.stimulus.feed import Feeder, fed
from hil.stimulus.fit import Fit, fit
from hil.stimulus.match import Match
from hil.stimulus.readings import Readings, labels_on, read_readings
from hil.stimulus.twin import twin_of

WATCH = Path(__file__).resolve().parents[3] / "scenarios" / "recordings" / "watch-unseen-9.mcap"
AXES = ("ax", "ay", "az", "wx", "wy", "wz")
UNITS = ("g",) * 3 + ("rad/s",) * 3
IMU = Stream("imu", AXES, UNITS, "<i2", (6,), 1000.0)


def six_axes(n: int) -> Readings:
    raw = np.random.default_rng(3).integers(-30_000, 30_000, (n, 6)).astype("<i2")
    return Readings(IMU, raw, 1_000_000 * np.arange(n, dtype=np.int64))


def pushed(readings: Readings, *faults: Fault, seed: int = 1) -> tuple[Match, Books, Feeder]:
    feeder = Feeder("dut", [readings])
    spec = PortSpec("virtual://twin", "dut", DialectSpec("native"), faults=Schedule(seed, faults),
                    injected=feeder.choose)  # fmt: skip
    bench = Rehearsal(spec, make=lambda: twin_of(readings, "T"))
    with bench:
        list(fed(bench, bench.clock.now_ns, [feeder]))
        books = bench.boards()[0].books
    return feeder.match(), books, feeder


@pytest.fixture(scope="module")
def watch() -> tuple[Readings, Match, Feeder]:
    """A minute of the watch, pushed into a board that takes it."""
    (readings,) = read_readings(WATCH, to_s=60.0)
    match, _, feeder = pushed(readings)
    return readings, match, feeder


def test_a_minute_of_the_watch_at_50_hz_comes_back_whole(watch: tuple[Readings, Match, Feeder]) -> None:
    _, match, _ = watch
    assert (match.total, match.returned) == (3001, 3001)
    assert (match.missing, match.starved, match.out_of_order, match.differing) == (0, 0, 0, 0)
    assert match.whole
    assert match.exact


def test_six_axes_at_1_khz_come_back_whole() -> None:
    match, _, _ = pushed(six_axes(10_000))
    assert (match.returned, match.missing, match.starved, match.out_of_order, match.differing) == (10_000, 0, 0, 0, 0)
    assert match.round_trip_ms is not None
    assert 0 < match.round_trip_ms[0] <= match.round_trip_ms[1] <= match.round_trip_ms[2] < 1000


def test_lost_frames_are_missing_readings_exactly_as_the_ledger_counts_them() -> None:
    match, books, _ = pushed(six_axes(3000), Fault.of(kind="frame.drop", on="dut", rate=0.1))
    assert match.missing == books.total("imu").missing
    assert match.missing > 0
    assert match.returned == 3000 - match.missing
    assert not match.whole


def test_samples_that_come_after_later_ones_are_out_of_order() -> None:
    match, books, _ = pushed(six_axes(3000), Fault.of(kind="frame.reorder", on="dut", rate=0.05))
    assert match.out_of_order == books.total("imu").late
    assert match.out_of_order > 0


def test_a_stuck_sensor_shows_as_values_that_differ_and_nothing_else() -> None:
    readings = six_axes(2000)
    match, _, _ = pushed(readings, Fault.of(kind="sensor.stuck", on="dut", hold_s=0.2, from_s=0.5))
    assert (match.missing, match.out_of_order) == (0, 0)
    assert 195 <= match.differing <= 200


def test_a_link_that_holds_still_starves_the_board_and_nothing_is_lost() -> None:
    match, _, _ = pushed(six_axes(2000), Fault.of(kind="link.stall", on="dut", hold_s=0.6, from_s=0.5))
    assert match.missing == 0
    assert match.starved is not None
    assert 200 <= match.starved <= 500


@pytest.mark.parametrize("kind", ["link.disconnect", "clock.reboot"])
def test_a_board_that_starts_anew_is_given_the_rest_and_every_reading_comes_back_once(kind: str) -> None:
    match, _, _ = pushed(six_axes(3000), Fault.of(kind=kind, on="dut", from_s=1.0, to_s=2.0, every_s=0.8))
    assert (match.returned, match.missing, match.differing) == (3000, 0, 0)


def test_labels_move_with_their_readings(watch: tuple[Readings, Match, Feeder]) -> None:
    readings, _, feeder = watch
    placed = feeder.labels()
    assert [label.text for label in placed] == [
        label.text for label in readings.labels if label.start_ns < readings.t_ns[-1]
    ]
    first, recorded = placed[0], readings.labels[0]
    assert first.stop_ns is not None
    assert recorded.stop_ns is not None
    assert (first.stop_ns - first.start_ns) / 1e9 == pytest.approx(
        (recorded.stop_ns - max(recorded.start_ns, int(readings.t_ns[0]))) / 1e9, abs=0.05
    )


def test_no_label_is_placed_where_nothing_of_it_came_back(watch: tuple[Readings, Match, Feeder]) -> None:
    readings = watch[0]
    assert labels_on(readings, np.zeros(len(readings.raw), np.int64), "dut") == ()


def info(stream: Stream, dialect: str = "native") -> BoardInfo:
    return BoardInfo("b", "1", "f", (stream,), dialect)


def test_readings_are_converted_to_the_boards_scale_and_what_it_cannot_hold_is_counted() -> None:
    recorded = Stream("imu", ("x",), ("g",), "<i2", (1,), 10.0, (0.001,))
    readings = Readings(recorded, np.array([[0], [1000], [-2500], [30000]], "<i2"), np.arange(4, dtype=np.int64))
    found = fit([readings], info(Stream("acc", ("z",), ("g",), "i1", (1,), 10.0, (0.1,))))
    assert isinstance(found, Fit)
    assert found.raw[:, 0].tolist() == [0, 10, -25, 127]
    assert (found.exact, found.cut) == (False, 1)


def test_the_same_scale_keeps_every_bit() -> None:
    readings = six_axes(50)
    found = fit([readings], info(IMU))
    assert isinstance(found, Fit)
    assert found.exact
    assert (found.raw == readings.raw).all()


@pytest.mark.parametrize(
    ("board", "sentence"),
    [
        (info(IMU, "lines"), "has no INJECT"),
        (info(Stream("imu", ("a",), ("g",), "<i2", (1,), 10.0)), "imu 1 in g, and recorded is imu 6 in g/rad/s"),
    ],
)
def test_a_board_that_cannot_take_them_is_told_in_a_sentence(board: BoardInfo, sentence: str) -> None:
    found = fit([six_axes(5)], board)
    assert isinstance(found, str)
    assert sentence in found


def hil(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_the_verb_records_what_passed_and_it_can_be_verified(tmp_path: Path) -> None:
    path = tmp_path / "back.mcap"
    # No more than the board has room for at once: none waits for a host that is busy.
    done = hil("replay", str(WATCH), "--on", "virtual://imu", "--to", "5", "--speed", "4", "-o", str(path))
    assert done.exit_code == 0, done.output
    assert "251 of 251 readings pushed, 251 came back" in done.stdout
    from hil.models.verify import verify
    from hil.recording.reader import Recording

    assert verify(path).verdict == "reproduced"
    with Recording(path) as recording:
        assert [label.text for label in recording.labels][:1] == ["PEN"]
        assert any(arrival.kind == "tx" for arrival in recording.arrivals())


def test_the_verb_ends_with_1_when_something_is_missing(tmp_path: Path) -> None:
    faults = tmp_path / "faults.toml"
    faults.write_text('seed = 1\n[[fault]]\nkind = "frame.drop"\nrate = 0.2\n')
    done = hil("replay", str(WATCH), "--on", f"virtual://imu?faults={faults}", "--to", "10", "--speed", "20", "--json")
    plain = json.loads(done.stdout)
    assert done.exit_code == 1
    assert plain["missing"] > 0
    assert plain["missing"] == plain["total"] - plain["returned"]


def test_the_verb_refuses_in_a_sentence_when_nothing_fits() -> None:
    done = hil("replay", str(WATCH), "--on", "virtual://ppg", "--to", "1")
    assert isinstance(done.exception, UsageError)
    assert done.exception.exit_code == 2
    assert "no stream of hil-ppg fits" in str(done.exception)


@pytest.mark.pty
@pytest.mark.skipif(sys.platform == "win32", reason="pseudo terminals exist on Linux and macOS")
def test_a_board_on_a_pseudo_terminal_is_fed_like_any_other() -> None:
    from firmware_bridge.clock import SystemClock
    from hil.stimulus.play import play

    command = [sys.executable, "-m", "firmware_bridge.virtual.serve", "imu?tx_buffer=100000000"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ))
    try:
        assert server.stdout is not None
        port = server.stdout.readline().decode().split()[0]
        played = play([six_axes(2000)], PortSpec(port, "dut"), clock=SystemClock())
        match = played.match
        assert (match.returned, match.missing, match.out_of_order, match.differing) == (2000, 0, 0, 0)
    finally:
        server.communicate(timeout=150)
