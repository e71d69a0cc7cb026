"""The layout of each bench, kept from one session to the next: one small file a bench in the user's folder of state.

`$XDG_STATE_HOME/hil/benches` (`~/.local/state`). A bench is the set of its boards' identities, wherever they are
plugged in and whatever they are called this time.

Rule of this room: a layout is a convenience. A file that cannot be read or written is said in a sentence and the screen
goes on; nothing in it is ever executed, and what is not known in it is passed over.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from hil.tui.charts.shading import Shading, shading_of
from hil.tui.state.look import SPLITS, Look
from hil.tui.state.state import BASES, Scene
from hil.tui.state.valuerange import Span, span_of
from hil.views.figure import KINDS
from hil.views.snapshot import BoardView

__all__ = ["Bench", "Memory", "bench_of", "folder", "load", "save"]

SCHEMA = 1

Bench = Mapping[str, str]
"""The identity of each board by its role."""


def folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where layouts are kept."""
    base = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "hil" / "benches"


def bench_of(boards: Sequence[BoardView]) -> Bench | None:
    """Return which bench this is; None while a board has not said who it is."""
    found: dict[str, str] = {}
    for board in boards:
        identity = f"{board.model} {board.serial}".strip()
        if not identity and board.state not in ("live", "replay"):
            return None
        found[board.role] = identity or board.role
    return found or None


def _path(where: Path, bench: Bench) -> Path:
    identities = "\n".join(sorted(bench.values()))
    return where / f"{hashlib.sha256(identities.encode()).hexdigest()[:16]}.json"


def save(where: Path, bench: Bench, scene: Scene) -> str:
    """Keep the layout of a bench; return why that cannot be, empty where it could."""
    look = scene.look
    plots = [
        {"board": bench.get(role, role), "stream": stream, "unit": unit, "kind": look.kinds.get(key, ""),
         "pick": look.picks.get(key, 0), "hidden": list(look.hidden.get(key, ())), "span": look.spans.get(key),
         **asdict(look.shadings.get(key, Shading()))}
        for key in sorted({*look.kinds, *look.picks, *look.hidden, *look.shadings, *look.spans})
        for role, stream, unit in [_parts(key)]
    ]  # fmt: skip
    plain = {
        "schema": SCHEMA, "boards": sorted(bench.values()), "seconds": scene.seconds, "lanes": scene.lanes,
        "split": look.split, "shared": look.shared, "overview": look.overview, "plots": plots,
    }  # fmt: skip
    path = _path(where, bench)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(plain, indent=1), encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        return f"the layout is not remembered: {error}"
    return ""


def load(where: Path, bench: Bench, scene: Scene) -> tuple[Scene, str]:
    """Return the scene as it was left at this bench, and what is wrong with the file, empty where nothing is."""
    path = _path(where, bench)
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return _applied(plain, bench, scene), ""
    except FileNotFoundError:
        return scene, ""
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        return scene, f"the layout of this bench cannot be read ({error}); remove {path}"


def _applied(plain: dict[str, Any], bench: Bench, scene: Scene) -> Scene:
    if plain["schema"] > SCHEMA:
        raise ValueError(f"it is of schema {plain['schema']}, and this is version {SCHEMA}")
    roles = {identity: role for role, identity in bench.items()}
    kinds: dict[str, str] = {}
    picks: dict[str, int] = {}
    shadings: dict[str, Shading] = {}
    hidden: dict[str, tuple[str, ...]] = {}
    spans: dict[str, Span] = {}
    for one in plain["plots"]:
        key = f"{roles.get(one['board'], one['board'])}/{one['stream']}/{one['unit']}"
        if one["kind"] in KINDS:
            kinds[key] = one["kind"]
        picks[key] = int(one["pick"])
        if gone := tuple(map(str, one.get("hidden", ()))):  # files of before have none
            hidden[key] = gone
        if (span := span_of(one.get("span"))) is not None:
            spans[key] = span
        if (shading := shading_of(one.get("colours"), one.get("each"), one.get("held"))) != Shading():
            shadings[key] = shading
    overview = plain["overview"]
    look = Look(
        kinds, picks, plain["split"] if plain["split"] in SPLITS else 0, bool(plain["shared"]),
        None if overview is None else bool(overview), scene.look.cursor_s, shadings, hidden, spans,
    )  # fmt: skip
    seconds = float(plain["seconds"])
    return replace(scene, look=look, seconds=seconds if seconds in BASES else scene.seconds, lanes=bool(plain["lanes"]))


def _parts(key: str) -> tuple[str, str, str]:
    """Return role, stream and unit of a pane's key; a unit may hold a slash."""
    role, stream, unit = key.split("/", 2)
    return role, stream, unit


class Memory:
    """Remembers the layout of whatever bench a screen is at.

    Args:
        where: The folder; None: nothing is remembered.
    """

    def __init__(self, where: Path | None) -> None:
        self._where = where
        self._bench: Bench | None = None
        self._kept: tuple[object, ...] = ()

    def met(self, scene: Scene) -> tuple[Scene, str]:
        """Return the scene as it was left at this bench, where it is another one than before; and what went wrong."""
        bench = bench_of(scene.latest.boards) if self._where is not None and scene.latest is not None else None
        if self._where is None or bench is None or bench == self._bench:
            return scene, ""
        self._bench = bench
        scene, trouble = load(self._where, bench, scene)
        self._kept = _worth(scene)
        return scene, trouble

    def left(self, scene: Scene) -> str:
        """Keep the layout where a person changed it; return why that cannot be, else empty."""
        if self._where is None or self._bench is None or _worth(scene) == self._kept:
            return ""
        self._kept = _worth(scene)
        return save(self._where, self._bench, scene)


def _worth(scene: Scene) -> tuple[object, ...]:
    """Return what is remembered of a scene."""
    return scene.seconds, scene.lanes, replace(scene.look, cursor_s=None)
