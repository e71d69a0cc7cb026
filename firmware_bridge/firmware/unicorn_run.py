"""Runs the bare Cortex-M3 image in Unicorn, its line on a pseudo terminal: `python -m ...unicorn_run IMAGE`.

A process of its own, as every emulator: it holds its leash (standard input) itself and prints the terminal's name. The
core executes real Cortex-M3 instructions; around it there is nothing but six registers (see `port/unicorn`).

Rule of this room: it is a program; nobody imports it.
"""

import contextlib
import os
import pty
import select
import struct
import sys
import time
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import unicorn
from unicorn.arm_const import UC_ARM_REG_SP, UC_CPU_ARM_CORTEX_M3

_REGISTERS = 0x4000_0000
_LINE_IN, _COUNTER, _WAIT, _OUT_AT, _OUT_COUNT, _OUT_TAKEN = range(0, 24, 4)
_EMPTY = 0xFFFF_FFFF
_LOAD = 1
"""Kind of a segment of an ELF file that goes into memory."""


class Machine:
    """The six registers.

    Args:
        leash: Descriptor whose end is the end.
    """

    def __init__(self, leash: int) -> None:
        self.line, self._far = pty.openpty()
        tty.setraw(self._far)
        os.set_blocking(self.line, False)
        self.terminal = os.ttyname(self._far)
        self.ended = False
        self._leash = leash
        self._heard = bytearray()
        self._out_at = self._taken = 0
        self._blocked = False

    def read(self, core: Any, offset: int, _size: int, _data: Any) -> int:
        """Serve a read of the core."""
        if offset == _LINE_IN:
            return self._heard.pop(0) if self._heard else _EMPTY
        if offset == _COUNTER:
            return time.monotonic_ns() // 1000 & 0xFFFF_FFFF
        return self._taken if offset == _OUT_TAKEN else 0

    def write(self, core: Any, offset: int, _size: int, value: int, _data: Any) -> None:
        """Serve a write of the core."""
        if offset == _OUT_AT:
            self._out_at = value
        elif offset == _OUT_COUNT:
            self._send(bytes(core.mem_read(self._out_at, value)))
        elif offset == _WAIT:
            self._wait(core, value)

    def _send(self, data: bytes) -> None:
        try:
            self._taken = os.write(self.line, data)
        except BlockingIOError:
            self._taken = 0
        self._blocked = self._taken < len(data)

    def _wait(self, core: Any, ticks: int) -> None:
        if self._heard:
            return
        most = min(ticks, 1000) if self._blocked else ticks  # a terminal always claims to take bytes: look again
        ready, _, _ = select.select([self.line, self._leash], [], [], most / 1e6)
        if self._leash in ready and not os.read(self._leash, 4096):
            self.ended = True
            core.emu_stop()
        if self.line in ready:
            with contextlib.suppress(OSError):
                self._heard += os.read(self.line, 4096)


def segments(elf: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield address and bytes of everything that a 32-bit ELF file wants in memory before it runs."""
    (headers,) = struct.unpack_from("<I", elf, 28)
    size, count = struct.unpack_from("<2H", elf, 42)
    for at in range(headers, headers + size * count, size):
        kind, offset, _, address, length = struct.unpack_from("<5I", elf, at)
        if kind == _LOAD and length:
            yield address, elf[offset : offset + length]


def main(image: Path, leash: int) -> int:
    """Run an image until the leash ends; return an exit status."""
    machine = Machine(leash)
    core = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    core.ctl_set_cpu_model(UC_CPU_ARM_CORTEX_M3)
    core.mem_map(0x0000_0000, 4 << 20)
    core.mem_map(0x2000_0000, 4 << 20)
    core.mmio_map(_REGISTERS, 0x1000, machine.read, None, machine.write, None)
    for address, data in segments(image.read_bytes()):
        core.mem_write(address, data)
    stack, reset = struct.unpack("<2I", core.mem_read(0, 8))
    core.reg_write(UC_ARM_REG_SP, stack)
    sys.stdout.write(f"{machine.terminal}\n")
    sys.stdout.flush()
    core.emu_start(reset, 0xFFFF_FFFE)
    return 0 if machine.ended else 3


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), 0))
