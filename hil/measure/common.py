"""What every stream is measured for, in one pass: time, losses, values, codes, runs, spectrum, correlation, blocks.

Rule of this room: each portion is read once and handed to every room that wants it; nothing of it is kept.
An image is measured as one channel of all its pixels for values and codes, and by the mean of its frames for the
spectrum; what belongs to its pixels is in `image`.
"""

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import Stream
from hil.measure.codes import Spread
from hil.measure.continuity import Blocks, Continuity, Stretch, block_size
from hil.measure.look import Look
from hil.measure.moments import Moments, Together
from hil.measure.portions import readings
from hil.measure.psd import Psd, segment_for
from hil.measure.runs import Runs, Spikes
from hil.measure.timing import Timing
from hil.recording.arrays import StreamArrays

__all__ = ["Common", "Portion"]

Float = npt.NDArray[np.float64]

_MOST_CHANNELS = 64


class Portion:
    """One portion with what several rooms need of it.

    Attributes:
        arrays: As read.
        values: float64 `(N, *shape)`, in units.
        flat: float64 `(N, C)`: channels, or the mean of each frame.
        stretches: Where it goes on without a gap.
        t_s: float64 `(N,)`.
    """

    __slots__ = ("arrays", "flat", "stretches", "t_s", "values")

    def __init__(self, arrays: StreamArrays, stretches: list[Stretch]) -> None:
        self.arrays = arrays
        self.stretches = stretches
        self.values = readings(arrays)
        self.t_s = arrays.t_s
        self.flat = (
            self.values if self.values.ndim == 2 else self.values.reshape(len(arrays), -1).mean(1, keepdims=True)
        )


class Common:
    """Adds up what every stream is measured for.

    Args:
        stream: What is measured.
        look: The first look at it.
        first: Its first portion.
        samples: How many samples there will be.
    """

    def __init__(self, stream: Stream, look: Look, first: StreamArrays, samples: int) -> None:
        self.stream, self.look = stream, look
        self.continuity = Continuity(look.late)
        wide = 1 if stream.is_image else min(len(stream.channels), _MOST_CHANNELS)
        self.channels = stream.channels[:wide]
        stretches = Continuity(look.late).split(first)
        self.timing = Timing(stream, look.usual_s)
        self.moments = Moments(wide)
        self.spreads = [Spread(np.dtype(stream.dtype)) for _ in range(wide)]
        self.runs = [Runs() for _ in range(0 if stream.is_image else wide)]
        self.spikes = Spikes(0 if stream.is_image else wide)
        self.together = Together(wide)
        self.psd = Psd(segment_for(samples, stretches), look.rate_hz) if look.rate_hz else None
        self.blocks = Blocks(block_size(look.rate_hz), wide)

    def portion(self, arrays: StreamArrays) -> Portion:
        """Return the next portion, split at its gaps."""
        return Portion(arrays, self.continuity.split(arrays))

    def add(self, portion: Portion) -> None:
        """Take the next portion."""
        arrays, stretches = portion.arrays, portion.stretches
        wide = len(self.channels)
        self.timing.add(arrays, stretches)
        if self.stream.is_image:
            self.moments.add(portion.values.reshape(-1, 1))
            self.spreads[0].add(arrays.raw.reshape(-1))
        else:
            self.moments.add(portion.values[:, :wide])
            for place in range(wide):
                self.spreads[place].add(arrays.raw[:, place])
                self.runs[place].add(arrays.raw[:, place], stretches)
            self.spikes.add(portion.values[:, :wide], stretches)
        flat = portion.flat[:, :wide]
        if not np.isfinite(flat).all():
            flat = np.nan_to_num(flat)
        self.together.add(flat, stretches)
        if self.psd is not None:
            self.psd.add(flat, stretches)
        self.blocks.add(flat, portion.t_s, stretches)
