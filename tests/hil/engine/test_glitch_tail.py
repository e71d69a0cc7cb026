"""The seconds after a glitch are over when the readings reach their end, however long the bench stood still."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from benchsim import START, simulate
from engines import until

from firmware_bridge.clock import ManualClock
from firmware_bridge.events import Arrival
from firmware_bridge.wire.dialect import DialectSpec
from hil.config import GlitchConfig
from hil.engine.glitches import Glitches
from hil.monitor.triggers import Trigger
from hil.recording.header import BoardSetup
from hil.recording.reader import Recording
from hil.replay.midway import Openings

PORT = "virtual://imu?seed=3"
BEFORE_S, AFTER_S = 0.5, 1.0


class Bench:
    """Glitches of a board whose readings pass when the test says so."""

    def __init__(self, folder: Path, turn: Callable[[], object]) -> None:
        self.clock = ManualClock(START)
        self.openings = Openings(BEFORE_S)
        self.arrivals = simulate({"imu": PORT}, 4.0)
        setup = BoardSetup("imu", PORT, DialectSpec("native"), 1)
        self.glitches = Glitches(
            GlitchConfig(before_s=BEFORE_S, after_s=AFTER_S, output=str(folder)), self.openings, lambda note: None,
            turn, lambda: (setup,), (), self.clock,
        )  # fmt: skip

    def now_s(self, seconds: float) -> None:
        self.clock.sleep_until_ns(START + round(seconds * 1e9))

    def passes(self, from_s: float, to_s: float) -> None:
        """Let what arrived within some seconds pass, whatever the clock says."""
        for arrival in self.arrivals:
            if from_s * 1e9 <= arrival.t_ns - START < to_s * 1e9:
                self.openings.accept([arrival])
                self.glitches.accept([arrival])

    def sees(self) -> None:
        self.glitches.trigger(Trigger(self.clock.now_ns(), "key", "a bump"))

    def saved(self) -> list[Arrival]:
        until(lambda: bool(self.glitches.saved))
        self.glitches.close()
        with Recording(self.glitches.saved[0].path) as recording:
            return [one for one in recording.arrivals() if one.kind == "rx"]


def test_a_bench_that_stood_still_saves_the_seconds_after_whole_and_not_more(tmp_path: Path) -> None:
    passed = threading.Event()
    bench = Bench(tmp_path, lambda: passed.wait(300))
    bench.now_s(1.0)
    bench.passes(0.0, 1.0)
    bench.sees()
    bench.now_s(60.0)  # the clock is long past the seconds after, and nothing of them has passed yet
    bench.passes(1.0, 4.0)
    passed.set()
    heard = [(one.t_ns - START) / 1e9 for one in bench.saved()]
    whole = [(one.t_ns - START) / 1e9 for one in bench.arrivals if one.kind == "rx"]
    end = next(second for second in whole if second >= 1.0 + AFTER_S)
    assert [second for second in heard if second >= 1.0] == [second for second in whole if 1.0 <= second <= end]


def test_a_trigger_among_readings_that_pass_late_lengthens_the_glitch_it_belongs_to(tmp_path: Path) -> None:
    passed = threading.Event()
    bench = Bench(tmp_path, lambda: passed.wait(300))
    bench.now_s(1.0)
    bench.passes(0.0, 1.0)
    bench.sees()
    bench.now_s(2.5)
    bench.passes(1.0, 1.8)
    bench.sees()
    bench.passes(1.8, 4.0)
    passed.set()
    heard = [(one.t_ns - START) / 1e9 for one in bench.saved()]
    assert bench.glitches.saved[0].triggers == 2
    assert heard[-1] >= 3.5


def test_where_no_board_sends_any_more_the_glitch_ends_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hil.engine.glitches.QUIET_S", 0.1)
    bench = Bench(tmp_path, lambda: None)
    bench.now_s(1.0)
    bench.passes(0.0, 1.0)
    bench.sees()
    bench.now_s(2.5)
    heard = [(one.t_ns - START) / 1e9 for one in bench.saved()]
    assert 0.9 < heard[-1] <= 1.0
