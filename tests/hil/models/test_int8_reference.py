"""The reference's arithmetic against exact fractions: what is written in the table is what is computed."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.errors import UsageError
from firmware_bridge.oplist import Code, Op, OpList, Raw
from firmware_bridge.oplist.reference import rescaled, run


def half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**31 - 1), st.integers(1, 30))
def test_rescaling_rounds_the_exact_product_half_up(acc: int, mult: int, shift: int) -> None:
    assert int(rescaled(np.int64(acc), mult, shift)) == half_up(Fraction(acc * mult, 2 ** (32 + shift)))


@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**31 - 1), st.integers(1, 30))
def test_the_high_word_alone_gives_the_same_rounding(acc: int, mult: int, shift: int) -> None:
    assert ((acc * mult >> 32) + (1 << (shift - 1))) >> shift == half_up(Fraction(acc * mult, 2 ** (32 + shift)))


def test_halves_go_up_on_both_sides_of_zero() -> None:
    halves = np.array([-3, -1, 1, 3], np.int64) << 32
    assert rescaled(halves >> 30, 1 << 30, 1).tolist() == [-1, 0, 1, 2]


def one(code: Code, **fields: object) -> OpList:
    arrays = {
        "column": np.array([0], np.uint16), "mult": np.array([1 << 20], np.int32), "shift": np.array([20], np.uint8),
        "offset": np.array([0], np.int64),
    }  # fmt: skip
    rows = int(fields.get("in_rows", 2))  # type: ignore[call-overload]
    head = Op(Code.INPUT, rows, 1, rows, 1, arrays=arrays)
    op = Op(code, **{"in_rows": rows, "in_channels": 1, "out_channels": 1, "output": rows, **fields})  # type: ignore[arg-type]
    return OpList(rows, 1, Raw.I8, rows + op.elements, (head, op))


small = st.integers(-128, 127)


@given(a=small, b=small, za=small, zb=small, zo=small, m=st.integers(0, 2**21), n=st.integers(0, 2**21),
       shift=st.integers(1, 28))  # fmt: skip
def test_an_addition_is_rounded_once(
    a: int, b: int, za: int, zb: int, zo: int, m: int, n: int, shift: int
) -> None:  # fmt: skip
    fields = {"out_rows": 1, "in_zero": za, "in2_zero": zb, "out_zero": zo, "mult": m, "mult2": n, "shift": shift}
    oplist = one(Code.ADD, input2=1, **fields)
    add = oplist.ops[1]
    oplist = OpList(2, 1, Raw.I8, 3, (oplist.ops[0], Op(**{**_fields(add), "in_rows": 1})))
    found = run(oplist, np.array([[[a], [b]]], np.int8))[1][0, 0, 0]
    exact = zo + half_up(Fraction((a - za) * m + (b - zb) * n, 2**shift))
    assert found == min(max(exact, -128), 127)


@given(st.lists(small, min_size=4, max_size=4), small, small, st.integers(0, 2**31 - 1), st.integers(1, 30))
def test_an_average_counts_padding_as_zero(x: list[int], zi: int, zo: int, mult: int, shift: int) -> None:
    oplist = one(
        Code.AVERAGE_POOL, in_rows=4, out_rows=3, kernel=3, stride=2, pad_left=2, pad_right=1, in_zero=zi, out_zero=zo,
        mult=mult, shift=shift,
    )  # fmt: skip
    found = run(oplist, np.array(x, np.int8).reshape(1, 4, 1))[1].ravel().tolist()
    for window, got in zip((x[:1], x[:3], x[2:]), found, strict=True):
        exact = zo + half_up(Fraction(sum(v - zi for v in window) * 128 * mult, 2 ** (32 + shift)))
        assert got == min(max(exact, -128), 127)


@given(st.lists(small, min_size=4, max_size=4), st.lists(small, min_size=2, max_size=2), small, small,
       st.integers(-(2**30), 2**30), st.integers(0, 2**31 - 1), st.integers(1, 30))  # fmt: skip
def test_a_convolution_is_the_sum_that_the_table_says(
    x: list[int], w: list[int], zi: int, zo: int, bias: int, mult: int, shift: int
) -> None:
    arrays = {
        "bias": np.array([bias], np.int32), "mult": np.array([mult], np.int32), "shift": np.array([shift], np.uint8),
        "weight": np.array(w, np.int8),
    }  # fmt: skip
    oplist = one(
        Code.CONV, in_rows=4, out_rows=2, kernel=2, dilation=2, stride=2, pad_left=1, in_zero=zi, out_zero=zo,
        arrays=arrays,
    )  # fmt: skip
    found = run(oplist, np.array(x, np.int8).reshape(1, 4, 1))[1].ravel().tolist()
    padded = [zi, *x]
    for row, got in zip((0, 2), found, strict=True):
        acc = bias + padded[row] * w[0] + padded[row + 2] * w[1]
        exact = zo + half_up(Fraction(acc * mult, 2 ** (32 + shift)))
        assert got == min(max(exact, -128), 127)


def test_readings_of_another_type_are_refused_in_a_sentence() -> None:
    oplist = one(Code.MAX_POOL, out_rows=2)
    with pytest.raises(UsageError, match="the network reads int8"):
        run(oplist, np.zeros((1, 2, 1), np.int16))


def _fields(op: Op) -> dict[str, object]:
    return {name: getattr(op, name) for name in op.__dataclass_fields__}
