"""Files that a scenario reads, by what is in them: found on another host, or kept there once they were sent.

Rule of this room: a file counts only if its hash is right, wherever it lies. What belongs beside a file (marks of a
recording, contract of an ONNX program) goes with it, and what is not beside it here must not be beside it there.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from firmware_bridge.errors import FileError
from hil.recording.marks import sidecar_of
from hil.scenario.grammar.load import Loaded
from hil.scenario.unit import named_files

__all__ = ["LIMIT_BYTES", "Cache", "Part", "Parts", "here", "parts_of", "put_beside"]

LIMIT_BYTES = 64 << 20
"""The largest file that is sent."""

CACHE_BYTES = 4 << 30
"""How much a host keeps; what was used longest ago goes first."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file: its name, its size and the hash of what is in it; an empty hash: it is not there."""

    file: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Parts:
    """A file that a scenario names, with what belongs beside it.

    Attributes:
        name: As the scenario names it.
        path: Where it is on the machine of the scenario.
        below: The same, below the folder in which the run was started; empty where it is not below it.
        parts: Itself first.
    """

    name: str
    path: str
    below: str
    parts: tuple[Part, ...]

    @property
    def digest(self) -> str:
        """What tells it from any other: names and hashes."""
        text = "\n".join(f"{part.file}\t{part.sha256}" for part in self.parts)
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "Parts":
        """Return what `dataclasses.asdict` made plain."""
        return cls(plain["name"], plain["path"], plain["below"], tuple(Part(**part) for part in plain["parts"]))


def parts_of(loaded: Loaded, start: Path) -> Iterator[Parts]:
    """Yield the files that a scenario names and that are here.

    Args:
        loaded: The scenario.
        start: The folder in which the run was started.
    """
    for name, path in named_files(loaded):
        if not path.is_file():
            continue  # one that comes with the bench, or none: whoever runs it says so
        beside = {".mcap": [sidecar_of(path)], ".onnx": [path.with_suffix(".contract.json")]}.get(path.suffix, [])
        below = path.relative_to(start).as_posix() if path.is_relative_to(start) else ""
        yield Parts(name, str(path), below, tuple(_part(one) for one in (path, *beside)))


def _part(path: Path) -> Part:
    if not path.is_file():
        return Part(path.name, 0, "")
    told = path.stat()
    return Part(path.name, told.st_size, _hash(str(path), told.st_size, told.st_mtime_ns))


@lru_cache(4096)
def _hash(path: str, size: int, changed_ns: int) -> str:
    """Return the hash of a file; size and time of change only say for how long it may be remembered."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def here(wanted: Parts, places: Sequence[Path]) -> Path | None:
    """Return the first of some places that holds just what is wanted, None where none does."""
    for place in places:
        # Only names: what another machine says must not lead out of the folder.
        files = [place, *(place.with_name(Path(part.file).name) for part in wanted.parts[1:])]
        if all(_part(file).sha256 == part.sha256 for file, part in zip(files, wanted.parts, strict=True)):
            return place
    return None


def put_beside(folder: Path, name: str, data: bytes) -> Path:
    """Write what a host kept of a run into a folder of this machine, under a name that is not taken; return it.

    Raises:
        FileError: It cannot be written.
    """
    wanted = folder / Path(name).name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for at in range(1, 10_000):
            path = wanted if at == 1 else wanted.with_stem(f"{wanted.stem}-{at}")
            with suppress(FileExistsError), path.open("xb") as file:
                file.write(data)
                return path
    except OSError as error:
        raise FileError(f"what failed cannot be kept ({error.strerror})", str(folder), "give --keep DIR") from None
    raise FileError("what failed cannot be kept: every name is taken", str(wanted), "give --keep DIR")


class Cache:
    """Files that were sent to this host.

    Args:
        folder: Where they are kept; it is made.
        limit_bytes: How much is kept.
    """

    def __init__(self, folder: Path, limit_bytes: int = CACHE_BYTES) -> None:
        self.folder = folder
        self._limit = limit_bytes
        folder.mkdir(parents=True, exist_ok=True)

    def place(self, wanted: Parts) -> Path:
        """Return where a file is, or would be."""
        return self.folder / wanted.digest / Path(wanted.parts[0].file).name

    def find(self, wanted: Parts) -> Path | None:
        """Return where a file is, None where it is not here."""
        found = here(wanted, [self.place(wanted)])
        if found is not None:
            os.utime(found.parent)
        return found

    def put(self, wanted: Parts, contents: Sequence[bytes]) -> bool:
        """Keep a file and what belongs beside it; false: it is not what was wanted, and is not kept.

        Args:
            wanted: What it is.
            contents: Of its parts that are there, in their order.
        """
        parts = [part for part in wanted.parts if part.sha256]
        if [hashlib.sha256(data).hexdigest() for data in contents] != [part.sha256 for part in parts]:
            return False
        self._make_room(sum(map(len, contents)))
        made = Path(tempfile.mkdtemp(prefix="coming-", dir=self.folder))
        for part, data in zip(parts, contents, strict=True):
            (made / Path(part.file).name).write_bytes(data)
        try:
            made.rename(self.place(wanted).parent)
        except OSError:  # it came twice at once, and the other was faster
            shutil.rmtree(made)
        return True

    def _make_room(self, size: int) -> None:
        kept = sorted((folder for folder in self.folder.iterdir() if folder.is_dir()),
                      key=lambda folder: folder.stat().st_mtime)  # fmt: skip
        sizes = [sum(file.stat().st_size for file in folder.iterdir()) for folder in kept]
        while kept and sum(sizes) + size > self._limit:
            shutil.rmtree(kept.pop(0), ignore_errors=True)
            sizes.pop(0)
