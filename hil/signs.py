"""Signs for a terminal or a pipe that cannot take all of ours: a plain one stands in, and nothing ends in a traceback.

Rule of this room: pure tables and two error handlers of codecs. On a screen a sign keeps its width (`SCREEN`), so that
columns stay where they are; in lines of text a word may be longer (`LINES`: `sqrt` for the root, `...` for the dots).
"""

import codecs
import io
import os
import unicodedata
from collections.abc import Callable
from typing import TextIO

__all__ = ["LINES", "SCREEN", "fits_terminal", "speak", "substitute"]

SCREEN, LINES = "hil.signs", "hil.words"
"""Names of the two handlers, for `errors=` of a stream."""

SIGNS = {
    sign: plain
    for plain, signs in {
        ".": "·◌", "~": "…±∿≈", "x": "✖×", "o": "°", "u": "µμ", "-": "−—–‑─━╌", "v": "✔✓▾▼↓", "r": "√", ">": "▸▶→≥",
        "<": "◂◀←≤", "^": "▲▴↑", "*": "●", "O": "◉Ω", "#": "■", "/": "↗", "\\": "↘", "|": "│┃┊┆❚▌▐", "8": "∞",
        "h": "½", "D": "ΔΔ", "s": "σ", "S": "§", "'": "‘’", '"': "“”", "!": "≠", "2": "²", "3": "³", "=": "═",
    }.items()
    for sign in signs
}  # fmt: skip
"""A plain sign of the same width, by the sign that it stands for."""

WORDS = {"…": "...", "√": "sqrt", "±": "+-", "→": "->", "←": "<-", "≤": "<=", "≥": ">=", "½": "1/2", "∞": "inf",
         "Ω": "Ohm", "°": "deg"}  # fmt: skip

DOTS = " ..:::###"
"""What stands for a Braille character, by how many of its dots are set."""


def substitute(character: str, words: bool = False) -> str:
    """Return ASCII for one character: as wide as it is, or a word where `words` are welcome."""
    if words and character in WORDS:
        return WORDS[character]
    if (plain := SIGNS.get(character)) is not None:
        return plain
    code = ord(character)
    if 0x2800 <= code <= 0x28FF:
        return DOTS[(code & 0xFF).bit_count()]
    if 0x2500 <= code <= 0x257F:
        return "+"
    if 0x2580 <= code <= 0x259F:
        return "#" if code >= 0x2585 and code not in (0x2591, 0x2592) else "."
    decomposed = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    if decomposed and (words or len(decomposed) == 1):
        return decomposed
    return "??" if unicodedata.east_asian_width(character) in "WF" else "?"


def _handler(words: bool) -> Callable[[UnicodeError], tuple[str, int]]:
    def handle(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeEncodeError):
            raise error
        return "".join(substitute(one, words) for one in error.object[error.start : error.end]), error.end

    return handle


codecs.register_error(SCREEN, _handler(words=False))
codecs.register_error(LINES, _handler(words=True))


def speak(stream: TextIO | None, *, data: bool = False) -> None:
    """Let a stream say what its encoding lacks with plain signs; where it is data for a file or a pipe, as UTF-8.

    Every file of ours is UTF-8, and so is what `> myboard.toml` keeps, also where the system's own encoding is another
    (Windows); who sets PYTHONIOENCODING means it.

    Args:
        stream: Such as `sys.stdout`; None, and what is no stream of text on bytes, stays as it is.
        data: Whether it carries data where it is no terminal.
    """
    if isinstance(stream, io.TextIOWrapper):
        if data and not stream.isatty() and not os.environ.get("PYTHONIOENCODING"):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
        else:
            stream.reconfigure(errors=LINES)


def fits_terminal(stream: TextIO | None) -> None:
    """Let a screen that is drawn on a stream keep its columns where its encoding lacks our signs."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=SCREEN)
