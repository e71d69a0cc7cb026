"""A board that runs a network: the network is sent, windows are put to it, and its layers are looked at.

    with OnBoard.open("firmware://qemu") as board:
        board.deploy(blob)
        answers = board.infer(windows, "imu")

Rule of this room: the thin shell around `wire.deploying` and `wire.asking`. It opens the port for itself alone and
starts no sampling, so that nothing but the network is at work on the board; what a board says is never repaired here.
"""

import zlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from firmware_bridge.clock import Clock, SystemClock
from firmware_bridge.errors import BridgeError, NoAnswer, UsageError
from firmware_bridge.oplist.check import Refusal
from firmware_bridge.oplist.table import NAMES, Code, Reason
from firmware_bridge.plan import Port
from firmware_bridge.streams import BoardInfo, Stream
from firmware_bridge.way import Way
from firmware_bridge.wire.asking import LAST_LAYER, Answer, Asker
from firmware_bridge.wire.deploying import Upload, chunk_room
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.placing import NO_MORE
from hil.dialogue.dialogue import Dialogue

__all__ = ["Answer", "Deployed", "OnBoard", "Sampled", "refusal_of"]


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a board says of the network that it holds now.

    Attributes:
        blob_bytes: Of the op list and its weights.
        arena_bytes: Of the tensors.
        model_limit: Bytes it has for an op list; None where it does not say.
        arena_limit: Bytes it has for tensors; None where it does not say.
        resent: Bytes that had to be sent more than once.
    """

    blob_bytes: int
    arena_bytes: int
    model_limit: int | None
    arena_limit: int | None
    resent: int


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """What a board made of its own samples: number of the window's last sample, outputs int8 `(k,)`, and its cost."""

    sample: int
    outputs: npt.NDArray[np.int8]
    elapsed_ticks: int
    instructions: int | None


class OnBoard:
    """A board at an open port.

    Args:
        way: Opens and closes the port.
        clock: Time.
        seed: Where the ids of windows begin.

    Raises:
        NoAnswer: Nobody said HELLO.
        BridgeError: The port cannot be opened.
    """

    def __init__(self, way: Port, clock: Clock | None = None, *, seed: int = 0) -> None:
        self._clock = clock or SystemClock()
        self._talk = Dialogue(way, self._clock)
        self._next_id, self._stream = seed & 0xFFFFFFFF, ""

    @property
    def info(self) -> BoardInfo:
        """Who it is and what it has room for, as it said last."""
        return self._talk.info

    @property
    def said(self) -> list[str]:
        """Lines for people that it sent so far."""
        return self._talk.said

    @classmethod
    def open(cls, port: str, *, seed: int = 0) -> Self:
        """Open a port and wait until the board said who it is.

        Args:
            port: Any address, `firmware://qemu` too.
            seed: Where the ids of windows begin.

        Raises:
            NoAnswer: Nobody said HELLO.
            BridgeError: The port cannot be opened.
        """
        clock = SystemClock()
        return cls(Way(port, clock), clock, seed=seed)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the port; a second time does nothing."""
        self._talk.close()

    # ------------------------------------------------------------------ what it is asked for

    def deploy(self, blob: bytes) -> Deployed:
        """Send a network and have it checked.

        Args:
            blob: An op list, as `firmware_bridge.oplist.pack` makes it.

        Returns:
            What the board says it holds.

        Raises:
            UsageError: The board refuses it; the sentence says why, and for an op which and its operator.
            NoAnswer: The board does not answer.
        """
        upload = Upload(
            blob, chunk_room(self._talk.down.max_frame, self._talk.down.crc_bits), self._talk.limit("rx_buffer") or 0
        )
        self._talk.lead(upload)
        if upload.failed:
            if upload.unanswered:
                raise NoAnswer(upload.failed, self._talk.port, "check the link")
            raise UsageError(
                refusal_of(upload), self._talk.port, "`hil model deploy MODEL --dry-run` tells what it needs"
            )
        self._talk.meet()
        held = self.info.extra.get("network", {})
        if held.get("crc32") != zlib.crc32(blob):
            raise BridgeError("the board says that it holds another network", self._talk.port, "deploy it again")
        return Deployed(held["bytes"], held["arena"], self._talk.limit("model_bytes"), self._talk.limit("arena_bytes"),
                        upload.resent)  # fmt: skip

    def infer(
        self, windows: npt.NDArray[Any], stream: str, progress: Callable[[int], None] | None = None
    ) -> Sequence[Answer | None]:
        """Put windows to the network.

        Args:
            windows: `(N, rows, *shape)` raw integers of the stream.
            stream: Its name.
            progress: Called with the number of windows answered, now and then.

        Returns:
            One answer a window; None where none came although it was asked again.

        Raises:
            UsageError: The board has no such stream, or refuses the windows.
        """
        self._stream = stream
        asker = self._asker(windows, stream, None)
        self._talk.lead(asker, None if progress is None else lambda: progress(sum(map(bool, asker.answers))))
        if asker.failed:
            raise UsageError(asker.failed, self._talk.port, "deploy the network that reads such windows")
        return asker.answers

    def tap(self, window: npt.NDArray[Any], layer: int, stream: str = "") -> npt.NDArray[np.int8] | None:
        """Return what a layer of the network gives for one window.

        Args:
            window: `(rows, *shape)` raw integers.
            layer: Number of the op.
            stream: What it is of; empty: that of the last windows, or the board's first.

        Returns:
            int8 `(rows * channels,)` in the order of the tensor; None where it did not come.

        Raises:
            UsageError: There is no such layer, or the board refuses the window.
        """
        self._talk.command(Message(Kind.TAP, {"layer": layer}))
        asker = self._asker(window[None], stream or self._stream or self.info.streams[0].name, layer)
        self._talk.lead(asker)
        self._talk.command(Message(Kind.TAP, {"layer": LAST_LAYER}))
        if asker.failed:
            raise UsageError(asker.failed, self._talk.port, "deploy the network that reads such windows")
        return asker.layers[0]

    def start_stream(self, stream: str, hop: int) -> None:
        """Have the network run on the board's own samples, once every `hop` of them, until told otherwise.

        A board numbers its samples in 32 bits, and its windows end where that number is a multiple of the hop. So after
        4,294,967,296 samples (49.7 days at 1,000 Hz) one hop that does not divide that is shorter, and the board's
        windows end elsewhere than those of a model on the host, which counts in 64 bits; powers of two are spared.

        Raises:
            UsageError: The board refuses it.
        """
        fields = {"stream": self._stream_id(stream), "on": 1, "hop": hop}
        self._talk.command(Message(Kind.STREAM_INFER, fields))

    def stop_stream(self) -> None:
        """Have the network run on the board's own samples no longer; it stays on the board.

        Raises:
            UsageError: The board refuses it: no network is there, or it runs none at all.
        """
        self._talk.command(NO_MORE)

    def listen(self, seconds: float, nonce: int = 1) -> Generator[Sampled, None, None]:
        """Start sampling and yield what the network makes of it.

        Args:
            seconds: How long.
            nonce: Of the run; samples are numbered from 0.
        """
        self._talk.command(Message(Kind.START, {"nonce": nonce, "streams": 0, "injected": 0}))
        end, over = self._clock.now_ns() + round(seconds * 1e9), False
        try:
            while not over:
                over = self._clock.now_ns() >= end  # and one more look: what came while the host was busy is there now
                for message in self._talk.heard():
                    if message.kind == Kind.RESULT and message.keyed_by == 1 and message.layer == LAST_LAYER:
                        outputs = np.frombuffer(message.tail, np.int8, min(message.n, len(message.tail)))
                        yield Sampled(message.key, outputs, message.elapsed, message.instructions or None)
        finally:  # whoever hears enough earlier leaves no board sampling
            self._talk.command(Message(Kind.STOP))

    # ------------------------------------------------------------------ pieces

    def _stream_id(self, stream: str) -> int:
        if stream not in self._talk.down.ids:
            there = ", ".join(self._talk.down.ids)
            raise UsageError(f"the board has no stream `{stream}`", self._talk.port, f"it has {there}")
        return self._talk.down.ids[stream]

    def _asker(self, windows: npt.NDArray[Any], stream: str, layer: int | None) -> Asker:
        stream_id = self._stream_id(stream)
        raw = _as_sent(windows, self.info.stream(stream), self._talk.port)
        asker = Asker(
            [one.tobytes() for one in raw], stream_id, raw.shape[1], in_flight=self._talk.limit("rx_buffer") or 0,
            first_id=self._next_id, layer=layer,
        )  # fmt: skip
        self._next_id = (self._next_id + len(raw)) & 0xFFFFFFFF
        return asker


def _as_sent(windows: npt.NDArray[Any], stream: Stream, where: str) -> npt.NDArray[Any]:
    """Return windows in the stream's dtype.

    Raises:
        UsageError: They have another shape, or numbers that it cannot hold.
    """
    raw = np.ascontiguousarray(windows, np.dtype(stream.dtype))
    if windows.ndim != 2 + len(stream.shape) or windows.shape[2:] != stream.shape or (raw != windows).any():
        raise UsageError(
            f"windows of {windows.dtype}{list(windows.shape)} are no raw readings of stream {stream.name} "
            f"({np.dtype(stream.dtype)}[windows, rows, {', '.join(map(str, stream.shape))}])",
            where, "give the integers as the board sends them",
        )  # fmt: skip
    return raw


def refusal_of(upload: Upload) -> str:
    """Return why a board refuses a network, with the op and the operator where one is at fault."""
    if upload.refusal is None:
        return upload.failed
    reason, code, op = upload.refusal
    if reason not in set(Reason):
        return f"{upload.failed}: reason {reason} at op {op}"
    operator = f", operator {NAMES[Code(code)] if code in set(Code) else code}" if reason >= Reason.UNKNOWN_OP else ""
    return f"{upload.failed}: {Refusal(Reason(reason), op)}{operator}"
