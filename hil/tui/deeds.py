"""What a key asks of the bench: a command for the engine, or the sentence that says why it cannot be now.

Rule of this room: pure, from a scene to one of the two. Nothing is sent here, and nothing that the command line could
not do as well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hil.snapshot import ReplayView
from hil.tui.state import Scene, next_speed

__all__ = ["Command", "Refusal", "decide"]

NEAR_S = 0.5
"""Going back to a mark skips one that was passed less than this ago, so that the key can be pressed again."""


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
        deed: `record`, `mark`, `glitch`, `label`, `pause`, `step`, `seek`, `start`, `to_mark`, `speed` or `loop`.
        scene: What the screen shows now.
        value: The key's argument: a digit, a number of samples or seconds, a direction.
    """
    if scene.latest is None or scene.lost:
        return Refusal("the engine does not answer yet; nothing was sent")
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
    if scene.latest is not None and scene.latest.replay is not None:
        return Refusal("this is a recording already: hil scenario new FILE --from A --to B makes a test of a stretch")
    return Command("glitch")


def _label(scene: Scene, value: float) -> Command | Refusal:
    classes = scene.latest.classes if scene.latest else ()
    if not 1 <= value <= len(classes):
        return Refusal(f"there is no class {value:g}: {len(classes) or 'no'} classes are known")
    if not scene.recording:
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


_BENCH: Mapping[str, Callable[[Scene, float], Command | Refusal]] = {
    "record": _record, "mark": _mark, "glitch": _glitch, "label": _label,
}  # fmt: skip

_REPLAY: Mapping[str, Callable[[ReplayView, float], Command | Refusal]] = {
    "pause": lambda replay, _: Command("pause", {"paused": not replay.paused}),
    "step": lambda replay, samples: Command("step", {"samples": int(samples)}),
    "seek": _seek,
    "start": lambda replay, _: Command("seek", {"to_s": replay.from_s}),
    "to_mark": _to_mark,
    "speed": lambda replay, by: Command("speed", {"speed": next_speed(replay.speed, int(by))}),
    "loop": lambda replay, _: Command("loop", {"on": not replay.loop}),
}
