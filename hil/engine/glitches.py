"""Glitches: the seconds before and after a trigger become a recording of their own, and a scenario beside it.

A sink behind the ring of `Openings`. Each glitch has its own recorder, so that an ordinary recording goes on beside it
untouched, and a thread that waits for the seconds after, closes the file and has the scenario written. Triggers that
come meanwhile lengthen the glitch up to `LONGEST_S` and are counted and marked; none is lost in silence.

Rule of this room: the seconds after are over when what passed reaches their end, whenever it passes. A clock says so
only where no board sends any more.
"""

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firmware_bridge.clock import Clock
from firmware_bridge.errors import BridgeError, UsageError
from firmware_bridge.events import Arrival, Log, Mark
from hil.config import GlitchConfig, RecordConfig
from hil.engine.announcer import Announcer
from hil.engine.desk import Desk
from hil.monitor.triggers import METADATA, Trigger, Triggers, parse_confidence, parse_threshold, watching
from hil.pipeline.recorder import Recorder
from hil.recording.files import default_path
from hil.recording.header import BoardSetup
from hil.replay.midway import Openings
from hil.serving.stage import ModelStage
from hil.views.snapshot import ReplayView

__all__ = ["AUTHOR", "Extract", "Glitch", "Glitches", "Propose", "out_of_replay"]

LONGEST_S = 60.0
"""A glitch is lengthened by later triggers up to so long after its first; then the next one begins."""
AUTHOR = "hil glitch"
_LOOK_S = 0.05
QUIET_S = 1.0
"""After the seconds after, nothing more is waited for once nothing has come for so long."""

Propose = Callable[[Path], Path]
"""Writes the scenario of a glitch's recording, and returns its path."""
Extract = Callable[[Path, float, float], Path]
"""Makes a test of a stretch of a recording, in seconds since its first sample, and returns the scenario's path."""
_LOOKED_S = 2.0
"""A person presses a key so long after what was seen, at most."""


@dataclass(frozen=True, slots=True)
class Glitch:
    """One that was saved: its recording, its scenario (empty where none was written, `sentence` says why)."""

    path: str
    scenario: str
    triggers: int
    cause: str
    sentence: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(slots=True, eq=False)
class _Saving:
    """A glitch that is being saved."""

    path: str
    recorder: Recorder
    announcer: Announcer
    began_ns: int
    until_ns: int
    squeezed: int
    triggers: list[Trigger] = field(default_factory=list)
    heard: bool = False
    done: bool = False


class Glitches:
    """Saves glitches.

    Args:
        config: What is one, and how much is saved.
        openings: The ring; a sink that has each list of arrivals before this one.
        post: Lets a note join the pipeline.
        setups: Returns every board as it is listened to now.
        models: The models that run; may grow.
        turn: Returns once the pipeline has passed on what there was.
        clock: Dates triggers; says when the seconds after are over where nothing comes any more.
        faults: The schedule of what goes wrong, plain JSON values.
        propose: Writes the scenarios; None: none are written.

    Raises:
        UsageError: A limit cannot be meant.
    """

    def __init__(
        self, config: GlitchConfig, openings: Openings, post: Callable[[Arrival], None],
        turn: Callable[[], object], setups: Callable[[], Sequence[BoardSetup]], models: Sequence[ModelStage],
        clock: Clock, faults: Mapping[str, Any] | None = None, propose: Propose | None = None,
    ) -> None:  # fmt: skip
        self.saved: list[Glitch] = []
        self.not_kept = 0
        """Triggers whose recording could not be made."""
        self._config = config
        self._openings = openings
        self._post = post
        self._turn = turn
        self._setups = setups
        self._models = models
        self._clock = clock
        self._faults = faults
        self._propose = propose
        self.triggers = Triggers(
            [parse_threshold(text) for text in config.thresholds],
            [parse_confidence(text) for text in config.confidences],
            on_mark=config.on_mark, on_anomaly=config.on_anomaly,
        )  # fmt: skip
        self._watched = Triggers()
        self._lock = threading.Lock()
        self._running: _Saving | None = None
        self._begun = 0
        self._squeezed = 0
        self._threads: list[threading.Thread] = []
        self._ending = False
        self._closing = threading.Event()

    @property
    def enough(self) -> bool:
        """Whether all that were to be saved are saved."""
        return self._config.count is not None and len(self.saved) >= self._config.count

    def watch(self, text: str) -> str:
        """Save glitches on one more trigger from now on, in place of the one that was given so before; empty: on none.

        Raises:
            UsageError: It means nothing, or nothing is kept.
        """
        if text and not self._config.before_s:
            raise UsageError("no seconds before a trigger are kept", "glitch", "give --pre-trigger 30 to live boards")
        self._watched = watching(text) if text else Triggers()
        return text

    @property
    def _used_up(self) -> bool:
        return self._config.count is not None and self._begun >= self._config.count

    def accept(self, arrivals: list[Arrival]) -> None:
        """Take arrivals."""
        with self._lock:
            if self._running is not None:
                # That the bench ends is no part of a glitch: it would read as a board that disconnects.
                kept = [one for one in arrivals if one.kind != "close"] if self._ending else arrivals
                self._running.announcer.accept(kept)
                self._running.recorder.accept(kept)
                self._running.heard |= any(one.kind == "rx" for one in arrivals)
        for trigger in () if self._ending else (*self.triggers.feed(arrivals), *self._watched.feed(arrivals)):
            try:
                self.trigger(trigger)
            except BridgeError as error:
                if not self._used_up:  # then nobody asked for it: all that were wished for are saved
                    self._say("error", f"glitch not saved: {error}")
        with self._lock:  # after its triggers: one that came in time lengthens it
            saving = self._running
            if saving is not None and any(one.kind == "rx" and one.t_ns >= saving.until_ns for one in arrivals):
                saving.done, self._running = True, None

    def reset(self) -> None:
        """Nothing to do: live boards do not jump."""

    def trigger(self, trigger: Trigger) -> str:
        """Save a glitch, or lengthen the one that is being saved; return its recording. On the pipeline's thread.

        Raises:
            UsageError: As many as wished are saved already, or nothing is kept.
            FileError: The recording cannot be made.
        """
        now = self._clock.now_ns()
        with self._lock:
            saving = self._running
            if saving is None:
                saving = self._begin(trigger, now)
            else:
                most = saving.began_ns + int(max(LONGEST_S, self._config.after_s) * 1e9)
                saving.until_ns = min(now + int(self._config.after_s * 1e9), most)
            saving.triggers.append(trigger)
            mark = Mark(trigger.board, trigger.t_ns, f"glitch: {trigger.cause}", "mark", AUTHOR, trigger.text)
            saving.recorder.accept([Arrival("", -1, now, "note", items=(mark,))])
            return saving.path

    def end(self) -> None:
        """The bench is about to end: what that brings (boards that disconnect) is no glitch."""
        self._ending = True

    def told(self) -> tuple[dict[str, Any], ...]:
        """Return the glitches that were saved as plain JSON values."""
        return tuple(one.as_dict() for one in self.saved)

    def close(self) -> None:
        """End the glitch that is being saved, and wait for its files."""
        self._closing.set()
        for thread in self._threads:
            thread.join()

    def _begin(self, trigger: Trigger, now: int) -> _Saving:
        before = self._config.before_s
        if not before or self._used_up:
            what = "as many glitches as were wished for are saved" if before else "no seconds are kept"
            raise UsageError(what, "glitch", "give a larger --count" if before else "give --pre-trigger 30")
        recorder = Recorder(self._clock)
        desk = Desk(
            recorder, self._openings, self._post, lambda do: do(), self._setups, self._memory, self._clock,
            before_s=before,
        )  # fmt: skip
        models = {model.name: identity for model in self._models if (identity := model.identity()) is not None}
        try:
            path = desk.record(self._about(now, trigger), models=models)
        except BridgeError:
            self.not_kept += 1
            raise
        self._begun += 1
        until = now + int(self._config.after_s * 1e9)
        squeezed, self._squeezed = self._openings.squeezed - self._squeezed, self._openings.squeezed
        announcer = Announcer(recorder, self._setups, self._models, self._faults)
        announcer.accept([])
        self._running = saving = _Saving(path, recorder, announcer, now, until, squeezed)
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        self._threads.append(threading.Thread(target=self._finish, args=(saving,), name="glitch", daemon=True))
        self._threads[-1].start()
        self._say("warning", f"glitch ({trigger.text}): the last {before:g} s and the next "
                  f"{self._config.after_s:g} s go into {path}")  # fmt: skip
        return saving

    def _finish(self, saving: _Saving) -> None:
        """Wait for the seconds after, close the file, have the scenario written (a thread of the glitch's own)."""
        self._await(saving)
        with self._lock:
            if self._running is saving:
                self._running = None
        about = {
            "triggers": [trigger.as_dict() for trigger in saving.triggers], "before_s": self._config.before_s,
            "after_s": self._config.after_s, "squeezed": saving.squeezed,
        }  # fmt: skip
        saving.recorder.metadata(METADATA, about)
        saving.recorder.stop()
        view = saving.recorder.view()
        sentence, scenario = view.sentence if view is not None else "", ""
        if saving.squeezed:
            sentence = f"{saving.squeezed} reads left the ring early: it is full; {sentence}".rstrip("; ")
        try:
            if self._propose is not None and view is not None and view.state == "closed":
                scenario = str(self._propose(Path(saving.path)))
        except (BridgeError, OSError) as error:
            sentence = f"no scenario was written: {error}"
        many = len(saving.triggers)
        self.saved.append(Glitch(saving.path, scenario, many, saving.triggers[0].text, sentence))
        told = f"glitch saved: {saving.path}" + (f", hil run {scenario}" if scenario else "")
        self._say("info", told + (f" ({many} triggers)" if many > 1 else "") + (f"; {sentence}" if sentence else ""))

    def _await(self, saving: _Saving) -> None:
        """Wait until what passes has reached the end of the seconds after, or nothing comes any more."""
        quiet = 0
        while not saving.done and not self._closing.wait(_LOOK_S):
            if self._clock.now_ns() < saving.until_ns:
                continue
            for _ in range(
                2
            ):  # a pipeline that stood still has something to pass on yet; the first turn may be under way
                with contextlib.suppress(BridgeError):  # held up for half a minute: then nothing more comes from it
                    self._turn()
            heard, saving.heard = saving.heard, False
            quiet = 0 if heard else quiet + 1  # looks, not a clock: nobody's silence is what a host stood still
            if quiet * _LOOK_S >= QUIET_S:
                return

    def _memory(self, name: str) -> int | None:
        return next((model.memory for model in self._models if model.name == name), None)

    def _about(self, now: int, trigger: Trigger) -> RecordConfig:
        return RecordConfig(path=self._name(now), meta={"glitch": trigger.text, **self._config.about})

    def _name(self, now: int) -> str:
        wanted = Path(self._config.output or "recordings")
        if wanted.suffix != ".mcap":
            roles = "+".join(board.role for board in self._setups() if board.role) or "board"
            return str(default_path(f"glitch-{roles}", now, wanted))
        return str(wanted if not self._begun else wanted.with_stem(f"{wanted.stem}-{self._begun + 1}"))

    def _say(self, level: str, text: str) -> None:
        now = self._clock.now_ns()
        self._post(Arrival("", -1, now, "note", items=(Log("", now, level, text),)))


def out_of_replay(replay: ReplayView, extract: Extract | None) -> dict[str, Any]:
    """Make a test of what is seen in a replay: of its range from A to B, or else of the last two seconds.

    Raises:
        UsageError: There is nobody who could.
        BridgeError: The stretch cannot be cut out.
    """
    if extract is None:
        raise UsageError("nobody writes scenarios here", "glitch", "use `hil scenario glitch FILE --from A --to B`")
    ranged = replay.from_s > 0 or replay.to_s < replay.duration_s - 1e-6
    begin, end = (replay.from_s, replay.to_s) if ranged else (replay.position_s - _LOOKED_S, replay.position_s)
    begin, end = max(0.0, begin), max(end, 0.1)
    made = extract(Path(replay.path), begin, end)
    return {"path": str(made), "sentence": f"a test was made of {begin:.1f} to {end:.1f} s: hil run {made}"}
