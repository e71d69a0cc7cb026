"""`pytest scenarios/` gives the verdicts of `hil run`, one item a scenario."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from runs import pty_board

IMU = 'name = "{name}"\n[board.imu]\nvirtual = "imu?rate=100"\nseed = 7\n[readings]\nto_s = 1.0\n'
LOST = '[[check]]\nmetric = "link.imu.samples_lost"\nequals = {value}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five scenarios, one for each outcome, and a TOML file that is none."""
    root = tmp_path / "scenarios"
    (root / "models").mkdir(parents=True)
    (root / "models" / "other.toml").write_text("[train]\n")
    (root / "a.toml").write_text(IMU.format(name="good") + LOST.format(value=0))
    (root / "b.toml").write_text(IMU.format(name="bad") + LOST.format(value=5))
    (root / "c.toml").write_text('needs = ["board:revb"]\n' + IMU.format(name="na") + LOST.format(value=0))
    trouble = 'name = "trouble"\n[board.imu]\nrecording = "none.mcap"\n' + LOST.format(value=0)
    (root / "d.toml").write_text(trouble)
    quarantine = '[quarantine]\nreason = "strap"\ndate = "2026-01-02"\n'
    (root / "e.toml").write_text(IMU.format(name="known") + LOST.format(value=5) + quarantine)
    return root


def run(folder: Path, *arguments: str, timeout: float = 100) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "pytest", str(folder), "-q", "-p", "no:cacheprovider", *arguments)
    return subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, timeout=timeout)


def test_outcomes_are_those_of_pytest_and_failures_show_the_table_and_the_command(folder: Path) -> None:
    done = run(folder, "-rs", "--junitxml", str(folder / "out.xml"))
    assert done.returncode == 1
    assert "1 failed, 1 passed, 1 skipped, 1 xfailed, 1 error" in done.stdout
    assert "again: hil run" in done.stdout
    assert "FAIL  link.imu.samples_lost  0  = 5" in done.stdout
    assert "board:revb" in done.stdout
    assert "Traceback" not in done.stdout
    cases = {one.get("name"): one for one in ElementTree.parse(folder / "out.xml").iter("testcase")}
    assert [child.tag for child in cases["b"]][-1] == "failure"
    assert [child.tag for child in cases["d"]][-1] == "error"
    names = {one.get("name") for one in cases["a"].iter("property")}
    assert {"scenario", "target", "link.imu.samples_lost"} <= names


SAID = {"PASS": "passed", "MARGINAL": "passed", "FAIL": "failure", "UNSET": "failure", "TROUBLE": "error",
        "NA": "skipped"}  # fmt: skip


def verdicts(folder: Path, jobs: int) -> tuple[dict[str, str], dict[str, str]]:
    """What `hil run` says of each file in pytest's words, and what pytest says on two processes."""
    command = (sys.executable, "-m", "hil", "run", str(folder), "--json", "-q", "--no-keep", "--jobs", str(jobs))
    told = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False).stdout
    ours = {
        Path(one["path"]).stem: "skipped" if one["quarantined"] and one["outcome"] != "PASS" else SAID[one["outcome"]]
        for one in json.loads(told)["scenarios"]
    }
    run(folder, "-n", "2", "--junitxml", str(folder / "out.xml"), timeout=900)
    theirs: dict[str, str] = {}
    for case in ElementTree.parse(folder / "out.xml").iter("testcase"):
        said = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        theirs[case.get("name", "")] = said[0] if said else "passed"
    (folder / "out.xml").unlink()
    return ours, theirs


def test_two_processes_of_pytest_give_the_verdicts_of_hil_run(folder: Path) -> None:
    ours, theirs = verdicts(folder, 1)
    assert ours == theirs
    assert ours == {"a": "passed", "b": "failure", "c": "skipped", "d": "error", "e": "skipped"}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_whole_library_has_one_verdict_whoever_runs_it() -> None:
    ours, theirs = verdicts(Path(__file__).resolve().parents[3] / "scenarios", 2)
    assert ours == theirs
    assert len(ours) > 20


@pytest.mark.pty
def test_a_bench_file_names_the_board_and_two_processes_take_turns_at_it(tmp_path: Path) -> None:
    root = tmp_path / "scenarios"
    root.mkdir()
    for name in "ab":
        (root / f"{name}.toml").write_text(
            f'name = "{name}"\nneeds = ["board:imu"]\n[board.imu]\nport = "bench"\n[readings]\nto_s = 0.3\n'
            + LOST.format(value=0)
        )
    with pty_board() as port:
        (tmp_path / "bench.toml").write_text(f'[board.imu]\nport = "{port}"\n')
        done = run(root, "-n", "2", "--hil-bench", str(tmp_path / "bench.toml"))
    assert "2 passed" in done.stdout, done.stdout
    refused = run(root, "--hil-bench", str(tmp_path / "none.toml"))
    assert refused.returncode == 4
    assert "none.toml: it cannot be read" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_mistake_in_a_file_is_told_when_collecting(folder: Path) -> None:
    (folder / "wrong.toml").write_text((folder / "a.toml").read_text().replace("equals", "equalz"))
    done = run(folder, "--collect-only")
    assert "wrong.toml:9: check[1].equalz: there is no such key, did you mean 'equals'?" in done.stdout
    assert "Traceback" not in done.stdout


def test_collecting_loads_neither_torch_nor_a_recording(folder: Path) -> None:
    code = (
        "import sys, pytest\n"
        f"pytest.main([{str(folder)!r}, '--collect-only', '-q', '-p', 'no:cacheprovider'])\n"
        "print('loaded', sorted({'torch', 'mcap', 'textual', 'scipy'} & set(sys.modules)))\n"
    )
    done = subprocess.run((sys.executable, "-c", code), cwd=folder, capture_output=True, text=True, timeout=60)
    assert "5 tests collected" in done.stdout
    assert "loaded []" in done.stdout


def test_the_fixtures_open_boards_and_recordings_and_close_them(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "def test_board(virtual_board):\n"
        "    items = list(virtual_board('imu?rate=100').listen(seconds=0.5))\n"
        "    assert items\n"
        "def test_none(board):\n"
        "    raise AssertionError\n"
    )
    done = run(tmp_path, "-rs")
    assert "1 passed, 1 skipped" in done.stdout, done.stdout
    assert "--hil-on PORT" in done.stdout
