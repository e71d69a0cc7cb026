"""A stream in portions of even size, whatever the chunks of the file: memory stays bounded, arithmetic in bulk.

Rule of this room: order is kept, nothing is lost or repeated. A live recording has a chunk a second, an imported one
has chunks of a megabyte; both are measured in portions of about `PORTION` samples.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from hil.recording.arrays import StreamArrays, end_to_end
from hil.recording.reader import Recording

__all__ = ["PORTION", "portions", "readings"]

PORTION = 1 << 16
"""Samples that are taken at once, of streams of channels."""

_LARGEST = 1 << 22
"""Readings (samples times channels or pixels) that are taken at once."""


def portions(
    recording: Recording, board: str, stream: str, start_s: float | None = None, end_s: float | None = None
) -> Iterator[StreamArrays]:
    """Yield a stream in portions.

    Args:
        recording: The recording.
        board: Role.
        stream: Name of the stream.
        start_s: From this time on, in seconds since the recording's first sample.
        end_s: Before this time.

    Raises:
        UsageError: There is no such stream, or it changed its shape or type on the way.
    """
    known = recording.stream(board, stream).stream
    size = int(np.prod(known.shape)) if known.shape else 1
    wanted = max(1, min(PORTION, _LARGEST // size))
    held: list[StreamArrays] = []
    count = 0
    for chunk in recording.chunks(board, stream, start_s, end_s):
        if chunk.stream.shape != known.shape or chunk.stream.dtype != known.dtype:
            raise UsageError(
                f"{board}/{stream} changed its shape or type during the recording", str(recording.path),
                "measure the time before or after it with --from and --to",
            )  # fmt: skip
        if held and chunk.stream != held[-1].stream:
            yield end_to_end(held)
            held, count = [], 0
        held.append(chunk)
        count += len(chunk)
        if count >= wanted:
            whole = end_to_end(held)
            full = len(whole) - len(whole) % wanted
            for start in range(0, full, wanted):
                yield whole.part(slice(start, start + wanted))
            held = [whole.part(slice(full, None))] if full < len(whole) else []
            count = len(whole) - full
    if held:
        yield end_to_end(held)


def readings(portion: StreamArrays) -> npt.NDArray[np.float64]:
    """Return the readings of a portion in the stream's units, float64 `(N, *shape)`: sums need the digits."""
    stream = portion.stream
    made: npt.NDArray[np.float64] = portion.raw.astype(np.float64) * np.asarray(stream.scale) + np.asarray(
        stream.offset
    )
    return made
