"""What is printed between the data: boot messages, coloured log lines, prompts, and bytes that are no text at all.

Rule: a line is text when it decodes and holds no control characters but tabs and colour codes; everything else is
garbage to be counted. The level of a log line is taken from the forms that the common frameworks print.
"""

import re

__all__ = ["is_log", "level_of", "may_be_torn", "text_of"]

_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ESP = re.compile(r"([VDIWE]) \(\d+\) [\w.\- ]+: ?")
_ZEPHYR = re.compile(r"\[[\d:.,]+\] <(err|wrn|inf|dbg)> ")
_BRACKETED = re.compile(r"\[?(?:[\d:.,]+\]? )?\[?(TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL)\b\]?[ :]", re.IGNORECASE)
_ALARM = re.compile(r"\b(?:guru meditation|panic|hard ?fault|assert(?:ion)? failed|brownout|abort\(\))", re.IGNORECASE)
_LEVELS = {
    "v": "debug", "d": "debug", "i": "info", "w": "warning", "e": "error",
    "err": "error", "wrn": "warning", "inf": "info", "dbg": "debug",
    "trace": "debug", "debug": "debug", "info": "info", "warn": "warning", "warning": "warning", "error": "error",
    "fatal": "error",
}  # fmt: skip
_LATIN = frozenset(b"\xb0\xb5\xb2\xb3\xb7")
"""Degree, micro, squared, cubed and dot in Latin-1: printed by boards whose sources were not saved as UTF-8."""


def text_of(line: bytes) -> str | None:
    """Return a line without its colour codes and trailing blanks, or None where it is no text."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        if any(byte >= 0x80 and byte not in _LATIN for byte in line):
            return None
        text = line.decode("latin-1")
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    text = text.rstrip("\r\n \t")
    if not text.isprintable() and _CONTROL.search(text):
        return None
    return text


def _log(text: str) -> str | None:
    for form in (_ESP, _ZEPHYR, _BRACKETED):
        if (found := form.match(text)) is not None:
            return _LEVELS[found[1].lower()]
    return None


def is_log(text: str) -> bool:
    """Whether a line has the form of a framework's log line, whatever numbers stand in it."""
    return _log(text) is not None


def level_of(text: str) -> str:
    """Return the level of a line for people: debug, info, warning or error (info where nothing tells)."""
    return _log(text) or ("error" if _ALARM.search(text) else "info")


def may_be_torn(text: str) -> bool:
    """Whether the beginning of a line may be missing without a trace: JSON and names begin with what shows it."""
    return text[0] not in "{[>" and not (text[0].isalpha() or text[0] in "_$")
