"""Op lists of every kind, drawn by Hypothesis: for the tests of format, reference and C."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from firmware_bridge.oplist import Code, Op, OpList, Raw
from firmware_bridge.oplist.table import RAW_DTYPES


def readings(oplist: OpList, count: int, seed: int) -> np.ndarray:
    """Raw windows `(count, window, columns)` over the whole range of their type."""
    info = np.iinfo(RAW_DTYPES[oplist.raw])
    chance = np.random.default_rng(seed)
    values = chance.integers(info.min, info.max, (count, oplist.window, oplist.columns), endpoint=True)
    return values.astype(RAW_DTYPES[oplist.raw])


@st.composite
def oplists(draw: st.DrawFn, longest: int = 6) -> OpList:
    """Draw an op list that boards accept: any operators, sizes, strides, dilations, paddings and groups."""
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    raw = draw(st.sampled_from(list(Raw)))
    window, columns, channels = draw(st.integers(1, 24)), draw(st.integers(1, 8)), draw(st.integers(1, 9))
    bits = 8 * np.dtype(RAW_DTYPES[raw]).itemsize
    mult = chance.integers(-(2**31), 2**31, channels)
    arrays = {
        "column": chance.integers(0, columns, channels).astype(np.uint16),
        "mult": mult.astype(np.int32),
        "shift": np.full(channels, bits + 22, np.uint8),
        "offset": chance.integers(-(2**30), 2**30, channels) << (bits - 1),
    }
    ops = [Op(Code.INPUT, window, channels, window, channels, arrays=arrays)]
    top = ops[0].elements
    for _ in range(draw(st.integers(0, longest))):
        source = draw(st.sampled_from(ops))
        skip = draw(st.integers(0, min(2, source.out_rows - 1)))
        code = draw(st.sampled_from([Code.CONV, Code.CONV, Code.LINEAR, Code.ADD, Code.MAX_POOL, Code.AVERAGE_POOL]))
        op = _op(draw, chance, code, source.out_rows - skip, source.out_channels)
        op = replace(op, input=source.output + skip * source.out_channels, output=top)
        if code is Code.ADD:
            inner = draw(st.integers(0, source.out_rows - op.in_rows))
            op = replace(op, input2=source.output + inner * source.out_channels)
            if draw(st.booleans()) and (op.input2 == op.input or abs(op.input2 - op.input) >= op.elements):
                op = replace(op, output=op.input)
        top = max(top, op.output + op.elements)
        ops.append(op)
    return OpList(window, columns, raw, top + draw(st.integers(0, 3)), tuple(ops))


def _op(draw: st.DrawFn, chance: np.random.Generator, code: Code, rows: int, channels: int) -> Op:
    low, high = sorted(draw(st.lists(st.integers(-128, 127), min_size=2, max_size=2))) if draw(
        st.booleans()) else (-128, 127)  # fmt: skip
    zeros = {"in_zero": draw(st.integers(-128, 127)), "out_zero": draw(st.integers(-128, 127))}
    plain = Op(code, rows, channels, rows, channels, low=low, high=high, **zeros)
    if code is Code.ADD:
        return replace(
            plain, in2_zero=draw(st.integers(-128, 127)), mult=draw(st.integers(0, 2**21)),
            mult2=draw(st.integers(0, 2**21)), shift=draw(st.integers(1, 28)),
        )  # fmt: skip
    if code is Code.LINEAR:
        return _weighted(draw, chance, replace(plain, kernel=rows, out_rows=1, out_channels=draw(st.integers(1, 9))))
    stride = draw(st.integers(1, 4))
    dilation = draw(st.integers(1, 5)) if code is Code.CONV else 1
    kernel = draw(st.integers(1, 5))
    most = kernel - 1 if code is not Code.CONV else 2 * rows
    left, right = draw(st.integers(0, most)), draw(st.integers(0, most))
    while left + rows + right < (kernel - 1) * dilation + 1:
        kernel, dilation, left, right = max(kernel - 1, 1), 1, min(left, max(kernel - 2, 0)), min(
            right, max(kernel - 2, 0))  # fmt: skip
    out = (left + rows + right - (kernel - 1) * dilation - 1) // stride + 1
    shaped = replace(
        plain, kernel=kernel, stride=stride, dilation=dilation, pad_left=left, pad_right=right, out_rows=out
    )
    if code is Code.MAX_POOL:
        return shaped
    if code is Code.AVERAGE_POOL:
        return replace(shaped, mult=draw(st.integers(2**29, 2**31 - 1)), shift=draw(st.integers(6, 10)))
    groups = draw(st.sampled_from([n for n in range(1, channels + 1) if channels % n == 0]))
    return _weighted(
        draw, chance, replace(shaped, groups=groups, out_channels=groups * draw(st.integers(1, max(1, 9 // groups))))
    )


def _weighted(draw: st.DrawFn, chance: np.random.Generator, op: Op) -> Op:
    each = op.kernel * op.in_channels // op.groups
    extreme = draw(st.booleans())
    weight = chance.choice([-128, 127], op.out_channels * each) if extreme else chance.integers(
        -128, 128, op.out_channels * each)  # fmt: skip
    most = 2**30 if draw(st.booleans()) else 2**14
    arrays = {
        "bias": chance.integers(-most, most, op.out_channels, endpoint=True).astype(np.int32),
        "mult": chance.integers(0, 2**31, op.out_channels).astype(np.int32),
        "shift": chance.integers(1, 31 if most == 2**30 else 8, op.out_channels).astype(np.uint8),
        "weight": weight.astype(np.int8),
    }
    return replace(op, arrays=arrays)
