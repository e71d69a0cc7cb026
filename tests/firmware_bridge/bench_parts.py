"""Parts that tests of ports share: a pseudo terminal as a board, a scripted port, a conversation that counts bytes."""

import contextlib
import os
import tty
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from firmware_bridge.address import SerialSettings
from firmware_bridge.errors import PortLost, PortMissing, TransportError
from firmware_bridge.events import Arrival, Connected, Log, Stall
from firmware_bridge.hints import Facts, Holder
from firmware_bridge.ports import PortInfo, System
from firmware_bridge.streams import BoardInfo


class PtyBoard:
    """A board on a pseudo terminal whose device keeps its name (a link) while the terminal behind it changes."""

    def __init__(self, folder: Path, name: str = "ttyBOARD") -> None:
        self.path = folder / name
        self.master = -1

    @property
    def port(self) -> str:
        return str(self.path)

    def plug(self) -> "PtyBoard":
        self.master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self.master, False)
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        self.path.symlink_to(os.ttyname(slave))
        os.close(slave)
        return self

    def unplug(self) -> None:
        self.path.unlink()
        os.close(self.master)
        self.master = -1

    def say(self, data: bytes) -> None:
        assert os.write(self.master, data) == len(data)

    def heard(self, count: int = 4096) -> bytes:
        try:
            return os.read(self.master, count)
        except OSError:
            return b""


@dataclass
class FakeSystem(System):
    """A machine made up by a test."""

    ports: list[PortInfo] = field(default_factory=list)
    known: Facts = field(default_factory=Facts)
    held: dict[str, tuple[Holder, ...]] = field(default_factory=dict)

    def serial_ports(self) -> list[PortInfo]:
        return list(self.ports)

    def firmware_ports(self) -> list[PortInfo]:
        return []

    def virtual_ports(self) -> list[PortInfo]:
        return []

    def holders(self, devices: Any) -> dict[str, tuple[Holder, ...]]:
        return self.held

    def running(self) -> frozenset[str]:
        return self.known.running

    def facts(self, device: str, error: Exception | None = None) -> Facts:
        return self.known


class ScriptedTransport:
    """A port that says what a test wrote down: bytes, `b""`, or an error to raise."""

    def __init__(self, reads: list[bytes | Exception], room: int | None = None) -> None:
        self.name = "scripted"
        self.notes: tuple[str, ...] = ()
        self.reads = reads
        self.room = room
        self.written: list[bytes] = []
        self.waits: list[float] = []
        self.closed = False

    def read(self, max_wait_s: float) -> bytes:
        self.waits.append(max_wait_s)
        if not self.reads:
            return b""
        item = self.reads.pop(0)
        if isinstance(item, Exception):
            raise item
        return item

    def write(self, data: bytes) -> int:
        count = len(data) if self.room is None else min(self.room, len(data))
        if count:
            self.written.append(data[:count])
        return count

    def wake(self) -> None: ...

    def close(self) -> None:
        self.closed = True


class ScriptedWay:
    """A way that opens one scripted transport after the other; an error in its place is raised."""

    def __init__(self, transports: list[ScriptedTransport | TransportError], *, serial: bool = False) -> None:
        self.port = "/dev/ttyACM0"
        self.is_serial = serial
        self.settings = SerialSettings()
        self.transports = transports
        self.opened: list[ScriptedTransport] = []

    def open(self, wait_s: float = 0.0, given_up: Callable[[], bool] = lambda: False) -> ScriptedTransport:
        if not self.transports:
            raise PortMissing("no such port", self.port)
        item = self.transports.pop(0)
        if isinstance(item, TransportError):
            raise item
        self.opened.append(item)
        return item

    def wake(self) -> None: ...

    def close(self) -> None:
        for transport in self.opened:
            transport.closed = True

    def is_gone(self, error: Exception) -> bool:
        return isinstance(error, PortMissing)


class CountingSession:
    """A conversation that knows a board once it sees `I am MODEL SERIAL;` and counts every byte."""

    def __init__(self, role: str, judge: Callable[[BoardInfo], str | None]) -> None:
        self.board, self._judge = role, judge
        self.info: BoardInfo | None = None
        self.refused = ""
        self.boot = 0
        self.dialect = SimpleNamespace(send=lambda command: f"{command}\n".encode())
        self.to_write: list[bytes] = []
        self.applied: list[Arrival] = []
        self._bytes = 0
        self._text = b""

    def apply(self, arrival: Arrival) -> Arrival:
        self.applied.append(arrival)
        items: list[Any] = []
        if arrival.kind == "open":
            self._text, self.refused = b"", ""
        if arrival.kind == "stall":
            items.append(Stall(self.board, arrival.t_ns, int(arrival.data)))
        if arrival.kind == "rx":
            self._bytes += len(arrival.data)
            self._text += arrival.data
            if b"I am " in self._text and b";" in self._text:
                model, serial = self._text.split(b"I am ")[1].split(b";")[0].decode().split(" ")
                info = BoardInfo(model, serial, "", (), "test")
                self.refused = self._judge(info) or ""
                if self.refused:
                    items.append(Log(self.board, arrival.t_ns, "error", self.refused))
                else:
                    self.info = info
                    items.append(Connected(self.board, arrival.t_ns, info, 0))
        return Arrival(self.board, arrival.seq, arrival.t_ns, arrival.kind, arrival.data, tuple(items), self._bytes)

    def due(self, now: int) -> tuple[bytes, int | None]:
        return (self.to_write.pop(0) if self.to_write else b""), None

    def books(self) -> int:
        return self._bytes

    def clock(self) -> None:
        return None


LOST = PortLost("the device went away", "/dev/ttyACM0")
