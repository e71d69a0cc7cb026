"""What a key asks of a recording that is being labelled: a request for the librarian, or why it cannot be.

Rule of this room: pure, from a scene to one of the two; every request does what a verb of the command line does.
"""

from hil.tui.state.deeds import Command, Refusal
from hil.tui.state.reading import Reading

__all__ = ["dismissed", "labelled", "removed", "tested", "undone"]

LOOKED_S = 2.0
"""Without a stretch a glitch is what lies so long before the cursor."""

Decided = Command | Refusal


def labelled(scene: Reading, digit: int) -> Decided:
    """Label the stretch as the class on a digit."""
    here = scene.here
    if here is None or scene.mode != "label":
        return Refusal("labels are set in the labelling of a recording: press e")
    if digit > len(scene.classes):
        return Refusal(f"there is no class {digit}: l names a new one")
    if scene.start_s is None or scene.start_s == scene.at_s:
        return Refusal("a stretch needs a start and an end: press space, move, then a digit")
    first, last = sorted((scene.start_s, scene.at_s))
    return Command("label", {"path": here.path, "text": scene.classes[digit - 1], "from_s": first, "to_s": last})


def removed(scene: Reading) -> Decided:
    """Take the label at the cursor away."""
    label = scene.said.at(scene.at_s) if scene.mode == "label" else None
    if label is None or scene.here is None:
        return Refusal("there is no label at the cursor")
    return Command("unlabel", {"path": scene.here.path, "label": label.id})


def undone(scene: Reading) -> Decided:
    """Take back what was done last."""
    if scene.mode != "label" or scene.here is None:
        return Refusal("what was labelled is taken back in the labelling of a recording: press e")
    return Command("undo", {"path": scene.here.path})


def dismissed(scene: Reading) -> Decided:
    """Take the suggestion away that is taken as the stretch."""
    one = scene.suggested if scene.mode == "label" else None
    if one is None or scene.here is None:
        return Refusal("go to a suggestion first: n")
    return Command("dismiss", {"path": scene.here.path, "suggestion": one.id})


def tested(scene: Reading) -> Decided:
    """Make a test of the stretch, or of what lies just before the cursor."""
    if scene.here is None or scene.mode != "label":
        return Refusal("a glitch is a stretch of a recording: press e, go there, space, go to its end, then g")
    start = max(0.0, scene.at_s - LOOKED_S) if scene.start_s is None else scene.start_s
    first, last = sorted((start, scene.at_s))
    if first == last:
        return Refusal("a stretch needs a start and an end: press space, move, then g")
    return Command("glitch", {"path": scene.here.path, "from_s": first, "to_s": last})
