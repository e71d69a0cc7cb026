"""What was shrunk and judged in integers comes out of real firmware bit for bit, and with the very weights judged."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from firmware_bench import needs
from parity_board import SMALL, WATCH

from hil.cli import app
from hil.models import load_model
from hil.models.data_config import DataConfig, RecordingEntry
from hil.models.datasets import load_dataset
from hil.models.int8.deploy import deploy
from hil.models.package import write_package
from hil.models.shrink.points import Plan, Point, Shrinking
from hil.parity.run import windows_in

pytestmark = [pytest.mark.firmware, pytest.mark.training]


@pytest.fixture(scope="module")
def point() -> Point:
    """A pruned model, trained under rounding for an epoch on readings of somebody who stands for one it has met."""
    parent = load_model(SMALL).package
    entry = RecordingEntry(file=str(WATCH), person="1")
    channels = tuple(item.channel for item in parent.contract.inputs)
    data = load_dataset(DataConfig(recordings=(entry,), channels=channels, labels=parent.contract.labels))
    short = replace(data, series=tuple(replace(one, values=one.values[:2500], labels=one.labels[:2500])
                                       for one in data.series))  # fmt: skip
    made = Shrinking(parent, short, Plan(times=(4.0,), epochs=1)).points(lambda share, name: None)
    return next(one for one in made if one.name == "prune-4x-qat")


def test_a_shrunken_model_on_a_board_is_identical_to_what_was_judged(
    point: Point, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needs("native")
    file = tmp_path / "point.hilmodel"
    write_package(file, point.package.contract, dict(point.package.weights))
    arguments = ["parity", str(file), "--on", "firmware://native", "--data", str(WATCH), "--windows", "12", "--json"]
    assert app(arguments, standalone_mode=False) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["identical"], found["first_difference"]) == ("identical", 12, None)
    contract = load_model(file).contract
    assert contract.int8 is not None
    assert found["calibrated_on"] == contract.int8.windows
    # What goes onto the board differs from what was judged in the board's own readings only: the first operator.
    made = deploy(load_model(file), windows_in(load_model(file), [WATCH])).oplist
    assert point.integers is not None
    for ours, judged in zip(made.ops[1:], point.integers.oplist.ops[1:], strict=True):
        assert all(np.array_equal(ours.arrays[key], value) for key, value in judged.arrays.items())
        assert (ours.out_scale, ours.out_zero) == (judged.out_scale, judged.out_zero)
