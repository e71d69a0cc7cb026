"""The C side of the table: `core/hil_nn_format.h`, and a blob as a C array for images that carry their model.

Rule of this room: text out, nothing else; `python -m firmware_bridge.oplist.cheader` prints the header, and a test
holds the file to it.
"""

import re
import struct
from enum import IntEnum

from firmware_bridge.oplist.table import (
    ARRAYS,
    HEADER,
    LIMITS,
    MAGIC,
    NAMES,
    RECORD,
    VERSION,
    Code,
    Raw,
    Reason,
    header_struct,
    record_struct,
)

__all__ = ["c_table", "format_header"]

_PER_LINE = 20


def format_header() -> str:
    """Return the text of `hil_nn_format.h`: places of fields, codes, reasons and limits."""
    lines = [
        "/* Made from firmware_bridge/oplist/table.py, which says what everything means; do not edit. */",
        "#ifndef HIL_NN_FORMAT_H",
        "#define HIL_NN_FORMAT_H",
        "",
        f"#define HIL_NN_MAGIC 0x{MAGIC:08X}u",
        f"#define HIL_NN_VERSION {VERSION}u",
        *(f"#define HIL_NN_{name} {value}" for name, value in LIMITS.items()),
        "",
        "/* Places in the header. */",
        *_places("HEADER", HEADER, header_struct.size),
        "",
        "/* Places in a record; there is one for each op, right behind the header. */",
        *_places("RECORD", RECORD, record_struct.size),
        "",
        "/* Arrays of an op, one behind the other:",
        *(
            f" * {NAMES[code]}: {name} {_C_TYPES[kind]}[{count}]"
            for code, arrays in ARRAYS.items()
            for name, kind, count in arrays
        ),
        " */",
        "",
        *_enum("hil_nn_code", "CODE", Code),
        "",
        *_enum("hil_nn_raw", "RAW", Raw),
        "",
        *_enum("hil_nn_reason", "REASON", Reason),
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"


def c_table(blob: bytes, name: str) -> str:
    """Return a blob as a C source file: `const uint8_t NAME[]` and `const uint32_t NAME_size`.

    Args:
        blob: An op list.
        name: Name of the array; what C does not allow in it becomes `_`.
    """
    symbol = re.sub(r"\W|^(?=\d)", "_", name, flags=re.ASCII)
    rows = [
        "    " + " ".join(f"{byte}," for byte in blob[at : at + _PER_LINE]) for at in range(0, len(blob), _PER_LINE)
    ]
    return "\n".join(
        [
            f"/* An op list of {len(blob)} bytes, for hil_nn_load. */",
            "#include <stdint.h>",
            "",
            f"extern const uint8_t {symbol}[];",
            f"extern const uint32_t {symbol}_size;",
            f"const uint8_t {symbol}[] = {{",
            *rows,
            "};",
            f"const uint32_t {symbol}_size = (uint32_t)sizeof {symbol};",
            "",
        ]
    )


_C_TYPES = {"b": "int8", "B": "uint8", "H": "uint16", "i": "int32", "I": "uint32", "q": "int64", "f": "float"}


def _places(prefix: str, fields: tuple[tuple[str, str, str], ...], size: int) -> list[str]:
    lines, at = [], 0
    for name, code, about in fields:
        define = f"#define HIL_NN_{prefix}_{name.upper()} {at}u"
        lines.append(f"{define:<42} /* {_C_TYPES[code]}: {about} */")
        at += struct.calcsize(f"<{code}")
    return [*lines, f"#define HIL_NN_{prefix}_BYTES {size}u"]


def _enum(name: str, prefix: str, values: type[IntEnum]) -> list[str]:
    rows = [f"    HIL_NN_{prefix}_{value.name} = {value.value}," for value in values]
    rows[-1] = rows[-1].rstrip(",")
    return ["typedef enum {", *rows, f"}} {name};"]


if __name__ == "__main__":
    print(format_header(), end="")
