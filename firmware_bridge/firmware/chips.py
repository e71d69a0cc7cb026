"""Chips that an emulated board can have on its I2C bus, and how a quantity becomes what the emulator is told.

Rule of this room: pure. The emulator's model cuts off what lies between two steps of the chip, as the chip does, and it
counts in thousandths; so a thousandth that does not come out even is taken away from zero, and a value that the chip
can say is read as exactly that.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from firmware_bridge.errors import UsageError
from firmware_bridge.streams import Stream

__all__ = ["CHIPS", "DEVICE", "Chip", "chip_of", "told"]

DEVICE = "chip"
"""What the chip is called in the emulator."""
_THOUSANDTHS = 1000


@dataclass(frozen=True, slots=True)
class Chip:
    """A kind of chip.

    Attributes:
        name: As in `?sensor=NAME`, which is also the emulator's name of it.
        address: On the bus, 7 bits.
        about: What it is, for a list.
        stream: Stream of the board that carries its readings.
        properties: What of it can be set, one a channel, in thousandths of the channel's unit.
        low: Least value that a property takes, in the unit.
        high: Greatest.
    """

    name: str
    address: int
    about: str
    stream: str
    properties: tuple[str, ...]
    low: float
    high: float


CHIPS = {
    chip.name: chip
    for chip in (
        Chip("tmp105", 0x48, "registers of a thermometer (TMP105) on an I2C bus", "temperature", ("temperature",),
             -128.0, 127.9375),
        Chip("lsm303dlhc_mag", 0x1E, "registers of a magnetometer (LSM303DLHC) on an I2C bus", "field",
             ("mag-x", "mag-y", "mag-z"), 0.0, 130.0),  # QEMU 7.2 refuses what is below zero
    )
}  # fmt: skip
"""Every chip, by its name."""


def chip_of(stream: str) -> Chip | None:
    """Return the chip whose readings a stream carries."""
    return next((chip for chip in CHIPS.values() if chip.stream == stream), None)


def told(chip: Chip, values: Sequence[float], stream: Stream) -> Mapping[str, int]:
    """Return what to set of a chip, so that the board reads `values`.

    Args:
        chip: The chip.
        values: In the stream's unit, one a channel.
        stream: The board's description of it; what that takes off (`offset`, such as iron beside a magnetometer) is in
            the chip.

    Raises:
        UsageError: The number of values is not the chip's, or it cannot sense one of them.
    """
    if len(values) != len(chip.properties):
        raise UsageError(f"{len(values)} values were given and it senses {len(chip.properties)}", chip.name,
                         "give one for each channel")  # fmt: skip
    offsets = stream.offset * len(values) if len(stream.offset) == 1 else stream.offset
    setting = {}
    for name, value, offset in zip(chip.properties, values, offsets, strict=True):
        inside = value - offset
        if not chip.low <= inside <= chip.high:
            raise UsageError(f"{value:g} {stream.units[0]} is more than it can sense", chip.name,
                             f"use {chip.low + offset:g} to {chip.high + offset:g}")  # fmt: skip
        # What binary fractions add to an even thousandth is less than a millionth of it.
        setting[name] = int(math.copysign(math.ceil(abs(inside) * _THOUSANDTHS - 1e-6), inside))
    return setting
