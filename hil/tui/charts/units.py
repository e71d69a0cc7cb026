"""Figures in words: rates, times, sizes and units as a person at the bench reads them.

Rule of this room: a figure without a value reads `unknown` or `—`, never 0, and every figure carries its unit.
"""

from datetime import UTC, datetime

from hil.views.snapshot import StreamView

__all__ = ["clock", "count", "duration", "exact_clock", "rate", "rate_words", "seconds", "signed", "size", "unit_name"]

_UNITS = {"degC": "°C", "deg": "°", "ohm": "Ω", "uT": "µT", "m/s2": "m/s²", "m/s^2": "m/s²", "us": "µs", "?": "unit ?"}


def unit_name(unit: str) -> str:
    """Return a unit as it is written; an unknown one says so."""
    return _UNITS.get(unit, unit or "unit ?")


def seconds(value: float) -> str:
    """Return a short time such as `20 ms`, `2.5 s`, `3 min`."""
    if value < 1e-3:
        return f"{value * 1e6:.3g} µs"
    if value < 0.9995:
        return f"{value * 1e3:.3g} ms"
    if value < 120:
        return f"{value:.4g} s"
    return f"{value / 60:.3g} min" if value < 7200 else f"{value / 3600:.3g} h"


def signed(value: float) -> str:
    """Return a short time after a moment, such as `+20 ms`, or before it: `−2.5 s`; `0` is the moment itself."""
    return "0" if value == 0 else f"{'−' if value < 0 else '+'}{seconds(abs(value))}"


def duration(value: float) -> str:
    """Return a running time such as `00:12.3` or `1:02:03`."""
    tenths = int(value * 10 + 1e-6)
    minutes, rest = divmod(tenths, 600)
    if minutes < 60:
        return f"{minutes:02d}:{rest // 10:02d}.{rest % 10}"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest // 10:02d}"


def clock(t_ns: int) -> str:
    """Return the time of day, UTC."""
    return datetime.fromtimestamp(t_ns // 1_000_000_000, UTC).strftime("%H:%M:%S")


def exact_clock(t_ns: int) -> str:
    """Return the time of day to the microsecond, UTC."""
    return f"{clock(t_ns)}.{t_ns // 1000 % 1_000_000:06d}"


def size(count_bytes: int) -> str:
    """Return bytes such as `812 B`, `3.1 MB`."""
    amount = float(count_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} TB"


def count(number: int | None) -> str:
    """Return a count with thin groups, `unknown` where nobody could count."""
    return "unknown" if number is None else f"{number:,}".replace(",", " ")


def rate_words(hertz: float | None) -> str:
    """Return a rate with its unit."""
    if hertz is None:
        return "unknown"
    return f"{hertz / 1000:.4g} kHz" if hertz >= 10_000 else f"{hertz:.4g} Hz"


def rate(stream: StreamView) -> str:
    """Return measured of nominal rate; `~` marks a nominal rate that was inferred."""
    if stream.rate_hz is None:
        return f"{rate_words(stream.measured_hz)} (nominal unknown)"
    told = f"{'~' if stream.rate_inferred else ''}{rate_words(stream.rate_hz)}"
    return told if stream.measured_hz is None else f"{stream.measured_hz:.4g}/{told}"
