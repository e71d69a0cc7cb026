"""What a person does at the bench: begins and ends a recording, sets marks, starts and stops labels.

A mark joins the pipeline as a note, so that recorder and screens see it in one order with the readings. In a replay the
recording cannot change: marks go to the file beside it. Every refusal is one sentence that says what to do.
"""

import getpass
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from firmware_bridge.clock import Clock
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Arrival, Mark
from hil.config import RecordConfig
from hil.pipeline.recorder import Recorder
from hil.recording.files import default_path, parse_split
from hil.recording.header import BoardSetup, Header
from hil.recording.marks import add_mark
from hil.replay.midway import Midway, Openings
from hil.replay.replay import Replay

__all__ = ["Desk", "user_name"]

T = TypeVar("T")


class Between(Protocol):
    """`Pipeline.between`."""

    def __call__(self, do: Callable[[], T]) -> T:
        """Do something between two drains."""


class Desk:
    """Recordings, marks and labels of one bench.

    Args:
        recorder: Writes recordings.
        openings: What was said before a recording begins; None: recordings begin with the connections.
        post: Lets a note join the pipeline.
        between: Does something between two drains of the pipeline, so that no arrival falls between two stools.
        setups: Returns every board as it is listened to now.
        memory: Returns how many samples a decision of a model depends on.
        clock: Dates marks and names files.
        author: Who sets them; empty: the user of this machine.
        replay: The replay, where there is one: marks then go beside its recording.
        before_s: Seconds of before that a recording begins with.
    """

    def __init__(
        self,
        recorder: Recorder,
        openings: Openings | None,
        post: Callable[[Arrival], None],
        between: Between,
        setups: Callable[[], Sequence[BoardSetup]],
        memory: Callable[[str], int | None],
        clock: Clock,
        *,
        author: str = "",
        replay: Replay | None = None,
        before_s: float = 0.0,
    ) -> None:
        self._before_s = before_s
        self._recorder = recorder
        self._openings = openings
        self._post = post
        self._between = between
        self._setups = setups
        self._memory = memory
        self._clock = clock
        self._author = author or user_name()
        self._replay = replay
        self.active_label = ""

    def record(
        self, config: RecordConfig, *, from_start: bool = False, models: Mapping[str, object] | None = None
    ) -> str:
        """Begin a recording; return its path.

        Args:
            config: What it is called and what is said about it.
            from_start: The connections have not begun yet: the recording will hear all of them.
            models: How models run, as far as that is known now.

        Raises:
            UsageError: One runs, or this is a replay.
            FileError: The file exists or cannot be made.
        """
        if self._replay is not None:
            raise UsageError("a replay is not recorded: it is a recording", "record", "record live boards")
        split = parse_split(config.split) if config.split else None
        setups = tuple(board for board in self._setups() if board.role)
        now = self._clock.now_ns()
        about = {"person": config.person, "label": config.label, "note": config.note, **config.meta}
        header = Header(
            created_ns=now, boards=setups, about={key: text for key, text in about.items() if text},
            models={name: dict(how) for name, how in (models or {}).items() if isinstance(how, Mapping)},
        )  # fmt: skip
        path = config.path or default_path("+".join(board.role for board in setups) or "board", now)

        def begin() -> Path:
            first: list[Arrival] = []
            if self._openings is not None and not from_start:
                first = self._openings.first(self._clock.now_ns(), self._before_s)
            midway = Midway(self._setup, self._memory) if first else None
            return self._recorder.start(path, header, split=split, first=first, translate=midway)

        opened = self._between(begin)
        if config.label:
            self._start_label(config.label)
        return str(opened)

    def stop(self) -> str | None:
        """End the recording and a label that runs; return its path, None where none ran."""
        if not self._recorder.recording:
            return None
        self.end_label()
        path = self._between(self._recorder.stop)
        return None if path is None else str(path)

    def end_label(self) -> None:
        """Stop the label that runs, if any."""
        if self.active_label:
            self.stop_label()

    def mark(self, text: str, note: str = "", t_ns: int | None = None) -> None:
        """Set a mark, now or at a time of before.

        Raises:
            UsageError: It has no text.
            FileError: The file beside a replayed recording cannot be written.
        """
        if not text.strip():
            raise UsageError("a mark needs a text", "mark", "give one")
        self._put(Mark("", self._now() if t_ns is None else t_ns, text.strip(), "mark", self._author, note))

    def label(self, text: str) -> str:
        """Start a label, or stop it if it is the one that runs; return the label that runs then."""
        if text == self.active_label:
            self.stop_label(text)
        else:
            self.start_label(text)
        return self.active_label

    def start_label(self, text: str) -> None:
        """Start a label; another one that runs ends.

        Raises:
            UsageError: Nothing is being recorded, or the label has no text.
        """
        if self._replay is None and not self._recorder.recording:
            raise UsageError("nothing is being recorded", "label", "begin a recording first (r)")
        if not text.strip():
            raise UsageError("a label needs a text", "label", "give one")
        self._start_label(text.strip())

    def stop_label(self, text: str = "") -> None:
        """Stop the label that runs.

        Raises:
            UsageError: Another one runs, or none.
        """
        if not self.active_label or text not in ("", self.active_label):
            running = f"{self.active_label} runs" if self.active_label else "none runs"
            raise UsageError(f"the label {text!r} does not run ({running})", "label", "start it first")
        self._put(Mark("", self._now(), self.active_label, "stop", self._author))
        self.active_label = ""

    def _start_label(self, text: str) -> None:
        self.end_label()
        self._put(Mark("", self._now(), text, "start", self._author))
        self.active_label = text

    def _put(self, mark: Mark) -> None:
        if self._replay is not None:
            add_mark(self._replay.recording.path, mark, self._clock.now_ns())
            self._replay.read_marks()
        self._post(Arrival("", -1, self._clock.now_ns(), "note", items=(mark,)))

    def _now(self) -> int:
        return self._clock.now_ns() if self._replay is None else self._replay.now_ns()

    def _setup(self, role: str) -> BoardSetup | None:
        return next((board for board in self._setups() if board.role == role), None)


def user_name() -> str:
    """Return who works here, for the author of marks."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return Path.home().name
