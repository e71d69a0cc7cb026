"""`hil shrink` from a model and recordings to smaller models, table and page, in the setting that every run uses."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import hil.models
from firmware_bridge.errors import BridgeError, UsageError
from hil.cli import app
from hil.models import load_model
from hil.models.datasets import Dataset
from hil.models.int8.deploy import deploy, preview
from hil.models.package import write_package
from hil.models.shrink.points import Plan, Shrinking
from hil.models.windows import windows_of
from hil.recording.reader import Recording
from hil.validation.front import BARS, front, held_against

pytestmark = pytest.mark.training

SMALL = Path(hil.models.__file__).parent / "exercise-small.hilmodel"
RECORDINGS = Path(__file__).resolve().parents[3] / "scenarios" / "recordings"
DATA = """
[data]
channels = ["ax", "ay", "az", "wx", "wy", "wz"]
labels = ["PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW"]
[[data.recordings]]
file = "watch-unseen-9.mcap"
person = "1"  # as if the model had met this one
[[data.recordings]]
file = "watch-unseen-10.mcap"
"""


def shrink(*arguments: object, code: int = 0) -> str:
    """Run the verb; return what it printed."""
    said = CliRunner().invoke(app, ["shrink", *map(str, arguments)])
    if isinstance(said.exception, BridgeError):
        raise said.exception
    assert said.exit_code == code, said.output
    return said.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """One person to learn from, one to judge on, one epoch; and what was printed as JSON."""
    folder = tmp_path_factory.mktemp("shrunk")
    (folder / "data.toml").write_text(DATA)
    found = json.loads(shrink(SMALL, "--data", folder / "data.toml", "--base", RECORDINGS, "--times", 4, "--epochs", 1,
                              "-o", folder / "out", "--json", "-q"))  # fmt: skip
    return folder, found


def test_every_point_is_a_model_that_says_whose_child_it_is_and_what_it_reached(
    made: tuple[Path, dict[str, Any]],
) -> None:
    folder, found = made
    kinds = [f"{way}-4x{more}" for way in ("prune", "student") for more in ("", "-int8", "-qat")]
    names = ["parent", *kinds, "int8", "qat"]
    assert [one["name"] for one in found["points"]] == names
    assert (found["people"], found["learnt_from"]) == (["10"], ["1"])
    parent = load_model(SMALL)
    for one in found["points"][1:]:
        model = load_model(folder / "out" / f"{one['name']}.hilmodel")
        lineage = model.contract.lineage
        assert lineage["parent"] == {"name": "exercise-small", "version": "1", "sha256": parent.package.sha256}
        assert (lineage["method"], lineage["seed"]) == (one["method"], 0)
        assert lineage["trained_on"] == parent.contract.lineage["trained_on"]
        figures = {metric.name: metric.value for metric in model.contract.card.metrics}
        assert figures["macro_f1"] == one["macro_f1"]["value"]
        assert (model.package.sha256, one["file"]) == (one["sha256"], str(folder / "out" / f"{one['name']}.hilmodel"))
        assert (model.contract.int8 is not None) == (one["arithmetic"] == "int8") == (one["board"] is not None)
        with Recording(RECORDINGS / "watch-unseen-10.mcap") as recording:
            assert next(model.stream(recording)).label in parent.contract.labels


def test_costs_are_those_of_the_network_and_of_its_op_list(made: tuple[Path, dict[str, Any]]) -> None:
    folder, found = made
    rows = {one["name"]: one for one in found["points"]}
    parent, child = rows["parent"], rows["prune-4x"]
    assert (parent["bytes"], parent["parameters"]) == (4 * 4503, 4503)
    assert child["macs"] * 4 <= parent["macs"]
    assert child["fewer"] == parent["macs"] / child["macs"]
    for name in ("prune-4x-qat", "int8"):
        made_here = preview(load_model(folder / "out" / f"{name}.hilmodel"))
        assert rows[name]["bytes"] == rows[name]["board"]["flash_bytes"] == made_here.flash
        assert (rows[name]["board"]["ram_bytes"], rows[name]["board"]["macs"]) == (made_here.ram, made_here.macs)
    # The parent in 8 bits hardly loses: what it loses is measured, not assumed.
    assert abs(rows["int8"]["change"]["value"]) < 0.03
    assert parent["change"]["value"] == 0.0
    assert parent["change"]["low"] is None  # one person says nothing of others


def test_a_point_goes_onto_boards_with_the_ranges_it_was_judged_with(made: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = made
    model = load_model(folder / "out" / "prune-4x-qat.hilmodel")
    with Recording(RECORDINGS / "watch-unseen-10.mcap") as recording:
        windows = windows_of(recording, model.contract)
    some, all_of = (deploy(model, part) for part in (windows, windows))
    assert model.contract.int8 is not None
    assert some.calibrated_on == model.contract.int8.windows
    assert some.blob == all_of.blob == deploy(model, windows, percentile=50.0).blob
    plain = load_model(folder / "out" / "prune-4x.hilmodel")
    assert deploy(plain, windows, percentile=50.0).blob != deploy(plain, windows).blob
    arguments = [str(folder / "out" / "int8.hilmodel"), "--dry-run", "--data", str(RECORDINGS / "watch-unseen-9.mcap")]
    said = CliRunner().invoke(app, ["model", "deploy", *arguments, "--percentile", "99"])
    assert isinstance(said.exception, UsageError)
    assert "brings them along" in str(said.exception)
    # Ranges of another network are no ranges of this one.
    held = model.contract.int8.model_copy(update={"ranges": model.contract.int8.ranges[:-1]})
    other = write_package(folder / "other.hilmodel", model.contract.model_copy(update={"int8": held}),
                          dict(model.package.weights))  # fmt: skip
    with pytest.raises(UsageError, match="ranges of 9 operators along and its network has 10"):
        preview(load_model(folder / "other.hilmodel"))
    assert other.contract.int8 == held


def test_page_and_json_in_the_folder_tell_what_was_printed(made: tuple[Path, dict[str, Any]]) -> None:
    folder, found = made
    assert json.loads((folder / "out" / "shrunk.json").read_text()) == found
    page = (folder / "out" / "shrunk.html").read_text()
    html5lib.HTMLParser(strict=True).parse(page)
    inside = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    assert inside["points"] == found["points"]
    assert "http://" not in page.replace("http://www.w3.org", "")
    for words in ("Macro-F1 against bytes", "Macro-F1 against multiplications", "prune-4x-qat", "4x smaller"):
        assert words in page


def test_the_same_seed_gives_the_same_models(made: tuple[Path, dict[str, Any]]) -> None:
    folder, found = made
    shas = {one["name"]: one["sha256"] for one in found["points"]}
    printed = shrink(SMALL, "--data", folder / "data.toml", "--base", RECORDINGS, "--times", 4, "--epochs", 1,
                     "--no-int8", "--method", "prune", "-o", folder / "again", "-q")  # fmt: skip
    assert "prune-4x" in printed
    assert "on 1 person whom no point has met: 10" in printed
    again = json.loads((folder / "again" / "shrunk.json").read_text())
    assert [one["name"] for one in again["points"]] == ["parent", "prune-4x"]
    assert again["points"][1]["sha256"] == shas["prune-4x"]


def test_across_folds_everybody_is_judged_once_by_a_parent_and_children_that_never_met_them(tmp_path: Path) -> None:
    config = DATA.replace('person = "1"  # as if the model had met this one', 'person = "9"')
    (tmp_path / "c.toml").write_text(
        'schema = 1\nname = "tiny"\nwindow = 200\nhop = 50\n[architecture]\nchannels = 6\nkernel = 5\n'
        f"dilations = [1, 2, 4, 8]\n{config}"
    )
    keep, out = tmp_path / "parents", tmp_path / "out"
    given = (tmp_path / "c.toml", "--data", RECORDINGS, "--epochs", 1, "--times", 2, "--method", "student", "--no-int8")
    found = json.loads(shrink(*given, "--folds", 2, "--keep", keep, "-o", out, "--json", "-q"))
    assert (found["folds"], found["people"]) == ([["9"], ["10"]], ["9", "10"])
    assert [one["name"] for one in found["points"]] == ["parent", "student-2x"]
    parent, child = found["points"]
    assert parent["people"].keys() == child["people"].keys() == {"9", "10"}
    assert parent["decisions"] == child["decisions"]
    assert child["fewer"] >= 2
    assert child["change"]["low"] <= child["change"]["value"] <= child["change"]["high"]
    for person in ("9", "10"):
        model = load_model(keep / f"tiny-0-{person}.hilmodel")
        assert person not in model.contract.lineage["trained_on"]
        with Recording(RECORDINGS / f"watch-unseen-{person}.mcap") as recording:
            assert next(model.stream(recording)).label
    assert {one.name for one in out.iterdir()} == {"shrunk.json", "shrunk.html"}
    with pytest.raises(UsageError, match="shrunk across folds, and a model as it is"):
        shrink(*given, "-q")


FIGURE = st.integers(0, 4)


@given(st.lists(st.tuples(FIGURE, FIGURE, FIGURE), min_size=1, max_size=12))
def test_a_point_is_on_the_front_unless_another_one_beats_it(figures: list[tuple[int, int, int]]) -> None:
    rows = [
        {"name": str(at), "macro_f1": {"value": f1}, "bytes": size, "macs": macs}
        for at, (f1, size, macs) in enumerate(figures)
    ]
    chosen = front(rows)
    assert chosen

    def beats(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
        least = (a["macro_f1"]["value"] >= b["macro_f1"]["value"], a["bytes"] <= b["bytes"], a["macs"] <= b["macs"])
        same = all(a[key] == b[key] for key in ("macro_f1", "bytes", "macs"))
        return all(least) and not same

    for row in rows:
        assert (row["name"] in chosen) == (not any(beats(other, row) for other in rows))


def test_a_bar_is_held_against_the_least_shrunk_point_of_each_way_that_is_small_enough() -> None:
    def row(
        name: str, smaller: float, fewer: float, macs: int, lost: float, low: float | None, way: str = "prune"
    ) -> dict[str, Any]:
        return {"name": name, "way": way, "smaller": smaller, "fewer": fewer, "macs": macs, "bytes": 100,
                "trained_rounded": False, "change": {"value": -lost, "low": low, "high": 0.0}}  # fmt: skip

    rows = [row("a", 3.9, 1, 90, 0.0, 0.0), row("b", 4.5, 1, 80, 0.005, -0.02), row("c", 9, 12, 7, 0.05, -0.1),
            row("d", 40, 11, 8, 0.02, None)]  # fmt: skip
    smaller, fewer = held_against(rows)
    assert (smaller["point"], smaller["within"], smaller["surely"]) == ("b", True, False)
    assert (fewer["point"], fewer["within"], fewer["surely"]) == ("d", True, None)
    assert [one["point"] for one in held_against(rows[:1], BARS)] == [None, None]
    rows.append(row("e", 50, 30, 2, 0.04, -0.05, "student"))  # the more it is shrunk the better is no way to be chosen
    told = [(one["figure"], one["way"], one["point"], one["within"]) for one in held_against(rows)]
    assert told == [("smaller", "prune", "b", True), ("smaller", "student", "e", False),
                    ("fewer", "prune", "d", True), ("fewer", "student", "e", False)]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ((), "a model is shrunk and judged on data"),
        (("--data", "data.toml", "--method", "magic"), "'magic' is no choice"),
        (("--data", "data.toml", "--base", RECORDINGS, "-o", "out"), "exists and is never overwritten"),
        (("--data", "data.toml", "--base", RECORDINGS, "--times", 100000), "one channel a layer"),
        (("--data", "known.toml", "--base", RECORDINGS), "was trained on everyone in the data"),
        (("--data", "strange.toml", "--base", RECORDINGS), "nobody whom the model has met"),
        (("--data", "other.toml", "--base", RECORDINGS), "the data have the labels PEN, ABD"),
    ],
)
def test_what_cannot_be_shrunk_is_told_in_one_sentence_and_leaves_nothing_behind(
    more: tuple[object, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path
    (folder / "out").mkdir()
    (folder / "data.toml").write_text(DATA)
    (folder / "known.toml").write_text(DATA.replace('"watch-unseen-10.mcap"', '"watch-unseen-10.mcap"\nperson = "2"'))
    (folder / "strange.toml").write_text(DATA.replace('person = "1"', 'person = "11"'))
    (folder / "other.toml").write_text(DATA.replace(', "TRAP", "ROW"', ""))
    monkeypatch.chdir(folder)
    with pytest.raises(UsageError, match=words):
        shrink(SMALL, *more, "-q")
    assert not (folder / "exercise-small-shrunk").exists()


def test_a_network_of_anothers_cannot_be_made_narrower() -> None:
    parent = load_model(SMALL).package
    contract = parent.contract.model_copy(update={"architecture": None})
    with pytest.raises(UsageError, match=r"an ONNX program, whose layers are not ours.*hil model deploy"):
        Shrinking(replace(parent, contract=contract, program=b"", weights={}), Dataset((), (), (), 50.0, ()), Plan())
