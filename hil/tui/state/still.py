"""What has not changed from one snapshot to the next stays the same object, so that nobody draws it again.

Rule of this room: pure, and only streams, for nothing else costs much to draw. A paused replay gives the same readings
ten times a second, and a board that fell silent an empty plot, whatever the time is.
"""

from dataclasses import fields, replace

import numpy as np

from hil.views.snapshot import Snapshot, StreamView

__all__ = ["rests", "unchanged"]

_NAMES = ("samples", *(spec.name for spec in fields(StreamView) if spec.name not in ("start_ns", "end_ns")))
"""Fields that are seen, that first which changes while samples come."""


def unchanged(before: Snapshot | None, after: Snapshot) -> Snapshot:
    """Return `after` with the streams of `before` in place of those that look the same."""
    known = {(one.board, one.name): one for one in before.streams} if before else {}
    streams = tuple(_kept(known.get((one.board, one.name)), one) for one in after.streams)
    return replace(after, streams=streams)


def rests(before: Snapshot | None, after: Snapshot) -> bool:
    """Return whether nothing at the bench has moved: no reading, no decision, no event.

    Args:
        before: The snapshot before.
        after: What `unchanged` made of the newest one.
    """
    if before is None or len(before.streams) != len(after.streams):
        return False
    still = all(one is other for one, other in zip(before.streams, after.streams, strict=True))
    return still and (before.log, before.predictions) == (after.log, after.predictions)


def _kept(before: StreamView | None, after: StreamView) -> StreamView:
    if before is None or not all(_same(getattr(before, name), getattr(after, name)) for name in _NAMES):
        return after
    moved = before.end_ns != after.end_ns
    as_long = before.end_ns - before.start_ns == after.end_ns - after.start_ns
    return before if as_long and not (moved and _shows_something(after)) else after


def _shows_something(stream: StreamView) -> bool:
    return bool(stream.gaps.any() or not np.isnan(stream.low).all() or not np.isnan(stream.high).all())


def _same(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.shape == other.shape and one.tobytes() == other.tobytes()
    return type(one) is type(other) and one == other
