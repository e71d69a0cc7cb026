"""Runs that a screen asked for: progress while they go on, an end when somebody wants one, a past, a baseline."""

import json
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.clock import ManualClock
from firmware_bridge.errors import UsageError
from hil.runner import Runner, Stoppable
from hil.scenario.crew import INTERRUPTED, Here
from hil.scenario.execution.sofar import file_of
from hil.scenario.unit import Unit
from hil.views.message import pack

PASSES = """
name = "Nothing is lost"
why = "It is the least"
tags = ["smoke", "link"]
[readings]
to_s = 1.0
[board.imu]
virtual = "imu"
[[check]]
metric = "link.imu.samples_lost"
equals = 0
"""
BASELINE = PASSES + '[baseline]\nfile = "expected.json"\n'


class Slow:
    """A crew that holds every unit until it is told to stop."""

    sends_files = False

    def __init__(self) -> None:
        self.held: list[Future[str]] = []
        self.began = threading.Event()

    def offers(self) -> None:
        pass

    def width(self) -> int:
        return 1

    def submit(self, unit: Unit) -> "Future[str]":
        self.held.append(Future())
        self.began.set()
        return self.held[-1]

    def stop(self) -> None:
        for one in self.held:
            if not one.done():
                one.set_result(INTERRUPTED)

    def close(self) -> None:
        self.stop()


def write(folder: Path, **texts: str) -> list[str]:
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return [str(folder / f"{name}.toml") for name in texts]


def ended(runner: Runner) -> dict[str, Any]:
    assert runner._job is not None
    assert runner._job.thread is not None
    runner._job.thread.join(150)
    return runner.command("progress")


def test_a_run_ends_in_results_and_in_a_line_of_the_past(tmp_path) -> None:
    folder, runs = tmp_path / "scenarios", str(tmp_path / "runs")
    first, second = write(folder, first=PASSES, second=PASSES.replace("Nothing", "No sample"))
    write(folder, broken="name = 3")
    runner = Runner(crew=Here)
    before = runner.command("library", folder=str(folder), runs=runs)["entries"]
    assert [entry.get("outcomes") for entry in before] == [None, None, None]
    assert "name" in before[0]["trouble"]
    assert before[1]["tags"] == ["smoke", "link"]
    assert runner.command("run", paths=[first, second], runs=runs) == {"total": 2, "paths": [first, second]}
    told = ended(runner)
    assert told["finished"]
    assert [one["outcome"] for one in told["results"]] == ["PASS", "PASS"]
    assert "2 scenarios in" in told["sentence"]
    assert runner.command("progress", told=1)["results"] == told["results"][1:]
    pack(told)  # it fits into a message
    after = runner.command("library", folder=str(folder), runs=runs)["entries"]
    assert after[1]["outcomes"] == ["PASS"]
    assert after[1]["checks"] == [["link.imu.samples_lost", 0.0, "PASS", [0.0]]]


def test_a_run_is_ended_early_and_leaves_no_verdict(tmp_path) -> None:
    paths = write(tmp_path / "scenarios", first=PASSES, second=PASSES)
    clock, slow = ManualClock(), Slow()
    runner = Runner(clock, lambda: slow)
    assert runner.command("cancel") == {"sentence": "nothing runs"}
    runner.command("run", paths=paths, runs=str(tmp_path / "runs"))
    assert slow.began.wait(150)
    clock.advance_ns(2_500_000_000)
    under_way = runner.command("progress")
    assert under_way["running"] == {paths[0]: 2.5}
    assert not under_way["finished"]
    with pytest.raises(UsageError, match="a run is under way"):
        runner.command("run", paths=paths, runs=str(tmp_path / "runs"))
    job = runner._job
    assert job is not None
    told_now = {"checks": [{"metric": "link.imu.samples_lost", "value": 0.0, "unit": "1", "limit": "= 0",
                            "outcome": "PASS", "why": "", "kind": "data"}]}  # fmt: skip
    file_of(job.so_far, paths[0]).write_text(json.dumps(told_now))
    assert runner.command("progress")["so_far"] == {paths[0]: told_now["checks"]}
    runner.command("cancel")
    told = ended(runner)
    assert told["so_far"] == {}
    assert not Path(job.so_far).exists()
    assert [one["outcome"] for one in told["results"]] == ["TROUBLE", "TROUBLE"]
    assert len(slow.held) == 1  # the second did not begin
    assert "2 broken off" in told["sentence"]
    assert not (tmp_path / "runs" / "history.jsonl").read_text("utf-8")


def test_a_crew_that_was_stopped_begins_nothing() -> None:
    crew = Stoppable(Slow(), ManualClock())
    crew.stop()
    assert crew.submit(None).result(0) == INTERRUPTED  # type: ignore[arg-type]


def test_a_baseline_is_accepted_only_as_it_was_shown(tmp_path) -> None:
    folder = tmp_path / "scenarios"
    (path,) = write(folder, one=BASELINE)
    runner = Runner(crew=Here)
    with pytest.raises(UsageError, match="not run here yet"):
        runner.command("difference", path=path)
    runner.command("run", paths=[path], runs=str(tmp_path / "runs"))
    ended(runner)
    shown = runner.command("difference", path=path)
    assert shown["file"] == str(folder / "expected.json")
    assert not Path(shown["file"]).exists()
    assert "left as it was" in runner.command("accept", path=path, difference="another one")["sentence"]
    assert not Path(shown["file"]).exists()
    told = runner.command("accept", path=path, difference=shown["difference"])
    assert "accepted in" in told["sentence"]
    assert told["results"][0]["outcome"] == "PASS"
    assert json.loads(Path(shown["file"]).read_text("utf-8"))["metrics"]
    (other,) = write(folder, other=PASSES)
    runner.command("run", paths=[other], runs=str(tmp_path / "runs"))
    ended(runner)
    with pytest.raises(UsageError, match=r"no \[baseline\]"):
        runner.command("difference", path=other)


def test_what_cannot_be_run_is_refused_in_a_sentence(tmp_path) -> None:
    (path,) = write(tmp_path / "scenarios", broken="name = 3")
    with pytest.raises(UsageError):
        Runner().command("run", paths=[path], runs=str(tmp_path))
    with pytest.raises(UsageError, match="no command"):
        Runner().command("dance")


@pytest.mark.slow
def test_a_runner_in_a_process_of_its_own_ends_what_runs_when_its_screen_leaves(tmp_path) -> None:
    from hil.door.attach import spawn_runner

    (path,) = write(tmp_path / "scenarios", long=PASSES.replace("to_s = 1.0", "to_s = 3000.0"))
    with spawn_runner() as client:
        client.command("run", paths=[path], runs=str(tmp_path / "runs"))
        for _ in range(600):
            if client.command("progress")["running"]:
                break
            threading.Event().wait(0.1)
        process = client.process
    assert process is not None
    assert process.returncode == 0
