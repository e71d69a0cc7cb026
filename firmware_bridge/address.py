"""What a port string says, as a pure value: which way into a board, where, and with which settings.

`/dev/ttyACM0?baud=921600`, `COM4`, `usb://SERIAL?dtr=off`, `socket://host:4000`, `rfc2217://host:4000`,
`exec:COMMAND`, `virtual://watch?seed=7`, `firmware://qemu/imu6`. Our own options are taken out here, before any
library sees the string; a word that means nothing is refused with the nearest one that does.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from firmware_bridge.errors import UsageError

__all__ = ["SCHEMES", "Address", "SerialSettings", "nearest", "parse_port"]

SCHEMES = ("usb", "socket", "rfc2217", "exec", "virtual", "firmware")
"""Ways into a board that are written before the address; anything else is the name of a serial device."""

PARITIES = {"none": "N", "even": "E", "odd": "O", "mark": "M", "space": "S"}
FLOWS = ("none", "rtscts", "dsrdtr", "xonxoff")
_SWITCH = {"1": True, "on": True, "true": True, "yes": True, "0": False, "off": False, "false": False, "no": False}
_RFC2217 = ("ign_set_control", "poll_modem", "timeout")


@dataclass(frozen=True, slots=True)
class SerialSettings:
    """How a serial line is driven.

    Attributes:
        baud: Bits a second.
        bits: Data bits, 5 to 8.
        parity: `none`, `even`, `odd`, `mark` or `space`.
        stop: Stop bits: 1, 1.5 or 2.
        dtr: Level of DTR while open; None leaves what the system does (asserted, which resets many boards).
        rts: Level of RTS while open; None leaves what the system does.
        flow: `none`, `rtscts`, `dsrdtr` or `xonxoff`.
        exclusive: Whether other programs are kept out.
        low_latency: Whether the driver is asked to hand over bytes at once.
        on_connect: Bytes to write after each opening.
    """

    baud: int = 115200
    bits: int = 8
    parity: str = "none"
    stop: float = 1.0
    dtr: bool | None = None
    rts: bool | None = None
    flow: str = "none"
    exclusive: bool = True
    low_latency: bool = True
    on_connect: bytes = b""


OPTIONS = tuple(name for name in SerialSettings.__dataclass_fields__ if name != "on_connect")


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed port.

    Attributes:
        text: As it was given.
        scheme: `serial` or one of `SCHEMES`.
        target: Device, USB serial number or location, `host:port`, or command; for `virtual`, `firmware` and
            `rfc2217` the whole address that the handler takes.
        options: Serial settings that were given, by name.
    """

    text: str
    scheme: str
    target: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def settings(self, base: SerialSettings | None = None) -> SerialSettings:
        """Return the settings: what the address says over `base` (a board file's) over the defaults."""
        return replace(base or SerialSettings(), **self.options)


def nearest(word: str, allowed: tuple[str, ...]) -> str:
    """Return a clause that names what is allowed, the nearest first: `did you mean 'baud'?` or the whole list."""
    close = difflib.get_close_matches(word, allowed, n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else "allowed are " + ", ".join(allowed)


def _switch(name: str, value: str, text: str) -> bool:
    try:
        return _SWITCH[value.lower()]
    except KeyError:
        raise UsageError(f"{name}={value} is neither on nor off", text, f"write {name}=on or {name}=off") from None


def _choice(name: str, value: str, allowed: tuple[str, ...], text: str) -> str:
    found = [word for word in allowed if word == value.lower() or (name == "parity" and word[0] == value.lower())]
    if not found:
        raise UsageError(f"option {name}={value} is unknown", text, nearest(value.lower(), allowed))
    return found[0]


def _number(name: str, value: str, allowed: str, text: str, good: Any) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not good(number):
        raise UsageError(f"option {name}={value} is not possible", text, f"{name} is {allowed}")
    return number


def _option(name: str, value: str, text: str) -> Any:
    match name:
        case "baud":
            return int(_number(name, value, "a whole number from 50 to 12000000", text,
                               lambda n: 50 <= n <= 12_000_000 and n == int(n)))  # fmt: skip
        case "bits":
            return int(_number(name, value, "5, 6, 7 or 8", text, lambda n: n in (5, 6, 7, 8)))
        case "stop":
            return _number(name, value, "1, 1.5 or 2", text, lambda n: n in (1, 1.5, 2))
        case "parity":
            return _choice(name, value, tuple(PARITIES), text)
        case "flow":
            return _choice(name, value, FLOWS, text)
        case "dtr" | "rts" | "exclusive" | "low_latency":
            return _switch(name, value, text)
    raise UsageError(f"unknown option `{name}`", text, nearest(name, OPTIONS))


def _pairs(query: str, text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise UsageError(
            f"`?{query}` is not NAME=VALUE&NAME=VALUE", text, "write such as ?baud=921600&dtr=off"
        ) from None


def _host(target: str, scheme: str, text: str) -> str:
    try:
        split = urlsplit(f"//{target}")
        good = bool(split.hostname) and split.port is not None and split.path in ("", "/")
    except ValueError:
        good = False
    if not good:
        raise UsageError("no host and port", text, f"write {scheme}://HOST:PORT, such as {scheme}://127.0.0.1:4000")
    return target.rstrip("/")


def parse_port(text: str) -> Address:
    """Return what a port string says.

    Raises:
        UsageError: It cannot be meant; the sentence names the nearest thing that can.
    """
    text = text.strip()
    if not text:
        raise UsageError("the port is empty", "", "`hil ports` lists ports; `virtual://watch` needs no hardware")
    if text.startswith("exec:"):
        command = text[5:].strip()
        if not command:
            raise UsageError("no command", text, "write exec:COMMAND, such as exec:'adb shell cat /dev/imu'")
        return Address(text, "exec", command)
    named = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", text)
    scheme = named[1].lower() if named else "serial"
    if named and scheme not in SCHEMES:
        raise UsageError(f"unknown way into a board `{scheme}://`", text, nearest(scheme, SCHEMES))
    rest = text[named.end() :] if named else text
    target, _, query = rest.partition("?")
    if not target:
        raise UsageError("the address is empty", text, f"write {scheme}://ADDRESS")
    if scheme in ("virtual", "firmware"):
        return Address(text, scheme, f"{scheme}://{rest}")
    pairs = _pairs(query, text)
    if scheme == "socket":
        if pairs:
            raise UsageError(f"a socket takes no option `{pairs[0][0]}`", text, "leave it out")
        return Address(text, scheme, _host(target, scheme, text))
    kept = [(name, value) for name, value in pairs if scheme == "rfc2217" and name in _RFC2217]
    options = {name: _option(name, value, text) for name, value in pairs if (name, value) not in kept}
    if scheme == "rfc2217":
        target = f"rfc2217://{_host(target, scheme, text)}" + (f"?{urlencode(kept)}" if kept else "")
    return Address(text, scheme, target, options)
