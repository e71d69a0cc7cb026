"""The bench as lines of text, for pipes and files: a line a board and second, and every news between.

Pure: snapshots in, lines out. A line holds what the board's row of the screen holds, in the same words, in columns that
a script may split at spaces; what is unknown is the word `unknown`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from hil.views.snapshot import BoardView, LogLine, PredictionView, RecordingView, ReplayView, Snapshot

__all__ = ["Plain", "board_line", "log_line", "recording_line"]


class Plain:
    """Turns a sequence of snapshots into lines.

    Args:
        every_ns: Bench time between two lines of one board.
    """

    def __init__(self, every_ns: int = 1_000_000_000) -> None:
        self._every_ns = every_ns
        self._due_ns: int | None = None
        self._logged: LogLine | None = None

    def lines(self, snapshot: Snapshot) -> list[str]:
        """Return what this snapshot adds to what was printed."""
        lines = [log_line(line) for line in self._news(snapshot.log)]
        # A replay that went back begins a new count.
        if self._due_ns is None or snapshot.now_ns >= self._due_ns or self._due_ns - snapshot.now_ns > self._every_ns:
            self._due_ns = snapshot.now_ns - snapshot.now_ns % self._every_ns + self._every_ns
            lines += [board_line(snapshot, board) for board in snapshot.boards]
            if snapshot.recording is not None and snapshot.recording.state == "recording":
                lines.append(recording_line(snapshot, snapshot.recording))
            if snapshot.replay is not None:
                lines.append(_replay_line(snapshot.now_ns, snapshot.replay))
        if snapshot.trouble:
            lines.append(snapshot.trouble)
        return lines

    def _news(self, log: Sequence[LogLine]) -> Sequence[LogLine]:
        if not log:
            return ()
        start = 0
        for at in range(len(log) - 1, -1, -1):
            if log[at] == self._logged:
                start = at + 1
                break
        self._logged = log[-1]
        return [line for line in log[start:] if line.level != "debug"]


def board_line(snapshot: Snapshot, board: BoardView) -> str:
    """Return one board as a line: time, role, state, rate, lost, drift, and what models say of it."""
    parts = [_clock(snapshot.now_ns), board.role, board.state]
    nominal = "~" if board.rate_inferred else ""
    parts.append("rate unknown" if board.rate_hz is None else f"rate {nominal}{board.rate_hz:.1f} Hz")
    parts.append(f"samples {board.samples}")
    parts.append(f"lost {'unknown' if board.lost is None else board.lost}")
    parts.append(_drift(board))
    parts += [_decision(one) for one in snapshot.predictions if one.board == board.role]
    if board.reason:
        parts.append(f"({board.reason})")
    return "  ".join(parts)


def recording_line(snapshot: Snapshot, recording: RecordingView) -> str:
    """Return the recording as a line: how long it is, how large, how long the disk lasts, and the label that runs."""
    parts = [_clock(snapshot.now_ns), "recording", f"{recording.seconds:.1f} s", f"{recording.bytes_written} bytes"]
    parts.append(
        "disk lasts unknown" if recording.disk_left_s is None else f"disk lasts {_long(recording.disk_left_s)}"
    )
    if snapshot.active_label:
        parts.append(f"label {snapshot.active_label}")
    if recording.sentence:
        parts.append(f"({recording.sentence})")
    return "  ".join(parts)


def log_line(line: LogLine) -> str:
    """Return one line of the event log."""
    return "  ".join(filter(None, (_clock(line.t_ns), line.board or "bench", f"{line.level}: {line.text}")))


def _clock(t_ns: int) -> str:
    return datetime.fromtimestamp(t_ns // 1_000_000_000, UTC).strftime("%H:%M:%S")


def _long(seconds: float) -> str:
    for unit, length in (("days", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _drift(board: BoardView) -> str:
    if board.drift_ppm is None:
        return "drift unknown"
    if board.drift_low is None or board.drift_high is None:
        return f"drift {board.drift_ppm:+.1f} ppm"
    half = (board.drift_high - board.drift_low) / 2
    return f"drift {board.drift_ppm:+.1f}±{half:.1f} ppm"


def _decision(one: PredictionView) -> str:
    if one.label:
        told = f" (board: {one.told})" if one.told else ""
        return f"{one.model} {one.label} {one.confidence:.0%}{told}"
    return f"{one.model} {one.state}"


def _replay_line(now_ns: int, replay: ReplayView) -> str:
    speed = "max" if replay.speed is None else f"{replay.speed:g}x"
    state = "ended" if replay.ended else "paused" if replay.paused else "plays"
    late = "" if replay.late_p99_ms is None else f"  late p99 {replay.late_p99_ms:.2f} ms  missed {replay.missed}"
    return f"{_clock(now_ns)}  replay  {state}  {replay.position_s:.1f} of {replay.duration_s:.1f} s  {speed}{late}"
