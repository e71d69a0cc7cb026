"""A scenario file is read whole; a mistake in it is told with file, line, key, what was found and what is allowed."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from firmware_bridge.errors import UsageError
from hil.scenario.execution.place import refuse_nobody
from hil.scenario.grammar.load import Loaded, find_files, json_schema, load_all, load_scenario, parse_scenario
from hil.scenario.grammar.mistakes import ScenarioError
from hil.scenario.grammar.position import Positions

GOOD = """\
schema = 1
name = "A watch exercise is told from another on unseen people"
why = "Release gate"
needs = ["board:imu-revb"]
tags = ["models", "gate"]
timeout_s = 30

[readings]
from_s = 0.5
to_s = 20.0

[board.watch]
recording = "recordings/watch.mcap"
board = "left"

[board.imu]
virtual = "imu?rate=100"
seed = 7

[model.exercise]
file = "exercise"
board = "watch"
deadline_ms = 50

[[event]]
name = "squat"
model = "exercise"
label = "PEN"
from_s = 2.0
to_s = 8.0

[[check]]
metric = "model.exercise.macro_f1"
at_least = 0.80
marginal = 0.83

[[check]]
metric = "link.watch.samples_lost"
equals = 0
unit = "1"

[[check]]
metric = "stream.imu.imu.rate"
equals = 100.0
within_percent = 1.0

[baseline]
file = "expected/watch.json"

[quarantine]
reason = "the new strap"
date = "2026-03-01"
"""


def mistakes(text: str) -> tuple[str, ...]:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "s.toml")
    return caught.value.sentences


def test_a_good_file_is_read() -> None:
    scenario = parse_scenario(GOOD, "s.toml")
    assert scenario.board["imu"].seed == 7
    assert scenario.model["exercise"].deadline_ms == 50
    assert [check.metric for check in scenario.check][1] == "link.watch.samples_lost"


@pytest.mark.parametrize(
    ("old", "new", "at", "told"),
    [
        ("at_least = 0.80", "at_leest = 1", "at_leest", "check[1].at_leest: there is no such key, did you mean "),
        ('board = "watch"', 'board = "wach"', '"wach"', "board: there is no board 'wach', did you mean 'watch'?"),
        ("macro_f1", "macro_f2", "macro_f2", "'model.exercise.macro_f2' is no metric, did you mean 'macro_f1'?"),
        ("link.watch.", "link.wotch.", "link.wotch", "there is no board 'wotch', did you mean 'watch'?"),
        ("equals = 0", 'equals = "0"', '"0"', "check[2].equals: '0' was found; input should be a valid number"),
        ('unit = "1"', 'unit = "%"', '"%"', "check[2].unit: '%' was found; link.watch.samples_lost is in '1'"),
        ("to_s = 20.0", "to_s = 0.2", "to_s = 0.2", "readings.to_s: 0.2 was found; more than from_s (0.5) is allowed"),
        ("marginal = 0.83", "marginal = 0.7", "marginal", "0.7 was found; at least the limit (0.8) is allowed"),
        ("seed = 7", "seed = -7", "seed", "board.imu.seed: -7 was found; input should be greater than or equal to 0"),
        ("to_s = 8.0", "", "[[event]]", "event[1]: from_s and to_s belong together"),
        ("at_least = 0.80", "at_least = 1\nat_most = 1", "[[check]]", "check[1]: at_least and at_most was found"),
        ('date = "2026-03-01"', 'date = "soon"', "date", "quarantine.date: 'soon' was found; string should match"),
        ('name = "squat"', "", "[[event]]", "event[1].name: this key is missing"),
    ],
)  # fmt: skip
def test_a_mistake_names_file_line_key_and_what_is_allowed(old: str, new: str, at: str, told: str) -> None:
    text = GOOD.replace(old, new, 1)
    line = next(number for number, one in enumerate(text.splitlines(), 1) if at in one)
    said = mistakes(text)
    assert any(one.startswith(f"s.toml:{line}: ") and told in one for one in said), said


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ('virtual = "imuu"', "s.toml:3: board.b.virtual: there is no such virtual board; did you mean imu?"),
        ('virtual = "imu?rat=9"', "s.toml:3: board.b.virtual: rat is no parameter of this board; did you mean rate?"),
        ('virtual = "imu?seed=9"', "board.b.virtual: the seed of a virtual board is a key of its own"),
        ('port = "virtual://imuu"', "s.toml:3: board.b.port: there is no such virtual board; did you mean imu?"),
        ('port = "sokcet://h:1"', "board.b.port: 'sokcet://h:1': unknown way into a board"),
        ('port = "/dev/ttyACM0?baud=x"', "baud is a whole number"),
    ],
)
def test_a_board_that_can_never_be_is_a_mistake_of_the_file_and_not_trouble_of_the_bench(where: str, told: str) -> None:
    text = f'name = "x"\n[board.b]\n{where}\n[[check]]\nmetric = "link.b.gaps"\nequals = 0\n'
    (said,) = mistakes(text)
    assert told in said


@pytest.mark.parametrize(
    ("on", "told"),
    [("virtul", "did you mean virtual?"), ("c=virtual://imu", "no scenario has a board 'c'.*there are: watch, imu")],
)
def test_a_target_that_nothing_can_mean_is_refused(on: str, told: str) -> None:
    loaded = Loaded(Path("s.toml"), GOOD, parse_scenario(GOOD, "s.toml"))
    with pytest.raises(UsageError, match=told):
        refuse_nobody(on, [loaded])
    for fine in (None, "recording", "imu=/dev/ttyACM0", "/dev/ttyACM0", "firmware://qemu"):
        refuse_nobody(fine, [loaded])


def test_all_mistakes_in_meaning_are_told_in_order_of_their_lines() -> None:
    text = (
        GOOD.replace("at_least = 0.80", "at_leest = 1").replace('board = "watch"', 'board = "x"').replace("why", "wy")
    )
    said = mistakes(text)
    lines = [int(one.split(":")[1]) for one in said]
    assert len(said) >= 4
    assert lines == sorted(lines)


def test_of_syntax_the_first_is_told_with_its_line() -> None:
    assert mistakes('name = "x"\n[board\n') == (
        "s.toml:2: this is no valid TOML: expected ']' at the end of a table declaration; correct that line",
    )


def test_a_newer_schema_is_refused_in_a_sentence() -> None:
    assert "schema: 2 was found" in mistakes(GOOD.replace("schema = 1", "schema = 2"))[0]


def test_lines_are_known_through_quotes_multi_line_values_and_arrays_of_tables() -> None:
    text = 'a = """\n[x]\n"""\n"b c".d = [\n 1, # ]\n "]",\n]\n[[t]]\nk = {x = 1}\n[t.u]\nv = 1\n[[t]]\nk = 2\n'
    found = Positions(text)
    assert found.line(("b c", "d", 1)) == 4
    assert found.line(("t", 0, "k", "x")) == 9
    assert found.line(("t", 0, "u", "v")) == 11
    assert found.line(("t", 1, "k")) == 13
    assert found.line(("nothing",)) == 1


def mutated(seed: int) -> str:
    """The good file with one to three lines dropped, doubled, misspelt or given another value."""
    draw = random.Random(seed)
    lines = GOOD.splitlines()
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(lines))
        line = lines[at]
        match draw.randrange(6):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, line)
            case 2:
                letter = draw.randrange(max(len(line), 1))
                lines[at] = line[:letter] + draw.choice("xq[]=\"'.{#\0\t9") + line[letter + 1 :]
            case 3:
                key = line.partition("=")[0]
                lines[at] = (
                    f"{key}= {draw.choice(['true', '-1', '[]', '{}', 'nan', '1e999', '[[1]]', '1979-05-27', '99'])}"
                )
            case 4:
                lines[at] = line[: draw.randrange(len(line) + 1)]
            case _:
                lines[at] = line[1:]
    return "\n".join(lines)


def refusal(text: str) -> ScenarioError | None:
    """What a text is refused with; anything but a ScenarioError comes out."""
    try:
        parse_scenario(text, "s.toml")
    except ScenarioError as error:
        return error
    return None


def test_the_verb_tells_the_mistakes_of_all_files_with_exit_2_and_no_traceback(tmp_path: Path) -> None:
    wrong = 0
    for seed in range(40):
        text = mutated(seed)
        if refusal(text) is not None:
            wrong += 1
            (tmp_path / f"s{seed:03}.toml").write_text(text, encoding="utf-8", newline="")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    command = (sys.executable, "-m", "hil", "scenario", "check", str(tmp_path))
    run = subprocess.run(command, capture_output=True, text=True, timeout=150)
    assert run.returncode == 2, run.stderr
    assert "Traceback" not in run.stderr
    assert len({line.split(".toml:")[0] for line in run.stderr.splitlines() if ".toml:" in line}) == wrong + 1


def test_other_toml_files_among_scenarios_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "one.toml").write_text("[board]\n")
    (tmp_path / "models").mkdir()
    with pytest.raises(UsageError, match="there is no scenario in it"):
        find_files([tmp_path])
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.toml").write_text(GOOD)
    assert [one.path.name for one in load_all([tmp_path])] == ["a.toml"]
    assert load_all([tmp_path], tags=["other"]) == []
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "glitch.toml").write_text(GOOD)  # a glitch has its test beside its recording
    for place in (tmp_path, tmp_path / "recordings"):
        assert "glitch.toml" in [one.path.name for one in load_all([place])]


def test_named_files_are_found_beside_the_scenario_or_above_it(tmp_path: Path) -> None:
    folder = tmp_path / "scenarios" / "models"
    folder.mkdir(parents=True)
    (tmp_path / "scenarios" / "recordings").mkdir()
    recording = tmp_path / "scenarios" / "recordings" / "watch.mcap"
    recording.write_bytes(b"")
    path = folder / "a.toml"
    path.write_text(GOOD)
    loaded = load_scenario(path)
    assert loaded.find("recordings/watch.mcap") == recording.resolve()
    assert loaded.find("none.mcap") == folder.resolve() / "none.mcap"


def test_the_schema_is_json_and_knows_every_table() -> None:
    schema = json.loads(json.dumps(json_schema()))
    assert {"board", "check", "model", "baseline", "schema"} <= set(schema["properties"])
