"""A bench that stands still: fixed snapshots and a client that keeps what it was told."""

from dataclasses import replace
from typing import Any

import numpy as np

from firmware_bridge.streams import Stream
from hil.doctor.finding import OK, Checkup, Finding
from hil.librarian.shelf import Entry
from hil.monitor.figures import Stretch, figure
from hil.tui.charts import canvas
from hil.views.allan import AllanView
from hil.views.cursor import CursorView
from hil.views.figure import ATTITUDE, Ask, FigureView
from hil.views.message import to_plain
from hil.views.snapshot import (
    BoardView,
    LogLine,
    MarkView,
    PredictionView,
    RecordingView,
    ReplayView,
    Snapshot,
    StreamView,
)
from hil.views.trigger import TriggerView
from hil.views.view import View

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
LABELS = ("squat", "lunge", "press", "row", "curl", "raise", "rest")


def readings(name: str, columns: int, seconds: float) -> StreamView:
    """A stream as an engine would cut it for this many columns."""
    t = np.linspace(-seconds, 0, max(2, int(seconds * 200)))
    gaps = np.zeros(columns, bool)
    if name == "thermal":
        row, column = np.mgrid[0:8, 0:8]
        image = (22 + 9 * np.exp(-((row - 2.5) ** 2 + (column - 5) ** 2) / 5)).astype(np.float32)
        warm = 31 + np.sin(t)[:, None]
        low, high = canvas.envelope(warm, columns)
        return StreamView(
            name, "frame", ("temperature",), ("degC",), 8.0, 8.0, False, 480, NOW - int(seconds * SECOND), NOW, low,
            high, gaps, warm[-1].astype(np.float32), True, image, NOW, 20.0, 32.0,
        )  # fmt: skip
    if name == "ppg":
        values = np.stack([np.sin(7 * t) ** 9 + 0.1 * np.sin(t), 0.6 * np.sin(7 * t + 0.4) ** 9], axis=1)
        channels, units = ("red", "ir"), ("?", "?")
    else:
        values = np.stack(
            [0.2 * np.sin(4 * t), 0.1 * np.cos(4 * t), 1 + 0.3 * np.sin(2 * t)]
            + [40 * np.sin(4 * t + phase) for phase in range(3)],
            axis=1,
        )  # fmt: skip
        values[len(t) // 3, 0] = 2.6
        channels, units = ("ax", "ay", "az", "wx", "wy", "wz"), ("g",) * 3 + ("rad/s",) * 3
    low, high = canvas.envelope(values, columns)
    if name == "imu":
        start = columns // 2
        gaps[start : start + 4] = True
        low[:, gaps] = high[:, gaps] = np.nan
    return StreamView(
        name, "samples", channels, units, 200.0, 199.8, name == "ppg", 12_000, NOW - int(seconds * SECOND), NOW, low,
        high, gaps, values[-1].astype(np.float32),
    )  # fmt: skip


def board(role: str, **facts: Any) -> BoardView:
    usual: dict[str, Any] = {
        "port": f"virtual://{role}", "model": f"hil-{role}", "serial": f"{role[:2].upper()}0042", "firmware": "1.4.2",
        "dialect": "native", "rate_hz": 199.8, "samples": 12_000, "lost": 0, "drift_ppm": 12.3, "drift_low": 11.9,
        "drift_high": 12.7, "uncertainty_us": 84.0, "queue_fill": 0.0, "bytes_received": 431_000,
        "ledger": (("expected", 12_000), ("received", 12_000), ("delivered", 12_000), ("lost", 0), ("unattributed", 0),
                   ("board_dropped", 0), ("host_dropped", 0), ("duplicate", 0), ("late", 0), ("bytes frames", 431_000),
                   ("bytes crc", 0), ("bytes pending", 0)),
        "since_ns": NOW - 60 * SECOND,
    }  # fmt: skip
    return BoardView(role, **{"state": "live", **usual, **facts})


def prediction(**facts: Any) -> PredictionView:
    history = tuple((NOW - (40 - at) * SECOND, LABELS[at // 12], 0.9 if at % 12 > 1 else 0.4) for at in range(40))
    usual: dict[str, Any] = {
        "labels": LABELS, "label": "row", "confidence": 0.93, "scores": (0.01, 0.02, 0.01, 0.93, 0.01, 0.01, 0.01),
        "t_ns": NOW, "told": "row", "behind_s": 0.2, "history": history,
    }  # fmt: skip
    return PredictionView("exercise", "watch", **{"state": "ready", **usual, **facts})


LINES = (
    LogLine(NOW - 61 * SECOND, "watch", "info", "connected: hil-watch WA0042 1.4.2 (native), boot 0"),
    LogLine(NOW - 60 * SECOND, "imu", "info", "connected: hil-imu IM0042 1.4.2 (native), boot 0"),
    LogLine(NOW - 60 * SECOND, "thermal", "info", "connected: hil-thermal TH0042 1.4.2 (native), boot 0"),
    LogLine(NOW - 12 * SECOND, "", "info", "label starts: squat"),
)


def stability(role: str, stream: str) -> AllanView:
    """Six channels after half a minute at rest: white noise, then a floor, then a bias that wanders."""
    tau = 0.005 * 2.0 ** np.arange(11)
    size = np.array([1e-3, 2e-3, 1.5e-3, 0.1, 0.2, 0.15])[:, None]
    deviation = size * np.sqrt(0.01 / tau + 0.02 + 0.02 * tau)
    return AllanView(role, stream, tau, deviation, 0.9 * deviation, 1.1 * deviation, 32.5, 1.5)


def computed(ask: Ask, seconds: float) -> FigureView:
    """What an engine would compute of a board that swings, hums at 60 Hz and is noisy."""
    if ask.kind == ATTITUDE:
        turned = np.array([0.92, 0.18, -0.24, 0.25], np.float32)
        return FigureView(ask, turned, marks=np.array([[34.5, 0.8, 3.2]], np.float32), end_ns=NOW, resting=True)
    count = max(2, int(seconds * 200))
    t = np.linspace(-seconds, 0, count)
    swings = [np.sin(4 * t + at) * (1 + at) + 0.2 * np.sin(377 * t) * (t > -seconds / 2) for at in range(6)]
    values = np.stack(swings, axis=1) + np.random.default_rng(7).normal(0, 0.02, (count, 6))
    names, units = ("ax", "ay", "az", "wx", "wy", "wz"), ("g",) * 3 + ("rad/s",) * 3
    stream = Stream(ask.stream, names, units, "<f4", (6,), 200.0)
    t_ns = NOW + (t * SECOND).astype(np.int64)
    breaks = np.array([count // 4], np.int64)
    start = NOW - int(seconds * SECOND)
    return figure(ask, Stretch(stream, values.astype(np.float32), t_ns, breaks, 200.0, start, NOW), 120)


def fired(text: str) -> TriggerView:
    """A trigger that fired twice, the second time 9 s ago."""
    return TriggerView(text, 2, ((NOW - 20 * SECOND, "before"), (NOW - 9 * SECOND, "imu.ax was 2.6 g, above 2.5")))


def live(view: View | None = None, **facts: Any) -> Snapshot:
    """Three boards that are well, a model, and no recording."""
    asked = view or View()
    boards = (board("watch"), board("imu", rate_hz=1000.0, drift_ppm=-3.1, drift_low=-3.6, drift_high=-2.6),
              board("thermal", rate_hz=8.0, samples=480, bytes_received=36_000))  # fmt: skip
    streams = tuple(
        readings(name, asked.columns if asked.envelopes else 0, asked.seconds)
        for name in ("watch", "imu", "thermal")
        if asked.boards is None or name in asked.boards
    )
    usual: dict[str, Any] = {
        "boards": boards, "streams": streams, "predictions": (prediction(),), "log": LINES, "classes": LABELS,
        "allan": None if asked.allan is None else stability(*asked.allan),
        "figures": tuple(computed(ask, asked.seconds) for ask in asked.figures),
        "cursors": () if asked.cursor_s is None else tuple(
            CursorView(one.board, one.name, NOW - round(asked.cursor_s * SECOND) + 123_456,
                       (one.latest + np.float32(0.1234567)).astype(np.float32))
            for one in streams if not one.is_image),
        "trigger": fired(asked.trigger) if asked.trigger else None,
    }  # fmt: skip
    return Snapshot(1, NOW, "live", **{**usual, **facts})


def recording(view: View | None = None) -> Snapshot:
    running = RecordingView("recordings/watch_20231114T221320_1.mcap", "recording", "", 3_140_000, 72.4, 40_000.0, 2)
    return live(view, recording=running, active_label="press")


def crowd(view: View | None = None) -> Snapshot:
    """Sixteen boards: one that was pulled out and one that loses samples are among them."""
    roles = tuple(f"node{at:02d}" for at in range(1, 17))
    gone = {"node10": {"state": "lost", "reason": "the USB cable was pulled", "since_ns": NOW - 14 * SECOND},
            "node05": {"lost": 160}, "node12": {"lost": None, "drift_ppm": None}}  # fmt: skip
    asked = view or View()
    boards = tuple(board(role, model="hil-imu", serial=f"IM{at:04d}", **gone.get(role, {}))
                   for at, role in enumerate(roles))  # fmt: skip
    streams = tuple(
        replace(readings("imu" if at % 3 else "watch", asked.columns, asked.seconds), board=role)
        for at, role in enumerate(roles) if asked.boards is None or role in asked.boards
    )  # fmt: skip
    return live(view, boards=boards, streams=streams, predictions=())


def trouble(view: View | None = None) -> Snapshot:
    """One board gone, one that drops samples, one that numbers nothing, and no model."""
    books = (("expected", 12_000), ("received", 11_800), ("delivered", 11_800), ("lost", 160), ("unattributed", 40),
             ("board_dropped", 0), ("host_dropped", 0), ("duplicate", 0), ("late", 0), ("bytes frames", 420_000),
             ("bytes crc", 6_000))  # fmt: skip
    nothing = (("expected", None), ("received", None), ("delivered", 3_000), ("lost", None), ("unattributed", None),
               ("board_dropped", None), ("host_dropped", None))  # fmt: skip
    boards = (
        board("watch", state="lost", reason="the USB cable was pulled", since_ns=NOW - 14 * SECOND),
        board("imu", samples=11_800, lost=160, ledger=books, boot=1),
        board("ppg", lost=None, drift_ppm=None, rate_inferred=True, ledger=nothing, serial="", firmware="",
              dialect="lines", confidence=0.82),
    )  # fmt: skip
    asked = view or View()
    lines = (*LINES, LogLine(NOW - 14 * SECOND, "watch", "warning", "disconnected: the USB cable was pulled"),
             LogLine(NOW - 3 * SECOND, "imu", "error", "sensor overrun \x1b[2J"))  # fmt: skip
    absent = prediction(state="absent", sentence="torch is not installed; pip install torch==2.13.*")
    streams = tuple(readings(name, asked.columns, asked.seconds) for name in ("watch", "imu", "ppg"))
    return live(view, boards=boards, streams=streams, predictions=(absent,), log=lines)


def replay(view: View | None = None, **facts: Any) -> Snapshot:
    """A recording in replay, half way."""
    marks = (MarkView(5.0, "start", "squat"), MarkView(18.5, "stop", "squat"), MarkView(40.0, "mark", "mark 1"))
    usual: dict[str, Any] = {
        "path": "recordings/watch-unseen.mcap", "position_s": 30.2, "duration_s": 62.5, "from_s": 0.0, "to_s": 62.5,
        "speed": 2.0, "paused": False, "loop": False, "ended": False, "late_p50_ms": 0.1, "late_p99_ms": 0.4,
        "late_max_ms": 1.2, "missed": 0, "marks": marks,
    }  # fmt: skip
    shown = live(view)
    boards = tuple(replace(one, state="replay", queue_fill=None) for one in shown.boards)
    return replace(shown, mode="replay", boards=boards, replay=ReplayView(**{**usual, **facts}))


class FakeClient:
    """An engine that always shows the same and keeps what it was told."""

    def __init__(self, scene: Any = live) -> None:
        self.scene = scene
        self.views: list[View] = []
        self.commands: list[tuple[str, dict[str, Any]]] = []
        self.trouble: Exception | None = None

    def snapshot(self, view: View) -> Snapshot:
        self.views.append(view)
        if self.trouble is not None:
            raise self.trouble
        shown: Snapshot = self.scene(view)
        return shown

    def command(self, verb: str, **args: Any) -> dict[str, Any]:
        if self.trouble is not None:
            raise self.trouble
        if verb == "readings":  # asks, and changes nothing
            t_ns = np.arange(args["to_ns"] - 10 * SECOND, args["to_ns"], SECOND // 10, dtype=np.int64)
            kept = t_ns[t_ns >= args["from_ns"]]
            width = 64 if args["board"] == "thermal" else 2 if args["board"] == "ppg" else 6
            return {"t_ns": kept, "values": np.arange(len(kept) * width, dtype=np.float32).reshape(-1, width)}
        if verb == "model_files":  # so does this
            return {"files": ["models/exercise.hilmodel"]}
        self.commands.append((verb, args))
        return {"decided_ns": NOW, "label": "row"} if verb == "seen" else {}


class FakeLibrary(FakeClient):
    """A librarian with two recordings, one of them labelled, on a computer that is well."""

    def command(self, verb: str, **args: Any) -> dict[str, Any]:
        super().command(verb, **args)
        path = str(args.get("path", ""))
        if verb == "examine":
            return Checkup((Finding(OK, "host", "clock", "its least step is 41 ns"),)).as_dict()
        if verb == "ports":
            return {"ports": ["virtual://imu"]}
        if verb == "shelf":
            made = [Entry(f"recordings/{name}.mcap", 1000, NOW, 10.0, ("imu/samples",)) for name in ("a", "b")]
            return {"folder": args["folder"], "entries": [to_plain(one) for one in made]}
        if verb == "under":
            sample = CursorView("imu", "samples", NOW + round(args["t_s"] * SECOND) + 1_234_000,
                                np.linspace(-1.2345671, 40.0, 6).astype(np.float32))  # fmt: skip
            return {"path": path, "t_s": args["t_s"], "cursors": [to_plain(sample)]}
        if verb == "thumbnail":
            return {"path": path, "moves": [0.5] * int(args["columns"])}
        if verb in ("models", "explain", "explain_in"):
            import models_made  # it is made of these fakes

            return models_made.Helper().command(verb, **args)
        if verb == "envelopes":
            return {"path": path, "streams": [to_plain(readings("imu", args["columns"], 10.0))]}
        label = {"id": "s1", "text": "squat", "board": "", "from_s": 1.0, "to_s": 3.0}
        return {"path": path, "duration_s": 10.0, "labels": [label], "marks": [{"text": "bump", "t_s": 5.0}],
                "suggestions": [{"from_s": 6.0, "to_s": 7.0, "why": "rare", "guess": "squat", "id": "s9"}]}  # fmt: skip
