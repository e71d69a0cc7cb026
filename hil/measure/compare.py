"""Is B better than A? Figure by figure, with an effect, an interval and one control over all the verdicts together.

Rule of this room: pure, from measured sides to a `Comparison`. All figures of which one direction is better are judged
together after Holm: the chance that any of them is called better or worse where A and B are alike is at most 5 %,
however the figures depend on each other. Figures of which neither direction is better (means, extremes) are a family of
their own and are called `different`. A side of several recordings is taken as a sample of its kind: what its members
differ by counts as noise (random effects).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import expm1

from firmware_bridge.streams import Stream
from hil.measure.catalogue import METRICS
from hil.measure.comparable import Pair, figure_refusal, stream_refusal
from hil.measure.comparison import BETTER, DIFFERENT, REFUSED, SAME, WORSE, Comparison, Row, Ruling
from hil.measure.effect import (
    ALPHA,
    Difference,
    Estimate,
    difference,
    estimate_of,
    holm,
    length_needed,
    on_ratio,
    visible,
)
from hil.measure.figure import Figure, Measurement
from hil.measure.pooled import pool, pooled

__all__ = ["CONTROL", "Member", "Side", "compare"]

CONTROL = "Holm: the chance of any false verdict is at most 5 %"

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One board of one recording.

    Attributes:
        file: Name of the recording.
        board: Role.
        measurement: Its figures.
        streams: Its streams by name.
        duration_s: Seconds measured.
    """

    file: str
    board: str
    measurement: Measurement
    streams: Mapping[str, Stream]
    duration_s: float

    def figures(self) -> dict[Key, Figure]:
        """Return the figures of the board by stream, channel and metric."""
        found: dict[Key, Figure] = {}
        for figure in self.measurement:
            board, _, stream = figure.stream.partition("/")
            if board == self.board and figure.kind == "data":
                # Several figures of one metric and channel (two references) are told apart by their names.
                key = (stream, figure.channel, figure.metric)
                if key in found:
                    key = (stream, figure.channel, figure.name.rpartition(self.board)[2])
                found[key] = figure
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """What is compared: one recording's board, or a set of them.

    Attributes:
        name: How it is called.
        members: At least one.
    """

    name: str
    members: Sequence[Member]

    @property
    def duration_s(self) -> float:
        """Seconds of one member, the shortest."""
        return min(member.duration_s for member in self.members)

    def about(self) -> dict[str, object]:
        """Return plain JSON values."""
        files = [f"{member.file}#{member.board}" for member in self.members]
        return {"name": self.name, "members": files, "duration_s": self.duration_s}


@dataclass(slots=True)
class _Judged:
    row: Row
    found: Difference
    ratio: bool
    family: str


def compare(a: Side, b: Side, see: float | None = None) -> Comparison:
    """Compare two sides.

    Args:
        a: What is known.
        b: What is new.
        see: The difference that matters, as a share (0.1 is 10 %): rows then say how long one must record to see it.
    """
    rulings = _rulings(a, b)
    refused = {ruling.stream: ruling for ruling in rulings}
    ours, theirs = ([member.figures() for member in side.members] for side in (a, b))
    keys = list(dict.fromkeys(key for figures in (*theirs, *ours) for key in figures))
    rows: list[Row] = []
    waiting: dict[int, _Judged] = {}
    for key in keys:
        side_a, side_b = ([figures[key] for figures in side if key in figures] for side in (ours, theirs))
        row = _plain(key, side_a, side_b)
        ruling = refused.get(key[0])
        reason = str(ruling.what) if ruling else _reason(_pair(a, b, key[0], ours, theirs), side_a, side_b)
        if not reason:
            judged = _judge(row, side_a, side_b)
            if isinstance(judged, str):
                reason = judged
            else:
                waiting[len(rows)] = judged
        rows.append(replace(row, reason=reason))
    _settle(rows, waiting, see, min(a.duration_s, b.duration_s))
    judged_count = sum(one.family == "judged" for one in waiting.values())
    facts = {"a": a.about(), "b": b.about(), "see": see, "control": CONTROL, "judged": judged_count}
    return Comparison(tuple(rows), tuple(rulings), tuple(_remarks(a, b)), facts)


def _rulings(a: Side, b: Side) -> list[Ruling]:
    found: dict[str, Ruling] = {}
    for one in a.members:
        for other in b.members:
            for name, stream in other.streams.items():
                if name not in one.streams:
                    what = f"A has no stream of that name, it has {', '.join(one.streams) or 'none'}"
                    found.setdefault(name, Ruling(name, what, "record the same streams on both sides"))
                elif ruling := stream_refusal(one.streams[name], stream):
                    found.setdefault(name, ruling)
    return list(found.values())


def _remarks(a: Side, b: Side) -> list[str]:
    said = []
    for letter, side in (("A", a), ("B", b)):
        if len(side.members) == 2:
            said.append(f"{letter} is two recordings: how much its kind differs among itself is hardly known from two; "
                        "three or more make the intervals much narrower")  # fmt: skip
    if len(a.members) == len(b.members) == 1:
        said.append("one board a side: what differs may be these two boards rather than their revisions; several "
                    "boards a side tell")  # fmt: skip
    return said


def _pair(
    a: Side, b: Side, stream: str, ours: Sequence[dict[Key, Figure]], theirs: Sequence[dict[Key, Figure]]
) -> Pair:
    rest = []
    for side in (ours, theirs):
        shares = [figure.value for figures in side if (figure := figures.get((stream, "", "rest"))) is not None]
        known = [share for share in shares if share is not None]
        rest.append(min(known) if known else None)
    return Pair(stream, (a.duration_s, b.duration_s), (rest[0], rest[1]))


def _plain(key: Key, a: Sequence[Figure], b: Sequence[Figure]) -> Row:
    named = (b or a)[0]
    return Row(named.name, key[0], key[1], named.metric, REFUSED, a=_shown(a), b=_shown(b))


def _shown(figures: Sequence[Figure]) -> Figure | None:
    """Return the figure that stands for a side: the only one, or the pooled one."""
    return pooled(figures) if len(figures) > 1 else figures[0] if figures else None


def _reason(pair: Pair, a: Sequence[Figure], b: Sequence[Figure]) -> str:
    if not a or not b:
        return figure_refusal(pair, a[0] if a else None, b[0] if b else None)
    return next((reason for one in a for other in b if (reason := figure_refusal(pair, one, other))), "")


def _judge(row: Row, a: Sequence[Figure], b: Sequence[Figure]) -> _Judged | str:
    """Return the difference of two comparable figures, or why there is no telling."""
    ratio = on_ratio(*a, *b)
    one, other = _estimate(a, ratio), _estimate(b, ratio)
    if one is None or other is None:
        if row.a is not None and row.b is not None and row.a.value == row.b.value:
            one = other = Estimate(0.0, 0.0, 0.0)
        else:
            return "it has no interval, so that nobody can say whether the difference is noise"
    family = "described" if row.b is None or row.b.better == "none" else "judged"
    return _Judged(row, difference(one, other), ratio, family)


def _estimate(figures: Sequence[Figure], ratio: bool) -> Estimate | None:
    estimates = [estimate_of(figure, ratio) for figure in figures]
    known = [estimate for estimate in estimates if estimate is not None]
    if len(known) < len(figures):
        return None
    return known[0] if len(known) == 1 else pool(known)


def _settle(rows: list[Row], waiting: dict[int, _Judged], see: float | None, duration_s: float) -> None:
    for family in ("judged", "described"):
        places = [place for place, one in waiting.items() if one.family == family]
        adjusted = holm([waiting[place].found.p for place in places])
        for place, p_adjusted in zip(places, adjusted, strict=True):
            rows[place] = _told(rows[place], waiting[place], p_adjusted, len(places), see, duration_s)


def _shortest(metric: str) -> float:
    """Return the seconds below which a figure is unknown whatever its noise."""
    from hil.measure.noise import LEAST_S

    known = METRICS.get(metric)
    at_rest = known is not None and ("Allan deviation at rest" in known.source or known.source == "noise density")
    return LEAST_S if at_rest else 0.0


def _told(row: Row, judged: _Judged, p_adjusted: float, tests: int, see: float | None, duration_s: float) -> Row:
    found, ratio = judged.found, judged.ratio

    def shown(value: float) -> float:
        return 100 * expm1(min(value, 700.0)) if ratio else value

    verdict = SAME
    if p_adjusted <= ALPHA:
        better = row.b.better if row.b is not None else "none"
        verdict = DIFFERENT if better == "none" else BETTER if (found.value < 0) == (better == "lower") else WORSE
    needs = None
    if see is not None and judged.family == "judged" and row.a is not None and row.b is not None:
        lengths = [length_needed(figure, see, duration_s, tests) for figure in (row.a, row.b)]
        known = [length for length in lengths if length is not None]
        needs = max(*known, _shortest(row.metric)) if known else None
    seen = visible(found.error, ratio, tests)
    return replace(
        row, verdict=verdict, effect=shown(found.value), low=shown(found.low), high=shown(found.high),
        effect_unit="%" if ratio else row.unit, p=found.p, p_adjusted=p_adjusted,
        seen=None if found.error == 0 else 100 * seen if ratio else seen, needs_s=needs,
    )  # fmt: skip
