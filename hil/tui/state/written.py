"""Words that are asked for in the line at the foot of the live page: what may be asked now, and what the words lead to.

Rule of this room: pure, from a scene and words to other scenes, commands and refusals, in the order in which they are
to be done.
"""

from collections.abc import Iterator

from hil.tui.state import looks
from hil.tui.state.deeds import Command, Refusal, go_to
from hil.tui.state.looks import Aim
from hil.tui.state.state import Scene

__all__ = ["Led", "begins", "leads"]

Led = Scene | Command | Refusal
"""What a key, the mouse or words lead to."""


def begins(asking: str, scene: Scene, aim: Aim) -> str | Refusal:
    """Return what stands in the line when it opens, or why it does not open.

    Args:
        asking: `note`, `go` or `trigger`.
        scene: How it is now.
        aim: What is focused.
    """
    if asking == "go" and isinstance(never := go_to(scene, "0"), Refusal):
        return never
    return looks.suggested(scene, aim) if asking == "trigger" else ""


def leads(asking: str, words: str, scene: Scene, noted_ns: int | None) -> Iterator[Led]:
    """Yield what words lead to; no words mean something to a trigger only.

    Args:
        asking: What was asked for.
        words: What was written.
        scene: How it is now.
        noted_ns: UTC of the moment at which the line was opened, which a mark is of; None: unknown.
    """
    if asking == "trigger":
        if scene.scope.saved:  # what was kept of one trigger is kept of the next
            yield Command("watch", {"text": words})
        yield looks.triggered(scene, words)
    elif words and asking == "note":
        yield Command("mark", {"text": words, "t_ns": noted_ns})
    elif words:
        yield go_to(scene, words)
