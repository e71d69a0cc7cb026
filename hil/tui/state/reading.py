"""What the keys of the page of recordings change: a frozen value and the steps from one to the next.

Rule of this room: pure. Files are never touched here; what a key asks of them is a request that the page hands on.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from hil.librarian.shelf import THUMB_BYTES, Entry, matches
from hil.views.cursor import CursorView
from hil.views.stream import StreamView

__all__ = ["ALIGN", "Marked", "Reading", "Stretch"]

Mode = Literal["list", "label", "compare"]

ALIGN = ("start", "time of day", "first mark")
"""What two recordings are lined up by."""

NEAR = 60
"""Recordings around the cursor that get a thumbnail."""
LEAST_S = 0.02
"""The shortest time that is shown."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A label or a suggestion: what and from when to when, seconds; `id` of a label."""

    text: str
    from_s: float
    to_s: float
    id: str = ""


@dataclass(frozen=True, slots=True)
class Marked:
    """What people said beside a recording: its labels, marks (text and second) and open suggestions."""

    labels: tuple[Stretch, ...] = ()
    marks: tuple[tuple[str, float], ...] = ()
    suggestions: tuple[Stretch, ...] = ()

    @classmethod
    def of(cls, plain: dict[str, Any]) -> "Marked":
        """Build it from a librarian's answer."""
        return cls(
            tuple(Stretch(one["text"], one["from_s"], one["to_s"], one["id"]) for one in plain["labels"]),
            tuple((one["text"], one["t_s"]) for one in plain["marks"]),
            tuple(Stretch(_asked(one), one["from_s"], one["to_s"], one["id"]) for one in plain["suggestions"]),
        )

    @property
    def edges(self) -> tuple[float, ...]:
        """Starts and ends of labels, and marks, in order."""
        found = {end for one in self.labels for end in (one.from_s, one.to_s)} | {t_s for _, t_s in self.marks}
        return tuple(sorted(found))

    def at(self, t_s: float) -> Stretch | None:
        """Return the label at a time; of several the shortest."""
        there = [one for one in self.labels if one.from_s <= t_s <= one.to_s]
        return min(there, key=lambda one: one.to_s - one.from_s, default=None)


def _asked(plain: dict[str, Any]) -> str:
    """Return a suggestion in words: what a model would say, and why a person should."""
    return ", ".join(filter(None, (f"{plain['guess']}?" if plain["guess"] else "", plain["why"])))


@dataclass(frozen=True, slots=True)
class Reading:
    """How this screen looks at recordings.

    Attributes:
        entries: All of the folder, the newest first; None before they were read.
        words: What is searched for.
        cursor: Line of the list, among those that match.
        mode: `list`, `label` or `compare`.
        a: Path of the recording that was chosen as A; empty for none.
        strips: Envelopes by path, each with the second at its left and right edge.
        marked: What people said, by path.
        thumbs: How much each moves over its time, by path; empty where that is not known.
        begin_s: Left edge of what is seen.
        span_s: How much is seen; 0: all.
        at_s: The cursor of time, while labelling.
        peek_s: The cursor of the preview; None while there is none.
        under: The samples at the cursor by path, with the second they were asked for.
        start_s: Where a stretch starts; None where none does.
        added: Classes that were named here and are used nowhere yet.
        overlay: Whether A and B are laid over each other.
        align: What they are lined up by: place in `ALIGN`.
        shift_s: How far B is shifted against A besides.
    """

    entries: tuple[Entry, ...] | None = None
    words: str = ""
    cursor: int = 0
    mode: Mode = "list"
    a: str = ""
    strips: dict[str, tuple[StreamView, ...]] = field(default_factory=dict)
    marked: dict[str, Marked] = field(default_factory=dict)
    thumbs: dict[str, tuple[float | None, ...]] = field(default_factory=dict)
    begin_s: float = 0.0
    span_s: float = 0.0
    at_s: float = 0.0
    peek_s: float | None = None
    under: dict[str, tuple[float, tuple[CursorView, ...]]] = field(default_factory=dict)
    start_s: float | None = None
    added: tuple[str, ...] = ()
    overlay: bool = False
    align: int = 0
    shift_s: float = 0.0

    @property
    def shown(self) -> tuple[Entry, ...]:
        """Those that match."""
        return tuple(entry for entry in self.entries or () if matches(entry, self.words))

    @property
    def here(self) -> Entry | None:
        """The recording at the cursor."""
        shown = self.shown
        return shown[min(self.cursor, len(shown) - 1)] if shown else None

    @property
    def unseen(self) -> Entry | None:
        """The recording near the cursor whose thumbnail is to be made next."""
        near = sorted(enumerate(self.shown), key=lambda row: abs(row[0] - self.cursor))[:NEAR]
        return next((one for _, one in near if one.path not in self.thumbs and one.duration_s > 0
                     and one.size <= THUMB_BYTES), None)  # fmt: skip

    @property
    def first(self) -> Entry | None:
        """The recording that was chosen as A."""
        return next((entry for entry in self.entries or () if entry.path == self.a), None)

    @property
    def said(self) -> Marked:
        """What people said beside the recording at the cursor."""
        return self.marked.get(self.here.path, Marked()) if self.here else Marked()

    @property
    def suggested(self) -> Stretch | None:
        """The suggestion that is taken as the stretch."""
        held = (self.start_s, self.at_s)
        return next((one for one in self.said.suggestions if (one.from_s, one.to_s) == held), None)

    @property
    def cursor_s(self) -> float | None:
        """Where a cursor of time is to be seen; None where there is none."""
        return self.at_s if self.mode == "label" else self.peek_s if self.mode == "list" else None

    @property
    def read(self) -> tuple[CursorView, ...]:
        """The samples at the cursor; empty while they are being read."""
        t_s, found = self.under.get(self.here.path, (None, ())) if self.here else (None, ())
        return found if t_s is not None and t_s == self.cursor_s else ()

    def peek(self, by_s: float) -> "Reading":
        """Move the cursor of the preview; the first move puts it into the middle."""
        there = self.length_s / 2 if self.peek_s is None else self.peek_s + by_s
        return replace(self, peek_s=max(0.0, min(self.length_s, there)))

    @property
    def classes(self) -> tuple[str, ...]:
        """Names on the digits: those of this recording first, then those of its neighbours, then new ones."""
        found = [one.text for one in self.said.labels]
        found += [text for entry in self.entries or () for text in sorted(entry.labels)]
        return tuple(dict.fromkeys((*sorted(set(found)), *self.added)))[:9]

    @property
    def length_s(self) -> float:
        """How long what is looked at is."""
        ends = [self.here.duration_s] if self.here else []
        if self.mode == "compare" and self.first and self.here:
            ends = [self.first.duration_s, self.here.duration_s + self.offset_s]
        return max([LEAST_S, *ends])

    @property
    def window(self) -> tuple[float, float]:
        """First and last second that are seen."""
        span = max(LEAST_S, self.span_s) if self.span_s else self.length_s
        return self.begin_s, self.begin_s + span

    @property
    def offset_s(self) -> float:
        """What is added to B's seconds to put them onto A's."""
        if self.first is None or self.here is None:
            return 0.0
        by = 0.0
        if ALIGN[self.align] == "time of day":
            by = (self.here.start_ns - self.first.start_ns) / 1e9
        elif ALIGN[self.align] == "first mark":
            ends = [self.marked.get(entry.path, Marked()).edges for entry in (self.first, self.here)]
            by = ends[0][0] - ends[1][0] if all(ends) else 0.0
        return by + self.shift_s

    def choose(self, line: int) -> "Reading":
        """Put the cursor of the list on a line."""
        cursor = max(0, min(len(self.shown) - 1, line))
        return replace(self, cursor=cursor, peek_s=self.peek_s if cursor == self.cursor else None)

    def nothing_to(self, deed: str) -> str:
        """Return why nothing can `be played` or so: a folder that is still being read is no empty one."""
        if self.entries is None:
            return "the folder is still being read: try again in a moment"
        return f"there is no recording here that can {deed}"

    def listing(self, entries: tuple[Entry, ...]) -> "Reading":
        """Take the folder as it is now; the cursor stays on its recording, wherever that stands, while it is there."""
        here, scene = self.here, replace(self, entries=entries)
        paths = [one.path for one in scene.shown]
        if here is not None and here.path in paths:
            return replace(scene, cursor=paths.index(here.path))
        return scene.choose(self.cursor)

    def search(self, words: str) -> "Reading":
        """Show what matches, and keep the cursor on its recording where that does."""
        here, scene = self.here, replace(self, words=words)
        paths = [entry.path for entry in scene.shown]
        return replace(scene, cursor=paths.index(here.path) if here and here.path in paths else 0)

    def enter(self, mode: Mode) -> "Reading":
        """Look at one recording, at two, or at the list; from the beginning, all of it."""
        return replace(self, mode=mode, begin_s=0.0, span_s=0.0, at_s=self.peek_s or 0.0, start_s=None, shift_s=0.0)

    def go(self, t_s: float) -> "Reading":
        """Move the cursor of time, and what is seen with it."""
        t_s = max(0.0, min(self.length_s, t_s))
        first, last = self.window
        span = last - first
        if not first <= t_s <= last:
            first = max(0.0, min(self.length_s - span, t_s - span / 2))
        return replace(self, at_s=t_s, begin_s=first)

    def pan(self, by_s: float) -> "Reading":
        """Move what is seen."""
        first, last = self.window
        return replace(self, begin_s=max(0.0, min(max(0.0, self.length_s - (last - first)), first + by_s)))

    def zoom(self, by: int) -> "Reading":
        """See half or twice the time, around the cursor (in a comparison around the middle)."""
        first, last = self.window
        span = max(LEAST_S, (last - first) * 2.0**by)
        if span >= self.length_s:
            return replace(self, begin_s=0.0, span_s=0.0)
        middle = self.at_s if self.mode == "label" else (first + last) / 2
        return replace(self, span_s=span, begin_s=max(0.0, min(self.length_s - span, middle - span / 2)))

    def edge(self, by: int) -> "Reading":
        """Go to the edge before or after."""
        there = [spot for spot in self.said.edges if (spot > self.at_s + 1e-6 if by > 0 else spot < self.at_s - 1e-6)]
        return self.go(min(there) if by > 0 else max(there)) if there else self

    def suggest(self) -> "Reading | None":
        """Take the next suggestion as the stretch; None where there is none."""
        every = self.said.suggestions
        if not every:
            return None
        held = [at for at, one in enumerate(every) if (one.from_s, one.to_s) == (self.start_s, self.at_s)]
        one = every[(held[0] + 1) % len(every)] if held else every[0]
        scene = self.go(one.from_s).go(one.to_s)
        if not scene.window[0] <= one.from_s:
            span = max(LEAST_S, 2 * (one.to_s - one.from_s))
            scene = replace(scene, span_s=min(span, self.length_s), begin_s=max(0.0, one.from_s - span / 4))
        return replace(scene, start_s=one.from_s)
