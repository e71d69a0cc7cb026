"""A recording written again with its marks inside, for tools that know nothing of the file beside it."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hil.recording.copying import Copy
from hil.recording.header import sealed
from hil.recording.mcapfile import Op, Run
from hil.recording.notes import SCHEMAS, event_text, topic_of
from hil.recording.reader import Recording

__all__ = ["bake"]


def bake(recording: Recording, target: Path, progress: Callable[[float], None] | None) -> Path:
    """Write a whole recording again with the marks of its sidecar in place of those recorded; return the file."""
    copy = Copy(recording.file, target)
    copy.metadata()
    old = {channel.id for channel in recording.pieces.channels("marks")}
    for done in copy.chunks(recording.file.chunks, without=old):
        if progress is not None:
            progress(done / len(recording.file.chunks))
    marks = recording.marks
    if marks:
        channel = min(old, default=0)
        if not channel:
            name, schema = SCHEMAS["marks"]
            number = max(recording.file.channels, default=0) + 1
            about = sealed({"kind": "marks", "board": "", "model": ""})
            copy.file.channel(
                topic_of("marks", ""), "json", copy.file.schema(name, "jsonschema", schema), about, number
            )
            channel = number
        records, places, size = [], [], 0
        for sequence, mark in enumerate(marks, 1):
            data = event_text(mark, noted=True)
            head = struct.pack("<BQHIQQ", Op.MESSAGE, 22 + len(data), channel, sequence, mark.t_ns, mark.t_ns)
            records.append(head + data)
            places.append((mark.t_ns, size))
            size += len(records[-1])
        both = np.array(places, np.uint64)
        copy.file.chunk(b"".join(records), [Run(channel, both[:, 0], both[:, 1])])
    copy.close()
    return target
