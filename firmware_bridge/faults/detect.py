"""What a host made of a fault: detected, tolerated, or silently wrong.

Two runs are compared by sample number. Strict rule: a reading that differs from the clean run's, a time within the run
that differs, or a missing sample that no Gap tells of, is `silent`, whatever else was reported; otherwise the run is
`detected` where anything was reported that the clean run did not report, and `tolerated` where nothing was.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Damage, Disconnected, Gap, Item, Log, Rebooted, Stall
from firmware_bridge.faults.kinds import KINDS
from firmware_bridge.faults.schedule import Fault, Schedule

__all__ = [
    "BOOKED", "Observation", "Row", "Seen", "Verdict", "detect", "difference", "matrix", "missing_end", "news",
    "observe",
]  # fmt: skip

Key = tuple[str, str, int]
"""Board, stream, boot."""

_EVENTS: Mapping[type, str] = {
    Damage: "runs of damaged bytes", Gap: "gaps", Rebooted: "restarts", Stall: "stalls",
}  # fmt: skip


_BOOKED = ("duplicate", "late", "invalid")

BOOKED = frozenset({*(f"{name} samples" for name in _BOOKED), "frames lost"})
"""Names of reports that come from the ledger; all others are events."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What came of one stream in one boot: numbers and ticks `(N,)`, raw `(N, *shape)`, and gaps `(first, count)`.

    `counted` and `timed` say whether numbers and ticks are the board's own; else they follow arrival.
    """

    numbers: npt.NDArray[np.int64]
    ticks: npt.NDArray[np.int64]
    raw: npt.NDArray[Any]
    rate_hz: float | None
    gaps: tuple[tuple[int, int], ...]
    counted: bool = True
    timed: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What a host saw in one run: samples, and everything it reported, by name and count."""

    seen: Mapping[Key, Seen]
    reports: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`outcome` is `detected`, `tolerated` or `silent`; `why` is one clause."""

    outcome: str
    why: str


@dataclass(frozen=True, slots=True)
class Row:
    """One cell of the detection matrix."""

    kind: str
    level: str
    strength: float
    seed: int
    outcome: str
    why: str = field(compare=False, default="")

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def observe(arrivals: Iterable[Arrival]) -> Observation:
    """Return what a host saw, from decoded arrivals in order."""
    batches: dict[Key, list[Batch]] = {}
    gaps: dict[Key, list[tuple[int, int]]] = {}
    reports: Counter[str] = Counter()
    last: dict[str, Any] = {}
    for arrival in arrivals:
        if arrival.books is not None:
            last[arrival.board] = arrival.books
        for item in arrival.items:
            if isinstance(item, Batch):
                batches.setdefault((item.board, item.stream.name, item.boot), []).append(item)
                continue
            if isinstance(item, Gap) and item.count is not None:
                gaps.setdefault((item.board, item.stream, item.boot), []).append((item.first, item.count))
            if told := _told(item):
                reports[told] += 1
    for books in last.values():
        for one in books.streams.values():
            for name in _BOOKED:
                reports[f"{name} samples"] += getattr(one, name) or 0
        reports["frames lost"] += books.frames_lost or 0
    seen = {
        key: Seen(
            np.concatenate([np.arange(one.first, one.end, dtype=np.int64) for one in parts]),
            np.concatenate([one.ticks for one in parts]), np.concatenate([one.raw for one in parts]),
            parts[0].stream.rate_hz, tuple(gaps.get(key, ())), parts[0].stream.counted, bool(parts[0].stream.tick_hz),
        )
        for key, parts in batches.items()
    }  # fmt: skip
    return Observation(seen, {name: count for name, count in reports.items() if count})


def detect(clean: Observation, damaged: Observation, *, begins_anew: bool = True, tail_s: float = 1.0) -> Verdict:
    """Return what a host made of a fault.

    Args:
        clean: The run without it.
        damaged: The run with it.
        begins_anew: See `difference`.
        tail_s: See `missing_end`.
    """
    if wrong := difference(clean, damaged, begins_anew=begins_anew):
        return Verdict("silent", wrong)
    if more := news(clean, damaged):
        return Verdict("detected", ", ".join(f"{count} {name}" for name, count in more.items()))
    if early := missing_end(clean, damaged, tail_s):
        return Verdict("silent", early)
    return Verdict("tolerated", "every reading is right and nothing was reported")


def difference(clean: Observation, damaged: Observation, *, begins_anew: bool = True, whole: bool = True) -> str:
    """Return the first reading or time that differs, or the first hole that nobody told of; empty where there is none.

    Args:
        clean: The run without a fault.
        damaged: The run with it.
        begins_anew: Whether the board's readings begin again with number 0 after a restart (as virtual boards' do);
            else readings of boots that the clean run does not have are not compared.
        whole: Whether what was heard begins with the first sample; else a hole at the beginning may have been told of
            before.
    """
    for key, seen in damaged.seen.items():
        board, stream, boot = key
        right = clean.seen.get(key)
        if right is None and begins_anew:
            right = clean.seen.get((board, stream, 0))
        if right is None:
            if boot == 0:
                return f"{board}/{stream} is there and was not"
            continue
        begin = 0 if boot else int(right.numbers[0])
        if not whole:
            begin = max(begin, int(seen.numbers.min()))
        if why := _wrong(right, seen) or (_hole(seen, begin) if seen.counted else ""):
            return f"{board}/{stream}: {why}"
    return ""


def news(clean: Observation, damaged: Observation) -> dict[str, int]:
    """Return what was reported and the clean run did not report, by name and count."""
    return {name: count for name, count in damaged.reports.items() if count > clean.reports.get(name, 0)}


def missing_end(clean: Observation, damaged: Observation, tail_s: float = 1.0) -> str:
    """Return which stream ends early; empty where none does.

    Args:
        clean: The run without a fault.
        damaged: The run with it.
        tail_s: So much may be missing at the end without a word: what is still under way cannot be told from a loss
            (the longest delay of the table is 0.6 s), and the host asks for the board's books every few seconds.
    """
    for key, right in clean.seen.items():
        got = damaged.seen.get(key)
        last = int(right.numbers[0]) - 1 if got is None else int(got.numbers[-1])
        if int(right.numbers[-1]) - last > tail_s * (right.rate_hz or 1.0) + 1:
            return f"{key[0]}/{key[1]} ends after sample {last} and nothing was said"
    return ""


def matrix(
    make_run: Callable[[Schedule], Iterable[Arrival]],
    kinds: Iterable[str] | None = None,
    strengths: Sequence[int] = (0, 1, 2),
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    *,
    progress: Callable[[float], None] | None = None,
    begins_anew: bool = True,
    **where: Any,
) -> list[Row]:
    """Return the detection matrix: every kind at every strength under every seed, against a run without faults.

    Args:
        make_run: Runs a schedule and gives what the host decoded; an empty schedule is the clean run.
        kinds: Names in `KINDS`; all by default.
        strengths: Which of the three strengths of each kind.
        seeds: Seeds of the schedules.
        progress: Told the share that is done, 0 to 1.
        begins_anew: See `difference`.
        where: Further keys of every fault: `on`, `from_s`, `to_s`.
    """
    names = list(KINDS if kinds is None else kinds)
    clean = observe(make_run(Schedule()))
    rows: list[Row] = []
    total = len(names) * len(strengths) * len(seeds)
    for name in names:
        kind = KINDS[name]
        for place in strengths:
            fault = Fault.of(name, **{kind.main: kind.strengths[place], **where})
            for seed in seeds:
                got = observe(make_run(Schedule(seed, (fault,))))
                # a restart that is played behind the dialect does not move the readings
                verdict = detect(clean, got, begins_anew=begins_anew and name != "clock.reboot")
                rows.append(Row(name, kind.level, kind.strengths[place], seed, verdict.outcome, verdict.why))
                if progress is not None:
                    progress(len(rows) / total)
    return rows


def _told(item: Item) -> str:
    if isinstance(item, Disconnected):
        return "" if item.reason == "closed by the user" else "lost connections"
    if isinstance(item, Log):
        return "warnings" if item.level in ("warning", "error") else ""
    return _EVENTS.get(type(item), "")


def _wrong(right: Seen, seen: Seen) -> str:
    """Return what differs from the clean run: by sample number, or by order where the board numbers nothing."""
    if not seen.counted:
        at = _in_order(right.raw, seen.raw)
        if len(at) < len(seen.raw):
            return f"reading {len(at)} is none that the board sent then"
        here = np.arange(len(at))
    else:
        order = np.argsort(right.numbers, kind="stable")
        numbers = right.numbers[order]
        place = np.searchsorted(numbers, seen.numbers)
        known = (place < len(numbers)) & (numbers[np.minimum(place, len(numbers) - 1)] == seen.numbers)
        at, here = order[place[known]], np.flatnonzero(known)
        values = (right.raw[at] != seen.raw[here]).reshape(len(at), -1).any(axis=1)
        if values.any():
            return f"sample {int(seen.numbers[here[int(values.argmax())]])} has another value"
    if not len(at) or not seen.timed:
        return ""
    times = (right.ticks[at] - right.ticks[at[0]]) != (seen.ticks[here] - seen.ticks[here[0]])
    return f"sample {int(seen.numbers[here[int(times.argmax())]])} has another time" if times.any() else ""


def _in_order(right: npt.NDArray[Any], seen: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return where readings stand among the right ones, in their order, up to the first that does not."""
    rows = [row.tobytes() for row in right]
    found: list[int] = []
    for row in seen:
        try:
            found.append(rows.index(row.tobytes(), found[-1] + 1 if found else 0))
        except ValueError:
            break
    return np.array(found, np.int64)


def _hole(seen: Seen, begin: int) -> str:
    """Return the first sample up to the last that came that neither came nor was told to be missing."""
    end = int(seen.numbers.max()) + 1
    covered = np.zeros(max(0, end - begin), np.bool_)
    inside = seen.numbers[seen.numbers >= begin] - begin
    if len(np.unique(seen.numbers)) != len(seen.numbers):
        return "a sample was delivered twice"
    covered[inside] = True
    for first, count in seen.gaps:
        covered[max(0, first - begin) : max(0, first + count - begin)] = True
    return "" if covered.all() else f"sample {begin + int((~covered).argmax())} is missing and nothing was said"
