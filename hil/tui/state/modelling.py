"""What the page of models knows and how it looks at it: which model, alone or beside another, which decision, why.

Rule of this room: pure, from one snapshot, key or answer to the next scene. Counting is in `tally` and `versus`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from hil.serving.shelf import FoundModel
from hil.tui.state.tally import Tally, counted
from hil.tui.state.versus import Versus, compared
from hil.views.message import from_plain
from hil.views.snapshot import PredictionView, Snapshot

__all__ = ["Modelling", "Why", "looked", "told"]

Mode = Literal["one", "beside", "files"]
Plain = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Why:
    """The explanation that was asked for.

    Attributes:
        model: Whose decision.
        board: Of which board.
        t_ns: Which decision; 0 until that is known.
        label: What it said.
        found: What carried it, as `hil.models.carried.carried` gives it; None while it is being computed.
        trouble: Why there is no explanation; empty while there may be one.
    """

    model: str
    board: str
    t_ns: int = 0
    label: str = ""
    found: Plain | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Modelling:
    """How this screen looks at models.

    Attributes:
        latest: The bench as it is.
        lost: Why there is no bench; empty while there is one.
        cursor: Which model at which board is looked at.
        mode: `one` model, `beside` another one, or `files` to load.
        partner: Model beside which it is looked at; empty for none.
        at_ns: The decision that is looked at, by the end of its window; None: the newest.
        tallies: What each was so far, by model and board.
        versus: How each pair compares so far, by model, other model and board.
        shown: Model that is being taught, whether a stretch runs, and how many were shown.
        files: Model files within reach; None before they were looked for.
        file: Which of them is at the cursor.
        why: The explanation that was asked for; None: none is shown.
    """

    latest: Snapshot | None = None
    lost: str = ""
    cursor: int = 0
    mode: Mode = "one"
    partner: str = ""
    at_ns: int | None = None
    tallies: Mapping[tuple[str, str], Tally] = field(default_factory=dict)
    versus: Mapping[tuple[str, str, str], Versus] = field(default_factory=dict)
    shown: tuple[str, bool, int] = ("", False, 0)
    files: tuple[FoundModel, ...] | None = None
    file: int = 0
    why: Why | None = None

    @property
    def models(self) -> tuple[PredictionView, ...]:
        """Every model at every board."""
        return () if self.latest is None else self.latest.predictions

    @property
    def here(self) -> PredictionView | None:
        """The one at the cursor."""
        return self.models[self.cursor] if 0 <= self.cursor < len(self.models) else None

    @property
    def others(self) -> tuple[PredictionView, ...]:
        """The other models at the same board."""
        here = self.here
        return () if here is None else tuple(
            one for one in self.models if one.board == here.board and one.model != here.model)  # fmt: skip

    @property
    def beside(self) -> PredictionView | None:
        """The one beside which it is looked at."""
        return next((one for one in self.others if one.model == self.partner), None) if self.mode == "beside" else None

    @property
    def tally(self) -> Tally:
        """What the one at the cursor was so far."""
        return self.tally_of(self.here)

    @property
    def found(self) -> FoundModel | None:
        """The model file at the cursor."""
        files = self.files or ()
        return files[self.file] if 0 <= self.file < len(files) else None

    def tally_of(self, one: PredictionView | None) -> Tally:
        """Return what a model was so far."""
        return Tally() if one is None else self.tallies.get((one.model, one.board), Tally())

    def choose(self, line: int) -> "Modelling":
        """Put the cursor on a line, of models or of files."""
        if self.mode == "files":
            return replace(self, file=max(0, min(len(self.files or ()) - 1, line)))
        cursor = max(0, min(len(self.models) - 1, line))
        return self if cursor == self.cursor else replace(self, cursor=cursor, at_ns=None, why=None, mode="one")

    def step(self, by: int) -> "Modelling":
        """Look at the decision before or after; past the newest, follow the newest again."""
        here = self.here
        times = [] if here is None else [row[0] for row in here.history]
        if not times:
            return self
        at = (
            len(times) - 1
            if self.at_ns is None
            else max((i for i, t in enumerate(times) if t <= self.at_ns), default=0)
        )
        at = max(0, at + by)
        return replace(self, at_ns=times[at] if at < len(times) - 1 else None)

    def pair(self) -> "Modelling":
        """Look at the model beside the next one at its board; after the last one alone again."""
        names = [one.model for one in self.others]
        at = names.index(self.partner) + 1 if self.beside is not None else 0
        if at >= len(names):
            return replace(self, mode="one", partner="")
        return replace(self, mode="beside", partner=names[at], why=None)

    def anew(self) -> "Modelling":
        """Count the model at the cursor anew, and every pair that it is one of."""
        here = self.here
        if here is None:
            return self
        newest = max((row[0] for row in here.history), default=here.t_ns)
        pairs = {key: Versus(since_ns=one.since_ns) if here.board == key[2] and here.model in key[:2] else one
                 for key, one in self.versus.items()}  # fmt: skip
        return replace(
            self, tallies={**self.tallies, (here.model, here.board): Tally(since_ns=newest)}, versus=pairs
        )  # fmt: skip


def looked(scene: Modelling, snapshot: Snapshot) -> Modelling:
    """Return the scene after one more look."""
    tallies = dict(scene.tallies)
    for one in snapshot.predictions:
        key = (one.model, one.board)
        tallies[key] = counted(tallies.get(key), one, snapshot)
    known = replace(scene, latest=snapshot, lost="", tallies=tallies, versus=compared(scene.versus, snapshot))
    here = None if scene.here is None else (scene.here.model, scene.here.board)
    there = [(one.model, one.board) for one in known.models]
    kept = there.index(here) if here in there else max(0, min(len(there) - 1, scene.cursor))
    known = replace(known, cursor=kept)
    gone = scene.mode == "beside" and known.beside is None
    return replace(known, mode="one", partner="") if gone else known


def told(scene: Modelling, verb: str, values: Plain) -> Modelling:
    """Return the scene after the engine, or whoever reads files and explains, has answered."""
    if verb == "models":
        files = tuple(from_plain(FoundModel, one) for one in values["models"])
        return replace(scene, files=files, file=max(0, min(len(files) - 1, scene.file)))
    if verb in ("load_model", "deploy"):
        return replace(scene, mode="one")
    if verb == "seen" and scene.why is not None and scene.why.found is None:
        return replace(scene, why=replace(scene.why, t_ns=values["decided_ns"], label=values["label"]))
    if verb == "explain" and scene.why is not None and scene.why.t_ns == values["decided_ns"]:
        return replace(scene, why=replace(scene.why, found=values))
    if "shown" in values:
        return replace(scene, shown=(str(values["model"]), bool(values["running"]), int(values["shown"])))
    return scene
