"""The detection matrix of a scenario: every kind of fault at several strengths and seeds, against a run without faults.

Rule of this room: every run is a run of the scenario as `hil run` makes it, with one fault in place of its own, and
only what its bytes and seed decide counts (a check on a timing does not). A wrong reading that is delivered although
checksum and counter protect it is `silent`, whatever else was told; one that a check finds is `detected`.
"""

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from firmware_bridge.batch import Batch
from firmware_bridge.errors import NoAnswer, UsageError
from firmware_bridge.events import Arrival
from firmware_bridge.faults import KINDS
from firmware_bridge.faults.blind import absent, blind
from firmware_bridge.faults.detect import BOOKED, Observation, Verdict, difference, missing_end, news, observe
from firmware_bridge.faults.kinds import BYTE, FRAME, LINK
from firmware_bridge.streams import Stream
from hil.scenario.grammar.load import Loaded
from hil.scenario.results.outcome import MARGINAL, NA, PASS, TROUBLE, CheckResult, ScenarioResult
from hil.scenario.run import RunOptions, run_once

__all__ = ["LINE", "STRENGTHS", "Cell", "Matrix", "Trial", "fault_matrix"]

LINE = (BYTE, LINK, FRAME)
STRENGTHS = ("weak", "medium", "strong")
_BEFORE_S = 1.0
"""Faults begin so long after the readings, or after a tenth of them."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One run under one fault.

    Attributes:
        kind: Of the fault.
        level: Of the kind.
        place: Which of the three strengths of the kind, 0 to 2.
        strength: Value of the kind's main parameter.
        seed: Of the fault.
        outcome: `detected`, `tolerated` or `silent`; `trouble` where the bench failed.
        why: One clause.
        by: What told of it: `checks`, `events`, `ledger`.
    """

    kind: str
    level: str
    place: int
    strength: float
    seed: int
    outcome: str
    why: str = ""
    by: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        plain = {key: getattr(self, key) for key in self.__dataclass_fields__ if key != "place"}
        return plain | {"by": list(self.by), "column": STRENGTHS[self.place]}


@dataclass(frozen=True, slots=True)
class Matrix:
    """What came of all runs.

    Attributes:
        path: The scenario's file.
        target: Where it ran.
        sealed: Whether every stream has checksum and counter.
        cells: In the order of the kinds, strengths and seeds.
        blind: Kinds that cannot be detected by construction, with the reason.
        absent: Kinds that cannot be here, with the reason.
        deaf: Checks that can tell nothing: they fail without a fault, or are about timing.
        complete: Whether all runs were made.
    """

    path: str
    target: str
    sealed: bool
    cells: tuple[Cell, ...]
    blind: tuple[tuple[str, str], ...]
    absent: tuple[tuple[str, str], ...]
    deaf: tuple[str, ...]
    complete: bool = True

    @property
    def wrong(self) -> tuple[Cell, ...]:
        """Byte, link and frame faults that were silent although checksum and counter should have told of them."""
        return tuple(one for one in self.cells if self.sealed and one.level in LINE and one.outcome == "silent")

    @property
    def exit_code(self) -> int:
        """1 where there is one, else 3 where the bench failed or the matrix is not complete, else 0."""
        if self.wrong:
            return 1
        return 0 if self.complete and all(one.outcome != "trouble" for one in self.cells) else 3

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        rows = [one.as_dict() for one in self.cells if one.outcome != "trouble"]
        trouble = [one.as_dict() for one in self.cells if one.outcome == "trouble"]
        told = {name: [{"kind": kind, "why": why} for kind, why in getattr(self, name)] for name in ("blind", "absent")}
        return {"schema": 1, "scenario": self.path, "target": self.target, "sealed": self.sealed, "rows": rows, **told,
                "trouble": trouble, "deaf_checks": list(self.deaf), "silent": len(self.wrong),
                "complete": self.complete}  # fmt: skip


class Trial:
    """A scenario that is run again and again, each time under one fault.

    Args:
        loaded: The scenario; its own faults are left out.
        on: Target; None: as the scenario says.

    Raises:
        UsageError: It cannot run on the target.
        NoAnswer: It is TROUBLE without a fault.
    """

    def __init__(self, loaded: Loaded, on: str | None = None) -> None:
        self._loaded, self._on = loaded, on
        if on not in (None, "recording", "virtual") or any(
            table.port is not None or table.firmware is not None for table in loaded.scenario.board.values()
        ):  # fmt: skip
            raise UsageError("of a live board no two runs are alike, so that nothing can be compared",
                             on or str(loaded.path), "run it on `recording` or `virtual`")  # fmt: skip
        self.clean, self._seen, self._line, streams = self._run([], 0)
        if self.clean.outcome == NA:
            raise UsageError(self.clean.why or "it cannot be run here", str(loaded.path), "name another target")
        if self.clean.outcome == TROUBLE and (self.clean.why or not streams):
            raise NoAnswer(f"it is TROUBLE without a fault: {self.clean.why or 'no sample came'}", str(loaded.path))
        if not streams:
            raise UsageError("it has no sample without a fault, so that nothing can be compared", str(loaded.path),
                             "give it readings")  # fmt: skip
        self.streams = streams
        self.sealed = all(stream.checked and stream.counted for stream in streams)
        readings = loaded.scenario.readings
        self._whole = not readings.from_s
        self._from_s = readings.from_s + min(_BEFORE_S, self.clean.readings_s / 10)

    @property
    def deaf(self) -> tuple[str, ...]:
        """Checks that can tell nothing."""
        return tuple(one.metric for one in self.clean.checks if not _tells(one))

    def cell(self, name: str, place: int, seed: int) -> Cell:
        """Run it under one fault.

        Args:
            name: Kind of the fault.
            place: Which of its three strengths.
            seed: Of the fault.
        """
        kind = KINDS[name]
        strength = kind.strengths[place]
        fault = {"on": "*", "kind": name, "from_s": self._from_s, kind.main: strength}
        result, seen, line, _ = self._run([fault], seed)
        outcome, why = "trouble", result.why
        by: tuple[str, ...] = ()
        if not (result.outcome in (TROUBLE, NA) and result.why):
            verdict, by = self._judged(kind.level in LINE, result, seen)
            outcome, why = verdict.outcome, verdict.why
            if outcome == "tolerated" and kind.level in LINE and line == self._line:
                why = "it hit nothing: the same bytes came at the same times"
        return Cell(name, kind.level, place, strength, seed, outcome, why, by)

    def _judged(self, on_the_line: bool, result: ScenarioResult, seen: Observation) -> tuple[Verdict, tuple[str, ...]]:
        failed = [
            f"{after.metric} is {after.outcome}"
            for before, after in zip(self.clean.checks, result.checks, strict=True)
            if _tells(before) and after.outcome not in (PASS, MARGINAL)
        ]
        wrong = difference(self._seen, seen, begins_anew=False, whole=self._whole)
        more = news(self._seen, seen)
        told = [*failed, *(f"{count} {name}" for name, count in more.items())]
        by = {"checks": bool(failed), "events": bool(more.keys() - BOOKED), "ledger": bool(more.keys() & BOOKED)}
        sources = tuple(name for name, said in by.items() if said)
        if wrong and on_the_line and (self.sealed or not failed):
            return Verdict("silent", f"{wrong}; all that was told: {', '.join(told) or 'nothing'}"), sources
        if told:
            return Verdict("detected", ", ".join(told)), sources
        if not wrong and result.predictions != self.clean.predictions:
            wrong = "decisions differ"
        if wrong := wrong or missing_end(self._seen, seen):
            return Verdict("silent", wrong), sources
        return Verdict("tolerated", "every reading is right and nothing was told"), sources

    def _run(
        self, faults: list[dict[str, Any]], seed: int
    ) -> tuple[ScenarioResult, Observation, bytes, tuple[Stream, ...]]:
        scenario = self._loaded.scenario.model_copy(update={"fault": faults})
        heard: list[Arrival] = []
        line = blake2b()

        def tap(arrival: Arrival) -> None:
            line.update(f"{arrival.board}/{arrival.t_ns}/{arrival.kind}/".encode() + arrival.data)
            heard.append(replace(arrival, data=b""))

        result = run_once(replace(self._loaded, scenario=scenario), RunOptions(on=self._on, fault_seed=seed), [tap])
        streams = {
            (item.board, item.stream.name): item.stream
            for arrival in heard for item in arrival.items if isinstance(item, Batch)
        }  # fmt: skip
        return result, observe(heard), line.digest(), tuple(streams.values())


def fault_matrix(
    loaded: Loaded,
    kinds: Iterable[str] | None = None,
    strengths: Sequence[int] = (0, 1, 2),
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    on: str | None = None,
    jobs: int = 1,
    progress: Callable[[float], None] | None = None,
) -> Matrix:
    """Run a scenario under every kind of fault at every strength and seed; an interrupt ends it with what is done.

    Args:
        loaded: The scenario.
        kinds: Names in `KINDS`; None: all.
        strengths: Which of the three strengths of each kind, 0 to 2.
        seeds: Seeds of the faults; boards keep their own.
        on: Target; None: as the scenario says.
        jobs: Local processes; 1: this one.
        progress: Told the share that is done, 0 to 1.

    Raises:
        UsageError: The scenario cannot run on the target, or faults are not possible there.
        NoAnswer: It is TROUBLE without a fault.
    """
    trial = Trial(loaded, on)
    names = list(KINDS if kinds is None else kinds)
    missing = [(name, why) for name in names if (why := absent(KINDS[name], trial.streams))]
    there = [name for name in names if name not in dict(missing)]
    unseen = [(name, why) for name in there if (why := blind(KINDS[name], trial.streams))]
    cells: list[Cell] = []
    due = len(there) * len(strengths) * len(seeds)
    with suppress(KeyboardInterrupt):
        for cell in _cells(trial, loaded, on, there, strengths, seeds, jobs):
            cells.append(cell)
            if progress is not None:
                progress(len(cells) / due)
    return Matrix(str(loaded.path), trial.clean.target, trial.sealed, tuple(cells), tuple(unseen), tuple(missing),
                  trial.deaf, len(cells) == due)  # fmt: skip


def _cells(
    trial: Trial, loaded: Loaded, on: str | None, kinds: Sequence[str], strengths: Sequence[int],
    seeds: Sequence[int], jobs: int,
) -> Iterator[Cell]:  # fmt: skip
    if jobs <= 1 or len(kinds) < 2:
        for name in kinds:
            yield from _row(trial, name, strengths, seeds)
        return
    # Fresh processes that leave Ctrl-C to this one; each makes the clean run of its kind itself.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(kinds)), spawn, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:
        waiting = [pool.submit(_row_of, loaded, on, name, strengths, seeds) for name in kinds]
        try:
            for future in waiting:
                yield from future.result()
        finally:
            for future in waiting:
                future.cancel()


def _row_of(loaded: Loaded, on: str | None, name: str, strengths: Sequence[int], seeds: Sequence[int]) -> list[Cell]:
    return list(_row(Trial(loaded, on), name, strengths, seeds))


def _row(trial: Trial, name: str, strengths: Sequence[int], seeds: Sequence[int]) -> Iterator[Cell]:
    return (trial.cell(name, place, seed) for place in strengths for seed in seeds)


def _tells(check: CheckResult) -> bool:
    return check.kind == "data" and check.outcome in (PASS, MARGINAL)
