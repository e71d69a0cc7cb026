"""How a screen joins an engine: a client that asks for snapshots and gives commands over the loopback socket.

A client is for one thread at a time (a lock makes it safe for more). When the connection breaks it is made anew once;
when the engine itself is gone, that is said in one sentence. `spawn_engine` starts an engine that lives no longer than
this process (its leash is a pipe) unless it is told to stay.
"""

import atexit
import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import threading
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

import firmware_bridge.errors as known_errors
from firmware_bridge.errors import BridgeError, NoAnswer, UsageError
from hil.door.server import ASK, ERROR, SNAPSHOT, receive, send
from hil.views.message import pack, unpack
from hil.views.snapshot import Snapshot
from hil.views.view import View

if TYPE_CHECKING:
    from hil.config import EngineConfig

__all__ = ["Client", "attach", "spawn_engine", "spawn_librarian", "spawn_runner"]

ANSWER_S = 30.0
"""Loading a recording or seeking in a long one takes seconds; more than this is no answer."""
END_S = 30.0
_STAYING: list["subprocess.Popen[bytes]"] = []
"""Engines that were told to stay: nobody here waits for them."""


class Client:
    """A screen's side of an engine.

    Args:
        address: `host:port`, as the engine printed it.
        token: As the engine printed it.
        process: The engine, if this process started it: `close` ends it.

    Raises:
        NoAnswer: No engine answers there.
        UsageError: The token is wrong.
    """

    def __init__(self, address: str, token: str, process: "subprocess.Popen[bytes] | None" = None) -> None:
        self.address = address
        self.token = token
        self.process = process
        self.summary: dict[str, Any] | None = None
        """What came of it all, once an engine that this process started has ended."""
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def snapshot(self, view: View) -> Snapshot:
        """Return what a screen that asks for `view` shows now.

        Raises:
            NoAnswer: The engine is gone.
        """
        kind, block = self._ask({"view": view.to_dict()})
        if kind != SNAPSHOT:
            raise UsageError("the engine answered something else than a snapshot", self.address, "restart both")
        return Snapshot.from_wire(block)

    def command(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """Have the engine do something; see `Engine.verbs`.

        Raises:
            NoAnswer: The engine is gone.
            BridgeError: It refused; the sentence says why.
        """
        return unpack(self._ask({"verb": verb, "arguments": arguments})[1])

    def close(self) -> None:
        """Leave; an engine that this process started ends its recording and itself, and `summary` is filled."""
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(BridgeError):
                self.command("quit")
        with self._lock:
            self._drop()
        if self.process is not None:
            self._await_end(self.process)

    def _ask(self, message: dict[str, Any]) -> tuple[bytes, bytes]:
        block = pack(message)
        with self._lock:
            for last in (False, True):
                said = False
                try:
                    if self._socket is None:
                        self._connect()
                    assert self._socket is not None
                    said = True
                    send(self._socket, ASK, block)
                    kind, answer = receive(self._socket)
                    break
                except (OSError, NoAnswer) as error:
                    self._drop()
                    if last or (isinstance(error, TimeoutError) and not isinstance(error, NoAnswer)):
                        raise NoAnswer("the engine is gone", self.address, self._last_words()) from error
                    self._connect()
                    if said and "view" not in message:  # a command that may have been heard is not given twice
                        raise NoAnswer(
                            f"the connection was cut, and nobody knows whether {message['verb']!r} was done",
                            self.address, "look, and ask again if it was not",
                        ) from error  # fmt: skip
        if kind == ERROR:
            raise _raised(unpack(answer).get("error", {}))
        return kind, answer

    def _connect(self) -> None:
        host, _, port = self.address.rpartition(":")
        peer: socket.socket | None = None
        try:
            peer = socket.create_connection((host, int(port)), timeout=ANSWER_S)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            send(peer, ASK, pack({"token": self.token}))
            kind, answer = receive(peer)
        except (OSError, NoAnswer) as error:
            if peer is not None:
                peer.close()
            raise NoAnswer("no engine answers", self.address, self._last_words()) from error
        except ValueError as error:
            raise UsageError(f"{self.address!r} is no address", "attach", "give HOST:PORT") from error
        if kind == ERROR:
            peer.close()
            raise _raised(unpack(answer).get("error", {}))
        self._socket = peer

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _last_words(self) -> str:
        status = None if self.process is None else self.process.poll()
        return "start it again" if status is None else f"its process has ended with status {status}; start it again"

    def _await_end(self, process: "subprocess.Popen[bytes]") -> None:
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        for hurry in (process.terminate, process.kill):  # first without waiting for models that are behind
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_S)
                break
            hurry()
        process.wait()
        if process.stdout is not None:
            for line in process.stdout.read().splitlines():
                with contextlib.suppress(ValueError):
                    self.summary = json.loads(line).get("summary", self.summary)
            process.stdout.close()


def attach(address: str, token: str) -> Client:
    """Join an engine that runs.

    Raises:
        NoAnswer: No engine answers there.
        UsageError: The token is wrong.
    """
    return Client(address, token)


def spawn_engine(config: "EngineConfig", *, stay: bool = False) -> Client:
    """Start an engine in a process of its own and join it.

    Args:
        config: What it is to do.
        stay: Let it go on when this process ends.

    Raises:
        BridgeError: It could not start; the sentence is the engine's own.
    """
    return _spawn("hil.engine", config.model_dump_json(), stay)


def spawn_librarian() -> Client:
    """Start a process that reads recordings for a screen (`hil.librarian.librarian`) and join it.

    Raises:
        BridgeError: It could not start.
    """
    return _spawn("hil.librarian", "{}")


def spawn_runner() -> Client:
    """Start a process that runs scenarios for a screen (`hil.runner`) and join it.

    Raises:
        BridgeError: It could not start.
    """
    return _spawn("hil.runner", "{}")


def _spawn(module: str, first_line: str, stay: bool = False) -> Client:
    command = [sys.executable, "-m", module, *(["--stay"] if stay else [])]
    with tempfile.TemporaryFile() as talk:
        # A session of its own: Ctrl-C in the terminal is for the screen, which then ends the engine in order.
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=talk, start_new_session=True
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(first_line.encode() + b"\n")
            process.stdin.flush()
            first = process.stdout.readline()
        except OSError:
            first = b""
        try:
            said = json.loads(first)
        except ValueError:
            said = {}
        if "address" in said:
            if stay:
                process.stdin.close()
                process.stdout.close()
                _let_stay(process)
            try:
                return Client(said["address"], said["token"], None if stay else process)
            except BridgeError:
                _end(process)  # what is no use to anybody is not left behind
                raise
        process.stdin.close()
        process.wait(END_S)
        process.stdout.close()
        if "error" in said:
            raise _raised(said["error"])
        raise NoAnswer("the engine did not start", "", _tail(talk))


def _let_stay(process: "subprocess.Popen[bytes]") -> None:
    _STAYING[:] = [one for one in _STAYING if one.poll() is None]
    _STAYING.append(process)


@atexit.register
def _leave() -> None:
    for process in _STAYING:
        if process.poll() is None:
            process.returncode = 0  # it goes on without us, and was meant to: nobody has forgotten it


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def _tail(talk: "IO[bytes]") -> str:
    talk.seek(0)
    lines = talk.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _raised(plain: dict[str, Any]) -> BridgeError:
    """Return the engine's error as the same error here."""
    kind = getattr(known_errors, str(plain.get("kind", "")), BridgeError)
    if not (isinstance(kind, type) and issubclass(kind, BridgeError)):
        kind = BridgeError
    return kind(str(plain.get("what", "")), str(plain.get("where", "")), str(plain.get("next", "")))
