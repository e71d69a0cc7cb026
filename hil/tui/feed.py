"""Asks the engine for snapshots and hands it commands, on a thread of its own, so that the screen never waits.

Rule of this room: at most one question is under way and one answer waits to be drawn; while the engine is slow the
screen skips frames, and nothing queues up. Commands go first, in order. Whatever goes wrong comes back as a sentence.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from hil.views.snapshot import Snapshot
from hil.views.view import View

__all__ = ["Answer", "Client", "Feed", "Reply", "answer"]


class Client(Protocol):
    """The engine as a screen sees it."""

    def snapshot(self, view: View) -> Snapshot:
        """Return what a screen with this view shows."""

    def command(self, verb: str, **args: Any) -> dict[str, Any]:
        """Do something; return plain JSON values."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A snapshot, or the sentence that says why there is none."""

    snapshot: Snapshot | None
    view: View
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command led to: the engine's values, or the sentence that says why it was refused."""

    verb: str
    args: Mapping[str, Any]
    values: Mapping[str, Any] = field(default_factory=dict)
    trouble: str = ""


class Feed:
    """One thread between the screen and the engine.

    Args:
        client: The engine.
        deliver: Called with each answer and reply, from the feed's thread.
        inline: Do everything in the caller's thread (for tests and pictures).
    """

    def __init__(self, client: Client, deliver: Callable[[Answer | Reply], object], inline: bool = False) -> None:
        self._client = client
        self._deliver = deliver
        self._inline = inline
        self._wake = threading.Condition()
        self._view: View | None = None
        self._commands: deque[tuple[str, dict[str, Any]]] = deque()
        self._busy = False
        self._stopped = False
        self._thread: threading.Thread | None = None
        self.skipped = 0

    def start(self) -> None:
        """Begin to serve."""
        if not self._inline:
            self._thread = threading.Thread(target=self._serve, name="screen-feed", daemon=True)
            self._thread.start()

    def stop(self, wait_s: float = 2.0) -> None:
        """Finish the commands that wait, then end; never longer than `wait_s`, whatever the engine does."""
        with self._wake:
            self._stopped = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join(wait_s)

    def ask(self, view: View) -> bool:
        """Ask for a snapshot unless one is on its way; return whether the question was taken."""
        with self._wake:
            if self._busy:
                self.skipped += 1
                return False
            self._busy, self._view = True, view
            self._wake.notify()
        if self._inline:
            self._run_one()
        return True

    def taken(self) -> None:
        """Say that the last answer has been drawn: the next question may be asked."""
        with self._wake:
            self._busy = False

    def command(self, verb: str, **args: Any) -> None:
        """Hand the engine a command; the reply is delivered."""
        with self._wake:
            self._commands.append((verb, args))
            self._wake.notify()
        if self._inline:
            self._run_one()

    def _serve(self) -> None:
        while True:
            with self._wake:
                while not (self._commands or self._view or self._stopped):
                    self._wake.wait()
                if self._stopped and not self._commands:
                    return
            self._run_one()

    def _run_one(self) -> None:
        with self._wake:
            command = self._commands.popleft() if self._commands else None
            view = None if command else self._view
            self._view = self._view if command else None
        if command is not None:
            self._deliver(self._do(*command))
        elif view is not None:
            self._deliver(self._look(view))

    def _do(self, verb: str, args: dict[str, Any]) -> Reply:
        try:
            return Reply(verb, args, self._client.command(verb, **args) or {})
        except Exception as error:  # whatever the way to the engine raises, the screen lives on and says it
            return Reply(verb, args, trouble=_sentence(error))

    def _look(self, view: View) -> Answer:
        try:
            return Answer(self._client.snapshot(view), view)
        except Exception as error:  # as above
            return Answer(None, view, _sentence(error))


async def answer(client: Client, inline: bool, verb: str, **args: Any) -> dict[str, Any]:
    """Give a command and wait for what comes of it, beside the screen (of `inline` see `Feed`).

    Raises:
        BridgeError: The engine is gone, or refused.
    """
    ask = partial(client.command, verb, **args)
    return ask() if inline else await asyncio.to_thread(ask)


def _sentence(error: Exception) -> str:
    words = str(error).strip()
    return words or f"the engine did not answer ({type(error).__name__})"
