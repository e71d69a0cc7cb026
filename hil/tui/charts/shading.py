"""How the readings of a frame become colours: which colour map, over which range.

Rule of this room: pure. A range follows all frames of the time that is shown, or each frame by itself, or it is held as
it was when a person said so; which of them it is stands in the pane's title, its ends and unit beside the scale.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from hil.tui.charts import colourmaps
from hil.tui.charts.colourmaps import COLOURMAPS, Colourmap
from hil.tui.charts.units import seconds
from hil.views.stream import StreamView

__all__ = ["Shading", "shading_of"]


@dataclass(frozen=True, slots=True)
class Shading:
    """How a pane is coloured.

    Attributes:
        colours: Name of the colour map.
        each: Whether each frame has a range of its own; else it is that of all frames of the time that is shown.
        held: The range that is kept whatever comes; None: it follows the readings.
    """

    colours: str = COLOURMAPS[0].name
    each: bool = False
    held: tuple[float, float] | None = None

    @property
    def number(self) -> int:
        """The number of the colour map."""
        return colourmaps.number_of(self.colours)

    @property
    def colourmap(self) -> Colourmap:
        """The colour map."""
        return COLOURMAPS[self.number]

    def turn(self, sign: bool = True) -> "Shading":
        """Return it with the next colour map, where readings have no `sign` with the next that does not diverge."""
        there = [one.name for one in COLOURMAPS if sign or not one.diverging]
        return replace(self, colours=there[(there.index(self.colours) + 1) % len(there)])

    def hold(self, stream: StreamView) -> "Shading":
        """Return it with the range held as it is now, or following the readings again."""
        return replace(self, held=None if self.held is not None else self.span(stream))

    def alone(self) -> "Shading":
        """Return it with a range of each frame, or of all frames shown again; either follows the readings."""
        return replace(self, each=self.held is not None or not self.each, held=None)

    def span(self, stream: StreamView) -> tuple[float, float]:
        """Return the readings of the first and the last colour; of a diverging map equally far from its middle."""
        low, high = self.held or self._followed(stream)
        if not self.colourmap.diverging:
            return low, high
        middle = self.middle(low, high)
        reach = max(high - middle, middle - low)
        return middle - reach, middle + reach

    def middle(self, low: float, high: float) -> float:
        """Return from where a map diverges: 0 where readings lie on both sides of it, else the middle of the range."""
        return 0.0 if low < 0 < high else (low + high) / 2

    def words(self, stream: StreamView) -> str:
        """Return what the range is."""
        if self.held is not None:
            return "range held"
        return "range of each frame" if self.each else f"range over {seconds((stream.end_ns - stream.start_ns) / 1e9)}"

    def _followed(self, stream: StreamView) -> tuple[float, float]:
        low, high = (None, None) if self.each else (stream.image_low, stream.image_high)
        finite = np.zeros(0) if stream.image is None else stream.image[np.isfinite(stream.image)]
        least, most = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        low, high = least if low is None else low, most if high is None else high
        return (low, high) if high > low else (low - 0.5, low + 0.5)


def shading_of(colours: object, each: object, held: object) -> Shading:
    """Return a shading from values of a file; what is not known or no range is passed over."""
    name = colours if isinstance(colours, str) and colourmaps.named(colours) else Shading().colours
    ends = held if isinstance(held, list) and len(held) == 2 else []
    low, high = (float(end) if isinstance(end, int | float) else math.nan for end in (*ends, None, None)[:2])
    fits = math.isfinite(low) and math.isfinite(high) and low < high
    return Shading(name, each is True, (low, high) if fits else None)
