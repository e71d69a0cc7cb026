"""What did not arrive: from the ledger of the recording, from its gaps, and from the numbers of the samples.

Rule of this room: a board that does not number its samples leaves its losses unknown, never 0. The ledger speaks for
the whole recording; a part of it is judged by numbers alone.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from firmware_bridge.events import Damage, Gap, Rebooted
from firmware_bridge.ledger import Books
from firmware_bridge.streams import Stream
from hil.measure.figure import Figure
from hil.measure.intervals import count_interval, share_interval
from hil.measure.make import Maker
from hil.recording.reader import Recording

__all__ = ["Told", "link_figures", "loss_figures", "told_by"]


@dataclass(frozen=True, slots=True)
class Told:
    """What the events and the last books of a board say.

    Attributes:
        books: Its last books; None where there are none (imported), or where a part of the recording is measured.
        gaps: Missing samples by (stream, cause), as far as counts are known.
        reboots: How often it started anew.
        damage: Bytes of no valid frame or line, by kind.
    """

    books: Books | None = None
    gaps: Mapping[tuple[str, str], int] = field(default_factory=dict)
    reboots: int = 0
    damage: Mapping[str, int] = field(default_factory=dict)


def told_by(recording: Recording, board: str, start_s: float | None = None, end_s: float | None = None) -> Told:
    """Return what a recording says of a board's losses."""
    low = recording.start_ns + round((start_s or 0.0) * 1e9) if start_s is not None else None
    high = recording.start_ns + round(end_s * 1e9) if end_s is not None else None
    gaps: Counter[tuple[str, str]] = Counter()
    damage: Counter[str] = Counter()
    reboots = 0
    for event in recording.events(board):
        if (low is not None and event.t_ns < low) or (high is not None and event.t_ns >= high):
            continue
        if isinstance(event, Gap) and event.count is not None:
            gaps[event.stream, event.cause] += event.count
        if isinstance(event, Damage) and event.kind != "before_identity":
            damage[event.kind] += event.count
        # Groups of an imported file are told apart as boots; they are none.
        reboots += isinstance(event, Rebooted) and recording.header.origin != "import"
    books = None
    if low is None and high is None:
        last: Mapping[str, Any] | None = None
        for data in recording.pieces.messages("ledger", board):
            last = json.loads(bytes(data))["books"]
        books = None if last is None else Books.from_dict(last)
    return Told(books, gaps, reboots, damage)


def loss_figures(make: Maker, stream: Stream, told: Told, samples: int, missing: int) -> list[Figure]:
    """Return loss and bad samples of a stream.

    Args:
        make: Of the stream.
        stream: What is measured.
        told: By the recording.
        samples: Samples that are there.
        missing: Numbers that are not, inside.
    """
    books = told.books.total(stream.name) if told.books else None
    bad = told.gaps.get((stream.name, "invalid"), 0)
    if books is not None and books.invalid:
        bad = max(bad, books.invalid)
    if not stream.counted:
        loss = make.unknown("loss", "the board does not number its samples", n=samples)
    else:
        lost, due, by = max(0, missing - bad), samples + missing, "by the numbers of the samples"
        if books is not None and books.missing is not None and books.expected is not None:
            lost, due, by = books.missing, books.expected, "by the ledger of the whole recording"
        causes = {cause: count for (name, cause), count in told.gaps.items() if name == stream.name and count}
        note = ", ".join(f"{cause}: {count}" for cause, count in sorted(causes.items()))
        loss = make("loss", 100 * lost / due if due else None, *share_interval(lost, due), condition=by, n=due,
                    method="share, Clopper-Pearson, as if independent", note=note)  # fmt: skip
    if stream.checked or bad:
        seen = samples + bad
        invalid = make("invalid", 100 * bad / seen if seen else None, *share_interval(bad, seen), n=seen,
                       condition="by the checksum of the samples", note=f"{bad} samples" if bad else "",
                       method="share, Clopper-Pearson")  # fmt: skip
    else:
        invalid = make.unknown("invalid", "no checksum protects the samples", n=samples)
    return [loss, invalid]


def link_figures(make: Maker, told: Told) -> list[Figure]:
    """Return the figures of a board's link."""
    reboots = make("reboots", told.reboots, *count_interval(told.reboots), n=1, condition="by events of the recording",
                   method="count, Poisson")  # fmt: skip
    if told.books is None:
        why = "there is no ledger (imported readings, or a part of a recording)"
        return [reboots, make.unknown("samples_lost", why), make.unknown("bytes_damaged", why)]
    names = {name for name, _ in told.books.streams}
    missing = [told.books.total(name).missing for name in names]
    known = [count for count in missing if count is not None]
    lost = (
        make.unknown("samples_lost", "a stream of the board does not number its samples")
        if len(known) < len(missing)
        else make("samples_lost", sum(known), *count_interval(sum(known)), n=told.books.bytes_received,
                  condition="by the ledger", method="count, Poisson")
    )  # fmt: skip
    total = told.books.bytes_received
    note = ", ".join(f"{name}: {count}" for name, count in sorted(told.damage.items()))
    damaged = sum(told.damage.values())
    share = make("bytes_damaged", 100 * damaged / total if total else None, *share_interval(damaged, total), n=total,
                 condition="by the ledger", method="share, Clopper-Pearson", note=note)  # fmt: skip
    return [reboots, lost, share]
