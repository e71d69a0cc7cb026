"""What a key asks of the bench: a command for the engine, or the sentence that says why it cannot be now.

Rule of this room: pure, from a scene to one of the two. Nothing is sent here, and nothing that the command line could
not do as well.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hil.tui.state.state import Scene, next_speed
from hil.views.snapshot import ReplayView

__all__ = ["Command", "Refusal", "decide", "go_to", "loop_ab"]

NEAR_S = 0.5
"""Going back to a mark skips one that was passed less than this ago, so that the key can be pressed again."""


SILENT = "the engine does not answer yet; nothing was sent"


@dataclass(frozen=True, slots=True)
class Command:
    """A verb of the engine and its arguments."""

    verb: str
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a key does nothing now."""

    sentence: str


def decide(deed: str, scene: Scene, value: float = 0) -> Command | Refusal:
    """Return what a key leads to.

    Args:
        deed: `record`, `mark`, `glitch`, `label`, `watch`, `pause`, `step`, `step_window`, `seek`, `start`, `to_mark`,
            `speed` or `loop`.
        scene: What the screen shows now.
        value: The key's argument: a digit, a number of samples or seconds, a direction.
    """
    if scene.latest is None or scene.lost:
        return Refusal(SILENT)
    if deed in _BENCH:
        return _BENCH[deed](scene, value)
    if scene.latest.replay is None:
        return Refusal("that key moves a replay, and this is the live bench")
    return _REPLAY[deed](scene.latest.replay, value)


def _record(scene: Scene, value: float) -> Command | Refusal:
    return Command("record_stop") if scene.recording else Command("record")


def _mark(scene: Scene, value: float) -> Command | Refusal:
    recording = scene.latest.recording if scene.latest else None
    return Command("mark", {"text": f"mark {(recording.marks if recording else 0) + 1}"})


def _glitch(scene: Scene, value: float) -> Command | Refusal:
    return Command("glitch")


def _watch(scene: Scene, value: float) -> Command | Refusal:
    if scene.latest is not None and scene.latest.replay is not None:
        return Refusal("a recording is kept already: firings of live boards are saved")
    if not scene.scope.text:
        return Refusal("nothing triggers yet: T says what is to")
    return Command("watch", {"text": "" if scene.scope.saved else scene.scope.text})


def _label(scene: Scene, value: float) -> Command | Refusal:
    classes = scene.latest.classes if scene.latest else ()
    if not classes:
        return Refusal("no class is on the digits yet: a model names them (--model FILE), or labels of the recording")
    if not 1 <= value <= len(classes):
        return Refusal(f"there is no class {value:g}: classes are on 1 to {len(classes)}")
    if not scene.recording and not (scene.latest and scene.latest.replay):
        return Refusal("a label belongs to a recording: start one with r")
    return Command("label", {"text": classes[int(value) - 1]})


def _seek(replay: ReplayView, by_s: float) -> Command | Refusal:
    return Command("seek", {"to_s": max(replay.from_s, min(replay.to_s, replay.position_s + by_s))})


def _to_mark(replay: ReplayView, by: float) -> Command | Refusal:
    at, spots = replay.position_s, [mark.t_s for mark in replay.marks]
    there = [spot for spot in spots if (spot > at + 0.01 if by > 0 else spot < at - NEAR_S)]
    if not there:
        return Refusal("there is no further mark on that side" if spots else "this recording has no marks")
    return Command("seek", {"to_s": min(there) if by > 0 else max(there)})


def go_to(scene: Scene, words: str) -> Command | Refusal:
    """Return how to go to a time (`12.5`, `1:02`, `1:02:03.5`) or to the mark of a name."""
    replay = scene.latest.replay if scene.latest else None
    if replay is None:
        return _no_replay(scene, "only a recording in replay has times to go to")
    spot = seconds_of(words)
    if spot is None:
        named = [mark for mark in replay.marks if mark.text.casefold().startswith(words.casefold())]
        if not named:
            known = ", ".join(dict.fromkeys(mark.text for mark in replay.marks)) or "there are no marks"
            return Refusal(f"{words!r} is neither a time nor a mark: {known}")
        spot = named[0].t_s
    if not 0 <= spot <= replay.duration_s:
        return Refusal(f"{spot:g} s lies outside the recording: it has {replay.duration_s:.1f} s")
    return Command("seek", {"to_s": spot})


def _no_replay(scene: Scene, why: str) -> Refusal:
    return Refusal(SILENT if scene.latest is None or scene.lost else f"{why}, and this is the live bench")


def seconds_of(words: str) -> float | None:
    """Return seconds of `12.5`, `1:02` or `1:02:03.5`; None where it is no time."""
    parts = words.strip().removesuffix("s").split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return None
    if len(numbers) > 3 or not all(math.isfinite(number) and number >= 0 for number in numbers):
        return None
    return sum(number * 60.0**place for place, number in enumerate(reversed(numbers)))


def loop_ab(scene: Scene) -> tuple[float | None, tuple[Command | Refusal, ...]]:
    """Return where A is now, and what the key leads to: A here, then B here and a loop, then all of it again."""
    replay = scene.latest.replay if scene.latest else None
    if replay is None or scene.lost:
        return None, (_no_replay(scene, "a loop belongs to a recording in replay"),)
    at = replay.position_s
    if replay.from_s > 0 or replay.to_s < replay.duration_s - 1e-6:
        return None, (Command("range", {}), Command("loop", {"on": False}))
    if scene.loop_a is None:
        return at, ()
    if at <= scene.loop_a:
        return scene.loop_a, (Refusal(f"B would lie before A ({scene.loop_a:.2f} s): go on and press it there"),)
    return None, (Command("loop", {"on": True}), Command("range", {"from_s": scene.loop_a, "to_s": at}))


_BENCH: Mapping[str, Callable[[Scene, float], Command | Refusal]] = {
    "record": _record, "mark": _mark, "glitch": _glitch, "label": _label, "watch": _watch,
}  # fmt: skip

_REPLAY: Mapping[str, Callable[[ReplayView, float], Command | Refusal]] = {
    "pause": lambda replay, _: Command("pause", {"paused": not replay.paused}),
    "step": lambda replay, samples: Command("step", {"samples": int(samples)}),
    "step_window": lambda replay, windows: Command("step", {"windows": int(windows)}),
    "seek": _seek,
    "start": lambda replay, _: Command("seek", {"to_s": replay.from_s}),
    "to_mark": _to_mark,
    "speed": lambda replay, by: Command("speed", {"speed": next_speed(replay.speed, int(by))}),
    "loop": lambda replay, _: Command("loop", {"on": not replay.loop}),
}
