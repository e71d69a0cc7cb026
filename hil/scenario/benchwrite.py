"""The file of a bench from the boards that are attached: what `hil ports --write` adds.

Rule of this room: nothing that a person wrote is touched. Boards are added behind what is there; one whose place or
name is in the file already is left out with a sentence, and a file to which nothing can be added is refused.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.ports import PortInfo
from firmware_bridge.roles import role_of, slug
from firmware_bridge.streams import BoardInfo
from hil.scenario.grammar.benchfile import parse_bench, text_of
from hil.scenario.grammar.mistakes import ScenarioError
from hil.scenario.skeleton import quoted

__all__ = ["Entry", "added", "entries", "write_bench"]

_PLAIN = re.compile(r"[A-Za-z0-9._:-]+")
_HEAD = "# Where each board of this bench is. Roles may be renamed; `hil ports --write` adds and never changes.\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """One board as the file names it: `port` is as stable as can be, `weak` says why it may not be enough."""

    role: str
    port: str
    told: str
    weak: str = ""


def entries(ports: Sequence[PortInfo], known: dict[str, BoardInfo] | None = None) -> list[Entry]:
    """Return how attached boards are named.

    Args:
        ports: All attached ports; virtual boards are left out.
        known: Who answered at which port: nobody else is named; None: nobody was asked.
    """
    found = []
    attached = [info for info in ports if "://" not in info.port]
    for info in attached:
        if known is not None and info.port not in known:
            continue
        board = (known or {}).get(info.port)
        port, weak = _identity(info, attached)
        role = role_of(info.port, board, info.serial)
        if board is None and info.board and info.serial:
            role = f"{slug(info.board.partition('(')[0])}-{slug(info.serial)[-4:].strip('-')}"
        role = role if role[0].isalpha() else f"board-{role}"
        who = info.board or info.description if board is None else f"{board.model} {board.serial} {board.firmware}"
        found.append(Entry(role, port, " ".join(f"{who}, now {info.port}".split()), weak))
    return found


def _identity(info: PortInfo, attached: Sequence[PortInfo]) -> tuple[str, str]:
    """Return the port that names a board whatever it is called today, and why that is weak."""
    same = [one for one in attached if info.serial and one.serial == info.serial]
    if _PLAIN.fullmatch(info.serial) and (len(same) == 1 or (same[0] is info and _one_device(same))):
        return f"usb://{info.serial}", ""
    if _PLAIN.fullmatch(info.location):
        if len(same) > 1 and _one_device(same):
            return f"usb://{info.location}", "an interface of a device with several: it changes with the USB socket"
        why = "several devices share its serial number" if len(same) > 1 else "it has no USB serial number"
        return f"usb://{info.location}", f"{why}: this is its place on the bus, which changes with the USB socket"
    return info.port, "it has no USB identity: this name changes with the order of plugging"


def _one_device(same: Sequence[PortInfo]) -> bool:
    return len({one.location.partition(":")[0] for one in same}) == 1


def added(text: str, new: Iterable[Entry], file: str) -> tuple[str, list[str], list[str]]:
    """Return a bench file with boards added behind what is there, their roles, and a sentence for each left out.

    Args:
        text: What is there; empty or comments only: no board yet.
        new: Boards.
        file: Its name, for messages.

    Raises:
        ScenarioError: What is there has mistakes.
        UsageError: Nothing can be added behind it.
    """
    said = re.search(r"^\s*[^#\s]", text, re.MULTILINE)
    have = {role: entry.port for role, entry in parse_bench(text, file).board.items()} if said else {}
    places = {port.partition("?")[0].lower(): role for role, port in have.items()}
    out, roles, told = text, list[str](), list[str]()
    for entry in new:
        if (role := places.get(entry.port.lower())) is not None:
            told.append(f"{entry.port} is board {role} already")
            continue
        if entry.role in have:
            told.append(
                f"{entry.port} was left out: the name {entry.role} is taken by {have[entry.role]}; "
                f"add [board.NAME] with port = {quoted(entry.port)} yourself"
            )
            continue
        have[entry.role], places[entry.port.lower()] = entry.port, entry.role
        weak = f"# weak: {entry.weak}\n" if entry.weak else ""
        remark = re.sub(r"[\x00-\x1f\x7f]", " ", entry.told)
        roles.append(entry.role)
        out = out or _HEAD
        out += "" if out.endswith("\n") else "\n"
        out += f"\n[board.{entry.role}]  # {remark}\n{weak}port = {quoted(entry.port)}\n"
    try:
        if roles:
            parse_bench(out, file)
    except ScenarioError as error:
        raise UsageError(
            "boards cannot be added behind what is there", file, f"write [board.ROLE] tables ({error.sentences[0]})"
        ) from None
    return out, roles, told


def write_bench(path: Path, new: Sequence[Entry]) -> tuple[list[str], list[str]]:
    """Add boards to a bench file, which is made where there is none; return the new roles, and what was left out.

    Raises:
        FileError: It cannot be read or written.
        UsageError: No board is attached, or it cannot be added to.
    """
    there = path.exists()
    if not new and not there:
        raise UsageError("no serial board is attached", str(path), "plug one in; virtual boards need no file")
    try:
        text = text_of(path) if there else ""
        out, roles, told = added(text, new, str(path))
        if out != text:
            beside = path.with_name(path.name + ".new")
            beside.write_text(out, "utf-8")
            beside.replace(path)
    except OSError as error:
        raise FileError(f"it cannot be written ({error.strerror})", str(path), "choose another name") from None
    return roles, told
