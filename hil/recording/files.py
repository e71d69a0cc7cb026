"""Files of recordings: their names, the way they are opened, and what to say when the disk says no.

Rule of this room: a recording is never overwritten. A file is made exclusively, claimed while it is open (`claim`),
written with plain `write(2)`, and can be taken back to its last whole record.
"""

import errno
import os
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.missing import missing
from hil.recording.claim import claim

__all__ = ["NewFile", "Split", "default_path", "disk_free", "explain", "parse_split", "part_path", "parts_of"]

_SUFFIX = ".mcap"
_NEXT = {
    errno.ENOSPC: ("the disk is full", "free some space or record to another disk with `-o FILE`"),
    errno.EDQUOT: ("your quota of this disk is used up", "free some space or record to another disk with `-o FILE`"),
    errno.EFBIG: ("the file has reached the largest size allowed here", "record in parts with `--split 1GB`"),
    errno.EACCES: ("permission denied", "choose a folder that you may write to with `-o FILE`"),
    errno.EPERM: ("permission denied", "choose a folder that you may write to with `-o FILE`"),
    errno.EROFS: ("the disk is read-only", "choose another folder with `-o FILE`"),
    errno.EEXIST: ("the file exists and recordings are never overwritten", "choose another name with `-o FILE`"),
    errno.EISDIR: ("this is a folder", "name a file in it"),
    errno.EIO: ("the disk reports an input/output error", "check the disk and record to another one"),
}


def explain(error: OSError, where: str | Path, also: str = "") -> FileError:
    """Return the sentence for an error of the disk; `also` says what became of the recording."""
    if error.errno == errno.ENOENT and not also:
        return missing(where)
    what, next_step = _NEXT.get(error.errno or 0, (str(error.strerror or error), "check the disk and the folder"))
    return FileError(f"{what}{also and f' ({also})'}", str(where), next_step)


class NewFile:
    """A file made for this recording and for no other (the sink of an `McapWriter`).

    Args:
        path: Where; folders are made.

    Raises:
        FileError: It exists, or may not be made.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
            self._handle = os.open(path, flags, 0o644)
        except OSError as error:
            raise explain(error, path) from error
        self._claimed = claim(self._handle)

    def write(self, data: bytes) -> None:
        """Write all of `data`; raises OSError."""
        self._claimed = self._claimed or claim(self._handle)
        view = memoryview(data)
        while view:
            view = view[os.write(self._handle, view) :]

    def truncate(self, size: int) -> None:
        """Take the file back to `size` bytes."""
        os.ftruncate(self._handle, size)
        os.lseek(self._handle, size, os.SEEK_SET)

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)


def default_path(role: str, now_ns: int, folder: str | Path = "recordings") -> Path:
    """Return `recordings/{role}_{utc}_{n}.mcap`, the first `n` that is free.

    Args:
        role: Role of the board, or several joined by `+`.
        now_ns: UTC.
        folder: Where.
    """
    utc = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC).strftime("%Y%m%dT%H%M%SZ")
    safe = re.sub(r"[^A-Za-z0-9.+-]+", "-", role).strip("-.") or "board"
    number = 1
    while True:
        path = Path(folder) / f"{safe}_{utc}_{number}{_SUFFIX}"
        if not path.exists() and not part_path(path, 1).exists():
            return path
        number += 1


def part_path(path: Path, part: int) -> Path:
    """Return the name of a part of a split recording: `NAME.001.mcap`."""
    suffix = path.suffix or _SUFFIX
    return path.with_name(f"{path.name.removesuffix(suffix)}.{part:03d}{suffix}")


def parts_of(path: Path) -> list[Path]:
    """Return all parts up to this one that are there, in order; only the file itself where it is not a part."""
    found = re.fullmatch(r"(.+)\.(\d{3,})", path.name.removesuffix(path.suffix))
    if not found:
        return [path]
    whole = path.with_name(found[1] + path.suffix)
    return [part for number in range(1, int(found[2])) if (part := part_path(whole, number)).exists()] + [path]


@dataclass(frozen=True, slots=True)
class Split:
    """When a recording goes on in a new file: after so long, or after so many bytes."""

    after_ns: int | None = None
    after_bytes: int | None = None


def parse_split(text: str) -> Split:
    """Return the meaning of `1h`, `90s`, `30min`, `1GB`, `500MB`.

    Raises:
        UsageError: It means nothing.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", text.strip())
    times = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}
    sizes = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
    unit = found[2].lower() if found else ""
    if not found or float(found[1]) <= 0 or (unit not in times and unit not in sizes):
        next_step = "write a time (1h, 30min, 90s) or a size (1GB, 500MB)"
        raise UsageError(f"`{text}` is no length of a part", "--split", next_step)
    if unit in times:
        return Split(after_ns=int(float(found[1]) * times[unit] * 1e9))
    return Split(after_bytes=int(float(found[1]) * sizes[unit]))


def disk_free(path: Path) -> int | None:
    """Return how many bytes the disk under `path` has left; None where it does not say."""
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
