"""Glitch to test: the scenario beside the recording of a glitch, asserting what was expected.

Rule of this room: the recording alone is asked, for what triggered and for what it holds. Where the trigger is a limit
or an anomaly, its check fails on the recording as captured: that is the glitch, and the day it passes it is gone. Where
a person pressed a key, what held before is expected to hold throughout.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from firmware_bridge.errors import UsageError
from firmware_bridge.events import Mark
from hil.monitor.triggers import METADATA
from hil.recording.reader import Recording
from hil.scenario.results.outcome import Reading
from hil.scenario.skeleton import check_text, observe, plain, quoted, tables, write_new

__all__ = ["propose", "scenario_text"]

NOTHING_LEFT = "No reading left the range of the time before; write a check that says what should have been."
"""What a scenario says of itself where a person saw something that no reading shows."""

REACTION_S = 2.0
"""A person presses a key so long after what was seen, at most: what lies before that is taken as normal."""
_ROOM = 0.2
_LINK = ("samples_lost", "crc_failures", "bytes_damaged", "reboots", "disconnects", "gaps")
_ASKS = {"gap": ("samples_lost", "gaps"), "damage": ("bytes_damaged", "crc_failures"), "reboot": ("reboots",),
         "disconnect": ("disconnects",), "stall": ("samples_lost",)}  # fmt: skip
"""What each anomaly is judged by."""


def propose(recording: Path) -> Path:
    """Write the scenario of a glitch beside its recording; return its path.

    Raises:
        FileError: The recording cannot be read, or the scenario exists.
        UsageError: It is no recording of a glitch, or holds no readings.
    """
    path = recording.with_suffix(".toml")
    write_new(path, scenario_text(recording))
    return path


def scenario_text(recording: Path) -> str:
    """Return the scenario of a glitch; see `propose`."""
    with Recording(recording) as opened:
        about = next((values for name, values in opened.metadata if name == METADATA), None)
        if about is None:
            raise UsageError("it is no recording of a glitch", str(recording), "use `hil scenario new FILE`")
        triggers: list[dict[str, Any]] = json.loads(about["triggers"])
        start, length = opened.start_ns, opened.duration_s
        marks = [mark for mark in opened.marks if mark.text.startswith("glitch: ")]
        models = {name: dict(model) for name, model in _models(opened).items()}
    folder = recording.parent
    text = _head(recording, triggers, marks, start, length)
    text += tables(recording, folder) + _model_tables(triggers, models)
    _, found = observe(text, folder)
    checks = [*_limits(triggers, found), *_links(triggers, found)]
    if not any(one["cause"] in ("threshold", "confidence", *_ASKS) for one in triggers):
        checks += _changed(text, folder, found, (triggers[0]["t_ns"] - start) / 1e9 - REACTION_S)
    return text + "".join(f"\n{lines}\n" for lines in dict.fromkeys(checks))


def _head(
    recording: Path, triggers: Sequence[Mapping[str, Any]], marks: Sequence[Mark], start: int, length: float
) -> str:
    name = f"It does not happen again: {triggers[0]['text']}"[:200]
    why = f"A glitch that was captured in {recording.name}"
    lines = [f"name = {quoted(name)}", f"why = {quoted(why)}", "", "# What triggered:"]
    seen = [(mark.t_ns - start) / 1e9 for mark in marks]
    for at, one in enumerate(triggers[:20]):
        when = f"{seen[at]:8.3f} s" if at < len(seen) else " " * 10
        said = "  ".join(filter(None, (one["cause"], one["board"], one["text"])))
        lines.append(f"#   {when}  " + re.sub(r"[\x00-\x1f\x7f]", " ", said))
    if len(triggers) > 20:
        lines.append(f"#   and {len(triggers) - 20} more")
    lines += [f"# Held in the recording: {length:.1f} s. The checks say what is expected; those that the glitch broke",
              "# fail on this recording, and pass on one without it. Change what is not meant.", "", ""]  # fmt: skip
    return "\n".join(lines)


def _models(recording: Recording) -> dict[str, Mapping[str, Any]]:
    """Return how each model ran, as far as the recording says it."""
    found: dict[str, Mapping[str, Any]] = dict(recording.header.models)
    for name, values in recording.metadata:
        if name == "hil/model" and "model" in values:
            found[values["model"]] = dict(values)
    return found


def _model_tables(triggers: Sequence[Mapping[str, Any]], models: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a table for each model that triggered."""
    text = ""
    for name in dict.fromkeys(one["place"] for one in triggers if one["cause"] == "confidence"):
        file = Path(str(models.get(name, {}).get("file", name)))
        text += f"\n[model.{name}]\nfile = {quoted(str(file.resolve()) if file.is_file() else name)}\n"
    return text


def _limits(triggers: Sequence[Mapping[str, Any]], found: Sequence[Reading]) -> Iterator[str]:
    """Yield the checks of limits that were passed."""
    from hil.measure.make import slug

    for one in triggers:
        if one["limit"] is None:
            continue
        if one["cause"] == "confidence":
            name = f"model.{one['place']}.confidence_{'maximum' if one['above'] else 'minimum'}"
        else:
            stream, _, channel = one["place"].rpartition(".")
            edge = "maximum" if one["above"] else "minimum"
            name = f"stream.{one['board']}.{slug(stream)}.{slug(channel)}.{edge}"
        for reading in found:
            if reading.name == name:
                limit = f"{'at_most' if one['above'] else 'at_least'} = {float(one['limit'])!r}"
                yield check_text(reading, limit, "the limit that triggered")


def _links(triggers: Sequence[Mapping[str, Any]], found: Sequence[Reading]) -> Iterator[str]:
    """Yield what is expected of every link: nothing lost, nothing damaged, and the rate."""
    asked = {f"link.{one['board']}.{key}" for one in triggers for key in _ASKS.get(one["cause"], ())}
    for reading in found:
        key = reading.name.rsplit(".", 1)[-1]
        if reading.value is None:
            continue
        if reading.name.startswith("link.") and key in _LINK:
            yield check_text(reading, "equals = 0", "the anomaly that triggered" if reading.name in asked else "")
        elif reading.name.startswith("stream.") and key == "rate":
            yield check_text(reading, f"equals = {plain(reading.value)}\nwithin_percent = 1")


def _changed(text: str, folder: Path, found: Sequence[Reading], until_s: float) -> Iterator[str]:
    """Yield the ranges of the time before that what came later left; a remark where nothing did."""
    before: Mapping[str, Reading] = {}
    if until_s > 0.5:
        part = re.sub(r"^# (\[readings\]|from_s.*|to_s.*)$", "", text, flags=re.MULTILINE)
        _, earlier = observe(f"{part}\n[readings]\nto_s = {until_s:.3f}\n", folder)
        before = {one.name: one for one in earlier if one.value is not None}
    left = 0
    for low in found:
        place, _, key = low.name.rpartition(".")
        high = next((one for one in found if one.name == f"{place}.maximum"), None)
        was = before.get(low.name), before.get(f"{place}.maximum")
        if key != "minimum" or high is None or None in (low.value, high.value, *was):
            continue
        bottom, top = float(was[0].value), float(was[1].value)  # type: ignore[union-attr, arg-type]
        room = _ROOM * (top - bottom)
        why = f"what held until {until_s:.1f} s"
        if float(low.value or 0.0) < bottom - room:
            left += 1
            yield check_text(low, f"at_least = {plain(bottom - room)}", why)
        if float(high.value or 0.0) > top + room:
            left += 1
            yield check_text(high, f"at_most = {plain(top + room)}", why)
    if not left:
        yield f"# {NOTHING_LEFT}"
