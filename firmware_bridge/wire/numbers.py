"""Numbers and times as boards print them: text in, float64 and integer nanoseconds out.

One rule: a text that is not wholly a number is refused (ValueError), never repaired. What boards print when they have
no reading (an empty field, `nan`, `null`, `ovf`) is NaN, a value like any other. Equal lines are read as one block: a
block gives exactly the numbers that its lines would give one by one, or None, and then the lines are read one by one.
"""

import io
import re
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

__all__ = ["MISSING", "number", "read_block", "time_ns"]

Float64 = npt.NDArray[np.float64]

MISSING = frozenset({"", "nan", "-nan", "null", "none", "n/a", "na", "ovf", "--", "-"})
"""Fields that say that there is no reading, in lower case."""

LOADTXT_BYTES = 2048
"""Blocks from this size on are read by `numpy.loadtxt`, whose start costs as much as 100 numbers read one by one."""

_PLAIN = b"0123456789+-.eE,;\t |\r\nnaifNAIF"
"""What a block of plain numbers may hold; anything else (underscores, controls) is looked at line by line."""

_DIGITS = re.compile(r"\d+")


def number(text: str, decimal_comma: bool = False) -> float:
    """Return the number in `text`.

    Args:
        text: One field, spaces around it allowed.
        decimal_comma: Whether `1,5` is one and a half.

    Raises:
        ValueError: The field is no number.
    """
    if decimal_comma:
        text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        if text.strip().lower() in MISSING:
            return float("nan")
        raise
    if "_" in text:
        raise ValueError("an underscore is no digit")
    return value


def read_block(block: bytes, width: int, separator: str) -> Float64 | None:
    """Read whole lines of `width` plain numbers each.

    Args:
        block: Complete lines, each ended by a line feed.
        width: Numbers in a line.
        separator: One character.

    Returns:
        float64 `(N, width)`, or None where any line is anything else than `width` plain numbers.
    """
    if separator == " " or block.translate(None, _PLAIN) or block.count(b"\r") != block.count(b"\r\n"):
        return None
    rows = block.count(b"\n")
    mark = separator.encode()
    if len(block) >= LOADTXT_BYTES:
        if b"\n\n" in block or b"\n\r\n" in block or block[:1] in b"\r\n":
            return None
        try:
            table = np.loadtxt(io.BytesIO(block), delimiter=separator, comments=None, ndmin=2)
        except ValueError:
            return None
        return table if table.shape == (rows, width) else None
    if block.count(mark) != rows * (width - 1):
        return None
    lines = block.split(b"\n")
    if any(line.count(mark) != width - 1 for line in lines[:-1]):
        return None
    text = block[:-1].decode("ascii").replace("\n", separator)
    try:
        flat = np.fromiter(map(float, text.split(separator)), np.float64, rows * width)
    except ValueError:
        return None
    return flat.reshape(rows, width)


def time_ns(text: str) -> int:
    """Return a date and time in ns since 1970, taken as UTC where no zone is given.

    Reads ISO 8601 and any order year, month, day, hour, minute, second (and fraction) with whatever stands between the
    numbers, such as `2016/10/16 - 21:3:38`; the time of day may be left out.

    Raises:
        ValueError: The text holds no such time.
    """
    text = text.strip().strip('"')
    if not text[:4].isdigit():
        raise ValueError(f"{text!r} does not start with a year")
    zone = 0
    if text.endswith(("Z", "z")):
        text = text[:-1]
    elif (signed := re.search(r":\d+(?:\.\d+)?\s*([+-])(\d\d):?(\d\d)$", text)) is not None:
        zone = (int(signed[2]) * 60 + int(signed[3])) * (60 if signed[1] == "+" else -60)
        text = text[: signed.start(1)]
    parts = _DIGITS.findall(text)
    if not 3 <= len(parts) <= 7:
        raise ValueError(f"{text!r} is no date and time")
    whole = [int(part) for part in parts[:6]]
    seconds = int(datetime(*whole, tzinfo=UTC).timestamp()) - zone  # type: ignore[misc, arg-type]
    fraction = int(parts[6][:9].ljust(9, "0")) if len(parts) == 7 else 0
    return seconds * 1_000_000_000 + fraction
