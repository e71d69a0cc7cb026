"""`hil generate` from a configuration to a recording, a board and an evaluation: outputs, sentences, exit codes."""

import json
from pathlib import Path

import html5lib
import numpy as np
import pytest
from typer.testing import CliRunner

from firmware_bridge.errors import BridgeError
from hil.cli import app

pytestmark = pytest.mark.training

DATA = """
[data]
held_out = ["4"]
source = "waves"
licence = "free"
[data.npz]
file = "toy.npz"
units = ["g", "g"]
rate_hz = 50
"""
GENERATOR = f"""
name = "waves"
window = 64
steps = 3
{DATA}
[network]
widths = [8, 8, 8]
[training]
steps = 5
batch = 4
"""
MODEL = f"""
name = "net"
window = 40
hop = 20
{DATA}
[architecture]
channels = 8
kernel = 3
dilations = [1, 2]
[training]
epochs = 1
batch = 8
crop = 80
every = 20
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four people shake fast or slowly; a generator that has met three of them."""
    path = tmp_path_factory.mktemp("waves")
    chance = np.random.default_rng(0)
    t = np.arange(400) / 50
    pairs = [(person, kind) for person in range(1, 5) for kind in (0, 1)]
    waves = [
        np.stack((np.sin(2 * np.pi * (6.0 if kind else 1.5) * t + person), np.ones_like(t)), 1)
        for person, kind in pairs
    ]
    np.savez(
        path / "toy.npz", X=np.float32(np.concatenate(waves) + 0.1 * chance.standard_normal((400 * len(pairs), 2))),
        length=np.full(len(pairs), 400), y=np.array([kind for _, kind in pairs]),
        subject=np.array([person for person, _ in pairs]), y_labels=np.array(["slow", "fast"]),
        X_labels=np.array(["x", "z"]),
    )  # fmt: skip
    (path / "waves.toml").write_text(GENERATOR)
    (path / "net.toml").write_text(MODEL)
    hil("train", path / "waves.toml", "-o", path / "waves.hilmodel", "-q")
    return path


def hil(*arguments: object, code: int = 0) -> str:
    """Run a verb of `hil generate`; return what it printed."""
    said = CliRunner().invoke(app, ["generate", *map(str, arguments)])
    if isinstance(said.exception, BridgeError):
        assert said.exception.exit_code == code, said.exception
        return str(said.exception)
    assert said.exit_code == code, said.output
    return said.output if code else said.stdout


def test_a_generator_says_what_it_knows_and_where_it_comes_from(folder: Path) -> None:
    known = json.loads(hil("info", folder / "waves.hilmodel", "--json"))
    assert (known["labels"], known["people"], known["held_out"]) == (["slow", "fast"], ["1", "2", "3"], ["4"])
    assert (known["source"], known["licence"]) == ("waves", "free")
    assert "labels: slow, fast" in hil("info", folder / "waves.hilmodel")


def test_the_same_seed_records_the_same_readings(folder: Path) -> None:
    made = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        output = folder / f"{name}.mcap"
        told = hil(
            "record", folder / "waves.hilmodel", "--class", "fast", "--for", 3, "--seed", seed, "-o", output, "--json"
        )
        assert json.loads(told)["samples"] == 150
        made.append(output.read_bytes())
    assert made[0] == made[1] != made[2]
    like = hil(
        "record", folder / "waves.hilmodel", "--like", folder / "a.mcap", "--for", 1, "-o", folder / "d.mcap", "-q"
    )
    assert like.strip() == str(folder / "d.mcap")


def test_an_evaluation_holds_everybody_out_once_and_goes_on_where_it_was(folder: Path) -> None:
    keep, page, out = folder / "keep", folder / "e.html", folder / "e.json"
    words = ("evaluate", folder / "waves.toml", "--model", folder / "net.toml", "--folds", 2, "--judge-epochs", 1,
             "--keep", keep, "-q")  # fmt: skip
    found = json.loads(hil(*words, "--json", "--html", page, "-o", out))
    assert found == json.loads(out.read_text())
    assert found["folds"] == [["1", "2"], ["3", "4"]]
    assert [one["person"] for one in found["each"]] == ["1", "2", "3", "4"]
    figures = {one["name"]: one for one in found["figures"]}
    assert {"macro_f1_real", "macro_f1_synthetic", "macro_f1_mixed", "discriminative_score", "neighbour_copies",
            "psd_generated_to_learnt_db", "allan_unseen_to_learnt_db"} <= figures.keys()  # fmt: skip
    for one in figures.values():
        assert one["low"] <= one["value"] <= one["high"]
    gain = found["gain"][0]
    assert gain["effect"] == pytest.approx(figures["macro_f1_mixed"]["value"] - figures["macro_f1_real"]["value"])
    text = page.read_text()
    html5lib.HTMLParser(strict=True).parse(text)
    assert "over plain augmentation" in text
    for fold in keep.glob("waves-0-*.hilmodel"):
        known = json.loads(hil("info", fold, "--json"))
        assert not set(known["people"]) & set(known["held_out"])
    for model in keep.glob("*.hilmodel"):
        model.unlink()  # what was found is kept, too: nothing is trained again
    assert json.loads(hil(*words, "--json")) == found
    assert "is of another evaluation" in hil(*words, "--share", 0.5, code=2)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("record", "waves.hilmodel", "--class", "jump", "-o", "x.mcap"), 2, "ask for slow, fast"),
        (("record", "waves.hilmodel", "--person", "4", "-o", "x.mcap"), 2, "nobody called '4'"),
        (("record", "waves.hilmodel", "--for", "-1", "-o", "x.mcap"), 2, "--for"),
        (("record", "none.hilmodel", "-o", "x.mcap"), 2, "cannot be read"),
        (("train", "waves.toml", "-o", "waves.hilmodel"), 2, "never overwritten"),
        (("train", "net.toml", "-o", "x.hilmodel"), 2, "window: Input should be a multiple of 16, found 40"),
        (("train", "none.toml", "-o", "x.hilmodel"), 2, "check the path"),
        (("evaluate", "waves.toml", "--model", "net.toml", "--folds", "5"), 2, "4 people make no 5 folds"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_code(
    folder: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, said: str
) -> None:
    monkeypatch.chdir(folder)
    assert said in hil(*words, code=code)
