"""The `.hilmodel` file: a zip of `contract.json` and `weights.safetensors` (or an unknown network's `program.onnx`).

Rule: data only. Opening one reads bytes, checks them and executes nothing: no pickle, no torch, no import by a name
from the file. Members, their sizes and every weight's name, shape and type are checked against an allow-list, so that
a hostile, damaged or newer file ends in one sentence. The same content gives the same bytes everywhere:
members are stored as they are, because compressors differ between machines and weights hardly shrink. Beside weights
there may be `step.onnx`, the streaming form of the same network for a faster backend (`hil model tune`).
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import FileError
from firmware_bridge.missing import unread
from hil.models.contract import Contract, parse_contract

__all__ = [
    "LIMITS", "Package", "pack", "read_file", "read_members", "read_package", "read_weights", "unpack", "write_package",
    "write_whole", "zipped",
]  # fmt: skip

LIMITS = {"contract.json": 1 << 20, "weights.safetensors": 16 << 20, "program.onnx": 256 << 20, "step.onnx": 16 << 20}
"""Every member that a model file may have, and its largest size in bytes."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_NEXT = "get the file again from whoever made it"


@dataclass(frozen=True, slots=True, eq=False)
class Package:
    """A model file in memory.

    Attributes:
        contract: What it promises.
        weights: float32 arrays by name, for an architecture of our own; else empty.
        program: The ONNX program, for any other network; else None.
        step: The streaming form of an architecture of our own as an ONNX program, or None.
        sha256: Digest of contract and content: the model's identity in recordings.
    """

    contract: Contract
    weights: Mapping[str, npt.NDArray[np.float32]] = field(repr=False)
    program: bytes | None = field(repr=False)
    sha256: str
    step: bytes | None = field(repr=False, default=None)


def pack(
    contract: Contract, content: Mapping[str, npt.NDArray[np.float32]] | bytes, step: bytes | None = None
) -> bytes:
    """Return the bytes of a model file.

    Args:
        contract: Its contract.
        content: Weights by name for the contract's architecture, or an ONNX program where it has none.
        step: The streaming form of that architecture as an ONNX program.

    Raises:
        FileError: The content does not fit the contract.
    """
    from safetensors.numpy import save

    members = {"contract.json": contract.to_json().encode()}
    if isinstance(content, bytes):
        members["program.onnx"] = content
    else:
        ordered = {name: np.ascontiguousarray(content[name], dtype="<f4") for name in sorted(content)}
        members["weights.safetensors"] = save(ordered)
    if step is not None:
        members["step.onnx"] = step
    packed = zipped(members)
    unpack(packed, f"model {contract.name}")
    return packed


def zipped(members: Mapping[str, bytes]) -> bytes:
    """Return members as a zip: the same ones give the same bytes everywhere."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return out.getvalue()


def write_package(
    path: str | os.PathLike[str], contract: Contract, content: Mapping[str, Any] | bytes, step: bytes | None = None
) -> Package:
    """Write a model file, whole or not at all, and return it as read back."""
    packed = pack(contract, content, step)
    write_whole(path, packed)
    return unpack(packed, str(path))


def write_whole(path: str | os.PathLike[str], packed: bytes) -> None:
    """Write a file, whole or not at all.

    Raises:
        FileError: It cannot be written.
    """
    target = Path(path)
    part = target.with_name(target.name + ".part")
    try:
        part.write_bytes(packed)
        os.replace(part, target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise FileError(
            f"the model cannot be written ({error.strerror})", str(target), "choose another folder"
        ) from None


def read_package(path: str | os.PathLike[str]) -> Package:
    """Read and check a model file.

    Raises:
        FileError: It cannot be read, is not a model file, is damaged, hostile, or of a newer schema.
    """
    return unpack(read_file(path, sum(LIMITS.values())), str(path))


def read_file(path: str | os.PathLike[str], most: int) -> bytes:
    """Return the bytes of a model file of at most `most` bytes.

    Raises:
        FileError: It cannot be read, or is larger.
    """
    where = str(path)
    try:
        size = os.path.getsize(path)
        if size > most:
            raise FileError(f"the file has {size} bytes; a model has at most {most}", where, _NEXT)
        return Path(path).read_bytes()
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise unread(error, where, "check the path", "the model") from None


def unpack(data: bytes, where: str) -> Package:
    """Check the bytes of a model file; `where` names them in messages.

    Raises:
        FileError: As `read_package`.
    """
    members = read_members(data, where)
    contract = parse_contract(members["contract.json"], where)
    wanted = "program.onnx" if contract.architecture is None else "weights.safetensors"
    allowed = {"contract.json", wanted} | (set() if contract.architecture is None else {"step.onnx"})
    if not {"contract.json", wanted} <= set(members) <= allowed:
        raise FileError(
            f"it holds {', '.join(sorted(members))} where its contract asks for contract.json and {wanted}",
            where,
            _NEXT,
        )
    content = members[wanted]
    step = members.get("step.onnx")
    said = hashlib.sha256(contract.to_json().encode() + b"\0" + content)
    if step is not None:
        said.update(b"\0" + step)
    digest = said.hexdigest()
    if contract.architecture is None:
        return Package(contract, {}, content, digest)
    weights = read_weights(content, contract.architecture.config.shapes(), where)
    return Package(contract, weights, None, digest, step)


def read_members(
    data: bytes, where: str, limits: Mapping[str, int] = LIMITS, needed: str = "contract.json"
) -> dict[str, bytes]:
    """Return the members of a zip whose names and sizes are allowed.

    Args:
        data: The bytes of the file.
        where: File they came from, for messages.
        limits: Every member that may be there, and its largest size in bytes.
        needed: The one that says what the file is.

    Raises:
        FileError: It is no zip, is damaged, or holds anything else.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            names = [entry.filename for entry in entries]
            strange = sorted(set(names) - set(limits))
            if strange or len(set(names)) != len(names):
                if "generator.json" in strange and needed == "contract.json":
                    raise FileError("it is a generator, which makes readings and decides nothing", where,
                                    "see `hil generate record`, or give a model of `hil train`")  # fmt: skip
                shown = strange[0][:60] if strange else "the same name twice"
                raise FileError(f"it holds {shown!r}; a model holds only {', '.join(limits)}", where, _NEXT)
            if needed not in names:
                raise FileError(f"it has no {needed}, so it is no .hilmodel file", where, "give a model file")
            return {entry.filename: _member(archive, entry, where, limits[entry.filename]) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise FileError(f"it is damaged or no .hilmodel file ({error})", where, _NEXT) from None
    except (ValueError, OverflowError, IndexError, UnicodeError) as error:
        raise FileError(f"it is damaged or no .hilmodel file ({error})", where, _NEXT) from None


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str, limit: int) -> bytes:
    # The size in the directory may lie: read one byte beyond the limit and no more.
    with archive.open(entry) as handle:
        content = handle.read(limit + 1)
    if len(content) > limit or entry.file_size > limit:
        raise FileError(f"its {entry.filename} is larger than the {limit} bytes allowed", where, _NEXT)
    return content


def read_weights(
    content: bytes, shapes: Mapping[str, tuple[int, ...]], where: str
) -> dict[str, npt.NDArray[np.float32]]:
    """Return float32 arrays of exactly these names and shapes, all of them finite.

    Raises:
        FileError: They are damaged, or others.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        found: dict[str, Any] = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise FileError(f"its weights.safetensors is damaged ({error})", where, _NEXT) from None
    if set(found) != set(shapes):
        odd = sorted(set(found) ^ set(shapes))[0]
        what = "lacks" if odd in shapes else "has an unknown weight"
        raise FileError(f"its weights.safetensors {what} {odd[:60]!r} for the architecture it names", where, _NEXT)
    for name, shape in shapes.items():
        array = found[name]
        if array.dtype != np.float32 or array.shape != shape:
            raise FileError(
                f"its weight {name} is {array.dtype}{list(array.shape)} and must be float32{list(shape)}", where, _NEXT
            )
        if not np.isfinite(array).all():
            raise FileError(f"its weight {name} holds values that are not finite numbers", where, _NEXT)
    return found
