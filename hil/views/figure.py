"""What a screen asks to be computed of a stream, and what it is told: spectra, distributions, paths, an attitude.

Rule of this room: frozen values of bounded size, whatever the rate of the board and the time base of the screen.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = ["ATTITUDE", "HISTOGRAM", "KINDS", "MOST_FIGURES", "SPECTROGRAM", "SPECTRUM", "XY", "Ask", "FigureView"]

SPECTRUM, SPECTROGRAM, HISTOGRAM, XY, ATTITUDE = KINDS = ("spectrum", "spectrogram", "histogram", "xy", "attitude")
"""What can be computed."""

MOST_FIGURES = 16
"""Figures that one snapshot carries."""

Float32 = npt.NDArray[np.float32]


def _none() -> Float32:
    return np.empty((0, 0), np.float32)


@dataclass(frozen=True, slots=True)
class Ask:
    """What is wanted of a stream.

    Attributes:
        board: Role of the board.
        stream: Name of the stream.
        kind: One of `KINDS`.
        channels: Which channels: any number, of a spectrogram one, of `xy` two; of an attitude they do not matter.
    """

    board: str
    stream: str
    kind: str
    channels: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class FigureView:
    """What was computed of the readings in the view, the newest ones where they are too many.

    Attributes:
        ask: What was wanted.
        x: float32. Spectrum and spectrogram: `(F,)` frequencies, Hz. Histogram: `(K + 1,)` edges of the bins. XY:
            `(K,)` readings of the first channel. Attitude: `(4,)` quaternion from board to earth (w, x, y, z).
        y: float32. Spectrum: `(C, F)` density, unit/√Hz. Spectrogram: `(F, T)` density, unit²/Hz, NaN where samples
            are missing. Histogram: `(C, K)` counts. XY: `(1, K)` readings of the second channel. Attitude: empty.
        marks: float32 `(C, M)`. Spectrum: frequency and density of the highest line. Histogram: mean, standard
            deviation. XY: the newest reading. Attitude: inclination, its standard deviation and that of the heading,
            degrees.
        seconds: Time that the readings cover which went in.
        samples: How many readings of a channel those are.
        start_ns: Of a spectrogram: left edge of its first column, UTC.
        end_ns: Right edge of its last column; of an attitude: its time.
        resting: Whether the board lies still; None where that is not known.
        sentence: Why there is nothing, or nothing yet; empty otherwise.
    """

    ask: Ask
    x: Float32 = field(default_factory=_none)
    y: Float32 = field(default_factory=_none)
    marks: Float32 = field(default_factory=_none)
    seconds: float = 0.0
    samples: int = 0
    start_ns: int = 0
    end_ns: int = 0
    resting: bool | None = None
    sentence: str = ""
