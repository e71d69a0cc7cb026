"""Native messages as a person writes them: `SET_RATE stream=0 rate_mhz=100000`. Text in, messages out."""

import difflib

from firmware_bridge.errors import UsageError
from firmware_bridge.wire.messages import TABLE, Kind, Message

__all__ = ["message_from"]

_COMMANDS = tuple(kind.name for kind in Kind if kind >= Kind.IDENTIFY)
_LIMITS = {"B": 0xFF, "H": 0xFFFF, "I": 0xFFFFFFFF}


def message_from(text: str) -> Message:
    """Return the command that a line names; fields that are not given are 0, numbers may be `0x..`.

    Args:
        text: Name of a host's message and `field=value` pairs, `data=` in hex for a tail.

    Raises:
        UsageError: There is no such command or field, or a value does not fit.
    """
    name, *pairs = text.split() or [""]
    if name.upper() not in _COMMANDS:
        near = difflib.get_close_matches(name.upper(), _COMMANDS, 1)
        hint = f"did you mean {near[0]}?" if near else f"commands are {', '.join(_COMMANDS)}"
        raise UsageError(f"a native board knows no command `{name}`", "", hint)
    kind = Kind[name.upper()]
    shape = TABLE[kind]
    codes = dict(shape.fields)
    fields = dict.fromkeys(codes, 0)
    tail = b""
    for pair in pairs:
        key, equals, value = pair.partition("=")
        try:
            if key == "data" and shape.tail and equals:
                tail = bytes.fromhex(value)
                continue
            number = int(value, 0) if key in codes and equals else None
        except ValueError:
            number = None
        if number is None or not 0 <= number <= _LIMITS[codes[key]]:
            ranges = [f"{field}=0..{_LIMITS[code]}" for field, code in codes.items()] + ["data=HEX"] * bool(shape.tail)
            allowed = ", ".join(ranges) or "no fields"
            raise UsageError(f"{kind.name} cannot take `{pair}`", "", f"it takes {allowed}")
        fields[key] = number
    return Message(kind, fields, tail)
