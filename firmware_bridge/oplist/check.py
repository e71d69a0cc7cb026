"""Whether a blob may be run: the same checks in the same order as `hil_nn_load` in C, with the same reasons.

Rule of this room: nothing is read before its place was checked, and a blob that passes can neither read nor write
outside blob and arena, nor overflow a sum, whatever the readings are.
"""

import struct
import zlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from firmware_bridge.oplist.table import (
    ADD_MULT_MAX,
    ADD_SHIFT_MAX,
    ARRAYS,
    BIAS_MAX,
    ELEMENTS_MAX,
    FIRST_CHECKED,
    HEADER,
    INPUT_OFFSET_MAX,
    INPUT_SHIFT_MAX,
    MAGIC,
    OPS_MAX,
    READINGS_MAX,
    RECORD,
    SHIFT_MAX,
    VERSION,
    Code,
    Raw,
    Reason,
    header_struct,
    record_struct,
)

__all__ = ["Refusal", "array_sizes", "refusal"]

_MEANING = {
    Reason.FINE: "nothing is wrong",
    Reason.SHORT: "it is shorter than a header",
    Reason.MAGIC: "it does not begin with HILN",
    Reason.VERSION: "it has a version this one does not know",
    Reason.SIZE: "it is longer or shorter than its header says",
    Reason.CHECKSUM: "its checksum is wrong",
    Reason.HEADER: "its header has a count or type that cannot be",
    Reason.NO_ROOM: "its tensors need more memory than there is",
    Reason.UNKNOWN_OP: "it has an op this version does not know, or the first op alone is not the input",
    Reason.SHAPE: "an op's rows, channels, taps or padding don't fit",
    Reason.NUMBERS: "an op has a factor, shift, bias or limit that could overflow",
    Reason.REGION: "an op reads or writes outside its memory, or onto what it still reads",
    Reason.ARRAYS: "an op's weights lie outside the blob",
    Reason.ANSWER: "the last op does not give as many outputs as the header says",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a blob is refused.

    Attributes:
        reason: The first that applies; FINE where nothing is wrong.
        op: Number of the op it was found at; 0 for the header.
    """

    reason: Reason
    op: int = 0

    def __str__(self) -> str:
        at = f" (op {self.op})" if self.reason >= Reason.UNKNOWN_OP else ""
        return f"{_MEANING[self.reason]}{at}"


def array_sizes(code: Code, channels: int, weights: int) -> tuple[int, ...]:
    """Bytes of the arrays of an op with so many output channels and weights, in their order in a blob."""
    return tuple(
        struct.calcsize(f"<{kind}") * (weights if name == "weight" else channels) for name, kind, _ in ARRAYS[code]
    )


def refusal(blob: bytes, arena: int | None = None) -> Refusal:
    """Return why a board would refuse a blob.

    Args:
        blob: Bytes from anywhere.
        arena: Bytes of RAM there are for tensors; None: enough.
    """
    if len(blob) < header_struct.size:
        return Refusal(Reason.SHORT)
    head = dict(zip((name for name, _, _ in HEADER), header_struct.unpack_from(blob), strict=True))
    records = header_struct.size + head["ops"] * record_struct.size
    if head["magic"] != MAGIC:
        return Refusal(Reason.MAGIC)
    if head["version"] != VERSION:
        return Refusal(Reason.VERSION)
    if head["size"] != len(blob):
        return Refusal(Reason.SIZE)
    if head["crc32"] != zlib.crc32(blob[FIRST_CHECKED:]):
        return Refusal(Reason.CHECKSUM)
    if (
        not 1 <= head["ops"] <= OPS_MAX or records > len(blob)
        or not 0 < head["window"] * head["columns"] <= READINGS_MAX
        or head["raw"] not in set(Raw) or head["reserved"]
    ):  # fmt: skip
        return Refusal(Reason.HEADER)
    if arena is not None and head["arena"] > arena:
        return Refusal(Reason.NO_ROOM)
    last: dict[str, int] = {}
    for index in range(head["ops"]):
        place = header_struct.size + index * record_struct.size
        last = dict(zip((name for name, _, _ in RECORD), record_struct.unpack_from(blob, place), strict=True))
        reason = _op(blob, head, records, last, index)
        if reason is not Reason.FINE:
            return Refusal(reason, index)
    if last["out_rows"] * last["out_channels"] != head["outputs"]:
        return Refusal(Reason.ANSWER, head["ops"] - 1)
    return Refusal(Reason.FINE)


def _op(blob: bytes, head: dict[str, int], records: int, op: dict[str, int], index: int) -> Reason:
    if op["code"] not in set(Code) or (op["code"] == Code.INPUT) != (index == 0):
        return Reason.UNKNOWN_OP
    code = Code(op["code"])
    if op["reserved"] or not _shape(code, head, op):
        return Reason.SHAPE
    if op["low"] > op["high"] or not _scalars(code, op):
        return Reason.NUMBERS
    if not _regions(code, head["arena"], op):
        return Reason.REGION
    sizes = array_sizes(
        code, op["out_channels"], op["out_channels"] * op["kernel"] * (op["in_channels"] // op["groups"])
    )
    if sizes and (op["data"] < records or op["data"] + sum(sizes) > len(blob)):
        return Reason.ARRAYS
    return Reason.FINE if _arrays(code, blob, head, op, sizes) else Reason.NUMBERS


def _shape(code: Code, head: dict[str, int], op: dict[str, int]) -> bool:
    sizes = [op[name] for name in ("in_rows", "in_channels", "out_rows", "out_channels", "kernel", "stride", "dilation",
                                   "groups")]  # fmt: skip
    if min(sizes) < 1:
        return False
    into, out = op["in_rows"] * op["in_channels"], op["out_rows"] * op["out_channels"]
    if max(into, out, op["kernel"] * op["in_channels"]) > ELEMENTS_MAX:
        return False
    extent = (op["kernel"] - 1) * op["dilation"] + 1
    padded = op["in_rows"] + op["pad_left"] + op["pad_right"]
    if padded < extent or op["out_rows"] != (padded - extent) // op["stride"] + 1:
        return False
    same = op["in_channels"] == op["out_channels"]
    if code is Code.CONV:
        return op["in_channels"] % op["groups"] == 0 and op["out_channels"] % op["groups"] == 0
    if op["groups"] != 1 or op["dilation"] != 1:
        return False
    if code in (Code.MAX_POOL, Code.AVERAGE_POOL):
        return same and op["pad_left"] < op["kernel"] and op["pad_right"] < op["kernel"]
    if op["pad_left"] or op["pad_right"] or op["stride"] != 1:
        return False
    if code is Code.LINEAR:
        return op["kernel"] == op["in_rows"]
    if op["kernel"] != 1 or not same:
        return False
    return code is Code.ADD or op["in_rows"] == head["window"]


def _scalars(code: Code, op: dict[str, int]) -> bool:
    if code is Code.ADD:
        return (
            1 <= op["shift"] <= ADD_SHIFT_MAX
            and 0 <= op["mult"] <= ADD_MULT_MAX
            and 0 <= op["mult2"] <= ADD_MULT_MAX
        )  # fmt: skip
    return code is not Code.AVERAGE_POOL or (1 <= op["shift"] <= SHIFT_MAX and op["mult"] >= 0)


def _regions(code: Code, arena: int, op: dict[str, int]) -> bool:
    into, out = op["in_rows"] * op["in_channels"], op["out_rows"] * op["out_channels"]
    if op["output"] + out > arena:
        return False
    read = {Code.INPUT: (), Code.ADD: (op["input"], op["input2"])}.get(code, (op["input"],))
    for begin in read:
        if begin + into > arena:
            return False
        apart = begin + into <= op["output"] or op["output"] + out <= begin
        if not apart and not (code is Code.ADD and begin == op["output"]):
            return False
    return True


def _arrays(code: Code, blob: bytes, head: dict[str, int], op: dict[str, int], sizes: tuple[int, ...]) -> bool:
    edges = [op["data"] + sum(sizes[:count]) for count in range(len(sizes) + 1)]
    found = {
        name: np.frombuffer(blob[low:high], f"<{np.dtype(kind).str[1:]}")
        for (name, kind, _), (low, high) in zip(ARRAYS[code], pairwise(edges), strict=True)
        if name != "weight"
    }
    if code is Code.INPUT:
        offset, shift = found["offset"], found["shift"]
        return bool(
            (found["column"] < head["columns"]).all()
            and ((shift >= 1) & (shift <= INPUT_SHIFT_MAX)).all()
            and ((offset >= -INPUT_OFFSET_MAX) & (offset <= INPUT_OFFSET_MAX)).all()
        )
    if code in (Code.CONV, Code.LINEAR):
        bias, shift = found["bias"], found["shift"]
        return bool(
            ((bias >= -BIAS_MAX) & (bias <= BIAS_MAX)).all()
            and (found["mult"] >= 0).all()
            and ((shift >= 1) & (shift <= SHIFT_MAX)).all()
        )
    return True
