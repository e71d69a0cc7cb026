"""The drift watch as people and scripts meet it: the verb, metrics of a scenario, the state beside a live model."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hil.models
from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival
from firmware_bridge.streams import Stream
from hil.cli import main
from hil.drift.verdict import SENSOR
from hil.models.drifting import DriftTap
from hil.models.model import Model, load_model
from hil.models.package import write_package
from hil.scenario.grammar.load import load_scenario
from hil.scenario.options import RunOptions
from hil.scenario.results.outcome import NA, PASS
from hil.scenario.run import run_once
from hil.serving.stage import ModelStage
from hil.serving.taps import load_runner

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = Path(hil.models.__file__).parent / "exercise-small.hilmodel"
UNSEEN = ROOT / "scenarios" / "recordings" / "watch-unseen-10.mcap"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The shipped model as a version without a reference wrote it."""
    package = load_model(SHIPPED).package
    path = tmp_path / "bare.hilmodel"
    write_package(path, package.contract.model_copy(update={"reference": None}), dict(package.weights))
    return path


def said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["hil", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_an_unseen_person_is_no_fault_of_the_sensor(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = said(capsys, monkeypatch, "drift", SHIPPED, "--data", UNSEEN, "--json")
    plain: dict[str, Any] = json.loads(out)
    (one,) = plain["watched"]
    assert code == 0
    assert one["looks"] > 100
    assert one["counts"][SENSOR] == 0
    assert set(one["distances"]) == {"ax", "ay", "az", "wx", "wy", "wz"}
    assert one["embedding"] > 0


def test_the_verb_says_what_is_missing_in_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, bare: Path, tmp_path: Path
) -> None:
    for arguments, code, words in (
        ((bare, "--data", UNSEEN), 2, "--learn"),
        ((SHIPPED,), 2, "--data"),
        ((SHIPPED, "--data", UNSEEN, "--evaluate"), 2, "training configuration"),
        (("x.toml", "--data", UNSEEN, "--evaluate", "--kind", "rust"), 2, "bias, gain, noise, stuck, swap"),
        ((bare, "--data", tmp_path, "--learn"), 2, "-o NEW"),
        ((SHIPPED, "--data", UNSEEN, "-o", bare), 2, "never overwritten"),
    ):
        found, out, err = said(capsys, monkeypatch, "drift", *arguments)
        assert (found, out) == (code, "")
        assert words in err
        assert err.count("\n") == 1


def test_a_scenario_judges_the_watch_and_a_model_without_a_reference_has_none(bare: Path, tmp_path: Path) -> None:
    loaded = load_scenario(ROOT / "scenarios" / "drift" / "gyro-bias.toml")
    result = run_once(loaded, RunOptions())
    assert result.outcome == PASS, [check.why for check in result.checks]
    assert result.metrics["model.exercise.drift.distance.wz"]["value"] > 0
    text = loaded.text.replace('"exercise"', f'"{bare}"').replace("recordings/", f"{ROOT}/scenarios/recordings/")
    path = tmp_path / "bare.toml"
    path.write_text(text.replace("80.0", "10.0").replace("30.0", "5.0"))
    other = run_once(load_scenario(path), RunOptions())
    assert [check.outcome for check in other.checks] == [NA, NA]
    assert "hil drift MODEL --learn" in other.checks[0].why


def arrivals(seconds: int) -> list[Arrival]:
    """A watch whose wearer swings, hop by hop."""
    contract = load_model(SHIPPED).contract
    names, units = tuple(one.channel for one in contract.inputs), tuple(one.unit for one in contract.inputs)
    stream = Stream("imu", names, units, "<f4", (6,), 50.0)
    made = []
    for at in range(seconds):
        numbers = np.arange(at * 50, at * 50 + 50, dtype=np.int64)
        swing = np.sin(2 * np.pi * 0.7 * numbers / 50)[:, None] * [0.3, 0.2, 0.2, 0.8, 1.5, 0.8] + [
            0,
            0.5,
            -0.3,
            0,
            0,
            0,
        ]
        batch = Batch("watch", stream, 0, at * 50, numbers, numbers * 20_000_000, swing.astype(np.float32))
        made.append(Arrival("watch", at, at * 10**9, "rx", items=(batch,)))
    return made


def test_the_state_of_the_watch_stands_beside_the_live_model(bare: Path) -> None:
    stage = ModelStage(str(SHIPPED), ("watch",), load_runner(str(SHIPPED), ("watch",)), background=False)
    stage.process(arrivals(3))
    (early,) = stage.views()
    assert early.drift is not None
    assert early.drift.verdict == "waiting"
    stage.process(arrivals(20)[3:])
    (view,) = stage.views()
    assert view.drift is not None
    assert view.drift.looks == 4
    assert [name for name, _ in view.drift.distances] == ["ax", "ay", "az", "wx", "wy", "wz"]
    stage.reset()
    (again,) = stage.views()
    assert again.drift is not None
    assert again.drift.looks == 0
    old = ModelStage(str(bare), ("watch",), load_runner(str(bare), ("watch",)), background=False)
    old.process(arrivals(1))
    (unknown,) = old.views()
    assert unknown.drift is not None
    assert (unknown.drift.verdict, "--learn" in unknown.drift.sentence) == ("unknown", True)


def test_each_of_two_boards_is_told_what_its_own_watch_says() -> None:
    stage = ModelStage(str(SHIPPED), None, load_runner(str(SHIPPED), None), background=False)
    for one in arrivals(12):
        (batch,) = [item for item in one.items if isinstance(item, Batch)]
        still = np.where(np.arange(6) == 4, np.float32(0.25), batch.raw)
        stage.process([one, Arrival("other", -1, one.t_ns, "rx", items=(replace(batch, board="other", raw=still),))])
    told = {view.board: view.drift for view in stage.views()}
    assert {board: drift is not None and drift.kind == "stuck" for board, drift in told.items()} == {
        "watch": False, "other": True,
    }  # fmt: skip


@pytest.mark.parametrize("size", [1, 7, 50, 333])
def test_verdicts_do_not_depend_on_batches_and_the_watch_changes_no_decision(size: int) -> None:
    model = load_model(SHIPPED)
    whole = np.concatenate([batch.raw for one in arrivals(24) for batch in one.items if isinstance(batch, Batch)])
    stream = next(item.stream for item in arrivals(1)[0].items if isinstance(item, Batch))

    def run(step: int, watched: bool) -> tuple[list[Any], Any]:
        runner = model.runner(slots=1)
        tap = DriftTap(model.package)
        runner.tap = tap if watched else None
        made = []
        for low in range(0, len(whole), step):
            part = whole[low : low + step]
            numbers = np.arange(low, low + len(part), dtype=np.int64)
            made += runner.push([Batch("watch", stream, 0, low, numbers, numbers * 20_000_000, part)])
        return made, tap.states()

    decided, states = run(size, True)
    assert (decided, states) == run(1200, True)
    assert decided == run(1200, False)[0]


def test_a_reference_is_learnt_from_those_the_model_was_trained_on(bare: Path, tmp_path: Path) -> None:
    """On three people who swing, with a network that is not asked to be right."""
    from hil.models.datasets import Series
    from hil.models.drifting import referenced

    batches = [batch for one in arrivals(60) for batch in one.items if isinstance(batch, Batch)]
    values = np.concatenate([batch.raw for batch in batches])
    noise = np.random.default_rng(0)

    def series(person: str) -> Series:
        moved = values * noise.uniform(0.8, 1.2) + 0.05 * noise.standard_normal(values.shape)
        return Series(person, moved.astype(np.float32), np.zeros(len(values), np.int64), person)

    package = load_model(bare).package
    made = referenced(package, [series(one) for one in "abc"], [series("d")])
    reference = made.contract.reference
    assert reference is not None
    assert (reference.people, reference.samples) == (("a", "b", "c"), 200)
    assert made.contract.schema_version == 3
    assert referenced(package, [series(one) for one in "ab"]) is package
    kept = Model(made)
    assert kept.predict(values[:400]) == Model(package).predict(values[:400])
