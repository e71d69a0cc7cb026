"""A model in the pipeline: arrivals go through, decisions follow as notes.

The network is loaded on a thread of its own, because torch alone takes seconds and capture must not wait for it. What
comes meanwhile is kept, so that the first decision is the same as if the model had been there from the start: models
may lag and never skip. What was kept is caught up with in pieces, so that whoever waits sees that it goes on, and may
give up; what is left then is counted. A stage that has failed says why in one sentence and lets everything pass.
"""

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from firmware_bridge.errors import BridgeError
from firmware_bridge.events import Arrival, Prediction
from hil.serving.taps import MakeRunner, Taps
from hil.serving.undecided import undecided
from hil.views.drift import DriftView, drift_view
from hil.views.snapshot import PredictionView
from hil.views.work import WorkView, percentiles, rarely

if TYPE_CHECKING:
    from hil.models.contract import Contract
    from hil.models.kshot.shown import Shown
    from hil.models.seen import Seen
    from hil.models.streaming import Runner
    from hil.recording.reader import Recording

__all__ = ["ModelStage", "slots_of"]

TIMED = 2000
"""Calls of a model whose times are kept: enough for one in a thousand."""
PIECE = 256
"""Arrivals that are decided on at once."""
DECIDED = 1000
"""Decisions that can still be asked why."""


class ModelStage:
    """Adds the decisions of one model.

    Args:
        path: Its file, whose name it bears until its contract is read.
        boards: Roles it reads; None: every board with a stream that fits.
        load: Makes a maker of runners; see `load_runner`.
        slot_map: Returns the slot of every `board/stream` in an earlier run of the model of that name, for a replay.
        background: Load on a thread of its own, beginning now; else on the first arrivals, which wait.
    """

    def __init__(
        self,
        path: str,
        boards: Sequence[str] | None,
        load: Callable[[], MakeRunner],
        *,
        slot_map: Callable[[str], Mapping[str, int]] | None = None,
        background: bool = True,
    ) -> None:
        self.path = path
        self.name = Path(path).stem
        self.boards = None if boards is None else tuple(boards)
        self.file: bytes | None = None
        """What the file held when it was loaded, for the recording."""
        self.labels: tuple[str, ...] = ()
        self.hop: int | None = None
        """Samples between two decisions, once known."""
        self.memory: int | None = None
        """Samples that a decision depends on, once known."""
        self.stream: tuple[str, str] | None = None
        """Board and stream that were decided on first."""
        self.state = "loading"
        self.sentence = "the model is being loaded; no reading is skipped meanwhile"
        self._load = load
        self._slots: dict[str, int] = {}
        self._earlier = slot_map
        self._make: MakeRunner | None = None
        self._runner: Runner | None = None
        self._held: deque[Arrival] = deque()
        self._given_up = threading.Event()
        self.caught_up = 0
        """Pieces that were decided on: it grows while a model catches up."""
        self._seen: dict[str, None] = {}
        self._took: deque[float] = deque(maxlen=TIMED)
        self._decided: deque[Prediction] = deque(maxlen=DECIDED)
        self._made = self._late = 0
        self._hop_ms: float | None = None
        self._loaded = threading.Event()
        if background:
            threading.Thread(target=self._load_now, name=f"load {self.name}", daemon=True).start()
        self._background = background

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the model is loaded or has failed; return whether that came."""
        return self._loaded.wait(timeout_s)

    def process(self, arrivals: list[Arrival]) -> list[Arrival]:
        """Return the arrivals with the decisions that are due after them."""
        if not self._background and not self._loaded.is_set():
            self._load_now()
        if self.state in ("failed", "absent"):
            self._held.clear()
            return arrivals
        self._held += arrivals
        return [*arrivals, *self._catch_up()] if self._loaded.is_set() else arrivals

    def finish(self) -> list[Arrival]:
        """Return the decisions on what was held while the model was loading."""
        if self._held:
            self._loaded.wait()
        return self.process([])

    @property
    def loading(self) -> bool:
        """Whether the model is still being loaded."""
        return not self._loaded.is_set()

    @property
    def behind(self) -> bool:
        """Whether there are readings that the model has not seen yet."""
        return bool(self._held)

    def give_up(self) -> None:
        """Decide no more, and let nobody wait (any thread): the piece that is being decided on is the last one."""
        self._given_up.set()
        self._loaded.set()
        self.sentence = "it was given up before it had seen every reading" if self._held else self.sentence

    def left_out(self) -> str:
        """Return which readings were not decided on, one sentence, empty where none; once the pipeline has ended."""
        return undecided(self.name, self._contract(), self.boards, tuple(self._held)) if self._held else ""

    def reset(self) -> None:
        """Forget windows and state, keep every board's slot: the source jumped."""
        self._held.clear()
        self._decided.clear()
        if self._runner is not None and self._make is not None:
            self._slots |= self._runner.slot_map
            self._runner = self._make(self._slots)

    def identity(self) -> dict[str, Any] | None:
        """What the last bits of a decision depend on, for the recording; None until loaded."""
        if self._runner is None:
            return None
        return {**self._runner.identity(), "file": self.path, "boards": self.boards}

    def views(self) -> tuple[PredictionView, ...]:
        """Return the state of the model at each of its boards."""
        boards = self.boards if self.boards is not None else (tuple(self._seen) or ("",))
        taught, took = self.shown() is not None, sorted(self._took)  # sorted once: what is asked of it sorts again
        work = WorkView(taught, self._made, self._hop_ms, self._late, percentiles(took), rarely(took), len(took))
        return tuple(
            PredictionView(
                self.name, board, self.state, self.sentence, self.labels, drift=self._drift(board), work=work
            )
            for board in boards
        )

    def _drift(self, board: str) -> DriftView | None:
        """Return what the watch beside the model says of a board."""
        if self._runner is None:
            return None
        tap = getattr(self._runner, "tap", None)
        if not isinstance(tap, Taps) or tap.drift is None:
            from hil.models.drifting import absent

            return drift_view(None, absent(self._runner.contract))
        return drift_view(tap.drift.state(board))

    def shown(self) -> "Shown | None":
        """Return what keeps its readings for teaching; None: it cannot be taught by showing, or is not loaded."""
        tap = getattr(self._runner, "tap", None)
        return tap.shown if isinstance(tap, Taps) else None

    def seen(self, board: str, t_ns: int | None = None) -> "Seen | None":
        """Return what a decision saw; None where there is no such decision or it is too long ago.

        Args:
            board: Role of the board that it is about.
            t_ns: When its window ended, UTC; None: the newest.
        """
        tap = getattr(self._runner, "tap", None)
        asked = (one for one in reversed(tuple(self._decided)) if one.board == board and t_ns in (None, one.t_ns))
        decision = next(asked, None)
        return tap.tape.seen(decision) if decision is not None and isinstance(tap, Taps) else None

    def _load_now(self) -> None:
        try:
            self._make = self._load()
            self.file = Path(self.path).read_bytes() if Path(self.path).is_file() else None
            self._runner = self._make(None)
            self.name = self._runner.contract.name
            self.hop = int(self._runner.contract.hop)
            self._hop_ms = self._runner.contract.hop / self._runner.contract.rate_hz * 1e3
            self.memory = int(self._runner.contract.reach)
            if self._earlier is not None and (earlier := self._earlier(self.name)):
                self._slots = dict(earlier)
                self._runner = self._make(self._slots)
            self.labels = tuple(self._runner.contract.labels)
            self._stand("ready")
        except ImportError as error:
            self._stand("absent", str(error))
        except (BridgeError, OSError, ValueError) as error:
            self._stand("failed", str(error))
        except Exception as error:
            self._stand("failed", f"the model could not be loaded: {error}")
        finally:
            self._loaded.set()

    def _stand(self, state: str, sentence: str = "") -> None:
        if not self._given_up.is_set():  # then it came too late, and that is what is to be said
            self.state, self.sentence = state, sentence

    def _contract(self) -> "Contract | None":
        if self._runner is not None:
            return self._runner.contract
        from hil.models.package import read_package  # it needs no torch, for which the loader may be waiting

        try:
            return read_package(Path(self.path)).contract
        except (BridgeError, OSError):
            return None

    def _catch_up(self) -> list[Arrival]:
        """Return the decisions on everything that is held, piece by piece."""
        # The newest sample dates the note: a decision is made when its window is complete, not earlier.
        now_ns = max((arrival.t_ns for arrival in self._held), default=0)
        made: list[Arrival] = []
        while self._held and self.state == "ready" and not self._given_up.is_set():
            made += self._decide([self._held.popleft() for _ in range(min(PIECE, len(self._held)))], now_ns)
            self.caught_up += 1
        return made

    def _decide(self, arrivals: list[Arrival], now_ns: int) -> list[Arrival]:
        assert self._runner is not None
        began = perf_counter()
        try:
            made = self._runner.push(item for arrival in arrivals for item in arrival.items)
        except BridgeError as error:
            self.state, self.sentence = "failed", str(error)
            return []
        if not made:
            return []
        each_ms = (perf_counter() - began) * 1e3 / len(made)
        self._took.append(each_ms)
        self._decided += made
        self._made += len(made)
        self._late += len(made) if self._hop_ms is not None and each_ms > self._hop_ms else 0
        for decision in made:
            self._seen[decision.board] = None
            self.stream = self.stream or (decision.board, decision.stream)
        return [Arrival(board, -1, now_ns, "note", items=items) for board, items in _by_board(made)]


def slots_of(recording: "Recording", model: str) -> dict[str, int]:
    """Return the slot of every `board/stream` that a model had when the recording was made; empty where it did not run.

    A board's slot is a row of a matrix product, whose last bits may depend on it: replay gives every board its old one.
    """
    found: dict[str, int] = {}
    for name, values in recording.file.metadata:
        if name == "hil/model" and values.get("model") == model:
            found = json.loads(values.get("slot_map", "{}"))
    return found


def _by_board(made: Sequence[Prediction]) -> list[tuple[str, tuple[Prediction, ...]]]:
    boards: dict[str, list[Prediction]] = {}
    for decision in made:
        boards.setdefault(decision.board, []).append(decision)
    return [(board, tuple(decisions)) for board, decisions in boards.items()]
