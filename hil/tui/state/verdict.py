"""What is wrong, whose fault it is, and what to do: one sentence a finding, the worst first.

Rule of this room: pure, from a snapshot to findings. Blame is one of HOST, LINK, BOARD, FIRMWARE, MODEL, RECORDING; it
is stated only as far as the books prove it, and `LINK or BOARD` is said where they cannot tell yet.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hil.tui.charts.units import count, rate_words, seconds
from hil.views.snapshot import BoardView, PredictionView, Snapshot, StreamView

__all__ = ["LOSSES", "Finding", "findings", "missing", "why_not_live", "worst_first"]

PATIENCE_S = 3.0
"""How long a board may take to open and to say who it is before it counts as trouble."""

MODEL_TROUBLE = {"absent": "is absent", "failed": "has failed"}
"""What is said of a model by its state."""

SLOW = 0.9
"""A stream below this share of its nominal rate is said to be slow."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something a person should know.

    Attributes:
        rank: 0 stops the work, 1 harms it, 2 is worth knowing.
        blame: Whose fault it is.
        who: Role, model or file.
        what: What happened, a clause.
        todo: What to do now, a clause; may be empty.
    """

    rank: int
    blame: str
    who: str
    what: str
    todo: str = ""

    @property
    def sentence(self) -> str:
        """The finding in words."""
        head = f"{self.who} {self.what}" if self.who else self.what
        return f"{head}; {self.todo}" if self.todo else head


def why_not_live(board: BoardView) -> tuple[str, str]:
    """Return why a board is not there and what to do about it; an error's sentence says both, with a `;` between."""
    if board.state == "waiting":
        return board.reason.removeprefix(f"{board.role}: "), "it joins when it is there"
    reason, told, todo = board.reason.rpartition("; ")
    if told:
        return reason, todo
    return board.reason, {
        "opening": "wait, or check the port's name with `hil ports`",
        "identifying": "check the baud rate, or describe the board with --board-file",
        "lost": "plug it in again: it rejoins by itself",
        "wrong": "plug in the right board, or name the one you mean",
    }.get(board.state, "")


def findings(snapshot: Snapshot) -> tuple[Finding, ...]:
    """Return all findings, the worst first."""
    found: list[Finding] = []
    if snapshot.trouble:
        found.append(Finding(0, "HOST", "engine", snapshot.trouble))
    for board in snapshot.boards:
        found += _of_board(board, snapshot.now_ns)
    boards = {board.role: board for board in snapshot.boards}
    for stream in snapshot.streams:
        found += _of_stream(stream, boards)
    for prediction in snapshot.predictions:
        found += _of_model(prediction)
    recording, replay = snapshot.recording, snapshot.replay
    if recording and recording.state == "failed":
        found.append(Finding(0, "HOST", "recording", f"stopped: {recording.sentence or 'unknown reason'}"))
    elif recording and recording.state == "recording" and _soon(recording.disk_left_s):
        left = seconds(recording.disk_left_s or 0.0)
        found.append(Finding(1, "HOST", "disk", f"is full in {left}", "free space or stop with r"))
    if replay and replay.missed:
        found.append(Finding(2, "HOST", "replay", f"was late {count(replay.missed)} times", "choose a lower speed"))
    return tuple(sorted(found, key=lambda finding: finding.rank))


def _soon(left_s: float | None) -> bool:
    return left_s is not None and left_s < 600


def _of_board(board: BoardView, now_ns: int) -> Iterator[Finding]:
    waited_s = (now_ns - board.since_ns) / 1e9 if board.since_ns else 0.0
    why, todo = why_not_live(board)
    reason = f": {why}" if why else ""
    if board.state == "lost":
        yield Finding(0, "LINK", board.role, f"is lost{reason}", todo)
    elif board.state == "waiting":
        yield Finding(1, "LINK", board.role, f"has not come yet{reason}", todo)
    elif board.state == "wrong":
        yield Finding(0, "BOARD", board.role, f"is not the board that was asked for{reason}", todo)
    elif board.state == "opening" and (board.reason or waited_s > PATIENCE_S):
        yield Finding(0, "LINK", board.role, f"cannot be opened{reason}", todo)
    elif board.state == "identifying" and (board.reason or waited_s > PATIENCE_S):
        yield Finding(1, "FIRMWARE", board.role, f"has not said what it is{reason}", todo)
    for sentence in board.closes:
        yield Finding(0, "HOST", board.role, f"books do not close: {sentence}", "keep the recording and report it")
    if board.queue_fill is not None and board.queue_fill > 0.5:
        yield Finding(1, "HOST", board.role, f"queue is {board.queue_fill:.0%} full", "this computer is too slow")
    yield from _losses(board)
    yield from _windows(board)
    if board.boot:
        times = "once" if board.boot == 1 else f"{board.boot} times"
        yield Finding(2, "BOARD", board.role, f"restarted {times}", "check its power and its log")


LOSSES = {"lost": "LINK", "unattributed": "LINK or BOARD", "board_dropped": "FIRMWARE", "host_dropped": "HOST"}
"""Who is to blame for the samples in a bucket of the books."""


def worst_first(boards: Sequence[BoardView]) -> tuple[BoardView, ...]:
    """Return boards by what is wrong: not there, books that do not close, losses, losses unknown, well.

    Where nothing differs the order is that of the ports, so that a board does not wander as its figures change.
    """
    return tuple(sorted(boards, key=_rank))


def _rank(board: BoardView) -> int:
    if board.state not in ("live", "replay", "closed"):
        return 0
    if board.closes:
        return 1
    gone = missing(board)
    return 3 if gone is None else 2 if gone else 4


def missing(board: BoardView) -> int | None:
    """Return the samples that were expected and did not come, whoever lost them; None where nobody numbers them."""
    books = dict(board.ledger)
    if board.lost is None:
        return None
    return board.lost + sum(books.get(name) or 0 for name in LOSSES if name != "lost")


def _losses(board: BoardView) -> Iterator[Finding]:
    """Say where samples went, as far as the books tell."""
    gone = missing(board)
    if not gone:
        return
    books: Mapping[str, int | None] = dict(board.ledger)
    known = {name: number for name in LOSSES if (number := books.get(name))}
    bucket = max(known, key=lambda name: known[name]) if known else "unattributed"
    todo = {
        "host_dropped": "this computer is too slow", "board_dropped": "the board drops before sending: lower its rate",
        "lost": "check cable and baud rate", "unattributed": "the board's next status tells which",
    }[bucket]  # fmt: skip
    share = gone / max(1, gone + board.samples)
    amount = f"lost {count(gone)} samples ({share:.2%})"
    yield Finding(1 if share > 1e-3 else 2, LOSSES[bucket], board.role, amount, todo)


_WINDOWS = (
    ("windows skipped", "FIRMWARE", "raise its hop, or give it a smaller model"),
    ("windows unsent", "FIRMWARE", "the line is too slow for its results: raise the hop"),
    ("windows lost", "LINK", "check cable and baud rate"),
)


def _windows(board: BoardView) -> Iterator[Finding]:
    """Say which windows of a model on the board came to nothing."""
    books = dict(board.ledger)
    due = max(1, books.get("windows due") or 0)
    for name, blame, todo in _WINDOWS:
        if gone := books.get(name):
            fate = name.removeprefix("windows ")
            amount = f"model on the board: {count(gone)} of {count(due)} windows {fate}"
            yield Finding(1 if gone / due > 1e-2 else 2, blame, board.role, amount, todo)


def _of_stream(stream: StreamView, boards: Mapping[str, BoardView]) -> Iterator[Finding]:
    board = boards.get(stream.board)
    if board is None or board.state != "live" or stream.measured_hz is None:
        return
    name = f"{stream.board} {stream.name}"
    if stream.measured_hz == 0:
        yield Finding(0, "FIRMWARE", name, "is silent though the board is there", "look at its log, or reset it")
    elif stream.rate_hz and not stream.rate_inferred and stream.measured_hz < SLOW * stream.rate_hz:
        found, told = rate_words(stream.measured_hz), rate_words(stream.rate_hz)
        yield Finding(1, "FIRMWARE", name, f"sends {found} instead of {told}", "lower the rate or the load")


def _of_model(prediction: PredictionView) -> Iterator[Finding]:
    if prediction.state in MODEL_TROUBLE:
        because = f": {prediction.sentence}" if prediction.sentence else ""
        yield Finding(1, "MODEL", prediction.model, f"{MODEL_TROUBLE[prediction.state]}{because}")
    elif prediction.behind_s is not None and prediction.behind_s > 5:
        yield Finding(1, "HOST", prediction.model, f"is {seconds(prediction.behind_s)} behind its board")
