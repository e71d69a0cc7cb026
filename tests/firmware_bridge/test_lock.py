"""A port has one user: the second comer is told who that is, or waits; a dead owner blocks nobody."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from firmware_bridge.errors import PortBusy
from firmware_bridge.lock import PortLock, lock_folder, owner_of

HOLDER = """
import sys
from firmware_bridge.lock import PortLock
PortLock(sys.argv[1]).acquire()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HIL_LOCK_DIR", str(tmp_path / "locks"))
    return tmp_path / "locks"


def hold(port: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, port], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


def test_the_second_comer_is_told_who_holds_it_and_since_when() -> None:
    process = hold("/dev/ttyX")
    try:
        with pytest.raises(PortBusy) as caught:
            PortLock("/dev/ttyX", sleep=lambda _: None).acquire()
        sentence = str(caught.value)
        assert f"pid {process.pid}" in sentence
        assert "since" in sentence
        assert "--wait" in sentence
        owner = owner_of("/dev/ttyX")
        assert owner is not None
        assert owner.pid == process.pid
        assert 0 <= owner.since_s - owner.started_s < 60
        other = PortLock("/dev/ttyY")
        other.acquire()
        other.release()
    finally:
        end(process)


def test_the_lock_of_a_dead_process_is_taken_over() -> None:
    end(hold("/dev/ttyX"))
    assert owner_of("/dev/ttyX") is None
    lock = PortLock("/dev/ttyX")
    lock.acquire()
    owner = owner_of("/dev/ttyX")
    assert owner is not None
    assert owner.pid == os.getpid()
    lock.release()
    lock.release()
    assert owner_of("/dev/ttyX") is None


def test_waiting_ends_when_the_owner_lets_go() -> None:
    process = hold("/dev/ttyX")
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 5:
            end(process)

    lock = PortLock("/dev/ttyX", sleep=sleep)
    lock.acquire(wait_s=60.0)
    lock.release()
    assert len(slept) >= 5


def test_waiting_ends_after_its_time_or_when_given_up() -> None:
    first = PortLock("/dev/ttyX")
    first.acquire()
    slept: list[float] = []
    with pytest.raises(PortBusy):
        PortLock("/dev/ttyX", sleep=slept.append).acquire(wait_s=1.0)
    assert sum(slept) == pytest.approx(1.0, abs=0.11)
    slept.clear()
    with pytest.raises(PortBusy):
        PortLock("/dev/ttyX", sleep=slept.append).acquire(wait_s=1000.0, given_up=lambda: True)
    assert sum(slept) < 1.0
    first.release()


def test_of_many_that_want_it_at_once_exactly_one_gets_it() -> None:
    won: list[PortLock] = []
    start = threading.Barrier(8)

    def race() -> None:
        lock = PortLock("/dev/ttyX", sleep=lambda _: None)
        start.wait()
        try:
            lock.acquire()
            won.append(lock)
        except PortBusy:
            pass

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    won[0].release()


def test_asking_who_holds_a_free_port_leaves_it_free(folder: Path) -> None:
    assert owner_of("/dev/ttyX") is None
    assert not list(folder.glob("*"))
    lock = PortLock("/dev/ttyX")
    lock.acquire()
    lock.release()
    assert owner_of("/dev/ttyX") is None
    lock.acquire()
    lock.release()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_the_folder_is_open_to_every_user_of_the_machine() -> None:
    assert lock_folder().stat().st_mode & 0o7777 == 0o1777
    lock = PortLock("/dev/ttyX")
    lock.acquire()
    (file,) = lock_folder().iterdir()
    assert file.stat().st_mode & 0o777 == 0o666
    lock.release()
