"""The transport of a replay: pause, step, step back, hold at the end; and a host that is too slow skips nothing."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from benchsim import record, simulate

from firmware_bridge.batch import Batch
from firmware_bridge.clock import ManualClock
from firmware_bridge.events import Arrival
from hil.recording.reader import Recording
from hil.replay.replay import Replay

BOARDS = {"watch": "virtual://watch?pause_s=0", "heat": "virtual://thermal"}


@pytest.fixture(scope="module")
def live() -> list[Arrival]:
    return simulate(BOARDS, 24.0)


@pytest.fixture(scope="module")
def path(live: list[Arrival], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("transport") / "run.mcap", BOARDS, live)


@pytest.fixture
def recording(path: Path) -> Iterator[Recording]:
    with Recording(path) as opened:
        yield opened


def test_a_pause_stops_the_schedule_and_makes_nothing_late(recording: Recording) -> None:
    clock = ManualClock()
    replay = Replay(recording, clock=clock)
    for _ in range(50):
        replay.take(0.05)
    assert replay.pause() is True
    place = replay.view().position_s
    assert replay.take(100.0) == []
    assert replay.view().position_s == place
    assert replay.pause() is False
    for _ in range(50):
        replay.take(0.05)
    view = replay.view()
    assert view.position_s > place
    assert view.late_max_ms is not None
    assert view.late_max_ms < 1.0


@pytest.mark.parametrize("samples", [1, 3, 50])
def test_a_step_hands_on_exactly_so_many_samples(recording: Recording, samples: int) -> None:
    replay = Replay(recording, clock=ManualClock(), speed=None)
    replay.seek(4.0)
    seen: list[Batch] = []
    for _ in range(4):
        replay.step(samples, ("watch", "imu"))
        while taken := replay.take(0.0):
            seen += [i for one in taken for i in one.items if isinstance(i, Batch) and i.board == "watch"]
        assert replay.view().paused
    numbers = np.concatenate([np.arange(batch.first, batch.end) for batch in seen])
    np.testing.assert_array_equal(numbers, np.arange(numbers[0], numbers[0] + 4 * samples))


def test_a_step_back_goes_back_and_the_rest_follows_without_a_hole(recording: Recording) -> None:
    replay = Replay(recording, clock=ManualClock(), speed=None)
    replay.seek(4.0)

    def watch(arrivals: list[Arrival]) -> list[int]:
        batches = [i for one in arrivals for i in one.items if isinstance(i, Batch) and i.board == "watch"]
        return [number for batch in batches for number in range(batch.first, batch.end)]

    replay.step(40, ("watch", "imu"))
    forward = watch(replay.take(0.0))
    replay.step(-20, ("watch", "imu"))
    back = watch(replay.take(0.0))
    assert len(back) == 1
    assert forward[-1] - 25 <= back[0] <= forward[-1] - 12
    replay.pause(False)
    rest = watch(replay.take(0.0))
    assert rest[:5] == list(range(back[0] + 1, back[0] + 6))


def test_a_slow_host_skips_nothing_and_says_how_late_it_was(recording: Recording, live: list[Arrival]) -> None:
    clock = ManualClock()
    replay = Replay(recording, clock=clock)
    taken: list[Arrival] = []
    while not replay.ended:
        taken += replay.take(0.05)
        clock.advance_ns(80_000_000)
    assert len(taken) == len(live)
    report = replay.report()
    assert report.missed > 100
    assert report.max_ms is not None
    assert 75 < report.max_ms < 200


def test_a_held_replay_stays_at_its_end_and_goes_back(recording: Recording) -> None:
    replay = Replay(recording, clock=ManualClock(), speed=None, hold=True)
    while replay.take(0.0):
        pass
    assert not replay.ended
    assert replay.view().ended
    replay.seek(20.0)
    assert replay.take(0.0)
