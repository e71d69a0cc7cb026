"""Which boards are attached, who holds their ports, and which device a USB identity means today.

A port's name changes with the order of plugging; a USB serial number and a place on the bus do not. So `usb://` is
resolved here before each opening, and a board that comes back under another name is found again. `System` is all that
this room asks of the machine; a test hands in another.
"""

import contextlib
import errno
import getpass
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from firmware_bridge.address import Address, nearest
from firmware_bridge.errors import PortMissing, UsageError
from firmware_bridge.hints import Facts, Holder
from firmware_bridge.lock import owner_of

__all__ = ["PortInfo", "System", "UsbIdentity", "find_device", "identity_of", "list_ports"]

_MEDDLERS = frozenset({"brltty", "ModemManager"})
_BOARDS = {
    (0x2341, None): "Arduino", (0x2A03, None): "Arduino", (0x303A, None): "Espressif (ESP32 family)",
    (0x2E8A, None): "Raspberry Pi (Pico family)", (0x0483, 0x5740): "STM32 (own USB)", (0x0483, None): "ST (ST-LINK)",
    (0x16C0, 0x0483): "Teensy", (0x1366, None): "SEGGER J-Link", (0x1915, None): "Nordic", (0x239A, None): "Adafruit",
    (0x0D28, None): "Arm DAPLink", (0x1209, None): "pid.codes open hardware", (0x03EB, None): "Microchip (Atmel)",
    (0x04D8, None): "Microchip", (0x1FC9, None): "NXP", (0x0403, None): "FTDI adapter",
    (0x10C4, None): "CP210x adapter (many ESP32 boards)", (0x1A86, None): "CH340 adapter (many Arduino clones)",
    (0x067B, None): "PL2303 adapter", (0x1546, None): "u-blox receiver",
}  # fmt: skip
"""Likely board by USB vendor and product; None: any product of that vendor."""


@dataclass(frozen=True, slots=True)
class UsbIdentity:
    """What of a USB port survives unplugging: its serial number and its place on the bus; empty where unknown."""

    serial: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class PortInfo:
    """One port.

    Attributes:
        port: What to give to `open_transport`.
        description: What the driver or the virtual board says it is.
        vid: USB vendor id, None where it is no USB port.
        pid: USB product id.
        serial: USB serial number; empty where there is none.
        location: Place on the bus such as `1-1.4`; empty where unknown.
        board: Likely board; empty where unknown.
        held_by: Who has it open; empty where nobody does.
    """

    port: str
    description: str
    vid: int | None = None
    pid: int | None = None
    serial: str = ""
    location: str = ""
    board: str = ""
    held_by: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class System:
    """What this room asks of the machine."""

    def serial_ports(self) -> list[PortInfo]:
        """Return the serial ports that are attached, without who holds them."""
        from serial.tools.list_ports import comports

        found = []
        for port in comports():
            board = _BOARDS.get((port.vid, port.pid)) or _BOARDS.get((port.vid, None)) or ""
            said = port.description if port.description not in (None, "n/a") else ""  # pyserial's word for unknown
            found.append(
                PortInfo(port.device, said, port.vid, port.pid, port.serial_number or "",
                         port.location or "", board)
            )  # fmt: skip
        return sorted(found, key=lambda info: info.port)

    def virtual_ports(self) -> list[PortInfo]:
        """Return the virtual boards that can be started."""
        from firmware_bridge.virtual.boards import board_names

        return [PortInfo(f"virtual://{name}", f"virtual board `{name}`", board="virtual") for name in board_names()]

    def firmware_ports(self) -> list[PortInfo]:
        """Return the emulated boards: those that can be started here, and why the others cannot."""
        from firmware_bridge.firmware.kinds import KINDS, can_start

        return [
            PortInfo(f"firmware://{name}", can_start(name).partition(": ")[2] or kind.proves, board="firmware")
            for name, kind in KINDS.items()
        ]

    def holders(self, devices: Iterable[str]) -> dict[str, tuple[Holder, ...]]:
        """Return who has each device open, as far as this user may see it (Linux)."""
        wanted = {os.path.realpath(device): device for device in devices}
        found: dict[str, list[Holder]] = {}
        for process in Path("/proc").glob("[0-9]*") if wanted and sys.platform.startswith("linux") else ():
            with contextlib.suppress(OSError):
                links = set()
                for fd in os.listdir(process / "fd"):
                    with contextlib.suppress(OSError):  # closed meanwhile
                        links.add(os.readlink(process / "fd" / fd))
                for real in links & wanted.keys():
                    name = (process / "comm").read_text(encoding="utf-8").strip()
                    found.setdefault(wanted[real], []).append(Holder(int(process.name), name, _owner(process)))
        return {device: tuple(holders) for device, holders in found.items()}

    def running(self) -> frozenset[str]:
        """Return which meddling programs run (Linux)."""
        names = set()
        for entry in Path("/proc").glob("[0-9]*/comm") if sys.platform.startswith("linux") else ():
            with contextlib.suppress(OSError):
                names.add(entry.read_text(encoding="utf-8").strip())
        return frozenset(names & _MEDDLERS)

    def facts(self, device: str, error: Exception | None = None) -> Facts:
        """Return what explains that `device` cannot be opened.

        Args:
            device: The device.
            error: What opening it raised; who holds the device is not looked up where it is just missing.
        """
        group, in_group = _group(device)
        missing = getattr(error, "errno", None) == errno.ENOENT
        holders = () if missing else self.holders([device]).get(device, ())
        return Facts(
            platform="linux" if sys.platform.startswith("linux") else sys.platform, user=_user(), group=group,
            in_group=in_group, holders=holders, running=self.running(),
            ports=tuple(info.port for info in self.serial_ports()),
        )  # fmt: skip


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except (OSError, KeyError, NotImplementedError):
        return ""


def _group(device: str) -> tuple[str, bool]:
    """The group that may open a device, and whether its list names the user."""
    try:
        import grp
    except ImportError:
        return "", False
    try:
        status = os.stat(device)
        if not status.st_mode & 0o060 or status.st_gid == 0:
            return "", False
        group = grp.getgrgid(status.st_gid)
    except (OSError, KeyError):
        return "", False
    return group.gr_name, _user() in group.gr_mem


def list_ports(system: System | None = None, *, virtual: bool = True) -> list[PortInfo]:
    """Return every port that can be opened: attached serial ports with who holds them, virtual and emulated boards.

    Args:
        system: Where to look; this machine by default.
        virtual: Whether to list the boards that are only programs, too.
    """
    system = system or System()
    attached = system.serial_ports()
    holders = system.holders([info.port for info in attached])
    listed = []
    for info in attached:
        owner = owner_of(os.path.realpath(info.port))
        who = str(owner) if owner else " and ".join(str(holder) for holder in holders.get(info.port, ()))
        listed.append(replace(info, held_by=who))
    return listed + ([*system.virtual_ports(), *system.firmware_ports()] if virtual else [])


def identity_of(device: str, system: System) -> UsbIdentity | None:
    """Return the USB identity of a device, or None where it has none (a pty, an on-board UART)."""
    real = os.path.realpath(device)
    for info in system.serial_ports():
        if os.path.realpath(info.port) == real and (info.serial or info.location):
            return UsbIdentity(info.serial, info.location)
    return None


def _matching(ports: list[PortInfo], wanted: str) -> list[PortInfo]:
    by_serial = [info for info in ports if info.serial and info.serial.lower() == wanted.lower()]
    return by_serial or [info for info in ports if info.location and wanted in (info.location, _place(info))]


def _place(info: PortInfo) -> str:
    """The location without the interface of a composite device (`1-1.4:1.0` is in place `1-1.4`)."""
    return info.location.partition(":")[0]


def find_device(address: Address, system: System, known: UsbIdentity | None = None) -> str:
    """Return the device to open for a serial or `usb://` address.

    Args:
        address: What the user asked for.
        system: Where to look.
        known: Identity of the board that was there before: it is followed to another name.

    Raises:
        PortMissing: No attached port has that USB serial number or location.
        UsageError: Several have it.
    """
    if address.scheme == "serial":
        if known is None:
            return address.target
        ports = system.serial_ports()
        here = [info for info in ports if os.path.realpath(info.port) == os.path.realpath(address.target)]
        same = [info for info in ports if known.serial and info.serial == known.serial] or [
            info for info in ports if known.location and info.location == known.location
        ]
        if not same:
            if here and known.serial and here[0].serial:
                raise PortMissing(
                    f"another USB device (serial {here[0].serial}) is there instead of {known.serial}", address.text,
                    "plug the first board in again",
                )  # fmt: skip
            return address.target
        return address.target if here and here[0] in same else same[0].port
    ports = [info for info in system.serial_ports() if info.serial or info.location]
    found = _matching(ports, address.target)
    if not found:
        ids = tuple(info.serial or info.location for info in ports)
        hint = nearest(address.target, ids) + "; " if ids else "no USB serial port is attached; "
        raise PortMissing(
            "no port has this USB serial number or location", address.text, hint + "`hil ports` lists them"
        )
    if len({_place(info) for info in found}) > 1:
        places = ", ".join(f"usb://{_place(info)}" for info in found)
        raise UsageError("several devices share this serial number", address.text, f"name one by its place: {places}")
    return found[0].port
