"""A scenario over a stretch of a recording, and a stretch as a recording of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from firmware_bridge.errors import UsageError
from firmware_bridge.events import Mark
from firmware_bridge.faults import Schedule
from hil.cli import app
from hil.models.verify import verify
from hil.recording.importer import import_file
from hil.recording.marks import add_mark
from hil.recording.reader import Recording
from hil.replay.cutting import cut
from hil.scenario.execution.execute import execute
from hil.scenario.execution.targets import place_of
from hil.scenario.grammar.load import Loaded, load_scenario, parse_scenario
from hil.scenario.run import RunOptions, run_scenario
from hil.scenario.skeleton import Stretch, skeleton

BOARDS = {
    "imu": "imu?rate=100&ppm=40", "thermal": "thermal", "text": "text?rate=50", "ppg": "ppg?rate=50", "watch": "watch",
}  # fmt: skip
LENGTH_S = 6.0


def made(folder: Path, roles: list[str], faults: str = "", seed: int = 0) -> Path:
    """A recording of virtual boards, in simulated time."""
    tables = "".join(f'[board.{role}]\nvirtual = "{BOARDS[role]}"\nseed = {seed}\n' for role in roles)
    text = f"""name = "source"\n{tables}[readings]\nto_s = {LENGTH_S}\n{faults}
[[check]]\nmetric = "link.{roles[0]}.gaps"\nequals = 0\n"""
    loaded = Loaded(folder / "s.toml", text, parse_scenario(text, "s.toml"))
    places = [place_of(role, table, None, len(roles) == 1) for role, table in loaded.scenario.board.items()]
    schedule = Schedule.from_dict({"seed": seed, "fault": list(loaded.scenario.fault)})
    path = folder / f"{'-'.join(roles)}-{seed}-{bool(faults)}.mcap"
    if not path.exists():
        execute(loaded, places, seed, schedule, keep=path)
    return path


@pytest.fixture(scope="module")
def recording_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    folder = tmp_path_factory.mktemp("stretch")
    return lambda *roles, **more: made(folder, list(roles), **more)


DROPS = '[[fault]]\non = "imu"\nkind = "frame.drop"\nrate = 0.1\n'


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    roles=st.sampled_from([("imu",), ("text",), ("watch",), ("thermal",), ("ppg",), ("imu", "thermal", "text")]),
    faulty=st.booleans(), from_s=st.floats(0, 4), length_s=st.floats(0.5, 6),
)  # fmt: skip
def test_all_that_is_proposed_for_a_stretch_passes_on_the_recording_itself(
    recording_of: Callable[..., Path], roles: tuple[str, ...], faulty: bool, from_s: float, length_s: float
) -> None:
    recording = recording_of(*roles, faults=DROPS if faulty and "imu" in roles else "")
    text = skeleton(recording, "it holds", recording.parent, Stretch(round(from_s, 3), round(from_s + length_s, 3)))
    loaded = Loaded(recording.parent / "new.toml", text, parse_scenario(text, "new.toml"))
    result = run_scenario(loaded, RunOptions())
    assert result.outcome == "PASS", [check for check in result.checks if check.outcome != "PASS"]
    assert set(loaded.scenario.board) == set(roles)
    assert result.readings_s <= length_s + 0.1


@pytest.mark.parametrize("roles", [("imu",), ("text",), ("imu", "thermal", "text")], ids="+".join)
def test_a_stretch_that_was_cut_out_holds_the_same_readings_and_is_reproduced(
    recording_of: Callable[..., Path], tmp_path: Path, roles: tuple[str, ...]
) -> None:
    source = recording_of(*roles)
    part = cut(source, tmp_path / "part.mcap", 2.0, 4.0)
    assert verify(part).verdict == "reproduced"
    assert part.stat().st_size < source.stat().st_size
    with Recording(source) as whole, Recording(part) as piece:
        assert {one.board for one in piece.streams()} == set(roles)
        for known in piece.streams():
            old = whole.read(known.board, known.stream.name).raw
            new = piece.read(known.board, known.stream.name).raw
            assert 1.0 < len(new) / (known.stream.rate_hz or 50.0) < 3.0
            tail = new[len(new) // 3 :]  # a board of text is known by its first lines, which come along
            assert any((old[at : at + len(tail)] == tail).all() for at in range(len(old) - len(tail) + 1))
        assert piece.header.extra["cut"]["from_s"] == 2.0


def test_labels_that_run_into_a_stretch_are_in_it(recording_of: Callable[..., Path], tmp_path: Path) -> None:
    source = tmp_path / "labelled.mcap"
    source.write_bytes(recording_of("imu").read_bytes())
    with Recording(source) as whole:
        start = whole.start_ns
    for kind, at in (("start", 1.0), ("stop", 3.0)):
        add_mark(source, Mark("", start + round(at * 1e9), "squat", kind, "ann"), start)
    add_mark(source, Mark("", start + 2_500_000_000, "bump", "mark", "ann"), start)
    with Recording(cut(source, tmp_path / "part.mcap", 2.0, 4.0)) as piece:
        assert [(mark.text, mark.kind) for mark in piece.marks] == [
            ("squat", "start"), ("bump", "mark"), ("squat", "stop"),
        ]  # fmt: skip


def test_imported_readings_are_cut_too(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("x\n" + "\n".join(str(number) for number in range(1000)))
    made = import_file(tmp_path / "table.csv", tmp_path / "table.mcap", stream="s", rate_hz=100.0, unit="g")
    with Recording(cut(made.path, tmp_path / "part.mcap", 2.0, 4.0)) as piece:
        board = piece.streams()[0].board
        assert piece.read(board, "s").raw[:, 0].tolist() == list(range(200, 400))


def test_the_verb_takes_marks_and_cuts(recording_of: Callable[..., Path], tmp_path: Path) -> None:
    source = tmp_path / "run.mcap"
    source.write_bytes(recording_of("imu", "thermal").read_bytes())
    with Recording(source) as whole:
        add_mark(source, Mark("", whole.start_ns + 2_000_000_000, "bump"), whole.start_ns)
    said = hil(
        "scenario", "new", str(source), "--from", "bump", "--to", "4", "--cut", "-o", str(tmp_path / "bump.toml")
    )
    assert said.exit_code == 0, said.output
    source.unlink()  # the scenario needs its own small recording only
    result = run_scenario(load_scenario(tmp_path / "bump.toml"), RunOptions())
    assert result.outcome == "PASS", result
    assert 1.8 < result.readings_s < 2.2


@pytest.mark.parametrize(
    ("wrong", "words"),
    [(["--cut"], "give --from"), (["--from", "bumb"], "there is no mark 'bumb'"), (["--from", "9"], "holds nothing")],
)
def test_a_stretch_that_means_nothing_is_a_sentence(
    recording_of: Callable[..., Path], tmp_path: Path, wrong: list[str], words: str
) -> None:
    said = hil("scenario", "new", str(recording_of("imu")), *wrong, "-o", str(tmp_path / "no.toml"))
    assert isinstance(said.exception, UsageError)
    assert words in str(said.exception)
    assert not (tmp_path / "no.toml").exists()


def hil(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_a_stretch_without_readings_is_refused(recording_of: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds nothing"):
        skeleton(recording_of("imu"), "none", tmp_path, Stretch(50.0, 60.0))
    with pytest.raises(UsageError, match="holds nothing"):
        cut(recording_of("imu"), tmp_path / "no.mcap", 50.0, 60.0)
    assert not (tmp_path / "no.mcap").exists()
