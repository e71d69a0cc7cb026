"""What to tell a person when a port does not work: whose fault it is and the command that mends it.

Pure: facts in, an error with one sentence out. `Facts` is gathered by `ports` from the system (or written by a test);
nothing here opens, lists or asks anything.
"""

import errno
import re
from dataclasses import dataclass
from difflib import get_close_matches

from firmware_bridge.errors import PortBusy, PortDenied, PortLost, PortMissing, TransportError

__all__ = ["Facts", "Holder", "explain", "reset_on_open", "silent", "wrong_baud"]

BAUDS = (115200, 9600, 921600, 57600, 230400, 460800, 38400, 1000000, 19200)
"""Rates worth trying, the most usual first."""

_MISSING = {errno.ENOENT, errno.ENODEV, errno.ENXIO}
_DENIED = {errno.EACCES, errno.EPERM}
_BUSY = {errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK}


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a port open.

    Attributes:
        pid: Process id.
        name: Name of the program.
        user: Who runs it.
        since: When it took the port, as people read it; empty where nobody knows.
    """

    pid: int
    name: str
    user: str = ""
    since: str = ""

    def __str__(self) -> str:
        user = f" of user {self.user}" if self.user else ""
        since = f" since {self.since}" if self.since else ""
        return f"{self.name}{user} (pid {self.pid}){since}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the system knows that explains a failure.

    Attributes:
        platform: `linux`, `darwin` or `win32`.
        user: Who asks.
        group: Group that may open the device; empty where unknown.
        in_group: Whether the group's list names the user (who then only has to log in again).
        holders: Programs that have the device open.
        running: Names of running programs that are known to meddle (`brltty`, `ModemManager`).
        ports: Names of the serial ports that exist.
    """

    platform: str = "linux"
    user: str = ""
    group: str = ""
    in_group: bool = False
    holders: tuple[Holder, ...] = ()
    running: frozenset[str] = frozenset()
    ports: tuple[str, ...] = ()


def _names(facts: Facts) -> set[str]:
    return {holder.name for holder in facts.holders}


def _meddler(facts: Facts) -> tuple[str, str] | None:
    if "brltty" in _names(facts):
        return ("brltty, the driver of braille displays, has taken this USB adapter",
                "free it with `sudo systemctl disable --now brltty-udev brltty` (or `sudo apt remove brltty`) and plug "
                "the board in again")  # fmt: skip
    if "ModemManager" in _names(facts):
        return ("ModemManager is probing it as if it were a modem",
                "wait 30 seconds, or end that with `sudo systemctl disable --now ModemManager`")  # fmt: skip
    return None


def _missing(port: str, facts: Facts) -> TransportError:
    if facts.platform == "linux" and "brltty" in facts.running and "ttyUSB" in port:
        return PortMissing(
            "no such port; brltty, the driver of braille displays, is running and takes such adapters away as they are "
            "plugged in", port, "run `sudo systemctl disable --now brltty-udev brltty` and plug the board in again",
        )  # fmt: skip
    if facts.ports:
        return PortMissing("no such port", port, _nearest_port(port, facts.ports) + "; `hil ports` tells more")
    return PortMissing("no such port, and no serial port is attached", port,
                       "plug the board in and run `hil ports`, or try `virtual://watch`")  # fmt: skip


def _nearest_port(port: str, ports: tuple[str, ...]) -> str:
    """The nearest port: one of the same kind (`/dev/ttyACM1` for `/dev/ttyACM0`), else one that is hardly misspelt."""
    kind = port.rstrip("0123456789")
    near = [name for name in ports if name.rstrip("0123456789") == kind] or get_close_matches(port, ports, 1, 0.85)
    return f"did you mean `{near[0]}`?" if near else f"there {'are' if ports[1:] else 'is'} {', '.join(ports)}"


def _denied(port: str, facts: Facts) -> TransportError:
    if facts.platform == "linux" and facts.group:
        if facts.in_group:
            return PortDenied(f"user {facts.user} may not open it yet", port,
                              f"log out and in again (the group {facts.group} was given after the last login), or run "
                              f"`newgrp {facts.group}`")  # fmt: skip
        return PortDenied(f"user {facts.user} may not open it (only the group {facts.group} may)", port,
                          f"run `sudo usermod -aG {facts.group} {facts.user}` and log in again")  # fmt: skip
    return PortDenied(f"user {facts.user or 'this user'} may not open it", port, f"run `sudo chmod a+rw {port}`")


def _busy(port: str, facts: Facts) -> TransportError:
    if meddler := _meddler(facts):
        return PortBusy(meddler[0], port, meddler[1])
    if facts.holders:
        who = " and ".join(str(holder) for holder in facts.holders)
        pids = " ".join(str(holder.pid) for holder in facts.holders)
        end = f"taskkill /PID {pids}" if facts.platform == "win32" else f"kill {pids}"
        return PortBusy(f"it is held by {who}", port, f"close that program (`{end}`), or wait for it with --wait")
    if "ModemManager" in facts.running:
        return PortBusy("another program holds it, most likely ModemManager, which probes new ports", port,
                        "wait 30 seconds, or run `sudo systemctl disable --now ModemManager`")  # fmt: skip
    look = "look for an open serial monitor and close it"
    return PortBusy("another program holds it", port,
                    look if facts.platform == "win32" else f"{look} (`sudo fuser -v {port}` names it)")  # fmt: skip


def explain(error: Exception, port: str, facts: Facts) -> TransportError:
    """Return the sentence for a failed opening.

    Args:
        error: What the system or the library raised; its `errno` decides.
        port: The port as the user wrote it.
        facts: What else is known.
    """
    number = getattr(error, "errno", None)
    if number is None and (quoted := re.search(r"\[Errno (\d+)\]", str(error))):  # a library wrapped the system's error
        number = int(quoted[1])
    if facts.platform == "win32" and (number == errno.EACCES or "PermissionError" in str(error)):
        return _busy(port, facts)
    if facts.platform == "win32" and "FileNotFoundError" in str(error):
        return _missing(port, facts)
    if number in _MISSING:
        return _missing(port, facts)
    if number in _DENIED:
        return _denied(port, facts)
    if number in _BUSY:
        return _busy(port, facts)
    if number == errno.EIO:
        return PortLost("the device does not answer the driver", port, "unplug the board and plug it in again")
    if number in (errno.ENOTTY, errno.EISDIR, errno.EINVAL) or "Inappropriate ioctl" in str(error):
        return TransportError("this is no serial port, or it refuses these settings", port,
                              "`hil ports` lists serial ports; ?baud= and ?parity= change the settings")  # fmt: skip
    if number == errno.ECONNREFUSED:
        return PortMissing("nobody listens there", port, "start the server, or check host and port number")
    if type(error).__name__ == "gaierror":
        return PortMissing("no host of that name is known", port, "check the spelling, or give its address")
    if isinstance(error, TimeoutError) or number in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT):
        return PortMissing("the host does not answer", port, "check the address and the network")
    return TransportError(f"cannot be opened ({error})", port, "`hil ports` tells who holds it and what is attached")


def wrong_baud(port: str, baud: int, received: int, seconds: float) -> str:
    """Return the sentence for a line on which bytes came and none made sense."""
    other = next(rate for rate in BAUDS if rate != baud)
    base = port.partition("?")[0]
    return (
        f"{port}: {received} bytes came in {seconds:.0f} s and none made sense, so {baud} baud is most likely wrong; "
        f"try `{base}?baud={other}`, or the rate in its data sheet (a board that speaks its own format needs "
        f"--board-file)"
    )


def silent(port: str, seconds: float, serial: bool) -> str:
    """Return the sentence for a port that opened and says nothing."""
    why = "press the board's reset key, or try ?dtr=on&rts=off or another ?baud=" if serial else "check its program"
    return f"{port}: open for {seconds:.0f} s and no byte came; {why}"


def reset_on_open(port: str) -> str:
    """Return the sentence for a board that starts anew each time its port is opened."""
    base = port.partition("?")[0]
    return (
        f"{port}: the board started anew because opening the port pulled its DTR line; open it as `{base}?dtr=off`, "
        f"and on Linux keep the line quiet with `stty -F {base} -hupcl`"
    )
