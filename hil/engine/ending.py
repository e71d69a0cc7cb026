"""How a bench waits for its own end, and what it says when it does not wait to the end.

Models may lag and never skip, so the end waits for one that is still being loaded or catching up, for as long as
anything goes on. Somebody in a hurry, a model that is not loaded after ten minutes, or half a minute in which nothing
goes on ends it all the same: then a sentence says which readings nobody decided on and how many decisions are missing.

Rule of this room: time is counted in looks and never read from a clock, so what a host that stands still lets pass is
nobody's delay.
"""

import contextlib
from collections.abc import Callable, Sequence

from hil.pipeline.pipeline import Pipeline
from hil.serving.stage import ModelStage

__all__ = ["LOADING_S", "STILL_S", "see_out", "stopped_waiting"]

LOOK_S = 0.1
STILL_S = 30.0
"""Nothing has gone on for so long: it is stuck."""
LOADING_S = 600.0
"""The same while a model is being loaded, which nobody can look into."""
_TOLD_AT = 10


def see_out(
    pipeline: Pipeline, models: Sequence[ModelStage], written: Callable[[], int], hurried: Callable[[], bool],
    told: Callable[[str], object],
) -> tuple[str, ...]:  # fmt: skip
    """Stop a pipeline and wait for its end; return what was left out, a sentence each, nothing where all came through.

    Args:
        pipeline: Stopped here.
        models: Those in it.
        written: Counts what the recorder has written: a slow disk goes on, too.
        hurried: Whether somebody wants the end now.
        told: Given a sentence where it takes longer than a second.
    """

    def ended(seconds: float) -> bool:
        with contextlib.suppress(Exception):  # kept in `pipeline.error`, and told as the bench's trouble
            return pipeline.close(seconds)
        return True

    def progress() -> tuple[int, ...]:
        return (pipeline.turns, written(), *(model.caught_up for model in models))

    def late() -> str:
        return ", ".join(model.name for model in models if model.behind)

    why = stopped_waiting(ended, progress, lambda: any(one.loading for one in models), hurried, lambda: told(
        f"waiting for {late() or 'what is still on its way'} to come to the end; Ctrl-C ends it without"
    ))  # fmt: skip
    if not why:
        return ()
    for model in models:
        model.give_up()
    stuck = stopped_waiting(ended, progress, lambda: False, lambda: False, lambda: None)
    left = tuple(f"{one} ({why})" for model in models if (one := model.left_out()))
    return (
        (*left, f"the bench did not come to its end, and what it still held is left out ({stuck})") if stuck else left
    )


def stopped_waiting(
    ended: Callable[[float], bool], progress: Callable[[], object], loading: Callable[[], bool],
    hurried: Callable[[], bool], long: Callable[[], object],
) -> str:  # fmt: skip
    """Wait for an end; return why it was not waited for any longer, empty where it came.

    Args:
        ended: Waits so many seconds at most for the end, and returns whether it has come.
        progress: Changes with whatever goes on.
        loading: Whether a model is being loaded.
        hurried: Whether somebody wants the end now.
        long: Called once, where it takes longer than a second.
    """
    looks, still, last = 0, 0, progress()
    while not ended(LOOK_S):
        if hurried():
            return "it was told to end at once"
        looks += 1
        now = progress()
        still, last = (0 if now != last else still + 1), now
        limit = LOADING_S if loading() else STILL_S
        if still * LOOK_S >= limit:
            return f"nothing went on for {limit:g} s"
        if looks == _TOLD_AT:
            long()
    return ""
