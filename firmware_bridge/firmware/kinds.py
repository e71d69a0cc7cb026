"""What the firmware can be run on, what each proves, and whether it can be started here.

Rule of this room: it looks for programs and starts none. A kind is told by what is real about it, so that nobody takes
a test on one for more than it is. What a parameter makes of a kind (another core, a chip on its bus) is told as well.
"""

import difflib
import importlib.util
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from firmware_bridge.errors import MissingPart, UsageError
from firmware_bridge.firmware.build import is_built, missing
from firmware_bridge.firmware.chips import CHIPS
from firmware_bridge.firmware.images import is_shipped
from firmware_bridge.firmware.recipes import RECIPES

__all__ = ["CORES", "KINDS", "Kind", "can_start", "kind_named", "lacking", "listed", "startable", "with_core"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to run the firmware.

    Attributes:
        name: As in `firmware://NAME`.
        port: Which build of the firmware runs on it.
        program: Program to be found on this machine; empty: none.
        module: Python package to be found; empty: none.
        helper: Program of ours that has to be built here; empty: none.
        install: What to type where something is missing.
        instructions: What executes.
        peripherals: What of a microcontroller around it is real.
        pacing: Whether bytes take the time that a baud rate gives them.
        machine: What the emulator is told to be; empty where it can be one thing only.
    """

    name: str
    port: str
    program: str
    module: str
    helper: str
    install: str
    instructions: str
    peripherals: str
    pacing: str
    machine: str = ""

    @property
    def proves(self) -> str:
        """One clause for a list."""
        return f"{self.instructions}; {self.peripherals}; {self.pacing}"


KINDS = {
    kind.name: kind
    for kind in (
        Kind("native", "native", "", "", "native", "apt-get install gcc",
             "this machine's own instructions", "no peripherals", "no baud rate"),
        Kind("qemu", "mps2", "qemu-system-arm", "", "", "apt-get install --no-install-recommends qemu-system-arm",
             "Cortex-M3 instructions", "real UART, interrupts, timer and counter (Arm MPS2)", "no baud rate",
             "mps2-an385"),
        Kind("unicorn", "unicorn", "", "unicorn", "", 'pip install "hil-testbench[emu]"',
             "Cortex-M3 instructions", "no peripherals", "no baud rate"),
        Kind("simavr", "avr", "", "", "simavr", "apt-get install --no-install-recommends gcc libsimavr-dev libelf-dev",
             "ATmega328P instructions, timed by the cycle", "real UART, interrupts and timer",
             "bytes take the time of the baud rate"),
    )
}  # fmt: skip

CORES = {
    "m3": KINDS["qemu"],
    "m4f": replace(KINDS["qemu"], port="mps2-m4f", machine="mps2-an386",
                   instructions="Cortex-M4F instructions, FPU on"),
    "m7": replace(KINDS["qemu"], port="mps2-m7", machine="mps2-an500",
                  instructions="Cortex-M7 instructions, FPU on"),
}  # fmt: skip
"""Processors of `firmware://qemu?cpu=NAME`."""


def kind_named(name: str, where: str) -> Kind:
    """Return a kind.

    Raises:
        UsageError: There is none of that name.
    """
    try:
        return KINDS[name]
    except KeyError:
        near = difflib.get_close_matches(name, KINDS, 1, 0.5)
        hint = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"firmware cannot be run on `{name}`", where, f"{hint}there are: {', '.join(KINDS)}") from None


def lacking(kind: Kind) -> MissingPart | None:
    """Return what keeps a kind from being started here; None where nothing does."""
    where = f"firmware://{kind.name}"
    if sys.platform == "win32":
        return MissingPart("emulated boards need pseudo terminals, which Windows has not", where, "use WSL")
    if kind.program and not shutil.which(kind.program):
        return MissingPart(f"{kind.program} is not installed", where, kind.install)
    if kind.module and importlib.util.find_spec(kind.module) is None:
        return MissingPart(f"the Python package {kind.module} is not installed", where, kind.install)
    if kind.helper and not is_built(kind.helper) and (reason := missing(kind.helper)):
        return MissingPart(reason, where, RECIPES[kind.helper].to_install)
    if RECIPES[kind.port].prebuilt and not is_shipped(kind.port) and (reason := missing(kind.port)):
        return MissingPart(f"its sources differ from the shipped image and {reason}", where,
                           RECIPES[kind.port].to_install)  # fmt: skip
    return None


def can_start(name: str) -> str:
    """Return why a kind cannot be started here, one sentence; empty where it can.

    Args:
        name: Such as `native`, or a whole port such as `firmware://native?seed=3`.
    """
    path, _, query = name.removeprefix("firmware://").partition("?")
    bare = path.partition("/")[0]
    if bare not in KINDS:
        return f"firmware cannot be run on `{bare}`; there are: {', '.join(KINDS)}"
    lack = lacking(with_core(KINDS[bare], dict(parse_qsl(query)).get("cpu", "")))
    return "" if lack is None else str(lack)


def with_core(kind: Kind, core: str) -> Kind:
    """Return a kind with one of its processors; the kind itself where it has one only."""
    return CORES.get(core, kind) if kind.name == "qemu" else kind


def listed() -> Iterator[tuple[str, Kind]]:
    """Yield every port worth knowing with what it proves: each kind, then its other processors and its chips."""
    for name, kind in KINDS.items():
        yield f"firmware://{name}", kind
        if name == "qemu":
            yield from ((f"firmware://{name}?cpu={core}", one) for core, one in CORES.items() if one is not kind)
            for chip in CHIPS.values():
                about = f"{kind.peripherals}, {chip.about}"
                yield f"firmware://{name}?sensor={chip.name}", replace(kind, peripherals=about)


def startable() -> list[str]:
    """Return the names of the kinds that can be started here, the nearest to real hardware first."""
    return [name for name in ("qemu", "simavr", "unicorn", "native") if name in KINDS and not can_start(name)]
