"""Rows of runs as finished rows of a terminal: cleaned, cut to their width, and written in few bytes.

Rule of this room: one row in, one row out. Text from boards is cleaned here: no control character ever reaches the
terminal. Between two runs only what differs is said to the terminal (a new colour of the ink, say), which is less
than half of what a reset and a whole style before every run take: that counts over a slow line, and in CPU time.
"""

import re
from collections.abc import Iterable, Sequence

from rich.console import COLOR_SYSTEMS, Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from hil.tui.charts.cells import TEXT, Line
from hil.tui.terminal.palette import Palette

__all__ = ["PLAIN_CHARACTERS", "Row", "clean", "row"]

_UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ud800-\udfff]"
)

PLAIN_CHARACTERS = r" -~\u00b0-\u00b7\u00d7\u2014\u2026\u2212\u2500-\u259f\u2800-\u28ff"
"""Characters that are safe and one cell wide, as ranges of a regular expression: most rows hold nothing else."""

_plain = re.compile(f"[{PLAIN_CHARACTERS}]*").fullmatch

_RESET = "\x1b[0m"


def clean(words: str) -> str:
    """Return text without characters that steer a terminal or hide."""
    return _UNSAFE.sub("·", words)


def row(line: Line, place: int, width: int, palette: Palette) -> Strip:
    """Return a line as `width` cells.

    Args:
        line: Runs of text and ink, from anywhere.
        place: Where it stands, see `hil.tui.terminal.palette`.
        width: Cells; what is longer is cut and ends with … in its last cell, what is shorter is filled up.
        palette: The styles.
    """
    style = palette.style
    segments = [Segment(words, style(ink, place)) for words, ink in line if words]
    told = "".join([segment[0] for segment in segments])
    if _plain(told):
        length = len(told)
    else:
        segments = [Segment(clean(words), inked) for words, inked, _ in segments]
        length = Strip(segments).cell_length
    if length < width:
        segments.append(Segment(" " * (width - length), style(TEXT, place)))
    strip = Row(segments, max(length, width))
    return strip if length <= width else _cut(strip, width)


def _cut(strip: Strip, width: int) -> Strip:
    """Return the first cells of a row; where words are lost its last cell says so."""
    if not width or not strip.crop(width).text.strip():
        return strip.crop(0, width)
    kept = list(strip.crop(0, width - 1))
    last = kept[-1].style if kept else None
    return Row([*kept, Segment("…", last)], width)


class Row(Strip):
    """A strip that says only what changes from one run to the next."""

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """Return the parts between cuts."""
        places = list(cuts)
        # The base class would keep a whole row in itself, a cycle: a thousand runs a picture for the collector.
        return [self] if places == [self.cell_length] else super().divide(places)

    def render(self, console: Console) -> str:
        """Return the row as bytes for a terminal, found and left as a reset leaves it."""
        if self._render_cache is None:
            system = console.color_system or "truecolor"
            parts: list[str] = []
            before: Style | None = None
            for words, style, _ in self._segments:
                if style is not before:
                    parts.append(_CHANGES[before, style, system])
                    before = style
                parts.append(words)
            parts.append(_CHANGES[before, None, system])
            self._render_cache = "".join(parts)
        return self._render_cache


class _Changes(dict[tuple[Style | None, Style | None, str], str]):
    """The escape sequence from one style to another; there are as many as a theme has neighbours."""

    def __missing__(self, key: tuple[Style | None, Style | None, str]) -> str:
        before, after, system = key[0], key[1], COLOR_SYSTEMS[key[2]]
        codes = "" if after is None else Strip.render_ansi(after, system)
        if before is None or not Strip.render_ansi(before, system):
            words = f"\x1b[{codes}m" if codes else ""
        elif after is not None and _alike(before, after):
            assert after.color is not None
            words = f"\x1b[{';'.join(after.color.downgrade(system).get_ansi_codes())}m"
        else:
            words = f"\x1b[0;{codes}m" if codes else _RESET
        self[key] = words
        return words


_CHANGES = _Changes()


def _alike(one: Style, other: Style) -> bool:
    """Whether two styles differ in nothing but the colour of the ink."""
    same = one.bgcolor == other.bgcolor and one.bold == other.bold and one.reverse == other.reverse
    return same and one.underline == other.underline and one.color is not None and other.color is not None
