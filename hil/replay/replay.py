"""A recording as a source: paced by an absolute schedule, at any speed, with seek, step, loop, range and pause.

Every arrival has its own time in the schedule (`base + recorded distance / speed`), so that no error adds up; when the
host is too slow nothing is skipped and the lateness is reported. What a jump leaves behind is not handed on, `jumps`
counts up, and whoever keeps windows begins anew: hops are anchored by sample number, so decisions after a jump equal
those of a straight replay once their memory lies behind it. Commands may come from any thread.
"""

import threading
from collections.abc import Sequence

import numpy as np

from firmware_bridge.batch import Batch
from firmware_bridge.clock import Clock
from firmware_bridge.events import Arrival, Connected
from hil.pipeline.source import with_clock
from hil.recording.reader import Recording
from hil.replay.arrivals import cut_arrival
from hil.replay.lateness import Lateness, LatenessReport
from hil.replay.places import checked_range, mark_time
from hil.replay.redecode import Redecoder
from hil.replay.schedule import Schedule, check_speed
from hil.views.snapshot import BoardView, MarkView, ReplayView

__all__ = ["Replay", "mark_time"]

_MOST = 256
"""Arrivals handed on at a time: commands are heard between."""
_FAST, _COARSE_NS = 10.0, 2_000_000
"""Above this speed the schedule is looked at this often, or every arrival would wake the host."""
_HEAD_NS = 5_000_000_000
"""A replay begins at most so long before the first sample, however long a board was waited for."""


class Replay:
    """Plays a recording.

    Args:
        recording: An open recording.
        speed: Times real time, 0.1 to 1000; None: as fast as it goes.
        from_s: Where to begin, seconds from the recording's first sample.
        to_s: Where to end.
        loop: Begin again at the end.
        clock: Paces the schedule.
        paused: Begin standing still.
        hold: Stay at the end for a screen that may go back; else the source ends there.

    Raises:
        UsageError: The speed or the range cannot be meant.
    """

    def __init__(
        self,
        recording: Recording,
        *,
        clock: Clock,
        speed: float | None = 1.0,
        from_s: float | None = None,
        to_s: float | None = None,
        loop: bool = False,
        paused: bool = False,
        hold: bool = False,
    ) -> None:
        self.recording = recording
        self.jumps = 0
        self._jumped = 0
        self._clock = clock
        self._loop = loop
        self._hold = hold
        self._finished = False
        self._step = 0
        self._step_stream: tuple[str, str] | None = None
        self._lateness = Lateness()
        self._lock = threading.Lock()
        self._decoder = Redecoder(recording)
        self._waiting: Arrival | None = None
        self._introduced: list[Arrival] = []
        self.read_marks()
        self._from_s, self._to_s = checked_range(recording, from_s, to_s)
        self._at_ns = recording.start_ns
        self._schedule = Schedule(speed, self._at_ns, clock.now_ns(), paused=paused)
        self._go(self._from_s)
        self._jumped = 0

    @property
    def ended(self) -> bool:
        """Whether all was handed on and nobody may go back."""
        return self._finished and not self._hold

    def now_ns(self) -> int:
        """Return bench time: where the schedule is, on the recording's own time line."""
        with self._lock:
            return self._place()

    def take(self, max_wait_s: float) -> list[Arrival]:
        """Return the arrivals that are due, waiting up to `max_wait_s` for the first."""
        deadline = self._clock.now_ns() + int(max_wait_s * 1e9)
        while True:
            now = self._clock.now_ns()
            with self._lock:
                taken, due = self._due(now)
                self.jumps = self._jumped
            if taken or now >= deadline or self.ended:
                return taken
            self._clock.sleep_until_ns(deadline if due is None else min(deadline, max(due, now + 1)))

    def boards(self) -> Sequence[BoardView]:
        """Return every board as far as it is known at this place."""
        with self._lock:
            return tuple(
                with_clock(BoardView(setup.role, "replay", port=setup.port), self._decoder.clock(setup.role))
                for setup in self.recording.header.boards
            )

    def close(self) -> None:
        """Close the recording."""
        with self._lock:
            self._finished, self._hold = True, False
            self.recording.close()

    def pause(self, paused: bool | None = None) -> bool:
        """Stand still or go on (None: the other of the two); return whether it stands still."""
        with self._lock:
            self._settle()
            self._schedule.paused = not self._schedule.paused if paused is None else paused
            self._step = 0
            return self._schedule.paused

    def seek(self, to_s: float) -> float:
        """Go to a place, seconds from the first sample; return it, kept inside the range."""
        with self._lock:
            place = min(max(to_s, self._from_s), self._to_s, self.recording.duration_s)
            self._go(place)
            return place

    def step(self, samples: int = 1, stream: tuple[str, str] | None = None) -> None:
        """Stand still and hand on just so many samples.

        Args:
            samples: How many; below 0 goes back by as much time.
            stream: Board and stream whose samples count; None: the first that comes.
        """
        with self._lock:
            self._settle()
            self._schedule.paused = True
            self._step_stream = stream or self._step_stream
            if samples < 0:
                self._go(max(self._from_s, self._position(self._at_ns) + samples / self._step_rate()))
                self._step = 1
            else:
                self._step += samples

    def set_speed(self, speed: float | None) -> None:
        """Go on at another speed; None: as fast as it goes."""
        speed = check_speed(speed)
        with self._lock:
            self._settle()
            self._schedule.speed = speed

    def set_loop(self, on: bool) -> None:
        """Begin again at the end, or do not."""
        with self._lock:
            self._loop = on

    def set_range(self, from_s: float | None, to_s: float | None) -> None:
        """Play another part only, from its start."""
        with self._lock:
            self._from_s, self._to_s = checked_range(self.recording, from_s, to_s)
            self._go(self._from_s)

    def read_marks(self) -> None:
        """Read the marks again (one was added beside the recording)."""
        marks = self.recording.marks
        self._marks = tuple(MarkView(self._position(mark.t_ns), mark.kind, mark.text) for mark in marks)

    def report(self) -> LatenessReport:
        """Return how late the arrivals handed on so far were; without figures where nothing was paced."""
        with self._lock:
            return self._lateness.report()

    def labels(self) -> tuple[str, ...]:
        """Return the labels that stand in or beside the recording, each once."""
        return tuple(sorted({mark.text for mark in self._marks if mark.kind == "start"}))

    def view(self) -> ReplayView:
        """Return the transport as a screen shows it."""
        late = self.report()
        with self._lock:
            stop = min(self._to_s, self.recording.duration_s)
            at = min(max(0.0, self._position(self._place())), stop)
            return ReplayView(
                path=str(self.recording.path), position_s=at, duration_s=self.recording.duration_s, from_s=self._from_s,
                to_s=stop, speed=self._schedule.speed, paused=self._schedule.paused, loop=self._loop,
                ended=self._finished,
                late_p50_ms=late.p50_ms, late_p99_ms=late.p99_ms, late_max_ms=late.max_ms, missed=late.missed,
                marks=self._marks,
            )  # fmt: skip

    def _due(self, now: int) -> tuple[list[Arrival], int | None]:
        """Return the arrivals that are due and when to look again (None: not before a command)."""
        if self._step:
            return self._stepped(), None
        if self._schedule.paused or self._finished:
            return [], None
        taken: list[Arrival] = []
        late: list[int] = []
        due: int | None = None
        while len(taken) < _MOST:
            arrival = self._peek()
            if arrival is None:
                # What is to be handed on before a jump goes first and alone.
                if taken or not self._loop:
                    self._finished = not self._loop
                    break
                self._go(self._from_s)
                if self._peek() is None:
                    self._finished = True
                    break
                continue
            due = self._schedule.due_ns(arrival.t_ns, now)
            if due > now:
                break
            late.append(now - due)
            self._advance(arrival)
            taken.append(arrival)
        speed = self._schedule.speed
        if speed is not None:
            self._lateness.add(np.array(late, np.int64))
            if due is not None and speed > _FAST:
                due = max(due, now + _COARSE_NS)
        return taken, due

    def _stepped(self) -> list[Arrival]:
        taken: list[Arrival] = []
        while self._step > 0 and len(taken) < _MOST:
            arrival = self._peek()
            if arrival is None:
                self._step, self._finished = 0, True
                break
            head, rest, counted = cut_arrival(arrival, self._step_stream, self._step)
            if counted and self._step_stream is None:
                self._step_stream = next((i.board, i.stream.name) for i in head.items if isinstance(i, Batch))
            self._step -= counted
            self._advance(head)
            self._waiting = rest
            taken.append(head)
        self._schedule.restart(self._at_ns, self._clock.now_ns())
        return taken

    def _peek(self) -> Arrival | None:
        """Return the next arrival within the range without handing it on."""
        if self._introduced:
            return self._introduced[0]
        if self._waiting is None:
            self._waiting = self._decoder.next()
        if self._waiting is None or self._position(self._waiting.t_ns) > self._to_s:
            return None
        return self._waiting

    def _advance(self, arrival: Arrival) -> None:
        if self._introduced:
            self._introduced.pop(0)
        else:
            self._waiting = None
        self._at_ns = max(self._at_ns, arrival.t_ns)

    def _go(self, to_s: float) -> None:
        """Jump: decode in silence up to the place, and introduce the boards that are known there."""
        self._jumped += 1
        self._finished, self._step, self._introduced = False, 0, []
        target = self.recording.start_ns + round(to_s * 1e9)
        if to_s <= 0:
            self._decoder.rewind()
            self._waiting = self._decoder.next()
            if self._waiting is not None:  # what was said before the first sample belongs to the beginning
                target = max(min(target, self._waiting.t_ns), target - _HEAD_NS)
        else:
            self._decoder.rewind(target)
            connected: dict[str, Connected] = {}
            while (arrival := self._decoder.next()) is not None and arrival.t_ns < target:
                connected.update({item.board: item for item in arrival.items if isinstance(item, Connected)})
            self._waiting = arrival
            for setup in self.recording.header.boards:
                info = self._decoder.info(setup.role)
                if info is not None:
                    known = Connected(setup.role, target, info, self._decoder.boot(setup.role))
                    self._introduced.append(Arrival(setup.role, -1, target, "note", items=(known,)))
        self._at_ns = target
        self._schedule.restart(target, self._clock.now_ns())

    def _settle(self) -> None:
        """Take the schedule's present place as its base, before its pace is changed."""
        self._at_ns = self._place()
        self._schedule.restart(self._at_ns, self._clock.now_ns())

    def _place(self) -> int:
        following = None if self._finished or self._waiting is None else self._waiting.t_ns
        return self._schedule.place_ns(self._clock.now_ns(), self._at_ns, following)

    def _position(self, t_ns: int) -> float:
        return (t_ns - self.recording.start_ns) / 1e9

    def _step_rate(self) -> float:
        role, name = self._step_stream or ("", "")
        info = self._decoder.info(role)
        rates = [stream.rate_hz for stream in info.streams if stream.name == name] if info else []
        return rates[0] if rates and rates[0] else 1.0
