"""History, trends, accepted results, and two saved runs side by side."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import xmlschema

from firmware_bridge.errors import FileError, UsageError
from hil.scenario.afterwards.accept import accept
from hil.scenario.grammar.load import load_scenario
from hil.scenario.reporting import Reports, past_of, since_words, write_reports
from hil.scenario.results.history import append, commit_of, entry_of, read_history, trends_of
from hil.scenario.results.junit import write_junit
from hil.scenario.results.markdown import summary
from hil.scenario.results.outcome import CheckResult, ScenarioResult
from hil.scenario.results.runpair import pair_lines, pair_runs
from hil.scenario.run import RunOptions, run_scenario

IMU = """
name = "imu"
[board.imu]
virtual = "imu?rate=100"
seed = 7
[readings]
to_s = 1.0
[[check]]
metric = "stream.imu.imu.ax.mean"
between = [-1, 1]
[baseline]
file = "expected/imu.json"
"""


def result(outcome: str, value: float | None = 1.0, name: str = "one", **more: object) -> ScenarioResult:
    check = CheckResult("a.b", value, "Hz", ">= 2 Hz", outcome)
    return ScenarioResult(name, "s/a.toml", "virtual", outcome, checks=(check,), **more)  # type: ignore[arg-type]


def entries(*outcomes: str) -> list[dict[str, object]]:
    return [dict(entry_of(result(one, float(at)), at * 10**9, f"c{at}")) for at, one in enumerate(outcomes)]


def test_the_first_failure_after_passes_is_found_with_its_commit() -> None:
    trend = trends_of(entries("FAIL", "PASS", "MARGINAL", "NA", "FAIL", "UNSET"))[0]
    assert trend.since is not None
    assert (trend.since["commit"], trend.passed_before) == ("c4", 2)
    assert since_words(trend) == "1970-01-01T00:00:04Z, commit c4; before that it passed 2 times in a row"
    assert trend.values("a.b") == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    for never in (("FAIL", "FAIL"), ("FAIL", "PASS"), ("NA",), ("PASS",)):
        assert trends_of(entries(*never))[0].since is None


def test_a_history_is_only_appended_to_and_damaged_lines_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "history.jsonl"
    append(path, entries("PASS"))
    before = path.read_text()
    with path.open("a") as file:
        file.write('{"schema": 1\n[]\n{"schema": 99, "name": "x", "checks": {}}\n')
    append(path, entries("FAIL"))
    assert path.read_text().startswith(before)
    found, unread = read_history(path)
    assert ([one["outcome"] for one in found], unread) == (["PASS", "FAIL"], 3)
    assert read_history(tmp_path / "none.jsonl") == ([], 0)
    with pytest.raises(FileError, match="--history"):
        append(tmp_path / "deep", [])
    assert len(before) < 2000


def test_a_history_that_cannot_be_written_is_told_and_the_rest_is_written(tmp_path: Path) -> None:
    told: list[str] = []
    write_reports([result("PASS")], Reports(junit=tmp_path / "j.xml", history=tmp_path), 1.0, 10**9, told.append)
    assert len(told) == 1
    assert (tmp_path / "j.xml").exists()


def test_the_commit_comes_from_the_job_or_from_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit_of(tmp_path) == ""
    who = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b.c",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b.c",
    }
    for command in (("init", "-q"), ("commit", "-q", "--allow-empty", "-m", "x")):
        subprocess.run(("git", *command), cwd=tmp_path, check=True, env=os.environ | who)
    assert len(commit_of(tmp_path)) == 12
    monkeypatch.setenv("GITHUB_SHA", "f" * 40)
    assert commit_of(tmp_path) == "f" * 12


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    (tmp_path / "imu.toml").write_text(IMU)
    return tmp_path / "imu.toml"


def test_a_baseline_is_written_only_after_its_difference_was_shown_and_accepted(scenario: Path) -> None:
    loaded = load_scenario(scenario)
    found = run_scenario(loaded, RunOptions(update_baselines=True))
    path = scenario.parent / "expected" / "imu.json"
    assert not path.exists()  # a run only proposes
    shown: list[tuple[str, str, bool]] = []

    def ask(answer: bool):  # type: ignore[no-untyped-def]
        return lambda heading, difference: shown.append((heading, difference, path.exists())) or answer  # type: ignore[func-returns-value]

    refused = accept(found, loaded, ask(False))
    assert (refused.outcome, path.exists()) == ("UNSET", False)
    accepted = accept(found, loaded, ask(True))
    assert accepted.outcome == "PASS"
    assert [exists for _, _, exists in shown] == [False, False]
    written = path.read_text()
    assert all(f"+{line}" in shown[1][1] for line in written.splitlines())
    again = run_scenario(loaded, RunOptions(update_baselines=True))
    assert accept(again, loaded, ask(False)).remarks == (f"{path} is as it was",)
    assert "proposal" not in again.as_dict()
    other = run_scenario(loaded, RunOptions(update_baselines=True, seed=1))
    assert accept(other, loaded, ask(False)).outcome == "FAIL"
    difference = shown[-1][1]
    assert '-   "value"' in difference
    assert path.read_text() == written


def test_without_a_terminal_the_difference_is_printed_before_it_is_accepted(scenario: Path) -> None:
    command = (sys.executable, "-m", "hil", "run", "imu.toml", "--update-baselines", "--no-keep")
    done = subprocess.run(command, cwd=scenario.parent, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr
    assert done.stdout.index("+++ found") < done.stdout.index("accepted in")
    assert not (scenario.parent / "hil-runs").exists()


def saved(*results: ScenarioResult) -> dict[str, object]:
    plain: dict[str, object] = json.loads(json.dumps({"schema": 1, "scenarios": [one.as_dict() for one in results]}))
    return plain


def test_two_runs_are_compared_by_outcome_first_and_by_number_where_the_limit_says_which_way_is_good() -> None:
    a = saved(result("PASS", 3.0, "x"), result("FAIL", 1.0, "y"), result("PASS", name="old"), result("PASS", 3.0, "z"))
    b = saved(result("PASS", 4.0, "x"), result("PASS", 2.0, "y"), result("NA", name="new"), result("FAIL", 1.0, "z"))
    found = pair_runs(a, b)
    verdicts = {row["name"]: row["verdict"] for row in found["rows"]}
    assert verdicts == {
        "x (virtual)": "better", "x (virtual): a.b": "better", "y (virtual)": "better", "y (virtual): a.b": "better",
        "old (virtual)": "gone", "new (virtual)": "new", "z (virtual)": "worse", "z (virtual): a.b": "worse",
    }  # fmt: skip
    lines = list(pair_lines(found))
    assert lines[0].startswith("worse")
    assert lines[-1] == "B against A: 2 worse, 1 gone, 4 better, 1 new"
    same = pair_runs(a, a)
    assert set(same["counts"]) == {"same"}
    for wrong in ({}, {"schema": 1}, {"schema": 2, "scenarios": []}):
        with pytest.raises(UsageError):
            pair_runs(a, wrong)


def test_a_number_of_timing_is_never_better_or_worse_by_itself() -> None:
    def one(value: float) -> ScenarioResult:
        check = CheckResult("model.m.latency_p50", value, "ms", "<= 50 ms", "PASS", kind="timing")
        return ScenarioResult("t", "t.toml", "virtual", "PASS", checks=(check,))

    assert set(pair_runs(saved(one(1.0)), saved(one(9.0)))["counts"]) == {"same"}


def test_junit_is_valid_for_jenkins_and_surefire_and_attaches_what_was_kept(tmp_path: Path) -> None:
    schema = xmlschema.XMLSchema(str(Path(__file__).resolve().parents[2] / "data" / "junit" / "junit.xsd"))
    kept = {"recording": "runs/a.mcap", "part": "1 s to 3 s"}
    every = [result(outcome, files=kept, again="hil run a.toml", remarks=("odd \x00 & <one>",))
             for outcome in ("PASS", "MARGINAL", "FAIL", "UNSET", "TROUBLE", "NA")]  # fmt: skip
    every += [result("FAIL", None, quarantined="strap (2026-01-02)", seconds=1234.5),
              ScenarioResult("none", "s/b.toml", "", "TROUBLE", why="no file"),
              ScenarioResult("not here", "s/c.toml", "", "NA", why="no board")]  # fmt: skip
    path = tmp_path / "j.xml"
    write_junit(path, every)
    schema.validate(str(path))
    text = path.read_text()
    attached = f"[[ATTACHMENT|{Path('runs/a.mcap').absolute()}]]"
    assert text.count(f"\n{attached}\n") == 3  # FAIL, UNSET and TROUBLE
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        schema.validate(text.replace('tests="1"', 'tests="one"', 1))


def test_the_summary_links_what_was_kept_and_says_what_changed() -> None:
    now = [result("FAIL", name="a", files={"recording": "r/a.mcap"}, again="hil run a.toml"), result("FAIL", name="b"),
           result("PASS", name="c")]  # fmt: skip
    before = [
        dict(entry_of(result(one, name=name), 0, "")) for name, one in zip("abc", ("PASS", "FAIL", "FAIL"), strict=True)
    ]
    past = [past_of(one, before, entry_of(one, 10**9, "")) for one in now]
    text = summary(now, 1.0, past, "page.html")
    assert "a ↘ new<br>[recording](r/a.mcap)<br>`hil run a.toml`" in text
    assert "b → still" in text
    assert "Mended: c" in text
    assert "[page](page.html)" in text
    many = summary([result("FAIL", name=str(at)) for at in range(80)], 1.0)
    assert "30 more rows are left out" in many
