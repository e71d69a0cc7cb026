"""The engine: the one place that owns ports, recording and models, in a process of its own or inside another program.

`Engine(config)` builds source -> models -> recorder and monitor, answers `snapshot` and `command` from any thread, and
ends in order. `python -m hil.engine` runs one behind a loopback socket (`hil.door.server`), so that no screen, however
slow, shares an interpreter with capture. Screens skip; the engine never does.
"""

import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from firmware_bridge.bridge import Bridge
from firmware_bridge.clock import Clock, SystemClock
from firmware_bridge.errors import BridgeError, UsageError
from firmware_bridge.events import Arrival, Log
from firmware_bridge.plan import never
from firmware_bridge.ports import list_ports
from hil.config import EngineConfig, ModelConfig, RecordConfig, port_spec
from hil.engine.announcer import Announcer
from hil.engine.desk import Desk
from hil.engine.ending import see_out
from hil.engine.glitches import Extract, Glitches, Propose, out_of_replay
from hil.engine.replaying import open_replay, replay_commands
from hil.engine.summary import Summary, summarise
from hil.monitor.monitor import Bench, Monitor
from hil.monitor.told import BoardLabels
from hil.monitor.triggers import Trigger
from hil.pipeline.pipeline import Pipeline
from hil.pipeline.recorder import Recorder
from hil.pipeline.source import Live
from hil.recording.header import BoardSetup
from hil.replay.midway import Openings
from hil.replay.replay import Replay
from hil.serving.bench import ModelBench
from hil.serving.boardsaid import BoardSaid
from hil.serving.networks import NetworkBench
from hil.serving.stage import ModelStage
from hil.serving.teaching import Teaching
from hil.views.snapshot import Snapshot
from hil.views.view import View

__all__ = ["Engine"]


class Engine:
    """Everything behind the screens.

    Args:
        config: What to do.
        clock: Time.
        propose: Writes the scenario of a glitch that was saved; None: none is written.
        extract: Makes a test of a stretch of the recording that is replayed; None: nobody does.
        given_up: Asked while a missing port is waited for; true ends that.

    Raises:
        BridgeError: A port cannot be opened, or a file not read or made; what was opened is closed again.
    """

    def __init__(
        self, config: EngineConfig, clock: Clock | None = None, propose: Propose | None = None,
        extract: Extract | None = None, given_up: Callable[[], bool] = never,
    ) -> None:  # fmt: skip
        self.config, self._extract = config, extract
        self.clock = clock or SystemClock()
        self.monitor = Monitor()
        self.recorder = Recorder(self.clock)
        self.replay: Replay | None = None
        self._bridge: Bridge | None = None
        self.asked_to_end = threading.Event()
        """Set when somebody said `quit`, or the engine was closed."""
        self.hurried = threading.Event()
        """Set by who does not want to wait for models that are behind when the engine is closed."""
        self.left_out: tuple[str, ...] = ()
        """What the end did not wait for, a sentence each."""
        self.models: list[ModelStage] = []
        glitch = config.glitch if config.replay is None else config.glitch.model_copy(update={"before_s": 0.0})
        openings = Openings(glitch.before_s, glitch.ring_bytes)
        schedule = config.schedule()
        if config.replay is not None:
            self.replay = open_replay(config.replay, self.clock)
            source: Live | Replay = self.replay
        else:
            self._bridge = Bridge(
                [port_spec(port, schedule) for port in config.ports],
                self.clock,
                wait_s=config.wait_s,
                patient=config.patient,
                late=config.late,
                given_up=given_up,
                gather_ns=round(config.gather_s * 1e9),
            )
            self._bridge.__enter__()
            source = Live(self._bridge)
        faults = schedule.as_dict() if schedule else None
        announcer = Announcer(self.recorder, self.setups, self.models, faults)
        self.glitches = Glitches(
            glitch, openings, lambda note: self.pipeline.post(note),
            lambda: self.pipeline.between(lambda: None), self.setups, self.models, self.clock, faults,
            propose,
        )  # fmt: skip
        said = BoardSaid(self.models)
        self.networks = NetworkBench(
            self._bridge, self.models, said, self._now, self.monitor.say,
            lambda role, stream: self.pipeline.between(lambda: openings.batches(role, stream)),
        )  # fmt: skip
        self.pipeline = Pipeline(
            source, () if self.replay else (BoardLabels(),),
            (openings, announcer, self.recorder, self.glitches, said, self.networks, self.monitor),
            tick_s=0.0 if self.replay else config.tick_s,
        )  # fmt: skip
        self.source = source
        self.bench = ModelBench(
            self.models, self.pipeline, self.replay, said, lambda: (self.recorder.started, self.recorder.recording)
        )
        self.desk = Desk(
            self.recorder, openings, self.pipeline.post, self.pipeline.between, self.setups, self.bench.memory,
            self.clock, author=config.author, replay=self.replay,
        )  # fmt: skip
        self.teaching = Teaching(self.models, self.load_model, self._now)
        self._starter = threading.Thread(target=self._start, name="starter", daemon=True)
        if isinstance(source, Replay) and (lost := source.recording.lost):
            now = source.now_ns()
            self.pipeline.post(Arrival("", -1, now, "note", items=(Log("", now, "warning", lost),)))
        try:
            for model in config.models:
                self.load_model(model)
            if config.record is not None:
                self.desk.record(config.record, from_start=True)
        except BaseException:
            source.close()
            raise

    def start(self) -> Self:
        """Let it run."""
        if self.replay is None:
            self.pipeline.start()
        else:
            self._starter.start()
        return self

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def ended(self) -> bool:
        """Whether nothing more will come: the source has ended, the pipeline failed, or somebody said `quit`."""
        return self.pipeline.done or self.asked_to_end.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it has ended; return whether it has."""
        return self.pipeline.wait(timeout_s)

    def close(self, told: Callable[[str], object] = str) -> None:
        """End everything in order: links, models, recording; what the end did not wait for is said in `left_out`.

        Args:
            told: Given a sentence where models that are behind are waited for; `hurried` ends that.
        """
        self.asked_to_end.set()
        self.glitches.end()
        self.networks.close()
        if self.recorder.recording:
            self.desk.end_label()
        if self._starter.ident is not None:
            self._starter.join()
        self.left_out += see_out(self.pipeline, self.models, self._written, self.hurried.is_set, told)
        for sentence in self.left_out:
            now = self._now()
            self.recorder.accept([Arrival("", -1, now, "note", items=(Log("", now, "error", sentence),))])
        self.glitches.close()
        self.recorder.stop()

    def snapshot(self, view: View) -> Snapshot:
        """Return what a screen that asks for `view` shows now."""
        replay = None if self.replay is None else self.replay.view()
        error = self.pipeline.error
        bench = Bench(
            mode="live" if self.replay is None else "replay", boards=self.source.boards(), models=self.bench.views(),
            recording=self.recorder.view(), replay=replay, classes=self._classes(),
            active_label=self.desk.active_label, trouble="" if error is None else f"the bench has stopped: {error}",
        )  # fmt: skip
        return self.monitor.snapshot(view, self._now(), bench)

    def summary(self) -> Summary:
        """Return what came of it all, with the ledger."""
        late = None if self.replay is None else self.replay.report()
        came = self.snapshot(View(envelopes=False, images=False))
        return summarise(came, late, self.glitches.told(), self.glitches.not_kept, self.left_out)

    def command(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """Do what a screen or a script asks for.

        Args:
            verb: See `verbs`.
            arguments: Of that verb.

        Returns:
            Plain JSON values.

        Raises:
            BridgeError: It cannot be done; the sentence says why.
        """
        known = self.verbs()
        if verb not in known:
            raise UsageError(f"there is no command {verb!r}", "engine", f"use one of: {', '.join(sorted(known))}")
        try:
            return known[verb](**arguments) or {}
        except BridgeError as error:
            self.monitor.say(self._now(), "", "warning", str(error))  # a screen shows it for seconds, the log keeps it
            raise
        except (TypeError, ValueError) as error:
            raise UsageError(f"{verb}: {error}", "engine", "see the arguments of the command") from None

    def verbs(self) -> Mapping[str, Callable[..., dict[str, Any] | None]]:
        """Return the commands by name."""
        desk = self.desk
        return {
            "record": lambda **about: {
                "path": desk.record(RecordConfig.model_validate(about), models=self.bench.identities())
            },
            "record_stop": lambda: {"path": desk.stop()},
            "mark": lambda text, note="", t_ns=None: desk.mark(text, note, t_ns),
            "glitch": self._glitch,
            "watch": lambda text="": {"watched": self.pipeline.between(lambda: self.glitches.watch(text))},
            "label": lambda text: {"active": desk.label(text)},
            "label_start": lambda text: desk.start_label(text),
            "label_stop": lambda text="": desk.stop_label(text),
            **replay_commands(self.replay, self.models),
            "load_model": lambda path, board=None: self.bench.load(
                ModelConfig(path=path, boards=None if board is None else (board,)), self._waits
            ),
            "deploy": self.networks.deploy,
            "deployed": self.networks.deployed,
            "stop_network": self.networks.stop,
            "unload_model": lambda model: self.bench.unload(model),
            "model_files": lambda: {"files": self.bench.files()},
            "seen": lambda model, board, t_ns=None: self.bench.seen(model, board, t_ns),
            "show": lambda model: self.teaching.show(model),
            "show_drop": self.teaching.drop,
            "teach": lambda label: self.teaching.teach(label),
            "send": self._send,
            "readings": self.monitor.readings,
            "summary": lambda: self.summary().as_dict(),
            "ports": lambda: {"ports": [port.as_dict() for port in list_ports()]},
            "quit": self.asked_to_end.set,
        }

    def setups(self) -> tuple[BoardSetup, ...]:
        """Return how every live board is listened to."""
        if self._bridge is None:
            return ()
        return tuple(
            BoardSetup(
                state.role,
                state.port,
                state.dialect,
                state.nonce,
                state.info,
                port.expect_model or "",
                port.expect_serial or "",
            )
            for state, port in zip(self._bridge.boards(), self.config.ports, strict=True)
        )

    def load_model(self, model: ModelConfig) -> None:
        """Attach a model; it is loaded beside the running bench and misses nothing from now on."""
        self.bench.attach(model, self._waits)

    @property
    def _waits(self) -> bool:
        """Whether a model is loaded before anything goes on: a replay that runs has no bound for what it would keep."""
        return self.replay is not None and self._starter.ident is not None

    def _start(self) -> None:
        """Start a replay once its models are there: what it would have to keep for them meanwhile has no bound."""
        assert self.replay is not None
        assert self.config.replay is not None
        for model in list(self.models):
            while not model.wait(0.1) and not self.asked_to_end.is_set():
                pass
        if not self.config.replay.paused:
            self.replay.pause(False)
        self.pipeline.start()

    def _written(self) -> int:
        view = self.recorder.view()
        return 0 if view is None else view.bytes_written

    def _now(self) -> int:
        return self.clock.now_ns() if self.replay is None else self.replay.now_ns()

    def _glitch(self, text: str = "a person saw it") -> dict[str, Any]:
        if self.replay is not None:
            return out_of_replay(self.replay.view(), self._extract)
        seen = Trigger(self.clock.now_ns(), "key", text)
        return {"path": self.pipeline.between(lambda: self.glitches.trigger(seen))}

    def _send(self, board: str, text: str) -> dict[str, Any]:
        if self._bridge is None:
            raise UsageError("a replay has no board to send to", "send", "send to a live board")
        sent = self._bridge.send(board, text).result(timeout=5.0)
        return {"bytes": len(sent)}

    def _classes(self) -> tuple[str, ...]:
        named = self.config.classes or next((model.labels for model in self.models if model.labels), ())
        return named if named or self.models or self.replay is None else self.replay.labels()
