"""The engine's door: a loopback socket through which screens ask for snapshots and give commands.

One thread accepts, one serves each client, and a client gets an answer only to what it asked: a slow screen delays its
own next question and nobody else. A client shows the token in its first message or is turned away. A message is `u32`
length, one byte that says what it is, and a block of `hil.views.message`; nothing is ever unpickled.
"""

import contextlib
import hmac
import secrets
import socket
import struct
import threading
from typing import Protocol

from firmware_bridge.errors import BridgeError, NoAnswer, UsageError
from hil.views.message import MAX_MESSAGE, pack, unpack
from hil.views.snapshot import Snapshot
from hil.views.view import View

__all__ = ["ASK", "ERROR", "HEAD", "RESULT", "SNAPSHOT", "Server", "receive", "send"]

HEAD = struct.Struct("<Ic")
ASK, RESULT, ERROR, SNAPSHOT = b"Q", b"R", b"E", b"S"
MOST_CLIENTS = 16
FIRST_MESSAGE = 4096
"""Longest message before the token was shown."""
PATIENCE_S = 10.0
"""A client that does not take its answer for so long is let go."""
FAREWELL_S = 2.0
"""How long a server that closes waits for answers under way, such as that to `quit`."""
_LOOK_S = 0.05


class Bench(Protocol):
    """What is served: an `Engine`, or anything that answers like one."""

    def snapshot(self, view: View) -> Snapshot:
        """Return what a screen shows."""

    def command(self, verb: str, **arguments: object) -> dict[str, object]:
        """Do what a screen asks for."""


class Server:
    """Serves one bench on the loopback interface.

    Args:
        bench: What to serve.
        port: TCP port; 0 lets the system choose.
    """

    def __init__(self, bench: Bench, port: int = 0) -> None:
        self.token = secrets.token_hex(16)
        self._bench = bench
        self._clients: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._socket = socket.create_server(("127.0.0.1", port))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, name="door", daemon=True).start()

    def close(self) -> None:
        """Turn everybody away; whoever asked before is still answered."""
        self._closed = True
        # Shutting down wakes the thread that accepts; closing alone does not on every system.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        with self._lock:
            clients = dict(self._clients)
        for client in clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RD)
        left = FAREWELL_S  # counted by what was waited, not by a clock: a host that stood still owes the same answers
        for thread in clients.values():
            while thread.is_alive() and left > 0:
                thread.join(_LOOK_S)
                left -= _LOOK_S

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,), name="screen", daemon=True)
            with self._lock:
                full = len(self._clients) >= MOST_CLIENTS
                if not full:
                    self._clients[client] = thread
                    thread.start()
            if full:
                client.close()

    def _serve(self, client: socket.socket) -> None:
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.settimeout(PATIENCE_S)
            kind, block = receive(client, FIRST_MESSAGE)
            shown = unpack(block).get("token") if kind == ASK else None
            if not isinstance(shown, str) or not hmac.compare_digest(shown.encode(), self.token.encode()):
                refusal = UsageError("the token is wrong", self.address, "use the one that the engine printed")
                send(client, ERROR, pack(_error(refusal)))
                return
            send(client, RESULT, pack({}))
            while not self._closed:
                client.settimeout(None)
                _, block = receive(client)
                client.settimeout(PATIENCE_S)
                send(client, *self._answer(block))
        except (OSError, UsageError, NoAnswer):
            return
        finally:
            with self._lock:
                self._clients.pop(client, None)
            client.close()

    def _answer(self, block: bytes) -> tuple[bytes, bytes]:
        try:
            asked = unpack(block)
            if "view" in asked:
                return SNAPSHOT, self._bench.snapshot(View.from_dict(asked["view"])).to_wire()
            return RESULT, pack(self._bench.command(str(asked.get("verb", "")), **asked.get("arguments", {})))
        except BridgeError as error:
            return ERROR, pack(_error(error))
        except Exception as error:  # the screen is told, the engine goes on
            trouble = UsageError(f"the engine could not answer: {error!r}", self.address, "ask for something else")
            return ERROR, pack(_error(trouble))


def _error(error: BridgeError) -> dict[str, object]:
    return {"error": {**error.as_dict(), "kind": type(error).__name__}}


def send(peer: socket.socket, kind: bytes, block: bytes) -> None:
    """Send one message; raises OSError."""
    peer.sendall(HEAD.pack(len(block), kind) + block)


def receive(peer: socket.socket, most: int = MAX_MESSAGE) -> tuple[bytes, bytes]:
    """Return what one message is and its block.

    Raises:
        NoAnswer: The other side has gone.
        UsageError: It is longer than `most`.
        OSError: The socket failed.
    """
    length, kind = HEAD.unpack(_exactly(peer, HEAD.size))
    if length > most:
        raise UsageError(f"a message of {length} bytes is too long", "engine", "use the same version on both sides")
    return kind, _exactly(peer, length)


def _exactly(peer: socket.socket, size: int) -> bytes:
    data = bytearray(size)
    view, at = memoryview(data), 0
    while at < size:
        count = peer.recv_into(view[at:])
        if not count:
            raise NoAnswer("the other side has gone", "engine", "start it again")
        at += count
    return bytes(data)
