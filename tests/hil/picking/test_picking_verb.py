"""`hil pick` and what becomes of its suggestions: written beside recordings, labelled, dismissed, replaced."""

import hashlib
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from firmware_bridge.errors import BridgeError, FileError, UsageError
from firmware_bridge.events import Mark
from hil.cli import app
from hil.data.suggested import Suggestion, open_suggestions, suggest
from hil.models.contract import Architecture, Contract, Input
from hil.models.doubt import dropped_share, minds
from hil.models.labelled import Part, Stretch
from hil.models.model import Model, load_model
from hil.models.nets.shapes import TcnConfig
from hil.models.package import write_package
from hil.models.windows import windows_of
from hil.picking import stretches
from hil.picking.acquire import margin
from hil.recording.importer import import_file
from hil.recording.marks import KeptMark, sidecar_of
from hil.recording.reader import Recording

RATE = 20.0
ROOT = Path(__file__).resolve().parents[3]


def hil(*arguments: object) -> str:
    said = CliRunner().invoke(app, [str(one) for one in arguments])
    if isinstance(said.exception, BridgeError):
        raise said.exception
    assert said.exit_code == 0, said.output
    return said.stdout


def recording(path: Path, seed: int = 0, seconds: int = 60) -> Path:
    """Minutes of a wrist that swings, then shakes, then swings; nobody labelled it."""
    chance = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    swings = (t // (seconds / 3)) % 2 == 0
    wave = np.where(swings, np.sin(2 * np.pi * 0.6 * t), 0.5 * np.sin(2 * np.pi * 3.1 * t))
    readings = np.stack((wave, np.cos(wave), 0.2 * wave), 1) + 0.05 * chance.standard_normal((len(t), 3))
    source = path.with_suffix(".npz")
    np.savez(source, imu=readings.astype(np.float32))
    import_file(source, path, stream="imu", rate_hz=RATE, unit="g", about={"person": "Ada"}, start_ns=10**18)
    source.unlink()
    return path


def model(path: Path, channels: tuple[str, ...], seed: int = 0, name: str = "toy") -> Model:
    """A small network with random weights that reads two seconds of a recording of this test."""
    shape = TcnConfig(inputs=3, classes=3, channels=6, kernel=3, dilations=(1, 2, 4), pool=26)
    chance = np.random.default_rng(seed)
    weights = {key: chance.standard_normal(size).astype(np.float32) for key, size in shape.shapes().items()}
    promised = Contract(
        name=name, inputs=tuple(Input(channel=one, unit="g", mean=0.0, std=1.0) for one in channels), rate_hz=RATE,
        window=shape.memory, hop=10, memory_samples=shape.memory, labels=("swing", "shake", "rest"),
        architecture=Architecture(name="tcn", config=shape),
    )  # fmt: skip
    return Model(write_package(path, promised, weights))


def channels_of(path: Path) -> tuple[str, ...]:
    with Recording(path) as opened:
        return tuple(opened.streams()[0].stream.channels)


def test_a_pick_is_suggested_labelled_and_never_suggested_again(tmp_path: Path) -> None:
    files = [recording(tmp_path / f"{name}.mcap", at) for at, name in enumerate("ab")]
    digest = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    found = json.loads(hil("pick", "--data", tmp_path, "--budget", 6, "--json"))
    assert found["stretches"] == {"labelled": 0, "unlabelled": 30}
    assert (found["written"], found["withdrawn"]) == (6, 0)
    assert found["doubts"].startswith("nobody")
    first = found["picked"][0]
    asked = json.loads(hil("data", "label", first["file"], "--json"))["suggestions"]
    assert (asked[0]["from_s"], asked[0]["to_s"]) == pytest.approx((first["from_s"], first["to_s"]))
    for file in files:
        waiting = json.loads(hil("data", "label", file, "--json"))["suggestions"]
        for at, _ in enumerate(waiting):
            hil("data", "label", file, ("swing", "shake")[at % 2], "--pick", "next")
    told = [json.loads(hil("data", "label", file, "--json")) for file in files]
    assert [one["suggestions"] for one in told] == [[], []]
    assert sum(len(one["labels"]) for one in told) == 6
    again = json.loads(hil("pick", tmp_path, "--budget", 30, "--json"))
    assert again["stretches"] == {"labelled": 6, "unlabelled": 24}
    assert again["doubts"] == "8 heads learnt on 6 labelled stretches"
    assert again["labels"] == ["shake", "swing"]
    before = {(one["file"], one["from_s"]) for one in found["picked"]}
    assert len(again["picked"]) == 24
    assert not before & {(one["file"], one["from_s"]) for one in again["picked"]}
    assert digest == [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def test_the_next_run_takes_the_place_of_what_is_still_open(tmp_path: Path) -> None:
    file = recording(tmp_path / "a.mcap")
    hil("pick", file, "--budget", 4)
    hil("data", "label", file, "swing", "--pick", "next")
    found = json.loads(hil("pick", file, "--budget", 2, "--strategy", "coreset", "--json"))
    assert found["withdrawn"] == 3
    assert len(json.loads(hil("data", "label", file, "--json"))["suggestions"]) == 2


def test_a_suggestion_is_dismissed_and_an_undo_brings_it_back(tmp_path: Path) -> None:
    file = recording(tmp_path / "a.mcap")
    hil("pick", file, "--budget", 3)
    asked = json.loads(hil("data", "label", file, "--json"))["suggestions"]
    hil("data", "label", file, "--dismiss", asked[1]["id"])
    left = [one["from_s"] for one in json.loads(hil("data", "label", file, "--json"))["suggestions"]]
    assert left == [asked[0]["from_s"], asked[2]["from_s"]]
    hil("data", "label", file, "--undo")
    assert len(json.loads(hil("data", "label", file, "--json"))["suggestions"]) == 3
    hil("data", "label", file, "swing", "--pick", "next")
    hil("data", "label", file, "--undo")
    back = json.loads(hil("data", "label", file, "--json"))
    assert (len(back["suggestions"]), back["labels"]) == (3, [])


def test_a_dry_run_writes_nothing_and_prints_the_same_table(tmp_path: Path) -> None:
    file = recording(tmp_path / "a.mcap")
    dry = hil("pick", file, "--budget", 3, "--dry-run", "-q")
    assert not sidecar_of(file).exists()
    assert dry == hil("pick", file, "--budget", 3, "-q")
    assert sidecar_of(file).exists()
    assert dry.splitlines()[0].split() == ["rank", "from_s", "to_s", "file", "guess", "bald", "margin", "distance"]


def test_a_model_doubts_by_draws_and_several_by_what_each_says(tmp_path: Path) -> None:
    file = recording(tmp_path / "a.mcap")
    one, two = (tmp_path / f"{name}.hilmodel" for name in "xy")
    model(one, channels_of(file))
    model(two, channels_of(file), 1)
    found = [json.loads(hil("pick", one, "--data", file, "--budget", 5, "--dry-run", "--json")) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0]["doubts"] == "16 draws of model toy"
    assert found[0]["stretch_s"] == pytest.approx(40 / RATE)
    assert all(row["bald"] > 0 and row["guess"] in found[0]["labels"] for row in found[0]["picked"])
    pair = json.loads(hil("pick", one, two, file, "--strategy", "bald", "--budget", 5, "--dry-run", "--json"))
    assert pair["doubts"] == "models toy, toy"
    assert pair["picked"][0]["bald"] == max(row["bald"] for row in pair["picked"])
    longer = json.loads(hil("pick", one, file, "--stretch", 4, "--dry-run", "--json"))
    assert longer["stretches"]["unlabelled"] == 15


def test_draws_differ_by_what_is_dropped_and_equal_seeds_drop_alike(tmp_path: Path) -> None:
    made = model(tmp_path / "x.hilmodel", ("a", "b", "c"))
    windows = np.random.default_rng(0).standard_normal((70, 40, 3)).astype(np.float32)
    first, same, other = (minds([made], windows, 8, seed) for seed in (0, 0, 1))
    assert first.shape == (8, 70, 3)
    assert np.allclose(first.sum(axis=-1), 1.0)
    assert (first == same).all()
    assert not (first == other).all()
    assert (first[0] != first[1]).any()


def test_windows_that_the_shipped_model_gets_wrong_are_doubted_more() -> None:
    shipped = load_model(ROOT / "hil" / "models" / "exercise.hilmodel")
    assert dropped_share(shipped.contract) == 0.2
    with Recording(ROOT / "scenarios" / "recordings" / "watch-unseen-9.mcap") as opened:
        found = windows_of(opened, shipped.contract)
    known = found.truth >= 0
    values = found.stream.values(found.raw[known])[..., list(found.picked)]
    told = minds([shipped], values, 8, 0)
    wrong = told.mean(axis=0).argmax(axis=-1) != found.truth[known]
    assert 5 < wrong.sum() < len(wrong) / 2
    assert margin(told)[wrong].mean() > 1.5 * margin(told)[~wrong].mean()


def test_a_folder_is_picked_from_where_it_holds_recordings_of_other_boards_too_and_they_are_named(tmp_path) -> None:
    bench = tmp_path / "bench"
    bench.mkdir()
    mine = recording(bench / "b.mcap")
    toy = tmp_path / "toy.hilmodel"
    model(toy, channels_of(mine))
    other, torn = bench / "a.mcap", bench / "c.mcap"
    np.savez(bench / "heat.npz", heat=np.zeros((200, 1), np.float32))
    import_file(bench / "heat.npz", other, stream="heat", rate_hz=RATE, unit="degC", about={}, start_ns=10**18)
    torn.write_bytes(b"not a recording")
    told = json.loads(hil("pick", toy, "--data", bench, "--budget", 2, "--json"))
    assert {one["file"] for one in told["picked"]} == {str(mine)}
    assert [Path(one["file"]).name for one in told["passed_over"]] == ["a.mcap", "c.mcap"]
    assert "no stream has the channels" in told["passed_over"][0]["why"]
    for named in (("--data", bench, "--data", other), ("--data", other)):
        with pytest.raises(UsageError, match="no stream has the channels"):
            hil("pick", toy, *named, "--budget", 2)
    mine.unlink()
    with pytest.raises(UsageError, match="no stream has the channels"):
        hil("pick", toy, "--data", bench)


def test_what_cannot_be_meant_is_one_sentence(tmp_path: Path) -> None:
    file = recording(tmp_path / "a.mcap", seconds=9)
    toy = tmp_path / "x.hilmodel"
    model(toy, ("p", "q", "r"))
    (tmp_path / "empty").mkdir()
    for wrong, kind, told in (
        (("pick",), UsageError, "nothing to pick from"),
        (("pick", file, "--strategy", "oracle"), UsageError, "no strategy 'oracle'"),
        (("pick", file, "--stretch", 100), UsageError, "without a gap"),
        (("pick", file, "--html", tmp_path / "x.html"), UsageError, "belong to --curve"),
        (("pick", toy, file), UsageError, "no stream has the channels"),
        (("pick", tmp_path / "empty"), FileError, "no recording"),
        (("pick", ROOT / "scenarios" / "models" / "exercise.toml"), UsageError, "beside recordings"),
        (("pick", file, "--stream", "gyro"), UsageError, "no stream gyro"),
        (("data", "label", file, "swing", "--pick", "next"), UsageError, "no suggestion is open"),
        (("data", "label", file, "--pick", "next"), UsageError, "wants a label"),
        (("data", "label", file, "swing", "--dismiss", "next"), UsageError, "one thing at a time"),
    ):
        with pytest.raises(kind, match=told) as caught:
            hil(*wrong)
        assert caught.value.exit_code == (2 if kind is UsageError else 3)
    hil("pick", file, "--budget", 1)
    with pytest.raises(UsageError, match="called 's7'"):
        hil("data", "label", file, "--dismiss", "s7")


def test_no_stretch_reaches_over_a_gap_or_touches_a_label_and_what_is_left_out_is_counted() -> None:
    times = np.arange(100) / 10.0
    texts: list[str | None] = [None] * 100
    texts[15:25] = ["swing"] * 10
    broken = np.zeros((100, 2), np.float32)
    broken[95] = np.nan
    pieces = (slice(0, 47), slice(52, 100))
    part = Part(
        "a", {}, ("x", "y"), ("g", "g"), 10.0, None,
        tuple(Stretch(broken[one], texts[one], "a", float(times[one.start]), times[one]) for one in pieces),
    )  # fmt: skip
    lost: dict[str, float] = defaultdict(float)
    found = [one for _, one in stretches._pieces(part, "a", "watch", 10**18, 10, lost)]
    assert [(one.from_s, one.to_s, one.label) for one in found] == [
        (0.0, 1.0, None), (3.0, 4.0, None), (5.2, 6.2, None), (6.2, 7.2, None), (7.2, 8.2, None), (8.2, 9.2, None)
    ]  # fmt: skip
    assert found[0].stop_ns - found[0].start_ns == 10**9
    assert lost["labelled in part"] == pytest.approx(2.0)
    assert lost["shorter than a stretch"] == pytest.approx(0.7 + 0.8)
    assert lost["readings that are no numbers"] == 0.0


def test_a_mark_that_a_person_called_pick_is_no_suggestion(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    with pytest.raises(UsageError, match="ends before it begins"):
        suggest(path, [Suggestion(5, 5)], 0)
    notes = ("", "look here", "[]", '{"why": "odd"}', '{"stop_ns": 3}', '{"stop_ns": 30, "new": 1}')
    marks = [KeptMark(f"s{at}", Mark("", 10, "pick", "mark", "Ada", note), 0) for at, note in enumerate(notes)]
    assert [one.id for one in open_suggestions(marks)] == ["s5"]


@settings(max_examples=60)
@given(st.integers(0, 100), st.integers(1, 100), st.sampled_from(["", "watch", "other"]))
def test_a_suggestion_is_answered_by_a_label_of_its_board_that_covers_half_of_it(
    start: int, length: int, board: str
) -> None:
    asked = KeptMark("s", Mark("watch", 40, "pick", "mark", "", '{"stop_ns": 60}'))
    label = [
        KeptMark(kind, Mark(board, t_ns, "swing", kind)) for kind, t_ns in (("start", start), ("stop", start + length))
    ]
    covered = max(0, min(60, start + length) - max(40, start))
    answered = board != "other" and 2 * covered >= 20
    assert (open_suggestions([asked, *label]) == []) == answered
