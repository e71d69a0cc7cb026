"""What stands out in a measurement: what a reader must not overlook, the worst first, a sentence each.

Rule of this room: nothing is judged that the figures do not say. Losses, bad frames, unequal steps, bursts of stamps,
saturation and stuck readings are told wherever they occur; so is what a datasheet wants and what cannot be known.
"""

from dataclasses import dataclass

from hil.measure.datasheet import ABOVE_TYPICAL, OVER, UNKNOWN, UNSURE
from hil.measure.figure import Figure, Measurement
from hil.report.words import scale_for, value

__all__ = ["Finding", "findings"]

BAD, WARN, NOTE = "bad", "warn", "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that stands out.

    Attributes:
        level: `bad`, `warn` or `note`.
        where: Stream and channel.
        text: A sentence.
    """

    level: str
    where: str
    text: str


_TROUBLES = {
    "loss": (BAD, "{v} of the samples that were due did not arrive"),
    "invalid": (BAD, "{v} of the samples were bad by their own checksum and are left out"),
    "frames_dropped": (BAD, "{v} of the frames that were due are not usable"),
    "gaps": (WARN, "samples are missing in {v} places"),
    "reboots": (WARN, "the board started anew {v} times"),
    "bytes_damaged": (WARN, "{v} of the received bytes belong to no valid frame or line"),
    "bursts": (WARN, "{v} of the stamps come in bursts: they tell when bytes were read, not when it sampled"),
    "unequal_steps": (WARN, "{v} of the steps in time are more than a tenth away from the usual one"),
    "saturation": (WARN, "{v} of the readings are at the end of the range"),
    "stuck": (WARN, "{v} of the readings stand in runs too long to be chance"),
    "outliers": (NOTE, "{v} of the readings are single ones far from both neighbours"),
    "missing_codes": (NOTE, "{v} codes never occur although their neighbours do"),
    "dead_pixels": (BAD, "{v} pixels are dead"),
    "dead_rows": (BAD, "{v} rows or columns are dead"),
    "blinking_pixels": (WARN, "{v} pixels blink"),
    "mains": (NOTE, "the mains frequency shows: {v}"),
    "motion_artefacts": (NOTE, "{v} of the time the pulse has another shape (motion)"),
}
"""Metrics of which anything above 0 is told."""

_LEAST = {"mains": None, "outliers": 0.01, "motion_artefacts": 5.0}
"""Below this it is not worth a line; None: only where the interval lies above 0."""

_ORDER = {BAD: 0, WARN: 1, NOTE: 2}


def findings(measurement: Measurement) -> list[Finding]:
    """Return what stands out."""
    found = [*_said(measurement), *_sheet(measurement)]
    merged: dict[tuple[str, str], list[Figure]] = {}
    for figure in measurement:
        if figure.metric in _TROUBLES and figure.value is not None and _tells(figure):
            merged.setdefault((figure.stream, figure.metric), []).append(figure)
    for (stream, metric), figures in merged.items():
        level, text = _TROUBLES[metric]
        worst = max(figures, key=lambda figure: abs(figure.value or 0.0))
        scale = scale_for(worst.unit, (worst.value,))
        shown = f"{value(worst.value, worst.low, worst.high, scale)} {scale.unit}".strip()
        channels = [figure.channel for figure in figures if figure.channel]
        where = f"{stream} {', '.join(channels)}".strip()
        lead = "up to " if len(channels) > 1 else ""
        note = f" ({worst.note})" if worst.note else ""
        found.append(Finding(level, where, f"{lead}{text.format(v=shown)}{note}"))
    return sorted(_merged(found), key=lambda one: _ORDER[one.level])


def _merged(found: list[Finding]) -> list[Finding]:
    """Say once what holds for several places."""
    places: dict[tuple[str, str], list[str]] = {}
    for one in found:
        places.setdefault((one.level, one.text), []).append(one.where)
    return [Finding(level, _together(where), text) for (level, text), where in places.items()]


def _together(places: list[str]) -> str:
    """Return streams with their channels, each stream named once."""
    channels: dict[str, list[str]] = {}
    for place in dict.fromkeys(places):
        stream, _, channel = place.partition(" ")
        channels.setdefault(stream, []).append(channel)
    return ", ".join(f"{stream} {', '.join(filter(None, names))}".strip() for stream, names in channels.items())


def _tells(figure: Figure) -> bool:
    least = _LEAST.get(figure.metric, 0.0)
    if least is None:
        return figure.low is not None and figure.low > 0
    return abs(figure.value or 0.0) > least


def _said(measurement: Measurement) -> list[Finding]:
    facts = measurement.facts
    found = [Finding(NOTE, "recording", str(remark)) for remark in facts.get("remarks") or ()]
    lost = facts.get("lost")
    if isinstance(lost, str) and lost:
        found.append(Finding(BAD, "recording", lost))
    return found


def _sheet(measurement: Measurement) -> list[Finding]:
    sheet = measurement.facts.get("datasheet")
    if not sheet:
        return []
    verdicts = {OVER: BAD, UNKNOWN: BAD, UNSURE: WARN, ABOVE_TYPICAL: NOTE}
    found = [Finding(BAD, sheet["name"] or "datasheet", f"{key} is expected and was not measured")
             for key in sheet["not_measured"]]  # fmt: skip
    words = {
        OVER: "lies beyond the limit of the datasheet",
        UNKNOWN: "is expected by the datasheet and could not be measured",
        UNSURE: "may lie beyond the limit of the datasheet: its interval holds the limit",
        ABOVE_TYPICAL: "is within the limit of the datasheet and beyond what is typical",
    }  # fmt: skip
    for name, said in measurement.expected.items():
        if said["verdict"] in verdicts:
            figure = measurement[name]
            where = f"{figure.stream} {figure.channel}".strip()
            found.append(Finding(verdicts[said["verdict"]], where, f"{figure.metric} {words[said['verdict']]}"))
    return found
