"""The command line as scripts and people meet it: outputs, sentences, exit codes."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchsim import record, simulate

Run = Callable[..., subprocess.CompletedProcess[str]]

WITHOUT_TORCH = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "onnxruntime"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
sys.argv = ["hil", *sys.argv[1:]]
from hil.cli import main
main()
"""


@pytest.fixture
def hil(tmp_path: Path) -> Run:
    def run(*arguments: str, code: str = "", stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        start = [sys.executable, "-c", code] if code else [sys.executable, "-m", "hil"]
        return subprocess.run(
            [*start, *arguments], cwd=tmp_path, input=stdin, capture_output=True, text=True, timeout=150,
            env={**os.environ, **environment},
        )  # fmt: skip

    return run


def only_json(output: str) -> dict[str, Any]:
    """Stdout holds one JSON object and nothing else."""
    loaded = json.loads(output)
    assert isinstance(loaded, dict)
    return loaded


def until_said(folder: Path, words: str, *arguments: str) -> tuple[int, str, str]:
    """Run a verb until its lines say what is waited for (a pattern), then end it by Ctrl-C; return how it ended."""
    # What is ignored is inherited: where tests run in the background, Ctrl-C is.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-m", "hil", *arguments], cwd=folder, stdout=pipe, stderr=pipe, text=True
    ) as run:  # fmt: skip
        lines = run.stderr if "--json" in arguments else run.stdout
        assert lines is not None
        told = ""
        while (line := lines.readline()) and not re.search(words, line):
            told += line
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=150)
    return (run.returncode, out, told + line + err) if "--json" in arguments else (
        run.returncode, told + line + out, err)  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent with os.kill")
def test_the_demo_without_a_terminal_ends_well_with_lines_and_the_ledger(tmp_path: Path) -> None:
    code, out, err = until_said(tmp_path, r"watch  live.*exercise \w+ \d+%", "demo", "--for", "140")
    assert code == 0, err
    assert out.count("the books close") == 3
    assert "exercise at watch: last said" in out


def test_the_screen_without_a_terminal_says_so_in_one_sentence(hil: Run) -> None:
    run = hil("ui", "virtual://imu")
    assert run.returncode == 2
    assert "needs a terminal" in run.stderr
    assert run.stderr.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent with os.kill")
def test_a_capture_names_its_file_and_json_stands_alone_on_stdout(hil: Run, tmp_path: Path) -> None:
    board = "arm=virtual://imu?seed=3&tx_buffer=100000000"
    about = ("--person", "ann", "--meta", "strap=left", "--json")
    code, out, err = until_said(tmp_path, r"samples [1-9]", "capture", board, *about)
    assert code == 0, err
    told = only_json(out)
    assert told["boards"][0]["lost"] == 0
    path = tmp_path / told["recording"]["path"]
    assert path.parent.name == "recordings"
    assert path.name.startswith("arm_")
    described = only_json(hil("info", str(path), "--json").stdout)
    assert described["streams"][0]["lost"] == 0
    assert described["lost"] is None
    assert described["about"] == {"person": "ann", "strap": "left"}


def test_a_recording_is_never_overwritten(hil: Run, tmp_path: Path) -> None:
    (tmp_path / "there.mcap").write_bytes(b"mine")
    run = hil("capture", "virtual://imu", "--for", "1", "-o", "there.mcap")
    assert run.returncode == 3
    assert "never overwritten" in run.stderr
    assert (tmp_path / "there.mcap").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("capture", "virtual://imuu", "--for", "1"), 2, "imu"),
        (("capture", "virtual://imu?sede=1", "--for", "1"), 2, "seed"),
        (("capture", "/dev/ttyNOBODY", "--for", "1"), 3, "/dev/ttyNOBODY"),
        (("capture", "virtual://imu", "--meta", "strap", "--for", "1"), 2, "KEY=VALUE"),
        (("capture", "run.mcap"), 2, "recorded already"),
        (("replay", "missing.mcap"), 2, "missing.mcap"),
        (("ui", "--plain", "a.mcap", "virtual://imu"), 2, "not both"),
        (("ui", "--plain", "a.mcap", "--speed", "5000"), 2, "0.1 to 1000"),
        (("predict", "missing.hilmodel", "missing.mcap"), 2, "missing.hilmodel"),
        (("ui", "--plain", "recordingz/"), 2, "recordingz/: no such file or folder; did you mean `recordings`?"),
        (("ui", "--plain", "virtual://imu", "--model", "none.hilmodel"), 2, "none.hilmodel: no such file"),
        (("capture", "virtual://imu", "/dev/ttyNOBODY"), 3, "leave it out, or wait for it with `--wait SECONDS`"),
        (("bench", "nothing"), 2, "decode"),
        (("nonsense",), 2, "nonsense"),
    ],
)
def test_a_mistake_ends_in_one_sentence_and_the_documented_status(
    hil: Run, tmp_path: Path, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    (tmp_path / "recordings").mkdir()
    run = hil(*arguments)
    assert run.returncode == code, run.stderr
    assert sentence in run.stderr
    assert "Traceback" not in run.stderr


def test_an_error_is_an_object_where_json_was_asked_for(hil: Run) -> None:
    run = hil("info", "missing.mcap", "--json")
    assert run.returncode == 2
    assert set(only_json(run.stdout)["error"]) == {"what", "where", "next"}


@pytest.mark.parametrize("arguments", [("info",), ("info", "a.mcap", "--nonsense"), ("replay", "a.mcap", "--for", "x")])
def test_a_mistake_of_the_command_line_is_an_object_too(hil: Run, arguments: tuple[str, ...]) -> None:
    run = hil(*arguments, "--json")
    assert run.returncode == 2
    assert set(only_json(run.stdout)["error"]) == {"what", "where", "next"}


def test_a_mark_and_a_label_are_set_beside_a_recording(hil: Run, tmp_path: Path) -> None:
    boards = {"imu": "virtual://imu"}
    record(tmp_path / "a.mcap", boards, simulate(boards, 1.0))
    before = (tmp_path / "a.mcap").read_bytes()
    assert hil("mark", "a.mcap", "squat", "--from", "0.2", "--to", "0.6").returncode == 0
    assert hil("mark", "a.mcap", "odd", "--from", "squat").returncode == 0
    assert hil("mark", "a.mcap", "odd", "--from", "0.6", "--to", "0.2").returncode == 2
    told = only_json(hil("info", "a.mcap", "--json").stdout)
    assert [label["text"] for label in told["labels"]] == ["squat"]
    assert (tmp_path / "a.mcap").read_bytes() == before


def test_ports_lists_the_boards_that_need_no_hardware(hil: Run) -> None:
    told = only_json(hil("ports", "--json").stdout)
    listed = {port["port"].split("?")[0] for port in told["ports"]}
    assert {"virtual://watch", "virtual://imu", "virtual://ppg", "virtual://thermal", "virtual://text"} <= listed


def test_a_native_board_answers_a_message_and_a_mistaken_one_is_explained(hil: Run) -> None:
    wrong = hil("send", "virtual://imu", "SETRATE", "--for", "0.2")
    assert wrong.returncode == 2
    assert "SET_RATE" in wrong.stderr
    assert hil("send", "virtual://imu", "GET_STATUS", "--for", "0.5").stdout.startswith("status:")
    assert hil("send", "virtual://imu", "PING token=7", "--for", "0.5").stdout.startswith("pong: tick ")
    assert hil("send", "virtual://imu", "SET_RATE stream=0 rate_mhz=100000", "--for", "0.5").stdout == "ack: SET_RATE\n"


def test_the_shell_is_taught_to_complete_verbs(hil: Run) -> None:
    run = hil(_HIL_COMPLETE="complete_bash", COMP_WORDS="hil ca", COMP_CWORD="1")
    assert "capture" in run.stdout


def test_without_torch_boards_are_recorded_and_a_model_is_missed_in_one_sentence(hil: Run, tmp_path: Path) -> None:
    recorded = hil("capture", "virtual://watch", "--for", "1", "-o", "a.mcap", code=WITHOUT_TORCH)
    assert recorded.returncode == 0, recorded.stderr
    import hil.models as models_package

    model = Path(models_package.__file__).parent / "exercise.hilmodel"
    missed = hil("predict", str(model), "a.mcap", code=WITHOUT_TORCH)
    assert missed.returncode == 2
    assert "torch" in missed.stderr
    assert missed.stderr.strip().count("\n") == 0
