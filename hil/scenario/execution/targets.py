"""Boards that are not live as feeds of decoded arrivals, all of one form.

Rule of this room: `recording` is the recorded bytes through the decoder; `virtual` the same recording spoken by a
virtual board, and virtual boards by their seed, in simulated time. The bench's own trouble is an error of the tree.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

from firmware_bridge.batch import Batch
from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.events import Arrival
from firmware_bridge.faults import LEVELS, Schedule
from firmware_bridge.faults.arrivals import damaged
from firmware_bridge.faults.dialect import faulty
from firmware_bridge.missing import unread
from firmware_bridge.virtual.boards import make_board, parse_port
from firmware_bridge.wire.boardfile import load_board_file
from firmware_bridge.wire.dialect import DialectSpec
from firmware_bridge.wire.dialects import make_dialect
from firmware_bridge.wire.protocol import Session
from hil.recording.header import BoardSetup
from hil.recording.marks import Label
from hil.recording.reader import Recording
from hil.replay.sessions import session_of
from hil.scenario.evidence.pieces import renamed
from hil.scenario.evidence.span import EVER, Span
from hil.scenario.evidence.stretches import Passing, in_stretches, single
from hil.scenario.execution.place import NotHere, Place, place_of, places_of, target_of
from hil.scenario.execution.simulate import conversation
from hil.scenario.grammar.grammar import BoardTable
from hil.scenario.grammar.load import Loaded
from hil.stimulus.feed import Feeder

__all__ = [
    "NONCE", "Apply", "Feed", "NotHere", "Place", "feed_of", "place_of", "places_of", "recording_path",
    "target_of", "told",
]  # fmt: skip

AnyPassing = TypeVar("AnyPassing", bound=Passing)

Apply = Callable[[Session, Arrival], Arrival]
"""Gives an arrival its items: whole, or byte by byte."""

DEFAULT_S = 5.0
"""Length of a virtual or live run that says none."""

NONCE = 0x5EED
LATE_NS = 1_000_000_000
"""How much later than it was taken a recorded sample may have come."""

_LFS = b"version https://git-lfs"


@dataclass(slots=True, eq=False)
class Feed:
    """One board as arrivals with items.

    Attributes:
        role: Its name in the scenario.
        arrivals: In their order.
        session: The conversation; None where there are no bytes.
        labels: Labelled stretches that the recording has; None where the board tells them.
        person: Who wore it.
        span: What of it is judged.
        recording: The file it comes from.
        setup: How it was listened to, for a recording of the run.
        feeders: What pushes readings into its boards.
        heard: Is told every arrival before it is cut to the part that is judged: what follows from the bytes, whole.
    """

    role: str
    arrivals: Iterator[Passing]
    session: Session | None = None
    labels: Sequence[Label] | None = None
    person: str = ""
    span: Span = field(default_factory=Span)
    recording: Recording | None = None
    setup: BoardSetup | None = None
    feeders: tuple[Feeder, ...] = ()
    heard: Callable[[Arrival], None] | None = None

    def close(self) -> None:
        """Give back the file."""
        if self.recording is not None:
            self.recording.close()


def feed_of(place: Place, loaded: Loaded, seed: int, schedule: Schedule, apply: Apply, at_once: bool = False) -> Feed:
    """Return the feed of a board that is not live.

    Args:
        place: Where it is.
        loaded: The scenario.
        seed: Added to the board's own seed.
        schedule: Faults.
        apply: Gives arrivals their items.
        at_once: Let recorded arrivals come in stretches (see `stretches`) where nobody asks for each.

    Raises:
        FileError: A recording cannot be read.
        UsageError: No such virtual board or parameter, no such board in a recording.
    """
    readings = loaded.scenario.readings
    table = place.table
    if place.kind == "recording":
        return _recorded(place, loaded, schedule, apply, at_once)
    spec = DialectSpec("auto", {})
    if table.board_file is not None:
        path = loaded.find(table.board_file)
        load_board_file(path)
        spec = DialectSpec("boardfile", {"text": path.read_text("utf-8-sig"), "file": path.name})
    length = readings.to_s
    if place.kind == "replayed":
        path = recording_path(loaded, table)
        with Recording(path) as recording:
            role = _role_in(recording, table.board)
            person = recording.header.about.get("person", "")
            length = min(length or recording.duration_s, recording.duration_s)
        # From its beginning on, so that samples are numbered, decided on and damaged as on `recording`.
        given = {"file": str(path), "board": role}
        if readings.to_s is not None:
            given["to_s"] = repr(readings.to_s)
        board, port = make_board("replay", given), f"virtual://replay?{urlencode({'file': path.name, 'board': role})}"
    else:
        person = ""
        name, parameters = parse_port(table.virtual or "")
        if "seed" in parameters:
            raise UsageError("the seed is given in `virtual`", str(loaded.path), "write it as seed = NUMBER")
        board = make_board(name, parameters | {"seed": str(table.seed + seed)})
        port = f"virtual://{name}"
    heard = faulty(spec, schedule, place.role)
    session = Session(place.role, make_dialect(heard), nonce=NONCE)
    whole = place.kind == "replayed"
    arrivals: Iterator[Arrival]
    if _damages(schedule, place.role):
        # Faults are done to a conversation that went well, as with a recording: the same samples on every target.
        inner = Session(place.role, make_dialect(spec), nonce=NONCE)
        clean = conversation(board, inner, port, length or DEFAULT_S, whole=whole)
        arrivals = (apply(session, arrival) for arrival in damaged(clean, schedule))
    else:
        arrivals = conversation(board, session, port, length or DEFAULT_S, apply=apply, whole=whole)
    feed = Feed(place.role, iter(()), session, None, person)
    feed.setup = BoardSetup(place.role, port, heard, NONCE)
    arrivals = told(feed, arrivals)
    if whole and not readings.from_s:
        feed.arrivals = arrivals
    else:
        feed.arrivals = _windowed(feed, arrivals, readings.from_s, None if whole else length or DEFAULT_S)
    return feed


def _recorded(place: Place, loaded: Loaded, schedule: Schedule, apply: Apply, at_once: bool) -> Feed:
    readings, table, role = loaded.scenario.readings, place.table, place.role
    recording = Recording(recording_path(loaded, table))
    inside = _role_in(recording, table.board)
    setup = next((one for one in recording.header.boards if one.role == inside), None)
    session = None
    if (setup is None or setup.dialect is None) and _damages(schedule, role):
        recording.close()
        raise NotHere(f"the readings of board {role} were imported, and faults need its bytes; run it on virtual")
    if setup is not None and setup.dialect is not None:
        setup = replace(setup, role=role, dialect=faulty(setup.dialect, schedule, role))
        session = session_of(setup)
    labels = [replace(label, board=role) for label in recording.labels if label.board in ("", inside)]
    start = recording.start_ns + round(readings.from_s * 1e9) if readings.from_s else -EVER
    end = EVER if readings.to_s is None else recording.start_ns + round(readings.to_s * 1e9)
    person = recording.header.about.get("person", "")
    feed = Feed(role, iter(()), session, labels, person, Span(start, end), recording)
    feed.setup = BoardSetup(role, info=recording.boards.get(inside)) if session is None else setup
    late = None if end == EVER else end + LATE_NS
    harmed = _damages(schedule, role)

    def arrivals() -> Iterator[Passing]:
        if session is None:
            yield from (renamed(one, role) for one in recording.arrivals(None, late) if one.board == inside)
            return
        whole: Iterable[Passing]
        if at_once and not harmed and recording.has_bytes(inside):
            spoken = (replace(one, board=role) for one in recording.traffic(inside, late))
            whole = in_stretches(session, spoken, start, end)
        else:
            mine = (replace(one, board=role) for one in recording.arrivals(None, late) if one.board == inside)
            heard = damaged(mine, schedule) if harmed else mine
            whole = in_stretches(session, heard, start, end) if at_once else (apply(session, one) for one in heard)
        yield from whole

    cut = readings.from_s or end != EVER
    feed.arrivals = map(feed.span.cut, told(feed, arrivals())) if cut else told(feed, arrivals())
    return feed


def _damages(schedule: Schedule, role: str) -> bool:
    return bool(schedule.of(role, LEVELS))


def told(feed: Feed, arrivals: Iterator[AnyPassing]) -> Iterator[AnyPassing]:
    """Yield the arrivals of a feed; who wants to hear all of them is told first."""
    for arrival in arrivals:
        if feed.heard is not None:
            feed.heard(single(arrival))
        yield arrival


def _windowed(feed: Feed, arrivals: Iterator[Arrival], from_s: float, to_s: float | None) -> Iterator[Passing]:
    """Keep the samples between two times after the first one."""
    first: int | None = None
    for arrival in arrivals:
        if first is None:
            first = next((int(item.t_ns[0]) for item in arrival.items if isinstance(item, Batch) and len(item)), None)
            if first is None:
                yield arrival
                continue
            feed.span.start_ns = first + round(from_s * 1e9) if from_s else -EVER
            feed.span.end_ns = EVER if to_s is None else first + round(to_s * 1e9)
        yield feed.span.cut(arrival)


def recording_path(loaded: Loaded, table: BoardTable) -> Path:
    """Return the recording of a board.

    Raises:
        FileError: It cannot be read, or is the pointer to one.
    """
    path = loaded.find(table.recording or "")
    try:
        with path.open("rb") as file:
            head = file.read(len(_LFS))
    except OSError as error:
        raise unread(error, path, "check the path", "the recording") from None
    if head == _LFS:
        raise FileError("this is no recording but the Git LFS pointer to one", str(path), "run: git lfs pull")
    return path


def _role_in(recording: Recording, wanted: str | None) -> str:
    roles = list(dict.fromkeys([*(one.role for one in recording.header.boards),
                                *(one.board for one in recording.streams())]))  # fmt: skip
    if wanted in roles and wanted is not None:
        return wanted
    if wanted is None and len(roles) == 1:
        return roles[0]
    there = ", ".join(roles) or "no board"
    recording.close()
    what = f"board {wanted!r} is not in it" if wanted else "it has several boards"
    raise UsageError(what, str(recording.path), f"write `board = ` one of: {there}")
