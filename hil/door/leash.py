"""How a process that serves a screen talks to the one that started it: lines of JSON out, and stdin as the leash."""

import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Protocol

from firmware_bridge.errors import BridgeError
from hil.door.server import Bench, Server

__all__ = ["Attended", "attend", "leash", "say"]


class Attended(Bench, Protocol):
    """Who answers a screen until told to end."""

    asked_to_end: threading.Event

    def close(self) -> None:
        """Let go of what is held."""


def say(plain: dict[str, object]) -> None:
    """Print one line for whoever started this process."""
    # Whoever read the first line may be gone by the last.
    try:
        print(json.dumps(plain), flush=True)
    except (BrokenPipeError, ValueError):
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (kept open to the end: the interpreter flushes it)


def leash(end: threading.Event) -> None:
    """Wait until stdin ends, because the parent closed it or is gone, then set `end`."""
    # Past Python's buffer, whose lock a thread must not hold when the interpreter ends.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    end.set()


def attend(make: Callable[[], Attended]) -> int:
    """Serve until stdin ends or somebody says `quit`; return the exit status."""
    sys.stdin.buffer.readline()
    try:
        served = make()
        server = Server(served)
    except BridgeError as error:
        say({"error": {**error.as_dict(), "kind": type(error).__name__}})
        return error.exit_code
    end = served.asked_to_end
    say({"address": server.address, "token": server.token, "pid": os.getpid()})
    threading.Thread(target=leash, args=(end,), name="leash", daemon=True).start()
    end.wait()
    served.close()
    server.close()
    return 0
