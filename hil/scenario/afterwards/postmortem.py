"""After the verdict: what of a run is kept on disk, and what is shown of it.

Rule of this room: nothing here changes a verdict. A run that did not pass is looked at a second time, around the
moments that its checks point at, and its recording is kept. That the second look saw the same samples is checked.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firmware_bridge.errors import BridgeError
from firmware_bridge.faults import Schedule
from hil.recording.reader import Recording
from hil.scenario.afterwards.exhibit import exhibit_of, windows_of
from hil.scenario.afterwards.kept import file_for, look_into, seen_again, source_of
from hil.scenario.afterwards.moments import triggers_of
from hil.scenario.afterwards.scope import Scope
from hil.scenario.afterwards.shorten import shorten
from hil.scenario.afterwards.whys import Whys
from hil.scenario.execution.execute import Execution
from hil.scenario.execution.targets import Place
from hil.scenario.grammar.load import Loaded
from hil.scenario.metrics.decisions import verdicts
from hil.scenario.options import RunOptions
from hil.scenario.results.outcome import MARGINAL, NA, PASS, CheckResult, worst

__all__ = ["Postmortem", "keep_heard", "postmortem"]


@dataclass(frozen=True, slots=True)
class Postmortem:
    """What is left of a run: files by what they are, plain values for a page, and remarks."""

    files: Mapping[str, str] = field(default_factory=dict)
    exhibit: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def postmortem(
    loaded: Loaded, places: Sequence[Place], seed: int, schedule: Schedule, done: Execution,
    checks: Sequence[CheckResult], *, scope: Scope | None, options: RunOptions, heard: Path | None,
) -> Postmortem:  # fmt: skip
    """Look at a run once more where that is needed, and keep what is to be kept.

    Args:
        loaded: The scenario.
        places: Where its boards were.
        seed: As of the run.
        schedule: Its faults.
        done: What it left behind.
        checks: What came of its checks.
        scope: That looked at the run; None: nobody did.
        options: What is to be shown and to be kept.
        heard: Recording of a live run that is not kept yet.
    """
    outcome = worst(check.outcome for check in checks)
    failed = outcome not in (PASS, MARGINAL, NA)
    keep = bool(options.keep) and (failed or options.keep_all)
    files: dict[str, str] = {}
    remarks: list[str] = []
    source = source_of(loaded, places, schedule)
    if keep and source is not None:
        files["recording"] = str(source)
        part = loaded.scenario.readings
        if part.from_s or part.to_s is not None:
            files["part"] = f"{part.from_s:g} s to {'the end' if part.to_s is None else f'{part.to_s:g} s'}"
    found = {name: _verdicts(name, done, loaded) for name in done.models} if scope or keep else {}
    triggers = [] if scope is None else triggers_of(checks, loaded.scenario, done, found, scope)
    whys = Whys(loaded)
    second = Scope([whys.asked(one) if options.exhibit else one for one in triggers], overview=scope is None)
    try:
        path = file_for(options.keep, loaded, options.seed) if keep and source is None else None
        if heard is not None:
            if triggers:
                look_into(heard, second)
            if path is not None:
                shutil.move(heard, path)
        elif triggers or path is not None:
            seen_again(loaded, places, seed, schedule, second, path)
            remarks += _same(done, second)
        if path is not None:
            files["recording"] = str(path)
            if path.stat().st_size > options.keep_bytes:
                if scope is None:  # nobody looked for moments yet
                    second = Scope(triggers_of(checks, loaded.scenario, done, found, second), overview=False)
                    look_into(path, second)
                moments = [(one.t_ns, one.trigger.metric) for one in second.probes if one.t_ns is not None]
                _shortened(path, options, moments, files, remarks)
    except BridgeError as error:
        remarks.append(f"what failed could not be kept: {error}")
    if scope is None or not options.exhibit:
        return Postmortem(files, {}, tuple(remarks))
    shift = loaded.scenario.readings.from_s if places[0].kind in ("recording", "virtual") else 0.0
    shown = exhibit_of(done, found, scope, schedule, shift)
    shown["windows"] = windows_of(second.probes, done, whys.answer)
    return Postmortem(files, shown, (*remarks, *whys.remarks))


def keep_heard(loaded: Loaded, options: RunOptions, heard: Path) -> Postmortem:
    """Keep what a live run that broke off had heard until then: the end of it, where it is large."""
    if not options.keep or not heard.is_file():
        return Postmortem()
    path = file_for(options.keep, loaded, options.seed)
    shutil.move(heard, path)
    files, remarks = {"recording": str(path)}, list[str]()
    if path.stat().st_size > options.keep_bytes:
        with Recording(path) as recording:
            end_ns = recording.start_ns + round(recording.duration_s * 1e9)
        _shortened(path, options, [(end_ns, "it broke off")], files, remarks)
    return Postmortem(files, remarks=tuple(remarks))


def _shortened(
    path: Path, options: RunOptions, moments: Sequence[tuple[int, str]], files: dict[str, str], remarks: list[str]
) -> None:
    """Cut a large recording, and note which part of it stayed and why."""
    stayed, remark = shorten(path, options.keep_bytes, moments)
    remarks.append(remark)
    if stayed:
        files["part"] = stayed


def _verdicts(name: str, done: Execution, loaded: Loaded) -> Any:
    role, boards = loaded.scenario.model[name].board, done.evidence.boards
    read = list(boards.values()) if role is None else [boards[role]]
    return verdicts(done.models[name], read, dict(done.labels))


def _same(done: Execution, second: Scope) -> list[str]:
    """Return a remark where the second look saw another number of samples."""
    for board in done.evidence.boards.values():
        for name, tally in board.streams.items():
            seen = second.samples.get((board.role, name), 0)
            if seen != tally.samples:
                return [f"seen again, {board.role}/{name} had {seen} samples in place of {tally.samples}: "
                        "what is kept and shown around the failure is not what was judged"]  # fmt: skip
    return []
