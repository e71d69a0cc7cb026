"""What a page shows of a run, as plain JSON values of bounded size: it crosses processes and needs no file.

Rule of this room: everything is taken from what was judged (the same books, decisions, verdicts and clock fit); nothing
is measured anew. Times are seconds since the first sample. Where there are more decisions, labels or exchanges than a
person can see, they are thinned or cut, and how many there were is said.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.faults import Schedule
from firmware_bridge.timebase import ClockFit
from hil.recording.header import environment, versions
from hil.scenario.afterwards.scope import EVENTS, Envelope, Probe, Scope, columns_of
from hil.scenario.execution.execute import Execution
from hil.scenario.metrics.decisions import MISSED, ModelEvidence, Verdicts

__all__ = ["Plain", "exhibit_of", "windows_of"]

Plain = dict[str, Any]

MOST_DECISIONS = 1500
MOST_LABELS = 300
LATENCY_BINS = 30
_DIGITS = 6


def exhibit_of(
    done: Execution, found: Mapping[str, Verdicts], scope: Scope, schedule: Schedule, shift_s: float = 0.0
) -> Plain:
    """Return what is shown of a run, without its windows.

    Args:
        done: What it left behind.
        found: Windows with a truth of each model.
        scope: That looked at it.
        schedule: Its faults.
        shift_s: How much of the readings was left out before the first sample that counts.
    """
    start = _start(done)
    for envelope in scope.envelopes.values():
        envelope.settle()
    return {
        "schema": 1, "start_ns": start, "seconds": done.readings_s, "environment": environment(),
        "versions": versions(), "faults": [_fault(one.as_dict(), one.level, shift_s) for one in schedule.faults],
        "boards": {role: _board(role, done, scope, start) for role in done.evidence.boards},
        "labels": _labels(done, start),
        "models": {name: _model(model, found.get(name), start) for name, model in done.models.items()},
        "streams": {f"{board}/{name}": _envelope(one, start) for (board, name), one in scope.envelopes.items()},
        "windows": [],
    }  # fmt: skip


def windows_of(
    probes: Iterable[Probe], done: Execution, explain: Callable[[Probe, int], Plain | None] = lambda probe, start: None
) -> list[Plain]:
    """Return the seconds around each moment that has samples: readings, and what models decided meanwhile.

    Args:
        probes: What was kept of each moment.
        done: What the run left behind.
        explain: Is given a probe and UTC of second 0; returns what carried the decision there, or None.
    """
    start = _start(done)
    windows = []
    for probe in probes:
        if probe.t_ns is None or not probe.parts:
            continue
        low, high = probe.t_ns - probe.half_ns, probe.t_ns + probe.half_ns
        first, names = probe.parts[0], columns_of(probe.parts[0])[0]
        times, rows = _rows(probe, len(names), start)
        said = [
            {"model": name, "t_s": (one.t_ns - start) / 1e9, "label": one.label,
             "confidence": _short(one.confidence)}
            for name, model in done.models.items() for one in model.made
            if one.board == first.board and low <= one.t_ns <= high
        ]  # fmt: skip
        stream = first.stream
        units = [stream.units[0]] * len(names) if stream.is_image else list(stream.units[: len(names)])
        windows.append({
            "metric": probe.trigger.metric, "why": probe.trigger.why, "board": first.board, "stream": stream.name,
            "channel": probe.trigger.channel, "at_s": (probe.t_ns - start) / 1e9, "from_s": (low - start) / 1e9,
            "to_s": (high - start) / 1e9, "channels": list(names), "units": units, "t_s": times, "values": rows,
            "decisions": said[:MOST_DECISIONS], "explained": explain(probe, start),
        })  # fmt: skip
    return windows


def _start(done: Execution) -> int:
    begun = [board.start_ns for board in done.evidence.boards.values() if board.start_ns is not None]
    return min(begun, default=0)


def _fault(plain: Plain, level: str, shift_s: float) -> Plain:
    own = {"kind", "on", "from_s", "to_s", "key"}
    end = plain.get("to_s")
    return {
        "kind": plain["kind"], "on": plain["on"], "level": level, "from_s": plain["from_s"] - shift_s,
        "to_s": None if end is None else end - shift_s,
        "parameters": {key: value for key, value in plain.items() if key not in own},
    }  # fmt: skip


def _board(role: str, done: Execution, scope: Scope, start: int) -> Plain:
    board, told = done.evidence.boards[role], scope.told.get(role)
    tick_hz = next((one.tick_hz for (name, _), one in scope.envelopes.items() if name == role and one.tick_hz), None)
    fit = board.clock
    return {
        "imported": board.imported,
        "books": None if board.books is None else board.books.as_dict(),
        "clock": None if fit is None else {key: getattr(fit, key) for key in fit.__dataclass_fields__},
        "exchanges": None if fit is None or told is None or not tick_hz
        else _residuals(fit, told.exchanges, tick_hz, start),
        "events": [] if told is None
        else [{"t_s": (t_ns - start) / 1e9, "kind": kind, "text": text} for t_ns, kind, text in told.events[:EVENTS]],
        "counts": {} if told is None else dict(told.counts),
    }  # fmt: skip


def _residuals(fit: ClockFit, exchanges: Sequence[tuple[int, int, int]], tick_hz: float, start: int) -> Plain | None:
    """Return what the exchanges leave about the line that was judged, us; the truth lies between below and above."""
    if not exchanges:
        return None
    sent, ticks, received = np.array(exchanges, dtype=np.int64).T
    nominal = np.rint(ticks * (1e9 / tick_hz)).astype(np.int64)
    away = (received - fit.at_ns).astype(np.float64)
    line = -fit.drift_ppm * 1e-6 * away
    below, above = ((side - nominal - fit.offset_ns).astype(np.float64) - line for side in (sent, received))
    return {"t_s": _list((received - start) / 1e9), "below_us": _list(below / 1e3), "above_us": _list(above / 1e3)}


def _labels(done: Execution, start: int) -> Plain:
    return {
        role: [[one.text, (one.start_ns - start) / 1e9, None if one.stop_ns is None else (one.stop_ns - start) / 1e9]
               for one in labels[:MOST_LABELS]]
        for role, labels in done.labels.items()
    }  # fmt: skip


def _model(model: ModelEvidence, found: Verdicts | None, start: int) -> Plain:
    from hil.models.score import BINS

    plain: Plain = {
        "labels": list(model.labels), "failed": model.failed, "decisions": len(model.made), "missed": model.missed,
        "deadline_ms": model.deadline_ms, "latency_ms": _histogram(model.latency_ms),
        "identity": dict(model.identity), "confusion": None, "reliability": None, "excluded": 0,
        "course": _course(model, found, start),
    }  # fmt: skip
    if found is None or not len(found.truth):
        return plain
    count = len(model.labels)
    table = np.zeros((count, count + 1), np.int64)
    np.add.at(table, (found.truth, np.where(found.said == MISSED, count, found.said)), 1)
    made = found.said != MISSED
    right, sure = (found.truth == found.said)[made], found.confidence[made]
    place = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    bins = [
        {"confidence": _short(sure[place == at].mean()), "accuracy": _short(right[place == at].mean()),
         "count": int((place == at).sum())}
        for at in range(BINS) if (place == at).any()
    ]  # fmt: skip
    return plain | {"confusion": table.tolist(), "reliability": bins, "excluded": found.excluded}


def _course(model: ModelEvidence, found: Verdicts | None, start: int) -> Plain:
    """Return decisions over time with their truths, every n-th where there are many."""
    truth: dict[tuple[str, str, int, int], int] = {}
    if found is not None:
        truth = {(*where, last): int(true)
                 for where, last, true in zip(found.where, found.last, found.truth, strict=False)}  # fmt: skip
    place = {label: at for at, label in enumerate(model.labels)}
    step = max(1, -(-len(model.made) // MOST_DECISIONS))
    kept = sorted(model.made, key=lambda one: one.t_ns)[::step]
    return {
        "every": step, "t_s": [round((one.t_ns - start) / 1e9, 3) for one in kept],
        "said": [place[one.label] for one in kept],
        "truth": [truth.get((one.board, one.stream, one.boot, one.sample)) for one in kept],
    }  # fmt: skip


def _histogram(values: Sequence[float]) -> Plain | None:
    """Return how often which latency was, over pieces that grow, and the longest."""
    if not values:
        return None
    known = np.asarray(values, np.float64)
    low, high = max(float(known.min()), 1e-4), max(float(known.max()), 2e-4)
    edges = np.geomspace(low * 0.999, high * 1.001, LATENCY_BINS + 1)
    counts, _ = np.histogram(np.maximum(known, low), edges)
    p50, p99 = (float(np.percentile(known, share)) for share in (50, 99))
    return {"edges": _list(edges), "counts": counts.tolist(), "p50": p50, "p99": p99, "longest": high}


def _envelope(one: Envelope, start: int) -> Plain:
    used = np.isfinite(one.low).any(axis=1)
    times = (one.start_ns - start + (np.flatnonzero(used) + 0.5) * one.width_ns) / 1e9
    return {
        "samples": one.samples, "rate_hz": one.rate_hz, "piece_s": one.width_ns / 1e9, "channels": list(one.names),
        "units": list(one.units), "t_s": _list(times),
        **{end: [_list(values[used, at]) for at in range(len(one.names))]
           for end, values in (("low", one.low), ("high", one.high))},
    }  # fmt: skip


def _rows(probe: Probe, width: int, start: int) -> tuple[list[float | None], list[list[float | None]]]:
    """Return times, and readings by channel; where samples are missing both have a null."""
    times: list[float | None] = []
    rows: list[list[float | None]] = [[] for _ in range(width)]
    follows: tuple[int, int] | None = None
    for batch in probe.parts:
        _, values = columns_of(batch)
        if values.shape[1] != width:
            continue
        if follows is not None and follows != (batch.boot, batch.first):
            times.append(None)
            for row in rows:
                row.append(None)
        follows = (batch.boot, batch.end)
        times += [round(float(t), 6) for t in (batch.t_ns - start) / 1e9]
        for at, row in enumerate(rows):
            row += _list(values[:, at])
    return times, rows


def _short(value: Any) -> float | None:
    """Return a number in few digits; what is none is null, as JSON wants it."""
    number = float(value)
    return float(f"{number:.{_DIGITS}g}") if np.isfinite(number) else None


def _list(values: npt.NDArray[Any]) -> list[float | None]:
    return [_short(value) for value in values]
