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
def test_four_times_smaller_costs_a_point_of_macro_f1_at_most(shared_data: Path, tmp_path: Path) -> None:
    model, data = (
        Path(hil.models.__file__).parent / "exercise.hilmodel",
        ROOT / "scenarios" / "models" / "exercise.toml",
    )
    arguments = ["shrink", model, "--data", data, "--base", shared_data, "--times", 1.2, "--epochs", 2,
                 "-o", tmp_path / "out", "--json"]  # fmt: skip
    said = CliRunner().invoke(app, [str(one) for one in arguments])
    assert said.exit_code == 0, said.output
    found = json.loads(said.stdout)
    assert found["people"] == ["9", "10"]
    assert not set(found["people"]) & set(found["learnt_from"])
    smaller, _ = found["bars"]
    assert smaller["reached"] >= 4.0
    assert smaller["change"]["value"] >= -0.01
    assert {one["name"] for one in found["points"] if one["front"]} - {"parent"}
