"""Board files: a board nobody has met, described in TOML and without code.

A file is read whole: every mistake in it is told at once, with the key, what was found, what is allowed and the nearest
valid name. A newer schema is refused in a sentence. The text travels with every recording (`BoardFile.text`), so that
the same dialect can be made again.
"""

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from firmware_bridge.errors import BoardFileError
from firmware_bridge.missing import unread
from firmware_bridge.streams import BoardInfo, Stream
from firmware_bridge.wire.described import describe_lines
from firmware_bridge.wire.dialect import Dialect
from firmware_bridge.wire.fieldplan import FramePlan, describe_frames
from firmware_bridge.wire.fields import FieldDialect
from firmware_bridge.wire.lines import TextDialect
from firmware_bridge.wire.matcher import Matcher
from firmware_bridge.wire.schema import Document, SerialTable

__all__ = ["SCHEMA", "BoardFile", "SerialSettings", "load_board_file", "parse_board_file"]

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class SerialSettings:
    """How to open the port of a described board.

    Attributes:
        baud: Bits a second.
        parity: `none`, `even`, `odd`, `mark` or `space`.
        bits: Data bits.
        stop: Stop bits.
        dtr: State of the line after opening; None: leave it.
        rts: State of the line after opening; None: leave it.
        on_connect: Bytes to write once it is open.
    """

    baud: int = 115200
    parity: str = "none"
    bits: int = 8
    stop: int = 1
    dtr: bool | None = None
    rts: bool | None = None
    on_connect: bytes = b""


@dataclass(frozen=True, slots=True, eq=False)
class BoardFile:
    """A described board.

    Attributes:
        text: The file's text.
        file: Its name, for messages.
        info: Who the board is and what it sends.
        serial: How to open its port.
        says_serial: Whether the file has a `[serial]` table (else the port's own options hold).
    """

    text: str
    file: str
    info: BoardInfo
    serial: SerialSettings
    says_serial: bool
    _rules: Matcher | FramePlan

    @property
    def streams(self) -> tuple[Stream, ...]:
        """What the board sends."""
        return self.info.streams

    def dialect(self, whole: bool = False) -> Dialect:
        """Return a fresh dialect that reads this board.

        Args:
            whole: Whether the bytes begin and end where the board's output does, as in a file.
        """
        if isinstance(self._rules, FramePlan):
            return FieldDialect(self._rules, self.info)
        return TextDialect(self._rules, self.info, whole)


def load_board_file(path: str | Path) -> BoardFile:
    """Read a board file.

    Raises:
        FileError: It cannot be read.
        BoardFileError: It has mistakes; all of them are told.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise unread(error, path, "check its path", "the board file") from error
    return parse_board_file(text, str(path))


def parse_board_file(text: str, file: str = "board file") -> BoardFile:
    """Read the text of a board file.

    Args:
        text: TOML.
        file: Its name, for messages.

    Raises:
        BoardFileError: It has mistakes; all of them are told.
    """
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BoardFileError(f"this is no valid TOML: {error}", file, "correct that line") from error
    schema = plain.get("schema", "nothing")
    if isinstance(schema, int) and schema > SCHEMA:
        raise BoardFileError(
            f"it is written in schema {schema} and this program reads up to {SCHEMA}", file, "update this program"
        )
    try:
        document = Document.model_validate(plain)
    except ValidationError as error:
        raise _refusal(file, [_sentence(one) for one in error.errors()]) from error
    mistakes: list[str] = []
    if (document.frame is None) == (document.lines is None):
        found = "both" if document.frame is not None else "neither"
        raise _refusal(file, [f"exactly one of [frame] and [lines] is needed, {found} was found"])
    names = [stream.name for stream in document.stream]
    mistakes += [
        f"stream.name: {name!r} was found {names.count(name)} times, each stream needs its own name"
        for name in sorted(set(names))
        if names.count(name) > 1
    ]
    on_connect = _bytes_to_send(document.serial, mistakes)
    rules: Matcher | FramePlan | None
    if document.lines is not None:
        rules, streams = describe_lines(document.lines, document.stream, mistakes)
    else:
        assert document.frame is not None
        rules, streams = describe_frames(document.frame, document.stream, mistakes)
    if mistakes or rules is None:
        raise _refusal(file, mistakes)
    board, serial = document.board, document.serial
    info = BoardInfo(
        board.model, board.serial, board.firmware, streams, "lines" if document.lines is not None else "fields"
    )
    settings = SerialSettings(serial.baud, serial.parity, serial.bits, serial.stop, serial.dtr, serial.rts, on_connect)
    return BoardFile(text, file, info, settings, "serial" in plain, rules)


def _bytes_to_send(serial: SerialTable, mistakes: list[str]) -> bytes:
    parts = [serial.on_connect] if isinstance(serial.on_connect, str) else serial.on_connect
    sent = b""
    for part in parts:
        if not part.startswith("hex:"):
            sent += part.encode()
            continue
        try:
            sent += bytes.fromhex(part[4:])
        except ValueError:
            mistakes.append(
                f"serial.on_connect: {part!r} was found, after `hex:` pairs of hexadecimal digits are allowed"
            )
    return sent


def _refusal(file: str, mistakes: list[str]) -> BoardFileError:
    many = f"{len(mistakes)} mistakes: " if len(mistakes) > 1 else ""
    numbered = [f"({number}) {text}" for number, text in enumerate(mistakes, 1)] if many else mistakes
    return BoardFileError(many + "; ".join(numbered), file, "correct the file and try again")


def _model_at(path: tuple[Any, ...]) -> type[BaseModel] | None:
    """Return the table class in which the last key of `path` stands."""
    model: type[BaseModel] | None = Document
    for part in path:
        if model is None or isinstance(part, int):
            continue
        known = {(info.alias or name): info for name, info in model.model_fields.items()}
        if part in known:
            model = _inner(known[part].annotation)
        elif isinstance(part, str) and part[:1].isupper():
            continue  # pydantic names the member of a union
    return model


def _inner(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        if (found := _inner(argument)) is not None:
            return found
    return None


def _sentence(error: Any) -> str:
    """Turn one finding of pydantic into: key, what was found, what is allowed, the nearest valid name."""
    path = tuple(part for part in error["loc"] if not (isinstance(part, str) and _is_member(part)))
    key = ".".join(str(part + 1) if isinstance(part, int) else part for part in path)
    kind, given = error["type"], error.get("input")
    if kind == "extra_forbidden":
        model = _model_at(path[:-1])
        names = [info.alias or name for name, info in model.model_fields.items()] if model is not None else []
        near = get_close_matches(str(path[-1]), names, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        return f"{key}: there is no such key, {hint}allowed are {', '.join(names)}"
    if kind == "missing":
        return f"{key}: this key is missing"
    if kind == "literal_error":
        expected = error["ctx"]["expected"]
        choices = [choice.strip("' ") for choice in expected.replace(" or ", ", ").split(",")]
        near = get_close_matches(str(given), choices, 1)
        hint = f", did you mean {near[0]!r}?" if near else ""
        return f"{key}: {given!r} was found, allowed are {expected}{hint}"
    return f"{key}: {given!r} was found, {error['msg'][:1].lower()}{error['msg'][1:]}"


def _is_member(part: str) -> bool:
    """Whether a part of a path is pydantic's name of a union's member rather than a key."""
    return part[:1].isupper() or "[" in part or part in ("int", "float", "str", "bool")
