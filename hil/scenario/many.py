"""Many scenarios through one seam: in this process, on local processes, on a cluster; the same results in one order.

Rule of this room: who runs a unit is a crew's business; when it may run, whether it runs again and in which order
results are told is decided here. Two units that take one port never run at once. A unit whose process died runs again
elsewhere, twice at most. Ctrl-C ends in results too: of what was done, and of what was not.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace

from firmware_bridge.errors import BridgeError, UsageError
from hil.scenario.crew import GRACE_S, INTERRUPTED, Crew, Died, Here, Processes
from hil.scenario.grammar.load import Loaded
from hil.scenario.results.outcome import NA, TROUBLE, ScenarioResult
from hil.scenario.run import RunOptions
from hil.scenario.unit import Unit, result_of, unit_of

__all__ = ["RETRIES", "in_order", "run_all", "startable", "was_interrupted"]

RETRIES = 2
"""How often a unit runs again after its process died."""

OFFER_S = 10.0
"""How long to wait for a host that has what a unit needs; longer where `wait_s` says so."""

_LOOK_S = 0.2
_BROKEN_OFF = "interrupted: it was ended before its verdict"
_NOT_BEGUN = "interrupted: it was not run"


def run_all(
    scenarios: Sequence[Loaded],
    options: RunOptions,
    jobs: int = 1,
    done: Callable[[ScenarioResult], None] | None = None,
    crew: Crew | None = None,
    told: Callable[[int], None] | None = None,
) -> list[ScenarioResult]:
    """Run scenarios and return their results in the same order; Ctrl-C ends it early, see `was_interrupted`.

    Args:
        scenarios: What to run.
        options: How.
        jobs: Local processes; 1: this one.
        done: Called with each result, in order, as soon as it and all before it are there.
        crew: Who runs them instead; it is closed at the end.
        told: Called with the number of results that are there, in whatever order they come.

    Raises:
        UsageError: Something on the command line cannot be meant.
    """
    if crew is None:
        crew = Here() if jobs <= 1 or len(scenarios) < 2 else Processes(min(jobs, len(scenarios)))
    run = _Run([unit_of(at, one, options) for at, one in enumerate(scenarios)], done, told)
    running: dict[Future[str], Unit] = {}
    begun: set[int] = set()
    waiting = in_order(run.units, crew.width())
    absent = _Absent(max(OFFER_S, options.wait_s))
    try:
        try:
            while waiting or running:
                offers = crew.offers()
                for unit in startable(waiting, running.values(), offers, crew.width() - len(running)):
                    waiting.remove(unit)
                    begun.add(unit.at)
                    running[crew.submit(unit)] = unit
                for unit, outcome, why in absent.given_up(waiting, offers, time.monotonic(), run.deaths):
                    waiting.remove(unit)
                    run.settle(unit, run.without(unit, outcome, why))
                for future in _ended(running):
                    unit = running.pop(future)
                    if not run.take(unit, future):
                        waiting.insert(0, unit)
        except KeyboardInterrupt:
            crew.stop()
            finished, _ = wait(running, timeout=GRACE_S)
            for future in finished:
                run.take(running.pop(future), future)
    finally:
        crew.close()
    return run.all(begun)


def was_interrupted(results: Iterable[ScenarioResult]) -> bool:
    """Return whether a run was ended before all of its results were there."""
    return any(result.outcome == TROUBLE and result.why in (_BROKEN_OFF, _NOT_BEGUN) for result in results)


def in_order(units: Sequence[Unit], width: int) -> list[Unit]:
    """Return units in the order in which to begin them: long ones first where several run at once."""
    return list(units) if width <= 1 else sorted(units, key=lambda unit: (-unit.weight, unit.at))


def startable(
    waiting: Iterable[Unit], running: Iterable[Unit], offers: Sequence[frozenset[str]] | None, free: int
) -> list[Unit]:
    """Return the units that may begin now.

    Args:
        waiting: In the order in which they should.
        running: What runs.
        offers: Boards of each host; None: any unit may come.
        free: How many may begin.
    """
    taken = {port for unit in running for port in unit.alone}
    chosen: list[Unit] = []
    for unit in waiting:
        if len(chosen) >= free:
            break
        if not taken & unit.alone and _offered(unit, offers):
            chosen.append(unit)
            taken |= unit.alone
    return chosen


def _offered(unit: Unit, offers: Sequence[frozenset[str]] | None) -> bool:
    return offers is None or any(unit.needs <= boards for boards in offers)


def _ended(running: Collection[Future[str]]) -> Iterable[Future[str]]:
    if not running:
        time.sleep(_LOOK_S)  # nothing runs and something waits: for a host that has what it needs
        return ()
    return wait(running, timeout=_LOOK_S, return_when=FIRST_COMPLETED)[0]


@dataclass(slots=True)
class _Absent:
    """Since when units wait for a host that nobody is."""

    patience_s: float
    since: dict[int, float] = field(default_factory=dict)

    def given_up(
        self, waiting: Iterable[Unit], offers: Sequence[frozenset[str]] | None, now_s: float, deaths: dict[int, int]
    ) -> Iterator[tuple[Unit, str, str]]:
        """Yield units that waited long enough, with the outcome and the reason."""
        for unit in list(waiting):
            if _offered(unit, offers):
                self.since.pop(unit.at, None)
            elif now_s - self.since.setdefault(unit.at, now_s) >= self.patience_s:
                needs = ", ".join(sorted(unit.needs))
                if not offers:
                    yield unit, TROUBLE, f"no worker was there for {self.patience_s:g} s; start one with `hil worker`"
                elif deaths.get(unit.at):
                    yield unit, TROUBLE, f"the worker that has {needs} died, and no other came in {self.patience_s:g} s"
                else:
                    yield unit, NA, (f"it needs {needs}, which no worker offered in {self.patience_s:g} s; "
                                     "run `hil worker --bench FILE` where the board is")  # fmt: skip


@dataclass(slots=True)
class _Run:
    """Results as they come, told in the order of the units."""

    units: Sequence[Unit]
    done: Callable[[ScenarioResult], None] | None
    told: Callable[[int], None] | None
    results: dict[int, ScenarioResult] = field(default_factory=dict)
    deaths: dict[int, int] = field(default_factory=dict)
    _next: int = 0

    def take(self, unit: Unit, future: Future[str]) -> bool:
        """Take what came of a unit; false: its process died and it is to run again.

        Raises:
            UsageError: It cannot be meant as it was asked for.
        """
        error = future.exception()
        if isinstance(error, Died):
            self.deaths[unit.at] = self.deaths.get(unit.at, 0) + 1
            if self.deaths[unit.at] <= RETRIES:
                return False
            self.settle(unit, self.without(unit, TROUBLE, f"{error}, {RETRIES + 1} times; run it alone to see why"))
        elif isinstance(error, BridgeError) and not isinstance(error, UsageError):
            self.settle(unit, self.without(unit, TROUBLE, str(error)))
        elif error is not None:
            raise error
        elif (text := future.result()) == INTERRUPTED:
            self.settle(unit, self.without(unit, TROUBLE, _BROKEN_OFF))
        else:
            self.settle(unit, replace(result_of(text), retries=self.deaths.get(unit.at, 0)))
        return True

    def without(self, unit: Unit, outcome: str, why: str) -> ScenarioResult:
        """Return the result of a unit that came to none."""
        scenario, retries = unit.loaded.scenario, min(self.deaths.get(unit.at, 0), RETRIES)
        quarantine = scenario.quarantine
        reason = "" if quarantine is None else f"{quarantine.reason} ({quarantine.date})"
        return ScenarioResult(scenario.name, str(unit.loaded.path), "", outcome, why, quarantined=reason,
                              retries=retries)  # fmt: skip

    def settle(self, unit: Unit, result: ScenarioResult) -> None:
        """Note a result, and tell it and those behind it whose turn has come."""
        self.results[unit.at] = result
        if self.told is not None:
            self.told(len(self.results))
        while self._next in self.results:
            if self.done is not None:
                self.done(self.results[self._next])
            self._next += 1

    def all(self, begun: Collection[int]) -> list[ScenarioResult]:
        """Return all results; who has none by now was interrupted."""
        for unit in self.units:
            if unit.at not in self.results:
                self.settle(unit, self.without(unit, TROUBLE, _BROKEN_OFF if unit.at in begun else _NOT_BEGUN))
        return [self.results[at] for at in range(len(self.units))]
