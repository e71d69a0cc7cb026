"""The way to an emulator beside its board's line: a Unix socket on which the host sets what a chip senses.

Rule of this room: sockets and their times; what is said is `qmp`'s.
"""

import socket
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from firmware_bridge.errors import NoAnswer, PortLost
from firmware_bridge.firmware.chips import DEVICE
from firmware_bridge.firmware.qmp import Lines, QmpRefused, answer, command, is_greeting

__all__ = ["Control"]

_WITHIN_S = 10.0


class Control:
    """An emulator's control; connected when it is first used, and anew where the emulator was started again.

    Args:
        path: The socket, as `qmp=PATH` named it in the board's port.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket: socket.socket | None = None
        self._lines = Lines(str(path))
        self._number = 0

    def __enter__(self) -> "Control":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let it go; it may be used again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def set(self, setting: Mapping[str, int]) -> None:
        """Set properties of the chip, one after another; they hold when this returns.

        Args:
            setting: Values by property, as `chips.told` gives them.

        Raises:
            QmpRefused: The emulator refuses one.
            NoAnswer: It does not answer in time.
            PortLost: It is not there.
        """
        for name, value in setting.items():
            arguments = {"path": f"/machine/peripheral/{DEVICE}", "property": name, "value": value}
            try:
                self.ask("qom-set", arguments)
            except PortLost:
                self.ask("qom-set", arguments)  # started again since: a new conversation

    def ask(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Return the answer to a command.

        Raises:
            QmpRefused: The emulator refuses it.
            NoAnswer: It does not answer in time.
            PortLost: It is not there.
        """
        try:
            if self._socket is None:
                self._begin()
            return self._asked(name, arguments)
        except QmpRefused:
            raise
        except TimeoutError:
            self.close()
            raise NoAnswer(f"the emulator does not answer {name} in {_WITHIN_S:g} s", str(self._path), "") from None
        except OSError as error:
            self.close()
            raise PortLost(f"the emulator cannot be told anything ({error})", str(self._path), "does it run?") from None

    def _begin(self) -> None:
        connection = socket.socket(socket.AF_UNIX)
        self._socket, self._lines = connection, Lines(str(self._path))
        connection.settimeout(_WITHIN_S)
        connection.connect(str(self._path))
        while not any(is_greeting(line) for line in self._heard(connection)):
            pass
        self._asked("qmp_capabilities", None)

    def _asked(self, name: str, arguments: Mapping[str, Any] | None) -> Any:
        assert self._socket is not None
        self._number += 1
        self._socket.sendall(command(name, self._number, arguments))
        while True:
            for line in self._heard(self._socket):
                if (found := answer(line, self._number, str(self._path))) is not None:
                    return found[0]

    def _heard(self, connection: socket.socket) -> list[Mapping[str, Any]]:
        data = connection.recv(65536)
        if not data:
            raise ConnectionResetError("it closed its socket")
        return list(self._lines.feed(data))
