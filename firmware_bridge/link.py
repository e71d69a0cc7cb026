"""One thread per board: it steps the board's connection until it is told to stop, and publishes how it stands.

What other threads see (state, books, identity, clock fit) are frozen values that are replaced whole after each step.
The thread is asked to end and joined, never killed; every call it makes is bounded in time, and if a driver holds it
all the same, `stop` says so and returns.
"""

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from firmware_bridge.clock import Clock
from firmware_bridge.errors import NoAnswer
from firmware_bridge.faulty import FaultyWay
from firmware_bridge.plan import Command, LinkState, Plan
from firmware_bridge.streams import BoardInfo
from firmware_bridge.turn import Turn
from firmware_bridge.way import Way
from firmware_bridge.wire.inject import Downlink, downlink_of

__all__ = ["Link"]

_TURN_S = 0.5
"""The longest a step waits; stopping and sending wake it earlier."""

PATIENCE_S = 10.0
"""Closing an emulator or a process may take some seconds by itself, and a busy machine stands still for some."""


class Link:
    """The thread of one board.

    Args:
        way: Opens and closes the port.
        plan: How to work.
        clock: Time.
        put: Takes an arrival and returns for how long (ns) it held the thread.
    """

    def __init__(self, way: Way | FaultyWay, plan: Plan, clock: Clock, put: Callable[..., int]) -> None:
        self.way = way
        self.failure: BaseException | None = None
        """An error of the program itself, which ended the link."""
        self._clock = clock
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._commands: queue.SimpleQueue[tuple[Command, Future[bytes]]] = queue.SimpleQueue()
        self._turn = Turn(way, plan, clock, put, self._idle)
        self._thread = threading.Thread(target=self._run, name=f"link {plan.role or way.port}", daemon=True)

    # -- for every thread ----------------------------------------------------------------------------------------

    @property
    def role(self) -> str:
        """Name of the board; empty as long as it has none."""
        return self._turn.role

    @property
    def state(self) -> LinkState:
        """How it stands."""
        return self._turn.state

    @property
    def books(self) -> Any:
        """The frozen ledger after the last chunk."""
        return self._turn.books

    @property
    def info(self) -> BoardInfo | None:
        """Who the board is, once it said so."""
        return self._turn.session.info

    @property
    def boot(self) -> int:
        """How often the board has started since the link began."""
        return self._turn.session.boot

    @property
    def downlink(self) -> Downlink | None:
        """What can be pushed into the board; None while unknown, and where nothing can."""
        return downlink_of(self._turn.session.dialect)

    @property
    def fit(self) -> Any:
        """The clock fit, at most half a second old; None where there is none."""
        return self._turn.fit

    def start(self, wait_s: float = 0.0, *, patient: bool = False) -> None:
        """Open the port and start the thread.

        Args:
            wait_s: How long to wait for another user of the port.
            patient: Keep trying in the thread instead of raising when the port cannot be opened now.

        Raises:
            BridgeError: The port cannot be opened.
        """
        if not patient:
            self._turn.open(wait_s, self._stopping.is_set)
        self._thread.start()

    def send(self, command: Command) -> "Future[bytes]":
        """Have the link's thread write a command.

        Args:
            command: A native message, a line of text, or raw bytes.

        Returns:
            A future: the bytes that were written, or the error that kept them from it.
        """
        future: Future[bytes] = Future()
        if self._stopping.is_set() or self.state.state == "closed":
            future.set_exception(NoAnswer("the link is closed", self.role, "open it again"))
            return future
        self._commands.put((command, future))
        self.wake()
        return future

    def wake(self) -> None:
        """Let the thread look at what is new."""
        self._woken.set()
        self.way.wake()

    def retry(self) -> None:
        """Open a lost port now, rather than when its back-off ends."""
        self._turn.retry_now = True
        self.wake()

    def ask_to_stop(self) -> None:
        """Ask the thread to end, without waiting."""
        self._stopping.set()
        self.wake()

    def stop(self, timeout_s: float = PATIENCE_S) -> bool:
        """End the link: joined, never killed.

        Returns:
            Whether the thread ended in time; false means that a driver holds it, and the state says so.
        """
        self.ask_to_stop()
        if self._thread.ident is None:
            self._turn.close()
            return True
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            reason = f"{self.way.port}: its driver has not returned for {timeout_s:g} s; unplug the board"
            self._turn.state = LinkState("closed", reason, self._clock.now_ns())
            return False
        return True

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.state.state == "closed" and not self._thread.is_alive()

    # -- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        turn = self._turn
        try:
            while not self._stopping.is_set() and turn.step(_TURN_S):
                while not self._commands.empty():
                    turn.queue(*self._commands.get())
            turn.close(turn.state.reason if turn.state.state == "closed" else "closed by the user")
        except BaseException as error:  # a mistake of ours or of a plug-in: never die in silence
            self.failure = error
            with contextlib.suppress(Exception):
                turn.note("error", f"{self.way.port}: the link ended by an error of the program: {error!r}")
            with contextlib.suppress(Exception):
                self.way.close()
            turn.state = LinkState("closed", f"{self.way.port}: {error!r}", self._clock.now_ns())
        while not self._commands.empty():
            self._commands.get()[1].set_exception(NoAnswer("the link is closed", self.role, "open it again"))

    def _idle(self, seconds: float) -> None:
        self._woken.wait(seconds)
        self._woken.clear()
