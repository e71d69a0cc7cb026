"""The recorder as a sink of the pipeline: one thread that writes all that it is handed.

Rule of this room: nothing is ever dropped. When the disk is slower than the boards, `accept` waits, the queues before
it fill and the link marks a stall. When the disk fails, the file stays readable and every later call says so in one
sentence.
"""

import threading
from collections import deque
from collections.abc import Sequence

from firmware_bridge.batch import Arrival, Batch, Mark
from firmware_bridge.clock import Clock
from firmware_bridge.errors import FileError
from hil.recording.writer import RecordingWriter

__all__ = ["RecorderThread"]

_PER_ARRIVAL = 256


class RecorderThread:
    """Writes arrivals on a thread of its own.

    Args:
        writer: The recording; it belongs to the thread from `start` on and is closed by `stop`.
        clock: Tells when a second without arrivals is over.
        limit_bytes: How much may wait before `accept` does.
    """

    def __init__(self, writer: RecordingWriter, clock: Clock, limit_bytes: int = 64 << 20) -> None:
        self.writer = writer
        self._clock = clock
        self._limit = limit_bytes
        self._waiting: deque[Arrival | Mark] = deque()
        self._bytes = 0
        self._ended = False
        self._failure: FileError | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def failure(self) -> FileError | None:
        """Why recording ended early; None while all is well."""
        return self._failure

    @property
    def backlog_bytes(self) -> int:
        """Bytes that wait to be written."""
        return self._bytes

    def accept(self, arrivals: Sequence[Arrival]) -> None:
        """Hand over arrivals; waits while too much is waiting.

        Raises:
            FileError: Recording has failed, or was stopped.
        """
        for arrival in arrivals:
            self._put(arrival, _size(arrival))

    def mark(self, mark: Mark) -> None:
        """Hand over a mark or a label.

        Raises:
            FileError: Recording has failed, or was stopped.
        """
        self._put(mark, _PER_ARRIVAL)

    def stop(self) -> None:
        """Write everything that waits, complete the file and end the thread. Does nothing the second time.

        Raises:
            FileError: Recording has failed, now or earlier.
        """
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _put(self, entry: Arrival | Mark, size: int) -> None:
        with self._changed:
            while self._bytes >= self._limit and self._failure is None and not self._ended:
                self._changed.wait()
            if self._failure is not None:
                raise self._failure
            if self._ended:
                raise FileError("the recording was stopped", str(self.writer.path), "start another")
            self._waiting.append(entry)
            self._bytes += size
            if len(self._waiting) == 1:
                self._changed.notify_all()

    def _run(self) -> None:
        try:
            while self._write_some():
                pass
        except FileError as error:
            self._fail(error)
        except Exception as error:
            # A mistake of ours must not look like a recording that goes on.
            self._fail(FileError(f"recording ended on an internal error ({error!r})", str(self.writer.path)))
        try:
            self.writer.close()
        except FileError as error:
            self._fail(error)

    def _write_some(self) -> bool:
        """Write what waits, or wait for a quarter second; return False when all is written and it is the end."""
        with self._changed:
            if not self._waiting and not self._ended:
                self._changed.wait(0.25)
            entries = list(self._waiting)
            self._waiting.clear()
            ended = self._ended
        done = 0
        for entry in entries:
            if isinstance(entry, Mark):
                self.writer.mark(entry)
                done += _PER_ARRIVAL
            else:
                self.writer.write(entry)
                done += _size(entry)
        self.writer.tick(self._clock.now_ns())
        with self._changed:
            self._bytes -= done
            self._changed.notify_all()
            return not (ended and not self._waiting)

    def _fail(self, error: FileError) -> None:
        with self._changed:
            self._failure = self._failure or error
            self._changed.notify_all()


def _size(arrival: Arrival) -> int:
    return _PER_ARRIVAL + len(arrival.data) + sum(item.raw.nbytes for item in arrival.items if isinstance(item, Batch))
