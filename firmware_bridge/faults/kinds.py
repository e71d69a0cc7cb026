"""Every kind of fault in one table: level, parameters with units and ranges, meaning, and whether a host can see it.

A parameter called `main` is the strength: the fault matrix varies it, and `strengths` are the three values it tries.
`every_s` and `hold_s` describe episodes: one begins every `every_s` and lasts `hold_s`; `every_s` 0 is one episode at
the beginning of the fault's time, `hold_s` 0 one that lasts as long as the fault's time.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["BYTE", "CLOCK", "FRAME", "KINDS", "LEVELS", "LINK", "SENSOR", "KindOf", "Param"]

BYTE, LINK, FRAME, SENSOR, CLOCK = LEVELS = ("byte", "link", "frame", "sensor", "clock")


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a kind.

    Attributes:
        default: Its value where none is given.
        unit: Its unit; empty for a share or a probability.
        low: Least allowed.
        high: Greatest allowed.
        about: What it is.
        harmless: The value towards which the fault does less (infinite: the greater, the less); None: neither way.
    """

    default: float
    unit: str
    low: float
    high: float
    about: str
    harmless: float | None = 0.0


@dataclass(frozen=True, slots=True)
class KindOf:
    """One kind.

    Attributes:
        name: `LEVEL.NAME`.
        about: What happens.
        main: Name of the parameter that is its strength.
        params: Parameters by name.
        strengths: Three values of `main`, weak to strong.
        detectable: Whether a dialect with checksum and sample numbers sees it by construction (values and numbers that
            arrive are right, or the loss is told). False: plausible readings or times that no link can question.
        needs: What a stream must have for it: `ticks`, `image`, `native` or nothing.
    """

    name: str
    about: str
    main: str
    params: Mapping[str, Param]
    strengths: tuple[float, float, float]
    detectable: bool
    needs: str = ""

    @property
    def level(self) -> str:
        """`byte`, `link`, `frame`, `sensor` or `clock`."""
        return self.name.partition(".")[0]


_EVERY = Param(0.0, "s", 0.0, 1e6, "time from the beginning of one episode to the next; 0: one episode", None)
_CELL = Param(0, "samples", 0, 100_000, "consecutive samples that are hit together; 0: about 10 ms of them", 1)


def _rate(default: float, what: str) -> Param:
    return Param(default, "", 0.0, 1.0, f"probability {what}")


def _hold(default: float, what: str) -> Param:
    return Param(default, "s", 0.0, 1e6, what)


def _cells(name: str, about: str, **more: Param) -> KindOf:
    params = {"rate": _rate(0.02, "that a cell of samples is hit"), "samples": _CELL, **more}
    return KindOf(f"frame.{name}", about, "rate", params, (0.005, 0.02, 0.1), True, "native")


_ALL = (
    KindOf("byte.flip", "one bit of a byte is inverted", "rate",
           {"rate": _rate(1e-4, "of each byte")}, (2e-5, 2e-4, 2e-3), True),
    KindOf("byte.drop", "a byte is missing", "rate", {"rate": _rate(1e-4, "of each byte")}, (2e-5, 2e-4, 2e-3), True),
    KindOf("byte.duplicate", "a byte comes twice", "rate",
           {"rate": _rate(1e-4, "of each byte")}, (2e-5, 2e-4, 2e-3), True),
    KindOf("byte.burst", "a run of bytes is replaced by random ones", "rate",
           {"rate": _rate(2e-5, "that a burst begins at a byte"),
            "length": Param(16, "bytes", 1, 65_536, "of a burst", 1)}, (1e-5, 5e-5, 5e-4), True),
    KindOf("link.stall", "nothing comes for a while, then all of it at once", "hold_s",
           {"hold_s": _hold(0.2, "without a byte"), "every_s": _EVERY}, (0.05, 0.3, 1.0), True),
    KindOf("link.delay", "bytes come later, in their order", "ms",
           {"ms": Param(20.0, "ms", 0.0, 60_000.0, "mean, exponential, at most 4 times that; drawn anew every 10 ms")},
           (2.0, 20.0, 150.0), True),
    KindOf("link.disconnect", "the connection is lost, and there again after a while; bytes in between are gone",
           "hold_s", {"hold_s": _hold(0.5, "away"), "every_s": _EVERY}, (0.1, 0.4, 1.0), True),
    KindOf("link.garbage", "bytes are random, as from a wrong baud rate", "hold_s",
           {"hold_s": _hold(0.2, "of garbage"), "every_s": _EVERY}, (0.02, 0.2, 1.0), True),
    _cells("drop", "samples never come"),
    _cells("reorder", "samples come after those that follow them"),
    _cells("duplicate", "samples come twice, under the same numbers"),
    _cells("stale", "in place of samples come earlier ones again, under their old numbers",
           age=Param(3, "cells", 1, 1000, "how long ago they were sent", 1)),
    _cells("bad_crc", "samples come with a wrong checksum"),
    _cells("truncate", "only the first half of the bytes comes"),
    KindOf("sensor.stuck", "a reading stays what it was when the episode began", "hold_s",
           {"hold_s": _hold(0.5, "stuck"), "every_s": _EVERY}, (0.05, 0.3, 1.0), False),
    KindOf("sensor.saturate", "readings beyond a limit read the limit", "limit",
           {"limit": Param(1.0, "unit", 0.0, 1e12, "largest magnitude that can be read, in its unit", math.inf)},
           (0.9, 0.5, 0.1), False),
    KindOf("sensor.bias", "a constant is added", "offset",
           {"offset": Param(0.1, "unit", -1e12, 1e12, "what is added, in the stream's unit")}, (0.01, 0.1, 1.0), False),
    KindOf("sensor.drift", "a growing amount is added", "per_s",
           {"per_s": Param(0.01, "unit/s", -1e12, 1e12, "growth, in the stream's unit")}, (0.01, 0.1, 1.0), False),
    KindOf("sensor.spike", "single samples are far off, up or down", "height",
           {"height": Param(1.0, "unit", 0.0, 1e12, "of a spike, in the stream's unit"),
            "rate": _rate(0.01, "of each sample")}, (0.1, 1.0, 5.0), False),
    KindOf("sensor.noise", "white Gaussian noise is added", "sigma",
           {"sigma": Param(0.05, "unit", 0.0, 1e12, "standard deviation, in the stream's unit")},
           (0.01, 0.1, 1.0), False),
    KindOf("sensor.dead", "some channels or pixels read nothing but one value", "share",
           {"share": Param(0.1, "", 0.0, 1.0, "of the channels or pixels; at least one"),
            "value": Param(0, "raw", -(2.0**53), 2.0**53, "what they read, on the wire's scale", None)},
           (0.05, 0.2, 0.5), False),
    KindOf("sensor.dead_row", "whole rows of an image read nothing but one value", "rows",
           {"rows": Param(1, "rows", 1, 10_000, "that are dead", 1),
            "value": Param(0, "raw", -(2.0**53), 2.0**53, "what they read, on the wire's scale", None)},
           (1, 2, 4), False, "image"),
    KindOf("clock.jitter", "samples are stamped late by random amounts", "us",
           {"us": Param(100.0, "us", 0.0, 1e7, "mean lateness (exponential, at most 0.8 of a period)")},
           (20.0, 200.0, 2000.0), False, "ticks"),
    KindOf("clock.ppm", "the board's clock runs at another pace", "ppm",
           {"ppm": Param(100.0, "ppm", -100_000, 100_000, "how much faster")}, (50.0, 500.0, 5000.0), False, "ticks"),
    KindOf("clock.jump", "the board's clock is moved", "seconds",
           {"seconds": Param(1.0, "s", -1e6, 1e6, "how far, forward")}, (0.01, 0.1, 5.0), False, "ticks"),
    KindOf("clock.wrap", "the board's counter passes its end and begins at 0", "after_s",
           {"after_s": Param(1.0, "s", 0.0, 1e6, "after the first sample", None)}, (0.3, 0.7, 1.5), True, "ticks"),
    KindOf("clock.reboot", "the board starts anew: its clock and its sample numbers begin at 0", "every_s",
           {"every_s": _EVERY}, (0.0, 1.0, 0.6), True),
)  # fmt: skip

KINDS: Mapping[str, KindOf] = {kind.name: kind for kind in _ALL}
"""All kinds by name, in the order of the levels."""
