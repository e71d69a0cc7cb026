"""Which model files lie within reach, and what each says of itself: name, classes, how fast it wants its readings.

Rule of this room: files are only read, and checked as loading would check them; torch is not needed. A file that cannot
be loaded says why. Folders are looked through two levels deep, so that a home folder is no matter of minutes.
"""

import os
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from firmware_bridge.errors import BridgeError

if TYPE_CHECKING:
    from firmware_bridge.oplist.ops import OpList

__all__ = ["FoundModel", "look", "models_in", "networks_in", "places"]

DEEP = 2
"""How far below a folder files are looked for."""
MOST = 500
"""Files that are looked at."""


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model file as a line of a list.

    Attributes:
        path: The file.
        name: In its contract; of one that cannot be read its stem.
        labels: What it can say.
        rate_hz: Rate of the readings that it wants.
        channels: Names of them.
        version: As its contract says.
        teachable: Whether it learns classes by showing.
        size: Bytes.
        changed_ns: When it was written, UTC.
        trouble: Why it cannot be loaded, one sentence; empty is good.
    """

    path: str
    name: str
    labels: tuple[str, ...] = ()
    rate_hz: float = 0.0
    channels: tuple[str, ...] = ()
    version: str = ""
    teachable: bool = False
    size: int = 0
    changed_ns: int = 0
    trouble: str = ""


def places(folder: Path) -> tuple[Path, ...]:
    """Return where models are looked for: a folder, and what comes with the package."""
    from importlib.resources import files

    return folder, Path(str(files("hil.models")))


def models_in(folders: Iterable[Path]) -> list[FoundModel]:
    """Return the models of folders, each file once, the newest first; an ONNX file only with a contract beside it."""
    found: dict[Path, int] = {}
    for folder in folders:
        for path in _files(folder, DEEP, (".hilmodel", ".onnx")):
            beside = path.with_suffix(".contract.json").is_file()
            known = not _generates(path) if path.suffix == ".hilmodel" else beside
            if known and path.resolve() not in found and len(found) < MOST:
                found[path.resolve()] = path.stat().st_mtime_ns
    return [look(path) for path in sorted(found, key=lambda path: (-found[path], str(path)))]


def look(path: Path) -> FoundModel:
    """Return what a model file says of itself; one that cannot be loaded says why."""
    from hil.models.contract import parse_contract
    from hil.models.package import read_package

    try:
        about = path.stat()
        if path.suffix == ".onnx":
            beside = path.with_suffix(".contract.json")
            contract = parse_contract(beside.read_bytes(), str(beside))
        else:
            contract = read_package(path).contract
    except (BridgeError, OSError) as error:
        return FoundModel(str(path), path.stem, trouble=str(error))
    return FoundModel(
        str(path), contract.name, tuple(contract.labels), contract.rate_hz,
        tuple(item.channel for item in contract.inputs),
        str(contract.version),
        contract.architecture is not None and contract.architecture.name == "shots", about.st_size, about.st_mtime_ns,
    )  # fmt: skip


def networks_in(folders: Iterable[Path]) -> "dict[int, OpList]":
    """Return the op lists (`.hiln`) of folders by their CRC-32, as boards name them; what is none is passed over."""
    import zlib

    from firmware_bridge.oplist.ops import unpack

    found: dict[int, OpList] = {}
    for folder in folders:
        for path in _files(folder, DEEP, (".hiln",)):
            try:
                blob = path.read_bytes()
                found[zlib.crc32(blob)] = unpack(blob, str(path))
            except (BridgeError, OSError):
                continue
    return found


def _generates(path: Path) -> bool:
    """Whether a file holds a generator of readings, which decides nothing (`hil generate`)."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "generator.json" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def _files(folder: Path, deep: int, ends: tuple[str, ...]) -> Iterator[Path]:
    """Yield files with such ends of a folder and below; what is hidden, or may not be read, is passed over."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if deep:
                yield from _files(Path(entry.path), deep - 1, ends)
        elif entry.name.endswith(ends) and entry.is_file():
            yield Path(entry.path)
