"""Who a board is and what it sends: streams and identities, frozen and plain enough for JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BoardInfo", "Float32", "Stream"]

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stream:
    """One named series of a board.

    Attributes:
        name: Name, unique on its board, such as `imu`.
        channels: One name a channel; for an image one name for all of it.
        units: One unit a channel, SI where it can be (`g`, `rad/s`, `degC`); `?` where nobody said.
        dtype: NumPy dtype on the wire, little-endian, such as `<i2`.
        shape: `(C,)` for C channels or `(H, W)` for an image; C equals `len(channels)`.
        rate_hz: Nominal samples a second; None where nobody said.
        scale: Factors to the unit: one for all, or one a channel.
        offset: Added after scaling: one for all, or one a channel.
        rate_inferred: Whether `rate_hz` was measured rather than told.
        counted: Whether the board numbers its samples. Without it losses are unknown, never 0.
        checked: Whether a checksum protects the samples. Without it integrity is unknown.
        tick_hz: Ticks a second of the board's clock; None where the board sends no time (ticks are then arrival in ns).
    """

    name: str
    channels: tuple[str, ...]
    units: tuple[str, ...]
    dtype: str
    shape: tuple[int, ...]
    rate_hz: float | None
    scale: tuple[float, ...] = (1.0,)
    offset: tuple[float, ...] = (0.0,)
    rate_inferred: bool = False
    counted: bool = True
    checked: bool = True
    tick_hz: float | None = 1e6

    @property
    def is_image(self) -> bool:
        """Whether a sample is a frame `(H, W)` rather than `(C,)`."""
        return len(self.shape) == 2

    def values(self, raw: npt.NDArray[Any]) -> Float32:
        """Return readings in the stream's units.

        Args:
            raw: `(N, *shape)` in the wire's dtype.

        Returns:
            float32 `(N, *shape)`: `float32(float64(raw) * scale + offset)`.
        """
        scaled = raw.astype(np.float64) * np.asarray(self.scale) + np.asarray(self.offset)
        with np.errstate(over="ignore"):  # beyond float32 a reading is infinite, as IEEE 754 says
            readings: Float32 = scaled.astype(np.float32)
        return readings

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "name": self.name, "channels": list(self.channels), "units": list(self.units), "dtype": self.dtype,
            "shape": list(self.shape), "rate_hz": self.rate_hz, "scale": list(self.scale), "offset": list(self.offset),
            "rate_inferred": self.rate_inferred, "counted": self.counted, "checked": self.checked,
            "tick_hz": self.tick_hz,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "Stream":
        """Build a stream from what `as_dict` gave; unknown keys are ignored, missing ones keep their defaults."""
        known: dict[str, Any] = {}
        for key in cls.__dataclass_fields__:
            if key in plain:
                known[key] = tuple(plain[key]) if isinstance(plain[key], list) else plain[key]
        return cls(**known)


@dataclass(frozen=True, slots=True)
class BoardInfo:
    """Who a board is and what it sends.

    Attributes:
        model: Kind of board, such as `hil-watch`; `unknown` where it does not say.
        serial: Serial number; empty where it does not say.
        firmware: Firmware identity; empty where it does not say.
        streams: What it sends.
        dialect: How it talks (`native`, `lines`, `fields`, or a plug-in's name).
        confidence: Certainty of a detected dialect, 0 to 1; 1 when chosen by hand or told by the board.
        extra: Anything else the board told, plain JSON values (limits, labels, capabilities).
    """

    model: str
    serial: str
    firmware: str
    streams: tuple[Stream, ...]
    dialect: str
    confidence: float = 1.0
    extra: Mapping[str, Any] = field(default_factory=dict)

    def stream(self, name: str) -> Stream:
        """Return the stream called `name`.

        Raises:
            KeyError: The board has none of that name.
        """
        for stream in self.streams:
            if stream.name == name:
                return stream
        raise KeyError(name)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "model": self.model, "serial": self.serial, "firmware": self.firmware,
            "streams": [stream.as_dict() for stream in self.streams], "dialect": self.dialect,
            "confidence": self.confidence, "extra": dict(self.extra),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "BoardInfo":
        """Build the identity from what `as_dict` gave."""
        known = {key: plain[key] for key in cls.__dataclass_fields__ if key in plain}
        known["streams"] = tuple(Stream.from_dict(stream) for stream in plain.get("streams", ()))
        return cls(**known)
