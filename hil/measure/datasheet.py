"""A datasheet as a TOML file, laid over the figures of a recording.

    schema = 1
    name = "a six-axis sensor"
    source = "where the numbers are printed"

    [expect]
    loss = { maximum = 0.1, unit = "%" }
    "a?.noise_density" = { typical = 120, maximum = 160, unit = "ug/sqrt(Hz)" }
    "imu.wx.bias_instability" = { maximum = 10, unit = "deg/h" }

A key is `METRIC`, `CHANNEL.METRIC`, `STREAM.CHANNEL.METRIC` or a whole figure name, with `*` and `?` where many are
meant; the most exact key counts. Rule of this room: a mistake is named with file, key, what was found and what is
allowed. What was expected and not measured is never met.
"""

import fnmatch
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.missing import unread
from hil.measure.catalogue import METRICS
from hil.measure.figure import Figure, Measurement
from hil.measure.units import conversion, kindred

__all__ = [
    "ABOVE_TYPICAL",
    "MEETS",
    "OVER",
    "UNKNOWN",
    "UNSURE",
    "Datasheet",
    "Expectation",
    "failed",
    "load_datasheet",
]

MEETS, ABOVE_TYPICAL, UNSURE, OVER, UNKNOWN = "meets", "beyond typical", "unsure", "over", "not measured"
"""Verdicts: within typical; within the limit only; the interval holds the limit; beyond the limit; no figure."""

_TOP = ("schema", "name", "source", "note", "expect")
_LIMITS = ("typical", "maximum", "minimum")


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a datasheet says of a figure, in the datasheet's unit.

    Attributes:
        key: As it stands in the file.
        typical: Typical value.
        maximum: Most that is allowed (of a signed figure: of its size).
        minimum: Least that is allowed.
        unit: Its unit; empty: that of the figure.
    """

    key: str
    typical: float | None = None
    maximum: float | None = None
    minimum: float | None = None
    unit: str = ""

    def matches(self, name: str) -> bool:
        """Whether it is meant for a figure of this name."""
        parts, wanted = name.split("."), self.key.split(".")
        return len(wanted) <= len(parts) and fnmatch.fnmatchcase(".".join(parts[-len(wanted) :]), self.key)

    @property
    def exactness(self) -> tuple[int, int]:
        """How exactly it names a figure; the greater goes first."""
        return self.key.count("."), -sum(self.key.count(sign) for sign in "*?[")


@dataclass(frozen=True, slots=True)
class Datasheet:
    """What is expected.

    Attributes:
        file: Where it was read from.
        name: Of the sensor.
        source: Where the numbers come from.
        expectations: In the order of the file.
    """

    file: str
    name: str
    source: str
    expectations: tuple[Expectation, ...]

    def over(self, measurement: Measurement) -> Measurement:
        """Return the measurement with what is expected of its figures.

        Raises:
            UsageError: A unit of the file is not that of the figure.
        """
        expected: dict[str, dict[str, Any]] = {}
        used: set[str] = set()
        for figure in measurement:
            meant = [one for one in self.expectations if one.matches(figure.name)]
            if meant:
                used |= {one.key for one in meant}
                expected[figure.name] = self._laid(max(meant, key=lambda one: one.exactness), figure)
        missing = [one.key for one in self.expectations if one.key not in used]
        facts = dict(measurement.facts) | {
            "datasheet": {"file": self.file, "name": self.name, "source": self.source, "not_measured": missing}
        }
        return replace(measurement, expected=expected, facts=facts)

    def _laid(self, one: Expectation, figure: Figure) -> dict[str, Any]:
        factor = conversion(one.unit or figure.unit, figure.unit)
        if factor is None:
            raise UsageError(
                f"the unit {one.unit!r} is not that of {figure.name}", f"{self.file}, key {one.key!r}",
                f"give one of: {', '.join(kindred(figure.unit))}",
            )  # fmt: skip
        said = {key: None if (value := getattr(one, key)) is None else value * factor for key in _LIMITS}
        return said | {"unit": figure.unit, "key": one.key, "verdict": _verdict(figure, **said)}


def failed(measurement: Measurement) -> list[str]:
    """Return what of the datasheet is not met, names of figures and keys: over its limit, or not measured."""
    over = [name for name, said in measurement.expected.items() if said["verdict"] in (OVER, UNKNOWN)]
    datasheet: Mapping[str, Any] = measurement.facts.get("datasheet") or {}
    return over + list(datasheet.get("not_measured", ()))


def _verdict(figure: Figure, typical: float | None, maximum: float | None, minimum: float | None) -> str:
    if figure.value is None:
        return UNKNOWN
    value = figure.value
    low, high = (figure.low, figure.high) if figure.low is not None and figure.high is not None else (value, value)
    if minimum is None and value < 0:  # the size of a signed figure is limited, whichever way it points
        value, low, high = -value, -high, -low
    if (maximum is not None and low > maximum) or (minimum is not None and high < minimum):
        return OVER
    if (maximum is not None and high > maximum) or (minimum is not None and low < minimum):
        return UNSURE
    if typical is not None and (value < typical if figure.better == "higher" else value > typical):
        return ABOVE_TYPICAL
    return MEETS


def load_datasheet(path: str | Path) -> Datasheet:
    """Read a datasheet.

    Raises:
        FileError: It cannot be read or is no TOML.
        UsageError: Something in it is wrong: file, key, found, allowed.
    """
    file = str(path)
    try:
        plain = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise unread(error, path, "give a TOML file with [expect]", "the datasheet") from error
    except tomllib.TOMLDecodeError as error:
        raise FileError(f"the datasheet is no TOML ({error})", file, "mend that line") from error
    for key in plain:
        _known(file, key, key, _TOP)
    schema = plain.get("schema", 1)
    if schema != 1:
        raise UsageError(f"found schema {schema!r}", f"{file}, key 'schema'", "allowed: 1")
    expect = plain.get("expect")
    if not isinstance(expect, dict) or not expect:
        raise UsageError("nothing is expected", f"{file}, key 'expect'", "give [expect] with one line a figure")
    rows = [_expectation(file, key, said) for key, said in expect.items()]
    return Datasheet(file, str(plain.get("name", "")), str(plain.get("source", "")), tuple(rows))


def _expectation(file: str, key: str, said: object) -> Expectation:
    place = f"{file}, key {key!r}"
    metric = key.rpartition(".")[2]
    if not any(fnmatch.fnmatchcase(known, metric) for known in METRICS):
        raise UsageError(f"found the metric {metric!r}, which nothing measures", place, _near(metric))
    if not isinstance(said, dict):
        raise UsageError(f"found {said!r}", place, "allowed: a table such as { typical = 1, maximum = 2, unit = 'g' }")
    for name, value in said.items():
        _known(file, name, f"{key}.{name}", (*_LIMITS, "unit"))
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if name == "unit" and not isinstance(value, str):
            raise UsageError(f"found {value!r}", f"{file}, key '{key}.unit'", "allowed: a unit as text")
        if name != "unit" and not number:
            raise UsageError(f"found {value!r}", f"{file}, key '{key}.{name}'", "allowed: a number")
    if not any(name in said for name in _LIMITS):
        raise UsageError("found no limit", place, f"allowed: {', '.join(_LIMITS)}")
    return Expectation(key, **said)


def _known(file: str, name: str, key: str, allowed: tuple[str, ...]) -> None:
    if name not in allowed:
        raise UsageError(f"found the key {name!r}", f"{file}, key {key!r}", f"allowed: {', '.join(allowed)}")


def _near(metric: str) -> str:
    import difflib

    near = difflib.get_close_matches(metric, METRICS, 3, 0.5)
    return f"allowed: {', '.join(near)} and others, see `hil metrics`" if near else "see `hil metrics`"
