"""Teaching by showing: stretches between two keys become a class, and the next gesture is recognised."""

from pathlib import Path

import numpy as np
import pytest
from kshot_data import CHANNELS, HOP, RATE, UNITS, WINDOW, gesture, hands

from firmware_bridge.batch import Batch
from firmware_bridge.clock import ManualClock
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Arrival, Prediction
from firmware_bridge.streams import Stream
from hil.config import ModelConfig
from hil.models.model import load_model
from hil.models.package import write_package
from hil.serving.stage import ModelStage
from hil.serving.taps import load_runner
from hil.serving.teaching import Teaching

STREAM = Stream("hand", CHANNELS, UNITS, "<f4", (3,), RATE)
STEP_NS = round(1e9 / RATE)


class Bench:
    """A board whose samples are given by hand, and the models that read them."""

    def __init__(self, path: Path) -> None:
        self.clock = ManualClock(10**18)
        self.models: list[ModelStage] = []
        self.count = 0
        self.load(ModelConfig(path=str(path)))
        self.teaching = Teaching(self.models, self.load, self.clock.now_ns)

    def load(self, model: ModelConfig) -> None:
        stage = ModelStage(model.path, model.boards, load_runner(model.path, model.boards), background=False)
        self.models.append(stage)
        stage.process([])

    def move(self, kind: int, person: int, count: int = 4 * WINDOW, skip: int = 0) -> dict[str, list[str]]:
        """Let a person make a gesture; return what every model said meanwhile."""
        self.count += skip
        self.clock.advance_ns(skip * STEP_NS)
        numbers = np.arange(self.count, self.count + count, dtype=np.int64)
        t_ns = self.clock.now_ns() + (np.arange(count) + 1) * STEP_NS
        self.count += count
        self.clock.advance_ns(count * STEP_NS)
        raw = gesture(kind, person, count).astype("<f4")
        batch = Batch("wrist", STREAM, 0, int(numbers[0]), numbers * 20_000, t_ns, raw)
        said: dict[str, list[str]] = {}
        for stage in self.models:
            made = stage.process([Arrival("wrist", 0, int(t_ns[-1]), "rx", b"", (batch,))])
            notes = [one for arrival in made for one in arrival.items if isinstance(one, Prediction)]
            said[stage.name] = [one.label for one in notes]
        return said


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    package = hands()
    path = tmp_path_factory.mktemp("models") / "hands.hilmodel"
    write_package(path, package.contract, dict(package.weights))
    return path


def test_a_gesture_shown_three_times_is_recognised_at_once_by_a_child_that_runs_beside_its_parent(parent) -> None:
    bench = Bench(parent)
    bench.move(0, 1)
    for person in (1, 2, 3):
        assert bench.teaching.show("hands")["running"]
        bench.move(4, person)
        assert not bench.teaching.show("hands")["running"]
        bench.move(1, person)
    told = bench.teaching.teach("tap")
    assert {key: told[key] for key in ("model", "running", "shown")} == {
        "model": "hands-tap", "running": False, "shown": 0}  # fmt: skip
    assert Path(told["path"]).parent == parent.parent
    assert "hands-tap runs: tap learnt from 3 examples (100% recognised by the others)" in told["sentence"]
    said = bench.move(4, 5)
    inside = said["hands-tap"][WINDOW // HOP :]
    assert inside.count("tap") / len(inside) >= 0.9
    assert "tap" not in said["hands"]
    child = load_model(told["path"]).contract
    assert child.lineage["enrolled"][0]["label"] == "tap"
    assert len(child.lineage["enrolled"][0]["examples"]) == 3
    work = bench.models[1].views()[0].work
    assert work is not None
    assert work.teachable
    assert work.decisions == len(said["hands-tap"])
    assert work.hop_ms == pytest.approx(200.0)
    assert len(work.latency_ms) == 3
    Path(told["path"]).unlink()


def test_what_was_shown_by_mistake_is_let_go_of(parent) -> None:
    bench = Bench(parent)
    bench.move(0, 1)
    assert bench.teaching.show("hands") == {"model": "hands", "running": True, "shown": 0}
    assert bench.teaching.drop() == {"model": "hands", "running": False, "shown": 0}
    bench.teaching.show("hands")
    bench.move(4, 1)
    bench.teaching.show("hands")
    assert bench.teaching.drop()["shown"] == 0
    with pytest.raises(UsageError, match="nothing was shown yet"):
        bench.teaching.teach("tap")


def test_a_stretch_with_a_gap_or_without_readings_is_refused(parent) -> None:
    bench = Bench(parent)
    with pytest.raises(UsageError, match="there is no model"):
        bench.teaching.show("feet")
    bench.move(0, 1)
    bench.teaching.show("hands")
    bench.move(4, 1, count=2 * WINDOW)
    bench.move(4, 1, count=2 * WINDOW, skip=25)
    bench.teaching.show("hands")
    with pytest.raises(UsageError, match="a gap lies in this stretch"):
        bench.teaching.teach("tap")
    bench.teaching.drop()
    bench.clock.advance_ns(10**9)
    bench.teaching.show("hands")
    bench.clock.advance_ns(10**9)
    bench.teaching.show("hands")
    with pytest.raises(UsageError, match="nothing of this stretch is kept"):
        bench.teaching.teach("tap")


def test_a_model_that_is_still_loading_is_asked_again_and_not_loaded_twice(parent) -> None:
    stage = ModelStage(str(parent), (), load_runner(str(parent), ()), background=False)
    assert stage.state == "loading"
    with pytest.raises(UsageError, match="try again in a moment"):
        Teaching([stage], lambda model: None, lambda: 0).show(stage.name)
