"""Makes a whole file of what is left of a torn or damaged one.

Rule of this room: the damaged file is not touched. Every chunk that matches its checksum is kept, also those after a
damaged stretch, and the new file says where it comes from and what is missing.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hil.recording.copying import Copy
from hil.recording.header import sealed
from hil.recording.mcapfile import ChunkEntry
from hil.recording.mcapread import ChunkDamaged, McapFile
from hil.recording.mcaprecords import chunk_entry
from hil.recording.reader import Recording

__all__ = ["RECOVERED", "Recovered", "recover"]

RECOVERED = "hil/recovered"
"""Metadata of a recovered file: what it was made of and what is missing."""

_MARK = b"\x04\x00\x00\x00zstd"
_MARK_AT = 37
_BLOCK = 1 << 22


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of a damaged recording.

    Attributes:
        path: The new file.
        chunks: Chunks that were kept.
        samples: Samples in them.
        lost: What is missing, a sentence; None where nothing is.
        left_out: A sentence for each piece that could not be kept.
    """

    path: str
    chunks: int
    samples: int
    lost: str | None
    left_out: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def recover(path: str | Path, output: str | Path, progress: Callable[[float], None] | None = None) -> Recovered:
    """Write everything readable of a recording into a new file.

    Args:
        path: A torn, damaged or whole recording.
        output: A file that does not exist.
        progress: Called with the share that is done, 0 to 1.

    Raises:
        FileError: The recording cannot be read at all, or the new file cannot be written.
    """
    with Recording(path, skip_damaged=True) as recording:
        file, lost = recording.file, recording.lost
        known = {chunk.offset for chunk in file.chunks}
        more = [] if file.torn is None else [one for one in _after(file, file.torn.good) if one.offset not in known]
        copy = Copy(file, Path(output))
        copy.metadata(recording.metadata)
        copy.left_out += recording.damaged
        chunks = [*file.chunks, *more]
        for done in copy.chunks(chunks):
            if progress is not None:
                progress(done / len(chunks))
        if lost or copy.left_out:
            values = {"from": Path(path).name, "lost": lost or "", "left_out": "\n".join(copy.left_out)}
            copy.file.metadata(RECOVERED, sealed(values))
        copy.close()
    with Recording(output) as made:
        samples = sum(made.pieces.count(known.channel) for known in made.streams())
        return Recovered(str(output), len(made.file.chunks), samples, lost, tuple(copy.left_out))


def _after(file: McapFile, start: int) -> list[ChunkEntry]:
    """Return whole chunks that stand after a place where the records stop making sense."""
    found: list[ChunkEntry] = []
    at = start
    while at < file.size:
        block = file.bytes_at(at, _BLOCK)
        place = block.find(_MARK)
        if place < 0:
            at += max(1, len(block) - len(_MARK))
            continue
        begin = at + place - _MARK_AT
        at += place + len(_MARK)
        head = file.bytes_at(begin, 96)
        if begin < start or len(head) < 60:
            continue
        entry = chunk_entry(head, begin, int.from_bytes(head[1:9], "little"))
        if entry is None or begin + entry.length > file.size:
            continue
        try:
            file.unpack(entry)
        except ChunkDamaged:
            continue
        found.append(entry)
        at = begin + entry.length
    return found
