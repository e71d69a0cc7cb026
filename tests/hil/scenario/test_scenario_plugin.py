"""`pytest scenarios/` gives the verdicts of `hil run`, one item a scenario."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest
import xmlschema
from runs import pty_board

IMU = 'name = "{name}"\n[board.imu]\nvirtual = "imu?rate=100"\nseed = 7\n[readings]\nto_s = 1.0\n'
LOST = '[[check]]\nmetric = "link.imu.samples_lost"\nequals = {value}\n'


WATCH = Path(__file__).resolve().parents[3] / "scenarios" / "recordings" / "watch-unseen-9.mcap"
SCHEMA = Path(__file__).resolve().parents[2] / "data" / "junit" / "jenkins.xsd"


def write_folder(root: Path) -> Path:
    """Six scenarios, one for each outcome and one in quarantine, and a TOML file that is none."""
    (root / "models").mkdir(parents=True)
    (root / "models" / "other.toml").write_text("[train]\n")
    rate = '[[check]]\nmetric = "stream.imu.imu.rate"\nbetween = [95, 105]\n'
    (root / "a.toml").write_text(IMU.format(name="good") + LOST.format(value=0))
    (root / "b.toml").write_text(IMU.format(name="bad") + rate + LOST.format(value=5))
    (root / "c.toml").write_text('needs = ["board:revb"]\n' + IMU.format(name="na") + LOST.format(value=0))
    trouble = 'name = "trouble"\n[board.imu]\nrecording = "none.mcap"\n' + LOST.format(value=0)
    (root / "d.toml").write_text(trouble)
    quarantine = '[quarantine]\nreason = "strap"\ndate = "2026-01-02"\n'
    (root / "e.toml").write_text(IMU.format(name="known") + LOST.format(value=5) + quarantine)
    (root / "f.toml").write_text(
        f'name = "tight"\n[board.watch]\nrecording = "{WATCH}"\n[readings]\nto_s = 5.0\n'
        '[[check]]\nmetric = "clock.watch.drift"\nbetween = [11.999999, 12.000001]\n'
        + LOST.replace("imu", "watch").format(value=0)
    )
    return root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "scenarios")


@dataclass(frozen=True)
class Ran:
    """One run of pytest: what it printed, and its JUnit file."""

    code: int
    out: str
    junit: Path

    @property
    def cases(self) -> dict[tuple[str, str], str]:
        """What became of each case, by class and name."""
        found = {}
        for case in ElementTree.parse(self.junit).iter("testcase"):
            said = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
            found[case.get("classname", ""), case.get("name", "")] = said[0] if said else "passed"
        return found


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """The scenarios by one process that tells all, and by two that tell little."""
    root = write_folder(tmp_path_factory.mktemp("plugin") / "scenarios")
    found = {}
    for name, options in (("alone", ("-vv", "-rsfE")), ("two", ("-n", "2"))):
        junit = root.parent / f"{name}.xml"
        done = run(root, *options, "--junitxml", str(junit))
        found[name] = Ran(done.returncode, done.stdout, junit)
    return found


def run(folder: Path, *arguments: str, timeout: float = 100) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "pytest", str(folder), "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest",
               *arguments)  # fmt: skip
    return subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, timeout=timeout)


def test_outcomes_are_those_of_pytest_and_failures_show_the_table_and_the_command(ran: dict[str, Ran]) -> None:
    out = ran["alone"].out
    assert ran["alone"].code == 1
    assert "1 failed, 1 passed, 1 skipped, 1 xfailed, 2 errors" in out
    assert "again: hil run" in out
    assert "FAIL  link.imu.samples_lost  0       = 5" in out
    assert "board:revb" in out


def test_a_failure_and_trouble_are_told_without_a_line_of_our_code(ran: dict[str, Ran]) -> None:
    for one in ran.values():
        assert "TROUBLE  trouble" in one.out
        assert "Traceback" not in one.out
        assert "hook" not in one.out
        assert "pytest_plugin.py" not in one.out
    assert "b.toml::b - link.imu.samples_lost is 0, limit = 5\n" in ran["alone"].out
    assert "SKIPPED [1] scenarios/c.toml:1: it needs board:revb" in ran["alone"].out


def test_every_check_is_a_sub_result_with_metric_value_and_limit(ran: dict[str, Ran]) -> None:
    out = ran["alone"].out
    assert "b.toml::b SUBFAILED[link.imu.samples_lost: 0, limit = 5]" in out
    assert "b.toml::b SUBPASSED[stream.imu.imu.rate: 100 Hz, limit 95 .. 105 Hz]" in out
    assert "e.toml::e SUBXFAIL[link.imu.samples_lost: 0, limit = 5]" in out
    assert "3 subtests passed, 1 subtests failed, 1 subtests skipped, 1 subtests in trouble" in out
    assert max(map(int, re.findall(r"\[ *(\d+)%\]", out))) == 100  # checks are no items: progress counts scenarios


def test_checks_that_pass_are_silent_unless_asked_for_and_are_never_counted_as_tests(ran: dict[str, Ran]) -> None:
    out = ran["two"].out
    assert "SUB" not in out
    assert "1 failed, 1 passed, 1 skipped, 1 xfailed, 2 errors, 1 subtests failed, 1 subtests in trouble in" in out


def test_jenkins_finds_every_check_as_a_case_of_its_own_however_many_processes_ran(ran: dict[str, Ran]) -> None:
    schema = xmlschema.XMLSchema(str(SCHEMA))
    for one in ran.values():
        schema.validate(str(one.junit))
        suite = next(ElementTree.parse(one.junit).iter("testsuite"))
        # Six scenarios, and the checks of those four that came to a verdict.
        assert [suite.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["12", "2", "3", "3"]
        assert len(one.cases) == 12
    assert ran["alone"].cases == ran["two"].cases
    cases = ran["alone"].cases
    assert cases["scenarios.b.toml.b", "link.imu.samples_lost = 5"] == "failure"
    assert cases["scenarios.b.toml.b", "stream.imu.imu.rate 95 .. 105 Hz"] == "passed"
    assert cases["scenarios.e.toml.e", "link.imu.samples_lost = 5"] == "skipped"
    assert "FAIL: link.imu.samples_lost is 0, limit = 5" in ran["two"].junit.read_text()
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        schema.validate(ran["two"].junit.read_text().replace("<failure", "<unset").replace("</failure", "</unset"))


def test_trouble_of_one_check_is_an_error_and_names_that_check(ran: dict[str, Ran]) -> None:
    assert "f.toml::f SUBTROUBLE[clock.watch.drift: " in ran["alone"].out
    assert "ERROR scenarios/f.toml::f - clock.watch.drift is" in ran["alone"].out
    cases = ran["alone"].cases
    assert cases["scenarios.f.toml.f", "clock.watch.drift 11.999999 .. 12.000001 ppm"] == "error"
    assert cases["scenarios.f.toml.f", "link.watch.samples_lost = 0"] == "passed"


SAID = {"PASS": "passed", "MARGINAL": "passed", "FAIL": "failure", "UNSET": "failure", "TROUBLE": "error",
        "NA": "skipped"}  # fmt: skip


def verdicts(folder: Path, jobs: int, theirs: Ran) -> tuple[dict[str, str], dict[str, str]]:
    """What `hil run` says of each file in pytest's words, and what pytest said."""
    command = (sys.executable, "-m", "hil", "run", str(folder), "--json", "-q", "--no-keep", "--jobs", str(jobs))
    told = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False).stdout
    ours = {
        Path(one["path"]).stem: "skipped" if one["quarantined"] and one["outcome"] != "PASS" else SAID[one["outcome"]]
        for one in json.loads(told)["scenarios"]
    }
    return ours, {name: said for (place, name), said in theirs.cases.items() if place.endswith(".toml")}


def test_two_processes_of_pytest_give_the_verdicts_of_hil_run(ran: dict[str, Ran]) -> None:
    ours, theirs = verdicts(ran["two"].junit.parent / "scenarios", 1, ran["two"])
    assert ours == theirs
    assert ours == {"a": "passed", "b": "failure", "c": "skipped", "d": "error", "e": "skipped", "f": "error"}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_whole_library_has_one_verdict_whoever_runs_it(tmp_path: Path) -> None:
    library, junit = WATCH.parents[1], tmp_path / "out.xml"
    done = run(library, "-n", "2", "--junitxml", str(junit), timeout=900)
    ours, theirs = verdicts(library, 2, Ran(done.returncode, done.stdout, junit))
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
        done = run(root, "-n", "2")  # bench.toml of the folder in which one stands, as with `hil run`
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
    done = subprocess.run((sys.executable, "-c", code), cwd=folder, capture_output=True, text=True, timeout=150)
    assert "6 tests collected" in done.stdout
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
