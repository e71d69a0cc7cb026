"""Scenarios whose recorded readings are pushed into a board: the virtual one of them, and what their metrics are.

Rule of this room: the board that takes the readings is met as any live board is; here it is a virtual one on a clock
that stands still, so that a run gives the same bytes on every machine.
"""

from collections.abc import Iterator
from dataclasses import replace

from firmware_bridge.clock import ManualClock
from firmware_bridge.errors import NoAnswer
from firmware_bridge.events import Arrival
from firmware_bridge.faults import Schedule
from firmware_bridge.rehearsal import Rehearsal
from firmware_bridge.roles import PortSpec
from firmware_bridge.wire.dialect import DialectSpec
from firmware_bridge.wire.dialects import make_dialect
from firmware_bridge.wire.protocol import Session
from hil.recording.header import BoardSetup
from hil.scenario.execution.simulate import START_NS
from hil.scenario.execution.targets import NONCE, Apply, Feed, Place, recording_path, told
from hil.scenario.grammar.catalogue import find_row
from hil.scenario.grammar.load import Loaded
from hil.scenario.results.outcome import UNSET, Reading
from hil.stimulus.feed import Feeder, fed
from hil.stimulus.match import Match
from hil.stimulus.readings import read_readings
from hil.stimulus.twin import twin_of

__all__ = ["feeder_of", "stimulated_feed", "stimulus_readings", "stimulus_remarks"]


def feeder_of(place: Place, loaded: Loaded) -> Feeder:
    """Return what pushes the recorded readings of a board.

    Raises:
        UsageError: No such board in the recording, or nothing of it lies there.
        FileError: It cannot be read.
    """
    asked = loaded.scenario.readings
    path = recording_path(loaded, place.table)
    return Feeder(place.role, read_readings(path, place.table.board, asked.from_s or None, asked.to_s))


def stimulated_feed(place: Place, loaded: Loaded, seed: int, schedule: Schedule, apply: Apply) -> Feed:
    """Return a virtual board that takes the recorded readings, as a feed.

    Args:
        place: Where it is.
        loaded: The scenario.
        seed: Of the board.
        schedule: Faults, at every level between its encoder and the host.
        apply: Gives arrivals their items.

    Raises:
        UsageError: No such board in the recording, or nothing of it lies there.
        FileError: The recording cannot be read.
    """
    whole = feeder_of(place, loaded)
    readings = max(whole.given, key=lambda one: len(one.raw))
    feeder = Feeder(place.role, [readings])
    port = f"virtual://twin?role={place.role}"
    spec = PortSpec(port, place.role, DialectSpec("native"), faults=schedule, injected=feeder.choose)
    bench = Rehearsal(
        spec, ManualClock(START_NS), nonce=NONCE, make=lambda: twin_of(readings, f"TWIN-{seed:04d}", seed)
    )  # fmt: skip
    session = Session(place.role, make_dialect(bench.dialect), nonce=NONCE)

    def arrivals() -> Iterator[Arrival]:
        with bench:
            for arrival in fed(bench, bench.clock.now_ns, [feeder]):
                yield arrival if arrival.kind == "note" else apply(session, replace(arrival, items=(), books=None))
        if feeder.why:
            raise NoAnswer(feeder.why, port, "look at the faults")

    feed = Feed(place.role, iter(()), session, (), readings.person)
    feed.arrivals = told(feed, arrivals())
    feed.feeders = (feeder,)
    feed.setup = BoardSetup(place.role, port, bench.dialect, NONCE)
    return feed


def stimulus_readings(role: str, match: Match) -> Iterator[Reading]:
    """Yield the metrics of a stimulus."""
    values = {
        "pushed": match.pushed, "returned": match.returned, "missing": match.missing, "starved": match.starved,
        "out_of_order": match.out_of_order, "differing": match.differing, "cut": match.cut,
    }  # fmt: skip
    for key, count in values.items():
        yield _reading(f"stimulus.{role}.{key}", count, "the board did not say it")
    times = match.round_trip_ms or (None, None, None)
    for key, value in zip(("p50", "p99", "max"), times, strict=True):
        yield _reading(f"stimulus.{role}.round_trip_{key}", value, "no reading came back")


def stimulus_remarks(stimuli: dict[str, Match]) -> tuple[str, ...]:
    """Return a sentence for every board whose stimulus did not come back whole."""
    return tuple(
        f"stimulus of {role}: missing {one.missing}, starved {'unknown' if one.starved is None else one.starved}, "
        f"out of order {one.out_of_order}, differing {one.differing} of {one.total} readings"
        for role, one in stimuli.items()
        if not one.whole
    )


def _reading(name: str, value: float | None, why: str) -> Reading:
    row = find_row(name)
    assert row is not None, name
    if value is None:
        return Reading(name, None, row.unit, row.kind, UNSET, why)
    return Reading(name, float(value), row.unit, row.kind)
