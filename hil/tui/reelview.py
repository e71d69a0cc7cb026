"""What stands below the list of recordings, or in place of it: a preview, the labelling of one, the comparison of two.

Rule of this room: pure, from a scene to lines and a title.
"""

from collections.abc import Sequence
from dataclasses import replace

from hil.tui.charts.cells import BAD, DIM, KEY, TEXT, Line, wrap
from hil.tui.library import readable
from hil.tui.lines import reel, shelflines
from hil.tui.state.reading import Marked, Reading
from hil.views.stream import StreamView

__all__ = ["picture"]


def picture(scene: Reading, width: int, height: int, colour: bool, written: str = "") -> tuple[list[Line], Line]:
    """Return the lines and the title of the pane of readings.

    Args:
        scene: What to show.
        width: Cells, all of it.
        height: Rows below the title.
        colour: Whether colours will be seen.
        written: The recording that the bench writes now; empty: none.
    """
    here = scene.here
    if here is None:
        return [], ()
    about = shelflines.facts(here, width - 4, written)
    strips = scene.strips.get(here.path, ())
    if not readable(here):
        why = wrap([("  ✖ ", BAD), (here.trouble, TEXT)], width)[: max(1, height)]
        return why, about
    if not strips:
        return [[("  it is being read; the screen goes on meanwhile", DIM)]], about
    track = reel.Track(scene.window, scene.said, scene.classes, scene.cursor_s)
    if scene.mode == "compare" and scene.first is not None:
        return _compared(scene, scene.strips.get(scene.first.path, ()), strips, track, (width, height), colour)
    if scene.mode == "label":
        track = replace(track, start_s=scene.start_s)
        named = shelflines.classes(scene)
        read = shelflines.read(scene, strips, width - sum(len(words) for words, _ in named))
        return [[*named, *read], *reel.reel(strips, track, width, height - 1)], shelflines.where(scene)
    if scene.cursor_s is not None:
        at: Line = [(f"▲ {scene.cursor_s:.3f} s", KEY)]
        return reel.reel(strips, track, width, height), [*at, *shelflines.read(scene, strips, width - 20)]
    return reel.reel(strips, track, width, height), about


def _compared(
    scene: Reading, a: Sequence[StreamView], b: Sequence[StreamView], track: reel.Track, size: tuple[int, int],
    colour: bool,
) -> tuple[list[Line], Line]:  # fmt: skip
    width, height = size
    title = shelflines.comparing(scene)
    if scene.overlay:
        return reel.overlaid(a, b, track, width, height, colour), title
    upper = reel.reel(a, replace(track, marked=scene.marked.get(scene.a, Marked())), width, height // 2)
    first, last = track.window
    mine = replace(track, window=(first - scene.offset_s, last - scene.offset_s))
    return [*upper, *reel.reel(b, mine, width, height - height // 2)], title
