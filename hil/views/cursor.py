"""The reading under a screen's cursor: one sample, its own time and its own values."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["CursorView"]


@dataclass(frozen=True, slots=True, eq=False)
class CursorView:
    """The sample of a stream that lies nearest to the cursor.

    Attributes:
        board: Role of the board.
        stream: Name of the stream.
        t_ns: Time of the sample, UTC.
        values: float32 `(C,)`, its reading of every channel.
    """

    board: str
    stream: str
    t_ns: int
    values: npt.NDArray[np.float32]
