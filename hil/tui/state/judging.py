"""What the page of scenarios knows, and what keys and answers change of it: a frozen value and steps to the next.

Rule of this room: pure. Running and accepting are requests that the page hands on; what they came to arrives as plain
values and becomes a new scene here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from hil.scenario.results.outcome import CheckResult, ScenarioResult
from hil.views.message import from_plain

__all__ = ["Entry", "Judging", "learned"]

Mode = Literal["list", "moment", "baseline"]
Plain = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """A scenario of the library.

    Attributes:
        path: Its file.
        name: What must hold; of a file that cannot be read its stem.
        why: Why it matters.
        tags: As it says.
        trouble: Why it cannot be read; empty where it can.
        baseline: Whether it has accepted results.
        outcomes: Of its last runs, the oldest first.
        at: When it last ran, UTC.
        target: Where.
        seconds: How long that took.
        since: Since when it fails, in words.
        checks: Of the last run: metric, value, outcome, and its values run by run.
        files: What was kept of it.
    """

    path: str
    name: str
    why: str = ""
    tags: tuple[str, ...] = ()
    trouble: str = ""
    baseline: bool = False
    outcomes: tuple[str, ...] = ()
    at: str = ""
    target: str = ""
    seconds: float = 0.0
    since: str = ""
    checks: tuple[tuple[Any, ...], ...] = ()
    files: Plain = field(default_factory=dict)

    @classmethod
    def of(cls, plain: Plain) -> "Entry":
        """Build it from a runner's answer."""
        made = {key: value for key, value in plain.items() if key not in ("tags", "outcomes", "checks", "files")}
        entry: Entry = from_plain(cls, made)
        return replace(
            entry, tags=tuple(plain.get("tags", ())), outcomes=tuple(plain.get("outcomes", ())),
            checks=tuple(tuple(one) for one in plain.get("checks", ())), files=dict(plain.get("files", {})),
        )  # fmt: skip

    def matches(self, words: str) -> bool:
        """Whether all words stand in its name, its file, its tags or its last outcome."""
        last = self.outcomes[-1:]
        told = " ".join((self.name, self.path, *self.tags, *last)).casefold()
        return all(word in told for word in words.casefold().split())


@dataclass(frozen=True, slots=True)
class Judging:
    """How this screen looks at scenarios.

    Attributes:
        entries: The library; None before it was read.
        trouble: Why it cannot be read; empty where it was, or may yet be.
        words: What is searched for.
        cursor: Line of the list, among those that match.
        chosen: Files that are marked.
        mode: `list`, `moment` (a failure where it happened) or `baseline` (what would change in it).
        window: Which moment of the scenario.
        results: What came of scenarios that were run from here, by file.
        waiting: Files that are to be run in the run under way, in order; empty: nothing runs.
        running: What runs now, and for how many seconds.
        told: How many results of this run are known.
        so_far: What checks of those that run now say so far, by file; nothing is decided by that.
        difference: What would change in which accepted results: file of the scenario, file of the results, diff.
    """

    entries: tuple[Entry, ...] | None = None
    trouble: str = ""
    words: str = ""
    cursor: int = 0
    chosen: frozenset[str] = frozenset()
    mode: Mode = "list"
    window: int = 0
    results: Mapping[str, ScenarioResult] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()
    running: Mapping[str, float] = field(default_factory=dict)
    told: int = 0
    so_far: Mapping[str, tuple[CheckResult, ...]] = field(default_factory=dict)
    difference: tuple[str, str, str] = ("", "", "")

    @property
    def shown(self) -> tuple[Entry, ...]:
        """The scenarios that match."""
        return tuple(one for one in self.entries or () if one.matches(self.words))

    @property
    def here(self) -> Entry | None:
        """The scenario at the cursor."""
        return self.shown[self.cursor] if 0 <= self.cursor < len(self.shown) else None

    @property
    def result(self) -> ScenarioResult | None:
        """What came of it when it was run from here."""
        return None if self.here is None else self.results.get(self.here.path)

    @property
    def windows(self) -> tuple[Plain, ...]:
        """Its moments, where a check did not pass."""
        return () if self.result is None else tuple(self.result.exhibit.get("windows", ()))

    @property
    def moment(self) -> Plain | None:
        """The moment that is looked at."""
        return self.windows[self.window] if 0 <= self.window < len(self.windows) else None

    @property
    def kept(self) -> str:
        """The recording that was kept of its last run; empty where none was."""
        files = self.result.files if self.result is not None else self.here.files if self.here is not None else {}
        return str(files.get("recording", ""))

    @property
    def to_run(self) -> tuple[str, ...]:
        """Files that the key runs: those that are marked, or the one at the cursor."""
        marked = tuple(one.path for one in self.entries or () if one.path in self.chosen)
        return marked or (() if self.here is None else (self.here.path,))

    def choose(self, line: int) -> "Judging":
        """Put the cursor on a line."""
        cursor = max(0, min(len(self.shown) - 1, line))
        return self if cursor == self.cursor else replace(self, cursor=cursor, mode="list", window=0)

    def listing(self, entries: tuple[Entry, ...]) -> "Judging":
        """Take the library as it is now; the cursor stays on its scenario, wherever that stands, while it is there."""
        here, scene = self.here, replace(self, entries=entries)
        paths = [one.path for one in scene.shown]
        kept = paths.index(here.path) if here is not None and here.path in paths else min(len(paths) - 1, self.cursor)
        return replace(scene, cursor=max(0, kept))

    def search(self, words: str) -> "Judging":
        """Show what matches, and keep the cursor on its scenario where that does."""
        here, scene = self.here, replace(self, words=words)
        paths = [one.path for one in scene.shown]
        return replace(scene, cursor=paths.index(here.path) if here and here.path in paths else 0, mode="list")

    def mark(self) -> "Judging":
        """Mark the scenario at the cursor, or no longer, and go on to the next."""
        if self.here is None:
            return self
        return replace(self, chosen=self.chosen ^ {self.here.path}).choose(self.cursor + 1)

    def step(self, by: int) -> "Judging":
        """Go to another moment of the scenario."""
        count = len(self.windows)
        return replace(self, window=(self.window + by) % count) if count else self


def learned(scene: Judging, verb: str, values: Plain) -> Judging:
    """Return the scene with what the runner said."""
    if verb == "library":
        return replace(scene.listing(tuple(Entry.of(one) for one in values["entries"])), trouble="")
    if verb == "run":
        paths = tuple(values["paths"])
        left = {path: one for path, one in scene.results.items() if path not in paths}
        return replace(scene, waiting=paths, running={}, told=0, chosen=frozenset(), results=left, mode="list")
    if verb == "difference":
        return replace(scene, mode="baseline", difference=(values["path"], values["file"], values["difference"]))
    if verb not in ("progress", "accept"):
        return scene
    fresh = {one.path: one for one in map(ScenarioResult.from_dict, values["results"])}
    scene = replace(scene, results={**scene.results, **fresh})
    if verb == "accept":
        return replace(scene, mode="list", difference=("", "", ""))
    ended = bool(values["finished"])
    checks = {path: tuple(CheckResult(**one) for one in told) for path, told in values.get("so_far", {}).items()}
    return replace(scene, waiting=() if ended else scene.waiting, running={} if ended else dict(values["running"]),
                   told=scene.told + len(fresh), so_far={} if ended else checks)  # fmt: skip
