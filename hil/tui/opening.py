"""An engine that is still starting, as a client: the screen is there at once and the engine starts beside it.

Rule of this room: no screen library. The engine is made once, when somebody first asks for it, which a screen does from
its feed once its first picture is there: what starting an engine needs is not loaded before. Whoever asks waits, and if
it cannot be made everybody gets the same sentence.
"""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self

from firmware_bridge.errors import BridgeError
from hil.views.snapshot import Snapshot
from hil.views.view import View

__all__ = ["Closable", "Opening"]


class Closable(Protocol):
    """A client that can be left."""

    summary: dict[str, Any] | None

    def snapshot(self, view: View) -> Snapshot:
        """Return what a screen with this view shows."""

    def command(self, verb: str, **args: Any) -> dict[str, Any]:
        """Do something; return plain JSON values."""

    def close(self) -> None:
        """Leave the engine."""


class Opening:
    """A client whose engine is being started.

    Args:
        start: Makes the client, such as `lambda: spawn_engine(config)`; called once, in the thread that asks first.
    """

    def __init__(self, start: Callable[[], Closable]) -> None:
        self._start = start
        self._client: Closable | None = None
        self.failure: BaseException | None = None
        """Why there is no engine; None while it starts and once it runs."""
        self._lock = threading.Lock()
        self._left = False

    def _ready(self) -> Closable:
        with self._lock:
            if self._client is None and self.failure is None and not self._left:
                try:
                    self._client = self._start()
                except BaseException as error:  # told to everybody who asks, in their own thread
                    self.failure = error
        if self._client is None:
            raise self.failure or BridgeError("the engine was left before it started", "", "start it again")
        return self._client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def address(self) -> str:
        """Where the engine serves; empty until it does."""
        return str(getattr(self._client, "address", ""))

    @property
    def summary(self) -> dict[str, Any] | None:
        """What came of it all, once the engine has ended."""
        return None if self._client is None else self._client.summary

    def snapshot(self, view: View) -> Snapshot:
        """Return what a screen with this view shows; waits until the engine is there.

        Raises:
            BridgeError: The engine could not be started, or is gone.
        """
        return self._ready().snapshot(view)

    def command(self, verb: str, **args: Any) -> dict[str, Any]:
        """Do something; waits until the engine is there.

        Raises:
            BridgeError: The engine could not be started, is gone, or refused.
        """
        return self._ready().command(verb, **args)

    def close(self) -> None:
        """Leave the engine, also when it is still starting; one that nobody asked for never starts."""
        with self._lock:
            self._left = True
        if self._client is not None:
            self._client.close()
