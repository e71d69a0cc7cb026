"""`hil measure` and `hil compare` as scripts and people meet them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from benchsim import record, simulate

SHEETS = Path(__file__).resolve().parents[3] / "scenarios" / "datasheets"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two inertial boards in one recording, the second three times as noisy; and a short recording of each."""
    made = tmp_path_factory.mktemp("judge")
    boards = {"a": "virtual://imu?seed=1&rate=50", "b": "virtual://imu?seed=2&rate=50&noise_ug=300"}
    record(made / "two.mcap", boards, simulate(boards, 40))
    for role, port in boards.items():
        record(made / f"{role}.mcap", {role: port}, simulate({role: port}, 5))
    return made


def hil(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hil", *arguments], cwd=folder, capture_output=True, text=True, timeout=150,
        env={**os.environ, "MPLCONFIGDIR": str(folder)},
    )  # fmt: skip


def only_json(output: str) -> dict[str, Any]:
    loaded = json.loads(output)
    assert isinstance(loaded, dict)
    return loaded


def test_measure_gives_json_a_page_and_the_keys_that_scripts_rely_on(folder: Path) -> None:
    run = hil(folder, "measure", "two.mcap", "--json", "--html", "two.html")
    assert run.returncode == 0, run.stderr
    figures = only_json(run.stdout)["figures"]
    for figure in figures:
        assert {"name", "stream", "value", "unit", "low", "high", "condition"} <= figure.keys()
        assert figure["value"] is not None or figure["condition"].startswith("unknown: ")
    by_name = {figure["name"]: figure for figure in figures}
    density = by_name["stream.b.imu.ax.noise_density"]
    assert density["low"] < 300e-6 < density["high"]
    assert "<svg" in (folder / "two.html").read_text(encoding="utf-8")
    again = hil(folder, "measure", "two.mcap", "--html", "two.html")
    assert again.returncode == 2
    assert "never overwritten" in again.stderr


def test_measure_prints_a_table_of_the_stream_and_time_asked_for(folder: Path) -> None:
    run = hil(folder, "measure", "two.mcap", "--stream", "a/imu", "--from", "1", "--to", "36")
    assert run.returncode == 0, run.stderr
    assert "\na/imu\n" in run.stdout
    assert "b/imu" not in run.stdout
    assert "noise_density" in run.stdout
    assert "over 35.0 s" in run.stdout


def test_a_datasheet_that_is_not_met_ends_with_1(folder: Path) -> None:
    sheet = str(SHEETS / "virtual_imu.toml")
    run = hil(folder, "measure", "two.mcap", "--stream", "b/imu", "--datasheet", sheet)
    assert run.returncode == 1, run.stderr
    assert "noise_density lies beyond the limit of the datasheet" in run.stdout
    assert "[over]" in run.stdout
    (folder / "wrong.toml").write_text("schema = 1\n[expect]\nnois = { maximum = 1 }\n")
    wrong = hil(folder, "measure", "two.mcap", "--datasheet", "wrong.toml")
    assert wrong.returncode == 2
    assert "wrong.toml, key 'nois'" in wrong.stderr


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent with os.kill")
def test_measure_of_a_port_records_tells_how_it_comes_on_and_names_its_file(folder: Path) -> None:
    command = [sys.executable, "-m", "hil", "measure", "imu=virtual://imu?rate=100", "-o", "live.mcap", "--json"]
    # What is ignored is inherited: where tests run in the background, Ctrl-C is.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    told = []
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:  # fmt: skip
        assert run.stderr is not None
        while (line := run.stderr.readline()) and "Allan deviation at 1.28 s: ax" not in line:
            told.append(line)
        run.send_signal(signal.SIGINT)
        out, rest = run.communicate(timeout=150)
    assert run.returncode == 0, (told, rest)
    assert line
    assert (folder / "live.mcap").is_file()
    assert "recording into live.mcap" in "".join(told)
    assert "recorded into live.mcap" in rest
    assert only_json(out)["recording"]["path"] == "live.mcap"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("measure", "absent.mcap"), "absent.mcap"), (("measure", "two.mcap", "--for", "3"), "belong to a port"),
     (("measure", "two.mcap", "--kind", "ppg"), "STREAM=KIND"),
     (("measure", "two.mcap", "--html", "nowhere/x.html"), "folder does not exist"),
     (("compare", "two.mcap", "a.mcap"), "two.mcap#a"), (("compare", "two.mcap#c", "a.mcap"), "no board 'c'"),
     (("compare", "a.mcap", "a.mcap"), "both sides"), (("compare", "a.mcap", "b.mcap", "--see", "much"), "10%")],
)  # fmt: skip
def test_a_mistake_is_told_in_one_sentence(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    run = hil(folder, *arguments)
    assert run.returncode in (2, 3)
    assert words in run.stderr
    assert "Traceback" not in run.stderr


def test_compare_tells_verdicts_effects_and_lengths(folder: Path) -> None:
    run = hil(folder, "compare", "two.mcap#a", "two.mcap#b", "--json", "--see", "10%", "--html", "ab.html")
    assert run.returncode == 0, run.stderr
    told = only_json(run.stdout)
    for row in told["rows"]:
        assert {"name", "verdict", "effect", "low", "high"} <= row.keys()
        assert row["verdict"] != "not compared" or row["reason"]
    by_channel = {row["channel"]: row for row in told["rows"] if row["metric"] == "noise_density"}
    assert by_channel["ax"]["verdict"] == "worse"
    assert by_channel["ax"]["low"] < 200 < by_channel["ax"]["high"]
    assert by_channel["wx"]["verdict"] == "same within noise"
    assert by_channel["ax"]["needs_s"] >= 30
    assert "Holm" in told["control"]
    assert "<svg" in (folder / "ab.html").read_text(encoding="utf-8")
    plain = hil(folder, "compare", "two.mcap#a", "two.mcap#b")
    assert plain.stdout.index("worse  ") < plain.stdout.index("same within noise  ")


def test_what_is_too_short_to_compare_says_so(folder: Path) -> None:
    run = hil(folder, "compare", "a.mcap", "b.mcap")
    assert run.returncode == 0, run.stderr
    assert "30 s are needed" in run.stdout
