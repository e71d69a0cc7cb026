"""The `[data]` table: which readings, whose they are, and what they are called.

Rule of this room: no torch here. The same table stands in a training configuration and alone in a file of its own; a
folder of recordings is the shortest form of it. A mistake names file and key, what was found and what is allowed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.missing import missing
from hil.models.configfile import checked, plain_of

__all__ = ["Conditioning", "DataConfig", "NpzLayout", "RecordingEntry", "load_data_config"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NpzLayout(_Part):
    """Where things are in an NPZ file whose series lie end to end.

    Attributes:
        file: The file.
        readings: Array `(N, C)`, or of frames `(N, H, W)`.
        length: Array of samples per series.
        label: Array of one label index per series.
        person: Array of one person per series.
        labels: Array of label names.
        channels: Array of channel names.
        scale: Array of factors to the units, one a channel; empty where readings are in units already.
        day: Array of one day per series; empty where nobody said.
        device: Array of one device per series; empty where nobody said.
    """

    file: str
    readings: str = "X"
    length: str = "length"
    label: str = "y"
    person: str = "subject"
    labels: str = "y_labels"
    channels: str = "X_labels"
    scale: str = ""
    day: str = ""
    device: str = ""
    units: Annotated[tuple[str, ...], Field(min_length=1)]
    rate_hz: Annotated[float, Field(gt=0)]


class RecordingEntry(_Part):
    """One recording to learn from.

    Attributes:
        file: The recording.
        person: Who wears the board; None: what the recording says.
        board: Role of the board; None: the one that has the channels.
        label: Label of all of it; None: the labels marked in it.
        day: When, as far as days go; None: what the recording says (`--meta day=...`).
        device: Which board; None: what the recording says, else the board's serial number.
    """

    file: str
    person: str | None = None
    board: str | None = None
    label: str | None = None
    day: str | None = None
    device: str | None = None


class Conditioning(_Part):
    """What is done to a stream before a model reads it, live and offline alike; without it a stream fits or is refused.

    Attributes:
        units: `convert`: another unit of the same quantity is converted (`m/s2` to `g`).
        rate: `resample`: a stream of another rate goes through a causal filter, its phase fixed by the sample number.
        axes: Channel of the stream that each channel of the model reads, `-` before it for the other direction.
    """

    units: Literal["exact", "convert"] = "exact"
    rate: Literal["exact", "resample"] = "exact"
    axes: dict[str, Annotated[str, Field(pattern=r"^-?[^-].*$")]] = Field(default_factory=dict)


class DataConfig(_Part):
    """What to learn from: an NPZ file, recordings, or a folder of them.

    Attributes:
        npz: A file of series and where things are in it.
        recordings: Recordings with labels.
        folder: A folder all of whose recordings are meant, each saying itself whose it is.
        streams: Names of the streams to read from recordings, side by side by sample number; empty: the one stream
            that has the channels. A model reads one stream; several serve a baseline.
        channels: Channels to read from recordings, in the network's order; empty: all of `streams`.
        units: Units of the channels, where recordings are converted.
        rate_hz: Rate, where recordings are resampled.
        conditioning: What is done to recordings, and to the streams of live boards, before the model reads them.
        labels: Labels to tell apart in recordings; empty: all that occur, by name.
        by: What belongs together and is held out together; days and devices stand where people do otherwise.
        held_out: People (days, devices) never seen in training; the model is judged on them.
        source: Where the data come from, for the card.
        licence: Their licence, for the card.
    """

    npz: NpzLayout | None = None
    recordings: tuple[RecordingEntry, ...] = ()
    folder: str = ""
    streams: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    rate_hz: Annotated[float, Field(gt=0)] | None = None
    conditioning: Conditioning | None = None
    labels: tuple[str, ...] = ()
    by: Literal["person", "day", "device"] = "person"
    held_out: tuple[str, ...] = ()
    source: str = ""
    licence: str = ""

    @model_validator(mode="after")
    def _one(self) -> DataConfig:
        if sum((self.npz is not None, bool(self.recordings), bool(self.folder))) != 1:
            raise ValueError("give one of npz, recordings and folder")
        if self.recordings and not (self.channels or self.streams):
            raise ValueError("give the channels to read from the recordings, or the streams")
        if self.conditioning is not None and (self.npz is not None or not self.channels):
            raise ValueError("conditioning needs recordings and the channels to read from them")
        if self.conditioning is not None and self.conditioning.units == "convert" and not self.units:
            raise ValueError("give the units to convert to")
        if self.conditioning is not None and self.conditioning.rate == "resample" and self.rate_hz is None:
            raise ValueError("give the rate_hz to resample to")
        if self.units and len(self.units) != len(self.channels):
            raise ValueError(f"there are {len(self.units)} units for {len(self.channels)} channels")
        return self

    def entries(self, base: str | os.PathLike[str]) -> tuple[RecordingEntry, ...]:
        """Return the recordings that are meant, those of a folder in order of their names.

        Args:
            base: What relative names are relative to.

        Raises:
            FileError: There is no such folder, or no recording in it.
        """
        if not self.folder:
            return self.recordings
        folder = Path(base, self.folder)
        if not folder.is_dir():
            raise missing(folder, "no such folder", "check the path")
        files = sorted(folder.rglob("*.mcap"))
        if not files:
            raise FileError("no recording (.mcap) is in it", str(folder), "record, or `hil import` what you have")
        return tuple(RecordingEntry(file=str(Path(self.folder, file.relative_to(folder)))) for file in files)


def load_data_config(path: str | os.PathLike[str]) -> DataConfig:
    """Read the `[data]` table of a TOML file, whatever else stands in it; a folder is a table that names it.

    Raises:
        FileError: It cannot be read.
        UsageError: It is no TOML, has no such table, or a key of it is wrong.
    """
    where = str(path)
    if os.path.isdir(path):
        return DataConfig(folder=where)
    if where.endswith(".mcap"):
        raise UsageError("it is one recording", where, "give the folder that it lies in: all in it are one dataset")
    plain = plain_of(path, "give a TOML file with a [data] table, or a folder of recordings")
    if "data" not in plain:
        raise UsageError("it has no [data] table", where, "say which recordings, or which NPZ file")
    return checked(DataConfig, plain["data"], where, "data")
