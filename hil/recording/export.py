"""Recordings for other tools: CSV, NPZ, Parquet, WAV, and MCAP with the marks baked in.

Rule of this room: what is exported is what was received: a gap is a jump of `number`, never a filled value, and a WAV
file, which cannot say so, is one file a stretch without gaps. Existing files are never overwritten.
"""

from collections.abc import Callable
from pathlib import Path

from firmware_bridge.errors import UsageError
from hil.recording.bake import bake
from hil.recording.reader import Recording
from hil.recording.tables import write_csv, write_npz, write_parquet
from hil.recording.wav import write_wav

__all__ = ["FORMATS", "export"]

FORMATS = ("csv", "npz", "parquet", "wav", "mcap")
"""Formats that a recording can be exported to."""

Progress = Callable[[float], None]


def export(
    path: str | Path, output: str | Path, form: str | None = None, streams: list[str] | None = None,
    start_s: float | None = None, end_s: float | None = None, progress: Progress | None = None,
) -> list[Path]:  # fmt: skip
    """Write a recording in another format.

    Args:
        path: The recording.
        output: A file; a folder where several files are made (CSV, Parquet and WAV of several streams).
        form: One of `FORMATS`; None: by the suffix of `output`.
        streams: Streams as `board/stream` or only `stream`; None: all.
        start_s: From this time on, in seconds since the first sample.
        end_s: Before this time.
        progress: Called with the share that is done, 0 to 1.

    Returns:
        The files that were made.

    Raises:
        UsageError: There is no such format or stream, or MCAP is asked for a part.
        FileError: A file exists or cannot be written.
        MissingPart: pyarrow is not installed (Parquet).
    """
    output = Path(output)
    form = form or output.suffix.lstrip(".").lower()
    if form not in FORMATS:
        raise UsageError(f"there is no format {form!r}", "--format", f"choose one of {', '.join(FORMATS)}")
    with Recording(path) as recording:
        if form == "mcap":
            if streams or start_s is not None or end_s is not None:
                raise UsageError("an MCAP export is always whole", "--format mcap", "leave out streams and times")
            return [bake(recording, output, progress)]
        names = _chosen(recording, streams)
        if not names:
            raise UsageError("the recording has no samples", str(path), "look at it with `hil info`")
        if form == "npz":
            return [write_npz(recording, names, output, start_s, end_s, progress)]
        write = {"csv": write_csv, "parquet": write_parquet, "wav": write_wav}[form]
        made: list[Path] = []
        for done, (board, stream) in enumerate(names, 1):
            whole = len(names) == 1 and output.suffix.lower() == f".{form}"
            target = output if whole else output / f"{_safe(board)}-{_safe(stream)}.{form}"
            made += write(recording, recording.chunks(board, stream, start_s, end_s), target)
            if progress is not None:
                progress(done / len(names))
        return made


def _chosen(recording: Recording, streams: list[str] | None) -> list[tuple[str, str]]:
    there = list(dict.fromkeys((known.board, known.stream.name) for known in recording.streams()))
    if streams is None:
        return there
    found = []
    for wanted in streams:
        matches = [(board, stream) for board, stream in there if wanted in (f"{board}/{stream}", stream)]
        if not matches:
            names = ", ".join(f"{board}/{stream}" for board, stream in there)
            raise UsageError(f"there is no stream {wanted}", str(recording.path), f"it has {names}")
        found += matches
    return list(dict.fromkeys(found))


def _safe(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)
