"""Networks onto the boards of a bench while it runs: sent beside the samples, run on the board's own, and ended.

Rule of this room: the thin shell around `wire.placing`. It writes through the links that are open and hears answers as
one more sink, so that capture never waits and a recording holds every byte of it. One network at a time and board. A
model that is no op list yet is made one first, of what its board sent just now (`calibrating`).
"""

import threading
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firmware_bridge.batch import Batch
from firmware_bridge.bridge import BoardState, Bridge
from firmware_bridge.errors import BridgeError, NoAnswer, UsageError
from firmware_bridge.events import Arrival
from firmware_bridge.streams import Stream
from firmware_bridge.wire.messages import Message
from firmware_bridge.wire.placing import Placing, Stopping, answers_in, held
from hil.serving.boardfor import chosen, fits, reads
from hil.serving.boardsaid import BoardSaid
from hil.serving.calibrating import Calibration, calibration, contract_of
from hil.serving.shelf import OPLIST, read_oplist
from hil.serving.stage import ModelStage

if TYPE_CHECKING:
    from firmware_bridge.oplist.ops import OpList

__all__ = ["NetworkBench"]

_LOOK_S = 0.05
"""How often it is looked at where no answer comes."""
_MOST_S = 10.0
"""How long somebody who asks is let wait, at most: less than a client waits for an answer."""

Say = Callable[[int, str, str, str], None]
Kept = Callable[[str, str], Sequence[Batch]]


@dataclass(slots=True, eq=False)
class _Way:
    """A network on its way to a board, or about to end there: what is known so far, and how it is done, once made."""

    told: dict[str, Any]
    placing: Placing | Stopping | None = None
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
        kept: Returns what is kept of a stream of a board, the last seconds, in order.
    """

    def __init__(
        self, bridge: Bridge | None, models: Sequence[ModelStage], said: BoardSaid, now: Callable[[], int], say: Say,
        kept: Kept,
    ) -> None:  # fmt: skip
        self._bridge, self._models, self._said, self._now, self._say = bridge, models, said, now, say
        self._kept = kept
        self._ways: dict[str, _Way] = {}
        self._been: dict[str, _Way] = {}
        self._starting = threading.Lock()
        self._closed = False

    def accept(self, arrivals: Iterable[Arrival]) -> None:
        """Hear what boards answer."""
        if not self._ways:
            return
        for arrival in arrivals:
            way = self._ways.get(arrival.board)
            if way is not None and (placing := way.placing) is not None:
                for answer in answers_in(arrival.items):
                    with way.lock:
                        placing.take(answer, self._now())
                    way.heard.set()

    def reset(self) -> None:
        """Only replays jump."""

    def deploy(
        self, path: str, board: str | None = None, hop: int | None = None, wait: bool = False,
        data: Sequence[str] = (), percentile: float | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Put a network on a live board and have it run on the board's own samples.

        Args:
            path: An op list (`.hiln`), or a model: its file or, where it runs here, its name.
            board: Role of the board; None: the one with a stream that it reads.
            hop: Samples between two windows; None: that of the model, of an op list that of the model here that has its
                window and outputs, else the window.
            wait: Return only when it runs there.
            data: Recordings that a model is calibrated on; none: what is kept of the board's last seconds.
            percentile: Share of the values inside a range of a model, in percent; None: the usual one.

        Returns:
            `board`, `stream`, a `sentence`, and once they are known `hop`, `bytes`, `crc32` and, of a model,
            `calibrated_on`: how many windows.

        Raises:
            FileError: It is neither an op list nor a model.
            UsageError: No board here can take it, there is too little to calibrate on, or, with `wait`, the board
                refuses it.
            NoAnswer: With `wait`: the board does not answer.
        """
        if self._bridge is None:
            raise UsageError("a replay has no board that a network could be put on", "deploy", "use live boards")
        if hop is not None and not 1 <= hop <= 0xFFFF:
            raise UsageError(f"a board cannot judge every {hop} samples", "deploy", "give 1 to 65535")
        states = self._bridge.boards()
        file = Path(next((one.path for one in self._models if one.name == path), path))
        if file.suffix == OPLIST:
            blob, oplist = read_oplist(file)
            state, stream = chosen(states, fits(oplist), board)
            way = self._begun(state, stream)
            try:
                words = self._made(way, state, file.name, blob, oplist, hop or self._hop(oplist), "")
            except BridgeError:
                del self._ways[state.role]
                raise
            lead = partial(self._talk, state.role, way)
        else:
            contract = contract_of(file)
            state, stream = chosen(states, partial(reads, contract), board)
            kept = () if data else self._kept(state.role, stream.name)
            how = calibration(file, contract, state.role, stream, kept, data, percentile)
            way = self._begun(state, stream)
            words = f"{file.name} is being made an op list of, calibrated on {how.source}"
            lead = partial(self._calibrated, way, state, how, hop)
        way.told["sentence"] = words
        self._said.puts(state.role, words)
        told = dict(way.told)  # as it is now: the thread goes on with it
        threading.Thread(target=self._lead, args=(state.role, way, file.name, lead), name="deploy", daemon=True).start()
        if not wait:
            return told
        way.ended.wait()
        if way.error is not None:
            raise way.error
        return dict(way.told)

    def deployed(self, board: str, wait_s: float = 0.0) -> dict[str, Any]:
        """Return how it stands with the last network that was put on a board; see `deploy`, and whether it `ended`.

        Args:
            board: Its role.
            wait_s: How long to wait for the end, at most.

        Raises:
            BridgeError: It did not get there.
            UsageError: None was put on it.
        """
        way = self._ways.get(board) or self._been.get(board)
        if way is None:
            raise UsageError("no network was put on it", board, "deploy one")
        ended = way.ended.wait(min(wait_s, _MOST_S))
        if way.error is not None:
            raise way.error
        return {**way.told, "ended": ended}

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
        holding = [state.role for state in live if held(state.info) is not None]
        if not holding:
            who = f"{board} is no live board that holds a network" if board else "no live board here holds a network"
            raise UsageError(who, "stop", "`hil model deploy MODEL --at HOST:PORT` puts one there")
        if len(holding) > 1:
            raise UsageError("several boards hold a network", "stop", f"say which with --board: {', '.join(holding)}")
        (role,) = holding
        way = self._enter(role, _Way({"board": role, "sentence": f"{role}'s network is told to stop"}, Stopping()))
        threading.Thread(target=self._end, args=(role, way), name="stop", daemon=True).start()
        if wait:
            way.ended.wait()
            if way.error is not None:
                raise way.error
        return dict(way.told)

    def close(self) -> None:
        """Send nothing more."""
        self._closed = True
        for way in list(self._ways.values()):
            way.heard.set()
            way.ended.wait(1.0)

    # ------------------------------------------------------------------ pieces

    def _begun(self, state: BoardState, stream: Stream) -> _Way:
        return self._enter(state.role, _Way({"board": state.role, "stream": stream.name}))

    def _enter(self, role: str, way: _Way) -> _Way:
        with self._starting:
            if role in self._ways:
                raise UsageError(f"a network is on its way to {role}", "deploy", "wait until it is there")
            self._ways[role] = way
        return way

    def _made(
        self, way: _Way, state: BoardState, name: str, blob: bytes, oplist: "OpList", hop: int, how: str
    ) -> str:  # fmt: skip
        """Note what is to be sent; return the sentence about it.

        Raises:
            UsageError: It has no room on the board.
        """
        assert state.info is not None
        assert state.downlink is not None
        placing = Placing.onto(state.info, state.downlink, blob, way.told["stream"], hop)
        way.told |= {"hop": hop, "bytes": len(blob), "crc32": zlib.crc32(blob)}
        words = f"{name} ({len(blob)} bytes{how}) is being sent to {state.role}, a window every {hop} samples"
        self._said.puts(state.role, words, way.told["crc32"], oplist)
        way.placing = placing
        return words

    def _calibrated(self, way: _Way, state: BoardState, how: Calibration, hop: int | None) -> BridgeError | None:
        """Make the op list of a model, then talk as about any other."""
        made = how.made(lambda: self._closed)
        way.told["calibrated_on"] = made.windows
        self._say(self._now(), state.role, "info", f"{how.model.name} is an op list now, {made.words}")
        words = self._made(
            way, state, how.model.name, made.blob, made.oplist, hop or made.hop, f", {made.words}"
        )  # fmt: skip
        way.told["sentence"] = words
        return self._talk(state.role, way)

    def _hop(self, oplist: "OpList") -> int:
        alike = (one.hop for one in self._models
                 if one.hop and one.memory == oplist.window and len(one.labels) == oplist.outputs)  # fmt: skip
        return next(alike, oplist.window)

    def _lead(self, role: str, way: _Way, name: str, lead: Callable[[], BridgeError | None]) -> None:
        """Do what is to be done until it runs there, or cannot."""
        try:
            way.error = lead()
        except BridgeError as error:
            way.error = error
        finally:
            if way.error is None:
                way.told["sentence"] = way.told["sentence"].replace(
                    f"is being sent to {role}", f"runs on {role}'s own {way.told['stream']}"
                )
                self._said.puts(role, "")
                self._say(self._now(), role, "info", way.told["sentence"])
            else:
                self._said.puts(role, f"{name} did not get there: {way.error}")
                self._say(self._now(), role, "warning", f"{name} did not get there: {way.error}")
            self._been[role] = way
            del self._ways[role]
            way.ended.set()

    def _end(self, role: str, way: _Way) -> None:
        """Talk until the board has ended its network, or cannot."""
        try:
            way.error = self._talk(role, way)
        except BridgeError as error:
            way.error = error
        finally:
            words = f"{role}'s network " + ("runs no longer" if way.error is None else f"goes on: {way.error}")
            way.told["sentence"] = words
            self._said.puts(role, words)
            self._say(self._now(), role, "info" if way.error is None else "warning", words)
            del self._ways[role]
            way.ended.set()

    def _talk(self, role: str, way: _Way) -> BridgeError | None:
        """Return why it did not get there; None: it did."""
        assert self._bridge is not None
        placing = way.placing
        assert placing is not None
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
        from hil.dialogue.onboard import refusal_of

        why = placing.failed
        if isinstance(placing, Placing) and placing.upload.failed:
            why = refusal_of(placing.upload)
        return UsageError(why, role, "`hil model deploy MODEL --dry-run` tells what it needs")
