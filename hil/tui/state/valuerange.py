"""The range of a value axis as a person chose it: what a notch of the wheel, a drag or a key makes of it.

Rule of this room: pure. A range is (low, high), finite, and never so narrow or so wide that its ends could not be told
apart or written; a step that would go further leaves it as it is. What lies beyond a chosen range is counted, never
hidden in silence.
"""

import math

import numpy as np

from hil.tui.charts.cells import WARN, Run
from hil.tui.charts.chart import Panel
from hil.views.stream import StreamView

__all__ = ["STEP", "Span", "beyond", "moved", "share_at", "span_of", "told", "zoomed"]

Span = tuple[float, float]

STEP = 1.5
"""How many times wider or narrower one notch of the wheel, or one key, makes a range."""
KEYED = 0.125
"""Share of a range that one key moves it by."""
FINEST = 1e-6
"""Least width of a range, as a share of its larger end: readings are float32."""
WIDEST = 1e30


def zoomed(span: Span, by: int, share: float = 0.5) -> Span:
    """Return a range that is wider (`by` 1) or narrower (-1) by one step.

    Args:
        span: The range.
        by: Steps.
        share: What stays where it is on the screen: 0 the lowest reading of the range, 1 the highest.
    """
    low, high = span
    still, width = low + (high - low) * share, (high - low) * STEP**by
    return _sound((still - width * share, still + width * (1 - share)), span)


def moved(span: Span, share: float) -> Span:
    """Return a range that lies higher by a share of its width; lower where the share is negative."""
    by = (span[1] - span[0]) * share
    return _sound((span[0] + by, span[1] + by), span)


def _sound(wanted: Span, before: Span) -> Span:
    low, high = wanted
    largest = max(abs(low), abs(high))
    return wanted if math.isfinite(largest) and largest < WIDEST and high - low > largest * FINEST else before


def span_of(plain: object) -> Span | None:
    """Return a range from values of a file; None for what is none."""
    if not isinstance(plain, list) or len(plain) != 2 or not all(isinstance(end, int | float) for end in plain):
        return None
    low, high = map(float, plain)
    return (low, high) if _sound((low, high), (0.0, 0.0)) != (0.0, 0.0) else None


def share_at(row: int, bands: tuple[tuple[int, int], ...]) -> float | None:
    """Return how high a row stands in its band of rows, 0 lowest and 1 highest; None where it is in none.

    Args:
        row: The row.
        bands: First row and row after the last one of each.
    """
    return next((1 - (row - first + 0.5) / (last - first) for first, last in bands if first <= row < last), None)


def beyond(stream: StreamView, panel: Panel, span: Span) -> float:
    """Return the share of the columns with readings in which one of the channels lies beyond a range; 0 to 1."""
    low, high = stream.low[panel.rows], stream.high[panel.rows]
    there = np.isfinite(low).any(axis=0) | np.isfinite(high).any(axis=0)
    with np.errstate(invalid="ignore"):  # a column without readings is beyond nothing
        out = ((low < span[0]) | (high > span[1])).any(axis=0)
    return float(out.sum() / max(1, there.sum()))


def told(stream: StreamView, panel: Panel, span: Span) -> Run:
    """Return the words of a title about a chosen range."""
    share = beyond(stream, panel, span)
    return (f" ↕ {max(0.01, share):.0%} beyond" if share else " ↕ held", WARN)
