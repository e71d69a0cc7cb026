"""Copies a recording, chunk by chunk, into a new whole file; some channels may be left out.

Rule of this room: messages are copied bit for bit under the same channel ids; only the container around them is new.
What cannot be copied is listed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from hil.recording.files import NewFile, explain
from hil.recording.mcapfile import ChunkEntry, McapWriter, Run
from hil.recording.mcapread import ChunkDamaged, McapFile
from hil.recording.mcaprecords import walk_records

__all__ = ["Copy"]


class Copy:
    """A new file that takes over the content of another.

    Args:
        source: What is copied.
        path: A file that does not exist.
        without: Channels that are not taken over.
        library: Who copies, for the file's header.

    Raises:
        FileError: The file exists or may not be made.
    """

    def __init__(self, source: McapFile, path: Path, without: Collection[int] = (), library: str = "hil") -> None:
        self.path = path
        self.left_out: list[str] = []
        """Sentences about what could not be copied."""
        self._source = source
        self._sink = NewFile(path)
        self.file = McapWriter(self._sink, library)
        schemas: dict[tuple[str, str, bytes], int] = {}
        self._without = frozenset(without)
        for channel in source.channels.values():
            if channel.id in self._without:
                continue
            if channel.schema not in schemas:
                schemas[channel.schema] = self.file.schema(*channel.schema)
            self.file.channel(
                channel.topic, channel.encoding, schemas[channel.schema], channel.metadata, number=channel.id
            )

    def metadata(self, metadata: Iterable[tuple[str, Mapping[str, str]]] | None = None) -> None:
        """Copy metadata (all, or what is given in its place) and attachments."""
        for name, values in self._source.metadata if metadata is None else metadata:
            self.file.metadata(name, values)
        for name, media_type in dict(self._source.attachments).items():
            try:
                self.file.attachment(name, media_type, self._source.attachment(name), 0)
            except OSError as error:
                self.left_out.append(str(error))

    def chunks(self, chunks: Sequence[ChunkEntry], without: Collection[int] = ()) -> Iterable[int]:
        """Copy chunks, without the messages of some channels; yield how many are done."""
        left_out = self._without | set(without)
        for done, chunk in enumerate(chunks, 1):
            try:
                data = self._source.unpack(chunk)
                walked = walk_records(data)
                there = walked.keys() & self._source.channels.keys()
                runs = [Run(channel, *walked[channel]) for channel in sorted(there - left_out)]
            except ChunkDamaged as error:
                self.left_out.append(str(error))
                continue
            if walked.keys() & left_out or len(there) < len(walked):
                data, runs = _only(data, runs)
            if runs:
                self.file.chunk(data, runs)
            self._commit()
            yield done

    def close(self) -> None:
        """Complete the file.

        Raises:
            FileError: The disk took no more.
        """
        try:
            self.file.finish()
        except OSError as error:
            raise explain(error, self.path) from error
        finally:
            self._sink.close()

    def _commit(self) -> None:
        try:
            self.file.commit()
        except OSError as error:
            raise explain(error, self.path) from error


def _only(data: bytes, runs: Sequence[Run]) -> tuple[bytes, list[Run]]:
    """Return the records of some channels end to end, and where they are now."""
    places = sorted(
        (int(place), run.channel, int(time)) for run in runs for time, place in zip(run.times, run.offsets, strict=True)
    )
    records: list[bytes] = []
    found: dict[int, list[tuple[int, int]]] = {}
    size = 0
    for place, channel, time in places:
        length = 9 + int.from_bytes(data[place + 1 : place + 9], "little")
        records.append(data[place : place + length])
        found.setdefault(channel, []).append((time, size))
        size += length
    moved = []
    for channel, entries in found.items():
        both = np.array(entries, np.uint64)
        moved.append(Run(channel, both[:, 0], both[:, 1]))
    return b"".join(records), moved
