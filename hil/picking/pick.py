"""One pick from beginning to end: recordings in, the stretches that are most worth a label out: `hil pick`.

Rule of this room: it only calls. Labels that are there already, in these recordings, count: nothing near them is worth
another. Who doubts is written into what comes out: draws of a model, several models, or heads learnt on those labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from hil.data.suggested import Suggestion, suggest, withdraw
from hil.picking.acquire import STRATEGIES, bald, choose, margin, whitened
from hil.picking.learner import learn
from hil.picking.stretches import Cut, Piece, cut

if TYPE_CHECKING:
    from hil.models.model import Model

__all__ = ["Picked", "Picks", "pick", "write"]

Float = npt.NDArray[np.float64]

HEADS = 8
"""Heads that are learnt where no model is given."""


@dataclass(frozen=True, slots=True)
class Picked:
    """A stretch that is worth a label.

    Attributes:
        rank: From 1, the most wanted.
        piece: Where it is.
        guess: The most probable label; None where nothing was asked.
        second: The next one.
        sure: Probability of both; 0 where nothing was asked.
        bald: Disagreement of the minds, nats; None where nothing was asked.
        margin: From 0, sure, to 1, undecided; None where nothing was asked.
        distance: To the nearest stretch that is labelled or ranks before it, in spreads; None where there is none.
    """

    rank: int
    piece: Piece
    guess: str | None
    second: str | None
    sure: tuple[float, float]
    bald: float | None
    margin: float | None
    distance: float | None

    @property
    def why(self) -> str:
        """What makes it worth a look, in words."""
        told = []
        if self.guess is not None:
            told.append(f"{self.guess} ({self.sure[0]:.2f}) or {self.second} ({self.sure[1]:.2f})")
            told.append(f"minds {self.bald:.2f} nat apart")
        told.append("the first of all" if self.distance is None else f"{self.distance:.1f} from what is known")
        return "; ".join(told)


@dataclass(frozen=True, slots=True)
class Picks:
    """What a run came to.

    Attributes:
        picked: The most wanted first.
        strategy: Key of `hil.picking.acquire.STRATEGIES`.
        budget: Asked for.
        doubts: Who was asked, in words.
        labels: That are told apart.
        seconds: Length of a stretch.
        counts: Stretches that were `labelled` and `unlabelled`.
        left_out: Seconds that are in no stretch, by cause.
        seed: Of all chance.
    """

    picked: tuple[Picked, ...]
    strategy: str
    budget: int
    doubts: str
    labels: tuple[str, ...]
    seconds: float
    counts: dict[str, int]
    left_out: dict[str, float]
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        rows = [
            {"rank": one.rank, "file": one.piece.file, "board": one.piece.board, "from_s": one.piece.from_s,
             "to_s": one.piece.to_s, "guess": one.guess, "bald": one.bald, "margin": one.margin,
             "distance": one.distance, "why": one.why}
            for one in self.picked
        ]  # fmt: skip
        return {"strategy": self.strategy, "budget": self.budget, "doubts": self.doubts, "labels": list(self.labels),
                "stretch_s": self.seconds, "stretches": self.counts, "left_out_s": self.left_out, "seed": self.seed,
                "picked": rows}  # fmt: skip


def pick(
    files: Sequence[Path], models: Sequence[Model] = (), *, budget: int = 20, strategy: str = "mixed",
    seconds: float | None = None, draws: int = 16, seed: int = 0, stream: str = "",
    progress: Callable[[float], None] | None = None,
) -> Picks:  # fmt: skip
    """Rank the stretches of recordings that nobody labelled yet.

    Args:
        files: Recordings.
        models: One whose features are dropped, or several that are asked side by side; none: heads are learnt on the
            labels that are there, and without two different labels distance alone decides.
        budget: Stretches to pick.
        strategy: Key of `hil.picking.acquire.STRATEGIES`.
        seconds: Length of a stretch; None: what the model sees at once, else 4 s.
        draws: Of one model.
        seed: Of all chance.
        stream: Stream to read where there is no model.
        progress: Told the share that is done.

    Raises:
        FileError: A recording cannot be read.
        UsageError: Something does not fit, or cannot be meant.
        MissingPart: A model's library is not installed.
    """
    if strategy not in STRATEGIES:
        raise UsageError(f"there is no strategy {strategy!r}", "--strategy", f"use {', '.join(STRATEGIES)}")
    if not files:
        raise UsageError("nothing to pick from", "pick", "give recordings or a folder of them with --data")
    contract = models[0].contract if models else None
    if seconds is None:
        seconds = contract.memory_samples / contract.rate_hz if contract is not None else 4.0
    ask = None
    if models and strategy not in ("random", "coreset"):
        from hil.models.doubt import minds

        def ask(windows: npt.NDArray[np.float32]) -> Float:
            return minds(models, windows, draws, seed)

    found = cut(files, seconds, contract, ask, stream, progress)
    members, labels, doubts = _doubt(found, models, strategy, draws, seed)
    space = whitened(found.values)
    known = [row for row, piece in enumerate(found.pieces) if piece.label is not None]
    rows = choose(strategy, space, known, members, budget, seed)
    picked = tuple(_told(found, space, members, labels, known, rows, at) for at in range(len(rows)))
    counts = {"labelled": len(known), "unlabelled": len(found.pieces) - len(known)}
    return Picks(picked, strategy, budget, doubts, labels, found.seconds, counts, found.left_out, seed)


def write(picks: Picks, files: Sequence[Path], now_ns: int, author: str = "") -> tuple[int, int]:
    """Keep picks as suggestions beside their recordings, in place of those of earlier runs.

    Args:
        picks: Of `pick`.
        files: The recordings that were picked from.
        now_ns: UTC now.
        author: Who picks.

    Returns:
        Suggestions written, and earlier ones taken away that were still open.

    Raises:
        FileError: The file beside a recording cannot be written.
    """
    from hil.recording.reader import Recording

    of = len(picks.picked)
    written = gone = 0
    for file in files:
        with Recording(file) as recording:
            gone += withdraw(file, recording.kept_marks, now_ns, author)
        mine = [
            Suggestion(one.piece.start_ns, one.piece.stop_ns, one.piece.board, one.why,
                       round((of - one.rank + 1) / of, 6), one.guess)
            for one in picks.picked if one.piece.file == str(file)
        ]  # fmt: skip
        written += suggest(file, mine, now_ns, author)
    return written, gone


def _doubt(
    found: Cut, models: Sequence[Model], strategy: str, draws: int, seed: int
) -> tuple[Float | None, tuple[str, ...], str]:
    """Return probabilities of the minds that doubt, the labels they tell apart, and who they are."""
    if strategy in ("random", "coreset"):
        return None, (), f"nobody: {strategy} asks no model"
    if models:
        names = ", ".join(one.contract.name for one in models)
        told = f"{draws} draws of model {names}" if len(models) == 1 else f"models {names}"
        return found.members, models[0].contract.labels, told
    said = Counter(piece.label for piece in found.pieces if piece.label is not None)
    if len(said) < 2:
        return None, tuple(said), f"nobody: {len(said)} labels are there, so distance alone decides"
    labels = tuple(sorted(said))
    rows = np.array([row for row, piece in enumerate(found.pieces) if piece.label is not None], np.int64)
    truth = np.array([labels.index(found.pieces[row].label or "") for row in rows], np.int64)
    heads = learn(found.values, rows, truth, len(labels), seed=seed, members=HEADS)
    return heads.members(found.values), labels, f"{HEADS} heads learnt on {len(rows)} labelled stretches"


def _told(
    found: Cut, space: Float, members: Float | None, labels: Sequence[str], known: Sequence[int], rows: Sequence[int],
    at: int,
) -> Picked:  # fmt: skip
    row = rows[at]
    before = [*known, *rows[:at]]
    distance = float(np.sqrt(((space[before] - space[row]) ** 2).sum(axis=1)).min()) if before else None
    if members is None:
        return Picked(at + 1, found.pieces[row], None, None, (0.0, 0.0), None, None, distance)
    mine = members[:, row : row + 1]
    mean = mine.mean(axis=0)[0]
    first, second = (int(one) for one in np.argsort(-mean, kind="stable")[:2])
    return Picked(
        at + 1, found.pieces[row], labels[first], labels[second], (float(mean[first]), float(mean[second])),
        float(bald(mine)[0]), float(margin(mine)[0]), distance,
    )  # fmt: skip
