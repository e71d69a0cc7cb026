"""The smallest schedule that still fails: it fails, no part of it can go, and it is the same every time."""

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from firmware_bridge.errors import NoAnswer, UsageError
from firmware_bridge.faults import KINDS, Fault
from hil.cli import app
from hil.scenario.faults.minimise import Search, ddmin, shrunk
from hil.scenario.faults.smallest import smallest
from hil.scenario.grammar.load import Loaded, load_scenario, parse_scenario
from hil.scenario.run import RunOptions, run_scenario

IMU = """# Nothing may be lost.
name = "imu"
[board.imu]
virtual = "imu?rate=100"
seed = 5
[readings]
to_s = 1.2
"""
ABSENT = IMU.replace('virtual = "imu?rate=100"\nseed = 5', 'recording = "none.mcap"')
LOST = '[[check]]\nmetric = "link.imu.samples_lost"\nequals = 0\n'
NOISE, DELAY = ('[[fault]]\non = "imu"\nkind = "sensor.noise"\n', '[[fault]]\non = "imu"\nkind = "link.delay"\n')
DROP = '[[fault]]\non = "imu"\nkind = "frame.drop"\nrate = 0.3\n'


def loaded(text: str, folder: Path = Path("/nowhere")) -> Loaded:
    path = folder / "s.toml"
    return Loaded(path, text, parse_scenario(text, str(path)))


@given(st.integers(1, 40), st.lists(st.sets(st.integers(0, 39), max_size=6), min_size=1, max_size=4))
@settings(max_examples=300)
def test_what_is_left_fails_and_passes_as_soon_as_any_one_is_taken_out(count: int, needed: list[set[int]]) -> None:
    reasons = [kept for one in needed if (kept := {item % count for item in one})] or [{0}]

    def fails(items: tuple[int, ...]) -> bool:
        return any(reason <= set(items) for reason in reasons)

    left = ddmin(range(count), fails)
    assert fails(left)
    assert all(not fails(left[:at] + left[at + 1 :]) for at in range(len(left)))
    assert ddmin(range(count), fails) == left


@given(st.integers(1, 12), st.sets(st.integers(0, 10**6), max_size=30))
@settings(max_examples=200)
def test_that_holds_for_predicates_without_any_order(count: int, salt: set[int]) -> None:
    def fails(items: tuple[int, ...]) -> bool:
        mask = sum(1 << item for item in items)
        return bool(items) and (mask == (1 << count) - 1 or mask * 7919 % 1_000_003 in salt or mask % 5 == 0)

    left = ddmin(range(count), fails)
    assert fails(left)
    assert all(not fails(left[:at] + left[at + 1 :]) for at in range(len(left)))


@given(
    name=st.sampled_from(list(KINDS)), begins=st.floats(0, 8), lasts=st.floats(0.5, 20), place=st.integers(0, 2),
    needed=st.floats(0.02, 1.0), at=st.floats(0.1, 0.9),
)  # fmt: skip
@settings(max_examples=300)
def test_a_fault_is_shrunk_to_the_time_and_the_strength_that_are_needed(
    name: str, begins: float, lasts: float, place: int, needed: float, at: float
) -> None:
    kind = KINDS[name]
    strong = kind.strengths[place] or 0.5
    fault = Fault.of(name, "imu", begins, begins + lasts, **{kind.main: strong})
    moment = begins + at * lasts
    harmless = kind.params[kind.main].harmless

    def fails(one: Fault) -> bool:
        enough = one.strength <= strong if harmless == float("inf") else one.strength >= needed * strong
        return one.from_s <= moment < one.to_s and (enough or harmless is None or harmless == 1)

    small = shrunk(fault, fails, 100.0)
    assert fails(small)
    assert small.to_s - small.from_s <= 0.0301
    if harmless == 0:
        assert small.strength <= needed * strong + strong / 20
    assert (small.key, small.kind, small.on) == (fault.key, name, "imu")
    assert shrunk(fault, fails, 100.0) == small


def test_a_fault_that_never_ends_ends_with_the_readings_and_each_set_is_asked_for_once() -> None:
    faults = [Fault.of("frame.drop", "imu", key=f"k{at}", rate=0.5) for at in range(9)]
    asked: list[str] = []
    told: list[int] = []

    def fails(some: tuple[Fault, ...]) -> bool:
        asked.append(repr([one.as_dict() for one in some]))
        return {"k3", "k7"} <= {one.key for one in some} and all(one.to_s > 2.5 for one in some)

    search = Search(fails, lambda some: told.append(len(some)))
    left = search.smallest(faults, 5.0)
    assert [one.key for one in left] == ["k3", "k7"]
    assert [one.to_s for one in left] == [2.51, 2.51]
    assert len(asked) == len(set(asked)) == search.runs
    assert told == sorted(told, reverse=True)


def test_the_smallest_schedule_is_written_as_a_scenario_that_fails_by_itself(tmp_path: Path) -> None:
    one = loaded(IMU + NOISE + LOST + DROP + DELAY, tmp_path)
    found = smallest(one, seed=4)
    again = smallest(one, seed=4)
    assert found == again
    assert [fault.key for fault in found.faults] == ["frame.drop#1"]
    assert [fault.kind for fault in found.removed] == ["sensor.noise", "link.delay"]
    path = tmp_path / "small.toml"
    path.write_text(found.text(one, path))
    small = load_scenario(path)
    assert run_scenario(small, RunOptions()).outcome == "FAIL"
    text = path.read_text()
    for said in ("--seed 4", f"{found.runs} runs", "link.imu.samples_lost", "was taken out", "# Nothing may be lost."):
        assert said in text
    plain, original = tomllib.loads(text), tomllib.loads(one.text)
    assert {**plain, "fault": 0, "seed": 0} == {**original, "fault": 0, "seed": 0}
    assert plain["fault"][0]["rate"] < 0.3
    assert plain["fault"][0]["to_s"] - plain["fault"][0]["from_s"] < 0.05


def test_files_that_a_scenario_names_are_found_from_where_the_smallest_stands(tmp_path: Path) -> None:
    recording = Path(__file__).resolve().parents[3] / "scenarios" / "recordings" / "watch-unseen-9.mcap"
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "r.mcap").symlink_to(recording)
    text = 'name = "w"\n[board.imu]\nrecording = "r.mcap"\n[readings]\nto_s = 4.0\n' + LOST + DROP
    one = loaded(text, tmp_path / "a")
    path = tmp_path / "b" / "small.toml"
    path.write_text(smallest(one).text(one, path))
    assert run_scenario(load_scenario(path), RunOptions()).outcome == "FAIL"


@pytest.mark.parametrize(
    ("text", "kind", "why"),
    [
        (IMU + NOISE + LOST, UsageError, "it is PASS with --seed 0"),
        (IMU + LOST, UsageError, "it has no faults"),
        (IMU + NOISE + LOST.replace("equals = 0", "at_least = 1"), UsageError, "without any fault too"),
        (ABSENT + DROP + LOST, NoAnswer, "TROUBLE"),
    ],
)
def test_what_cannot_be_made_smaller_is_said_in_a_sentence(text: str, kind: type[Exception], why: str) -> None:
    with pytest.raises(kind, match=why):
        smallest(loaded(text))


def test_an_interrupt_gives_the_smallest_that_was_found() -> None:
    def tell(line: str) -> None:
        raise KeyboardInterrupt

    found = smallest(loaded(IMU + NOISE + DROP + DELAY + LOST), seed=4, tell=tell)
    assert (found.complete, [fault.kind for fault in found.faults]) == (False, ["frame.drop"])
    assert "ended early" in found.text(loaded(IMU + NOISE + DROP + DELAY + LOST))


def test_the_verb_writes_one_json_object_and_never_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(IMU.replace("1.2", "0.5") + DROP + LOST)
    small = str(tmp_path / "small.toml")
    command = ["faults", "minimise", str(tmp_path / "s.toml"), "--json", "-o", small]
    first, second = (CliRunner().invoke(app, command) for _ in range(2))
    plain = json.loads(first.stdout)
    assert (first.exit_code, plain["file"], plain["complete"]) == (0, small, True)
    assert plain["checks"][0]["metric"] == "link.imu.samples_lost"
    assert "it is there already" in str(second.exception)
