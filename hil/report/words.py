"""Figures in words: as many digits as the interval deserves, and a unit that keeps the number short.

Rule of this room: a value without a number reads `unknown`; a number never shows more digits than its interval bears.
Units are written as people write them (`µg/√Hz`, `°C`); the JSON keeps the plain ones.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Scale", "duration", "effect", "interval", "number", "scale_for", "unit_words", "value"]

_PREFIXES = ((1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))
_PREFIXED = ("g", "rad/s", "s", "V", "A", "T", "Pa", "K", "lx")
_SMALLER = {"us": ((1.0, "µs"), (1e3, "ms"), (1e6, "s")), "ms": ((1.0, "ms"), (1e3, "s")), "uT": ((1.0, "µT"),),
            "Hz": ((1.0, "Hz"), (1e3, "kHz"))}  # fmt: skip
_WRITTEN = (("sqrt(Hz)", "√Hz"), ("sqrt(s)", "√s"), ("sqrt(h)", "√h"), ("degC", "°C"), ("deg", "°"), ("m/s2", "m/s²"),
            ("m/s^2", "m/s²"), ("uT", "µT"))  # fmt: skip
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Scale:
    """How numbers of a unit are written: divided by `factor`, called `unit`."""

    factor: float
    unit: str


def unit_words(unit: str) -> str:
    """Return a unit as people write it; empty for a pure number."""
    if unit == "1":
        return ""
    for plain, written in _WRITTEN:
        unit = unit.replace(plain, written)
    return unit if unit != "?" else "unit ?"


def scale_for(unit: str, values: Sequence[float | None]) -> Scale:
    """Return the scale under which these values (of one row) are short."""
    sizes = [abs(one) for one in values if one is not None and math.isfinite(one) and one != 0]
    if not sizes:
        return Scale(1.0, unit_words(unit))
    largest = max(sizes)
    if unit in _SMALLER:
        factor, written = next((row for row in reversed(_SMALLER[unit]) if largest >= row[0]), _SMALLER[unit][0])
        return Scale(factor, written)
    base = next((base for base in _PREFIXED if unit == base or unit.startswith(f"{base}/sqrt(")), None)
    if base is None or 0.1 <= largest < 1e4:
        return Scale(1.0, unit_words(unit))
    factor, prefix = next((row for row in _PREFIXES if largest >= row[0]), _PREFIXES[-1])
    return Scale(factor, unit_words(f"{prefix}{unit}"))


def number(given: float, step: float | None = None) -> str:
    """Return a number with digits down to `step`, or with four of them where no step is told."""
    if not math.isfinite(given):
        return "∞" if given > 0 else "−∞" if given < 0 else "unknown"
    if given == 0:
        return "0"
    size = math.floor(math.log10(abs(given)))
    digits = _DIGITS if step is None or step <= 0 else size - math.floor(math.log10(step)) + 1
    digits = max(1, min(9, digits))
    places = digits - 1 - size
    if size >= 6 or size < (-4 if step is None else -7):
        mantissa, _, exponent = f"{given:.{max(0, min(digits, _DIGITS) - 1)}e}".partition("e")
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    shown = f"{round(given, places):,.{max(0, places)}f}"
    if step is None and "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    return shown.replace(",", " ").replace("-", "−")


def _step(given: float, low: float | None, high: float | None) -> float | None:
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return None
    half = max(given - low, high - given)
    # Beyond seven digits a number is no longer read.
    return max(half / 10, abs(given) * 1e-7) if half > 0 else None


def value(given: float | None, low: float | None, high: float | None, scale: Scale) -> str:
    """Return a value without its unit, in the digits its interval bears; `unknown` where there is none."""
    if given is None:
        return "unknown"
    if not scale.unit and float(given).is_integer():
        return number(given)  # a count
    ends = [None if end is None else end / scale.factor for end in (low, high)]
    step = _step(given / scale.factor, *ends)
    if scale.unit == "%" and step is not None and given > 1:
        step = max(step, 0.01)
    return number(given / scale.factor, step)


def interval(given: float | None, low: float | None, high: float | None, scale: Scale) -> str:
    """Return an interval such as `98.1 … 102.5`; empty where there is none."""
    if given is None or low is None or high is None or low == high:
        return ""
    ends = low / scale.factor, high / scale.factor
    step = _step(given / scale.factor, *ends)
    return " … ".join(number(end, step) for end in ends)


def effect(given: float | None, low: float | None, high: float | None, unit: str) -> str:
    """Return an effect such as `+10.1 % (+7.9 … +12.3)`; `—` where there is none."""
    if given is None:
        return "—"
    scale = scale_for(unit, (given, low, high))
    words = [_signed(end / scale.factor, given, low, high, scale) for end in (given, low, high) if end is not None]
    told = f"{words[0]} {scale.unit}".strip()
    return f"{told} ({words[1]} … {words[2]})" if len(words) == 3 else told


def _signed(end: float, given: float, low: float | None, high: float | None, scale: Scale) -> str:
    step = None if low is None or high is None else _step(given, low, high)
    shown = number(end, None if step is None else step / scale.factor)
    return f"+{shown}" if end > 0 and shown[0] not in "+−" else shown


def duration(seconds: float) -> str:
    """Return a length such as `12.3 s`, `4 min 10 s`, `2 h 46 min`, `3 d 4 h`."""
    if seconds < 0.1:
        return f"{seconds * 1e3:.3g} ms"
    if seconds < 99.95:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    for unit, size, smaller, part in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        whole, rest = divmod(round(seconds / part) * part, size)
        if whole:
            return f"{whole:.0f} {unit} {rest // part:.0f} {smaller}" if rest // part else f"{whole:.0f} {unit}"
    return f"{seconds:.0f} s"
