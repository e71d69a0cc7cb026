"""Where the readings of a model are in a recording: board, streams, columns, and how they become what it reads.

Rule of this room: what a configuration names is found by name or refused in a sentence that says what is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_bridge.errors import UsageError
from firmware_bridge.streams import Stream
from hil.models.conditioning import Conditioned, source_of
from hil.models.data_config import Conditioning, DataConfig, RecordingEntry

if TYPE_CHECKING:
    from hil.recording.reader import Recording

__all__ = ["Place", "place_in", "place_of", "streams_of"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the readings of a model are in a recording, and how they become what it reads.

    Attributes:
        board: Role.
        stream: Name.
        columns: Of its channels; of an image all.
        source: As the board sends it.
        wanted: Channel and unit of what is read.
        rate_hz: Rate of what is read.
        how: Conditioning; None: none.
        where: For messages.
    """

    board: str
    stream: str
    columns: list[int] | slice
    source: Stream
    wanted: tuple[tuple[str, str], ...]
    rate_hz: float
    how: Conditioning | None
    where: str

    def intake(self) -> Conditioned | None:
        """Return what conditions the stream, fresh; None where nothing is to be done."""
        if self.how is None:
            return None
        return Conditioned(self.source, self.wanted, self.rate_hz, self.how, self.where)

    def span(self, first: int, end: int) -> tuple[int, int]:
        """Return the board's own samples that samples `first` to `end` of what is read are made of."""
        intake = self.intake()
        if intake is None or intake.ratio is None:
            return first, end
        return source_of(first, intake.ratio) - intake.taps + 1, source_of(end - 1, intake.ratio) + 1


def place_of(recording: Recording, entry: RecordingEntry, config: DataConfig) -> Place:
    """Return where the one stream of a configuration is in a recording.

    Raises:
        UsageError: No stream fits.
    """
    role, streams = streams_of(recording, entry, config)
    return place_in(recording, role, streams[0], config)


def place_in(recording: Recording, role: str, stream: Stream, config: DataConfig) -> Place:
    """Return how one stream of a board is read; see `place_of`."""
    where = f"{recording.path}, {role}/{stream.name}"
    rate_hz = float(stream.rate_hz or 0.0)
    if config.conditioning is not None:
        units = config.units or tuple(_unit(stream, name, config) for name in config.channels)
        wanted = tuple(zip(config.channels, units, strict=True))
        return Place(role, stream.name, [], stream, wanted, config.rate_hz or rate_hz, config.conditioning, where)
    if stream.is_image or not config.channels:
        return Place(role, stream.name, slice(None), stream, (), rate_hz, None, where)
    columns = [stream.channels.index(name) for name in config.channels]
    wanted = tuple((stream.channels[at], stream.units[at]) for at in columns)
    return Place(role, stream.name, columns, stream, wanted, rate_hz, None, where)


def streams_of(recording: Recording, entry: RecordingEntry, config: DataConfig) -> tuple[str, list[Stream]]:
    """Return the board and the streams that are meant, the first with the rate that counts.

    Raises:
        UsageError: No board has them, several could be meant, or a rate is unknown.
    """
    axes = {} if config.conditioning is None else config.conditioning.axes
    wanted = {axes.get(name, name).removeprefix("-") for name in config.channels}
    offered: dict[str, list[Stream]] = {}
    for known in recording.streams():
        if entry.board in (None, known.board):
            offered.setdefault(known.board, []).append(known.stream)
    for role, streams in offered.items():
        if config.streams:
            named = [stream for name in config.streams for stream in streams if stream.name == name]
            fits = len({stream.name for stream in named}) == len(config.streams)
        else:
            named = [stream for stream in streams if wanted <= set(stream.channels)][:1]
            if not config.channels and len(streams) > 1:
                break
            fits = bool(named)
        if fits:
            if any(stream.rate_hz is None for stream in named):
                raise UsageError(
                    f"the rate of {role}/{named[0].name} is unknown", str(recording.path),
                    "give rate_hz in a board file",
                )  # fmt: skip
            return role, named
    whose = "it" if entry.board is None else f"board {entry.board}"
    names = "; ".join(f"{role}/{one.name}: {', '.join(one.channels)}" for role, all_ in offered.items() for one in all_)
    if config.streams or config.channels:
        what = f"no stream {' and '.join(config.streams)}" if config.streams else f"no stream with {', '.join(wanted)}"
    else:
        what = "several streams"
    raise UsageError(
        f"{whose} has {what} ({names or 'no streams'})",
        str(recording.path),
        "name its channels, or the streams to read",
    )


def _unit(stream: Stream, channel: str, config: DataConfig) -> str:
    axes = {} if config.conditioning is None else config.conditioning.axes
    return stream.units[stream.channels.index(axes.get(channel, channel).removeprefix("-"))]
