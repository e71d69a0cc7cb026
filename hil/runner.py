"""Runs scenarios for screens in a process of its own: the library, runs with progress, and the baseline of each.

`python -m hil.runner` serves it behind the same door as an engine. A run goes on a thread beside the door and in a
process of a crew, so that a screen is answered at once and whatever is asked to end does so with its teardown.

Rule of this room: thin. Running, judging, keeping and accepting are the functions behind `hil run`; here they are
handed plain values and give plain values. What a person broke off is no verdict and is not added to the past.
"""

import math
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from firmware_bridge.clock import Clock, SystemClock
from firmware_bridge.errors import BridgeError, UsageError
from hil.door.leash import attend
from hil.scenario.afterwards import baseline
from hil.scenario.afterwards.accept import accept
from hil.scenario.afterwards.kept import run_folder
from hil.scenario.crew import INTERRUPTED, Crew, Processes
from hil.scenario.execution.sofar import file_of, read_so_far
from hil.scenario.grammar.benchfile import find_bench, read_bench
from hil.scenario.grammar.load import Loaded, find_files, load_scenario
from hil.scenario.many import run_all, was_interrupted
from hil.scenario.options import RunOptions
from hil.scenario.reporting import Reports, since_words, write_reports
from hil.scenario.results.history import Trend, read_history, trends_of
from hil.scenario.results.outcome import ScenarioResult
from hil.scenario.results.table import total_line
from hil.scenario.unit import Unit
from hil.views.snapshot import Snapshot
from hil.views.view import View

__all__ = ["Runner", "Stoppable"]

HISTORY = "history.jsonl"
AGAIN_S = 0.2
"""How often what runs is told to end, when nobody is left to ask for it."""
SHOWN = ("windows", "faults", "labels", "seconds")
"""What of an exhibit a screen shows."""

Plain = dict[str, Any]


class Stoppable:
    """A crew that another thread may stop: what runs ends early, what waits does not begin.

    Args:
        crew: Who runs the units.
        clock: Says since when each runs.
    """

    sends_files = False

    def __init__(self, crew: Crew, clock: Clock) -> None:
        self._crew, self._clock = crew, clock
        self._began: dict[str, int] = {}
        self.stopped = False

    def offers(self) -> Sequence[frozenset[str]] | None:
        """As the crew."""
        return self._crew.offers()

    def width(self) -> int:
        """As the crew."""
        return self._crew.width()

    def submit(self, unit: Unit) -> "Future[str]":
        """Run a unit, unless it was stopped."""
        if self.stopped:
            future: Future[str] = Future()
            future.set_result(INTERRUPTED)
            return future
        path = str(unit.loaded.path)
        self._began[path] = self._clock.now_ns()
        future = self._crew.submit(unit)
        future.add_done_callback(lambda _: self._began.pop(path, None))
        return future

    def stop(self) -> None:
        """Let what runs end early. Said again it does no harm: a process hears it only once it has begun."""
        self.stopped = True
        self._crew.stop()

    def close(self) -> None:
        """As the crew."""
        self._crew.close()

    def running(self) -> dict[str, float]:
        """Return what runs, by its file, and for how many seconds."""
        now = self._clock.now_ns()
        return {path: (now - began) / 1e9 for path, began in dict(self._began).items()}


@dataclass(slots=True, eq=False)
class _Job:
    """A run that was asked for."""

    scenarios: Sequence[Loaded]
    crew: Stoppable
    so_far: str
    results: list[ScenarioResult] = field(default_factory=list)
    sentence: str = ""
    trouble: str = ""
    thread: threading.Thread | None = None


class Runner:
    """Runs scenarios, one run at a time.

    Args:
        clock: Dates runs.
        crew: Makes who runs them; by default one process, so that capture beside it keeps its core.
    """

    def __init__(self, clock: Clock | None = None, crew: Callable[[], Crew] | None = None) -> None:
        self.clock = clock or SystemClock()
        self._crew = crew or (lambda: Processes(1))
        self._job: _Job | None = None
        self._loaded: dict[str, Loaded] = {}
        self._results: dict[str, ScenarioResult] = {}
        self.asked_to_end = threading.Event()
        """Set when somebody said `quit`."""

    def snapshot(self, view: View) -> Snapshot:
        """Return nothing that moves: there is no bench here."""
        return Snapshot(0, self.clock.now_ns(), "live")

    def verbs(self) -> Mapping[str, Callable[..., Plain | None]]:
        """Return the commands by name."""
        return {
            "library": self._library, "run": self._run, "progress": self._progress, "cancel": self._cancel,
            "difference": self._difference, "accept": self._accept, "quit": self.asked_to_end.set,
        }  # fmt: skip

    def command(self, verb: str, **arguments: Any) -> Plain:
        """Do what a screen asks for; see `verbs`.

        Raises:
            BridgeError: It cannot be done; the sentence says why.
        """
        known = self.verbs()
        if verb not in known:
            raise UsageError(f"there is no command {verb!r}", "runner", f"use one of: {', '.join(sorted(known))}")
        return known[verb](**arguments) or {}

    def close(self) -> None:
        """End a run that is under way, with its teardown."""
        while self._job is not None and self._job.thread is not None and self._job.thread.is_alive():
            self._job.crew.stop()
            self._job.thread.join(AGAIN_S)

    def _library(self, folder: str, runs: str) -> Plain:
        past: dict[str, Trend] = {}
        for trend in trends_of(read_history(Path(runs) / HISTORY)[0]):
            before = past.get(trend.name)
            if before is None or before.entries[-1]["at"] <= trend.entries[-1]["at"]:
                past[trend.name] = trend
        return {"folder": folder, "entries": [self._entry(path, past) for path in find_files([folder])]}

    def _entry(self, path: Path, past: Mapping[str, Trend]) -> Plain:
        try:
            loaded = load_scenario(path)
        except BridgeError as error:
            return {"path": str(path), "name": path.stem, "trouble": str(error).splitlines()[0]}
        scenario, trend = loaded.scenario, past.get(loaded.scenario.name)
        told: Plain = {"path": str(path), "name": scenario.name, "why": scenario.why, "tags": list(scenario.tags),
                       "baseline": scenario.baseline is not None}  # fmt: skip
        if trend is None:
            return told
        last = trend.entries[-1]
        checks = [[name, *last["checks"][name], trend.values(name)] for name in last["checks"]]
        return told | {
            "outcomes": [one["outcome"] for one in trend.entries], "at": last["at"], "target": trend.target,
            "seconds": last.get("seconds", 0.0), "since": since_words(trend), "checks": _finite(checks),
            "files": last.get("files", {}),
        }  # fmt: skip

    def _run(self, paths: Sequence[str], runs: str) -> Plain:
        if self._job is not None and self._job.thread is not None and self._job.thread.is_alive():
            raise UsageError("a run is under way", "", "wait for its end, or end it with x")
        scenarios = [load_scenario(path) for path in paths]
        self._loaded |= {str(one.path): one for one in scenarios}
        chosen = find_bench(None)
        now = self.clock.now_ns()
        told = tempfile.mkdtemp(prefix="hil-so-far-")
        options = RunOptions(
            bench=() if chosen is None else read_bench(chosen[0]), bench_file="" if chosen is None else str(chosen[0]),
            keep=str(run_folder(runs, now)), exhibit=True, update_baselines=True, so_far=told,
        )  # fmt: skip
        job = self._job = _Job(scenarios, Stoppable(self._crew(), self.clock), told)
        job.thread = threading.Thread(target=self._work, args=(job, options, Path(runs)), name="run")
        job.thread.start()
        return {"total": len(scenarios), "paths": [str(one.path) for one in scenarios]}

    def _work(self, job: _Job, options: RunOptions, runs: Path) -> None:
        began = self.clock.now_ns()
        said: list[str] = []
        try:
            run_all(job.scenarios, options, done=job.results.append, crew=job.crew)
            now = self.clock.now_ns()
            judged = [one for one in job.results if not was_interrupted([one])]
            write_reports(judged, Reports(history=runs / HISTORY), (now - began) / 1e9, now, said.append)
            left = len(job.results) - len(judged)
            broken_off = [f"{left} broken off"] if left else []
            job.sentence = "; ".join([total_line(judged, (now - began) / 1e9), *broken_off, *said])
        except Exception as error:  # whatever it is, the screen is told and the next run may come
            job.trouble = str(error) or type(error).__name__
        finally:
            shutil.rmtree(job.so_far, ignore_errors=True)

    def _progress(self, told: int = 0) -> Plain:
        """Return how far the run is, and results from the `told`-th on."""
        job = self._job
        if job is None or job.thread is None:
            return {"running": {}, "results": [], "total": 0, "finished": True}
        finished = not job.thread.is_alive()
        if job.crew.stopped and not finished:
            job.crew.stop()
        fresh = job.results[told:]
        self._results |= {one.path: one for one in fresh}
        running = job.crew.running()
        checks = {path: read_so_far(file_of(job.so_far, path)) for path in running}
        return {
            "so_far": {path: [one.as_dict() for one in told] for path, told in checks.items()},
            "running": running, "results": [_shown(one) for one in fresh], "total": len(job.scenarios),
            "finished": finished, "sentence": job.sentence if finished else "", "trouble": job.trouble,
        }  # fmt: skip

    def _cancel(self) -> Plain:
        job = self._job
        if job is None or job.thread is None or not job.thread.is_alive():
            return {"sentence": "nothing runs"}
        job.crew.stop()
        return {"sentence": "the run is ended: what runs goes through its teardown first"}

    def _proposed(self, path: str) -> tuple[ScenarioResult, Path, str]:
        result, loaded = self._results.get(path), self._loaded.get(path)
        if result is None or loaded is None or loaded.scenario.baseline is None or not result.proposal:
            what = "it has no [baseline]" if result is not None else "it was not run here yet"
            raise UsageError(what, path, "`hil run --update-baselines` writes one" if result else "run it with r")
        file = loaded.find(loaded.scenario.baseline.file)
        return result, file, str(result.proposal["text"])

    def _difference(self, path: str) -> Plain:
        _, file, text = self._proposed(path)
        return {"path": path, "file": str(file), "difference": baseline.difference(file, text)}

    def _accept(self, path: str, difference: str) -> Plain:
        """Accept what was shown: where the difference is another one by now, nothing is written."""
        result, _, _ = self._proposed(path)
        accepted = accept(result, self._loaded[path], lambda _, found: found == difference)
        self._results[path] = accepted
        return {"sentence": accepted.remarks[-1], "results": [_shown(accepted)]}


def _shown(result: ScenarioResult) -> Plain:
    """Return what a screen shows of a result."""
    exhibit = {key: result.exhibit[key] for key in SHOWN if key in result.exhibit}
    bare = replace(result, exhibit=exhibit, metrics={}, predictions={}, proposal={})
    return {key: _finite(value) for key, value in bare.as_dict(whole=True).items()}


def _finite(value: Any) -> Any:
    """Return plain values in which no number is infinite or none: a message has no word for them."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list | tuple) else value


def main() -> int:
    """Serve until stdin ends or somebody says `quit`; return the exit status."""
    return attend(Runner)


if __name__ == "__main__":
    raise SystemExit(main())
