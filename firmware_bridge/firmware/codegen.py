"""The C side of the wire, made from the same table as the Python side: `python -m firmware_bridge.firmware.codegen`.

Two files are written: `core/hil_messages.h` (codes, offsets, sizes, flags, and which payload lengths are right) and
`single/hil_board.h` (the whole core as one header for anyone's firmware). With `--check` nothing is written and the
exit status is 1 where a file is not what the table says.

Rule of this room: text in, text out; the table in `wire/messages.py` is the only place where the protocol is written.
"""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from firmware_bridge.wire.messages import HEADER, OFFSET, REASONS, STATUS_ROW, TABLE, VERSION, Flag, Kind, Shape

__all__ = ["FILES", "FOLDER", "main", "messages_header", "single_header"]

FOLDER = Path(__file__).parent

_WIDTH = {"B": 1, "H": 2, "I": 4}
_ROW = ("stream", "produced", "dropped", "starved", "credit", "consumed")
_MADE = "Made by `python -m firmware_bridge.firmware.codegen`; do not edit."
_CORE = ("hil_messages.h", "hil_bytes.h", "hil_crc.h", "hil_ring.h", "hal.h", "hil_frame.h", "hil_text.h",
         "hil_stream.h", "hil_board.h", "hil_command.h")  # fmt: skip
_SOURCES = (
    "hil_crc.c",
    "hil_ring.c",
    "hil_frame.c",
    "hil_text.c",
    "hil_stream.c",
    "hil_hello.c",
    "hil_command.c",
    "hil_board.c",
)


def messages_header() -> str:
    """Return `hil_messages.h`."""
    parts = [
        f"/* The native messages, version {VERSION}. {_MADE} */",
        "#ifndef HIL_MESSAGES_H\n#define HIL_MESSAGES_H\n\n#include <stdbool.h>\n#include <stdint.h>\n",
        f"enum {{ HIL_VERSION = {VERSION}, HIL_HEADER_SIZE = {HEADER.size}, HIL_OFFSET_SIZE = {OFFSET.size} }};\n",
        _enum("hil_kind", [(kind.name, f"0x{kind:02x}") for kind in Kind]),
        _enum("hil_flag", [(flag.name or "", f"0x{flag:02x}") for flag in Flag]),
        _enum("hil_reason", [(f"REFUSED_{_upper(text)}", str(code)) for code, text in REASONS.items()]),
        *(_layout(kind, shape) for kind, shape in TABLE.items()),
        _status_row(),
        _switch("hil_carries_crc16", "uint8_t kind", [kind for kind, shape in TABLE.items() if shape.crc16]),
        _fits(),
        "#endif",
    ]
    return "\n".join(parts) + "\n"


def _upper(text: str) -> str:
    return text.upper().replace(" ", "_")


def _enum(name: str, values: Sequence[tuple[str, str]]) -> str:
    body = ",\n".join(f"    HIL_{label} = {value}" for label, value in values)
    return f"enum {name} {{\n{body}\n}};\n"


def _layout(kind: Kind, shape: Shape) -> str:
    """Return offsets in the payload; those behind a tick are for 32-bit ticks, which is what the core sends."""
    at, rows = 0, []
    for field, code in shape.fields:
        rows.append(f"HIL_{kind.name}_{field.upper()}_AT = {at}")
        at += _WIDTH[code]
    rows.append(f"HIL_{kind.name}_SIZE = {at}")
    tail = f"; then {shape.tail}" if shape.tail else ""
    return f"/* {kind.name}: {shape.about}{tail}. */\nenum {{\n    " + ",\n    ".join(rows) + "\n};\n"


def _status_row() -> str:
    widths = [_WIDTH[code] for code in STATUS_ROW.format.strip("<")]
    rows, at = [], 0
    for field, width in zip(_ROW, widths, strict=True):
        rows.append(f"HIL_ROW_{field.upper()}_AT = {at}")
        at += width
    rows.append(f"HIL_ROW_SIZE = {at}")
    return "/* One row of STATUS for each stream. */\nenum {\n    " + ",\n    ".join(rows) + "\n};\n"


def _switch(name: str, argument: str, kinds: Sequence[Kind]) -> str:
    test = " || ".join(f"kind == HIL_{kind.name}" for kind in kinds)
    return (
        "/* Kinds whose frames carry CRC-16 whatever HELLO names. */\n"
        f"static inline bool {name}({argument})\n{{\n    return {test};\n}}\n"
    )


def _fits() -> str:
    cases = []
    for kind, shape in TABLE.items():
        narrow, wide = (shape.codec(flags).size for flags in (Flag.NONE, Flag.TICK64))
        size = str(narrow) if narrow == wide else f"(wide ? {wide} : {narrow})"
        sign = ">=" if shape.tail else "=="
        if not narrow and shape.tail:
            raise ValueError(f"{kind.name} has a tail and no fields")
        cases.append(f"    case HIL_{kind.name}:\n        return length {sign} {size};")
    return (
        "/* Whether a payload of this length can be this kind; false where the kind is unknown. */\n"
        "static inline bool hil_fits(uint8_t kind, uint8_t flags, uint16_t length)\n{\n"
        "    const bool wide = (flags & HIL_TICK64) != 0;\n\n    switch (kind) {\n"
        + "\n".join(cases)
        + "\n    default:\n        return false;\n    }\n}\n"
    )


def single_header() -> str:
    """Return the whole core as one header: declarations first, the code where HIL_BOARD_IMPLEMENTATION is defined."""
    about = (FOLDER / "single" / "about.txt").read_text("utf-8").rstrip()
    seen: set[str] = set()
    declared = "".join(_inlined(FOLDER / "core" / name, seen) for name in _CORE)
    code = "".join(_inlined(FOLDER / "core" / name, seen) for name in _SOURCES)
    defaults = _inlined(FOLDER / "single" / "hal_port.h", seen)
    system = "".join(f"#include {name}\n" for name in sorted(seen))
    return (
        f"/* {_MADE}\n\n{about}\n*/\n#ifndef HIL_BOARD_SINGLE_H\n#define HIL_BOARD_SINGLE_H\n\n{system}\n"
        f'#ifdef __cplusplus\nextern "C" {{\n#endif\n\n{defaults}{declared}\n#ifdef __cplusplus\n}}\n#endif\n\n'
        f"#endif /* HIL_BOARD_SINGLE_H */\n\n#ifdef HIL_BOARD_IMPLEMENTATION\n#ifndef HIL_BOARD_IMPLEMENTED\n"
        f'#define HIL_BOARD_IMPLEMENTED\n\n#ifdef __cplusplus\nextern "C" {{\n#endif\n\n{code}\n'
        f"#ifdef __cplusplus\n}}\n#endif\n\n#endif /* HIL_BOARD_IMPLEMENTED */\n#endif /* HIL_BOARD_IMPLEMENTATION */\n"
    )


def _inlined(path: Path, seen: set[str]) -> str:
    """Return a file without its includes and its guard; system headers are added to `seen`."""
    text = path.read_text("utf-8")
    seen.update(re.findall(r"^#include (<[^>]+>)", text, re.MULTILINE))
    text = re.sub(r"^#include .*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"#ifndef (HIL_\w+_H|HAL_\w*H)\n#define \1\n", "", text)
    if path.suffix == ".h":
        text = re.sub(r"#endif\s*\Z", "", text)
    text = re.sub(r"\n{3,}", "\n\n", text).strip()
    return f"\n/* ---- {path.name} ---- */\n\n{text}\n"


FILES: dict[str, Callable[[], str]] = {
    "core/hil_messages.h": messages_header,
    "single/hil_board.h": single_header,
}
"""What is made, by path below `FOLDER`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or with `--check` say which are not what the table says; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m firmware_bridge.firmware.codegen", description="Make the C side of the wire."
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file differs")
    chosen = parser.parse_args(arguments)
    stale = 0
    for name, make in FILES.items():
        path, text = FOLDER / name, make()
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        stale += 1
        if not chosen.check:
            path.write_text(text, "utf-8")
        sys.stderr.write(f"{name}: {'not what the table says' if chosen.check else 'written'}\n")
    return int(bool(chosen.check and stale))


if __name__ == "__main__":
    sys.exit(main())
