"""A recorded hour judged by a scenario with a model: how many times faster than it was recorded.

Rule of this room: the whole of `run_scenario` counts, the model's file and everything else that is opened included;
only imports are done before. Times are CPU times of the thread: nothing is waited for. The recording is what a capture
of the virtual watch holds (see `longrecording`).
"""

import tempfile
from pathlib import Path
from time import thread_time

from hil.bench.longrecording import record_watch
from hil.bench.row import Row, judge
from hil.scenario.grammar.load import Loaded, parse_scenario
from hil.scenario.run import RunOptions, run_scenario

__all__ = ["BAR", "run", "scenario_of", "times_faster"]

BAR = 1000.0
HOUR_S = 3600.0
ROUNDS = 9

_SCENARIO = """
name = "An hour of the watch is judged"
timeout_s = 600
[board.watch]
recording = "{name}"
[model.exercise]
file = "exercise"
board = "watch"
[[check]]
metric = "link.watch.samples_lost"
equals = 0
[[check]]
metric = "model.exercise.coverage"
at_least = 0.99
"""


def scenario_of(recording: Path) -> Loaded:
    """Return a scenario that judges a recording of the watch with the shipped model."""
    text = _SCENARIO.format(name=recording.name)
    path = recording.with_suffix(".toml")
    return Loaded(path, text, parse_scenario(text, str(path)))


def times_faster(loaded: Loaded) -> float:
    """Judge once and return seconds of readings over seconds of CPU.

    Raises:
        AssertionError: It did not pass, so that nothing can be said.
    """
    began = thread_time()
    result = run_scenario(loaded, RunOptions())
    took = thread_time() - began
    if result.outcome != "PASS":
        raise AssertionError(f"the recorded hour does not pass: {result.why or result.checks}")
    return result.readings_s / took


def run(quick: bool = False) -> list[Row]:
    """Measure against real time.

    Args:
        quick: A recorded ten minutes instead of an hour.
    """
    seconds = HOUR_S / 6 if quick else HOUR_S
    with tempfile.TemporaryDirectory(prefix="hil-bench-") as folder:
        loaded = scenario_of(record_watch(Path(folder) / "watch.mcap", seconds))
        times_faster(loaded)  # imports and lazy tables
        found = sorted(times_faster(loaded) for _ in range(ROUNDS))
    middle = found[len(found) // 2]
    name = f"judging a recorded {'ten minutes' if quick else 'hour'}, 50 Hz x 6, with the model"
    return [judge(name, seconds / middle, "s CPU", "real time", found, BAR)]
