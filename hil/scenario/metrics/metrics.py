"""Metrics out of evidence: a reading with a value, or the reason why there is none.

Rules of this room: what is unknown is UNSET and never 0; what this target cannot have is NA. A metric of the ledger
that a board cannot know (it numbers nothing, it sends no checksum) is UNSET.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from firmware_bridge.ledger import WindowBooks
from hil.measure.make import slug
from hil.recording.marks import Label
from hil.scenario.evidence.events import appearances
from hil.scenario.evidence.evidence import BoardEvidence
from hil.scenario.evidence.tally import away_from_median, percentile_of
from hil.scenario.grammar.catalogue import find_row
from hil.scenario.grammar.grammar import EventTable
from hil.scenario.metrics.decisions import MISSED, ModelEvidence, verdicts
from hil.scenario.results.outcome import NA, UNSET, Reading

__all__ = ["board_readings", "event_readings", "expected_of", "model_readings", "reading"]

Found = tuple[str, float | None, str]
"""The last part of a name, its value, and why there is none (`NA: ...` where it cannot be)."""


def board_readings(board: BoardEvidence) -> Iterator[Reading]:
    """Yield the link, clock and stream metrics of a board."""
    for key, value, why in _link(board):
        yield reading(f"link.{board.role}.{key}", value, why)
    for key, value, why in _clock(board):
        off = None if board.clock is None else (board.clock.drift_high - board.clock.drift_low) / 2
        yield reading(f"clock.{board.role}.{key}", value, why, off if key == "drift" else None)
    for name, tally in sorted(board.streams.items()):
        place = f"stream.{board.role}.{slug(name)}"
        yield reading(f"{place}.samples", float(tally.samples), "")
        yield reading(f"{place}.rate", tally.rate_hz, "fewer than two samples followed each other")
        yield reading(f"{place}.jitter_p99", tally.jitter_us(0.99), "fewer than two samples followed each other")
        counted = tally.stream.counted
        yield reading(
            f"{place}.gaps", float(board.counts[f"gaps {name}"]) if counted else None, "the board numbers no samples"
        )
        units = dict(zip(tally.stream.channels, tally.stream.units, strict=False))
        for channel, figures in tally.figures().items():
            for key in ("minimum", "maximum", "mean", "sd", "noise", "saturation"):
                found = reading(f"{place}.{slug(channel)}.{key}", getattr(figures, key), "too few samples in a row")
                yield Reading(found.name, found.value, found.unit.replace("{u}", units.get(channel, "?")), found.kind,
                              found.absent, found.why)  # fmt: skip


def model_readings(
    model: ModelEvidence, boards: Sequence[BoardEvidence], labels: Mapping[str, Sequence[Label]], unlabelled: str
) -> Iterator[Reading]:
    """Yield the metrics of a model.

    Args:
        model: What it did.
        boards: Boards that it read.
        labels: Labelled stretches of each board.
        unlabelled: Why there can be no labels here (NA); empty where there should be.
    """
    place = f"model.{model.name}"
    if model.failed:
        for key in ("decisions", "coverage", "accuracy", "macro_f1", "ece"):
            yield reading(f"{place}.{key}", None, model.failed)
        return
    yield reading(f"{place}.decisions", float(len(model.made)), "")
    yield reading(f"{place}.missed", float(model.missed), "")
    due = len(model.made) + model.missed
    yield reading(f"{place}.coverage", len(model.made) / due if due else None, "no decision was due")
    sure = [one.confidence for one in model.made]
    yield reading(f"{place}.confidence_minimum", min(sure, default=None), "no decision was made")
    yield reading(f"{place}.confidence_maximum", max(sure, default=None), "no decision was made")
    yield from _timing(model, place, boards)
    yield from _scores(model, place, boards, labels, unlabelled)


def event_readings(
    event: EventTable, model: ModelEvidence, boards: Sequence[BoardEvidence], labels: Mapping[str, Sequence[Label]]
) -> Iterator[Reading]:
    """Yield the metrics of an event."""
    place = f"event.{event.name}"
    expected = expected_of(event, boards, labels)
    made = model.made
    why = model.failed
    if not why and event.label not in model.labels:
        why = f"the model knows no label {event.label!r} (it knows {', '.join(model.labels)})"
    if not why and not expected:
        why = f"no stretch of the readings is labelled {event.label!r}"
    if why:
        for key in ("true_positives", "false_negatives", "false_positives", "false_alarms_per_h", "delay"):
            yield reading(f"{place}.{key}", None, why)
        return
    rates = [tally.rate_hz or 1.0 for board in boards for tally in board.streams.values()]
    hop_ns = round(model.hop / max(rates, default=1.0) * 1e9)
    found = appearances(made, event.label, expected, round(event.delay_s * 1e9), hop_ns)
    hours = sum(board.seconds for board in boards) / 3600.0
    yield reading(f"{place}.true_positives", float(found.true_positives), "")
    yield reading(f"{place}.false_negatives", float(found.false_negatives), "")
    yield reading(f"{place}.false_positives", float(found.false_positives), "")
    yield reading(f"{place}.false_alarms_per_h", found.false_positives / hours if hours else None, "no readings")
    yield reading(f"{place}.delay", found.delay_s, "no appearance was met")


def expected_of(
    event: EventTable, boards: Sequence[BoardEvidence], labels: Mapping[str, Sequence[Label]]
) -> list[tuple[str, int, int]]:
    """Return board, beginning and end (UTC ns) of every stretch in which a label must appear."""
    expected: list[tuple[str, int, int]] = []
    for board in boards:
        if board.start_ns is None:
            continue
        if event.from_s is not None and event.to_s is not None:
            start = board.start_ns
            expected.append((board.role, start + round(event.from_s * 1e9), start + round(event.to_s * 1e9)))
        else:
            for label in labels.get(board.role, ()):
                if label.text == event.label and label.start_ns < board.end_ns:
                    stop = board.end_ns if label.stop_ns is None else min(label.stop_ns, board.end_ns)
                    expected.append((board.role, label.start_ns, stop))
    return expected


def _link(board: BoardEvidence) -> Iterator[Found]:
    books, counts = board.books, board.counts
    if board.imported or books is None:
        why = "NA: these readings were imported, there are no bytes" if board.imported else "no byte was received"
        for key in ("bytes", "bytes_damaged", "bytes_unaccounted", "crc_failures", "frames_lost", "samples",
                    "samples_expected", "samples_lost", "samples_duplicate", "samples_unaccounted", "gaps", "reboots",
                    "disconnects", "errors_told", "arrival_jitter_p99"):  # fmt: skip
            yield key, None, why
        return
    inside = sum(books.buckets.values())
    wrong = counts["damaged bytes"]
    yield "bytes", float(books.bytes_received), ""
    yield "bytes_damaged", 100.0 * wrong / books.bytes_received if books.bytes_received else None, "no byte came"
    yield "bytes_unaccounted", float(abs(books.bytes_received - inside - books.pending)), ""
    checked = bool(board.streams) and all(tally.stream.checked for tally in board.streams.values())
    yield "crc_failures", float(counts["crc"]) if checked else None, "the board sends no checksum"
    lost = books.frames_lost
    yield "frames_lost", None if lost is None else float(lost), "its frames carry no numbers"
    parts = list(books.streams.values())
    unknown = "the board numbers no samples"
    yield "samples", float(sum(part.delivered for part in parts)), ""
    for key, of in (("samples_expected", "expected"), ("samples_lost", "missing"), ("samples_duplicate", "duplicate")):
        each = [getattr(part, of) for part in parts]
        yield key, None if None in each or not each else float(sum(each)), unknown if each else "no sample came"
    open_sums = sum(len(part.closes("")) for part in parts)
    yield "samples_unaccounted", float(open_sums) if parts else None, "no sample came"
    numbered = all(tally.stream.counted for tally in board.streams.values()) and bool(board.streams)
    yield "gaps", float(counts["gaps"]) if numbered else None, unknown
    yield "reboots", float(counts["reboots"]), ""
    yield "disconnects", float(counts["disconnects"]), ""
    yield "errors_told", float(counts["told"]), ""
    if books.windows:  # only where a model runs on the board and counts
        for key in WindowBooks.__dataclass_fields__:
            yield f"windows_{key}", float(sum(getattr(part, key) for part in books.windows.values())), ""
    jitter = percentile_of(away_from_median(board.reads), 0.99)
    yield "arrival_jitter_p99", None if jitter is None else jitter / 100.0, "fewer than two reads"


def _clock(board: BoardEvidence) -> Iterator[Found]:
    fit = board.clock
    why = "NA: these readings were imported" if board.imported else "the board's clock was not dated often enough"
    yield "drift", None if fit is None else fit.drift_ppm, why
    off = None if fit is None else (fit.uncertainty_ns + (fit.asymmetry_ns or 0)) / 1e3
    yield "uncertainty", off, why
    yield "exchanges", None if board.imported else float(board.counts["exchanges"]), why


def _timing(model: ModelEvidence, place: str, boards: Sequence[BoardEvidence]) -> Iterator[Reading]:
    for key, values in (("latency", model.latency_ms), ("age", model.age_ms)):
        why = "no decision was made"
        if key == "age" and boards and all(board.imported for board in boards):
            why = "NA: imported readings have no time of arrival"
        fits = [board.clock for board in boards if board.clock is not None]
        off = max(((fit.uncertainty_ns + (fit.asymmetry_ns or 0)) / 1e6 for fit in fits), default=None)
        for name, share in (("p50", 50), ("p99", 99), ("p999", 99.9)):
            value = float(np.percentile(values, share)) if values else None
            yield reading(f"{place}.{key}_{name}", value, why, off if key == "age" else None)
    limit = model.deadline_ms
    late = None if limit is None else float(sum(took > limit for took in model.latency_ms))
    yield reading(f"{place}.deadline_misses", late, f"the scenario gives no model.{model.name}.deadline_ms")


def _scores(
    model: ModelEvidence, place: str, boards: Sequence[BoardEvidence], labels: Mapping[str, Sequence[Label]],
    unlabelled: str,
) -> Iterator[Reading]:  # fmt: skip
    from hil.models.score import score

    found = verdicts(model, boards, dict(labels))
    why = f"NA: {unlabelled}" if unlabelled else "no window of the readings has a label that the model knows"
    some = len(found.truth) > 0
    figures = score(found.truth, found.said, found.confidence, found.who, len(model.labels))
    yield reading(f"{place}.judged", float(len(found.truth)) if some or not unlabelled else None, why)
    for key in ("accuracy", "macro_f1"):
        yield reading(f"{place}.{key}", getattr(figures, key) if some else None, why)
    made = bool((found.said != MISSED).any())
    yield reading(f"{place}.ece", figures.ece if some and made else None, why)
    for index, label in enumerate(model.labels):
        here = found.truth == index
        recall = float((found.said[here] == index).mean()) if here.any() else None
        missing = why if not some else f"no window is labelled {label}"
        yield reading(f"{place}.recall.{slug(label)}", recall, missing)


def reading(name: str, value: float | None, why: str, off: float | None = None) -> Reading:
    """Return a reading of the catalogue; without a value UNSET, or NA where `why` begins with `NA: `."""
    row = find_row(name)
    assert row is not None, name
    if value is not None:
        return Reading(name, value, row.unit, row.kind, uncertainty=off)
    absent = NA if why.startswith("NA: ") else UNSET
    return Reading(name, None, row.unit, row.kind, absent, why.removeprefix("NA: "))
