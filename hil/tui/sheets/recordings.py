"""The panes of the page of recordings as tables: the list, and the strips with what people said below them.

Rule of this room: pure. Strips are told as they are drawn, least and greatest reading a column; the command gets every
sample, and the file itself can be taken along.
"""

import shlex
from typing import Any

import numpy as np

from hil.tui.sheet import Sheet, table
from hil.tui.state.reading import Reading

__all__ = ["shelf", "strips"]


def shelf(scene: Reading, folder: str) -> Sheet:
    """Return the list of recordings."""
    rows = [
        (one.path, one.start_ns, one.duration_s, one.labelled_s, " ".join(one.labels), " ".join(one.streams),
         one.size, one.trouble)
        for one in scene.shown
    ]  # fmt: skip
    heads = ("file", "utc_ns", "duration_s", "labelled_s", "labels", "streams", "bytes", "trouble")
    file = scene.here.path if scene.here else ""
    return table("recordings", heads, rows, shlex.join(["hil", "ui", folder]), file)


def strips(scene: Reading) -> Sheet | str:
    """Return what is drawn of the recording at the cursor (of A and B, where two are compared), or why nothing is."""
    here, first = scene.here, scene.first if scene.mode == "compare" else None
    shown = [one for one in (first, here) if one is not None and scene.strips.get(one.path)]
    if here is None or not shown:
        return "nothing of this recording is drawn yet"
    begin, end = scene.window
    count = scene.strips[shown[0].path][0].low.shape[1]
    middles = begin + (np.arange(count) + 0.5) * (end - begin) / count
    columns: dict[str, Any] = {"t_s": middles, "label": [_label(scene, float(t_s)) for t_s in middles]}
    for side, one in zip(("A ", "B ") if len(shown) > 1 else ("",), shown, strict=False):
        for stream in scene.strips[one.path]:
            if stream.low.shape[1] != count:
                return "the strips are being drawn; ask again"
            for at, (channel, unit) in enumerate(zip(stream.channels, stream.units, strict=True)):
                name = f"{side}{stream.board}/{stream.name} {channel}"
                columns |= {f"{name} least [{unit}]": stream.low[at], f"{name} greatest [{unit}]": stream.high[at]}
    if first is not None:
        again = ["hil", "compare", first.path, here.path]
    else:
        again = ["hil", "export", here.path, "--from", f"{begin:.3f}", "--to", f"{end:.3f}", "-o", "part.npz"]
    return Sheet("strips", columns, shlex.join(again), here.path)


def _label(scene: Reading, t_s: float) -> str:
    found = scene.said.at(t_s)
    return "" if found is None else found.text
