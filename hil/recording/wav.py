"""Samples as sound: WAV files, one for every stretch without gaps.

Rule of this room: a sample of the file is a sample of the stream, unscaled where its type is one of WAV's (8, 16, 32
bits, floats), else its reading in the stream's unit as a 32-bit float. Nothing is filled in.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from firmware_bridge.errors import UsageError
from hil.recording.arrays import StreamArrays, end_to_end
from hil.recording.files import NewFile, explain
from hil.recording.reader import Recording

__all__ = ["write_wav"]


def write_wav(recording: Recording, pieces: Iterator[StreamArrays], target: Path) -> list[Path]:
    """Write a stream as WAV: `NAME.wav`, and `NAME.2.wav` and so on after gaps; return the files."""
    made: list[Path] = []
    for arrays in _stretches(pieces):
        rate = arrays.stream.rate_hz
        if not rate or arrays.stream.is_image:
            raise UsageError(
                f"{arrays.board}/{arrays.stream.name} has no rate or is an image",
                str(recording.path),
                "export it as csv",
            )
        raw = arrays.raw
        code = f"{raw.dtype.kind}{raw.dtype.itemsize}"
        data = raw if code in ("u1", "i2", "i4", "f4", "f8") else arrays.values
        form, channels, width = (3 if data.dtype.kind == "f" else 1), data.shape[1], data.dtype.itemsize
        path = target if not made else target.with_name(f"{target.stem}.{len(made) + 1}{target.suffix}")
        body = np.ascontiguousarray(data.astype(data.dtype.newbyteorder("<"))).tobytes()
        hertz = max(1, round(rate))
        head = struct.pack("<4sIHHIIHH", b"fmt ", 16, form, channels, hertz, hertz * channels * width, channels * width,
                           8 * width)  # fmt: skip
        whole = b"WAVE" + head + struct.pack("<4sI", b"data", len(body)) + body + b"\0" * (len(body) % 2)
        sink = NewFile(path)
        try:
            sink.write(struct.pack("<4sI", b"RIFF", len(whole)) + whole)
        except OSError as error:
            raise explain(error, path) from error
        finally:
            sink.close()
        made.append(path)
    return made


def _stretches(pieces: Iterator[StreamArrays]) -> Iterator[StreamArrays]:
    """Join pieces that follow each other without a gap."""
    held: list[StreamArrays] = []
    for piece in pieces:
        for segment in piece.segments:
            part = piece.part(segment)
            last = held[-1] if held else None
            follows = last is not None and last.stream == part.stream and part.first == int(last.numbers[-1]) + 1
            if held and not (follows and last is not None and last.boot[-1] == part.boot[0]):
                yield end_to_end(held)
                held = []
            held.append(part)
    if held:
        yield end_to_end(held)
