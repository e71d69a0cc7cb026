"""Models of an earlier run of a cross-validation: taken where they are of the same training, refused where not."""

from pathlib import Path

import pytest
from test_net_training import waves

from firmware_bridge.errors import UsageError
from hil.models.datasets import load_dataset
from hil.models.evaluate import cross_validate
from hil.models.package import read_package, write_package
from hil.models.training_config import TrainConfig, load_config


@pytest.mark.training
def test_a_kept_model_is_of_the_same_training_where_a_younger_key_has_its_default_and_of_no_other(
    tmp_path: Path,
) -> None:
    config = load_config(waves(tmp_path))
    dataset = load_dataset(config.data, tmp_path)

    def judged(asked: TrainConfig) -> str:
        (fold,) = cross_validate(asked, dataset, [config.seed], [("4",)], keep=tmp_path)
        return fold.package.sha256

    judged(config)
    place = tmp_path / f"{config.name}-{config.seed}-4.hilmodel"
    package = read_package(place)
    told = dict(package.contract.lineage["config"])
    del told["generated"]  # as if the key had come later
    contract = package.contract.model_copy(update={"lineage": {**package.contract.lineage, "config": told}})
    place.unlink()
    older = write_package(place, contract, dict(package.weights))
    assert judged(config) == older.sha256
    training = config.training.model_copy(update={"lr": 0.5})
    with pytest.raises(UsageError, match="model of another training"):
        judged(config.model_copy(update={"training": training}))
