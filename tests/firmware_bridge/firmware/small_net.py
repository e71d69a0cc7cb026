"""A network small enough to be sent a hundred times: two convolutions over 20 samples of six axes, five outputs."""

import numpy as np

from firmware_bridge.oplist import Code, Op, OpList, Raw

ROWS, COLUMNS = 20, 6


def small_net(seed: int = 0, *, channels: int = 16) -> OpList:
    """An op list whose answers depend on every reading."""
    chance = np.random.default_rng(seed)

    def weighted(outputs: int, each: int, shift: int) -> dict[str, np.ndarray]:
        return {
            "bias": chance.integers(-2000, 2000, outputs).astype(np.int32),
            "mult": chance.integers(2**30, 2**31 - 1, outputs).astype(np.int32),
            "shift": np.full(outputs, shift, np.uint8),
            "weight": chance.integers(-128, 128, outputs * each).astype(np.int8),
        }

    first = {
        "column": np.arange(COLUMNS, dtype=np.uint16),
        "mult": np.full(COLUMNS, 1 << 20, np.int32),
        "shift": np.full(COLUMNS, 28, np.uint8),
        "offset": np.zeros(COLUMNS, np.int64),
    }
    sizes = (ROWS * COLUMNS, 18 * channels, 9 * channels, 7 * channels, 5)
    at = np.cumsum((0, *sizes)).tolist()
    ops = (
        Op(Code.INPUT, ROWS, COLUMNS, ROWS, COLUMNS, output=at[0], arrays=first),
        Op(Code.CONV, ROWS, COLUMNS, 18, channels, input=at[0], output=at[1], low=0, kernel=3,
           arrays=weighted(channels, 3 * COLUMNS, 7)),
        Op(Code.MAX_POOL, 18, channels, 9, channels, input=at[1], output=at[2], kernel=2, stride=2),
        Op(Code.CONV, 9, channels, 7, channels, input=at[2], output=at[3], kernel=3,
           arrays=weighted(channels, 3 * channels, 8)),
        Op(Code.LINEAR, 7, channels, 1, 5, input=at[3], output=at[4], kernel=7, arrays=weighted(5, 7 * channels, 9)),
    )  # fmt: skip
    return OpList(ROWS, COLUMNS, Raw.I16, at[5], ops)


def windows(count: int, seed: int = 0, rows: int = ROWS) -> np.ndarray:
    """Raw windows `(count, rows, 6)` of a sensor that swings over half its range."""
    return np.random.default_rng(seed).integers(-16000, 16000, (count, rows, COLUMNS)).astype("<i2")
