"""Reads recordings and model files for screens in a process of its own, writes labels, explains, calls the doctor.

`python -m hil.librarian` serves it behind the same door as an engine, so that neither a screen nor capture ever waits
for a long file or a slow port. Labels are set by the functions behind `hil data label`.

Rule of this room: thin. Every command is one call of `hil.librarian.shelf`, `hil.data`, `hil.recording` or
`hil.doctor`; times are seconds from a recording's first sample on this side and UTC on that.
"""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from firmware_bridge.clock import Clock, SystemClock
from firmware_bridge.errors import UsageError
from hil.data import labelling
from hil.data.suggested import find, open_suggestions
from hil.engine.desk import user_name
from hil.librarian import shelf
from hil.librarian.explaining import explained_in
from hil.librarian.underneath import under
from hil.recording.marks import remove_mark, sidecar_of
from hil.recording.reader import Recording
from hil.views.message import to_plain
from hil.views.snapshot import Snapshot
from hil.views.view import View

__all__ = ["Librarian"]


class Librarian:
    """Answers questions about recordings.

    Args:
        clock: Dates labels.
        author: Who sets them; empty: the user of this machine.
    """

    def __init__(self, clock: Clock | None = None, author: str = "") -> None:
        self.clock = clock or SystemClock()
        self.author = author or user_name()
        self.asked_to_end = threading.Event()
        """Set when somebody said `quit`."""

    def snapshot(self, view: View) -> Snapshot:
        """Return nothing that moves: there is no bench here."""
        return Snapshot(0, self.clock.now_ns(), "live")

    def verbs(self) -> Mapping[str, Callable[..., dict[str, Any] | None]]:
        """Return the commands by name."""
        return {
            "shelf": self._shelf, "envelopes": self._envelopes, "marks": self._marks, "label": self._label,
            "unlabel": self._unlabel, "under": _under, "undo": self._undo, "examine": _examine, "ports": _ports,
            "dismiss": self._dismiss, "glitch": self._glitch, "models": _models, "explain": _explain,
            "explain_in": explained_in, "thumbnail": _thumbnail,
            "quit": self.asked_to_end.set,
        }  # fmt: skip

    def close(self) -> None:
        """Let go of nothing: every file is closed when a question is answered."""

    def command(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """Do what a screen asks for; see `verbs`.

        Raises:
            BridgeError: It cannot be done; the sentence says why.
        """
        known = self.verbs()
        if verb not in known:
            raise UsageError(f"there is no command {verb!r}", "librarian", f"use one of: {', '.join(sorted(known))}")
        return known[verb](**arguments) or {}

    def _shelf(self, folder: str) -> dict[str, Any]:
        return {"folder": folder, "entries": [to_plain(shelf.look(path)) for path in shelf.on_shelf(Path(folder))]}

    def _envelopes(
        self, path: str, columns: int, from_s: float = 0.0, to_s: float | None = None, most: int | None = None
    ) -> dict[str, Any]:
        views = shelf.envelopes(Path(path), columns, from_s, to_s, most)
        return {"path": path, "streams": [to_plain(view) for view in views]}

    def _marks(self, path: str) -> dict[str, Any]:
        with Recording(path, skip_damaged=True) as recording:
            kept, start, end = recording.kept_marks, recording.start_ns, recording.duration_s
        labels = labelling.intervals(kept)
        return {
            "path": path, "duration_s": end,
            "labels": [
                {"id": one.id, "text": one.text, "board": one.board, "from_s": (one.start_ns - start) / 1e9,
                 "to_s": end if one.stop_ns is None else (one.stop_ns - start) / 1e9}
                for one in labels
            ],
            "marks": [
                {"text": one.mark.text, "t_s": (one.mark.t_ns - start) / 1e9} for one in kept if one.mark.kind == "mark"
            ],
            "suggestions": [
                {"from_s": (one.start_ns - start) / 1e9, "to_s": (one.stop_ns - start) / 1e9, "why": one.why,
                 "guess": one.guess, "id": one.id}
                for one in open_suggestions(kept)
            ],
        }  # fmt: skip

    def _label(self, path: str, text: str, from_s: float, to_s: float, board: str = "") -> dict[str, Any]:
        with Recording(path, skip_damaged=True) as recording:
            start, stop = (recording.start_ns + round(end * 1e9) for end in (from_s, to_s))
            there = labelling.label_stretch(
                recording, text, start, stop, self.clock.now_ns(), author=self.author, board=board
            )
        kept = f"{text}: {from_s:.2f} to {to_s:.2f} s, kept in {sidecar_of(Path(path)).name}"
        kept += "".join(f"; it overlaps {one.text}: what lies in both counts as unlabelled" for one in there)
        return {"sentence": kept, **self._marks(path)}

    def _unlabel(self, path: str, label: str) -> dict[str, Any]:
        with Recording(path, skip_damaged=True) as recording:
            kept = recording.kept_marks
        gone = labelling.remove_label(Path(path), kept, label, self.clock.now_ns(), self.author)
        return {"sentence": f"{gone.text} is taken away; undo brings it back", **self._marks(path)}

    def _dismiss(self, path: str, suggestion: str) -> dict[str, Any]:
        with Recording(path, skip_damaged=True) as recording:
            kept = recording.kept_marks
        gone = find(Path(path), kept, suggestion)
        remove_mark(Path(path), gone.id, self.clock.now_ns(), self.author)
        return {"sentence": "the suggestion is taken away; undo brings it back", **self._marks(path)}

    def _glitch(self, path: str, from_s: float, to_s: float) -> dict[str, Any]:
        from hil.scenario.captured import glitch_in

        made = glitch_in(Path(path), from_s, to_s)
        return {"sentence": f"a test was made of {from_s:.1f} to {to_s:.1f} s: hil run {made}", **self._marks(path)}

    def _undo(self, path: str) -> dict[str, Any]:
        with Recording(path, skip_damaged=True) as recording:
            recorded = recording.recorded_marks
        said = labelling.undo(Path(path), recorded, self.clock.now_ns(), self.author)
        return {"sentence": "; ".join(said), **self._marks(path)}


def _under(path: str, t_s: float) -> dict[str, Any]:
    return {"path": path, "t_s": t_s, "cursors": [to_plain(one) for one in under(Path(path), t_s)]}


def _thumbnail(path: str, columns: int) -> dict[str, Any]:
    return {"path": path, "moves": list(shelf.thumbnail(Path(path), columns))}


def _examine(screen: list[Any], port: str | None = None, loopback: bool = False) -> dict[str, Any]:
    from hil.doctor.examine import examine

    environment, seen, size, encoding = screen
    return examine(port, loopback=loopback, screen=(environment, seen, tuple(size), encoding)).as_dict()


def _models(folder: str) -> dict[str, Any]:
    from hil.serving.shelf import models_in, places

    return {"folder": folder, "models": [to_plain(one) for one in models_in(places(Path(folder)))]}


def _explain(**made_on: Any) -> dict[str, Any]:
    from hil.models.explained import explained

    return explained(made_on)


def _ports() -> dict[str, Any]:
    from firmware_bridge.ports import list_ports

    return {"ports": [info.port for info in list_ports()]}
