"""What kind of sensor a stream is, told by its shape, units and names.

Rule of this room: a guess, said as such and overridable; a stream that is nothing known is still measured as any other.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from firmware_bridge.streams import Stream

__all__ = ["KINDS", "Triad", "is_temperature", "kind_of", "triads"]

KINDS = ("image", "inertial", "ppg", "temperature", "other")
"""Kinds of streams."""

ACCELERATION = ("g", "mg", "m/s2", "m/s^2", "m/s²")
RATE = ("rad/s", "deg/s", "dps", "°/s", "mdps")
FIELD = ("uT", "µT", "nT", "mT", "G", "gauss", "mG")
TEMPERATURE = ("degC", "°C", "C", "K", "degF", "°F")
_LIGHT = re.compile(r"ppg|pleth|^pulse$|^hr$|heart|oximet", re.IGNORECASE)
_COLOURS = re.compile(r"^(ir|red|green|infrared|led\d?)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Triad:
    """Three channels of a stream that are the axes of one sensor.

    Attributes:
        kind: `accelerometer`, `gyroscope` or `magnetometer`.
        channels: Indices of x, y and z.
        unit: Their unit.
    """

    kind: str
    channels: tuple[int, int, int]
    unit: str


def kind_of(stream: Stream) -> str:
    """Return the kind of a stream, one of `KINDS`."""
    if stream.is_image:
        return "image"
    if any(unit in ACCELERATION or unit in RATE for unit in stream.units):
        return "inertial"
    if _LIGHT.search(stream.name) or any(_LIGHT.search(name) or _COLOURS.match(name) for name in stream.channels):
        return "ppg"
    if stream.units and all(is_temperature(unit) for unit in stream.units):
        return "temperature"
    return "other"


def is_temperature(unit: str) -> bool:
    """Whether a unit is one of temperature."""
    return unit in TEMPERATURE


def triads(stream: Stream) -> list[Triad]:
    """Return the three-axis sensors of a stream: three channels in a row of one unit, or named so."""
    found = []
    for kind, units in (("accelerometer", ACCELERATION), ("gyroscope", RATE), ("magnetometer", FIELD)):
        places = [place for place, unit in enumerate(stream.units) if unit in units]
        if len(places) == 3 and len({stream.units[place] for place in places}) == 1:
            found.append(Triad(kind, _ordered(places, stream.channels), stream.units[places[0]]))
    return found


def _ordered(places: Sequence[int], names: Sequence[str]) -> tuple[int, int, int]:
    """Return three places in the order x, y, z where their names say so, else as they come."""
    by_axis = {names[place][-1:].lower(): place for place in places}
    if {"x", "y", "z"} <= by_axis.keys():
        return by_axis["x"], by_axis["y"], by_axis["z"]
    return places[0], places[1], places[2]
