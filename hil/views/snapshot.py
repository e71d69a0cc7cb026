"""What a screen shows, as one frozen value: the engine makes it, any screen draws it, and a pipe prints it.

A screen asks with a `View` (how many columns, which time base, live or frozen at a time) and gets a `Snapshot`. It
holds no reference into the engine: plots come as envelopes of as many columns as were asked for, so that a snapshot
costs the same whatever the rate of the boards. Unknown figures are None and never 0. `schema` is 1; a newer one is
refused in a sentence. No file here knows of sockets, threads or any screen library.
"""

import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from firmware_bridge.errors import UsageError
from hil.views.allan import AllanView
from hil.views.cursor import CursorView
from hil.views.drift import DriftView
from hil.views.figure import FigureView
from hil.views.message import from_plain, pack, to_plain, unpack
from hil.views.parity import ParityView
from hil.views.stream import StreamView
from hil.views.trigger import TriggerView
from hil.views.view import View
from hil.views.work import WorkView

__all__ = [
    "SCHEMA", "AllanView", "BoardView", "CursorView", "DriftView", "FigureView", "LogLine", "MarkView", "ParityView",
    "PredictionView", "RecordingView", "ReplayView", "Snapshot", "StreamView", "TriggerView", "View",
]  # fmt: skip

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the event log. `level`: debug, info, warning, error. `board`: role, or empty for the bench."""

    t_ns: int
    board: str
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class BoardView:
    """One board, as a line of the table tells it.

    Attributes:
        role: Its name at the bench.
        state: `opening`, `waiting` (never there yet), `identifying`, `live`, `lost`, `wrong`, `closed`, or `replay`.
        reason: One sentence where the state needs one, else empty.
        port: Where it is.
        model: Kind of board, or empty while unknown.
        serial: Serial number, or empty.
        firmware: Firmware identity, or empty.
        dialect: How it talks, or empty while unknown.
        confidence: Certainty of a detected dialect, 0 to 1.
        rate_hz: Samples a second of its fastest stream, measured on the board's own clock; None while unknown.
        rate_inferred: Whether the nominal rate was measured rather than told.
        samples: Samples delivered so far, all streams and boots.
        lost: Samples lost so far, all streams and boots; None: unknown (the board numbers nothing).
        drift_ppm: Rate error of the board's clock against the host's; None while unknown.
        drift_low: Lower end of the stated interval, ppm.
        drift_high: Upper end of the stated interval, ppm.
        uncertainty_us: Uncertainty of a sample's host time, microseconds.
        boot: How often it has started since the session began, from 0.
        queue_fill: Fill of the host's queue for it, 0 to 1; None where it has none (replay).
        bytes_received: Bytes that came from it.
        ledger: Rows of the books, name and value; None: unknown.
        closes: Sentences about sums of the books that do not close; empty is good.
        since_ns: When it came into this state, UTC.
    """

    role: str
    state: str
    reason: str = ""
    port: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    dialect: str = ""
    confidence: float = 1.0
    rate_hz: float | None = None
    rate_inferred: bool = False
    samples: int = 0
    lost: int | None = None
    drift_ppm: float | None = None
    drift_low: float | None = None
    drift_high: float | None = None
    uncertainty_us: float | None = None
    boot: int = 0
    queue_fill: float | None = None
    bytes_received: int = 0
    ledger: tuple[tuple[str, int | None], ...] = ()
    closes: tuple[str, ...] = ()
    since_ns: int = 0


@dataclass(frozen=True, slots=True)
class PredictionView:
    """A model at a board.

    Attributes:
        model: Name in its contract, or the file's name while it is not loaded.
        board: Role of the board it reads.
        state: `loading`, `ready`, `absent` (torch or the file is missing) or `failed`.
        sentence: What the state means and what to do, empty when ready.
        labels: What it can say.
        label: Its newest decision; empty before the first.
        confidence: Probability of that label, 0 to 1.
        scores: Probability of every label, in the order of `labels`.
        t_ns: When the newest decided window ended, UTC.
        told: What the board itself said was going on then (a virtual board knows), or empty.
        behind_s: How far the newest decision is behind the newest sample, seconds of board time; None while unknown.
        history: Earlier decisions, oldest first: `(t_ns, label, confidence)`.
        drift: What the drift watch beside it says; None while the model is not loaded.
        work: How it keeps up, and whether it can be taught.
        parity: How the board's own model agrees with it; None where the board runs none.
    """

    model: str
    board: str
    state: str
    sentence: str = ""
    labels: tuple[str, ...] = ()
    label: str = ""
    confidence: float = 0.0
    scores: tuple[float, ...] = ()
    t_ns: int = 0
    told: str = ""
    behind_s: float | None = None
    history: tuple[tuple[int, str, float], ...] = ()
    drift: DriftView | None = None
    work: WorkView | None = None
    parity: ParityView | None = None


@dataclass(frozen=True, slots=True)
class RecordingView:
    """The recording that runs, or the last one; `state`: `recording`, `closed` or `failed` (`sentence` says why)."""

    path: str
    state: str
    sentence: str = ""
    bytes_written: int = 0
    seconds: float = 0.0
    disk_left_s: float | None = None
    marks: int = 0


@dataclass(frozen=True, slots=True)
class MarkView:
    """A mark on the time line of a replay: seconds from its start, `mark`, `start` or `stop`, and its text."""

    t_s: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ReplayView:
    """Where a replay is.

    Attributes:
        path: The recording.
        position_s: Seconds from the recording's first sample.
        duration_s: Its whole length.
        from_s: Start of the range that is played.
        to_s: End of the range that is played.
        speed: Times real time; None: as fast as it goes.
        paused: Whether it stands still.
        loop: Whether it begins again at the end.
        ended: Whether it has come to its end.
        late_p50_ms: Median lateness against the absolute schedule; None where it is not paced.
        late_p99_ms: 99th percentile of it.
        late_max_ms: Largest.
        missed: Arrivals that came later than 50 ms after their time.
        marks: Marks and labels of the recording.
    """

    path: str
    position_s: float
    duration_s: float
    from_s: float
    to_s: float
    speed: float | None
    paused: bool
    loop: bool
    ended: bool
    late_p50_ms: float | None = None
    late_p99_ms: float | None = None
    late_max_ms: float | None = None
    missed: int = 0
    marks: tuple[MarkView, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Everything a screen shows at one moment.

    Attributes:
        number: Counts the snapshots of an engine.
        now_ns: Bench time: the host's clock live, the position's own time in a replay, UTC.
        mode: `live` or `replay`.
        boards: One a board, in the order of the ports.
        streams: One a wanted stream.
        predictions: One a model and board.
        recording: The recording, None before the first.
        replay: The transport, None when live.
        log: Newest log lines, oldest first.
        classes: Labels that the digits 1 to 9 start and stop.
        active_label: The label that runs, or empty.
        trouble: One sentence where the engine itself is in trouble, else empty.
        allan: The Allan deviation of the stream that was asked for, None where none was.
        figures: What was asked to be computed, in that order.
        cursors: The sample of each stream that lies nearest to the cursor, where one was asked for.
        trigger: When the trigger that was asked for fired; None where none was.
    """

    number: int
    now_ns: int
    mode: str
    boards: tuple[BoardView, ...] = ()
    streams: tuple[StreamView, ...] = ()
    predictions: tuple[PredictionView, ...] = ()
    recording: RecordingView | None = None
    replay: ReplayView | None = None
    log: tuple[LogLine, ...] = ()
    classes: tuple[str, ...] = ()
    active_label: str = ""
    trouble: str = ""
    schema: int = SCHEMA
    allan: AllanView | None = None
    figures: tuple[FigureView, ...] = ()
    cursors: tuple[CursorView, ...] = ()
    trigger: TriggerView | None = None

    def to_wire(self) -> bytes:
        """Return the snapshot as one message (see `hil.views.message`)."""
        return pack(to_plain(self))

    @classmethod
    def from_wire(cls, block: bytes) -> "Snapshot":
        """Build a snapshot from what `to_wire` gave.

        Raises:
            UsageError: The block is no snapshot, or of a newer schema.
        """
        return cls.from_dict(unpack(block))

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "Snapshot":
        """Build a snapshot from the fields of a message.

        Raises:
            UsageError: It is no snapshot, or of a newer schema.
        """
        schema = plain.get("schema")
        if not isinstance(schema, int) or schema > SCHEMA:
            raise UsageError(
                f"the engine speaks snapshot schema {schema}, this screen reads up to {SCHEMA}", "engine",
                "use the same version for engine and screen",
            )  # fmt: skip
        try:
            return typing.cast("Snapshot", from_plain(cls, plain))
        except (TypeError, ValueError, KeyError) as error:
            raise UsageError(
                f"the snapshot cannot be read ({error})", "engine", "use the same version for engine and screen"
            ) from error
