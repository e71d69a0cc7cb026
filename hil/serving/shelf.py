"""Which model files lie within reach, and what each says of itself: name, classes, how fast it wants its readings.

Rule of this room: files are only read, and checked as loading would check them; torch is not needed. A file that cannot
be loaded says why. Folders are looked through two levels deep, so that a home folder is no matter of minutes.
"""

import contextlib
import os
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from firmware_bridge.errors import BridgeError
from firmware_bridge.missing import unread

if TYPE_CHECKING:
    from firmware_bridge.oplist.ops import OpList

__all__ = ["FoundModel", "look", "models_in", "networks_in", "places", "read_oplist"]

DEEP = 2
"""How far below a folder files are looked for."""
OPLIST = ".hiln"
"""A network as boards take it: it runs on boards only."""
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
        network: Of an op list for boards: what a window of it is and what it gives; empty of any other.
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
    network: str = ""


def places(folder: Path) -> tuple[Path, ...]:
    """Return where models are looked for: a folder, and what comes with the package."""
    from importlib.resources import files

    return folder, Path(str(files("hil.models")))


def models_in(folders: Iterable[Path]) -> list[FoundModel]:
    """Return the models of folders, each file once, the newest first; an ONNX file only with a contract beside it.

    Op lists for boards (`.hiln`) are among them.
    """
    found: dict[Path, int] = {}
    for folder in folders:
        for path in _files(folder, DEEP, (".hilmodel", ".onnx", OPLIST)):
            known = path.suffix != ".onnx" or path.with_suffix(".contract.json").is_file()
            known = known and not (path.suffix == ".hilmodel" and _generates(path))
            if known and path.resolve() not in found and len(found) < MOST:
                found[path.resolve()] = path.stat().st_mtime_ns
    return [look(path) for path in sorted(found, key=lambda path: (-found[path], str(path)))]


def look(path: Path) -> FoundModel:
    """Return what a model file says of itself; one that cannot be loaded says why."""
    from firmware_bridge.oplist.table import RAW_DTYPES
    from hil.models.contract import parse_contract
    from hil.models.package import read_package

    try:
        about = path.stat()
        if path.suffix == OPLIST:
            _, oplist = read_oplist(path)
            reads = f"{oplist.window} x {oplist.columns} {RAW_DTYPES[oplist.raw].strip('<|')}"
            return FoundModel(str(path), path.stem, size=about.st_size, changed_ns=about.st_mtime_ns,
                              network=f"{reads}, {oplist.outputs} outputs")  # fmt: skip
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

    found: dict[int, OpList] = {}
    for folder in folders:
        for path in _files(folder, DEEP, (OPLIST,)):
            with contextlib.suppress(BridgeError):
                blob, oplist = read_oplist(path)
                found[zlib.crc32(blob)] = oplist
    return found


def read_oplist(path: Path) -> "tuple[bytes, OpList]":
    """Return an op list, in bytes and read.

    Raises:
        FileError: It cannot be read, or is none that a board would take.
    """
    from firmware_bridge.oplist.ops import unpack

    try:
        blob = path.read_bytes()
    except OSError as error:
        raise unread(error, path, "`hil model deploy MODEL -o FILE.hiln` makes one") from None
    return blob, unpack(blob, str(path))


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
