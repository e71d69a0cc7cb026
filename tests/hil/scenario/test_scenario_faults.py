"""Faults in scenarios: the same damage by sample number on every target, recorded, derived again, never ignored."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hil
from firmware_bridge.events import Arrival
from firmware_bridge.faults import KINDS, Schedule
from firmware_bridge.faults.detect import observe
from hil.models.verify import verify
from hil.recording.importer import import_file
from hil.scenario.execution.execute import execute
from hil.scenario.execution.targets import place_of
from hil.scenario.grammar.load import Loaded, find_files, load_scenario, parse_scenario
from hil.scenario.results.outcome import FAIL, PASS, UNSET
from hil.scenario.run import RunOptions, run_once

SCENARIOS = Path(__file__).resolve().parents[3] / "scenarios"
BY_NUMBER = [name for name, kind in KINDS.items() if kind.level in ("frame", "sensor", "clock")]
HANDLED = {"link.stall", "clock.wrap"}
"""Faults that a good host does not even notice: no check can tell that they were there."""

CHECK = '[[check]]\nmetric = "link.dut.bytes_unaccounted"\nequals = 0\n'
BOARDS = {
    "imu": 'name = "i"\n[board.dut]\nvirtual = "imu?rate=100&ppm=30"\nseed = 5\n[readings]\nto_s = 2.5\n',
    "thermal": 'name = "t"\n[board.dut]\nvirtual = "thermal?rate=25"\nseed = 5\n[readings]\nto_s = 2.5\n',
}


def loaded(text: str, folder: Path = Path("/nowhere")) -> Loaded:
    path = folder / "s.toml"
    return Loaded(path, text, parse_scenario(text, str(path)))


def under(name: str, strength: float | None = None, **more: float) -> list[dict[str, Any]]:
    """One fault of a kind, strong enough to be seen."""
    kind = KINDS[name]
    return [{"kind": name, "on": "dut", kind.main: kind.strengths[2] if strength is None else strength, **more}]


def run(one: Loaded, faults: list[dict[str, Any]], on: str | None = None, seed: int = 3, keep: Path | None = None):
    """Everything that a host heard in a run of the scenario under some faults."""
    heard: list[Arrival] = []
    place = place_of("dut", one.scenario.board["dut"], on, alone=True)
    execute(one, [place], 0, Schedule.from_dict({"seed": seed, "fault": faults}), keep=keep, watch=[heard.append])
    return heard


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults")
    for name, text in BOARDS.items():
        run(loaded(text + CHECK), [], keep=folder / f"{name}.mcap")
    return folder


Damage = dict[tuple[int, int], tuple[float, bytes]]


def damage(heard: list[Arrival]) -> Damage:
    """Seconds since the first sample, and readings, by start of the board and sample number, both counted from 0."""
    out = {}
    seen = observe(heard).seen
    boots = sorted({boot for _, _, boot in seen})
    for (_, _, boot), one in seen.items():
        for number, tick, raw in zip(one.numbers, one.ticks - one.ticks[0], one.raw, strict=True):
            out[boots.index(boot), int(number)] = (int(tick) / 1e6, raw.tobytes())
    return out


@pytest.mark.parametrize("name", BY_NUMBER)
def test_the_same_samples_are_damaged_on_a_recording_and_on_the_virtual_board_that_plays_it(
    name: str, recordings: Path
) -> None:
    board = "thermal" if KINDS[name].needs == "image" else "imu"
    text = f'name = "r"\n[board.dut]\nrecording = "{board}.mcap"\n[readings]\nfrom_s = 0.25\nto_s = 2.2\n'
    one = loaded(text + CHECK, recordings)
    faults = under(name, from_s=0.6)
    ours, played = (damage(run(one, faults, on)) for on in ("recording", "virtual"))
    clean = damage(run(one, [], "recording"))
    last = min(max(ours), max(played))
    first = max(min(ours), min(played))
    inside = {key for key in ours.keys() | played.keys() if first < key < (last[0], last[1] - 12)}
    assert len(inside) > (25 if board == "thermal" else 120)
    assert [key for key in sorted(inside) if (key in ours) != (key in played)] == []
    both = inside & ours.keys() & played.keys()
    assert [key for key in sorted(both) if ours[key][1] != played[key][1]] == []
    assert uneven(ours, played, both) < 3e-6
    known = {key for key in clean if first < key < last}
    changed = any(key not in ours or ours[key][1] != clean[key][1] for key in known) or uneven(ours, clean, known) > 0
    assert changed != (name in ("frame.duplicate", "clock.wrap"))


def uneven(one: Damage, other: Damage, keys: set[tuple[int, int]]) -> float:
    """By how many seconds more one clock is ahead of the other at one sample than at another of the same start."""
    boots = {boot for boot, _ in keys}
    ahead = [[one[key][0] - other[key][0] for key in keys if key[0] == boot] for boot in boots]
    return max(float(np.ptp(np.round(each, 7))) for each in ahead)


@pytest.mark.parametrize("name", KINDS)
def test_a_run_that_is_kept_says_its_faults_and_seed_and_everything_in_it_follows_from_its_bytes(
    name: str, recordings: Path, tmp_path: Path
) -> None:
    text = 'name = "r"\n[board.dut]\nrecording = "imu.mcap"\n' + CHECK
    faults = under(name, from_s=0.6)
    one_a_level = ("byte.flip", "link.disconnect", "frame.drop", "sensor.noise", "clock.reboot")
    for on in ("recording", "virtual") if name in one_a_level else ("recording",):
        path = tmp_path / f"{on}.mcap"
        heard = run(loaded(text, recordings), faults, on, seed=11, keep=path)
        with hil.open(path) as recording:
            told = recording.header.extra["faults"]
            assert (told["seed"], [fault["kind"] for fault in told["faults"]]) == (11, [name])
            assert Schedule.from_dict(json.loads(json.dumps(told))).faults[0].from_s == 0.6
            assert len(recording.read("dut", "imu")) == sum(len(seen.numbers) for seen in observe(heard).seen.values())
        found = verify(path)
        assert (found.verdict, found.exact) == ("reproduced", True), (on, found.sentence)


def test_a_board_that_starts_anew_again_and_again_is_seen_to_do_so_each_time(recordings: Path) -> None:
    text = 'name = "r"\n[board.dut]\nrecording = "imu.mcap"\n' + CHECK
    fault = under("clock.reboot", 1.0, from_s=0.6)
    for on in ("recording", "virtual"):
        firsts = [boot for boot, number in damage(run(loaded(text, recordings), fault, on)) if number == 0]
        assert sorted(firsts) == [0, 1, 2]


def test_a_gap_at_the_end_of_the_readings_is_counted_though_it_was_found_later(recordings: Path) -> None:
    lost = '[[check]]\nmetric = "link.dut.gaps"\nat_least = 1\n'
    for at in np.arange(1.0, 1.03, 0.01):
        text = f'name = "r"\n[board.dut]\nrecording = "imu.mcap"\n[readings]\nto_s = {at + 0.021:.3f}\n'
        fault = [{"kind": "frame.drop", "on": "dut", "rate": 1.0, "from_s": float(at), "to_s": float(at) + 0.01}]
        heard = run(loaded(text + lost, recordings), fault)
        seen = next(iter(observe(heard).seen.values()))
        holes = int((np.diff(seen.numbers) > 1).sum())
        assert len(seen.gaps) == holes


def test_readings_that_were_imported_take_no_faults_and_say_so(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("ax\n" + "\n".join(f"{0.1 * (n % 7):.3f}" for n in range(400)) + "\n")
    import_file(table, tmp_path / "t.mcap", stream="imu", rate_hz=100.0, unit="g")
    text = 'name = "r"\n[board.dut]\nrecording = "t.mcap"\n'
    fault = '[[fault]]\non = "dut"\nkind = "sensor.bias"\noffset = 1.0\n'
    check = '[[check]]\nmetric = "stream.dut.imu.samples"\nat_least = 300\n'
    assert run_once(loaded(text + check, tmp_path), RunOptions()).outcome == PASS
    result = run_once(loaded(text + fault + check, tmp_path), RunOptions())
    assert (result.outcome, "run it on virtual" in result.why) == ("NA", True)


def test_every_kind_of_fault_has_a_scenario_that_comes_along() -> None:
    there = {str(fault["kind"]) for path in find_files([SCENARIOS]) for fault in load_scenario(path).scenario.fault}
    assert there >= set(KINDS)


@pytest.mark.parametrize("path", sorted((SCENARIOS / "faults").glob("*.toml")), ids=lambda path: path.stem)
def test_a_scenario_of_a_fault_would_fail_were_the_fault_not_seen(path: Path) -> None:
    one = load_scenario(path)
    (fault,) = one.scenario.fault
    clean = Loaded(path, one.text, one.scenario.model_copy(update={"fault": []}))
    assert (run_once(clean, RunOptions()).outcome in (FAIL, UNSET)) != (fault["kind"] in HANDLED)
