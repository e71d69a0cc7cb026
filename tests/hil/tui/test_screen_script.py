"""A script drives the real screen on a real engine, and a recording of it plays back to what was seen."""

import io
import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyte
import pytest
import screen_fakes as fakes
from hypothesis import given, settings
from hypothesis import strategies as st
from screen_frames import still
from typer.testing import CliRunner

from firmware_bridge.errors import FileError, UsageError
from hil.cli import app as command_line
from hil.tui.app import HilApp
from hil.tui.keys import KEYS
from hil.tui.scripted.cast import Cast
from hil.tui.scripted.script import Step, parse_script
from hil.tui.scripted.taped import Nowhere, taped
from hil.tui.scripted.unattended import play

pytestmark = pytest.mark.screen


def test_a_script_is_read_as_it_is_written() -> None:
    text = '# look\nsize 80x24\n\npress f3 down  # go there\ntype "squat 1"\nwait "● LIVE"\ngone "is starting" 2.5s\n'
    assert parse_script(text) == (
        Step(2, "size", size=(80, 24)), Step(4, "press", ("f3", "down")), Step(5, "type", ("squat 1",)),
        Step(6, "wait", ("● LIVE",), 10.0), Step(7, "gone", ("is starting",), 2.5),
    )  # fmt: skip


@pytest.mark.parametrize(("line", "sentence"), [
    ("pres f3", "keys.txt:2: there is no step 'pres'; did you mean press?"),
    ("dance", "keys.txt:2: there is no step 'dance'; use one of: size, press"),
    ("press f99", "keys.txt:2: 'press f99' cannot be meant; write: press f3 down enter"),
    ("press", "write: press"), ("size 80", "write: size 120x35"), ("size 0x0", "write: size 120x35"),
    ('wait "LIVE', "keys.txt:2: the line cannot be read (No closing quotation); close every quote"),
    ('wait "LIVE" soon', "write: wait"), ("sleep nan", "write: sleep SECONDS"), ("picture a.png", "picture FILE.svg"),
    ("data plot.xlsx", "FILE.csv"),
])  # fmt: skip
def test_a_mistake_names_its_line_and_what_may_stand_there(line, sentence) -> None:
    with pytest.raises(UsageError) as mistake:
        parse_script(f"press f3\n{line}\n", "keys.txt")
    assert sentence in str(mistake.value)
    with pytest.raises(UsageError, match="there is no step in it"):
        parse_script("# nothing\n", "keys.txt")


@settings(max_examples=30)
@given(st.text(max_size=80))
def test_any_text_is_a_script_or_one_sentence(text) -> None:
    sentence = ""
    try:
        steps = parse_script(text)
    except UsageError as mistake:
        steps, sentence = (), str(mistake)
    assert steps or sentence.startswith("script")


def played(text: str, **kept: Cast) -> tuple[HilApp, str]:
    """Run a script on a bench that stands still."""
    cast = kept.get("cast")
    client = fakes.FakeClient()
    app = HilApp(client, place=still(client), driver=taped(Nowhere, cast.wrote) if cast else Nowhere)
    return app, play(app, parse_script(text, "keys.txt"), "keys.txt", cast)


def test_what_does_not_come_true_ends_the_script_with_its_line(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text, sentence in (
        (
            'wait "ALL WELL" 60\nwait "BROKEN" 0',
            "keys.txt:2: 'BROKEN' was not seen in 0 s; its first line was: hil ● LIVE",
        ),
        ('wait "ALL WELL" 60\ngone "ALL WELL" 0.1', "keys.txt:2: 'ALL WELL' stayed in 0.1 s"),
        ("press ctrl+q\npress f3", "keys.txt:2: the screen has been left before; end the script there"),
        ("focus nobody", "keys.txt:1: there is no pane 'nobody' here; focus one of: boards"),
        ("text nowhere/a.txt", "keys.txt:1: [Errno 2] No such file or directory: 'nowhere/a.txt'"),
        ('wait "ALL WELL" 60\nfocus log\ndata log.csv\ntext screen.txt', ""),
    ):
        said = played(text)[1]
        assert said.startswith(sentence), text
        assert bool(said) == bool(sentence), text
    assert (tmp_path / "log.csv").read_text().startswith("utc_ns,board,level,text\n")
    assert "ALL WELL" in (tmp_path / "screen.txt").read_text()


def test_a_recording_played_in_a_terminal_shows_what_the_screen_showed(tmp_path) -> None:
    clock = itertools.count()
    with Cast(tmp_path / "out.cast", (100, 30), lambda: next(clock) / 4, "a bench", 1.7e9) as cast:
        steps = 'size 100x30\nwait "ALL WELL" 60\nsize 120x35\npress f6\nwait "host" 60\ntext {0}/last.txt'
        assert played(steps.format(tmp_path), cast=cast)[1] == ""
    header, *events = map(json.loads, (tmp_path / "out.cast").read_text(encoding="utf-8").splitlines())
    assert (header["version"], header["width"], header["height"], header["timestamp"]) == (2, 100, 30, 1_700_000_000)
    assert {kind for _, kind, _ in events} == {"o", "r", "m"}
    assert [text for _, kind, text in events if kind == "r"] == ["120x35"]
    assert [text for _, kind, text in events if kind == "m"][-2:] == ["press f6", "wait host"]
    assert all(before[0] <= after[0] for before, after in itertools.pairwise(events))
    screen = pyte.Screen(100, 30)
    stream = pyte.Stream(screen)
    for _, kind, text in events:
        if kind == "r":
            columns, rows = map(int, text.split("x"))
            screen.resize(rows, columns)
        elif kind == "o" and "\x1b[?1049l" not in text:
            stream.feed(text)
    shown = "\n".join(line.rstrip() for line in screen.display) + "\n"
    assert shown == (tmp_path / "last.txt").read_text(encoding="utf-8")


def test_a_recording_never_overwrites_a_file_and_ends_where_it_was_cut(tmp_path) -> None:
    path = tmp_path / "out.cast"
    cast = Cast(path, (80, 24), lambda: 0.0)
    cast.wrote("\x1b[1mhello", (80, 24))
    lines = path.read_text().splitlines()  # as after a kill: what was drawn is there
    assert json.loads(lines[-1]) == [0.0, "o", "\x1b[1mhello"]
    cast.close()
    cast.wrote("later", (80, 24))
    assert path.read_text().splitlines() == lines
    with pytest.raises(FileError, match="it is there already"):
        Cast(path, (80, 24), lambda: 0.0)


@pytest.mark.parametrize(("words", "sentence", "status"), [
    (["--script", "keys.txt"], "keys.txt: the script cannot be read", 2),
    (["--script", "bad.txt"], "bad.txt:1: there is no step 'nonsense'", 2),
    (["--plain", "--record", "a.cast", "virtual://imu"], "--record: lines are neither played nor recorded", 2),
    (["--web", "--script", "good.txt"], "--web: a browser shows the screen, and nothing else", 2),
    (["--web", "--host", "0.0.0.0"], "--host 0.0.0.0: other machines could work this bench", 2),
])  # fmt: skip
def test_what_cannot_be_meant_is_said_before_anything_starts(tmp_path, monkeypatch, words, sentence, status) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.txt").write_text("nonsense\n")
    Path("good.txt").write_text("press f3\n")
    refused = CliRunner().invoke(command_line, ["ui", *words])
    assert sentence in str(refused.exception)
    assert getattr(refused.exception, "exit_code", None) == status


def test_a_script_works_a_virtual_board_by_the_command_line(tmp_path) -> None:
    (tmp_path / "keys.txt").write_text(
        'size 100x30\nwait "ALL WELL" 60\nwait "imu g" 60\npress tab\nwait "▸∿" 60\nsleep 0.5\ndata plot.npz\n'
        "picture live.svg\n"
        'press r\nwait "REC" 60\npress r\nwait "recording closed" 60\npress ctrl+q\n'
    )
    command = (
        sys.executable,
        "-m",
        "hil",
        "ui",
        "virtual://imu?seed=3",
        "--script",
        "keys.txt",
        "--record",
        "out.cast",
    )
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=170)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with np.load(tmp_path / "plot.npz", allow_pickle=False) as plot:
        assert len(plot["utc_ns"]) > 1  # how many came in half a second is for the machine to say
        assert np.all(np.diff(plot["utc_ns"]) >= 0)
        assert str(plot["command"]).startswith("hil capture ")
        assert plot["ax [g]"].dtype == np.float32
    assert "@font-face" not in (tmp_path / "live.svg").read_text()
    assert len(list((tmp_path / "recordings").glob("*.mcap"))) == 1
    assert json.loads((tmp_path / "out.cast").read_text().splitlines()[0])["height"] == 30


def test_a_terminal_that_is_recorded_is_drawn_on_all_the_same() -> None:
    drawn, kept = io.StringIO(), []

    class Terminal(Nowhere):
        def write(self, data: str) -> None:
            drawn.write(data)

    client = fakes.FakeClient()
    app = HilApp(client, place=still(client), driver=taped(Terminal, lambda data, size: kept.append(data)))
    assert play(app, parse_script('wait "ALL WELL" 60'), "keys.txt") == ""
    assert "".join(kept) == drawn.getvalue() != ""


def test_every_key_of_the_screen_can_be_pressed_by_a_script() -> None:
    names = [name for key in KEYS for name in key.keys.split(",")]
    (step,) = parse_script(f"press {' '.join(names)}")
    assert list(step.words) == names


ROOT = Path(__file__).resolve().parents[3]
GALLERY = ROOT / "tests" / "frames" / "gallery.keys"


def test_the_pictures_of_the_gallery_are_there_and_belong_to_its_script() -> None:
    steps = parse_script(GALLERY.read_text(encoding="utf-8"), str(GALLERY))
    made = [ROOT / step.words[0] for step in steps if step.verb == "picture"]
    assert sorted(made) == sorted(GALLERY.parent.glob("*.svg"))
    for path in made:
        assert "http://www.w3.org/2000/svg" in path.read_text(encoding="utf-8")
        assert "@font-face" not in path.read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_script_of_the_gallery_still_runs(tmp_path) -> None:
    (tmp_path / "tests" / "frames").mkdir(parents=True)
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    words = ("demo", "--seed", "7", "--recordings", "scenarios/recordings", "--script", str(GALLERY))
    done = subprocess.run((sys.executable, "-m", "hil", *words), cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((tmp_path / "tests" / "frames").glob("*.svg"))) == 5
