"""Source -> stages -> sinks: one thread, one order.

Every drain takes all arrivals there are, hands them to each stage in turn (a model adds its decisions) and the result
to each sink in turn (recorder, monitor, collectors). What a person does at the bench (marks, labels) is posted and
joins the next drain, so that everybody sees one order. Between drains the thread sleeps `tick_s`: draining 50 times a
second costs a fraction of waking for every read, and the time of an arrival was taken by its link long before.

Rule: a stage may add and may lag, it never skips; a sink keeps nothing but copies. An error in either ends the pipeline
and is raised where it is joined; what the bench can live with (a full disk) a sink handles itself.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol, TypeVar

from firmware_bridge.errors import NoAnswer
from firmware_bridge.events import Arrival
from hil.pipeline.source import Source

__all__ = ["Pipeline", "Sink", "Stage"]

TICK_S = 0.02

T = TypeVar("T")


class Stage(Protocol):
    """Turns arrivals into arrivals, in order."""

    def process(self, arrivals: list[Arrival]) -> list[Arrival]:
        """Return what goes on: the arrivals given, and what this stage adds (may belong to earlier ones)."""

    def reset(self) -> None:
        """Forget windows and state: the source jumped to another place."""

    def finish(self) -> list[Arrival]:
        """Return what was held back: the source has ended."""


class Sink(Protocol):
    """Takes arrivals."""

    def accept(self, arrivals: list[Arrival]) -> None:
        """Take arrivals, in order."""

    def reset(self) -> None:
        """The source jumped to another place: what follows does not continue what came before."""


class Pipeline:
    """Runs a source through stages into sinks.

    Args:
        source: Where arrivals come from; closed at the end.
        stages: In order.
        sinks: In order.
        tick_s: Seconds of rest between drains; 0 where the source paces itself (replay) or is to be emptied.
        wait_s: Longest wait for the source within a drain.
    """

    def __init__(
        self,
        source: Source,
        stages: Sequence[Stage] = (),
        sinks: Sequence[Sink] = (),
        *,
        tick_s: float = TICK_S,
        wait_s: float = 0.05,
    ) -> None:
        self.source = source
        self.stages = list(stages)
        self.sinks = list(sinks)
        self.error: BaseException | None = None
        self.turns = 0
        """Drains so far, and stages that have finished: it grows while anything goes on."""
        self._tick_s = tick_s
        self._wait_s = wait_s
        self._jumps = source.jumps
        self._posted: deque[Arrival | Callable[[], None]] = deque()
        self._stop = threading.Event()
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def done(self) -> bool:
        """Whether the source has ended, or the pipeline was stopped, or it failed (`error`)."""
        return self._done.is_set()

    def post(self, arrival: Arrival) -> None:
        """Let a note join the next drain (any thread)."""
        self._posted.append(arrival)

    def between(self, do: Callable[[], T], timeout_s: float = 30.0) -> T:
        """Do something between two drains, when all notes posted before have reached the sinks; return what it gave.

        Args:
            do: Called on the pipeline's thread, or on this one where none runs.
            timeout_s: How long to wait for the drain that runs now.

        Raises:
            NoAnswer: The pipeline is held up.
            Exception: Whatever `do` raised.
        """
        if self._thread is None or self.done:
            return do()
        task: Future[T] = Future()

        def run() -> None:
            try:
                task.set_result(do())
            except Exception as error:
                task.set_exception(error)

        self._posted.append(run)
        while timeout_s > 0:
            try:
                return task.result(0.1)
            except TimeoutError:
                if task.done():
                    raise
                timeout_s -= 0.1
            if self._done.is_set() and not task.done():  # it ended meanwhile, without looking again
                return do()
        raise NoAnswer("the bench is held up", "pipeline", "look at the disk and the recording")

    def drain(self, max_wait_s: float = 0.0) -> int:
        """Take what there is, once; return how many arrivals went on."""
        arrivals = self.source.take(max_wait_s)
        if self.source.jumps != self._jumps:
            self._jumps = self.source.jumps
            for stage in self.stages:
                stage.reset()
            for sink in self.sinks:
                sink.reset()
        tasks: list[Callable[[], None]] = []
        while self._posted:
            posted = self._posted.popleft()
            if isinstance(posted, Arrival):
                arrivals.append(posted)
            else:
                tasks.append(posted)
        for stage in self.stages:
            arrivals = stage.process(arrivals)
        self._sink(arrivals)
        for task in tasks:
            task()
        self.turns += 1
        return len(arrivals)

    def run(self) -> None:
        """Drain until the source ends or `stop` is called, close the source, and let the stages finish.

        Raises:
            Exception: Whatever a stage or a sink raised.
        """
        try:
            while not self._stop.is_set():
                self.drain(self._wait_s)
                if self.source.ended and not self._posted:
                    break
                if self._tick_s:
                    self._stop.wait(self._tick_s)
            # Closing first lets the links say their last word, which is taken here.
            self.source.close()
            while self.drain() or self._posted:
                pass
            self._finish()
        finally:
            # After an error too: links that nobody listens to any more must give their ports back.
            with contextlib.suppress(Exception):
                self.source.close()
            self._done.set()

    def start(self) -> None:
        """Run on a thread of its own."""
        self._thread = threading.Thread(target=self._guarded, name="pipeline", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the present drain and one last one."""
        self._stop.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it is done; return whether it is."""
        return self._done.wait(timeout_s)

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; return whether it has come.

        Raises:
            Exception: Whatever ended the pipeline.
        """
        if self._thread is not None:
            self._thread.join(timeout_s)
        if self.error is not None:
            raise self.error
        return self._thread is None or not self._thread.is_alive()

    def close(self, timeout_s: float = 30.0) -> bool:
        """Stop, and wait for the end; return whether it has come.

        Raises:
            Exception: Whatever ended the pipeline.
        """
        self.stop()
        if self._thread is None and not self.done:  # never started: what was posted and taken goes on all the same
            self.run()
        return self.join(timeout_s)

    def _guarded(self) -> None:
        try:
            self.run()
        except BaseException as error:  # kept whole for whoever joins; a thread has nobody else to tell
            self.error = error

    def _finish(self) -> None:
        for at, stage in enumerate(self.stages):
            held = stage.finish()
            for later in self.stages[at + 1 :]:
                held = later.process(held)
            self._sink(held)
            self.turns += 1

    def _sink(self, arrivals: list[Arrival]) -> None:
        if arrivals:
            for sink in self.sinks:
                sink.accept(arrivals)
