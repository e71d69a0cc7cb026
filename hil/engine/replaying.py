"""A recording in the place of boards: opened as its plan says, and wound by the commands of a screen or a script.

Rule of this room: a command does what its name says to the replay and tells how it stands now. Live boards know the
same names, and refuse each with the sentence that says what to do instead.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from firmware_bridge.clock import Clock
from firmware_bridge.errors import UsageError
from hil.config import ReplayConfig
from hil.recording.reader import Recording
from hil.replay.replay import Replay, mark_time
from hil.serving.stage import ModelStage

__all__ = ["open_replay", "replay_commands"]

Command = Callable[..., dict[str, Any] | None]


def open_replay(plan: ReplayConfig, clock: Clock) -> Replay:
    """Open a recording for replay, standing still at its beginning.

    Args:
        plan: What to play, and how.
        clock: Paces it.

    Raises:
        BridgeError: It cannot be read, or the plan cannot be meant; the file is closed again.
    """
    recording = Recording(plan.path)
    try:
        begin = None if plan.begin is None else mark_time(recording, plan.begin)
        end = None if plan.end is None else mark_time(recording, plan.end)
        return Replay(
            recording, clock=clock, speed=plan.speed, from_s=begin, to_s=end, loop=plan.loop, paused=True,
            hold=plan.hold,
        )  # fmt: skip
    except BaseException:
        recording.close()
        raise


def replay_commands(replay: Replay | None, models: Sequence[ModelStage]) -> Mapping[str, Command]:
    """Return the commands that wind a replay, by name.

    Args:
        replay: The replay; None: boards are live.
        models: The models that run, for steps by windows; asked whenever a step is.
    """
    if replay is None:
        return dict.fromkeys(("pause", "seek", "step", "speed", "loop", "range"), _refused)

    def step(samples: int | None = None, windows: int | None = None) -> None:
        hop = next((model.hop for model in models if model.hop), None)
        stream = next((model.stream for model in models if model.stream), None)
        if windows is not None and hop is None:
            raise UsageError("no model is loaded, so that a window has no length", "step", "step by samples")
        replay.step(windows * (hop or 1) if windows is not None else samples or 1, stream)

    return {
        "pause": lambda paused=None: {"paused": replay.pause(paused)},
        "seek": lambda to_s: {"position_s": replay.seek(float(to_s))},
        "step": step,
        "speed": lambda speed: replay.set_speed(speed),
        "loop": lambda on: replay.set_loop(bool(on)),
        "range": lambda from_s=None, to_s=None: replay.set_range(from_s, to_s),
    }


def _refused(**_: Any) -> NoReturn:
    raise UsageError("live boards cannot be paused or wound", "replay", "record them and replay the recording")
