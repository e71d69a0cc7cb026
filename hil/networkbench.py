"""Networks onto the boards of a bench while it runs: sent beside the samples, run on the board's own, and ended.

Rule of this room: the thin shell around `wire.placing`. It writes through the links that are open and hears answers as
one more sink, so that capture never waits and a recording holds every byte of it. One network at a time and board.
"""

import threading
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firmware_bridge.bridge import BoardState, Bridge
from firmware_bridge.errors import BridgeError, NoAnswer, UsageError
from firmware_bridge.events import Arrival
from firmware_bridge.wire.messages import Message
from firmware_bridge.wire.placing import Placing, Stopping, answers_in, held
from hil.boardsaid import BoardSaid
from hil.modelshelf import read_oplist
from hil.modelstage import ModelStage

if TYPE_CHECKING:
    from firmware_bridge.oplist.ops import OpList

__all__ = ["NetworkBench"]

_LOOK_S = 0.05
"""How often it is looked at where no answer comes."""

Say = Callable[[int, str, str, str], None]


@dataclass(slots=True, eq=False)
class _Way:
    """A network on its way to a board, or about to end there; and what is said where it did not come to that."""

    placing: Placing | Stopping
    not_done: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    heard: threading.Event = field(default_factory=threading.Event)
    error: BridgeError | None = None
    ended: threading.Event = field(default_factory=threading.Event)


class NetworkBench:
    """Networks on the boards of an engine; a sink.

    Args:
        bridge: The live boards; None: a replay.
        models: Models that run, whose hop the network of the same shape takes over.
        said: Is told which network comes, to hold its results against it.
        now: UTC.
        say: Writes a line into the log: UTC, board, level, text.
    """

    def __init__(
        self, bridge: Bridge | None, models: Sequence[ModelStage], said: BoardSaid, now: Callable[[], int], say: Say
    ) -> None:  # fmt: skip
        self._bridge, self._models, self._said, self._now, self._say = bridge, models, said, now, say
        self._ways: dict[str, _Way] = {}
        self._starting = threading.Lock()
        self._closed = False

    def accept(self, arrivals: Iterable[Arrival]) -> None:
        """Hear what boards answer."""
        if not self._ways:
            return
        for arrival in arrivals:
            way = self._ways.get(arrival.board)
            if way is not None:
                for answer in answers_in(arrival.items):
                    with way.lock:
                        way.placing.take(answer, self._now())
                    way.heard.set()

    def reset(self) -> None:
        """Only replays jump."""

    def deploy(self, path: str, board: str | None = None, hop: int | None = None, wait: bool = False) -> dict[str, Any]:
        """Put a network on a live board and have it run on the board's own samples.

        Args:
            path: An op list (`.hiln`).
            board: Role of the board; None: the one with a stream that it reads.
            hop: Samples between two windows; None: that of the model here that has its window and outputs, else the
                window.
            wait: Return only when it runs there.

        Returns:
            `board`, `stream`, `hop`, `bytes`, `crc32` and a `sentence`.

        Raises:
            FileError: It is no op list.
            UsageError: No board here can take it, or, with `wait`, this one refuses it.
            NoAnswer: With `wait`: the board does not answer.
        """
        if self._bridge is None:
            raise UsageError("a replay has no board that a network could be put on", "deploy", "use live boards")
        if hop is not None and not 1 <= hop <= 0xFFFF:
            raise UsageError(f"a board cannot judge every {hop} samples", "deploy", "give 1 to 65535")
        blob, oplist = read_oplist(Path(path))
        state, stream = self._chosen(self._bridge.boards(), oplist, board)
        assert state.info is not None
        assert state.downlink is not None
        hop = hop or self._hop(oplist)
        placing = Placing.onto(state.info, state.downlink, blob, stream, hop)
        crc32 = zlib.crc32(blob)
        words = f"{Path(path).name} ({len(blob)} bytes)"
        way = self._begun(state, _Way(placing, f"{words} did not get there"))
        self._said.puts(state.role, f"{words} is being sent to it", crc32, oplist)
        done = f"{words} runs on its own samples, a window every {hop} samples"
        self._led(state, way, done, "", wait)
        sentence = f"runs on {state.role}'s own {stream}" if wait else f"is being sent to {state.role}"
        return {"board": state.role, "stream": stream, "hop": hop, "bytes": len(blob), "crc32": crc32,
                "sentence": f"{words} {sentence}, a window every {hop} samples"}  # fmt: skip

    def stop(self, board: str | None = None, wait: bool = False) -> dict[str, Any]:
        """Have the network of a live board run on its own samples no longer; it stays on the board.

        Args:
            board: Role of the board; None: the one that holds a network.
            wait: Return only when it has ended.

        Returns:
            `board` and a `sentence`.

        Raises:
            UsageError: No board here holds a network, or several do; with `wait`: the board refuses it.
            NoAnswer: With `wait`: the board does not answer.
        """
        if self._bridge is None:
            raise UsageError("a replay has no board on which a network runs", "stop", "use live boards")
        live = [state for state in self._bridge.boards() if board in (None, state.role) and state.state == "live"]
        holding = [state for state in live if held(state.info) is not None]
        if not holding:
            who = f"{board} is no live board that holds a network" if board else "no live board here holds a network"
            raise UsageError(who, "stop",
                             "`hil model deploy FILE.hiln --at HOST:PORT` puts one there")  # fmt: skip
        if len(holding) > 1:
            which = ", ".join(state.role for state in holding)
            raise UsageError("several boards hold a network", "stop", f"say which with --board: {which}")
        (state,) = holding
        way = self._begun(state, _Way(Stopping(), "its network goes on"))
        self._led(state, way, "its network runs no longer", "its network is stopped: it judges nothing", wait)
        return {"board": state.role,
                "sentence": f"{state.role}'s network {'runs no longer' if wait else 'is told to stop'}"}  # fmt: skip

    def close(self) -> None:
        """Send nothing more."""
        self._closed = True
        for way in list(self._ways.values()):
            way.heard.set()
            way.ended.wait(1.0)

    # ------------------------------------------------------------------ pieces

    def _chosen(self, states: Sequence[BoardState], oplist: "OpList", board: str | None) -> tuple[BoardState, str]:
        """Return the board that is meant, and its stream."""
        from hil.models.int8.placed import fitting

        if board is not None and all(state.role != board for state in states):
            there = ", ".join(state.role for state in states)
            raise UsageError(f"there is no board {board!r}", "deploy", f"name one that is here: {there}")
        fit: list[tuple[BoardState, str]] = []
        why = ""
        for state in states:
            if board not in (None, state.role):
                continue
            if state.info is None or state.downlink is None or state.state != "live":
                why = why or f"{state.role} is no native board that is live"
                continue
            try:
                fit.append((state, fitting(oplist, state.info).name))
            except UsageError as error:
                why = error.what
        if not fit:
            raise UsageError(f"no board here can take it: {why}", "deploy", "it runs on native boards only")
        if len(fit) > 1:
            which = ", ".join(state.role for state, _ in fit)
            raise UsageError("several boards could take it", "deploy", f"say which with --board: {which}")
        return fit[0]

    def _hop(self, oplist: "OpList") -> int:
        alike = (one.hop for one in self._models
                 if one.hop and one.memory == oplist.window and len(one.labels) == oplist.outputs)  # fmt: skip
        return next(alike, oplist.window)

    def _begun(self, state: BoardState, way: _Way) -> _Way:
        with self._starting:
            if state.role in self._ways:
                raise UsageError(f"a network is on its way to {state.role}", "deploy", "wait until it is there")
            self._ways[state.role] = way
        return way

    def _led(self, state: BoardState, way: _Way, done: str, shown: str, wait: bool) -> None:
        """Talk on a thread of its own; with `wait` until that ends.

        Args:
            state: The board.
            way: What is to be brought about.
            done: Said in the log once it is.
            shown: What the screen says of the board from then on; empty: how it compares.
            wait: Whether to return only then.
        """
        threading.Thread(target=self._lead, args=(state, way, done, shown), name="deploy", daemon=True).start()
        if wait:
            way.ended.wait()
            if way.error is not None:
                raise way.error

    def _lead(self, state: BoardState, way: _Way, done: str, shown: str) -> None:
        try:
            way.error = self._talk(state.role, way)
        except BridgeError as error:
            way.error = error
        finally:
            del self._ways[state.role]
            if way.error is None:
                self._said.puts(state.role, shown)
                self._say(self._now(), state.role, "info", done)
            else:
                self._said.puts(state.role, f"{way.not_done}: {way.error}")
                self._say(self._now(), state.role, "warning", f"{way.not_done}: {way.error}")
            way.ended.set()

    def _talk(self, role: str, way: _Way) -> BridgeError | None:
        """Return why it did not get there; None: it did."""
        assert self._bridge is not None
        placing = way.placing
        while not (placing.done or placing.failed):
            state = next(one for one in self._bridge.boards() if one.role == role)
            if self._closed or state.state != "live":
                return NoAnswer("the board has gone meanwhile", role, "deploy it again once it is there")
            with way.lock:
                placing.met(state.info)
                say: list[Message] = placing.due(self._now())
            for message in say:
                self._bridge.send(role, message)
            way.heard.wait(_LOOK_S)
            way.heard.clear()
        if not placing.failed:
            return None
        if placing.unanswered:
            return NoAnswer(placing.failed, role, "check the link")
        from hil.onboard import refusal_of

        why = placing.failed
        if isinstance(placing, Placing) and placing.upload.failed:
            why = refusal_of(placing.upload)
        return UsageError(why, role, "`hil model deploy MODEL --dry-run` tells what it needs")
