"""The samples of a recording that lie under a cursor: of every stream of channels the nearest one, as it was recorded.

Rule of this room: files are only read, and only around the cursor: the stretch that is read grows until it holds a
sample.
"""

from pathlib import Path

import numpy as np

from hil.recording.reader import Recording
from hil.views.cursor import CursorView

__all__ = ["under"]

FIRST_S = 0.05
"""Half of the stretch that is read first."""
GROWS = 8.0


def under(path: Path, t_s: float) -> list[CursorView]:
    """Return the sample of each stream that is nearest to a time.

    Args:
        path: The recording.
        t_s: Seconds since its first sample.

    Raises:
        FileError: It cannot be read.
    """
    with Recording(path, skip_damaged=True) as recording:
        names = dict.fromkeys(
            (known.board, known.stream.name) for known in recording.streams() if not known.stream.is_image
        )
        found = [_nearest(recording, board, name, t_s) for board, name in names]
    return [one for one in found if one is not None]


def _nearest(recording: Recording, board: str, name: str, t_s: float) -> CursorView | None:
    reach, whole = FIRST_S, recording.duration_s + abs(t_s) + 1.0
    while True:
        parts = [part for part in recording.chunks(board, name, t_s - reach, t_s + reach) if len(part)]
        if parts or reach >= whole:
            break
        reach = min(whole, GROWS * reach)
    best: CursorView | None = None
    for part in parts:
        at = int(np.argmin(np.abs(part.t_s - t_s)))
        view = CursorView(board, name, int(part.t_ns[at]), np.ascontiguousarray(part.values[at]))
        target = part.start_ns + round(t_s * 1e9)
        if best is None or abs(view.t_ns - target) < abs(best.t_ns - target):
            best = view
    return best
