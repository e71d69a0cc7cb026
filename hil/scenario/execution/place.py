"""Where a scenario runs: the place of each of its boards on a target.

Rule of this room: four ways. `recording`: the recorded bytes. `virtual`: the same recording spoken by a virtual board
(with a stimulus: pushed into one), and virtual boards by their seed. `firmware` and a port: the live board, with
recorded readings pushed into it. What a target cannot have is `NotHere` and says why.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from firmware_bridge.address import parse_port as parse_address
from firmware_bridge.errors import UsageError
from firmware_bridge.firmware import can_start, startable
from firmware_bridge.roles import parse_spec
from hil.scenario.grammar.grammar import BoardTable
from hil.scenario.grammar.load import Loaded

__all__ = ["NotHere", "Place", "firmware_port", "place_of", "places_of", "refuse_nobody", "target_of"]


TARGETS = ("recording", "virtual", "firmware")
"""Targets that are no port."""


class NotHere(Exception):
    """This target cannot have what the scenario asks for; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one board of a scenario is: `kind` is `recording`, `replayed`, `virtual`, `stimulated` or `live`.

    With `stimulus` its recorded readings are pushed into it.
    """

    role: str
    kind: str
    table: BoardTable
    port: str = ""
    stimulus: bool = False

    @property
    def target(self) -> str:
        """The target's name."""
        return {"replayed": "virtual", "stimulated": "virtual stimulus", "live": self.port}.get(self.kind, self.kind)


def firmware_port() -> str:
    """Return the port that `--on firmware` means: of what can be started here, the nearest to real hardware.

    Raises:
        NotHere: None can be started here.
    """
    if there := startable():
        return f"firmware://{there[0]}"
    raise NotHere(f"no firmware can be started here: {can_start('native')}")


def place_of(role: str, table: BoardTable, on: str | None, alone: bool, stimulus: bool = False) -> Place:
    """Return where a board is.

    Args:
        role: Its name.
        table: What the scenario says of it.
        on: The target that was asked for; None: as the scenario says.
        alone: Whether it is the scenario's only board.
        stimulus: Whether recorded readings are to be pushed into virtual boards too.

    Raises:
        NotHere: The target cannot have it.
        UsageError: One port was named for several boards.
    """
    if table.firmware is not None and on in (None, "firmware"):
        port = f"firmware://{table.firmware}"
        if reason := can_start(port):
            raise NotHere(reason)
        return Place(role, "live", table, port)
    if on is not None and on.partition("://")[0] == "firmware":
        native = firmware_port()
        on = native if on == "firmware" else on
    if stimulus and alone and table.recording is None:
        raise NotHere(f"board {role} has no recorded readings that could be pushed into it")
    if on in (None, "recording") and table.recording is not None:
        if stimulus:
            raise NotHere("readings are pushed into boards, and a recording is none; name --on virtual or --on PORT")
        return Place(role, "recording", table)
    if on == "recording":
        raise NotHere(f"board {role} has no recording")
    if on == "virtual" and table.recording is not None:
        return Place(role, "stimulated" if stimulus else "replayed", table, stimulus=stimulus)
    if on in (None, "virtual") and table.virtual is not None:
        return Place(role, "virtual", table)
    if on == "virtual":
        what = "real firmware" if table.firmware is not None else "a live board"
        raise NotHere(f"board {role} is {what}: it has neither a recording nor a virtual board")
    if on is None:
        return Place(role, "live", table, table.port or "")
    spec = parse_spec(on)
    parse_address(spec.port)
    if spec.role is None and not alone:
        raise UsageError(f"one port is named and the scenario has several boards, {role} among them", on,
                         f"write --on {role}=PORT")  # fmt: skip
    if spec.role not in (None, role):
        return place_of(role, table, None, alone)
    return Place(role, "live", table, spec.port, table.recording is not None)


def places_of(loaded: Loaded, on: str | None, stimulus: bool, ports: Mapping[str, str]) -> list[Place]:
    """Return where every board of a scenario is.

    Args:
        loaded: The scenario.
        on: The target that was asked for.
        stimulus: Whether recorded readings are to be pushed into virtual boards too.
        ports: Port of each role, from a bench file.

    Raises:
        NotHere: The target cannot have one of them.
        UsageError: One port was named for several boards.
    """
    boards = loaded.scenario.board
    places = [place_of(role, table, on, len(boards) == 1, stimulus) for role, table in boards.items()]
    if unknown := [one.role for one in places if one.port == "bench" and one.role not in ports]:
        raise NotHere(f"no bench file says where {', '.join(unknown)} is; give --bench FILE")
    return [replace(one, port=ports[one.role]) if one.port == "bench" else one for one in places]


def refuse_nobody(on: str | None, scenarios: Iterable[Loaded]) -> None:
    """Refuse a target that no scenario of a run can mean: a board that none has, a misspelt word.

    Args:
        on: As it was asked for.
        scenarios: All of the run.

    Raises:
        UsageError: It means nothing.
    """
    if on is None or on in TARGETS:
        return
    if near := get_close_matches(on, TARGETS, 1, 0.75):
        raise UsageError("this is neither a target nor a port", on, f"did you mean {near[0]}?")
    role = parse_spec(on).role
    roles = dict.fromkeys(name for one in scenarios for name in one.scenario.board)
    if role is not None and role not in roles:
        raise UsageError(f"no scenario has a board {role!r}", on, f"there are: {', '.join(roles)}")


def target_of(places: Iterable[Place]) -> str:
    """Return the name of the target of a run."""
    return " + ".join(dict.fromkeys(place.target for place in places))
