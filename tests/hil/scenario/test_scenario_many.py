"""Many scenarios on many processes: nothing is lost, nothing differs, and a board has one user at a time."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs import ALWAYS_DIES, DIES, endless, live, pty_board, virtual

from firmware_bridge.lock import PortLock
from hil.scenario import many
from hil.scenario.crew import Processes
from hil.scenario.many import in_order, run_all, startable
from hil.scenario.results.identity import identity_of
from hil.scenario.results.outcome import CheckResult, ScenarioResult
from hil.scenario.run import RunOptions
from hil.scenario.unit import Unit, result_of, run_unit, unit_of


@pytest.fixture(autouse=True)
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIL_LOCK_DIR", str(tmp_path / "locks"))


def until(true: Callable[[], bool], seconds: float = 150.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def test_processes_give_what_this_process_gives_in_the_order_of_files(tmp_path: Path) -> None:
    scenarios = [virtual(tmp_path, f"s{at}", seed=at, length=1.0 + at % 2) for at in range(3)]
    told: list[str] = []
    alone = run_all(scenarios, RunOptions())
    together = run_all(scenarios, RunOptions(), 2, lambda result: told.append(result.name))
    assert told == [one.scenario.name for one in scenarios]
    assert identity_of(together) == identity_of(alone)
    assert identity_of(run_all(scenarios[::-1], RunOptions())) == identity_of(alone)
    assert identity_of(run_all(scenarios, RunOptions(seed=1))) != identity_of(alone)


def test_a_result_that_went_through_text_is_the_same_result(tmp_path: Path) -> None:
    result = result_of(run_unit(unit_of(0, virtual(tmp_path, "one"), RunOptions(twice=True)).text))
    assert result_of(json.dumps(result.as_dict())) == result
    assert result.checks[0].outcome == "PASS"
    assert len(result.checks) > 1


def test_only_timing_and_circumstances_are_left_out_of_what_must_be_equal() -> None:
    checks = (CheckResult("a", 1.0, "1", "= 1", "PASS"), CheckResult("t", 2.0, "ms", "<= 3", "PASS", kind="timing"))
    metrics = {"a": {"value": 1.0, "unit": "1", "kind": "data"}, "t": {"value": 2.0, "unit": "ms", "kind": "timing"}}
    one = ScenarioResult("n", "p", "virtual", "PASS", checks=checks, metrics=metrics, seconds=1.0)
    late = replace(checks[1], value=9.0, outcome="FAIL")
    same = replace(one, seconds=2.0, retries=1, outcome="FAIL", checks=(checks[0], late))
    assert identity_of([one]) == identity_of([same])
    for other in (
        replace(one, metrics={**metrics, "a": {"value": 1.0 + 2**-52, "unit": "1", "kind": "data"}}),
        replace(one, predictions={"m": {"sha256": "0"}}),
        replace(one, checks=(replace(checks[0], outcome="FAIL"), checks[1])),
        replace(one, remarks=("x",)),
    ):
        assert identity_of([other]) != identity_of([one])


@pytest.mark.pty
def test_a_process_that_dies_takes_nobody_with_it_and_its_scenario_runs_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "RETRIES", 1)
    flag = tmp_path / "died"
    scenarios = [
        virtual(tmp_path, "before"),
        live(tmp_path, "once", "virtual://imu?rate=100", setup=DIES.format(flag=flag)),
        live(tmp_path, "always", "virtual://imu?rate=100", setup=ALWAYS_DIES),
        virtual(tmp_path, "after"),
    ]
    results = run_all(scenarios, RunOptions(), 2)
    assert [(one.name, one.outcome, one.retries) for one in results] == [
        ("before", "PASS", 0), ("once", "PASS", 1), ("always", "TROUBLE", 1), ("after", "PASS", 0),
    ]  # fmt: skip
    assert "died, 2 times" in results[2].why
    from hil.scenario.results.table import result_lines, total_line

    assert "2 run again after a process died" in total_line(results, 1.0)
    assert "run again, once, since the process that ran it died" in "\n".join(result_lines(results[1]))


@pytest.mark.pty
def test_scenarios_that_need_one_board_run_one_after_another(tmp_path: Path) -> None:
    with pty_board() as port:
        link = tmp_path / "ttyLINK"
        link.symlink_to(port)
        scenarios = [live(tmp_path, f"s{at}", name) for at, name in enumerate((port, str(link), port))]
        results = run_all(scenarios, RunOptions(), 3)
    assert [(one.outcome, one.why) for one in results] == [("PASS", "")] * 3


@pytest.mark.pty
def test_a_board_that_somebody_else_holds_is_trouble_that_names_the_holder_unless_one_waits(tmp_path: Path) -> None:
    with pty_board() as port:
        lock = PortLock(os.path.realpath(port))
        lock.acquire()
        flag = tmp_path / "flashed"
        scenario = live(tmp_path, "busy", port, setup=f"[setup]\nflash = ['touch', '{flag}']\n")
        (busy,) = run_all([scenario], RunOptions())
        assert busy.outcome == "TROUBLE"
        assert f"pid {os.getpid()}" in busy.why
        assert "--wait" in busy.why
        assert not flag.exists()  # nobody flashes a board under a colleague's eyes
        crew = Processes(1)
        try:
            future = crew.submit(unit_of(0, scenario, RunOptions(wait_s=60.0)))
            until(lambda: bool(crew._running) and all(one.pid.done() for one in crew._running))
            assert not future.done()
            lock.release()
            assert result_of(future.result(150)).outcome == "PASS"
        finally:
            crew.close()


def test_a_process_whose_parent_is_gone_ends_with_its_teardown(tmp_path: Path) -> None:
    began, undone = endless(tmp_path, "long")
    virtual(tmp_path, "short")
    process = hil(tmp_path, "--jobs", "2")
    try:
        until(began.exists)
    finally:
        process.kill()
        process.communicate()
    until(undone.exists)


def hil(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = (sys.executable, "-m", "hil", "run", str(folder), *arguments)
    # What is ignored is inherited: where tests run in the background, Ctrl-C is.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # A session of its own: Ctrl-C is for it, not for whoever runs the tests.
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, cwd=folder
    )


@pytest.mark.parametrize(
    ("jobs", "number"),
    [("1", signal.SIGTERM), ("2", signal.SIGINT), pytest.param("2", signal.SIGTERM, marks=pytest.mark.slow)],
)
def test_ctrl_c_ends_with_what_is_done_and_says_what_is_not(tmp_path: Path, jobs: str, number: int) -> None:
    virtual(tmp_path, "a-done")
    began, undone = endless(tmp_path, "b-long")
    endless(tmp_path, "c-next")
    endless(tmp_path, "d-never")
    process = hil(tmp_path, "--jobs", jobs, "--junit", "out.xml")
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        until(began.exists)
        process.send_signal(number)
        out, err = process.communicate(timeout=150)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130, err
    assert first == "PASS     a-done\n"
    assert "4 scenarios" in out
    assert "1 PASS, 3 TROUBLE" in out
    assert "interrupted: it was ended before its verdict" in out
    assert "interrupted: it was not run" in out
    assert undone.exists()
    assert "Traceback" not in err
    suites = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert (suites.get("tests"), suites.get("errors")) == ("4", "3")


units = st.lists(
    st.tuples(
        st.sets(st.sampled_from("pqr"), max_size=2), st.sets(st.sampled_from("ab"), max_size=2), st.integers(0, 9)
    ),
    max_size=12,
)


@given(units, st.integers(0, 4), st.none() | st.lists(st.frozensets(st.sampled_from("ab")), max_size=3))
def test_what_begins_fits_fits_together_and_never_leaves_a_place_idle(
    given_units: list[tuple[set[str], set[str], int]], free: int, offers: list[frozenset[str]] | None
) -> None:
    loaded = object()
    every = [
        Unit(at, loaded, "", frozenset(needs), frozenset(ports), weight)  # type: ignore[arg-type]  # never looked at
        for at, (ports, needs, weight) in enumerate(given_units)
    ]
    running, waiting = every[:2], in_order(every[2:], 2)
    chosen = startable(waiting, running, offers, free)
    ports = [port for unit in (*running[:0], *chosen) for port in unit.alone]
    assert len(ports) == len(set(ports))
    assert not {port for unit in running for port in unit.alone} & set(ports)
    assert len(chosen) <= free
    taken = {port for unit in (*running, *chosen) for port in unit.alone}
    if len(chosen) < free:
        for left in [unit for unit in waiting if unit not in chosen]:
            offered = offers is None or any(left.needs <= boards for boards in offers)
            assert not offered or taken & left.alone


def test_long_scenarios_begin_first_where_several_run_at_once(tmp_path: Path) -> None:
    every = [Unit(at, virtual(tmp_path, f"s{at}"), "", weight=weight) for at, weight in enumerate((0, 5, 0, 9))]
    assert [unit.at for unit in in_order(every, 2)] == [3, 1, 0, 2]
    assert [unit.at for unit in in_order(every, 1)] == [0, 1, 2, 3]
