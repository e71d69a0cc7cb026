"""Streams as pandas frames, where pandas is installed."""

from typing import TYPE_CHECKING

from firmware_bridge.errors import MissingPart
from hil.recording.arrays import StreamArrays

if TYPE_CHECKING:
    import pandas

__all__ = ["frame_of"]


def frame_of(arrays: StreamArrays) -> "pandas.DataFrame":
    """Return readings in units, one column a channel (pixels of an image by row), indexed by `t_s`.

    `number`, `boot` and `t_ns` are columns too.

    Raises:
        MissingPart: pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise MissingPart("frames need pandas", "frame", "`pip install pandas`, or use `read` for arrays") from error
    flat = arrays.values.reshape(len(arrays), -1)
    names = list(arrays.stream.channels)
    if len(names) != flat.shape[1]:
        names = [f"{names[0] if names else 'value'}_{place}" for place in range(flat.shape[1])]
    frame = pandas.DataFrame(flat, columns=names, index=pandas.Index(arrays.t_s, name="t_s"))
    for name, column in (("number", arrays.numbers), ("boot", arrays.boot), ("t_ns", arrays.t_ns)):
        frame.insert(0, name, column)
    return frame
