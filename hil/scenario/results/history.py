"""The past of scenarios: one JSON line for each run of each, appended and never changed.

Rule of this room: a line is small and stands for itself (when, which commit, which versions, what came of which check).
A line that cannot be read is passed over and counted. Writing it never fails a run: the caller is told in a sentence.
"""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from firmware_bridge.errors import FileError
from hil.recording.header import versions
from hil.scenario.results.outcome import FAIL, MARGINAL, PASS, TROUBLE, UNSET, ScenarioResult

__all__ = ["Entry", "Trend", "append", "commit_of", "entry_of", "read_history", "trends_of"]

SCHEMA = 1
LAST = 20
"""Runs of a scenario that are shown."""

Entry = Mapping[str, Any]

_COMMITS = ("GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT")
_GOOD, _BAD = (PASS, MARGINAL), (FAIL, UNSET, TROUBLE)


@dataclass(frozen=True, slots=True)
class Trend:
    """The past of one scenario on one target.

    Attributes:
        name: The scenario's name.
        path: Its file, as last named.
        target: Where it ran.
        entries: Its last runs, the oldest first.
        since: The run with which it began to fail after it had passed; None: it does not, or never passed.
        passed_before: How many runs in a row had passed before that.
    """

    name: str
    path: str
    target: str
    entries: tuple[Entry, ...]
    since: Entry | None = None
    passed_before: int = 0

    def values(self, metric: str) -> list[float | None]:
        """Return the values of a check, run by run."""
        return [entry["checks"].get(metric, (None, ""))[0] for entry in self.entries]

    @property
    def metrics(self) -> list[str]:
        """Checks of the last run that has any."""
        return next((list(entry["checks"]) for entry in reversed(self.entries) if entry["checks"]), [])

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"name": self.name, "path": self.path, "target": self.target, "since": self.since and dict(self.since),
                "passed_before": self.passed_before, "runs": [dict(entry) for entry in self.entries]}  # fmt: skip


def commit_of(folder: Path) -> str:
    """Return the commit that was checked out, as the environment of a CI job or git says; empty: nobody knows."""
    named = next((os.environ[name] for name in _COMMITS if os.environ.get(name)), "")
    if named:
        return named[:12]
    command = ("git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def entry_of(result: ScenarioResult, at_ns: int, commit: str) -> Entry:
    """Return the line of a result."""
    when = datetime.fromtimestamp(at_ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "schema": SCHEMA, "at": when, "name": result.name, "path": result.path, "target": result.target,
        "outcome": result.outcome, "seed": result.seed, "seconds": round(result.seconds, 3), "commit": commit,
        "versions": versions(), "checks": {one.metric: [one.value, one.outcome] for one in result.checks},
        "files": dict(result.files),
    }  # fmt: skip


def append(path: Path, entries: Iterable[Entry]) -> None:
    """Append lines.

    Raises:
        FileError: The file cannot be written.
    """
    text = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise FileError(f"the history cannot be written ({error.strerror})", str(path), "give --history FILE") from None


def read_history(path: Path) -> tuple[list[Entry], int]:
    """Return the lines of a history, and how many could not be read.

    Raises:
        FileError: The file cannot be read.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return [], 0
    except (OSError, ValueError) as error:
        raise FileError(f"the history cannot be read ({error})", str(path), "name another file") from None
    entries: list[Entry] = []
    for line in lines:
        try:
            plain = json.loads(line)
            good = plain["schema"] <= SCHEMA and isinstance(plain["checks"], dict) and bool(plain["name"])
        except (ValueError, KeyError, TypeError):
            continue
        if good:
            entries.append(plain)
    return entries, len(lines) - len(entries)


def trends_of(entries: Sequence[Entry], wanted: str = "") -> list[Trend]:
    """Return the past of each scenario and target, in the order in which they first came.

    Args:
        entries: In the order of time.
        wanted: A path, a part of one, or a part of a name; empty: all.
    """
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        if wanted.lower() in f"{entry['path']}\n{entry['name']}".lower():
            groups.setdefault((entry["name"], entry.get("target", "")), []).append(entry)
    return [_trend(name, target, rows) for (name, target), rows in groups.items()]


def _trend(name: str, target: str, rows: Sequence[Entry]) -> Trend:
    since, passed = None, 0
    if rows[-1]["outcome"] in _BAD:
        first = len(rows)
        while first and rows[first - 1]["outcome"] not in _GOOD:
            first -= 1
        bad = next(at for at in range(first, len(rows)) if rows[at]["outcome"] in _BAD)
        before = first
        while before and rows[before - 1]["outcome"] in _GOOD:
            before -= 1
        since, passed = (rows[bad], first - before) if first else (None, 0)
    return Trend(name, rows[-1]["path"], target, tuple(rows[-LAST:]), since, passed)
