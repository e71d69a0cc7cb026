"""What the system knows of a serial adapter without opening it: driver, latency timer, power saving, who may open it.

Rule of this room: files are read below a root that a test may choose; every finding says what to do. Linux only: on
other systems one finding says so.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from firmware_bridge.hints import Facts
from hil.doctor.finding import OK, TROUBLE, UNKNOWN, WARNING, Finding

__all__ = ["access", "adapter"]

LATENCY_MS = 2
"""A latency timer up to this is short: most boards send a block every few milliseconds."""


def _read(path: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8").strip()
    return ""


def _driver(port: Path) -> str:
    """Return which driver a port has; empty where none is named.

    Linux 6.5 and later put two devices of their own between an on-board UART and its port, driven by `ctrl` and `port`.
    """
    while os.path.basename(os.path.realpath(port / "subsystem")) == "serial-base":
        port = port.parent
    return os.path.basename(os.path.realpath(port / "driver")) if (port / "driver").exists() else ""


def adapter(device: str, root: Path = Path("/sys")) -> Iterator[Finding]:
    """Yield what is known of the adapter of a device such as `/dev/ttyUSB0`.

    Args:
        device: The device.
        root: Where the system tells of its devices.
    """
    name = os.path.basename(os.path.realpath(device)) if os.path.exists(device) else os.path.basename(device)
    port = root / "class" / "tty" / name / "device"
    if not port.exists():
        yield Finding(UNKNOWN, device, "adapter", "the system tells nothing about it: no device stands behind it",
                      "nothing, where it is a pseudo terminal or a network port")  # fmt: skip
        return
    driver = _driver(port.resolve())
    yield Finding(OK if driver else UNKNOWN, device, "driver",
                  f"the system drives it with {driver}" if driver else "the system names none")  # fmt: skip
    timer = _read(port / "latency_timer") or _read(port.parent / "latency_timer")
    if timer.isdigit():
        slow = int(timer) > LATENCY_MS
        yield Finding(
            WARNING if slow else OK, device, "latency timer", f"the adapter holds bytes back for up to {timer} ms",
            f"run `echo 1 | sudo tee /sys/class/tty/{name}/device/latency_timer`, or open the port with ?low_latency=on"
            if slow else "", float(timer), "ms",
        )  # fmt: skip
    elif driver == "ftdi_sio":
        yield Finding(UNKNOWN, device, "latency timer", "the driver does not tell it", "look into its sysfs folder")
    yield from _usb(device, port.resolve())


def _usb(device: str, port: Path) -> Iterator[Finding]:
    """Yield what the USB device above the port says."""
    for folder in (port, *port.parents):
        if (folder / "idVendor").exists():
            break
    else:
        return
    speed = _read(folder / "speed")
    if speed:
        low = speed == "1.5"
        yield Finding(WARNING if low else OK, device, "USB", f"{speed} Mbit/s",
                      "low speed carries a few kB/s: use another adapter" if low else "",
                      float(speed), "Mbit/s")  # fmt: skip
    if _read(folder / "power" / "control") == "auto" and _read(folder / "power" / "autosuspend_delay_ms") == "0":
        yield Finding(WARNING, device, "power saving", "the system puts the adapter to sleep at once",
                      f"run `echo on | sudo tee {folder / 'power' / 'control'}`")  # fmt: skip


def access(device: str, facts: Facts, may_open: bool) -> Iterator[Finding]:
    """Yield whether this user may open a device, and what meddles with it.

    Args:
        device: The device.
        facts: What the system says of it.
        may_open: Whether the system lets this user read and write it.
    """
    if may_open:
        yield Finding(OK, device, "access", f"user {facts.user or 'you'} may open it")
    elif facts.in_group:
        yield Finding(TROUBLE, device, "access", f"the group {facts.group} was given after the last login",
                      f"log out and in again, or run `newgrp {facts.group}`")  # fmt: skip
    else:
        group = facts.group or "dialout"
        yield Finding(TROUBLE, device, "access", f"only the group {group} may open it, and {facts.user} is not in it",
                      f"run `sudo usermod -aG {group} {facts.user}` and log in again, or add a udev rule: "
                      f'SUBSYSTEM=="tty", MODE="0660", TAG+="uaccess"')  # fmt: skip
    for holder in facts.holders:
        yield Finding(WARNING, device, "holder", f"{holder} has it open",
                      f"close that program (`kill {holder.pid}`) before capture")  # fmt: skip
    for name in sorted(facts.running):
        unit = "brltty-udev brltty" if name == "brltty" else name
        yield Finding(WARNING, device, "meddler", f"{name} runs, which opens new ports to probe them",
                      f"run `sudo systemctl disable --now {unit}`")  # fmt: skip
