"""How a process that serves a screen talks to the one that started it: lines of JSON out, and stdin as the leash."""

import json
import os
import sys
import threading

__all__ = ["leash", "say"]


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
