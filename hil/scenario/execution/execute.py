"""Runs one scenario once: feeds in, models on them, evidence out.

Rule of this room: one thread, one order. Boards are merged by time, or one after another where a second run asks for
another interleaving; what comes out must be the same. The clock on the wall is looked at for latency and timeout only.
"""

import heapq
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from firmware_bridge.errors import NoAnswer, UsageError
from firmware_bridge.events import Arrival, Mark, Prediction
from firmware_bridge.faults import Schedule
from firmware_bridge.wire.protocol import Session
from hil.orientation import derived_name
from hil.recording.header import Header
from hil.recording.marks import Label, labels_of
from hil.recording.writer import RecordingWriter
from hil.scenario.evidence.evidence import Evidence
from hil.scenario.evidence.pieces import bytewise, shattered
from hil.scenario.evidence.stretches import Passing, Stretch, single
from hil.scenario.execution.drive import Drive
from hil.scenario.execution.oriented import oriented
from hil.scenario.execution.simulate import START_NS
from hil.scenario.execution.stimulated import stimulated_feed
from hil.scenario.execution.targets import Feed, Place, feed_of
from hil.scenario.grammar.grammar import ModelTable
from hil.scenario.grammar.load import Loaded
from hil.scenario.metrics.decisions import ModelEvidence
from hil.stimulus.match import Match

if TYPE_CHECKING:
    from hil.models.model import Model
    from hil.models.streaming import Runner

__all__ = ["Execution", "Running", "Told", "Watch", "execute", "judge_feeds", "model_path"]

SLOTS = 8

Watch = Callable[[Arrival], None]
"""Is shown every arrival of a run with its items."""
Told = Callable[[Evidence, Sequence["Running"], Sequence[Feed]], None]
"""Is shown what a run has come to, after each arrival; it only looks."""


@dataclass(slots=True, eq=False)
class Execution:
    """What one run left behind.

    Attributes:
        evidence: What was counted.
        models: What each model did, by its name in the scenario.
        labels: Labelled stretches of each board.
        stimuli: What came of the readings that were pushed into each board.
        drives: Profiles that were driven into chips.
        readings_s: Seconds of readings, the longest board's.
    """

    evidence: Evidence
    models: dict[str, ModelEvidence]
    labels: dict[str, Sequence[Label]] = field(default_factory=dict)
    stimuli: dict[str, Match] = field(default_factory=dict)
    drives: Sequence[Drive] = ()

    @property
    def readings_s(self) -> float:
        """Seconds of readings, of the board with the most."""
        return max((board.seconds for board in self.evidence.boards.values()), default=0.0)


def model_path(loaded: Loaded, table: ModelTable) -> str:
    """Return the file of a model: beside the scenario, or one that comes with the bench by its name alone."""
    found = loaded.find(table.file)
    if not found.is_file() and "/" not in table.file and "." not in table.file:
        from hil.demo import MODEL

        shipped = Path(MODEL).parent / f"{table.file}.hilmodel"
        if shipped.is_file():
            return str(shipped)
    return str(found)


class Running:
    """One model while it runs; a model that cannot run says so in its evidence and lets the readings pass."""

    def __init__(self, name: str, table: ModelTable, loaded: Loaded) -> None:
        from hil.models.model import load_model

        self.evidence = ModelEvidence(name, deadline_ms=table.deadline_ms)
        self.runner: Runner | None = None
        model: Model = load_model(model_path(loaded, table))
        contract = model.contract
        self.evidence.labels, self.evidence.window = tuple(contract.labels), contract.window
        self.evidence.hop, self.evidence.memory = contract.hop, contract.reach
        boards = None if table.board is None else [table.board]
        self.runner = model.runner(boards=boards, slots=SLOTS, backend=table.backend)
        self._watch(model)

    def push(self, arrival: Passing, live_ns: int | None) -> None:
        """Let the model see what passes.

        A decision takes as long as the network's call that made it, however many more that call made.

        Args:
            arrival: With its items.
            live_ns: When its readings could first be seen; None where nobody knows, or the stretch itself says it.
        """
        if self.runner is None or not arrival.items:
            return
        began, calls = time.perf_counter_ns(), self.runner.calls
        try:
            made: list[Prediction] = self.runner.push(arrival.items)
        except UsageError as error:
            self.evidence.failed, self.runner = str(error), None
            return
        if made:
            took_ms = (time.perf_counter_ns() - began) / 1e6 / (self.runner.calls - calls)
            self.evidence.made += made
            self.evidence.latency_ms.extend([took_ms] * len(made))
            if isinstance(arrival, Stretch):
                came = zip(arrival.came_at(made), made, strict=True)
                self.evidence.age_ms.extend((came_ns - one.t_ns) / 1e6 for came_ns, one in came)
            elif live_ns is not None:
                self.evidence.age_ms.extend((live_ns - one.t_ns) / 1e6 for one in made)

    def _watch(self, model: "Model") -> None:
        from hil.models.drifting import DriftTap, absent

        self.evidence.undrifted = absent(model.contract)
        if self.runner is not None and not self.evidence.undrifted:
            tap = self.runner.tap = DriftTap(model.package)
            self.evidence.drift = tap.watches

    def finish(self) -> ModelEvidence:
        """Return what it did."""
        if self.runner is not None:
            told = self.runner.coverage.values()
            self.evidence.missed = sum(one.missed for one in told)
            self.evidence.refused = tuple(one.refused for one in told if one.refused)
            self.evidence.identity = dict(self.runner.identity())
            if not self.evidence.made and self.evidence.refused:
                self.evidence.failed = self.evidence.refused[0]
        return self.evidence


def execute(
    loaded: Loaded,
    places: Sequence[Place],
    seed: int,
    schedule: Schedule,
    *,
    otherwise: int | None = None,
    keep: Path | None = None,
    whole: bool = False,
    watch: Sequence[Watch] = (),
    told: Told | None = None,
) -> Execution:
    """Run a scenario on recordings and virtual boards.

    Args:
        loaded: The scenario.
        places: Where its boards are; none is live.
        seed: Added to the seeds of virtual boards.
        schedule: Faults.
        otherwise: Seed of another way to do the same: bytes one by one, batches cut at random, boards one after
            another. None: as usual.
        keep: Where to write a recording of the run; None: nowhere.
        whole: Write all that was received, so that it follows from its bytes; else what is judged, for measuring it.
        watch: Each is shown every arrival with its items.
        told: Is shown what it has come to, as it goes on.

    Raises:
        FileError: A recording or a model cannot be read.
        UsageError: Something that the scenario names does not fit.
        NoAnswer: It took longer than its `timeout_s`.
    """
    apply = Session.apply if otherwise is None else bytewise
    feeds: list[Feed] = []
    try:
        # One by one, so that what is open is closed when the next cannot be opened.
        # Who looks at arrivals sees every single one; else plain reads pass together, with the same results.
        at_once = otherwise is None and keep is None and not watch
        for place in places:
            if place.kind == "stimulated":
                feeds.append(stimulated_feed(place, loaded, seed, schedule, apply))
            else:
                feeds.append(feed_of(place, loaded, seed, schedule, apply, at_once))
        if keep is None:
            return judge_feeds(loaded, feeds, otherwise, watch=watch, told=told)
        with _writer(keep, feeds, seed, schedule) as writer:
            for feed in feeds:
                if whole:
                    feed.heard = writer.write
                else:
                    feed.arrivals = _shown(feed.arrivals, writer.write)
            return judge_feeds(loaded, feeds, otherwise, watch=watch, told=told)
    finally:
        for feed in feeds:
            feed.close()


def judge_feeds(
    loaded: Loaded, feeds: Sequence[Feed], otherwise: int | None = None, live: Sequence[str] = (),
    watch: Sequence[Watch] = (), told: Told | None = None,
) -> Execution:  # fmt: skip
    """Let arrivals pass models and evidence; see `execute`.

    Args:
        loaded: The scenario.
        feeds: Its boards, each by itself; of live boards one feed for all.
        otherwise: See `execute`.
        live: Roles of the live boards in the one feed.
        watch: Each is shown every arrival with its items.
        told: Is shown what it has come to, as it goes on.
    """
    scenario = loaded.scenario
    evidence = Evidence(scenario.board)
    for role, table in scenario.board.items():
        evidence.boards[role].derived = "" if table.orientation is None else derived_name(table.orientation)
    models = [Running(name, table, loaded) for name, table in scenario.model.items()]
    feeders = [feeder for feed in feeds for feeder in feed.feeders]
    # A live board takes readings in its own time; simulated time costs none.
    pushed_s = max((feeder.expected_s for feeder in feeders), default=0.0) if live else 0.0
    until = time.monotonic() + scenario.timeout_s + pushed_s
    for arrival in oriented(_together(feeds, otherwise), scenario.board):
        evidence.take(arrival)
        for look in watch:
            look(single(arrival))
        live_ns = arrival.t_ns if isinstance(arrival, Arrival) and arrival.kind == "rx" else None
        pieces: Iterable[Passing] = (arrival,)
        if otherwise is not None and isinstance(arrival, Arrival):
            pieces = shattered(arrival, random.Random(f"{otherwise}/{arrival.board}/{arrival.seq}"))
        for piece in pieces:
            for model in models:
                model.push(piece, live_ns)
        if told is not None:
            told(evidence, models, feeds)
        if time.monotonic() > until:
            raise NoAnswer(f"it took longer than its timeout_s = {scenario.timeout_s:g}", str(loaded.path),
                           "give it more time, or fewer readings")  # fmt: skip
    labels: dict[str, Sequence[Label]] = {}
    for role in live:
        labels[role] = _labels(evidence.boards[role].marks)
    for feed in () if live else feeds:
        board = evidence.boards[feed.role]
        board.imported, board.person = feed.session is None, feed.person
        if feed.session is not None:
            board.clock = feed.session.clock()
            board.books = None if board.books is None else feed.span.books(feed.session.books())
        labels[feed.role] = _labels(board.marks) if feed.labels is None else feed.labels
    for feeder in feeders:
        labels[feeder.role] = feeder.labels()
        evidence.boards[feeder.role].person = feeder.given[0].person
    stimuli = {feeder.role: feeder.match() for feeder in feeders}
    return Execution(evidence, {model.evidence.name: model.finish() for model in models}, labels, stimuli)


@contextmanager
def _writer(path: Path, feeds: Sequence[Feed], seed: int, schedule: Schedule) -> Iterator[RecordingWriter]:
    header = Header(
        START_NS, tuple(feed.setup for feed in feeds if feed.setup is not None), "virtual",
        about={"person": feeds[0].person} if feeds[0].person else {}, seeds={"scenario": seed},
        extra={"faults": schedule.as_dict()} if schedule else {},
    )  # fmt: skip
    writer = RecordingWriter(path, header)
    try:
        for feed in feeds:
            for label in feed.labels or ():
                writer.mark(Mark(feed.role, label.start_ns, label.text, "start", label.author))
                if label.stop_ns is not None:
                    writer.mark(Mark(feed.role, label.stop_ns, label.text, "stop", label.author))
        yield writer
    finally:
        writer.close()


def _shown(arrivals: Iterator[Passing], tell: Watch) -> Iterator[Passing]:
    for arrival in arrivals:
        tell(single(arrival))
        yield arrival


def _labels(marks: Sequence[Mark]) -> Sequence[Label]:
    return labels_of(sorted(marks, key=lambda mark: mark.t_ns))


def _together(feeds: Sequence[Feed], otherwise: int | None) -> Iterator[Passing]:
    if otherwise is not None:
        for feed in sorted(feeds, key=lambda one: one.role, reverse=bool(otherwise % 2)):
            yield from feed.arrivals
        return
    if len(feeds) == 1:
        yield from feeds[0].arrivals
        return
    yield from heapq.merge(*(feed.arrivals for feed in feeds), key=lambda arrival: arrival.t_ns)
