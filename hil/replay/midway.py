"""A recording that begins in the middle of a conversation: it gets its beginning, and items that follow from its bytes.

A recording must derive from its own raw bytes, or it could neither be replayed nor verified. One that begins when a
person presses a key has missed who the boards are, so `Openings` keeps the first words of every connection (and, when
asked, the last seconds of everything: the pre-trigger), and `Midway` decodes what goes into the file with sessions of
its own that have heard exactly that. The part that was not recorded stands in the file as a gap of unknown cause.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Connected, Item, Prediction
from firmware_bridge.intake import weight
from firmware_bridge.wire.protocol import Session
from hil.recording.header import BoardSetup
from hil.replay.sessions import session_of

__all__ = ["Midway", "Openings"]

MOST_BYTES = 1 << 20
"""Longest beginning of a connection that is kept."""
REMEMBERED = 4096
"""Batches of a stream that are kept to date its decisions: a model may lag by more than a minute."""


RING_BYTES = 64 << 20
"""How much memory the last seconds may take, where nobody says another bound."""


class Openings:
    """A sink that keeps how every connection began, and a ring of the last seconds of everything.

    Args:
        seconds: Length of the ring; 0 keeps none.
        most_bytes: Bound of its memory: what does not fit leaves it early, and `squeezed` counts it.
    """

    def __init__(self, seconds: float = 0.0, most_bytes: int = RING_BYTES) -> None:
        self.squeezed = 0
        """Arrivals that left the ring before their time, for want of room."""
        self._span_ns = int(seconds * 1e9)
        self._most_bytes = most_bytes
        self._bytes = 0
        self._openings: dict[str, list[Arrival]] = {}
        self._listening: set[str] = set()
        self._latest: dict[str, Arrival] = {}
        self._recent: deque[tuple[Arrival, int]] = deque()

    def accept(self, arrivals: list[Arrival]) -> None:
        """Take arrivals."""
        for arrival in arrivals:
            if arrival.board and arrival.kind != "note":
                self._open(arrival)
                self._latest[arrival.board] = arrival
        if self._span_ns and arrivals:
            for arrival in arrivals:
                size = weight(arrival)
                self._recent.append((arrival, size))
                self._bytes += size
            oldest = arrivals[-1].t_ns - self._span_ns
            while self._recent:
                first, size = self._recent[0]
                old = first.t_ns < oldest
                if not old and self._bytes <= self._most_bytes:
                    break
                self._recent.popleft()
                self._bytes -= size
                self.squeezed += not old

    def reset(self) -> None:
        """Nothing to do: live boards do not jump."""

    def first(self, now_ns: int, seconds: float | None = None) -> list[Arrival]:
        """Return what belongs before a recording that begins now: the openings, then the last seconds.

        Args:
            now_ns: Now.
            seconds: How many of the last seconds; None: all that the ring holds.

        Openings are dated to just before what follows, in their own rhythm: they were heard long ago, and the
        recording is to begin when it begins. Between an opening and what follows stands a `begin`, unless nothing is
        missing between the two.
        """
        since = None if seconds is None else now_ns - int(seconds * 1e9)
        recent = [] if seconds == 0 else [one for one, _ in self._recent if since is None or one.t_ns >= since]
        words: list[Arrival] = []
        for role, opening in self._openings.items():
            following = next((one for one in recent if one.board == role and one.kind != "note"), None)
            joined = self._latest[role].seq if following is None else following.seq - 1
            kept = [one for one in opening if one.seq <= joined]
            if not kept:
                continue  # the connection began within the last seconds, which are all there
            start_ns = (recent[0].t_ns if recent else now_ns) - 1_000_000
            if kept[-1].seq == joined:
                words += kept
            else:
                shift = start_ns - kept[-1].t_ns
                words += [replace(one, t_ns=one.t_ns + shift) for one in kept]
                words.append(Arrival(role, joined, start_ns, "begin"))
        return [*words, *recent]

    def batches(self, role: str, stream: str) -> list[Batch]:
        """Return what the ring holds of a stream, in order."""
        items = (item for one, _ in self._recent if one.board == role for item in one.items)
        return [item for item in items if isinstance(item, Batch) and item.stream.name == stream]

    def _open(self, arrival: Arrival) -> None:
        role = arrival.board
        if arrival.kind == "open":
            self._openings[role] = []
            self._listening.add(role)
        elif arrival.kind == "close":
            self._openings.pop(role, None)
            self._listening.discard(role)
        if role not in self._listening:
            return
        opening = self._openings[role]
        sampled = any(isinstance(item, Batch) for item in arrival.items)
        # Samples among the first words are kept only where the board is told from them (a text dialect).
        if not sampled or any(isinstance(item, Connected) for item in arrival.items):
            opening.append(replace(arrival, items=(), books=None))
        if sampled or sum(len(kept.data) for kept in opening) > MOST_BYTES:
            self._listening.discard(role)


class Midway:
    """Decodes arrivals again, for one recording.

    Args:
        setup: Returns how a role is listened to, None while unknown.
        memory: Returns how many samples a decision of a model depends on; None while unknown.
    """

    def __init__(self, setup: Callable[[str], BoardSetup | None], memory: Callable[[str], int | None]) -> None:
        self._setup = setup
        self._memory = memory
        self._sessions: dict[str, Session] = {}
        self._shift: dict[tuple[str, str], tuple[int, int]] = {}
        self._first: dict[tuple[str, str], tuple[int, int]] = {}
        self._times: dict[tuple[str, str], deque[Batch]] = {}

    def __call__(self, arrivals: list[Arrival]) -> list[Arrival]:
        """Return the arrivals with the items that follow from the recorded bytes alone."""
        return [self._again(arrival) for arrival in arrivals]

    def _again(self, arrival: Arrival) -> Arrival:
        if arrival.kind == "note":
            return replace(arrival, items=tuple(filter(None, map(self._renumbered, arrival.items))))
        session = self._sessions.get(arrival.board)
        if session is None:
            setup = self._setup(arrival.board)
            session = None if setup is None else session_of(setup)
            if session is None:
                return arrival
            self._sessions[arrival.board] = session
        again = session.apply(replace(arrival, items=(), books=None))
        self._compare(arrival.items, again.items)
        return again

    def _compare(self, live: tuple[Item, ...], recorded: tuple[Item, ...]) -> None:
        """Learn how numbers in the file differ from those that the models see."""
        ends = {(item.board, item.stream.name): item for item in live if isinstance(item, Batch)}
        for item in recorded:
            if not isinstance(item, Batch):
                continue
            key = (item.board, item.stream.name)
            self._times.setdefault(key, deque(maxlen=REMEMBERED)).append(item)
            if (seen := ends.get(key)) is not None:
                self._shift[key] = (item.boot - seen.boot, item.end - seen.end)
                self._first.setdefault(key, (item.boot, item.first))

    def _renumbered(self, item: Item) -> Item | None:
        """Return an item as the file numbers it; None for a decision on samples that are not in the file."""
        if not isinstance(item, Prediction):
            return item
        key, memory = (item.board, item.stream), self._memory(item.model)
        if key not in self._shift or memory is None:
            return None
        boots, samples = self._shift[key]
        boot, sample = item.boot + boots, item.sample + samples
        if (boot, sample - memory + 1) < self._first[key]:
            return None
        for batch in reversed(self._times[key]):  # the clock of the file began anew: a decision has its sample's time
            if batch.boot == boot and batch.first <= sample < batch.end:
                return replace(item, boot=boot, sample=sample, t_ns=int(batch.t_ns[sample - batch.first]))
        return None
