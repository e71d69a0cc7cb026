"""Every network trains, resumes after a kill to the same bits, stops when people set apart say so, and ships."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from firmware_bridge.errors import UsageError
from hil.models import load_model
from hil.models.checkpoint import Checkpoint
from hil.models.datasets import Dataset, Series, load_dataset
from hil.models.device import device_for
from hil.models.evaluate import judge, kept_or_trained
from hil.models.train import Progress, set_apart, train, train_and_judge, trained
from hil.models.training_config import load_config

CONFIG = """
schema = 1
name = "waves"
seed = 4
window = 20
hop = 5

[data]
held_out = ["4"]

[data.npz]
file = "waves.npz"
units = ["g", "g", "g"]
rate_hz = 50

[architecture]
name = "tcn"
channels = 8
kernel = 3
dilations = [1, 2]

[training]
epochs = 6
batch = 8
crop = 30
every = 5
"""
LAYERS = {
    "tcn": 'name = "tcn"\nchannels = 8\nkernel = 3\ndilations = [1, 2]',
    "resnet": 'name = "resnet"\nchannels = [6, 8]\nstrides = [1, 2]\nkernel = 3',
    "hybrid": 'name = "hybrid"\nchannels = 6\nkernel = 3\nstride = 2\ndilations = [1, 1]\nbands = [1, 3]\nleads = [2]',
    "gru": 'name = "gru"\nhidden = 8',
    "cnn": 'name = "cnn"\nchannels = [4]\nstrides = [1]\nfeatures = 8',
    "shots": 'name = "shots"\nepisodes = 0',
    "cnn_gru": 'name = "cnn_gru"\nchannels = [4]\nstrides = [1]\nfeatures = 8\nhidden = 8',
}
TABLE = 'name = "tcn"\nchannels = 8\nkernel = 3\ndilations = [1, 2]'


def waves(folder: Path, **changes: str) -> Path:
    """Four people shake fast or slowly; the configuration with some texts replaced."""
    chance = np.random.default_rng(0)
    t = np.arange(120) / 50
    readings, label, person = [], [], []
    for who in (1, 2, 3, 4):
        for kind in (0, 1):
            wave = np.sin(2 * np.pi * (1.0 if kind else 6.0) * t + who)
            readings.append(np.stack((wave, 0.3 * wave, np.ones_like(t)), 1) + 0.1 * chance.standard_normal((120, 3)))
            label.append(kind)
            person.append(who)
    np.savez(
        folder / "waves.npz", X=np.concatenate(readings).astype(np.float32), length=np.full(8, 120), y=np.array(label),
        subject=np.array(person), y_labels=np.array(["fast", "slow"]), X_labels=np.array(["x", "y", "z"]),
    )  # fmt: skip
    text = CONFIG
    for old, new in changes.items():
        text = text.replace({"architecture": TABLE}.get(old, old), new)
    path = folder / "waves.toml"
    path.write_text(text)
    return path


def frames(folder: Path) -> Dataset:
    """Four days of a warm spot that is left or right of the middle of a frame."""
    chance = np.random.default_rng(1)
    series = []
    for day in (1, 2, 3, 4):
        for kind in (0, 1):
            picture = np.full((40, 3, 4), 20.0 + day) + 0.2 * chance.standard_normal((40, 3, 4))
            picture[:, 1, 0 if kind else 3] += 5.0
            values = picture.astype(np.float32).reshape(40, 12)
            series.append(Series(str(day), values, np.full(40, kind), f"{day}/{kind}"))
    return Dataset(tuple(series), ("t",), ("degC",), 5.0, ("right", "left"), (3, 4))


@pytest.mark.training
@pytest.mark.parametrize("name", LAYERS)
def test_every_network_trains_from_its_name_and_runs_hop_by_hop(name: str, tmp_path: Path) -> None:
    config = load_config(waves(tmp_path, architecture=LAYERS[name]))
    dataset = load_dataset(config.data, tmp_path)
    if "cnn" in name:
        dataset = frames(tmp_path)
        small = config.training.model_copy(update={"crop": 20, "epochs": 60})
        config = config.model_copy(update={"window": 4, "hop": 2, "training": small})
    package = train(config, dataset, ["4"])
    assert package.contract.architecture is not None
    assert package.contract.architecture.name == name
    assert package.contract.frame == dataset.frame
    assert 0 <= package.contract.memory_samples - config.window < 2 * config.hop or name in ("resnet", "hybrid")
    found = judge(package, dataset.of(["4"])).score(2)
    assert found.decisions > 10
    if "cnn" in name:
        assert found.macro_f1 == 1.0


SCRIPT = """
import signal
import sys
from pathlib import Path
from hil.models.datasets import load_dataset
from hil.models.train import train_and_judge
from hil.models.training_config import load_config
folder = Path(sys.argv[1])
config = load_config(folder / "waves.toml")
told_so_far = []
def told(at):
    print(at.stage, at.step, flush=True)
    told_so_far.append(at)
    if len(told_so_far) == 4:
        signal.pause()  # whoever kills it may be late: it is never ready before
train_and_judge(config, load_dataset(config.data, folder), folder / sys.argv[2], told, folder)
"""
STOPPING = "[early_stopping]\ngroups = 1\npatience = 3\n\n[training]"


@pytest.mark.training
def test_a_training_that_is_killed_goes_on_to_the_same_file_bit_for_bit(tmp_path: Path) -> None:
    """A real process is killed by SIGKILL somewhere inside an epoch of the search; the rest is cut off once more."""
    path = waves(
        tmp_path, **{"[training]": STOPPING, "epochs = 6": "epochs = 30", "crop = 30": "crop = 30\ndropout = 0.3"}
    )
    config, cut = load_config(path), tmp_path / "cut.hilmodel"
    dataset = load_dataset(config.data, tmp_path)
    steps: list[Progress] = []
    train_and_judge(config, dataset, tmp_path / "whole.hilmodel", steps.append)
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path), cut.name], stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    assert process.stdout is not None
    for _ in range(2):
        assert process.stdout.readline().startswith("search")
    os.kill(process.pid, signal.SIGKILL)
    process.stdout.close()
    assert process.wait(150) == -signal.SIGKILL
    assert not cut.exists()
    assert (tmp_path / "cut.hilmodel.search.ckpt").exists()
    rest: list[Progress] = []

    def cut_off(at: Progress) -> None:
        rest.append(at)
        if at.stage == "fit":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_and_judge(config, dataset, cut, cut_off)
    train_and_judge(config, dataset, cut, rest.append)
    assert len(rest) < len(steps)  # it went on and did not begin anew
    assert cut.read_bytes() == (tmp_path / "whole.hilmodel").read_bytes()
    assert not list(tmp_path.glob("*.ckpt*"))


@pytest.mark.training
def test_the_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    config = load_config(waves(tmp_path))
    dataset = load_dataset(config.data, tmp_path)

    def stop(at: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(config, dataset, ["4"], keep=tmp_path / "a.hilmodel", progress=stop)
    other = config.model_copy(update={"seed": 5})
    with pytest.raises(UsageError, match="checkpoint of another training"):
        trained(other, dataset, ["4"], keep=tmp_path / "a.hilmodel")
    (tmp_path / "a.hilmodel.fit.ckpt").write_bytes(b"\x10 damaged")
    with pytest.raises(OSError, match="checkpoint is damaged"):
        Checkpoint(tmp_path / "a.hilmodel.fit.ckpt", "x").load()


@pytest.mark.training
def test_people_set_apart_decide_how_long_to_learn_and_are_learnt_from_afterwards(tmp_path: Path) -> None:
    path = waves(tmp_path, **{"[training]": STOPPING, "epochs = 6": "epochs = 60", "lr = 1": ""})
    config = load_config(path)
    dataset = load_dataset(config.data, tmp_path)
    made = trained(config, dataset, ["4"])
    search, fit = made.curves["stages"]
    apart = set_apart(["1", "2", "3"], config)
    assert search["apart"] == list(apart)
    assert len(apart) == 1
    losses = [one["validation_loss"] for one in search["epochs"]]
    assert search["best"] == int(np.argmin(losses))
    assert len(losses) in (search["best"] + 4, 60)
    assert len(fit["epochs"]) == search["best"] + 1
    assert all(one["validation_loss"] is None for one in fit["epochs"])
    assert made.package.contract.lineage["trained_on"] == ["1", "2", "3"]
    spoiled = tuple(
        Series(item.person, item.values * (99.0 if item.person == "4" else 1.0), item.labels, item.source)
        for item in dataset.series
    )
    again = trained(config, Dataset(spoiled, dataset.channels, dataset.units, 50.0, dataset.labels), ["4"])
    assert again.package.sha256 == made.package.sha256  # who is held out decides nothing
    with pytest.raises(UsageError, match="3 of 3 people are set apart"):
        set_apart(["1", "2", "3"], config.model_copy(update={"early_stopping": config.early_stopping.model_copy(
            update={"groups": 3})}))  # fmt: skip


OWN = """
from torch import nn

print("the author's code ran")


class Mine(nn.Module):
    def __init__(self, inputs, classes, window, width=4):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(inputs * window, width), nn.ReLU(), nn.Dropout(0.1))
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        return self.head(self.body(x))
"""


@pytest.mark.training
def test_a_users_own_network_trains_and_ships_without_its_code(tmp_path: Path, capfd: Any) -> None:
    (tmp_path / "mynet.py").write_text(OWN)
    path = waves(tmp_path, architecture='name = "own"\nmodule = "mynet:Mine"\noptions = { width = 6 }')
    config = load_config(path)
    dataset = load_dataset(config.data, tmp_path)
    train_and_judge(config, dataset, tmp_path / "own.hilmodel", folder=tmp_path)
    assert "author's code ran" in capfd.readouterr().out
    (tmp_path / "mynet.py").unlink()
    model = load_model(tmp_path / "own.hilmodel")
    assert model.contract.architecture is None
    assert model.contract.card.metrics[0].name == "macro_f1"
    made = model.predict(dataset.of(["4"])[0].values)
    assert len(made) == (120 - 20) // 5 + 1
    assert "author's code ran" not in capfd.readouterr().out


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("", "mynet:Mine is no torch.nn.Module"),
        ("raise ValueError('no')", r"module mynet cannot be imported \(ValueError: no\)"),
        (OWN.replace("width=4", "depth"), "Mine cannot be made"),
        (OWN.replace("self.head(self.body(x))", "self.body(x)"), r"Mine gives \[2, 4\] for 2 windows"),
        (OWN.replace("self.body(x))", "self.body(x - x.mean(0)))"), "depends on the others in the batch"),
        (
            "from torch import nn\nclass Mine(nn.Module):\n    def __init__(self, inputs, classes, window):\n"
            "        super().__init__()\n        self.classes = classes\n"
            "    def forward(self, x):\n        return x[:, 0, :1].repeat(1, self.classes)\n",
            "no weights to learn",
        ),
        (OWN.replace("self.body(x))", "self.body(x)) * float('nan')"), "loss of epoch 1 is no number"),
    ],
)
def test_an_own_network_that_does_not_fit_is_refused_in_a_sentence(code: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "mynet.py").write_text(code)
    path = tmp_path / "waves.toml"
    waves(tmp_path)
    path.write_text('architecture = "mynet:Mine"\n' + CONFIG.replace("[architecture]\n" + TABLE, ""))
    config = load_config(path)
    with pytest.raises(UsageError, match=said):
        trained(config, load_dataset(config.data, tmp_path), ["4"], folder=tmp_path)


@pytest.mark.training
def test_an_own_network_whose_code_changed_is_another_training(tmp_path: Path) -> None:
    (tmp_path / "mynet.py").write_text(OWN)
    config = load_config(waves(tmp_path, architecture='name = "own"\nmodule = "mynet:Mine"'))
    quick = config.model_copy(update={"training": config.training.model_copy(update={"epochs": 2})})
    dataset = load_dataset(config.data, tmp_path)

    def stop(at: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(quick, dataset, ["4"], folder=tmp_path, keep=tmp_path / "a.hilmodel", progress=stop)
    keep = tmp_path / "keep"
    keep.mkdir()
    first = kept_or_trained(quick, dataset, ["4"], folder=tmp_path, keep=keep)
    assert kept_or_trained(quick, dataset, ["4"], folder=tmp_path, keep=keep).sha256 == first.sha256
    (tmp_path / "mynet.py").write_text(OWN.replace("nn.ReLU()", "nn.Tanh()"))
    with pytest.raises(UsageError, match="checkpoint of another training"):
        trained(quick, dataset, ["4"], folder=tmp_path, keep=tmp_path / "a.hilmodel")
    with pytest.raises(UsageError, match="model of another training"):
        kept_or_trained(quick, dataset, ["4"], folder=tmp_path, keep=keep)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("-o", "nowhere/a.hilmodel"), 2, "its folder does not exist"),
        (("-o", "a.model"), 2, "call it a.hilmodel"),
        (("-o", "a.hilmodel", "--html", "waves.toml"), 2, "never overwritten"),
        (("-o", "a.hilmodel", "--seed", "-1"), 2, "--seed"),
    ],
)
def test_the_verb_refuses_what_it_could_not_write_before_it_trains(
    words: tuple[str, ...], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from hil.cli import main

    waves(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hil.models.datasets.load_dataset", None)  # whoever reads the data does so too early
    monkeypatch.setattr("sys.argv", ["hil", "train", "waves.toml", *words])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == code
    assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("a*"))


@pytest.mark.training
def test_the_verb_tells_what_is_left_out_and_which_class_nobody_shows(tmp_path: Path, capsys: Any) -> None:
    from hil.cli import app

    waves(tmp_path)
    with np.load(tmp_path / "waves.npz") as good:
        values = good["X"].copy()
        values[7, 0] = np.nan
        np.savez(tmp_path / "waves.npz", **{**good, "X": values, "y_labels": np.array([*good["y_labels"], "rare"])})
    app(["train", str(tmp_path / "waves.toml"), "-o", str(tmp_path / "a.hilmodel"), "--epochs", "1"],
        standalone_mode=False)  # fmt: skip
    said = capsys.readouterr().err
    assert "left out: 1 readings (not a number)" in said
    assert "nobody who is learnt from shows rare" in said


def test_layers_that_do_not_fit_the_data_name_their_key(tmp_path: Path) -> None:
    for layers, said in (
        (LAYERS["cnn"], "cnn reads frames and the data have channels"),
        ('name = "resnet"\nstrides = [4, 4, 4]', "the layers see 421 samples and the window has 20"),
        ('name = "gru"\nhidden = 500', "weights and 100000 are allowed"),
        (LAYERS["hybrid"].replace("[1, 3]", "[1, 11]"), "bands end at 10 cycles; 19 samples hold fewer than 9.5"),
        (LAYERS["hybrid"].replace("[2]", "[19]"), "leads reach 19 samples and a window has 19"),
    ):
        config = load_config(waves(tmp_path, architecture=layers))
        with pytest.raises(UsageError, match=said):
            train(config, load_dataset(config.data, tmp_path), ["4"])
    with pytest.raises(UsageError, match="architecture"):
        load_config(waves(tmp_path, architecture='name = "lstm"'))
    with pytest.raises(UsageError, match="must rise"):
        load_config(waves(tmp_path, architecture=LAYERS["hybrid"].replace("[1, 3]", "[3, 1]")))


def test_a_device_is_never_chosen_in_silence() -> None:
    assert device_for("cpu").type == "cpu"
    here = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert device_for("auto").type == here
    absent = next(kind for kind in ("mps", "cuda") if kind != here)
    with pytest.raises(UsageError, match=f"there is no device '{absent}' here"):
        device_for(absent)


@pytest.mark.training
def test_the_verb_writes_model_curves_and_page(tmp_path: Path, capsys: Any) -> None:
    from hil.cli import app

    waves(tmp_path, **{"[training]": STOPPING})
    out = tmp_path / "waves.hilmodel"
    page = tmp_path / "page.html"
    app(
        ["train", str(tmp_path / "waves.toml"), "-o", str(out), "--html", str(page), "--device", "auto", "--json"],
        standalone_mode=False,
    )
    said = capsys.readouterr()
    assert json.loads(said.out)["metrics"].keys() == {"macro_f1", "accuracy", "ece"}
    curves = json.loads((tmp_path / "waves.training.json").read_text())
    assert [stage["stage"] for stage in curves["stages"]] == ["search", "fit"]
    assert "set apart" in said.err
    assert page.read_text().count("<svg") >= 3
    assert "how long to learn" in page.read_text()
