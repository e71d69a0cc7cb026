"""The file of a generator: the same container as that of a model, with `generator.json` in place of the contract.

Rule of this room: data only, as in `hil.models.package`, whose checks do the work: members, sizes and every weight's
name, shape and type are allowed one by one, and nothing is executed. The styles lie among the weights.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import FileError
from hil.models.generate.contract import GeneratorContract, parse_generator
from hil.models.package import LIMITS, read_file, read_members, read_weights, write_whole, zipped

__all__ = ["GeneratorPackage", "pack_generator", "read_generator", "unpack_generator", "write_generator"]

_LIMITS = {"generator.json": 4 << 20, "weights.safetensors": 16 << 20}
_BOTH = {**LIMITS, **_LIMITS}


@dataclass(frozen=True, slots=True, eq=False)
class GeneratorPackage:
    """A generator in memory.

    Attributes:
        contract: What it promises.
        weights: float32 arrays by name, and the `styles`.
        sha256: Digest of document and weights: its identity in recordings.
    """

    contract: GeneratorContract
    weights: Mapping[str, npt.NDArray[np.float32]] = field(repr=False)
    sha256: str


def pack_generator(contract: GeneratorContract, weights: Mapping[str, npt.NDArray[np.float32]]) -> bytes:
    """Return the bytes of a generator's file.

    Raises:
        FileError: The weights do not fit the document.
    """
    from safetensors.numpy import save

    ordered = {name: np.ascontiguousarray(weights[name], dtype="<f4") for name in sorted(weights)}
    packed = zipped({"generator.json": contract.to_json().encode(), "weights.safetensors": save(ordered)})
    unpack_generator(packed, f"generator {contract.name}")
    return packed


def write_generator(path: str | os.PathLike[str], package: GeneratorPackage) -> GeneratorPackage:
    """Write a generator, whole or not at all, and return it as read back.

    Raises:
        FileError: It cannot be written.
    """
    packed = pack_generator(package.contract, package.weights)
    write_whole(path, packed)
    return unpack_generator(packed, str(path))


def read_generator(path: str | os.PathLike[str]) -> GeneratorPackage:
    """Read and check a generator.

    Raises:
        FileError: It cannot be read, is no generator, is damaged, hostile, or of a newer schema.
    """
    return unpack_generator(read_file(path, sum(_LIMITS.values())), str(path))


def unpack_generator(data: bytes, where: str) -> GeneratorPackage:
    """Check the bytes of a generator; `where` names them in messages.

    Raises:
        FileError: As `read_generator`.
    """
    members = read_members(data, where, _BOTH, "weights.safetensors")
    if set(members) != set(_LIMITS):
        kind = "a model that decides" if "contract.json" in members else "no generator"
        raise FileError(
            f"it is {kind} (it holds {', '.join(sorted(members))})", where, "give a file that `hil generate train` made"
        )
    contract = parse_generator(members["generator.json"], where)
    weights = read_weights(members["weights.safetensors"], contract.shape.shapes(), where)
    digest = hashlib.sha256(members["generator.json"] + b"\0" + members["weights.safetensors"]).hexdigest()
    return GeneratorPackage(contract, weights, digest)
