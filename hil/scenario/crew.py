"""Who runs scenarios: this process, or local processes; each takes a unit and gives a future of its result's text.

Rule of this room: a crew is shaped like an executor of `concurrent.futures`, and a process that dies takes nobody with
it: each is a pool of its own. A process whose parent is gone ends its scenario as Ctrl-C would, so that teardown runs
and no port stays taken, and then itself.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from hil.scenario.unit import Unit, run_unit

__all__ = ["INTERRUPTED", "Crew", "Died", "Here", "Processes"]

INTERRUPTED = ""
"""What a process answers in place of a result when it was told to stop."""

GRACE_S = 15.0
"""How long a scenario that was told to stop may take for its teardown."""

_busy = threading.Lock()
"""Of a process of a crew: held while it runs a scenario."""


class Died(Exception):
    """The process that ran a unit is gone: nothing is known of how far it came."""


class Crew(Protocol):
    """Runs units."""

    sends_files: bool
    """Whether it runs where our files are not."""

    def offers(self) -> Sequence[frozenset[str]] | None:
        """Return the boards that each of its hosts has; None: every unit may come, and says itself what it lacks."""

    def width(self) -> int:
        """Return how many units it runs at once."""

    def submit(self, unit: Unit) -> "Future[str]":
        """Run a unit; the future ends with `Died` where its process did."""

    def stop(self) -> None:
        """Let what runs end early, as Ctrl-C would."""

    def close(self) -> None:
        """End it; what still runs is ended."""


class Here:
    """This process: a unit has been run when `submit` returns."""

    sends_files = False

    def offers(self) -> None:
        """Every unit may come."""

    def width(self) -> int:
        """One."""
        return 1

    def submit(self, unit: Unit) -> "Future[str]":
        """Run a unit.

        Raises:
            UsageError: It cannot be meant as it was asked for.
        """
        future: Future[str] = Future()
        future.set_result(run_unit(unit.text))
        return future

    def stop(self) -> None:
        """Nothing runs when this can be called."""

    def close(self) -> None:
        """There is nothing to end."""


@dataclass(frozen=True, slots=True, eq=False)
class _Member:
    """One process: a pool of one, so that its death is its own."""

    pool: ProcessPoolExecutor
    pid: "Future[int]"

    def tell(self, number: int) -> None:
        """Send it a signal, where it has begun."""
        # On Windows a console's Ctrl-C reaches every process of it, and any signal that we send would kill.
        if (sys.platform == "win32" and number == signal.SIGINT) or not self.pid.done() or self.pid.exception():
            return
        with suppress(ProcessLookupError):
            os.kill(self.pid.result(), number)


class Processes:
    """Local processes that stay for many units.

    Args:
        count: How many.
    """

    sends_files = False

    def __init__(self, count: int) -> None:
        self._count = count
        self._idle: list[_Member] = []
        self._running: dict[_Member, str] = {}
        self._lock = threading.Lock()

    def offers(self) -> None:
        """Every unit may come."""

    def width(self) -> int:
        """The number of processes."""
        return self._count

    def submit(self, unit: Unit) -> "Future[str]":
        """Run a unit on a process that is free."""
        return self.submit_text(unit.text)

    def submit_text(self, text: str, key: str = "") -> "Future[str]":
        """Run the text of a unit.

        Args:
            text: See `run_unit`.
            key: By which it can be stopped.
        """
        outer: Future[str] = Future()
        outer.set_running_or_notify_cancel()
        with self._lock:
            member = self._idle.pop() if self._idle else _new_member()
            try:
                inner = member.pool.submit(_run, text)
            except BrokenProcessPool:  # it died while it had nothing to do
                member = _new_member()
                inner = member.pool.submit(_run, text)
            self._running[member] = key
        inner.add_done_callback(lambda done: self._take(member, done, outer))
        return outer

    def _take(self, member: _Member, inner: "Future[str]", outer: "Future[str]") -> None:
        error = None if inner.cancelled() else inner.exception()
        gone = inner.cancelled() or isinstance(error, BrokenProcessPool)
        with self._lock:
            self._running.pop(member, None)
            if not gone:
                self._idle.append(member)
        if gone:
            member.pool.shutdown(wait=False)
            outer.set_exception(Died("the process that ran it died"))
        elif error is not None:
            outer.set_exception(error)
        else:
            outer.set_result(inner.result())

    def stop(self, keys: Collection[str] | None = None) -> None:
        """Let what runs (or only units with these keys) end early, as Ctrl-C would."""
        self._tell(signal.SIGINT, keys)

    def _tell(self, number: int, keys: Collection[str] | None = None) -> None:
        with self._lock:
            meant = [member for member, key in self._running.items() if keys is None or key in keys]
        for member in meant:
            member.tell(number)

    def close(self) -> None:
        """End all processes: those that are free at once, the others after their scenario ended early."""
        with self._lock:
            idle, self._idle = self._idle, []
            running = list(self._running)
        self.stop()
        threads = [threading.Thread(target=_end, args=(member,)) for member in running]
        for thread in threads:
            thread.start()
        for member in idle:
            member.pool.shutdown()
        for thread in threads:
            thread.join()


def _end(member: _Member) -> None:
    """Wait for a process that was told to stop; kill it where it does not."""
    patience = threading.Timer(GRACE_S, member.tell, (getattr(signal, "SIGKILL", signal.SIGTERM),))
    patience.start()
    member.pool.shutdown()
    patience.cancel()
    patience.join()


def _new_member() -> _Member:
    # Fresh processes: a fork would carry threads of numeric libraries that are not there any more.
    pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=_settle_in)
    with _uninterrupted():
        return _Member(pool, pool.submit(os.getpid))


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let children begin with Ctrl-C held back: it would hit them amid their imports, with a traceback."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _settle_in() -> None:
    """Begin as a process of a crew: deaf to Ctrl-C while idle, on the leash of the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_leash, daemon=True).start()


def _leash() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGINT)
    _busy.acquire(timeout=GRACE_S)
    os._exit(1)


def _run(text: str) -> str:
    """Run a unit in a process of a crew; told to stop, it ends with its teardown and says so."""
    with _busy:
        try:
            signal.signal(signal.SIGINT, _once)
            return run_unit(text)
        except KeyboardInterrupt:
            return INTERRUPTED
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def _once(_number: int, _frame: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one would cut the teardown short
    raise KeyboardInterrupt
