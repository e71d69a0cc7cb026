"""The panes of the page of models as tables: how each does, and how often it said what under which label.

Rule of this room: pure; what is not known stays empty.
"""

import shlex

from hil.tui.sheet import Sheet, table
from hil.tui.state.modelling import Modelling
from hil.tui.state.tally import Tally
from hil.views.snapshot import Snapshot

__all__ = ["about", "models"]


def _again(snapshot: Snapshot | None, model: str) -> str:
    """Return the command that has the model decide once more: on the recording, or on a new one of these boards."""
    if snapshot is not None and snapshot.replay is not None:
        return shlex.join(["hil", "predict", f"{model}.hilmodel", snapshot.replay.path])
    ports = [f"{one.role}={one.port}" for one in snapshot.boards if one.port] if snapshot else []
    return shlex.join(["hil", "capture", *ports, "--model", f"{model}.hilmodel", "--for", "60"])


def models(scene: Modelling) -> Sheet:
    """Return one row a model and board."""
    rows = []
    for one in scene.models:
        tally = scene.tallies.get((one.model, one.board), Tally())
        work, drift = one.work, one.drift
        p50, p99, longest = (*(work.latency_ms if work else ()), None, None, None)[:3]
        rows.append((
            one.model, one.board, one.state, one.label, one.confidence if one.label else None, tally.right,
            tally.judged, tally.unlabelled, drift.verdict if drift else None, drift.sentence if drift else None, p50,
            p99, longest, work.late if work else None,
        ))  # fmt: skip
    heads = ("model", "board", "state", "label", "confidence", "right", "judged", "unlabelled", "drift", "why",
             "p50_ms", "p99_ms", "longest_ms", "late")  # fmt: skip
    return table("models", heads, rows, _again(scene.latest, scene.here.model if scene.here else "MODEL"))


def about(scene: Modelling) -> Sheet | str:
    """Return how often the model at the cursor said what under which label; before any label, its decisions."""
    here = scene.here
    if here is None:
        return "no model runs here"
    again = _again(scene.latest, here.model)
    if scene.tally.pairs:
        rows = [(truth, said, count) for (truth, said), count in sorted(scene.tally.pairs.items())]
        return table("confusion", ("label", "decision", "count"), rows, again)
    return table("decisions", ("utc_ns", "label", "confidence"), here.history, again)
