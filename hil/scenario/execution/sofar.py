"""What the checks of a scenario say while it runs: told now and then, into a file that whoever waits may read.

Rule of this room: it judges by the same functions as the end does, on what was counted so far, and decides nothing: the
verdict is made at the end from everything. Only checks whose metric has a value by now are told; a metric that needs
the end (a clock's fit, the last books) has none yet. Judging may cost a twentieth of the time, at most.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from copy import copy, deepcopy
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from hil.recording.marks import Label, labels_of
from hil.scenario.evidence.evidence import Evidence
from hil.scenario.execution.execute import Execution, Running
from hil.scenario.execution.targets import Feed
from hil.scenario.grammar.load import Loaded
from hil.scenario.metrics.checks import judge
from hil.scenario.metrics.decisions import ModelEvidence
from hil.scenario.results.outcome import CheckResult, Reading

__all__ = ["SoFar", "checks_so_far", "file_of", "read_so_far"]

FIRST_S = 0.3
"""The soonest that anything is told, and the least between two times."""
SHARE = 20.0
"""How many times as long as judging took the next pause is."""

ReadingsOf = Callable[[Execution], Iterable[Reading]]


class SoFar:
    """Judges a run under way when it is due.

    Args:
        loaded: The scenario.
        readings: Returns the metrics of an execution, as the end does.
        file: Where what is found is written, whole each time.
        clock: Seconds of any clock.
    """

    def __init__(
        self, loaded: Loaded, readings: ReadingsOf, file: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._loaded, self._readings, self._file, self._clock = loaded, readings, file, clock
        self._next = clock() + FIRST_S

    def __call__(self, evidence: Evidence, models: Sequence[Running], feeds: Sequence[Feed]) -> None:
        """Look at what a run has come to; most of the times it is too soon.

        Args:
            evidence: What was counted; it goes on being counted into.
            models: Those that run.
            feeds: Where the readings come from.
        """
        began = self._clock()
        if began < self._next:
            return
        done = Execution(_until_now(evidence, feeds), {one.evidence.name: _apart(one.evidence) for one in models},
                         {role: _labels(role, evidence, feeds) for role in evidence.boards})  # fmt: skip
        told = [one.as_dict() for one in checks_so_far(self._loaded, self._readings(done))]
        _write(self._file, {"seconds": done.readings_s, "checks": told})
        took = self._clock() - began
        self._next = self._clock() + max(FIRST_S, SHARE * took)


def _until_now(evidence: Evidence, feeds: Sequence[Feed]) -> Evidence:
    """Return a copy of the evidence whose books are about the part that is judged, as those of the end are.

    Figures are made from copies: making them adds up what waits, and the order of sums may change the last bit.
    """
    spans = {feed.role: feed.span for feed in feeds if feed.session is not None}
    now = copy(evidence)
    now.boards = {
        role: replace(
            board,
            streams=deepcopy(board.streams),
            courses=deepcopy(board.courses),
            books=spans[role].books(board.books) if role in spans and board.books else board.books,
        )
        for role, board in evidence.boards.items()
    }
    return now


def _apart(model: ModelEvidence) -> ModelEvidence:
    return replace(model, made=deepcopy(model.made))


def _labels(role: str, evidence: Evidence, feeds: Sequence[Feed]) -> Sequence[Label]:
    known = next((feed.labels for feed in feeds if feed.role == role), None)
    return labels_of(sorted(evidence.boards[role].marks, key=lambda mark: mark.t_ns)) if known is None else known


def checks_so_far(loaded: Loaded, readings: Iterable[Reading]) -> list[CheckResult]:
    """Return the checks whose metric has a value by now."""
    found = {one.name: one for one in readings}
    known = ((check, found.get(check.metric)) for check in loaded.scenario.check)
    return [judge(check, one) for check, one in known if one is not None and one.value is not None]


def file_of(folder: str, scenario: str) -> Path:
    """Return where a scenario tells its checks, by the name of its file."""
    return Path(folder) / f"{sha256(scenario.encode()).hexdigest()[:24]}.json"


def read_so_far(file: Path) -> tuple[CheckResult, ...]:
    """Return checks so far; nothing where nothing was told yet."""
    try:
        plain: Any = json.loads(file.read_text(encoding="utf-8"))
        return tuple(CheckResult(**one) for one in plain["checks"])
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def _write(file: Path, plain: dict[str, Any]) -> None:
    part = file.with_suffix(".part")
    try:
        part.write_text(json.dumps(plain), encoding="utf-8")
        os.replace(part, file)
    except OSError:  # whoever waits sees less; the run itself is not about this
        return
