"""Draws of a model with part of its features dropped, for every architecture."""

import numpy as np
import pytest
from net_models import net_model

from firmware_bridge.errors import UsageError
from hil.models import doubt
from hil.models.whole import probabilities

NETS = ("tcn", "resnet", "gru", "cnn", "cnn_gru")


def windows(name: str, count: int = 5) -> np.ndarray:
    contract = net_model(name, 5).contract
    return np.random.default_rng(0).standard_normal((count, contract.memory_samples, contract.width)).astype(np.float32)


@pytest.mark.parametrize("name", NETS)
def test_draws_of_every_architecture_differ_and_are_the_same_by_the_same_seed(name: str) -> None:
    model, seen = net_model(name, 5), windows(name)
    first, again = (doubt.minds([model], seen, 4, 3) for _ in range(2))
    assert first.shape == (4, 5, 4)
    assert np.allclose(first.sum(axis=-1), 1.0)
    assert (first == again).all()
    assert (first[0] != first[1]).any()


@pytest.mark.parametrize("name", ["tcn", "resnet"])
def test_with_nothing_dropped_every_draw_is_what_the_model_says_live(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubt, "dropped_share", lambda _: 0.0)
    model, seen = net_model(name, 5), windows(name)
    live = probabilities(model, seen)
    assert all(np.allclose(draw, live, atol=1e-5) for draw in doubt.minds([model], seen, 3, 0))


def test_models_that_tell_other_labels_apart_are_no_ensemble() -> None:
    one = net_model("tcn", 5)
    with pytest.raises(UsageError, match="tells other labels apart"):
        doubt.minds([one, net_model("gru", 5)], windows("tcn"), 2, 0)
    assert doubt.minds([one, one], windows("tcn"), 2, 0).shape == (2, 5, 4)
