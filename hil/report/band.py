"""Draws what carried a decision as a band over time: how strongly each piece spoke for the label, or against it.

Rule of this room: one scale for all bands of a picture, so that a faint one is a weak one.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hil.report.svg import colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["AGAINST", "FOR", "draw_band", "strongest"]

FOR, AGAINST = colour(2), colour(1)

_FAINTEST = 0.03
"""Strength, of the strongest, below which a piece is not drawn."""


def strongest(band: Mapping[str, Any]) -> float:
    """Return the size of what the strongest piece of all channels added."""
    return max((abs(one) for added in band["added"].values() for one in added), default=0.0) or 1.0


def draw_band(
    axes: "Axes", edges_s: Sequence[float], added: Sequence[float], scale: float, low: float = 0.0, high: float = 1.0
) -> None:
    """Draw the band of one channel.

    Args:
        axes: Where; time runs along x.
        edges_s: `(P + 1)`, where pieces begin and end.
        added: `(P,)`, what each added to the score of the label.
        scale: Size that is drawn in full colour; see `strongest`.
        low: Where the band begins, as a share of the height of the axes.
        high: Where it ends.
    """
    pieces = [
        ((begin, end - begin), FOR if one > 0 else AGAINST, 0.85 * min(abs(one) / scale, 1.0))
        for begin, end, one in zip(edges_s[:-1], edges_s[1:], added, strict=True)
        if abs(one) >= _FAINTEST * scale
    ]
    if pieces:
        spans, inks, strengths = zip(*pieces, strict=True)
        axes.broken_barh(spans, (low, high - low), facecolors=inks, alpha=strengths, linewidth=0,
                         transform=axes.get_xaxis_transform())  # fmt: skip
