"""Many scenarios: in this process, or on several of them; the same results in the same order.

Rule of this room: a scenario is named by its path and runs in whichever process is free; results come back as plain
values and are given in the order of the paths, so that how many processes there were does not show.
"""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import nullcontext

from hil.scenario.load import Loaded
from hil.scenario.outcome import ScenarioResult
from hil.scenario.run import RunOptions, run_scenario

__all__ = ["run_all"]


def run_all(
    scenarios: Sequence[Loaded],
    options: RunOptions,
    jobs: int = 1,
    done: Callable[[ScenarioResult], None] | None = None,
    executor: Executor | None = None,
) -> list[ScenarioResult]:
    """Run scenarios and return their results in the same order.

    Args:
        scenarios: What to run.
        options: How.
        jobs: Local processes; 1: this one.
        done: Called with each result, in order, as soon as it and all before it are there.
        executor: Anything of the shape of `concurrent.futures.Executor` to run on instead.

    Raises:
        UsageError: Something on the command line cannot be meant.
    """
    results: list[ScenarioResult] = []

    def take(result: ScenarioResult) -> None:
        results.append(result)
        if done is not None:
            done(result)

    if executor is None and (jobs <= 1 or len(scenarios) < 2):
        for one in scenarios:
            take(run_scenario(one, options))
        return results
    pool = nullcontext(executor) if executor is not None else _pool(min(jobs, len(scenarios)))
    with pool as workers:
        assert workers is not None
        waiting = [workers.submit(run_scenario, one, options) for one in scenarios]
        try:
            for future in waiting:
                take(future.result())
        except BaseException:
            for future in waiting:
                future.cancel()
            raise
    return results


def _pool(jobs: int) -> ProcessPoolExecutor:
    # Fresh processes: a fork would carry threads of numeric libraries that are not there any more.
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))
