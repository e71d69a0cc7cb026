"""The end of a bench waits for models that are behind; what it does not wait for is said, with how much is missing."""

import signal
import threading
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path
from typing import ClassVar

import pytest
from engines import IMU, QUICK, Unhurried, samples, until

from firmware_bridge.batch import Batch
from firmware_bridge.events import Item, Log, Prediction
from hil.capture import interruptible
from hil.config import EngineConfig, ModelConfig, PortConfig, RecordConfig
from hil.engine.ending import LOADING_S, STILL_S, stopped_waiting
from hil.engine.engine import Engine
from hil.models.package import read_package
from hil.recording.reader import Recording

EXERCISE = str(files("hil.models").joinpath("exercise.hilmodel"))
WATCH = PortConfig(port="virtual://watch?pause_s=0&tx_buffer=100000000", role="watch")


class Bench:
    """Stands for what is waited for: it ends after so many looks, and goes on at those that are named."""

    def __init__(self, ends_at: float, goes_on: Callable[[int], bool] = lambda look: True) -> None:
        self.looks = self.done = self.long = 0
        self._ends_at, self._goes_on = ends_at, goes_on

    def ended(self, seconds: float) -> bool:
        self.looks += 1
        self.done += self._goes_on(self.looks)
        return self.looks >= self._ends_at

    def wait(self, loading: Callable[[], bool] = lambda: False, hurried: Callable[[], bool] = lambda: False) -> str:
        return stopped_waiting(self.ended, lambda: self.done, loading, hurried, self.is_long)

    def is_long(self) -> None:
        self.long += 1


def test_an_end_is_waited_for_as_long_as_anything_goes_on() -> None:
    slow = Bench(ends_at=50_000, goes_on=lambda look: look % 250 == 0)
    assert slow.wait() == ""
    assert (slow.looks, slow.long) == (50_000, 1)
    quick = Bench(ends_at=3)
    assert (quick.wait(), quick.long) == ("", 0)


@pytest.mark.parametrize(("loading", "limit"), [(False, STILL_S), (True, LOADING_S)])
def test_what_stands_still_is_given_up_after_a_limit_that_is_said(loading: bool, limit: float) -> None:
    stuck = Bench(ends_at=float("inf"), goes_on=lambda look: look <= 100)
    assert stuck.wait(lambda: loading) == f"nothing went on for {limit:g} s"
    assert stuck.looks == 100 + round(limit * 10)


def test_somebody_in_a_hurry_is_not_kept_waiting() -> None:
    bench = Bench(ends_at=float("inf"))
    assert bench.wait(hurried=lambda: bench.looks > 4) == "it was told to end at once"


class Decides:
    """Stands for a model's executor: decides at the end of every batch."""

    class contract:  # noqa: N801
        name, labels, hop, reach, rate_hz, reference = "decides", ("a",), 10, 10, 1000.0, None

    slot_map: ClassVar[dict[str, int]] = {}

    def push(self, items: Iterable[Item]) -> list[Prediction]:
        return [
            Prediction(item.board, int(item.t_ns[-1]), "decides", item.stream.name, 0, item.end - 1, "a", 1.0, (1.0,))
            for item in items if isinstance(item, Batch)
        ]  # fmt: skip

    def identity(self) -> dict[str, object]:
        return {"model": "decides"}


def held_up(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let no model be loaded before the event is set."""
    release = threading.Event()

    def load() -> Callable[[object], Decides]:
        assert release.wait(300)
        return lambda _: Decides()

    monkeypatch.setattr("hil.serving.bench.load_runner", lambda *arguments, **options: load)
    return release


def watched(path: Path, role: str, count: int) -> Engine:
    """A bench that has taken so many readings of a board for a model that is still being loaded."""
    config = EngineConfig(
        ports=(WATCH, IMU), models=(ModelConfig(path=EXERCISE),), record=RecordConfig(path=str(path))
    )  # fmt: skip
    engine = Engine(config, Unhurried()).start()
    until(lambda: samples(engine, role) > count)
    return engine


def test_a_model_that_is_loaded_only_after_the_end_decides_on_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = held_up(monkeypatch)
    engine = watched(tmp_path / "run.mcap", "imu", 1000)
    told: list[str] = []

    def tell(sentence: str) -> None:  # the end has been waiting: only now the model comes
        told.append(sentence)
        release.set()

    engine.close(tell)
    assert told == ["waiting for exercise to come to the end; Ctrl-C ends it without"]
    assert engine.left_out == ()
    assert engine.summary().trouble == ""
    with Recording(tmp_path / "run.mcap") as recording:
        decided = [one.sample for one in recording.predictions("decides", "imu")]
        numbers = recording.read("imu", "imu").numbers
    assert decided
    assert decided == sorted(decided)
    assert decided[-1] == numbers[-1]


def test_an_end_in_a_hurry_says_what_was_left_out_and_how_many_decisions_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = held_up(monkeypatch)
    engine = watched(tmp_path / "run.mcap", "watch", 60)
    engine.close(lambda sentence: engine.hurried.set())
    (sentence,) = engine.left_out
    with Recording(tmp_path / "run.mcap") as recording:
        numbers = recording.read(
            "watch", next(one.stream.name for one in recording.streams() if one.board == "watch")
        ).numbers
        assert not recording.predictions()
        logged = [event.text for event in recording.events() if isinstance(event, Log)]
    hop = read_package(Path(EXERCISE)).contract.hop
    missing = (int(numbers[-1]) + 1) // hop - int(numbers[0]) // hop
    assert sentence == (
        f"exercise did not see {len(numbers):,} readings of watch: up to {missing:,} of its decisions are missing "
        "(it was told to end at once)"
    )
    assert sentence in logged
    summary = engine.summary()
    assert summary.trouble == sentence
    assert engine.snapshot(QUICK).predictions[0].sentence == "it was given up before it had seen every reading"
    release.set()  # too late: what is said stays said
    assert engine.models[0].wait(300)
    assert engine.summary().trouble == sentence


def test_the_first_ctrl_c_ends_a_run_and_the_second_one_its_waiting() -> None:
    hurried = threading.Event()
    with interruptible(None, hurried) as ended:
        signal.raise_signal(signal.SIGINT)
        assert (ended.is_set(), hurried.is_set()) == (True, False)
        signal.raise_signal(signal.SIGTERM)
        assert hurried.is_set()
