"""The shipped networks on real watch readings of unseen people: C on this machine is the reference, bit for bit."""

from pathlib import Path

import numpy as np
import pytest
from native_nn import NativeNN, build

import hil.models
from firmware_bridge.oplist.reference import run
from hil.models import load_model
from hil.models.int8.deploy import deploy
from hil.models.windows import joined, windows_of
from hil.recording.reader import Recording

RECORDINGS = Path(__file__).resolve().parents[3] / "scenarios" / "recordings"


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> NativeNN:
    return build(tmp_path_factory.mktemp("nn"), "-O2")


def agree(native: NativeNN, name: str, people: tuple[str, ...]) -> int:
    """Calibrate on person 9, run the windows of `people` in C and in NumPy, and return how many there were."""
    model = load_model(Path(hil.models.__file__).parent / f"{name}.hilmodel")
    parts = {}
    for person in ("9", "10"):
        with Recording(RECORDINGS / f"watch-unseen-{person}.mcap") as recording:
            parts[person] = windows_of(recording, model.contract)
    windows = joined([parts[person] for person in people], name)
    deployed = deploy(model, parts["9"])
    expected = run(deployed.oplist, windows.raw)
    found = native.run(deployed.blob, windows.raw)
    assert len({row.tobytes() for row in expected[-1]}) > 200
    for want, got in zip(expected, found, strict=True):
        assert np.array_equal(want.reshape(len(windows), -1), got)
    return len(windows)


def test_every_layer_of_the_real_windows_of_a_person_is_identical(native: NativeNN) -> None:
    assert agree(native, "exercise-small", ("10",)) >= 500


@pytest.mark.slow
@pytest.mark.parametrize("name", ["exercise-small", "exercise"])
def test_every_layer_of_all_real_windows_of_two_people_is_identical(native: NativeNN, name: str) -> None:
    assert agree(native, name, ("9", "10")) >= 1000
