"""The examination: this computer, its terminal, the ports, and one port with what is attached to it.

Rule of this room: it only puts the others together and says what it comes to. A port that cannot be opened is a
finding like any other, with what to do.
"""

import os
import sys
from collections.abc import Iterator, Mapping

from firmware_bridge.address import parse_port
from firmware_bridge.clock import Clock, SystemClock
from firmware_bridge.errors import TransportError
from firmware_bridge.ports import System
from firmware_bridge.roles import parse_spec
from hil.doctor import adapter, host, line, terminal
from hil.doctor.finding import OK, TROUBLE, UNKNOWN, Checkup, Finding

__all__ = ["SECONDS", "Terminal", "examine", "safe_rates"]

SECONDS = 4.0
"""How long a port is listened to, where nobody said."""

SAFE = 0.7
"""Share of a line that may be used: the rest is for answers, commands and bursts."""

KINDS = {"3 axes, 16 bit": 6, "6 axes, 16 bit": 12, "8 channels, 32 bit": 32}
"""Bytes of a sample of some kinds of board."""

OVERHEAD, PER_FRAME = 24, 8
"""Bytes of a native frame beside its samples, and how many samples share one."""

Terminal = tuple[Mapping[str, str], bool, tuple[int, int], str]
"""Environment, whether somebody looks, columns and rows, encoding."""


def examine(
    port: str | None = None, seconds: float = SECONDS, *, loopback: bool = False, seed: int = 0,
    screen: Terminal | None = None, clock: Clock | None = None, system: System | None = None,
) -> Checkup:  # fmt: skip
    """Look at everything.

    Args:
        port: A port to open and listen to; None: the computer and its ports alone.
        seconds: How long to listen.
        loopback: The port has a plug that joins its TX to its RX.
        seed: Of the bytes that go around such a plug.
        screen: What is known of the terminal; None: that of this process.
        clock: Dates what comes.
        system: The machine's ports.

    Raises:
        UsageError: The port cannot be meant.
    """
    clock, system = clock or SystemClock(), system or System()
    found = [*host.judge(host.measure()), *terminal.judge(*(screen or _terminal()))]
    if port is None:
        return Checkup((*found, *_ports(system)))
    spec = parse_spec(port)
    address = parse_port(spec.port)
    device = address.target if address.scheme == "serial" else ""
    if device and os.path.exists(device):
        found += adapter.access(device, system.facts(device), os.access(device, os.R_OK | os.W_OK))
        found += adapter.adapter(device)
    baud = address.settings().baud if address.scheme in ("serial", "usb", "rfc2217") else None
    is_pty = os.path.realpath(device).startswith("/dev/pts/") if device else False
    baud = None if is_pty else baud
    try:
        if loopback:
            looped = line.loop_back(spec.port, seconds, clock, seed)
            found += line.judge_looped(spec.port, looped, baud)
            least = min(looped.trips_us, default=None)
            rate = looped.back / looped.seconds if looped.back else None
            return Checkup(tuple(found), spec.port, None if least is None else least / 2, safe_rates(rate, baud))
        heard = line.listen(spec, seconds, clock)
    except TransportError as error:
        return Checkup((*found, Finding(TROUBLE, spec.port, "opening", error.what, error.next_step)), spec.port)
    found += line.judge_heard(spec.port, heard, baud)
    bound = heard.uncertainty_us
    if bound is None and heard.trips_us:
        bound = min(heard.trips_us) / 2
    return Checkup(tuple(found), spec.port, bound, safe_rates(None, baud))


def safe_rates(measured: float | None, baud: int | None) -> dict[str, float]:
    """Return how many samples a second some kinds of board may send: 70 % of the line, as native frames.

    Args:
        measured: Bytes a second that were carried; None where that was not measured.
        baud: Bits a second of the line, ten a byte; None where it has none.
    """
    known = [rate for rate in (measured, None if baud is None else baud / 10) if rate]
    if not known:
        return {}
    return {name: SAFE * min(known) / (size + OVERHEAD / PER_FRAME) for name, size in KINDS.items()}


def _terminal() -> Terminal:
    try:
        size = os.get_terminal_size(2)
        shape = (size.columns, size.lines)
    except (OSError, ValueError):
        shape = (0, 0)
    seen = sys.stderr is not None and sys.stderr.isatty()
    return os.environ, seen, shape, getattr(sys.stderr, "encoding", "") or ""


def _ports(system: System) -> Iterator[Finding]:
    """Yield what is attached, and whether it may be opened."""
    attached = system.serial_ports()
    if not attached:
        yield Finding(UNKNOWN, "ports", "attached", "no serial port is there",
                      "plug a board in, or try `hil doctor virtual://imu`")  # fmt: skip
    for info in attached:
        yield Finding(OK, info.port, "port", info.description.replace("n/a", "") or info.board or "a serial port",
                      f"`hil doctor {info.port}` measures it")  # fmt: skip
        yield from adapter.access(info.port, system.facts(info.port), os.access(info.port, os.R_OK | os.W_OK))
        yield from adapter.adapter(info.port)
