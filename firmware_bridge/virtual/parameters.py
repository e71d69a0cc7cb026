"""The `?name=value` parameters of a virtual board: named, typed, bounded, and refused with the nearest name.

A board lists the parameters it takes; whatever else is asked for ends in one sentence that says what is allowed.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from firmware_bridge.errors import UsageError
from firmware_bridge.virtual.settings import Settings

__all__ = ["LINK", "Parameter", "read_parameters", "settings_from"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    Attributes:
        name: As written in the URL.
        default: Its value where it is not given; its type (int, float or str) is the parameter's.
        about: What it does, a clause.
        low: Least allowed number.
        high: Greatest allowed number.
        choices: The only allowed texts, where not empty.
    """

    name: str
    default: int | float | str
    about: str
    low: float = float("-inf")
    high: float = float("inf")
    choices: tuple[str, ...] = ()

    def read(self, text: str, where: str) -> int | float | str:
        """Return the value that `text` means.

        Raises:
            UsageError: It is no such value.
        """
        if isinstance(self.default, str):
            if self.choices and text not in self.choices:
                raise UsageError(f"{self.name}={text} is not known", where, f"use one of {', '.join(self.choices)}")
            return text
        kind = int if isinstance(self.default, int) else float
        try:
            value = kind(text)
        except ValueError:
            word = "a whole number" if kind is int else "a number"
            raise UsageError(f"{self.name}={text} is not {word}", where, f"try {self.name}={self.default}") from None
        if not self.low <= value <= self.high:
            raise UsageError(f"{self.name}={text} is out of range", where, f"use {self.low:g} to {self.high:g}")
        return value


_DEFAULT = Settings()

LINK = (
    Parameter("seed", 0, "what everything random is made from", 0, 2**63 - 1),
    Parameter("serial", "", "serial number the board says it has"),
    Parameter("role", "", "name of the board at the bench; the board itself ignores it"),
    Parameter("rate", 0.0, "samples a second of its first stream; 0: the board's usual", 0, 100_000),
    Parameter("group", _DEFAULT.group, "samples a frame; 0: about 10 ms worth", 0, 255),
    Parameter("ppm", _DEFAULT.ppm, "error of the board's clock", -100_000, 100_000),
    Parameter("start_tick", _DEFAULT.start_tick, "first reading of its 1 MHz counter", 0, 2**32 - 1),
    Parameter("jitter_us", _DEFAULT.jitter_us, "mean lateness of a sample on the board's own clock", 0, 60_000),
    Parameter("delay_us", _DEFAULT.delay_us, "mean random delay of the link, each way", 0, 10_000_000),
    Parameter("baud", _DEFAULT.baud, "bits a second of the line at 10 bits a byte; 0: no limit", 0, 10**9),
    Parameter("tx_buffer", _DEFAULT.tx_buffer, "bytes that wait for the host before samples are dropped", 256, 2**30),
    Parameter("max_frame", _DEFAULT.max_frame, "longest frame before stuffing", 64, 65_535),
    Parameter("crc", _DEFAULT.crc_bits, "bits of the checksum, 16 or 32", 16, 32),
    Parameter("boot_ms", _DEFAULT.boot_ms, "silence before it says hello", 0, 60_000),
)  # fmt: skip
"""Parameters of every native board."""


def read_parameters(
    board: str, given: Mapping[str, str], allowed: Sequence[Parameter], scheme: str = "virtual"
) -> dict[str, Any]:
    """Return the value of every allowed parameter.

    Args:
        board: Name of the board, for the sentence.
        given: Texts by name.
        allowed: What the board takes.
        scheme: Way into the board, for the sentence.

    Raises:
        UsageError: An unknown name or a value that is not allowed.
    """
    where = f"{scheme}://{board}"
    names = [parameter.name for parameter in allowed]
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1, 0.5)
            hint = f"did you mean {near[0]}? " if near else ""
            raise UsageError(
                f"{name} is no parameter of this board", where, f"{hint}allowed: {', '.join(sorted(names))}"
            )
    return {
        parameter.name: parameter.read(given[parameter.name], where) if parameter.name in given else parameter.default
        for parameter in allowed
    }


def settings_from(values: Mapping[str, Any]) -> Settings:
    """Return the settings among the values of `LINK`."""
    if values["crc"] not in (16, 32):
        raise UsageError(f"crc={values['crc']} is not known", "virtual board", "use 16 or 32")
    kept = {name: values[name] for name in Settings.__dataclass_fields__ if name in values}
    return Settings(crc_bits=values["crc"], **kept)
