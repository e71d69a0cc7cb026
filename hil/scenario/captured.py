"""A glitch that somebody saw in a recording, made a test: cut out with what lay before, and a scenario beside it.

Rule of this room: what it leaves is what a glitch captured live leaves (`hil.engine.glitches`), made by the same
functions, so that nobody can tell the tests apart. What lies before the glitch is taken as normal.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from firmware_bridge.errors import FileError, UsageError
from hil.monitor.triggers import METADATA, Trigger
from hil.recording.reader import Recording
from hil.replay.cutting import cut
from hil.scenario.glitch import REACTION_S, propose

__all__ = ["AFTER_S", "BEFORE_S", "glitch_in"]

BEFORE_S, AFTER_S = 30.0, 5.0
"""How much is kept before a glitch and after it, as of a live one."""


def glitch_in(
    path: Path, from_s: float, to_s: float, *, before_s: float = BEFORE_S, after_s: float = AFTER_S,
    output: Path | None = None, text: str = "a person saw it",
) -> Path:  # fmt: skip
    """Write a stretch of a recording as a recording of its own, and a scenario that asserts what was expected.

    Args:
        path: The recording.
        from_s: Where the glitch begins, seconds since the first sample.
        to_s: Where it ends.
        before_s: How much of before is kept; that is what was normal.
        after_s: How much of after is kept.
        output: The scenario; the new recording stands beside it. None: beside the recording, named by its time.
        text: What was seen.

    Returns:
        The scenario.

    Raises:
        UsageError: The stretch is none, or holds no readings.
        FileError: The recording cannot be read, or one of the files exists.
    """
    if not 0 <= from_s < to_s:
        raise UsageError(f"{from_s:g} to {to_s:g} s is no stretch", str(path), "give its start before its end")
    scenario = output or path.with_name(f"{path.stem}_glitch_{from_s:.1f}s.toml")
    if scenario.exists():
        raise FileError("the scenario exists and is never overwritten", str(scenario), "run it, or move it away")
    with Recording(path) as recording:
        start_ns, length_s = recording.start_ns, recording.duration_s
    begin, end = max(0.0, from_s - before_s), min(length_s, to_s + after_s)
    seen = Trigger(start_ns + round((from_s + REACTION_S) * 1e9), "key", text)
    about: Mapping[str, Any] = {"triggers": [seen.as_dict()], "before_s": from_s - begin, "after_s": after_s,
                                "squeezed": 0, "of": str(path)}  # fmt: skip
    made = cut(path, scenario.with_suffix(".mcap"), begin, end, {METADATA: about})
    return propose(made)
