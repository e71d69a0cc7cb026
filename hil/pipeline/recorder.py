"""The recorder: a sink with a writer on its own thread, fed with everything and dropping nothing.

The pipeline hands over lists and goes on; the thread packs and writes. When the disk cannot follow, the pipeline waits
here, the links' queue fills behind it and reading stops: the loss then stands in the books as what it is, and the
recording itself has no hole. A disk that refuses ends the recording with one sentence; the bench goes on.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from firmware_bridge.clock import Clock
from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.events import Arrival, Mark
from firmware_bridge.intake import weight
from hil.recording.files import Split
from hil.recording.header import BoardSetup, Header
from hil.recording.writer import RecordingWriter
from hil.views.snapshot import RecordingView

__all__ = ["Recorder"]

LIMIT_BYTES = 64 << 20
_IDLE_S = 0.25
_SHORT_DISK_S = 600.0

Task = Sequence[Arrival] | Callable[[RecordingWriter], None]


class Recorder:
    """Records while it is told to; any number of recordings, one after another.

    Args:
        clock: Dates flushes when nothing arrives.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._writer: RecordingWriter | None = None
        self._translate: Callable[[list[Arrival]], list[Arrival]] | None = None
        self._thread: threading.Thread | None = None
        self._tasks: deque[tuple[Task, int]] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._began_ns = self._ended_ns = 0
        self._marks = 0
        self._state, self._sentence = "", ""
        self.started = 0
        """How many recordings were begun."""

    @property
    def recording(self) -> bool:
        """Whether arrivals are being written."""
        return self._state == "recording"

    def start(
        self,
        path: str | Path,
        header: Header,
        *,
        split: Split | None = None,
        first: Sequence[Arrival] = (),
        translate: Callable[[list[Arrival]], list[Arrival]] | None = None,
    ) -> Path:
        """Begin a recording.

        Args:
            path: A new file.
            header: What is known now.
            split: When to go on in a new part.
            first: Arrivals of before that belong into it.
            translate: Applied on the recorder's thread to everything that is written, `first` included.

        Returns:
            The file that is being written.

        Raises:
            UsageError: One runs already.
            FileError: The file exists or cannot be made.
        """
        if self.recording:
            raise UsageError("a recording is running", str(self._writer.path) if self._writer else "", "stop it first")
        self._writer = RecordingWriter(path, header, split)
        self._translate = translate
        self._tasks.clear()
        self._bytes, self._marks, self._stopping = 0, 0, False
        self._began_ns, self._ended_ns = self._clock.now_ns(), 0
        self._state, self._sentence = "recording", ""
        self.started += 1
        if first:
            self._tasks.append((list(first), 0))
        self._thread = threading.Thread(target=self._run, args=(self._writer,), name="recorder", daemon=True)
        self._thread.start()
        return self._writer.path

    def stop(self) -> Path | None:
        """Write what is left and close the file; return it, None where nothing was recorded."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        return None if self._writer is None else self._writer.path

    def accept(self, arrivals: list[Arrival]) -> None:
        """Take arrivals; waits while 64 MiB are still to be written."""
        if not self.recording:
            return
        size = sum(map(weight, arrivals))
        self._marks += sum(isinstance(item, Mark) for arrival in arrivals for item in arrival.items)
        self._give(arrivals, size)

    def reset(self) -> None:
        """Nothing to do: a recorder keeps no windows."""

    def board(self, board: BoardSetup) -> None:
        """Say who a role is and how it is listened to."""
        self._give(lambda writer: writer.board(board), 0)

    def metadata(self, name: str, values: dict[str, Any]) -> None:
        """Add named metadata."""
        self._give(lambda writer: writer.metadata(name, values), 0)

    def attach(self, name: str, media_type: str, data: bytes) -> None:
        """Put a file into the recording."""
        self._give(lambda writer: writer.attach(name, media_type, data), 0)

    def view(self) -> RecordingView | None:
        """Return how the recording stands, None before the first."""
        writer = self._writer
        if writer is None:
            return None
        now = self._clock.now_ns()
        left = writer.disk_left_s(now) if self.recording else None
        sentence = self._sentence
        if left is not None and left < _SHORT_DISK_S:
            sentence = f"the disk lasts {left:.0f} s at this rate; free some space or stop the recording"
        return RecordingView(
            path=str(writer.path), state=self._state, sentence=sentence, bytes_written=writer.bytes_written,
            seconds=((self._ended_ns or now) - self._began_ns) / 1e9, disk_left_s=left, marks=self._marks,
        )  # fmt: skip

    def _give(self, task: Task, size: int) -> None:
        with self._changed:
            while self._bytes and self._bytes + size > LIMIT_BYTES and self.recording:
                self._changed.wait()
            if self.recording and not self._stopping:
                self._tasks.append((task, size))
                self._bytes += size
                self._changed.notify_all()

    def _run(self, writer: RecordingWriter) -> None:
        try:
            while self._work(writer):
                pass
            writer.close()
            self._end("closed", "")
        except FileError as error:
            self._fail(writer, str(error))
        except Exception as error:  # the bench goes on without it, and says so
            self._fail(writer, f"{writer.path}: the recording ended by an error of the program: {error!r}")

    def _work(self, writer: RecordingWriter) -> bool:
        """Write what waits; return whether there may be more."""
        with self._changed:
            if not self._tasks and not self._stopping:
                self._changed.wait(_IDLE_S)
            tasks = list(self._tasks)
            self._tasks.clear()
            stopping = self._stopping
        for task, size in tasks:
            if callable(task):
                task(writer)
            else:
                for arrival in self._translate(list(task)) if self._translate else task:
                    writer.write(arrival)
            with self._changed:
                self._bytes -= size
                self._changed.notify_all()
        writer.tick(self._clock.now_ns())
        return bool(tasks) or not stopping

    def _fail(self, writer: RecordingWriter, sentence: str) -> None:
        try:
            writer.close()
        except FileError:
            pass
        finally:
            self._end("failed", sentence)

    def _end(self, state: str, sentence: str) -> None:
        with self._changed:
            self._state, self._sentence = state, sentence
            self._ended_ns = self._clock.now_ns()
            self._tasks.clear()
            self._bytes = 0
            self._changed.notify_all()
