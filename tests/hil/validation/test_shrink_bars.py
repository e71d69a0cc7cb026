"""What the shipped exercise model keeps when it is shrunk, on the two people whom nobody involved has met."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import hil.models
from hil.cli import app

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    ("bar", "more"),
    [
        ("smaller", ("--times", 1.2, "--epochs", 2, "--method", "prune")),
        ("fewer", ("--times", 10, "--no-int8", "--method", "student")),  # a hundred epochs, as its parent: two minutes
    ],
)
def test_four_times_smaller_costs_a_point_at_most_and_ten_times_fewer_multiplications_three(
    bar: str, more: tuple[object, ...], shared_data: Path, tmp_path: Path
) -> None:
    model, data = (
        Path(hil.models.__file__).parent / "exercise.hilmodel",
        ROOT / "scenarios" / "models" / "exercise.toml",
    )
    arguments = ["shrink", model, "--data", data, "--base", shared_data, *more, "-o", tmp_path / "out", "--json"]
    said = CliRunner().invoke(app, [str(one) for one in arguments])
    assert said.exit_code == 0, said.output
    found = json.loads(said.stdout)
    assert found["people"] == ["9", "10"]
    assert not set(found["people"]) & set(found["learnt_from"])
    (held,) = (one for one in found["bars"] if one["figure"] == bar)
    assert held["reached"] >= held["times"]
    assert (held["within"], held["change"]["value"] >= -held["allowed"]) == (True, True)
    assert {one["name"] for one in found["points"] if one["front"]} - {"parent"}
