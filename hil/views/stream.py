"""One stream as a screen draws it: envelopes of as many columns as were asked for, and the newest frame of an image."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["StreamView"]

Float32 = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class StreamView:
    """One stream as a plot or a picture.

    Attributes:
        board: Role of the board.
        name: Name of the stream.
        channels: One name a channel; one for an image.
        units: One unit a channel; `?` where nobody said.
        rate_hz: Nominal rate; None where nobody said.
        measured_hz: Rate on the board's own clock over the last seconds; None while unknown, 0 when it fell silent.
        rate_inferred: Whether `rate_hz` was measured rather than told.
        samples: Samples that came so far.
        start_ns: Left edge of the first column, UTC.
        end_ns: Right edge of the last column, UTC.
        low: float32 `(C, W)`, smallest reading in each column, NaN where there is none; for an image C is 1: its
            smallest pixel.
        high: float32 `(C, W)`, largest reading in each column, NaN where there is none; for an image: its largest
            pixel.
        gaps: bool `(W,)`, columns in which samples are known to be missing.
        latest: float32 `(C,)`, newest reading at or before `end_ns`; NaN before the first.
        image: float32 `(H, W)`, newest frame at or before `end_ns`; None for other streams and before the first.
        image_ns: When that frame was taken, UTC.
        image_low: Lower end of the colour range: smallest pixel of the frames in the view.
        image_high: Upper end of the colour range.
    """

    board: str
    name: str
    channels: tuple[str, ...]
    units: tuple[str, ...]
    rate_hz: float | None
    measured_hz: float | None
    rate_inferred: bool
    samples: int
    start_ns: int
    end_ns: int
    low: Float32
    high: Float32
    gaps: Flags
    latest: Float32
    is_image: bool = False
    image: Float32 | None = None
    image_ns: int = 0
    image_low: float | None = None
    image_high: float | None = None
