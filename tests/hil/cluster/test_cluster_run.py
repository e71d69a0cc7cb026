"""A cluster of real processes over TLS: what one machine says, said by several, also when one of them is killed."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from firmware_bridge.errors import TransportError
from hil.cluster.address import tls_of
from hil.cluster.certs import make_certificates
from hil.cluster.crew import Cluster
from hil.scenario import many
from hil.scenario.grammar.load import Loaded, parse_scenario
from hil.scenario.many import run_all
from hil.scenario.results.identity import identity_of
from hil.scenario.run import RunOptions

IMU = 'name = "s{seed}"\n[board.imu]\nvirtual = "imu?rate={rate}"\nseed = {seed}\n[readings]\nto_s = {length}\n'
LOST = '[[check]]\nmetric = "link.imu.samples_lost"\nequals = 0\n'
BOARD = 'name = "on {role}"\nneeds = ["board:{role}"]\n[board.{role}]\nport = "bench"\n[readings]\nto_s = 0.3\n'

FOREIGN = """
import sys
import hil.cluster.host as host
host.here = lambda wanted, places: None
from hil.cli import main
sys.argv[0] = "hil"
main()
"""
"""A worker that has none of our folders: it finds files only where it keeps those that were sent."""

MUTE = """
import sys
import threading
import hil.cluster.host as host
run = host.Host.run
def and_waits(self, text, address):
    run(self, text, address)
    threading.Event().wait()
host.Host.run = and_waits
from hil.cli import main
sys.argv[0] = "hil"
main()
"""
"""A worker whose answers never get out: whenever it is killed, it has a scenario that nobody else has."""


@dataclass
class Bench:
    """Programs of a cluster on this machine."""

    folder: Path
    url: str
    environ: dict[str, str]
    programs: list["subprocess.Popen[str]"]

    def start(self, *command: str) -> "subprocess.Popen[str]":
        program = subprocess.Popen(
            (sys.executable, *command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environ,
            cwd=self.folder, start_new_session=True,
        )  # fmt: skip
        self.programs.append(program)
        return program

    def worker(self, name: str, board: str = "", *, code: str = "") -> "subprocess.Popen[str]":
        more: list[str] = []
        if board:
            (self.folder / f"{name}.toml").write_text(f'[board.{board}]\nport = "virtual://imu?rate=100"\n')
            more = ["--bench", str(self.folder / f"{name}.toml")]
        begin = ("-c", code) if code else ("-m", "hil")
        return self.start(*begin, "worker", self.url, "--cache", str(self.folder / f"cache-{name}"), *more)

    def crew(self) -> Cluster:
        """A crew that nobody has joined yet: those that ended before are gone."""
        made = Cluster(self.url, tls_of(environ=self.environ), self.folder)
        until(lambda: made.width() == 0)
        return made

    def end(self, program: "subprocess.Popen[str]") -> str:
        """End one program as a user would, and return what it said on stderr."""
        program.terminate()
        said = program.communicate(timeout=150)[1]
        self.programs.remove(program)
        assert program.returncode == 0
        return said


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("cluster")
    make_certificates(folder / "tls", 2, datetime.now(UTC))
    environ = os.environ | {"HIL_TLS_DIR": str(folder / "tls"), "HIL_LOCK_DIR": str(folder / "locks")}
    made = Bench(folder, "", environ, [])
    try:
        scheduler = made.start("-m", "hil", "cluster", "scheduler", "--port", "0")
        assert scheduler.stdout is not None
        made.url = scheduler.stdout.readline().strip()
        assert made.url.startswith("tls://127.0.0.1:")
        yield made
    finally:
        for program in made.programs:
            program.kill()
            program.communicate()


def virtual(seed: int, rate: int = 100, length: float = 1.0) -> Loaded:
    text = IMU.format(seed=seed, rate=rate, length=length) + LOST
    return Loaded(Path(f"s{seed}.toml"), text, parse_scenario(text, "s"))


def on_board(role: str) -> Loaded:
    text = BOARD.format(role=role) + LOST.replace("imu", role)
    return Loaded(Path(f"{role}.toml"), text, parse_scenario(text, "b"))


def until(true: Callable[[], bool], seconds: float = 150.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def test_a_killed_worker_loses_nothing_and_the_result_is_the_local_one(bench: Bench) -> None:
    scenarios = [virtual(seed, rate=1000, length=2.0) for seed in range(6)]
    local = run_all(scenarios, RunOptions())
    crew = bench.crew()
    first, second = bench.worker("first", code=MUTE), bench.worker("second")
    orphans: list[psutil.Process] = []

    def kill() -> None:
        # The process that a worker has for its scenarios is there from its first one on.
        until(lambda: bool(psutil.Process(first.pid).children()))
        orphans.extend(psutil.Process(first.pid).children())
        os.kill(first.pid, 9)

    killer = threading.Thread(target=kill)
    try:
        until(lambda: crew.width() == 2)
        killer.start()
        results = run_all(scenarios, RunOptions(), crew=crew)
    finally:
        if killer.ident is not None:
            killer.join()
    assert [one.outcome for one in results] == ["PASS"] * 6
    assert sum(one.retries for one in results) >= 1
    assert identity_of(results) == identity_of(local)
    until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in orphans))
    assert "the worker has ended" in bench.end(second)


def test_scenarios_run_where_their_boards_are_and_files_follow_where_they_lack(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "OFFER_S", 0.5)
    recording = bench.folder / "recordings" / "imu.mcap"
    if not recording.exists():
        recorded(recording)
    text = 'name = "file"\n[board.imu]\nrecording = "recordings/imu.mcap"\n' + LOST
    from_file = Loaded(bench.folder / "file.toml", text, parse_scenario(text, "f"))
    local = run_all([from_file], RunOptions())
    crew = bench.crew()
    workers = [bench.worker("left", "left", code=FOREIGN), bench.worker("right", "right", code=FOREIGN)]
    until(lambda: crew.width() == 2)
    text = text.replace("equals = 0", "equals = 9")
    failing = Loaded(bench.folder / "fail.toml", text, parse_scenario(text, "f"))
    scenarios = [on_board("right"), from_file, on_board("left"), on_board("middle"), on_board("right"), failing]
    results = run_all(scenarios, RunOptions(keep=str(bench.folder / "kept"), keep_all=True), crew=crew)
    assert [one.outcome for one in results] == ["PASS", "PASS", "PASS", "NA", "PASS", "FAIL"], results
    kept = [one.files.get("recording", "") for one in results]
    assert [Path(one).parent == bench.folder / "kept" for one in kept] == [True, False, True, False, True, False]
    assert kept[1] == kept[5] == str(recording)  # what was only read is where it was
    assert all(Path(one).is_file() for one in kept if one)
    assert "board:middle" in results[3].why
    assert {results[0].target, results[2].target} == {"virtual://imu?rate=100"}
    assert identity_of([results[1]]) == identity_of(local)
    assert list(bench.folder.glob("cache-*/*/imu.mcap"))
    for worker in workers:
        assert f"joined {bench.url}: board:" in bench.end(worker)


def recorded(path: Path) -> None:
    from firmware_bridge.faults import Schedule
    from hil.scenario.execution.execute import execute
    from hil.scenario.execution.targets import place_of

    path.parent.mkdir()
    made = virtual(1)
    place = place_of("imu", made.scenario.board["imu"], None, alone=True)
    execute(made, [place], 0, Schedule(), keep=path)


def test_without_a_certificate_of_the_circle_nobody_gets_in(bench: Bench, tmp_path: Path) -> None:
    make_certificates(tmp_path / "other", 2, datetime.now(UTC))
    with pytest.raises(TransportError, match="no scheduler answers"):
        Cluster(bench.url, tls_of(environ={"HIL_TLS_DIR": str(tmp_path / "other")}))
    with pytest.raises(TransportError, match="no scheduler answers"):
        Cluster(bench.url.replace("tls://", "tcp://"), None)


def test_a_worker_waits_for_its_scheduler_and_a_run_without_workers_is_trouble(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "OFFER_S", 0.5)
    (result,) = run_all([virtual(1)], RunOptions(), crew=bench.crew())
    assert (result.outcome, result.metrics) == ("TROUBLE", {})
    assert "hil worker" in result.why
    early = bench.start("-m", "hil", "worker", "tcp://127.0.0.1:9", "--cache", str(bench.folder / "cache-early"))
    assert early.stderr is not None
    assert "does not answer; trying again" in early.stderr.readline()
    assert "ended" in bench.end(early)
