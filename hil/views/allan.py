"""The Allan deviation of a stream as a screen shows it while it grows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["AllanView"]

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class AllanView:
    """Overlapping Allan deviation of the readings at rest so far.

    Attributes:
        board: Role of the board.
        stream: Name of the stream.
        tau_s: float64 `(K,)`, averaging times, each twice the one before; empty before the first.
        deviation: float64 `(C, K)`, in the unit of the channel.
        low: float64 `(C, K)`, lower end of the 95 % interval; NaN where it is not known.
        high: float64 `(C, K)`, upper end.
        rest_s: Seconds of readings that went into it.
        left_out_s: Seconds of readings that were left out because the board moved.
        resting: Whether the newest readings are at rest (true where the stream cannot tell).
        sentence: Why there is no curve, or none yet; empty otherwise.
    """

    board: str
    stream: str
    tau_s: Float64
    deviation: Float64
    low: Float64
    high: Float64
    rest_s: float = 0.0
    left_out_s: float = 0.0
    resting: bool = True
    sentence: str = ""
