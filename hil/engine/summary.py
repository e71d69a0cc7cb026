"""What came of a run, for the end of a command: every board with its books, the recording, the models, the lateness.

Pure. The books are printed whole: a figure that is unknown is printed as `unknown` and never as 0.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hil.counted import counted
from hil.replay.lateness import LatenessReport
from hil.views.message import to_plain
from hil.views.snapshot import BoardView, PredictionView, RecordingView, Snapshot

__all__ = ["Summary", "summarise"]


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of a run.

    Attributes:
        boards: Every board with its books.
        models: Every model with its last decision.
        recording: The last recording, None where nothing was recorded.
        lateness: How late a paced replay was; None where nothing was paced.
        trouble: One sentence where the engine itself failed, or ended before its models had decided on everything.
        glitches: Those that were saved, as `hil.engine.glitches.Glitch.as_dict` gives them.
        glitches_not_kept: Triggers whose recording could not be made.
    """

    boards: tuple[BoardView, ...]
    models: tuple[PredictionView, ...]
    recording: RecordingView | None
    lateness: LatenessReport | None
    trouble: str = ""
    glitches: tuple[Mapping[str, Any], ...] = ()
    glitches_not_kept: int = 0

    @property
    def closes(self) -> bool:
        """Whether all sums of all books close."""
        return not any(board.closes for board in self.boards)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values; the ledger of a board is an object of name and value (null: unknown)."""
        return {
            "boards": [{**to_plain(board), "ledger": dict(board.ledger)} for board in self.boards],
            "models": [
                {"model": one.model, "board": one.board, "state": one.state, "sentence": one.sentence,
                 "label": one.label, "confidence": one.confidence}
                for one in self.models
            ],
            "recording": None if self.recording is None else to_plain(self.recording),
            "lateness": None if self.lateness is None else self.lateness.as_dict(),
            "ledger_closes": self.closes,
            "trouble": self.trouble,
            "glitches": [dict(one) for one in self.glitches],
            "glitches_not_kept": self.glitches_not_kept,
        }  # fmt: skip

    def lines(self) -> Iterator[str]:
        """Yield the summary for people."""
        for board in self.boards:
            yield from _board_lines(board)
        for model in self.models:
            if model.label:
                where = f" at {model.board}" if model.board else ""
                yield f"{model.model}{where}: last said {model.label} ({model.confidence:.0%})"
            elif model.sentence:
                yield f"{model.model}: {model.sentence}"
        if self.recording is not None:
            size = self.recording.bytes_written
            yield f"recording: {self.recording.path} ({self.recording.seconds:.1f} s, {size:,} bytes)"
            if self.recording.sentence:
                yield f"  {self.recording.sentence}"
        for one in self.glitches:
            run = f", hil run {one['scenario']}" if one["scenario"] else ""
            many = f"; {one['triggers']} triggers" if one["triggers"] > 1 else ""
            yield f"glitch: {one['path']} ({one['cause']}{many}){run}"
            if one["sentence"]:
                yield f"  {one['sentence']}"
        if self.glitches_not_kept:
            were = "was" if self.glitches_not_kept == 1 else "were"
            yield f"{counted(self.glitches_not_kept, 'trigger')} {were} not kept: see what was said of them"
        late = self.lateness
        if late is not None and late.p50_ms is not None:
            yield (
                f"lateness: p50 {late.p50_ms:.2f} ms, p99 {late.p99_ms or 0:.2f} ms, max {late.max_ms or 0:.2f} ms, "
                f"{late.missed} of {late.arrivals} arrivals missed their time by more than 50 ms"
            )
        if self.trouble:
            yield self.trouble


def summarise(
    snapshot: Snapshot, lateness: LatenessReport | None = None, glitches: tuple[Mapping[str, Any], ...] = (),
    not_kept: int = 0, left_out: tuple[str, ...] = (),
) -> Summary:  # fmt: skip
    """Return the summary that the last snapshot holds, with the glitches that were saved and what was left out."""
    paced = lateness if lateness is not None and lateness.arrivals else None
    trouble = "; ".join(filter(None, (snapshot.trouble, *left_out)))
    return Summary(snapshot.boards, snapshot.predictions, snapshot.recording, paced, trouble, glitches, not_kept)


def _board_lines(board: BoardView) -> Iterator[str]:
    who = " ".join(filter(None, (board.model, board.serial, board.firmware))) or "not known"
    yield f"{board.role}: {who}, {board.port or 'no port'}, {board.state}{f' ({board.reason})' if board.reason else ''}"
    lost = "unknown" if board.lost is None else f"{board.lost:,}"
    line = f"  {counted(board.samples, 'sample')}, {lost} lost, {counted(board.bytes_received, 'byte')}"
    if board.rate_hz is not None:
        line += f", {board.rate_hz:.2f} Hz{' (inferred)' if board.rate_inferred else ''}"
    if board.drift_ppm is not None and board.drift_low is not None and board.drift_high is not None:
        line += f", clock {board.drift_ppm:+.1f} ppm ({board.drift_low:+.1f} to {board.drift_high:+.1f})"
    yield line
    # Byte buckets that stayed empty are one word together; sample rows are always told, each by itself.
    told = [(name, count) for name, count in board.ledger if count or not name.startswith("bytes ")]
    rows = [f"{name.replace('_', ' ')} {'unknown' if count is None else f'{count:,}'}" for name, count in told]
    if len(told) < len(board.ledger):
        rows.append("every other byte bucket 0")
    for start in range(0, len(rows), 6):
        head = "ledger: " if start == 0 else "        "
        yield f"  {head}{', '.join(rows[start : start + 6])}"
    if board.ledger:
        yield "  " + ("the books close" if not board.closes else "; ".join(board.closes))
