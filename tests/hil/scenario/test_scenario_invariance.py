"""The verdict follows from the bytes and their times: not from batches, pace, or the order of boards."""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_bridge.batch import Batch
from firmware_bridge.clock import ManualClock
from firmware_bridge.events import Arrival
from firmware_bridge.faults import Schedule
from firmware_bridge.wire.protocol import Session
from firmware_bridge.wire.traffic import Traffic
from hil.bench.longrecording import record_watch
from hil.models.segments import Segmenter
from hil.recording.reader import Recording
from hil.replay.replay import Replay
from hil.scenario.evidence import stretches
from hil.scenario.evidence.pieces import shattered
from hil.scenario.evidence.stretches import Passing, Stretch
from hil.scenario.evidence.tally import StreamTally
from hil.scenario.execution import execute as executing
from hil.scenario.execution.execute import Execution, execute, judge_feeds
from hil.scenario.execution.targets import Feed, feed_of, place_of
from hil.scenario.grammar.load import Loaded, parse_scenario
from hil.scenario.metrics.checks import judge
from hil.scenario.metrics.decisions import digest
from hil.scenario.run import RunOptions, readings_of, run_scenario

TEXT = """
name = "two watches"
[board.a]
recording = "a.mcap"
[board.b]
recording = "b.mcap"
[model.exercise]
file = "exercise"
[[fault]]
on = "b"
kind = "frame.drop"
rate = 0.01
from_s = 4.0
to_s = 6.0
[[check]]
metric = "link.a.samples_lost"
equals = 0
[[check]]
metric = "link.b.samples_lost"
equals = 0
[[check]]
metric = "model.exercise.coverage"
at_least = 0.5
"""
SECONDS = 14.0
Judged = tuple[dict[str, float | None], list[str], str]


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    folder = tmp_path_factory.mktemp("invariance")
    for seed, role in enumerate("ab"):
        record_watch(folder / f"{role}.mcap", SECONDS, role=role, seed=seed)
    return Loaded(folder / "s.toml", TEXT, parse_scenario(TEXT, "s.toml"))


def feeds_of(loaded: Loaded, at_once: bool) -> list[Feed]:
    schedule = Schedule.from_dict({"seed": 5, "fault": list(loaded.scenario.fault)}, "s.toml")
    return [
        feed_of(place_of(role, table, None, False), loaded, 5, schedule, Session.apply, at_once)
        for role, table in loaded.scenario.board.items()
    ]


def judged(loaded: Loaded, done: Execution) -> Judged:
    readings = {one.name: one for one in readings_of(done, loaded, False)}
    checks = [judge(check, readings[check.metric]).outcome for check in loaded.scenario.check]
    data = {name: one.value for name, one in readings.items() if one.kind == "data" or "age" in name}
    return data, checks, digest(done.models["exercise"])


def run(
    loaded: Loaded, *, at_once: bool = True, alter: Callable[[Iterator[Passing]], Iterable[Passing]] = iter
) -> Judged:
    feeds = feeds_of(loaded, at_once)
    try:
        for feed in feeds:
            feed.arrivals = iter(alter(feed.arrivals))
        return judged(loaded, judge_feeds(loaded, feeds))
    finally:
        for feed in feeds:
            feed.close()


@pytest.fixture(scope="module")
def plain(scenario: Loaded) -> Judged:
    return run(scenario, at_once=False)


def cutting(draw: random.Random) -> Callable[..., Iterator[Arrival]]:
    """Recorded arrivals whose reads are cut anew: each in pieces that came at the same time."""
    original = Recording.arrivals

    def arrivals(self: Recording, *given: Any) -> Iterator[Arrival]:
        for one in original(self, *given):
            cuts = [
                0,
                *sorted(draw.sample(range(len(one.data) + 1), min(draw.randint(0, 3), len(one.data)))),
                len(one.data),
            ]
            if one.kind != "rx":
                yield one
                continue
            for low, high in pairwise(cuts):
                if low < high:
                    yield replace(one, data=one.data[low:high])

    return arrivals


def one_by_one(self: Recording, board: str, to_ns: int | None = None) -> Iterator[Arrival]:
    """What one board read and wrote, an arrival each."""
    return (one for one in self.arrivals(None, to_ns) if one.board == board)


def merging(draw: random.Random) -> Callable[..., Iterator[Passing]]:
    """Boards in any order: whoever is drawn goes next."""

    def together(feeds: list[Feed], otherwise: int | None) -> Iterator[Passing]:
        waiting = [feed.arrivals for feed in feeds]
        while waiting:
            chosen = draw.choice(waiting)
            try:
                yield next(chosen)
            except StopIteration:
                waiting.remove(chosen)

    return together


def broken(draw: random.Random) -> Callable[[Iterator[Passing]], Iterator[Passing]]:
    """Batches cut at random places, one item at a time."""

    def alter(arrivals: Iterator[Passing]) -> Iterator[Passing]:
        for one in arrivals:
            assert isinstance(one, Arrival)
            yield replace(one, items=())
            # What is handed on later still came with this read.
            yield from (replace(piece, kind="rx", data=b"") for piece in list(shattered(one, draw))[1:])

    return alter


few = settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@few
@given(st.integers(0, 2**32), st.integers(1, 700), st.booleans())
def test_neither_reads_nor_stretches_nor_the_order_of_boards_matter(
    scenario: Loaded, plain: Judged, seed: int, most: int, at_once: bool
) -> None:
    draw = random.Random(seed)
    with (
        patch.object(Recording, "arrivals", cutting(draw)),
        patch.object(Recording, "traffic", one_by_one),
        patch.object(executing, "_together", merging(draw)),
        patch.object(stretches, "MOST", most),
    ):
        found = run(scenario, at_once=at_once)
    # A cut read is two reads: nothing but their own distance may know.
    assert found == plain


@few
@given(st.integers(0, 2**32))
def test_batches_may_be_cut_anywhere(scenario: Loaded, plain: Judged, seed: int) -> None:
    assert run(scenario, at_once=False, alter=broken(random.Random(seed))) == plain


def test_most_of_a_plain_recording_is_taken_together(scenario: Loaded) -> None:
    feeds = feeds_of(scenario, True)
    passed = list(feeds[0].arrivals)
    feeds[0].close(), feeds[1].close()
    reads = sum(len(one.reads) for one in passed if isinstance(one, Stretch))
    assert reads > 0.8 * SECONDS * 50
    batches = [item for one in passed for item in one.items if isinstance(item, Batch)]
    assert sum(map(len, batches)) == pytest.approx(SECONDS * 50, abs=6)


def test_a_recording_gives_the_same_reads_and_writes_in_pieces(scenario: Loaded) -> None:
    def plainly(one: Arrival) -> tuple[Any, ...]:
        return one.board, one.seq, one.t_ns, one.kind, one.data

    with Recording(scenario.path.parent / "a.mcap") as recording:
        middle = recording.start_ns + 3_300_000_000
        for to_ns in (None, middle):
            pieces = recording.traffic("a", to_ns)
            found = [one for piece in pieces for one in (piece.arrivals() if isinstance(piece, Traffic) else (piece,))]
            assert list(map(plainly, found)) == list(map(plainly, recording.arrivals(None, to_ns)))
        assert list(recording.traffic("nobody")) == []


def test_stretches_mean_what_single_arrivals_mean(scenario: Loaded, plain: Judged) -> None:
    assert run(scenario) == plain


def test_the_pace_of_a_replay_does_not_matter(scenario: Loaded) -> None:
    calm = Loaded(scenario.path, "", scenario.scenario.model_copy(update={"fault": []}))
    found = []
    for speed in (None, 37.5):
        feeds = feeds_of(calm, False)
        with Recording(scenario.path.parent / "a.mcap") as a, Recording(scenario.path.parent / "b.mcap") as b:
            for feed, recording in zip(feeds, (a, b), strict=True):
                feed.arrivals = paced(recording, feed, speed)
            found.append(judged(calm, judge_feeds(calm, feeds)))
        for feed in feeds:
            feed.close()
    assert found[0] == found[1]
    # A replay ends with the last sample's time, a scenario with the last byte: the decisions are all there by then.
    assert found[0][1:] == run(calm)[1:]


def paced(recording: Recording, feed: Feed, speed: float | None) -> Iterator[Arrival]:
    """What a paced replay hands on; the same bytes go to the feed's own conversation, for its clock and its books."""
    replay = Replay(recording, clock=ManualClock(), speed=speed)
    assert feed.session is not None
    while not replay.ended:
        for arrival in replay.take(1.0):
            feed.session.apply(replace(arrival, items=(), books=None))
            yield arrival


def order_dependent(self: StreamTally, batch: Batch, original: Any = StreamTally.add) -> None:
    original(self, batch)
    self._low = np.zeros(0)
    self.samples += len(batch) > 1


def test_the_comparison_notices_a_metric_that_depends_on_batches(scenario: Loaded) -> None:
    """Negative control: a count of batches is no property of the readings."""
    with patch.object(StreamTally, "add", order_dependent):
        assert run(scenario, at_once=False) != run(scenario, at_once=True)


def test_the_comparison_notices_a_model_that_depends_on_batches(scenario: Loaded, plain: Judged) -> None:
    """Negative control: a window that begins anew with every batch."""
    original = Segmenter.feed

    def forgetful(self: Segmenter, batch: Batch) -> None:
        self.cut()
        original(self, batch)

    with patch.object(Segmenter, "feed", forgetful):
        assert run(scenario, at_once=True)[2] != plain[2]


def test_a_second_run_really_is_another(scenario: Loaded) -> None:
    """`--twice`: bytes one by one, batches cut, boards one after another in the other order."""
    sizes: set[int] = set()
    pushed: list[tuple[str, str, int]] = []
    received, push = Session.received, executing.Running.push

    def hears(self: Session, data: bytes, now: int) -> Any:
        sizes.add(len(data))
        return received(self, data, now)

    def sees(self: executing.Running, arrival: Arrival, live_ns: int | None) -> None:
        pushed.extend((item.board, arrival.kind, len(item)) for item in arrival.items if isinstance(item, Batch))
        push(self, arrival, live_ns)

    places = [place_of(role, table, None, False) for role, table in scenario.scenario.board.items()]
    with patch.object(Session, "received", hears), patch.object(executing.Running, "push", sees):
        execute(scenario, places, 0, Schedule(), otherwise=1)
        first = [board for board, _, _ in pushed]
        pushed.clear()
        execute(scenario, places, 0, Schedule(), otherwise=2)
        second = [board for board, _, _ in pushed]
    assert sizes == {1}
    assert {kind for _, kind, _ in pushed} == {"note"}
    assert first == sorted(first, reverse=True)
    assert second == sorted(second)


def test_twice_passes_as_it_is_and_fails_on_a_planted_difference(scenario: Loaded) -> None:
    one = Loaded(scenario.path, "", scenario.scenario.model_copy(update={"fault": []}))

    def outcomes() -> dict[str, str]:
        found = run_scenario(one, RunOptions(twice=True)).checks
        return {check.metric: check.outcome for check in found if check.metric.startswith("twice.")}

    assert outcomes() == {"twice.metrics": "PASS", "twice.exercise": "PASS"}
    with patch.object(StreamTally, "add", order_dependent):
        assert outcomes()["twice.metrics"] == "FAIL"
    original = Segmenter.feed

    def forgetful(self: Segmenter, batch: Batch) -> None:
        self.cut()
        original(self, batch)

    with patch.object(Segmenter, "feed", forgetful):
        assert outcomes()["twice.exercise"] == "FAIL"
