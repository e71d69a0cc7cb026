"""An op list is packed, read and refused as its table says."""

import dataclasses
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from native_nn import CORE
from oplists import oplists

from firmware_bridge.errors import FileError
from firmware_bridge.oplist import Code, Op, OpList, Raw, Reason, pack, refusal, unpack
from firmware_bridge.oplist.cheader import c_table, format_header
from firmware_bridge.oplist.table import header_struct


def smallest() -> OpList:
    arrays = {
        "column": np.array([0], np.uint16), "mult": np.array([1 << 30], np.int32), "shift": np.array([34], np.uint8),
        "offset": np.array([0], np.int64),
    }  # fmt: skip
    return OpList(4, 1, Raw.I16, 4, (Op(Code.INPUT, 4, 1, 4, 1, arrays=arrays),))


@settings(max_examples=60)
@given(oplists())
def test_what_was_packed_is_read_back(oplist: OpList) -> None:
    found = unpack(pack(oplist))
    assert (found.window, found.columns, found.raw, found.arena) == (
        oplist.window, oplist.columns, oplist.raw, oplist.arena)  # fmt: skip
    for op, again in zip(oplist.ops, found.ops, strict=True):
        for item in dataclasses.fields(op):
            if item.name != "arrays":
                assert getattr(op, item.name) == getattr(again, item.name)
        assert op.arrays.keys() == again.arrays.keys()
        assert all((op.arrays[name] == again.arrays[name]).all() for name in op.arrays)


def test_the_c_header_is_made_from_the_table() -> None:
    assert (CORE / "hil_nn_format.h").read_text() == format_header(), (
        "run: python -m firmware_bridge.oplist.cheader > firmware_bridge/firmware/core/hil_nn_format.h"
    )


def test_version_one_keeps_its_layout() -> None:
    blob = pack(smallest())
    assert blob[:4] == b"HILN"
    assert struct.unpack_from("<HHIIHHHBB", blob, 8) == (1, 1, 28 + 56 + 15, 4, 4, 1, 4, 1, 0)
    assert zlib.crc32(blob) == 2287480984


def test_a_flipped_bit_anywhere_is_seen() -> None:
    blob = pack(smallest())
    for place in range(len(blob)):
        body = bytearray(blob)
        body[place] ^= 0x10
        assert refusal(bytes(body)).reason is not Reason.FINE


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"output": 1}, Reason.REGION),
        ({"output": 2**32 - 2}, Reason.REGION),
        ({"low": 5, "high": 4}, Reason.NUMBERS),
        ({"stride": 0}, Reason.SHAPE),
        ({"in_rows": 3, "out_rows": 3}, Reason.SHAPE),
        ({"code": Code.ADD}, Reason.UNKNOWN_OP),
    ],
)
def test_an_op_that_cannot_be_is_refused_by_its_reason(change: dict[str, int], reason: Reason) -> None:
    oplist = smallest()
    wrong = dataclasses.replace(oplist, ops=(dataclasses.replace(oplist.ops[0], **change),))
    with pytest.raises(FileError, match="a board would refuse it"):
        pack(wrong)
    good = pack(oplist)
    assert refusal(good).reason is Reason.FINE
    assert refusal(good, arena=3).reason is Reason.NO_ROOM
    assert refusal(good[: header_struct.size - 1]).reason is Reason.SHORT
    with pytest.raises(FileError, match="HILN"):
        unpack(b"\0" * 100)
    assert _reason_of(wrong) is reason


def _reason_of(oplist: OpList) -> Reason:
    from firmware_bridge.oplist import ops

    kept: list[bytes] = []
    accept, ops._accept = ops._accept, lambda blob, where: kept.append(blob)
    try:
        pack(oplist)
    finally:
        ops._accept = accept
    return refusal(kept[0]).reason


def test_a_model_can_be_linked_into_an_image_as_a_c_array() -> None:
    text = c_table(b"\x01\xff", "my-model 2")
    assert "const uint8_t my_model_2[] = {\n    1, 255,\n};" in text
    assert c_table(b"", "2x").count(" _2x[]") == 2
