"""Every metric that a check can name: name, unit, kind, meaning and source, in one table.

Rule of this room: no metric without a row. Rows of a run (link, stream, model, event) stand here, rows of measuring a
sensor come from `hil.measure.catalogue`; where both have one, the run's own counts. `data` metrics follow from the
bytes, their recorded times and the seed; `timing` ones from the wall clock of this run. BOARD, STREAM, CHANNEL, MODEL
and EVENT stand for names; LABEL for a label of the model.
"""

from dataclasses import dataclass

from hil.measure import catalogue

__all__ = ["ROWS", "MetricRow", "find_row"]


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One kind of metric.

    Attributes:
        pattern: Dotted name with places, such as `link.BOARD.gaps`.
        unit: `{u}` stands for the unit of the channel.
        kind: `data` or `timing`.
        meaning: One sentence.
        source: What it is found from.
        measured: Whether `hil.measure` gives it, from a recording of the run.
    """

    pattern: str
    unit: str
    kind: str
    meaning: str
    source: str
    measured: bool = False

    @property
    def key(self) -> str:
        """The last part of its name that is fixed."""
        return [part for part in self.pattern.split(".") if not part.isupper()][-1]

    def as_dict(self) -> dict[str, str]:
        """Return plain JSON values."""
        return {"name": self.pattern, "unit": self.unit, "kind": self.kind, "meaning": self.meaning,
                "source": self.source}  # fmt: skip


def _rows(place: str, *rows: tuple[str, str, str, str, str]) -> list[MetricRow]:
    return [MetricRow(f"{place}.{row[0]}", *row[1:]) for row in rows]


_LINK = _rows(
    "link.BOARD",
    ("bytes", "1", "data", "bytes that were received", "ledger"),
    ("bytes_damaged", "%", "data", "received bytes that belong to no valid frame or line", "ledger"),
    ("bytes_unaccounted", "1", "data", "received bytes that are in no bucket of the ledger", "ledger"),
    ("crc_failures", "1", "data", "frames or lines whose checksum was wrong", "events"),
    ("frames_lost", "1", "data", "frames that never came, by their sequence numbers", "ledger"),
    ("samples", "1", "data", "samples of all streams that were delivered", "ledger"),
    ("samples_expected", "1", "data", "samples that were due, by their numbers", "ledger"),
    ("samples_lost", "1", "data", "samples of all streams that were due and did not arrive", "ledger"),
    ("samples_duplicate", "1", "data", "samples that came twice", "ledger"),
    ("samples_unaccounted", "1", "data", "samples that are in no account of the ledger", "ledger"),
    ("gaps", "1", "data", "places where samples are missing", "events"),
    ("reboots", "1", "data", "how often the board started anew", "events"),
    ("disconnects", "1", "data", "how often the connection went", "events"),
    ("errors_told", "1", "data", "lines of level warning or error that the board sent", "events"),
    ("windows_due", "1", "data", "windows of its own samples that came due for a model on the board", "STATUS"),
    ("windows_judged", "1", "data", "of these, windows whose result arrived", "results"),
    ("windows_skipped", "1", "data", "of these, windows that the board never ran: the next was due already", "STATUS"),
    ("windows_unsent", "1", "data", "of these, windows whose result found no room on the board", "STATUS"),
    ("windows_lost", "1", "data", "of these, windows whose result was sent and did not arrive", "STATUS, results"),
    ("arrival_jitter_p99", "ms", "timing", "99th percentile of |time between reads less its median|", "arrivals"),
)  # fmt: skip

_CLOCK = _rows(
    "clock.BOARD",
    ("drift", "ppm", "data", "how much faster the board's clock runs than the host's", "clock exchanges"),
    ("uncertainty", "us", "data", "half width of the interval of the offset to host time", "clock exchanges"),
    ("exchanges", "1", "data", "exchanges that dated the clock", "clock exchanges"),
)

_STIMULUS = _rows(
    "stimulus.BOARD",
    ("pushed", "1", "data", "recorded readings that were pushed into the board", "injection"),
    ("returned", "1", "data", "pushed readings that came back as the board's own samples", "injection"),
    ("missing", "1", "data", "readings to be pushed that did not come back", "injection"),
    ("starved", "1", "data", "samples that were due on the board while no reading was there", "STATUS"),
    ("out_of_order", "1", "data", "samples that came back late or twice", "ledger"),
    ("differing", "1", "data", "samples that came back with another value than was pushed", "injection"),
    ("cut", "1", "data", "values that the range of the board's stream could not hold", "injection"),
    ("round_trip_p50", "ms", "timing", "median time from push to return, the wait in the board included", "injection"),
    ("round_trip_p99", "ms", "timing", "99th percentile of that time", "injection"),
    ("round_trip_max", "ms", "timing", "the longest of it", "injection"),
)  # fmt: skip

_DRIVE = _rows(
    "drive.BOARD.STREAM",
    ("settings", "1", "data", "values that were set in the chip", "the emulator"),
    ("readings", "1", "data", "readings that were judged: no change was near them", "readings, settings"),
    ("settling", "1", "data", "readings that were not: within settle_s of a change", "readings, settings"),
    ("right", "%", "data", "share of the judged readings within one step of the driven value", "readings, settings"),
    ("error_maximum", "{u}", "data", "farthest that a judged reading was from the driven value", "readings, settings"),
    ("response", "ms", "timing", "longest time from setting a value to the first reading of it", "readings, settings"),
)  # fmt: skip

_STREAM = _rows(
    "stream.BOARD.STREAM",
    ("samples", "1", "data", "samples that were delivered", "readings"),
    ("rate", "Hz", "data", "samples a second while none are missing, by the board's clock", "ticks"),
    ("jitter_p99", "us", "data", "99th percentile of |step from sample to sample less the median step|", "ticks"),
    ("gaps", "1", "data", "places where samples are missing", "events"),
)

_CHANNEL = _rows(
    "stream.BOARD.STREAM.CHANNEL",
    ("minimum", "{u}", "data", "the least reading", "readings"),
    ("maximum", "{u}", "data", "the greatest reading", "readings"),
    ("mean", "{u}", "data", "mean of all readings", "readings"),
    ("sd", "{u}", "data", "standard deviation of all readings, signal and noise", "readings"),
    ("noise", "{u}", "data", "rms of the second differences over sqrt(6): what is white", "readings"),
    ("saturation", "%", "data", "readings at the end of the range of the wire's type", "readings"),
)

_MODEL = _rows(
    "model.MODEL",
    ("decisions", "1", "data", "decisions that were made", "decisions"),
    ("missed", "1", "data", "decisions that a gap, reboot or rate change made impossible", "decisions"),
    ("coverage", "1", "data", "share of the decisions to be expected that were made", "decisions"),
    ("confidence_minimum", "1", "data", "the least confidence of a decision", "decisions"),
    ("confidence_maximum", "1", "data", "the greatest confidence of a decision", "decisions"),
    ("judged", "1", "data", "decisions (and missed ones) that have a truth", "decisions and labels"),
    ("accuracy", "1", "data", "share of right decisions", "decisions and labels"),
    ("macro_f1", "1", "data", "mean over labels of F1; missed decisions are errors", "decisions and labels"),
    ("ece", "1", "data", "expected calibration error of the confidence, 15 bins", "decisions and labels"),
    ("recall.LABEL", "1", "data", "share of a label's windows that were named so", "decisions and labels"),
    (
        "latency_p50",
        "ms",
        "timing",
        "median time of the call of the network that decided, however many hops it took",
        "wall clock",
    ),
    ("latency_p99", "ms", "timing", "99th percentile of the time of such a call", "wall clock"),
    ("latency_p999", "ms", "timing", "99.9th percentile of the time of such a call", "wall clock"),
    ("deadline_misses", "1", "timing", "decisions that took longer than deadline_ms", "wall clock"),
    ("age_p50", "ms", "timing", "median age of the last sample when a decision could be made", "arrivals, clock"),
    ("age_p99", "ms", "timing", "99th percentile of that age", "arrivals, clock"),
    ("age_p999", "ms", "timing", "99.9th percentile of that age", "arrivals, clock"),
    (
        "instructions",
        "1",
        "data",
        "most instructions (not cycles) that a window takes in 8 bits on a Cortex-M3",
        "firmware that counts",
    ),
    ("flash", "B", "data", "op list and weights in 8 bits", "firmware that counts"),
    ("ram", "B", "data", "tensors in 8 bits, in a board's arena", "firmware that counts"),
)

_DRIFT = _rows(
    "model.MODEL.drift",
    ("looks", "1", "data", "windows that the drift watch looked at", "readings, the model's reference"),
    ("sensor_alarms", "1", "data", "how often the verdict became `sensor different`", "readings, reference"),
    ("sensor_share", "%", "data", "windows with the verdict `sensor different`", "readings, reference"),
    ("first_sensor_alarm", "s", "data", "from the board's first sample to that verdict", "readings, reference"),
    ("model_alarms", "1", "data", "how often the verdict became `model wrong`", "readings, scores, reference"),
    ("model_share", "%", "data", "windows with the verdict `model wrong`", "readings, scores, reference"),
    ("first_model_alarm", "s", "data", "from the board's first sample to that verdict", "readings, scores, reference"),
    ("embedding", "1", "data", "mean distance of the scores from the nearest label, in their spread", "scores"),
    ("distance.CHANNEL", "1", "data", "distance of a channel's distribution from training's (Wasserstein-1), "
     "in its spread in training", "readings, reference"),
)  # fmt: skip

_EVENT = _rows(
    "event.EVENT",
    ("true_positives", "1", "data", "expected appearances of the label that came in time", "decisions"),
    ("false_negatives", "1", "data", "expected appearances that did not come in time", "decisions"),
    ("false_positives", "1", "data", "runs of decisions for the label where it was not expected", "decisions"),
    ("false_alarms_per_h", "1/h", "data", "false positives an hour of readings", "decisions"),
    ("delay", "s", "data", "longest time from the beginning of an appearance to its first decision", "decisions"),
)

_OWN = [*_LINK, *_CLOCK, *_STIMULUS, *_DRIVE, *_STREAM, *_CHANNEL, *_MODEL, *_DRIFT, *_EVENT]
_NAMES = {row.pattern for row in _OWN}
_MEASURED = [
    MetricRow(name, metric.unit, metric.kind, metric.meaning, metric.source, measured=True)
    for metric in catalogue.METRICS.values()
    if (name := catalogue.pattern(metric)) not in _NAMES
]

ROWS: tuple[MetricRow, ...] = (*_OWN, *_MEASURED)
"""Every metric."""


def find_row(name: str) -> MetricRow | None:
    """Return the row of a dotted name such as `link.watch.gaps`, None where there is none."""
    parts = name.split(".")
    for row in ROWS:
        places = row.pattern.split(".")
        if len(places) == len(parts) and all(
            place.isupper() or place == part for place, part in zip(places, parts, strict=True)
        ):
            return row
    return None
