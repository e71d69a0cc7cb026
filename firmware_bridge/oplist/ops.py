"""Ops as values, and their way into a blob and back.

Rule of this room: layout only, from `table`; whether a blob makes sense is asked of `check` before it is read.
"""

import math
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import FileError
from firmware_bridge.oplist.check import array_sizes, refusal
from firmware_bridge.oplist.table import (
    ARRAYS,
    FIRST_CHECKED,
    MAGIC,
    RECORD,
    VERSION,
    Code,
    Raw,
    Reason,
    header_struct,
    record_struct,
)

__all__ = ["Op", "OpList", "pack", "unpack"]


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """One op: the fields of `table.RECORD` but `reserved` and `data`, and its arrays by name.

    Attributes:
        arrays: As `table.ARRAYS` names them, flat; `weight` is `(out_channels, kernel, in_channels / groups)`.
    """

    code: Code
    in_rows: int
    in_channels: int
    out_rows: int
    out_channels: int
    input: int = 0
    output: int = 0
    in_zero: int = 0
    out_zero: int = 0
    low: int = -128
    high: int = 127
    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    pad_left: int = 0
    pad_right: int = 0
    groups: int = 1
    input2: int = 0
    in2_zero: int = 0
    mult: int = 0
    mult2: int = 0
    shift: int = 0
    out_scale: float = 1.0
    arrays: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    @property
    def elements(self) -> int:
        """Bytes of the output."""
        return self.out_rows * self.out_channels

    @property
    def macs(self) -> int:
        """Multiplications of readings by weights."""
        if self.code not in (Code.CONV, Code.LINEAR):
            return 0
        return self.elements * self.kernel * (self.in_channels // self.groups)

    @property
    def flash(self) -> int:
        """Bytes of its record and arrays in a blob."""
        return record_struct.size + sum(array_sizes(self.code, self.out_channels, len(self.arrays.get("weight", ()))))


@dataclass(frozen=True, slots=True, eq=False)
class OpList:
    """A network that a board can run.

    Attributes:
        window: Rows of raw readings it takes.
        columns: Readings in a row.
        raw: Type of a reading.
        arena: Bytes of RAM its tensors need.
        ops: What is done, in order.
    """

    window: int
    columns: int
    raw: Raw
    arena: int
    ops: tuple[Op, ...]

    @property
    def outputs(self) -> int:
        """Elements of the answer."""
        return self.ops[-1].elements


def pack(oplist: OpList) -> bytes:
    """Return the blob of an op list.

    Raises:
        FileError: A board would refuse it; the reason is named.
        struct.error: A value does not fit its field.
    """
    records, arrays = b"", b""
    begin = header_struct.size + record_struct.size * len(oplist.ops)
    for op in oplist.ops:
        values = {item.name: getattr(op, item.name) for item in fields(op) if item.name != "arrays"}
        values |= {"data": begin + len(arrays), "reserved": 0}
        records += record_struct.pack(*(values[name] for name, _, _ in RECORD))
        for name, code, _ in ARRAYS[op.code]:
            arrays += np.asarray(op.arrays[name]).astype(f"<{np.dtype(code).str[1:]}", casting="safe").tobytes()
    rest = header_struct.pack(
        MAGIC, 0, VERSION, len(oplist.ops), begin + len(arrays), oplist.arena, oplist.window, oplist.columns,
        oplist.outputs, oplist.raw, 0,
    )[FIRST_CHECKED:]  # fmt: skip
    rest += records + arrays
    blob = struct.pack("<II", MAGIC, zlib.crc32(rest)) + rest
    _accept(blob, "op list")
    return blob


def unpack(blob: bytes, where: str = "op list") -> OpList:
    """Read a blob.

    Args:
        blob: Bytes from anywhere.
        where: What they are, for the message.

    Raises:
        FileError: They are no op list that a board would take; the reason and the op are named.
    """
    _accept(blob, where)
    _, _, _, count, _, arena, window, columns, _, raw, _ = header_struct.unpack_from(blob)
    ops = []
    for index in range(count):
        place = header_struct.size + index * record_struct.size
        values = dict(zip((name for name, _, _ in RECORD), record_struct.unpack_from(blob, place), strict=True))
        code, at = Code(values.pop("code")), values.pop("data")
        del values["reserved"]
        shape = (values["out_channels"], values["kernel"], values["in_channels"] // values["groups"])
        arrays = {}
        for (name, kind, _), size in zip(ARRAYS[code], array_sizes(code, shape[0], math.prod(shape)), strict=True):
            arrays[name] = np.frombuffer(blob[at : at + size], f"<{np.dtype(kind).str[1:]}")
            at += size
        ops.append(Op(code=code, arrays=arrays, **values))
    return OpList(window, columns, Raw(raw), arena, tuple(ops))


def _accept(blob: bytes, where: str) -> None:
    found = refusal(blob)
    if found.reason is not Reason.FINE:
        raise FileError(f"a board would refuse it: {found}", where, "make it again from its model")
