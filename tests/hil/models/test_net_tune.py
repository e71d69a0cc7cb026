"""The fast way is chosen once, by measurement, and travels in the model file; a bad program ends in a sentence."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from net_models import net_model, net_readings, whole_windows

from firmware_bridge.errors import FileError, UsageError
from hil.models import load_model
from hil.models.model import Model
from hil.models.nets.shapes import SHAPES
from hil.models.package import pack, unpack, write_package
from hil.models.tune import tune

GOLDEN = Path(__file__).with_name("golden_v2.hilmodel")
"""`net_model("gru", 5)` with post-processing, tuned by the first version that could."""


class Clock:
    """Counts calls; every second one is `cost` later than the one before, in turns of the ways."""

    def __init__(self, *costs: int) -> None:
        self.costs, self.calls, self.now = costs, 0, 0

    def __call__(self) -> int:
        turn, ends = divmod(self.calls, 2)
        self.calls += 1
        self.now += self.costs[turn % len(self.costs)] if ends else 0
        return self.now


@pytest.mark.parametrize(("costs", "chosen"), [((9000, 4000), "onnxruntime"), ((4000, 9000), "eager")])
def test_the_faster_way_is_chosen_and_written(costs: tuple[int, int], chosen: str, tmp_path: Path) -> None:
    model = net_model("tcn", 5)
    found = tune(model, slots=2, calls=20, clock=Clock(*costs))
    assert found.ways[0].backend == chosen == found.model.contract.backend
    assert found.ways[0].p50_us == 4.0
    package = found.model.package
    write_package(tmp_path / "t.hilmodel", package.contract, dict(package.weights), package.step)
    opened = load_model(tmp_path / "t.hilmodel")
    assert opened.runner().identity()["backend"] == chosen
    told = opened.contract.lineage["tuned"]
    assert {way["backend"] for way in told["ways"]} == {"eager", "onnxruntime"}
    assert told["slots"] == 2
    again = tune(model, slots=2, calls=20, clock=Clock(*costs))
    assert again.model.package.sha256 == package.sha256


def test_a_model_that_is_handed_on_names_no_folder_of_whoever_tuned_it() -> None:
    step = tune(net_model("gru", 5), slots=2, calls=20, clock=Clock(9000, 4000)).model.package.step
    assert step is not None
    assert b".py" not in step


def test_a_way_that_does_not_agree_is_not_chosen_however_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    from hil.models.step_onnx import OnnxStep

    original = OnnxStep.run
    monkeypatch.setattr(OnnxStep, "run", lambda *given, **named: original(*given, **named) * np.float32(1.01))
    found = tune(net_model("tcn", 5), slots=2, calls=20, clock=Clock(9000, 4000))
    assert found.model.contract.backend == "eager"
    assert "more than the 0.0001 allowed" in found.ways[1].refused


def test_a_network_that_is_not_ours_and_one_without_a_program_say_what_to_do() -> None:
    gru = net_model("gru", 5)
    with pytest.raises(UsageError, match="it has no streaming step for onnxruntime; make one with: hil model tune"):
        gru.runner(backend="onnxruntime")


def test_a_tuned_file_of_version_2_runs_on_both_backends_for_ever() -> None:
    opened = load_model(GOLDEN)
    package = opened.package
    assert pack(package.contract, dict(package.weights), package.step) == GOLDEN.read_bytes()
    assert package.contract.post.smoothing == 2
    batch = net_readings("gru", 100)
    expected = whole_windows(opened, batch)
    for slots in (1, 8):
        eager, fast = (opened.runner(slots=slots, backend=name).push([batch]) for name in ("eager", "onnxruntime"))
        assert [one.sample for one in eager] == [one.sample for one in fast] != []
        for one, other in zip(eager, fast, strict=True):
            mean = (expected[one.sample] + expected[one.sample - 5]) / 2
            assert np.abs(np.array(one.scores) - mean).max() <= 1e-5
            assert np.abs(np.array(other.scores) - mean).max() <= 1e-5
    parts = opened.runner(backend="onnxruntime")
    made = [one for at in range(100) for one in parts.push([batch.part(at, at + 1)])]
    assert made == opened.runner(backend="onnxruntime").push([batch])


def test_a_step_that_is_damaged_or_another_networks_ends_in_one_sentence() -> None:
    golden, other = load_model(GOLDEN).package, tune(net_model("tcn", 4), slots=1, calls=1, clock=Clock(1, 1))
    weights = dict(golden.weights)
    tcn_step = other.model.package.step
    assert golden.step is not None
    assert tcn_step is not None
    for step, said in (
        (b"no program", "its step.onnx cannot be run"),
        (golden.step[: len(golden.step) // 2], "its step.onnx cannot be run"),
        (tcn_step.replace(b"logits", b"nothin"), "its step.onnx is no streaming step"),
        (tcn_step, "its step.onnx cannot be run"),  # of another hop
    ):
        model = Model(unpack(pack(golden.contract, weights, step), "there"))
        with pytest.raises(FileError, match=said) as caught:
            model.runner(backend="onnxruntime")
        assert "\n" not in str(caught.value)


def test_the_verb_prints_every_way_and_writes_the_file(tmp_path: Path, capsys: Any) -> None:
    from hil.cli import app

    package = net_model("tcn", 5).package
    write_package(tmp_path / "in.hilmodel", package.contract, dict(package.weights))
    out = tmp_path / "out.hilmodel"
    arguments = ["model", "tune", str(tmp_path / "in.hilmodel"), "-o", str(out), "--calls", "100", "--json"]
    app(arguments, standalone_mode=False)
    told = json.loads(capsys.readouterr().out)
    assert told["backend"] == load_model(out).contract.backend == told["ways"][0]["backend"]
    assert all(way["p50_us"] <= way["p99_us"] <= way["p999_us"] for way in told["ways"])
    with pytest.raises(UsageError, match="never overwritten"):
        app(arguments, standalone_mode=False)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SHAPES)
def test_every_network_is_exported_and_agrees_with_whole_windows(name: str) -> None:
    found = tune(net_model(name, 4), slots=3, calls=200)
    assert not any(way.refused for way in found.ways)
    batch = net_readings(name, 120)
    expected = whole_windows(found.model, batch)
    made = found.model.runner(backend="onnxruntime", slots=8).push([batch])
    assert [one.sample for one in made] == list(expected)
    assert max(np.abs(np.array(one.scores) - expected[one.sample]).max() for one in made) <= 1e-5
