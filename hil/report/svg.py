"""Plots as SVG that lives inside a page: text stays text, and colours are the page's own, light or dark.

Rule of this room: matplotlib is asked for colours that stand for names; afterwards they become CSS variables, so that
one picture reads on white paper and on a dark screen. Equal data give equal text. Matplotlib is imported here, when a
plot is drawn, and nowhere else.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from firmware_bridge.errors import MissingPart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

__all__ = ["FAINT", "GRID", "INK", "PAPER", "SERIES", "canvas", "colour", "needs_matplotlib", "svg"]

INK, FAINT, GRID, PAPER = "#0000b0", "#0000b1", "#0000b2", "#0000b3"
SERIES = tuple(f"#0000a{digit}" for digit in range(8))
"""Colours that stand for `--s0` to `--s7`."""

_NAMES = {INK: "var(--ink)", FAINT: "var(--faint)", GRID: "var(--grid)", PAPER: "var(--paper)"} | {
    colour: f"var(--s{digit})" for digit, colour in enumerate(SERIES)
}
_COLOUR = re.compile("|".join(_NAMES))
_HEAD = re.compile(r"^.*?(?=<svg)|<metadata>.*?</metadata>", re.DOTALL)
_FONT = re.compile(r"font: ([\d.]+)px [^;\"]*")
_FAMILY = re.compile(r"font-family: [^;\"]*")
_SIZE = re.compile(r' width="[\d.]+pt" height="[\d.]+pt"')

_STYLE = {
    "svg.fonttype": "none", "svg.hashsalt": "hil", "font.size": 9.0, "axes.edgecolor": FAINT, "axes.labelcolor": INK,
    "axes.facecolor": "none", "figure.facecolor": "none", "savefig.facecolor": "none", "text.color": INK,
    "xtick.color": FAINT, "ytick.color": FAINT, "xtick.labelcolor": INK, "ytick.labelcolor": INK, "grid.color": GRID,
    "grid.linewidth": 0.6, "axes.linewidth": 0.7, "lines.linewidth": 1.3, "legend.frameon": False,
    "legend.fontsize": 8.0, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "axes.axisbelow": True, "path.simplify": True, "axes.unicode_minus": True, "mathtext.fontset": "dejavusans",
    "axes.formatter.useoffset": False,
}  # fmt: skip


def colour(index: int) -> str:
    """Return the colour of a series."""
    return SERIES[index % len(SERIES)]


@contextmanager
def canvas(width: float = 6.2, height: float = 3.4, salt: str = "") -> Iterator[tuple["Picture", "Axes"]]:
    """Give a picture and its one field to draw into.

    Args:
        width: Inches.
        height: Inches.
        salt: Makes the ids of this picture its own within a page.

    Raises:
        MissingPart: Matplotlib is not installed.
    """
    matplotlib = needs_matplotlib()
    from matplotlib.figure import Figure as Picture

    with matplotlib.rc_context(_STYLE | {"svg.hashsalt": f"hil {salt}"}):
        picture = Picture(figsize=(width, height), layout="constrained")
        yield picture, picture.add_subplot()


def svg(picture: "Picture", label: str) -> str:
    """Return a picture as an `<svg>` element whose colours are variables of the page.

    Args:
        picture: What was drawn, inside its `canvas` block.
        label: What it shows, for those who hear the page.
    """
    from html import escape

    from matplotlib.backends.backend_svg import FigureCanvasSVG

    text = io.StringIO()
    draw: Any = FigureCanvasSVG(picture)
    draw.print_svg(text, metadata={"Date": None, "Creator": None})
    drawn = _HEAD.sub("", text.getvalue())
    drawn = _COLOUR.sub(lambda found: _NAMES[found[0]], drawn)
    drawn = _FONT.sub(r"font-size: \1px", drawn)
    drawn = _SIZE.sub("", _FAMILY.sub("", drawn), count=1)
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(label, quote=True)}" ', 1)


def needs_matplotlib() -> Any:
    """Return matplotlib, or say in one sentence that it is missing.

    Raises:
        MissingPart: It is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise MissingPart(
            "the plots of a page are drawn by matplotlib, which is not installed", "report",
            "pip install 'hil-testbench[report]', or leave out --html",
        ) from None  # fmt: skip
    return matplotlib
