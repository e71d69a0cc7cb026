"""Which engines of this user run, and how to reach each: a file an engine, that nobody else may read.

The folder is `$HIL_ENGINE_DIR`, or `hil/engines` in `$XDG_RUNTIME_DIR` or, where there is none, in the folder of states
(`$XDG_STATE_HOME`, `~/.local/state`). A file holds address and token and has the rights 0600: whoever may read it may
command the engine. The engine holds a lock on its file, which goes with its process, however that ends.

Rule of this room: a token goes from file to socket. It is in no text for people, no picture and no list of processes.
"""

import contextlib
import json
import os
import secrets
import stat
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from firmware_bridge.errors import UsageError
from firmware_bridge.lock import drop, take

__all__ = ["Announced", "Running", "announce", "chosen", "engine_folder", "running"]

SCHEMA = 1
MOST_NAMED = 6
"""Engines that a sentence names."""


@dataclass(frozen=True, slots=True)
class Running:
    """An engine that runs.

    Attributes:
        address: `host:port`.
        token: What opens its door; left out of every text.
        pid: Its process.
        since_s: When it began to serve, seconds of UTC.
        doing: What it listens to or replays.
    """

    address: str
    token: str = field(repr=False)
    pid: int
    since_s: float
    doing: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON values, without the token."""
        return {name: value for name, value in asdict(self).items() if name != "token"}

    def __str__(self) -> str:
        return f"{self.address} ({', '.join(self.doing) or 'nothing'})"


def engine_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where the files are, or would be."""
    if told := environment.get("HIL_ENGINE_DIR"):
        return Path(told)
    base = environment.get("XDG_RUNTIME_DIR") or environment.get("XDG_STATE_HOME")
    return Path(base or Path.home() / ".local" / "state") / "hil" / "engines"


class Announced:
    """An engine's own file.

    Args:
        path: The file.
        handle: The file, open and locked.
    """

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle: int | None = handle

    def withdraw(self) -> None:
        """Take the file away; a second time does nothing."""
        if self._handle is None:
            return
        with contextlib.suppress(OSError):  # a system that keeps open files: then whoever looks next takes it away
            self.path.unlink()
        drop(self._handle)
        os.close(self._handle)
        self._handle = None


def announce(
    address: str, token: str, doing: Sequence[str] = (), folder: Path | None = None, now_s: float | None = None
) -> Announced | None:
    """Let this user's other programs find the engine of this process.

    Returns:
        The file; None where it cannot be written. The engine runs all the same, and `--at` and `--token` reach it.
    """
    said = Running(address, token, os.getpid(), time.time() if now_s is None else now_s, tuple(doing))
    place = folder or engine_folder()
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = place / f"{said.pid}-{secrets.token_hex(4)}.json"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
        take(handle)  # before it says anything: an empty file is one that is being made
        os.write(handle, json.dumps({"schema": SCHEMA, **asdict(said)}).encode())
    except OSError:
        return None
    return Announced(path, handle)


def running(folder: Path | None = None) -> tuple[Running, ...]:
    """Return this user's engines, the oldest first; what a dead one left behind is taken away."""
    place = folder or engine_folder()
    found = [one for path in sorted(place.glob("*.json")) if (one := _read(path)) is not None]
    return tuple(sorted(found, key=lambda one: one.since_s))


def _read(path: Path) -> Running | None:
    try:
        handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return None
    try:
        facts = os.fstat(handle)
        mine = not hasattr(os, "getuid") or facts.st_uid == os.getuid()
        if not mine or not stat.S_ISREG(facts.st_mode):
            return None  # somebody else's, who would like to be talked to
        plain = json.loads(os.read(handle, 1 << 16))
        found = Running(str(plain["address"]), str(plain["token"]), int(plain["pid"]), float(plain["since_s"]),
                        tuple(map(str, plain["doing"])))  # fmt: skip
        if not take(handle):
            return found
        drop(handle)
        path.unlink(missing_ok=True)  # nobody holds it: its engine is dead
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    finally:
        os.close(handle)


def chosen(at: str | None = None, token: str | None = None, folder: Path | None = None) -> tuple[str, str]:
    """Return address and token of the engine that is meant.

    Args:
        at: Its address; None: the one of this user that runs.
        token: Its token; None: as it said itself.
        folder: Where engines say how they are reached.

    Raises:
        UsageError: None runs, several run and none was named, or the one that was named is not known.
    """
    if at and token:
        return at, token
    found = running(folder)
    named = [one for one in found if at in (None, "", one.address)]
    if len(named) == 1:
        return named[0].address, token or named[0].token
    listed = ", ".join(str(one) for one in found[:MOST_NAMED])
    if len(found) > MOST_NAMED:
        listed += f" and {len(found) - MOST_NAMED} more: see `hil engines`"
    if at:
        todo = f"name one that runs: {listed}" if found else "none of yours runs here"
        raise UsageError("no engine of yours says that it is there", at, f"{todo}; another user's needs its --token")
    if not found:
        raise UsageError("no engine of yours runs on this computer", "", "start one with `hil ui PORT`, or name --at")
    raise UsageError(f"{len(found)} engines run and none is named", "", f"name one with --at: {listed}")
