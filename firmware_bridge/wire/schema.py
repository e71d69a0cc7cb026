"""What may stand in a board file, version 1: the tables, their keys, their defaults.

Rule: nothing is accepted that means nothing (`extra="forbid"`), so that a misspelt key is a mistake and not a silence.
How a mistake is told is `boardfile`'s work, what the tables mean is `fields`' and `described`'s.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from firmware_bridge.wire.sums import SUMS

__all__ = [
    "BoardTable", "Checksum", "Clock", "Counting", "Document", "FieldEntry", "FrameTable", "LengthField", "LinesTable",
    "Place", "Repeat", "SerialTable", "StreamTable", "Validity", "Where",
]  # fmt: skip

Type = Literal[
    "u8", "i8", "u16", "i16", "u24", "i24", "u32", "i32", "u64", "i64", "f32", "f64"
]  # fmt: skip
Endian = Literal["little", "big"]
Hex = Annotated[str, Field(pattern=r"^\s*(?:[0-9a-fA-F]{2}\s*)*$")]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$", max_length=64)]
ColumnRef = str | int
Each = Finite | list[Finite]
Bits = Annotated[int, Field(ge=1, le=64)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, strict=True)


class BoardTable(_Table):
    """`[board]`: who it is. `note` is free text (where the description comes from)."""

    model: Annotated[str, Field(min_length=1)]
    serial: str = ""
    firmware: str = ""
    note: str = ""


class SerialTable(_Table):
    """`[serial]`: how to open the port; `on_connect` is sent then: text, or `hex:` and bytes."""

    baud: Annotated[int, Field(gt=0)] = 115200
    parity: Literal["none", "even", "odd", "mark", "space"] = "none"
    bits: Literal[5, 6, 7, 8] = 8
    stop: Literal[1, 2] = 1
    dtr: bool | None = None
    rts: bool | None = None
    on_connect: str | list[str] = []


class Place(_Table):
    """A number in a frame: `at` counts from the payload; `bits = [low, high]` cuts bits out of it."""

    at: int
    type: Type
    bits: Annotated[list[Annotated[int, Field(ge=0, le=63)]], Field(min_length=2, max_length=2)] | None = None


class LengthField(_Table):
    """Where the length stands (`at` counts from the frame's beginning) and what to add for the whole frame's."""

    at: Annotated[int, Field(ge=0)]
    type: Literal["u8", "u16", "u24", "u32"]
    add: int = 0
    endian: Endian | None = None


class Checksum(_Table):
    """Which checksum over which bytes; places count from the frame's beginning, negative ones from its end."""

    kind: Literal[tuple(SUMS)]  # type: ignore[valid-type]
    first: int = Field(0, alias="from")
    to: int | None = None
    at: int | None = None
    endian: Endian | None = None


class Ids(_Table):
    """Where the kind of message stands; `at` counts from the frame's beginning."""

    at: Annotated[int, Field(ge=0)]
    size: Annotated[int, Field(ge=1, le=8)] = 1


class FrameTable(_Table):
    """`[frame]`: how frames are found in the bytes."""

    sync: Hex = ""
    stuffing: Literal["none", "cobs", "slip", "hdlc"] = "none"
    length: Annotated[int, Field(ge=1)] | LengthField | None = None
    max_length: Annotated[int, Field(ge=1, le=1 << 20)] = 4096
    payload: Annotated[int, Field(ge=0)] = 0
    endian: Endian = "little"
    checksum: Checksum | None = None
    id: Ids | None = None
    ignore: list[Hex] = []
    text: Literal["log", "skip"] | None = None


class LinesTable(_Table):
    """`[lines]`: how lines of text are read."""

    format: Literal["csv", "pairs", "json"] = "csv"
    separator: Literal[",", ";", "tab", "space", "|", ":"] = ","
    columns: list[str] = []
    tag: ColumnRef | None = None
    comment: list[str] = []
    skip: list[str] = []
    decimal: Literal[".", ","] = "."
    newline: str = "\n"


class FieldEntry(Place):
    """One channel in a frame."""

    name: str
    unit: str = "?"
    scale: Finite = 1.0
    offset: Finite = 0.0


class Repeat(_Table):
    """Groups of fields that repeat: `size` bytes each from `at`; `count`: how many, where that stands, or `rest`."""

    at: Annotated[int, Field(ge=0)]
    size: Annotated[int, Field(ge=1)]
    count: Annotated[int, Field(ge=1)] | Place | Literal["rest"] = "rest"


class Where(Place):
    """Only groups (without `repeat`: frames) in which this number is one of `equals`."""

    equals: int | list[int]


class Clock(_Table):
    """`tick`: the board's time, from a `column` or from `at`/`type` in a frame.

    `unit` (of a column) or `hz` say how fast it runs; `format`: `number`, `date`, or `delta` for the time since the
    sample before; `step`: ticks between the samples of one frame; `group`: it stands in each repeated group.
    """

    column: ColumnRef | None = None
    at: int | None = None
    type: Type | None = None
    unit: Literal["s", "ms", "us", "ns", "min"] | None = None
    hz: Positive | None = None
    bits: Bits | None = None
    format: Literal["number", "date", "delta"] = "number"
    step: Finite | None = None
    group: bool = False


class Counting(_Table):
    """`counter`: numbers of samples, wrapping after `bits` bits; `per = "frame"` when it counts frames of samples."""

    column: ColumnRef | None = None
    at: int | None = None
    type: Type | None = None
    bits: Bits | None = None
    per: Literal["sample", "frame"] = "sample"
    group: bool = False


class Validity(_Table):
    """`valid`: the board trusts a sample when this equals one of `equals` (after `mask`)."""

    column: ColumnRef | None = None
    at: int | None = None
    type: Type | None = None
    equals: Finite | list[Finite] = 1
    mask: Annotated[int, Field(ge=1)] | None = None
    group: bool = False


class StreamTable(_Table):
    """`[[stream]]`: one series and where its readings stand.

    In `[lines]`: `columns` (all that have no other use where left out), `tag`, `line` (names of the columns of lines
    with this tag). In `[frame]`: `id`, and `fields`, or `at`, `type` and `shape` for an array.
    """

    name: Name
    columns: list[ColumnRef] = []
    line: list[str] = []
    channels: list[str] = []
    tag: str = ""
    id: Hex | list[Hex] = []
    fields: list[FieldEntry] = []
    at: int | None = None
    type: Type | None = None
    repeat: Repeat | None = None
    where: Where | None = None
    dtype: Type | None = None
    shape: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1, max_length=2)] | None = None
    unit: str | list[str] = "?"
    scale: Each = 1.0
    offset: Each = 0.0
    rate: Positive | None = None
    tick: Clock | None = None
    counter: Counting | None = None
    valid: Validity | None = None


class Document(_Table):
    """A whole board file."""

    schema_: Literal[1] = Field(alias="schema")
    board: BoardTable
    serial: SerialTable = SerialTable()
    frame: FrameTable | None = None
    lines: LinesTable | None = None
    stream: Annotated[list[StreamTable], Field(min_length=1)]
