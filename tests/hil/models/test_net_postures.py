"""Networks learn from thermal frames day by day, and a cross-validation that is cut off goes on where it was."""

from pathlib import Path

import pytest
from test_net_training import waves

from firmware_bridge.errors import UsageError
from hil.data.gather import gather
from hil.models.datasets import load_dataset
from hil.models.evaluate import cross_validate
from hil.models.training_config import TrainConfig, load_config

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def thermal(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `scenarios/models/postures.toml` is relative to, with its recordings in it."""
    folder = tmp_path_factory.mktemp("postures")
    files = sorted((shared_data / "d6t_thermal_postures").glob("Dataset/Data-Bedroom-*/*.csv"))
    board = ROOT / "scenarios" / "boards" / "omron_d6t.toml"
    name = "{place}-Day{day}-{person}-{label}"
    gather(files, folder / "thermal", name, board_file=board, only=[("label", "[1-8]")])
    return folder


@pytest.mark.data
@pytest.mark.slow
def test_a_short_training_on_frames_beats_chance_on_a_day_never_met(thermal: Path) -> None:
    config = load_config(ROOT / "scenarios" / "models" / "postures.toml")
    dataset = load_dataset(config.data, thermal)
    assert (dataset.frame, dataset.people) == ((4, 4), tuple("1234567"))
    assert (sum(len(one.values) for one in dataset.series), dataset.left_out) == (18_627, {"invalid": 345})
    short = config.model_copy(update={"training": config.training.model_copy(update={"epochs": 1})})
    (fold,) = cross_validate(short, dataset, [0], [("7",)])
    assert fold.decisions.score(8).accuracy > 0.2  # chance is 0.125


@pytest.mark.training
def test_a_cross_validation_that_is_cut_off_goes_on_where_it_was(tmp_path: Path) -> None:
    config: TrainConfig = load_config(waves(tmp_path))
    config = config.model_copy(update={"training": config.training.model_copy(update={"epochs": 1})})
    dataset, keep = load_dataset(config.data, tmp_path), tmp_path / "keep"
    keep.mkdir()
    whole = list(cross_validate(config, dataset, [0], [("1",), ("2",)]))
    first = next(cross_validate(config, dataset, [0], [("1",), ("2",)], keep=keep))
    assert [path.name for path in keep.iterdir()] == ["waves-0-1.hilmodel"]
    lines: list[str] = []
    rest = list(cross_validate(config, dataset, [0], [("1",), ("2",)], lines.append, keep=keep))
    assert [fold.package.sha256 for fold in rest] == [fold.package.sha256 for fold in whole]
    assert first.package.sha256 == rest[0].package.sha256
    other = config.model_copy(update={"hop": 10})
    with pytest.raises(UsageError, match="model of another training"):
        next(cross_validate(other, dataset, [0], [("1",)], keep=keep))
