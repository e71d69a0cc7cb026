"""Whether everything in a file matches its checksums.

Rule of this room: every chunk has one, and a whole file one over all its data, so that an altered byte anywhere before
the summary is found; the summary has its own, and one that does not match is not believed when the file is opened.
"""

import struct
import zlib
from collections.abc import Callable

from hil.recording.mcapfile import Op
from hil.recording.mcapread import ChunkDamaged, McapFile

__all__ = ["check"]

_BLOCK = 1 << 22


def check(file: McapFile, progress: Callable[[float], None] | None = None) -> list[str]:
    """Read a whole file once; return a sentence for each piece that does not match its checksum.

    Args:
        file: The file.
        progress: Called with the share that is done, 0 to 1.
    """
    damaged = []
    for done, chunk in enumerate(file.chunks, 1):
        try:
            file.unpack(chunk)
        except ChunkDamaged as error:
            damaged.append(str(error))
        if progress is not None:
            progress(done / len(file.chunks))
    if not damaged and file.torn is None and not _data_holds(file):
        damaged.append("something between the chunks was altered")
    return damaged


def _data_holds(file: McapFile) -> bool:
    """Whether the checksum of the data section holds, or there is none."""
    (start,) = struct.unpack_from("<Q", file.bytes_at(file.size - 28, 8))
    end = (start or file.size - 37) - 13
    tail = file.bytes_at(end, 13)
    if len(tail) < 13 or tail[:9] != struct.pack("<BQ", Op.DATA_END, 4):
        return False
    wanted, crc = int.from_bytes(tail[9:], "little"), 0
    for at in range(0, end if wanted else 0, _BLOCK):
        crc = zlib.crc32(file.bytes_at(at, min(_BLOCK, end - at)), crc)
    return crc == wanted
