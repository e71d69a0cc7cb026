"""Starts one emulated board: finds its image, makes it one of a kind, and runs it on what was asked for.

Rule of this room: one function a kind, which knows the command line; `started` knows processes.
"""

import contextlib
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from firmware_bridge.firmware.build import built
from firmware_bridge.firmware.chips import DEVICE
from firmware_bridge.firmware.images import image_of, provisioned
from firmware_bridge.firmware.kinds import lacking
from firmware_bridge.firmware.recipes import RECIPES
from firmware_bridge.firmware.started import Started, leashed, spawn
from firmware_bridge.firmware.wanted import Wanted

__all__ = ["start"]


def start(name: str, wanted: Wanted) -> Started:
    """Start a board.

    Args:
        name: The port, for sentences.
        wanted: What to start.

    Raises:
        MissingPart: An emulator or a compiler is not installed.
        BuildFailed: The firmware does not compile here.
        TransportError: The process ended before it told its terminal.
    """
    if lack := lacking(wanted.kind):
        raise lack
    return _STARTERS[wanted.kind.name](name, wanted)


def _native(name: str, wanted: Wanted) -> Started:
    rate = ["--rate", str(wanted.rate_hz)] if wanted.rate_hz else []
    own = ["--seed", str(wanted.seed), "--serial", wanted.serial, "--leash", "--speaks", wanted.speaks]
    model = ["--model", wanted.model] if wanted.model else []
    started = spawn(name, [str(built("native")), *rate, *own, *model])
    started.ready()
    return started


def _qemu(name: str, wanted: Wanted) -> Started:
    ours, theirs = socket.socketpair()
    # The board's UART holds one byte. A multiplexer holds 32 more, which halves what a byte costs; its escape character
    # is none that a byte can be.
    with _image(wanted, wanted.kind.port) as image, theirs:
        command = ["qemu-system-arm", "-M", wanted.kind.machine, "-kernel", str(image), "-display", "none",
                   "-monitor", "none", "-chardev", f"socket,id=line,fd={theirs.fileno()},mux=on",
                   "-serial", "chardev:line", "-echr", "256", *_chip(wanted), *_counting(wanted)]  # fmt: skip
        started = leashed(name, command, theirs.fileno(), ours)
        theirs.close()
        started.ready()
    return started


def _chip(wanted: Wanted) -> Iterator[str]:
    if wanted.chip is not None:
        yield from ("-device", f"{wanted.chip.name},id={DEVICE},address={wanted.chip.address:#x}")
    if wanted.control:
        yield from ("-chardev", f"socket,id=qmp,path={wanted.control.replace(',', ',,')},server=on,wait=off")
        yield from ("-mon", "chardev=qmp,mode=control")


def _counting(wanted: Wanted) -> Iterator[str]:
    """Time follows from instructions and jumps ahead while the board sleeps: not real time, but the same every time."""
    if wanted.icount:
        yield from ("-icount", f"shift={wanted.icount},sleep=off")


def _simavr(name: str, wanted: Wanted) -> Started:
    with _image(wanted, "avr115200" if wanted.baud == 115_200 else "avr") as image:
        started = spawn(name, [str(built("simavr")), str(image), str(wanted.baud)])
        started.ready()
    return started


def _unicorn(name: str, wanted: Wanted) -> Started:
    with _image(wanted, "unicorn") as image:
        started = spawn(name, [sys.executable, "-P", str(Path(__file__).with_name("unicorn_run.py")), str(image)])
        started.ready()
    return started


@contextlib.contextmanager
def _image(wanted: Wanted, port: str) -> Iterator[Path]:
    """Give the file of a board's own image for as long as an emulator needs to read it."""
    each = 1 << wanted.icount if wanted.icount else 0
    image = provisioned(image_of(port), wanted.seed, round(wanted.rate_hz * 1000), wanted.serial, each)
    with tempfile.TemporaryDirectory(prefix="hil-firmware-") as folder:
        path = Path(folder) / RECIPES[port].output
        path.write_bytes(image)
        yield path


_STARTERS: Mapping[str, Callable[[str, Wanted], Started]] = {
    "native": _native,
    "qemu": _qemu,
    "simavr": _simavr,
    "unicorn": _unicorn,
}
