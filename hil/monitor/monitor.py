"""What every screen is told: arrivals go in at the pipeline's end, frozen snapshots come out for any number of screens.

Taking arrivals is a copy into rings and nothing else, so that eight boards at 1 kHz cost a few hundredths of a core;
what a plot costs is paid when a screen asks. Bench time is an argument. One lock guards the state, held for the length
of one copy or one snapshot; no screen's speed matters here, for a snapshot shares nothing with the rings.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Arrival, Connected, Disconnected, Gap, Item, Log, Prediction, Rebooted
from firmware_bridge.ledger import Books, SampleBooks, WindowBooks
from firmware_bridge.streams import BoardInfo
from hil.monitor.attitude import attitudes
from hil.monitor.figures import MOST, SHORT, figure, refused
from hil.monitor.logbook import LABEL_PREFIX, Logbook, told_label
from hil.monitor.scopes import Scopes
from hil.monitor.stability import Stability, can_average, refusal, stabilities
from hil.monitor.trace import Trace
from hil.views.allan import AllanView
from hil.views.figure import ATTITUDE, MOST_FIGURES, SPECTROGRAM, Ask, FigureView
from hil.views.snapshot import BoardView, CursorView, PredictionView, RecordingView, ReplayView, Snapshot
from hil.views.view import View

__all__ = ["Bench", "Monitor", "ledger_rows"]

DECISIONS = 1000


@dataclass(frozen=True, slots=True)
class Bench:
    """What a snapshot tells besides the readings.

    Attributes:
        mode: `live` or `replay`.
        boards: State of every board as its source knows it; figures that arrivals tell are filled in by the monitor.
        models: State of every model at its board; decisions are filled in by the monitor.
        recording: The recording, if any.
        replay: The transport, if any.
        classes: Labels on the digits.
        active_label: The label that runs.
        trouble: One sentence, or empty.
    """

    mode: str = "live"
    boards: Sequence[BoardView] = ()
    models: Sequence[PredictionView] = ()
    recording: RecordingView | None = None
    replay: ReplayView | None = None
    classes: tuple[str, ...] = ()
    active_label: str = ""
    trouble: str = ""


@dataclass(slots=True)
class _Seen:
    """What arrivals told of one board."""

    info: BoardInfo | None = None
    boot: int = 0
    books: Books | None = None
    told: str = ""
    here: bool = False
    traces: dict[str, Trace] = field(default_factory=dict)


class Monitor:
    """Keeps the last minutes of everything, for screens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, _Seen] = {}
        self._decisions: dict[tuple[str, str], deque[tuple[Prediction, str]]] = {}
        self._log = Logbook()
        self._stabilities = stabilities()
        self._attitudes = attitudes()
        self._scopes = Scopes()
        self._number = 0

    def accept(self, arrivals: Iterable[Arrival]) -> None:
        """Take arrivals in order (a sink of the pipeline)."""
        waiting: dict[tuple[str, str], list[Batch]] = {}
        with self._lock:
            for arrival in arrivals:
                self._scopes.feed((arrival,))
                if arrival.books is not None:
                    self._board(arrival.board).books = arrival.books
                for item in arrival.items:
                    if isinstance(item, Batch):
                        key = (item.board, item.stream.name)
                        if key in waiting:
                            waiting[key].append(item)
                        else:
                            waiting[key] = [item]
                    else:
                        self._event(item, waiting)
            self._flush(waiting)

    def reset(self) -> None:
        """Forget readings and decisions, keep boards and log: a replay jumped."""
        with self._lock:
            self._decisions.clear()
            self._stabilities.clear()
            self._attitudes.clear()
            self._scopes.clear()
            for seen in self._seen.values():
                seen.told = ""
                for trace in seen.traces.values():
                    trace.clear()

    def say(self, t_ns: int, board: str, level: str, text: str) -> None:
        """Write a line into the event log."""
        with self._lock:
            self._log.say(t_ns, board, level, text)

    def info(self, board: str) -> BoardInfo | None:
        """Return who a board is, None while unknown."""
        seen = self._seen.get(board)
        return None if seen is None else seen.info

    def snapshot(self, view: View, now_ns: int, bench: Bench) -> Snapshot:
        """Return what a screen that asked for `view` shows at bench time `now_ns`."""
        with self._lock:
            self._number += 1
            known = {board.role for board in bench.boards}
            others = [BoardView(role, bench.mode) for role in self._seen if role and role not in known]
            boards = tuple(self._board_view(board, now_ns) for board in (*bench.boards, *others))
            allan = None if view.allan is None else self._allan(*view.allan, now_ns)
            figures = [self._figure(ask, view, now_ns) for ask in view.figures[:MOST_FIGURES]]
            roles = [board.role for board in boards]
            shown = Snapshot(
                number=self._number, now_ns=now_ns, mode=bench.mode, boards=boards,
                streams=tuple(trace.view(view, now_ns) for trace in self._traces(view, roles)),
                predictions=tuple(self._prediction(model, view) for model in bench.models),
                recording=bench.recording, replay=bench.replay, log=self._log.lines(view.log_lines, now_ns),
                classes=bench.classes, active_label=bench.active_label, trouble=bench.trouble,
                cursors=tuple(self._cursors(view, now_ns, roles)),
                trigger=self._scopes.asked(view.trigger, now_ns) if view.trigger else None,
            )  # fmt: skip
        # Curves and figures are made outside the lock: they may take a while, and no reading waits for them.
        shown = replace(shown, figures=tuple(make() for make in figures)) if figures else shown
        return shown if allan is None else replace(shown, allan=allan.view() if isinstance(allan, Stability) else allan)

    def _figure(self, ask: Ask, view: View, now_ns: int) -> Callable[[], FigureView]:
        """Return what makes a figure of copies, without the lock."""
        seen, end = self._seen.get(ask.board), view.edge_ns(now_ns)
        trace = None if seen is None else seen.traces.get(ask.stream)
        if trace is None or trace.stream.is_image:
            return lambda: refused(ask, "no readings have come yet" if trace is None else "a picture has none")
        if ask.kind == ATTITUDE:
            attitude = self._attitudes.asked(ask.board, trace.stream, trace.latest, now_ns)
            return lambda: attitude.at(ask, end)
        lead = SHORT // 2 if ask.kind == SPECTROGRAM else 0
        stretch = trace.stretch(end - round(view.seconds * 1e9), end, MOST, lead)
        return lambda: figure(ask, stretch, view.columns // 2)

    def _cursors(self, view: View, now_ns: int, roles: Sequence[str]) -> Iterable[CursorView]:
        if view.cursor_s is None:
            return
        t_ns = view.edge_ns(now_ns) - round(view.cursor_s * 1e9)
        for trace in self._traces(view, roles):
            if (found := trace.cursor(t_ns)) is not None:
                yield found

    def readings(self, board: str, stream: str, from_ns: int, to_ns: int) -> dict[str, Any]:
        """Return `t_ns` and `values` of a stream, see `Trace.readings`; raises UsageError where there is none."""
        with self._lock:
            seen = self._seen.get(board)
            if seen is None or stream not in seen.traces:
                raise UsageError(f"there is no stream {board}/{stream}", "readings", "name one that is shown")
            t_ns, values = seen.traces[stream].readings(from_ns, to_ns)
        return {"t_ns": t_ns, "values": values}

    def _allan(self, role: str, name: str, now_ns: int) -> Stability | AllanView:
        seen = self._seen.get(role)
        trace = None if seen is None else seen.traces.get(name)
        if trace is None:
            return refusal(role, name, None)
        if not can_average(trace.stream):
            return refusal(role, name, trace.stream)
        return self._stabilities.asked(role, trace.stream, trace.latest, now_ns)

    def _board(self, role: str) -> _Seen:
        seen = self._seen.get(role)
        if seen is None:
            seen = self._seen[role] = _Seen()
        return seen

    def _event(self, item: Item, waiting: dict[tuple[str, str], list[Batch]]) -> None:
        seen = self._board(item.board)
        match item:
            case Prediction():
                key = (item.model, item.board)
                self._decisions.setdefault(key, deque(maxlen=DECISIONS)).append((item, seen.told))
                return
            case Connected(info=info, boot=boot):
                again = seen.here and (seen.boot, _who(seen.info)) == (boot, _who(info))
                seen.info, seen.boot, seen.here = info, boot, True
                if again:  # it only knows more of itself now, or a replay introduces it again
                    return
            case Rebooted(boot=boot):
                seen.boot = boot
            case Gap(count=None, stream=stream):
                self._flush(waiting)
                if stream in seen.traces:
                    seen.traces[stream].gap()
            case Log(text=text) if text.startswith(LABEL_PREFIX):
                seen.told = told_label(text)
            case Disconnected():
                seen.told, seen.here = "", False
            case _:
                pass
        if not isinstance(item, Batch):
            self._log.add(item)

    def _flush(self, waiting: dict[tuple[str, str], list[Batch]]) -> None:
        for (role, name), batches in waiting.items():
            traces = self._board(role).traces
            trace, stream = traces.get(name), batches[-1].stream
            if trace is None or (stream is not trace.stream and not trace.fits(stream)):
                trace = traces[name] = Trace(role, stream)
                batches = [batch for batch in batches if trace.fits(batch.stream)]
            trace.append(batches)
            if batches:
                self._stabilities.take(role, name, batches)
                self._attitudes.take(role, name, batches)
        waiting.clear()

    def _board_view(self, board: BoardView, now_ns: int) -> BoardView:
        seen = self._seen.get(board.role)
        if seen is None:
            return board
        facts: dict[str, Any] = {"boot": seen.boot}
        if seen.info is not None:
            info = seen.info
            facts |= {
                "model": info.model, "serial": info.serial, "firmware": info.firmware, "dialect": info.dialect,
                "confidence": info.confidence,
            }  # fmt: skip
        # A board that we closed ourselves did not fall silent: what is told of it is how fast it was.
        asked_ns = None if board.state == "closed" else now_ns
        rates = [(trace.measured_hz(asked_ns), trace) for trace in seen.traces.values()]
        fastest = max((row for row in rates if row[0] is not None), key=lambda row: row[0] or 0.0, default=None)
        if fastest is not None:
            facts |= {"rate_hz": fastest[0], "rate_inferred": fastest[1].stream.rate_inferred}
        facts["samples"] = sum(trace.samples for trace in seen.traces.values())
        if seen.books is not None:
            rows = ledger_rows(seen.books)
            facts |= {
                # The books of a replay that went back begin again there; what was drawn meanwhile does not count.
                "samples": sum(count.delivered or 0 for count in seen.books.streams.values()),
                "ledger": rows, "lost": _missing(seen.books), "closes": tuple(seen.books.closes()),
                "bytes_received": seen.books.bytes_received,
            }  # fmt: skip
        return replace(board, **facts)

    def _traces(self, view: View, roles: Sequence[str]) -> Iterable[Trace]:
        for role in roles:
            if view.boards is not None and role not in view.boards:
                continue
            for name, trace in self._seen[role].traces.items() if role in self._seen else ():
                if view.streams is None or name in view.streams:
                    yield trace

    def _prediction(self, model: PredictionView, view: View) -> PredictionView:
        made = self._decisions.get((model.model, model.board))
        if not made:
            return model
        if view.end_ns is None:
            newest, told = made[-1]
        else:
            earlier = [row for row in made if row[0].t_ns <= view.end_ns]
            if not earlier:
                return model
            newest, told = earlier[-1]
        recent = [row[0] for row in list(made)[-view.history :]] if view.history else []
        return replace(
            model, label=newest.label, confidence=newest.confidence, scores=newest.scores, t_ns=newest.t_ns, told=told,
            behind_s=self._behind(made[-1][0]), history=tuple((row.t_ns, row.label, row.confidence) for row in recent),
        )  # fmt: skip

    def _behind(self, decision: Prediction) -> float | None:
        trace = self._board(decision.board).traces.get(decision.stream)
        if trace is None or trace.newest is None or not trace.stream.rate_hz or trace.newest[0] != decision.boot:
            return None
        return max(0.0, (trace.newest[1] - decision.sample) / trace.stream.rate_hz)


def _who(info: BoardInfo | None) -> tuple[str, ...]:
    return () if info is None else (info.model, info.serial, info.firmware, info.dialect)


def _missing(books: Books) -> int | None:
    counts = [row.missing for row in books.streams.values()]
    return None if not counts or None in counts else sum(count or 0 for count in counts)


SUMMED = tuple(SampleBooks.__dataclass_fields__)


def ledger_rows(books: Books) -> tuple[tuple[str, int | None], ...]:
    """Return the books as rows for people: samples over all streams and boots, windows of a board's own model, bytes.

    A figure that is unknown for any stream is unknown in the sum.
    """
    rows: list[tuple[str, int | None]] = []
    for name in SUMMED:
        values: list[int | None] = [getattr(row, name) for row in books.streams.values()]
        rows.append((name, None if not values or None in values else sum(value or 0 for value in values)))
    judged = WindowBooks.__dataclass_fields__ if books.windows else ()
    rows += [(f"windows {name}", sum(getattr(row, name) for row in books.windows.values())) for name in judged]
    buckets: Mapping[str, int] = books.buckets
    rows += [(f"bytes {name.replace('_', ' ')}", count) for name, count in buckets.items()]
    return (*rows, ("bytes pending", books.pending))
