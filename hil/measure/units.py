"""Units of figures: what one is in another, for datasheets that speak of ug and mdps.

Rule of this room: only what is one quantity is converted; any other pair is refused (None), never guessed. A unit is a
base and what it is taken by: `ug/sqrt(Hz)` is `ug` by `sqrt(Hz)`.
"""

import math

__all__ = ["conversion", "kindred"]

_G = 9.80665
_QUANTITIES: tuple[dict[str, float], ...] = (
    {"g": 1.0, "mg": 1e-3, "ug": 1e-6, "µg": 1e-6, "m/s2": 1 / _G, "m/s^2": 1 / _G, "m/s²": 1 / _G, "mm/s2": 1e-3 / _G,
     "um/s2": 1e-6 / _G},
    {"rad/s": 1.0, "mrad/s": 1e-3, "deg/s": math.radians(1), "dps": math.radians(1), "°/s": math.radians(1),
     "mdps": math.radians(1e-3), "mdeg/s": math.radians(1e-3), "deg/h": math.radians(1) / 3600,
     "°/h": math.radians(1) / 3600},
    {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9},
    {"Hz": 1.0, "kHz": 1e3, "1/min": 1 / 60},
    {"K": 1.0, "mK": 1e-3, "degC": 1.0, "°C": 1.0},
    {"uT": 1.0, "µT": 1.0, "nT": 1e-3, "mT": 1e3, "G": 100.0, "gauss": 100.0, "mG": 0.1},
    {"deg": 1.0, "°": 1.0, "rad": math.degrees(1), "mrad": math.degrees(1e-3)},
    {"1": 1.0, "%": 0.01, "ppm": 1e-6},
    {"deg/sqrt(h)": 1.0, "°/sqrt(h)": 1.0, "rad/sqrt(s)": math.degrees(60), "deg/sqrt(s)": 60.0},
    {"m/s/sqrt(h)": 1.0, "mm/s/sqrt(h)": 1e-3, "m/s/sqrt(s)": 60.0},
)  # fmt: skip
"""One table a quantity: what each unit is in the first one. A reading in degC and a difference in K have one size, and
only sizes are converted here."""

_BY = ("/sqrt(Hz)", "/√Hz", "/rtHz", "/sqrt(s)", "/√s", "/K", "/degC", "/°C", "/min")
_SAME_BY = {"/√Hz": "/sqrt(Hz)", "/rtHz": "/sqrt(Hz)", "/√s": "/sqrt(s)", "/degC": "/K", "/°C": "/K"}


def conversion(unit: str, into: str) -> float | None:
    """Return the factor from one unit to another; None where they are not one quantity."""
    if unit == into:
        return 1.0
    for table in _QUANTITIES:
        if unit in table and into in table:
            return table[unit] / table[into]
    (base, by), (other, other_by) = _parts(unit), _parts(into)
    if not by or by != other_by:
        return None
    return 1.0 if base == other else conversion(base, other)


def kindred(unit: str) -> tuple[str, ...]:
    """Return the units that convert to one, itself first."""
    for table in _QUANTITIES:
        if unit in table:
            return (unit, *(other for other in table if other != unit))
    base, by = _parts(unit)
    return tuple(f"{other}{by}" for other in kindred(base)) if by else (unit,)


def _parts(unit: str) -> tuple[str, str]:
    for by in _BY:
        if unit.endswith(by):
            return unit.removesuffix(by), _SAME_BY.get(by, by)
    return unit, ""
