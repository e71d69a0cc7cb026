"""One port, one user: a lock file with owner, so that the second comer is told who holds it, or waits.

The operating system holds the lock (it goes with its process, however that ends, so a dead owner never blocks anybody);
the file's text only says who took it: user, pid, start of the process, since when. All users of a machine share the
folder. The file stays when the lock is gone: removing it would let two owners lock two files of one name.
"""

import contextlib
import getpass
import hashlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from firmware_bridge.errors import PortBusy, TransportError

if sys.platform == "win32":
    import msvcrt
else:
    try:
        import fcntl
    except ImportError:  # a system without it: ports are then not locked
        fcntl = None  # type: ignore[assignment]

__all__ = ["Owner", "PortLock", "drop", "lock_folder", "owner_of", "take"]

_BYTE = 1 << 20
"""Windows locks this byte, far behind the text, since there a locked byte cannot be read."""
_LOADED_S = time.time()


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a port: times are seconds of UTC."""

    port: str
    user: str
    pid: int
    started_s: float
    since_s: float

    def __str__(self) -> str:
        since = time.strftime("%H:%M:%S on %Y-%m-%d", time.localtime(self.since_s))
        started = time.strftime("%H:%M:%S", time.localtime(self.started_s))
        return f"user {self.user} (pid {self.pid}, running since {started}) since {since}"


def lock_folder() -> Path:
    """Return the folder of lock files that all users of this machine share, made if need be."""
    chosen = os.environ.get("HIL_LOCK_DIR")
    base = os.environ.get("PROGRAMDATA") if sys.platform == "win32" else None
    folder = Path(chosen) if chosen else Path(base or tempfile.gettempdir()) / "hil-locks"
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):
            folder.chmod(0o1777)
    return folder


def _file(port: str) -> Path:
    tail = re.sub(r"[^A-Za-z0-9]+", "-", port).strip("-")[-40:]
    return lock_folder() / f"{tail}-{hashlib.sha256(port.encode()).hexdigest()[:12]}.lock"


def _started_s() -> float:
    """When this process started; where the system does not say, when this module was loaded."""
    try:
        ticks = int(Path("/proc/self/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[19])
        uptime = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
        return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return _LOADED_S


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return str(getattr(os, "getuid", lambda: "unknown")())


def _open(path: Path) -> int:
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)
    try:
        # Without O_CREAT first: Linux refuses O_CREAT on another user's file in a sticky folder.
        return os.open(path, flags)
    except FileNotFoundError:
        fd = os.open(path, flags | os.O_CREAT, 0o666)
        if hasattr(os, "fchmod"):
            with contextlib.suppress(OSError):
                os.fchmod(fd, 0o666)
        return fd


def take(fd: int) -> bool:
    """Lock an open file, which nobody else can until it is dropped or the process has ended; False where it is."""
    try:
        if sys.platform == "win32":
            os.lseek(fd, _BYTE, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        elif fcntl is not None:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def drop(fd: int) -> None:
    """Let go of an open file that was locked."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            os.lseek(fd, _BYTE, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
        elif fcntl is not None:
            fcntl.flock(fd, fcntl.LOCK_UN)


def _said(fd: int) -> Owner | None:
    os.lseek(fd, 0, os.SEEK_SET)
    try:
        return Owner(**json.loads(os.read(fd, 4096)))
    except (ValueError, TypeError, OSError):
        return None


def owner_of(port: str) -> Owner | None:
    """Return who holds a port now, or None where nobody does.

    Args:
        port: The key that `PortLock` was given: the real path of a device, or the address of a network port.
    """
    path = _file(port)
    if not path.exists():
        return None
    try:
        fd = _open(path)
    except OSError:
        return None
    try:
        if take(fd):
            drop(fd)
            return None
        return _said(fd)
    finally:
        os.close(fd)


class PortLock:
    """The right to use one port.

    Args:
        port: The real path of a device, or the address of a network port.
        sleep: Waits so many seconds between two tries, or less when somebody wants the waiting to end.
    """

    def __init__(self, port: str, *, sleep: Callable[[float], object] = time.sleep) -> None:
        self.port = port
        self._sleep = sleep
        self._fd: int | None = None

    def acquire(self, wait_s: float = 0.0, given_up: Callable[[], bool] = lambda: False) -> None:
        """Take the lock.

        Args:
            wait_s: How long to wait for another owner to let go.
            given_up: Asked between tries; true ends the waiting.

        Raises:
            PortBusy: Another process, or another part of this one, holds it: says who and since when.
            TransportError: The lock file cannot be opened.
        """
        left = wait_s
        tries = 0
        while not self._try():
            tries += 1
            if tries > 3 and (left <= 0 or given_up()):  # three quick tries: somebody may only be asking who holds it
                owner = owner_of(self.port)
                who = str(owner) if owner else "another program"
                raise PortBusy(f"it is held by {who}", self.port, "close that program, or wait for it with --wait")
            pause = 0.01 if tries <= 3 else min(0.1, left)
            self._sleep(pause)
            left -= pause

    def _try(self) -> bool:
        try:
            fd = _open(_file(self.port))
        except OSError as error:
            what = f"the lock file cannot be opened ({error.strerror})"
            raise TransportError(what, self.port, "set HIL_LOCK_DIR to a folder that you may write") from None
        if not take(fd):
            os.close(fd)
            return False
        self._fd = fd
        text = json.dumps(asdict(Owner(self.port, _user(), os.getpid(), _started_s(), time.time()))).encode()
        os.ftruncate(fd, 0)
        os.lseek(fd, 0, os.SEEK_SET)
        os.write(fd, text)
        return True

    def release(self) -> None:
        """Let go; a second time does nothing."""
        if self._fd is None:
            return
        fd, self._fd = self._fd, None
        with contextlib.suppress(OSError):
            os.ftruncate(fd, 0)
        drop(fd)
        os.close(fd)
