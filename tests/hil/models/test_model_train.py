"""Training: one seed gives one model, held-out people are not touched, and a mistake names its key."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from firmware_bridge.errors import FileError, UsageError
from hil.models import load_model
from hil.models.augment import Crops
from hil.models.augment_config import AugmentConfig
from hil.models.data_config import NpzLayout
from hil.models.datasets import NONE, Dataset, Series, digest, load_dataset, whole
from hil.models.evaluate import folds_of, held_out_card, judge, with_card
from hil.models.npz_data import load_npz
from hil.models.package import pack
from hil.models.train import Progress, train, train_and_judge
from hil.models.training_config import TrainConfig, load_config

CONFIG = """
schema = 1
name = "toy"
seed = 4
window = 20
hop = 5

[data]
held_out = ["3"]
licence = "none: made up"

[data.npz]
file = "toy.npz"
units = ["g", "g", "g"]
rate_hz = 50

[architecture]
channels = 8
kernel = 3
dilations = [1, 2]

[training]
epochs = 40
batch = 8
crop = 30
every = 5

[augment]
rotate_deg = 10
warp = 0.1
gain = 0.05
vectors = [["x", "y", "z"]]
"""


def toy(folder: Path) -> TrainConfig:
    """Three people shake fast or slowly; the person only changes the phase."""
    chance = np.random.default_rng(0)
    readings, length, label, person = [], [], [], []
    for who in (1, 2, 3):
        for kind in (0, 1, 0, 1):
            t = np.arange(200) / 50
            wave = np.sin(2 * np.pi * (1.0 if kind else 6.0) * t + who)
            readings.append(np.stack((wave, 0.3 * wave, np.ones_like(t)), 1) + 0.1 * chance.standard_normal((200, 3)))
            length.append(200)
            label.append(kind)
            person.append(who)
    np.savez(
        folder / "toy.npz", X=np.concatenate(readings).astype(np.float32), length=np.array(length), y=np.array(label),
        subject=np.array(person), y_labels=np.array(["fast", "slow"]), X_labels=np.array(["x", "y", "z"]),
    )  # fmt: skip
    (folder / "toy.toml").write_text(CONFIG)
    return load_config(folder / "toy.toml")


def data(config: TrainConfig, folder: Path) -> Dataset:
    assert config.data.npz is not None
    return load_npz(config.data.npz, folder)


@pytest.mark.training
def test_one_seed_gives_one_file_and_tells_unseen_people_apart(tmp_path: Path) -> None:
    config = toy(tmp_path)
    dataset = data(config, tmp_path)
    steps: list[Progress] = []
    first = train(config, dataset, config.data.held_out, steps.append)
    torch.manual_seed(99)  # what the program did before must not matter
    second = train(config, dataset, config.data.held_out)
    assert pack(first.contract, dict(first.weights)) == pack(second.contract, dict(second.weights))
    other = train(config.model_copy(update={"seed": 5}), dataset, config.data.held_out)
    assert other.sha256 != first.sha256
    assert len(steps) == 40
    assert steps[-1].step == steps[-1].steps
    assert steps[-1].loss < steps[0].loss
    found = judge(first, dataset.of(["3"])).score(2)
    assert found.macro_f1 > 0.9
    assert found.people.keys() == {"3"}
    carded = with_card(first, held_out_card(first, dataset))
    assert carded.contract.card.metrics[0].value == found.macro_f1
    assert "held-out people 3" in carded.contract.card.metrics[0].how


@pytest.mark.training
def test_held_out_people_change_nothing(tmp_path: Path) -> None:
    config = toy(tmp_path)
    config = config.model_copy(update={"training": config.training.model_copy(update={"epochs": 1})})
    dataset = data(config, tmp_path)
    spoiled = Dataset(
        tuple(
            Series(item.person, item.values * (100.0 if item.person == "3" else 1.0), item.labels, item.source)
            for item in dataset.series
        ),
        dataset.channels, dataset.units, dataset.rate_hz, dataset.labels,
    )  # fmt: skip
    first, second = (train(config, some, ["3"]) for some in (dataset, spoiled))
    assert first.sha256 == second.sha256
    assert first.contract.lineage["trained_on"] == ["1", "2"]
    assert first.contract.training_data_sha256 == digest(dataset.of(["1", "2"]))
    mean = np.concatenate([item.values for item in dataset.of(["1", "2"])]).astype(np.float64).mean(axis=0)
    assert np.allclose([item.mean for item in first.contract.inputs], mean)
    json.loads(first.contract.to_json())


def test_the_digest_covers_values_labels_and_people_and_not_the_order() -> None:
    one = Series("1", np.zeros((4, 2), np.float32), np.zeros(4, np.int64), "a")
    two = Series("2", np.ones((4, 2), np.float32), np.ones(4, np.int64), "b")
    assert digest([one, two]) == digest([two, one])
    for changed in (
        Series("3", one.values, one.labels, "a"),
        Series("1", one.values + 1, one.labels, "a"),
        Series("1", one.values, one.labels + 1, "a"),
    ):
        assert digest([changed, two]) != digest([one, two])


def test_folds_pair_people_by_id_whatever_their_order() -> None:
    assert folds_of(["10", "2", "1", "9"]) == [("1", "2"), ("9", "10")]
    assert folds_of(["b", "a", "c"]) == [("a", "b"), ("c",)]
    assert folds_of(["b", "a", "c"], 3) == [("a",), ("b",), ("c",)]


def crops(config: AugmentConfig, length: int = 50) -> Crops:
    values = np.stack((np.arange(300.0), np.zeros(300), np.full(300, 2.0), np.ones(300)), 1).astype(np.float32)
    labels = np.repeat([0, NONE, 1], 100)
    series = [Series("1", values, labels, "s")]
    return Crops(series, ("x", "y", "z", "rate"), length, config, torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    "key", [{"noise_density": {"w": 1.0}}, {"per_second": ("w",)}, {"vectors": (("x", "y", "w"),)}]
)
def test_a_channel_that_is_not_there_is_named(key: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="no channel is called w"):
        crops(AugmentConfig.model_validate(key))


def test_an_unchanged_crop_is_a_piece_of_the_series() -> None:
    readings, labels = crops(AugmentConfig()).draw(20)
    starts = readings[:, 0, 0].long()
    assert torch.equal(readings[..., 0], (starts[:, None] + torch.arange(50)).float())
    expected = torch.from_numpy(np.repeat([0, NONE, 1], 100))[starts[:, None] + torch.arange(50)]
    assert torch.equal(labels, expected)


def test_rotation_keeps_lengths_and_tempo_scales_rates() -> None:
    turned, _ = crops(AugmentConfig(rotate_deg=20, vectors=(("x", "y", "z"),))).draw(8)
    plain, _ = crops(AugmentConfig(vectors=(("x", "y", "z"),))).draw(8)
    inside = torch.nn.functional.cosine_similarity(turned[..., :3], plain[..., :3], dim=2)
    assert torch.allclose(turned[..., :3].norm(dim=2), plain[..., :3].norm(dim=2), rtol=1e-4)
    assert float(inside.min()) > np.cos(np.radians(20.01))
    assert float(inside.min()) < 0.999
    warped, _ = crops(AugmentConfig(warp=0.5, per_second=("rate",))).draw(40)
    tempo = warped[:, 1, 0] - warped[:, 0, 0]
    assert torch.allclose(warped[:, 0, 3], tempo, atol=1e-3)
    assert float(tempo.min()) < 0.8 < 1.2 < float(tempo.max())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("window = 20", "window = 50", "training.crop is 30"),
        ("window = 20", "window = 'long'", "window: .*found 'long'"),
        ("seed = 4", "sed = 4", "sed: Extra inputs"),
        ("schema = 1", "schema = 2", "its schema is 2 and this version reads 1"),
        ("[data.npz]", "[data.npy]", "data"),
        ("schema = 1", "schema = ", "it is no TOML"),
        ('["x", "y", "z"]', '["x", "y"]', "augment.vectors"),
    ],
)
def test_a_mistake_names_file_and_key(old: str, new: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(CONFIG.replace(old, new))
    with pytest.raises(UsageError, match=said) as caught:
        load_config(path)
    assert caught.value.where == str(path)


def test_data_that_cannot_be_learnt_from_is_refused(tmp_path: Path) -> None:
    config = toy(tmp_path)
    dataset = data(config, tmp_path)
    with pytest.raises(UsageError, match="hold out fewer people"):
        train(config, dataset, ["1", "2", "3"])
    wide = config.model_copy(update={"architecture": config.architecture.model_copy(update={"dilations": (1, 64)})})
    with pytest.raises(UsageError, match="the layers see 131 samples and the window has 20"):
        train(wide, dataset, ["3"])


def test_an_npz_that_is_wrong_is_refused_in_a_sentence(tmp_path: Path) -> None:
    toy(tmp_path)
    units = ("g", "g", "g")
    with pytest.raises(FileError, match="no array 'nothing'"):
        load_npz(NpzLayout(file="toy.npz", readings="nothing", units=units, rate_hz=50), tmp_path)
    with pytest.raises(UsageError, match="3 channel names and 1 units"):
        load_npz(NpzLayout(file="toy.npz", units=("g",), rate_hz=50), tmp_path)
    with pytest.raises(FileError, match="cannot be read"):
        load_npz(NpzLayout(file="absent.npz", units=units, rate_hz=50), tmp_path)
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(FileError, match="no NPZ file of plain arrays"):
        load_npz(NpzLayout(file="text.npz", units=units, rate_hz=50), tmp_path)
    np.savez(tmp_path / "pickled.npz", X=np.array([{"a": 1}], dtype=object))
    with pytest.raises(FileError, match=r"no NPZ file of plain arrays|no array"):
        load_npz(NpzLayout(file="pickled.npz", units=units, rate_hz=50), tmp_path)


WRONG_ARRAYS = {
    "labels beyond their names": ({"y": np.arange(12)}, "an index from 0 to 1"),
    "a text that is no label": ({"y": np.array(["fast", "quick"] * 6)}, "quick"),
    "a length below 1": ({"length": np.array([-200, 600, *[200] * 10])}, "the shortest of -200"),
    "half a sample": ({"length": np.array([199.5, 200.5, *[200] * 10])}, "whole numbers of samples"),
    "nothing": ({"X": np.zeros((0, 3)), "length": np.zeros(0, np.int64)}, "at least one"),
    "a day missing": ({"day": np.array(["1", "2"])}, r"day has shape \[2\] for 12 series"),
    "a factor missing": ({"scale": np.ones(2)}, "one factor for each column"),
    "readings as text": ({"X": np.full((2400, 3), "1.5")}, "no numbers"),
    "a label named twice": ({"y_labels": np.array(["fast", "fast"])}, "each once"),
    "one label": ({"y_labels": np.array(["fast"]), "y": np.zeros(12, np.int64)}, "two labels"),
}


@pytest.mark.parametrize("what", WRONG_ARRAYS)
def test_an_array_that_does_not_fit_the_others_is_named_in_a_sentence(what: str, tmp_path: Path) -> None:
    toy(tmp_path)
    arrays, said = WRONG_ARRAYS[what]
    with np.load(tmp_path / "toy.npz") as good:
        np.savez(tmp_path / "wrong.npz", **{**good, **arrays})
    named = {name: name for name in ("day", "scale") if name in arrays}
    layout = NpzLayout(file="wrong.npz", units=("g", "g", "g"), rate_hz=50, **named)
    with pytest.raises(UsageError, match=said):
        load_npz(layout, tmp_path)


def test_labels_may_be_given_as_text(tmp_path: Path) -> None:
    config = toy(tmp_path)
    with np.load(tmp_path / "toy.npz") as good:
        np.savez(tmp_path / "text.npz", **{**good, "y": good["y_labels"][good["y"]]})
    assert config.data.npz is not None
    said = load_npz(config.data.npz.model_copy(update={"file": "text.npz"}), tmp_path)
    assert digest(said.series) == digest(data(config, tmp_path).series)


@pytest.mark.parametrize("piece", [3, 7, 65_536])
def test_readings_that_are_no_numbers_end_a_series_as_a_gap_does_and_are_counted(
    piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hil.models.datasets.PIECE", piece)
    values = np.arange(30, dtype=np.float32).reshape(10, 3)
    values[3, 1], values[4, 0], values[9, 2] = np.nan, np.inf, np.nan
    labels = np.arange(10, dtype=np.int64) % 2
    sound = Series("b", np.zeros((4, 3), np.float32), np.zeros(4, np.int64), "sound")
    given = Dataset((Series("a", values, labels, "f"), sound), ("x", "y", "z"), ("g",) * 3, 50.0, ("u", "v"))
    found = whole(given)
    assert [(one.person, one.values[:, 0].tolist()) for one in found.series] == [
        ("a", [0.0, 3.0, 6.0]), ("a", [15.0, 18.0, 21.0, 24.0]), ("b", [0.0] * 4),
    ]  # fmt: skip
    assert [one.labels.tolist() for one in found.series][:2] == [[0, 1, 0], [1, 0, 1, 0]]
    assert found.left_out == {"not a number": 3}
    assert found.series[2] is sound
    assert whole(replace(given, series=(sound,))).left_out == {}
    dead = replace(given, series=(replace(sound, values=np.full((4, 3), np.nan, np.float32)),))
    with pytest.raises(UsageError, match="each of its 4 samples"):
        whole(dead)


@pytest.mark.training
def test_what_is_written_is_judged_on_the_held_out_people(tmp_path: Path) -> None:
    config = toy(tmp_path)
    config = config.model_copy(update={"training": config.training.model_copy(update={"epochs": 1})})
    dataset = load_dataset(config.data, tmp_path)
    package = train_and_judge(config, dataset, tmp_path / "toy.hilmodel").package
    assert load_model(tmp_path / "toy.hilmodel").package.sha256 == package.sha256
    found = judge(package, dataset.of(["3"])).score(2)
    assert {metric.name: metric.value for metric in package.contract.card.metrics} == {
        "macro_f1": found.macro_f1, "accuracy": found.accuracy, "ece": found.ece,
    }  # fmt: skip
    stranger = config.model_copy(update={"data": config.data.model_copy(update={"held_out": ("Zoe",)})})
    with pytest.raises(UsageError, match="nobody in the data is called Zoe"):
        train_and_judge(stranger, dataset, tmp_path / "other.hilmodel")
    assert not (tmp_path / "other.hilmodel").exists()
