"""Asks the librarian for what a page of recordings shows, and makes its answers a new scene.

Rule of this room: no screen library. Of one kind of question one is under way and the newest waits for its answer, so
that a cursor that runs through a hundred recordings asks for a few.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hil.librarian.shelf import Entry
from hil.tui.feed import Answer, Client, Feed, Reply
from hil.tui.state.reading import Marked, Reading
from hil.views.cursor import CursorView
from hil.views.message import from_plain
from hil.views.stream import StreamView

__all__ = ["Library", "learned", "readable"]


class Library:
    """A page's side of a librarian.

    Args:
        client: The librarian, perhaps still starting.
        deliver: Called with each reply, from the feed's thread.
        inline: Do everything in the caller's thread (tests and pictures).
    """

    def __init__(self, client: Client, deliver: Callable[[Answer | Reply], object], inline: bool) -> None:
        self._client = client
        self.feed = Feed(client, deliver, inline)
        self._waiting: dict[str, tuple[str, dict[str, Any]] | None] = {}
        self._slots: dict[tuple[str, str], str] = {}
        self._asked: tuple[object, ...] = ()
        self._under: tuple[object, ...] = ()
        self._closed = False

    def close(self) -> None:
        """End it, beside the screen: it may be reading a long file. A second time does nothing."""
        self.feed.stop(0.0)
        closing, self._closed = None if self._closed else getattr(self._client, "close", None), True
        if closing is not None:
            threading.Thread(target=closing, name="closing").start()

    def forget(self) -> None:
        """Ask again for what is to be seen, also where that is as before."""
        self._asked = ()

    def ask(self, slot: str, verb: str, **arguments: Any) -> None:
        """Ask; where a question of this kind is under way, this one waits in place of any that waited before."""
        if slot in self._waiting:
            self._waiting[slot] = (verb, arguments)
            return
        self._waiting[slot] = None
        self._slots[verb, str(arguments.get("path", ""))] = slot
        self.feed.command(verb, **arguments)

    def answered(self, reply: Reply) -> None:
        """Hand on the question that waited for this answer, if any."""
        slot = self._slots.pop((reply.verb, str(reply.args.get("path", ""))), None)
        following = self._waiting.pop(slot, None) if slot is not None else None
        if slot is not None and following is not None:
            self.ask(slot, following[0], **following[1])

    def thumb(self, scene: Reading, columns: int) -> None:
        """Ask for the next thumbnail; one at a time, so that what somebody looks at never waits for long."""
        if "thumb" not in self._waiting and (entry := scene.unseen) is not None:
            self.ask("thumb", "thumbnail", path=entry.path, columns=columns)

    def look(self, scene: Reading, columns: int) -> None:
        """Ask for what is to be seen with so many dot columns and is not there."""
        if scene.here is None:
            return
        if scene.cursor_s is not None and self._under != (scene.here.path, scene.cursor_s) and readable(scene.here):
            self._under = (scene.here.path, scene.cursor_s)
            self.ask("under", "under", path=scene.here.path, t_s=scene.cursor_s)
        compared = scene.mode == "compare" and scene.first is not None
        wanted = {"here": (scene.here, scene.offset_s if compared else 0.0)}
        if compared and scene.first is not None:
            wanted["first"] = (scene.first, 0.0)
        asked = (scene.window, columns, *((entry.path, by) for entry, by in wanted.values()))
        if asked == self._asked:
            return
        self._asked = asked
        first, last = scene.window
        for slot, (entry, by) in wanted.items():
            if readable(entry):
                self.ask(f"envelopes {slot}", "envelopes", path=entry.path, columns=columns, from_s=first - by,
                         to_s=last - by)  # fmt: skip
                if entry.path not in scene.marked:
                    self.ask(f"marks {slot}", "marks", path=entry.path)


def readable(entry: Entry) -> bool:
    """Whether there is anything in a recording that can be looked at."""
    return entry.duration_s > 0 or not entry.trouble


def learned(scene: Reading, verb: str, values: Mapping[str, Any]) -> Reading:
    """Return the scene with what the librarian said."""
    if verb == "shelf":
        return scene.listing(tuple(from_plain(Entry, one) for one in values["entries"]))
    if verb == "envelopes":
        streams = tuple(from_plain(StreamView, one) for one in values["streams"])
        return replace(scene, strips={**scene.strips, values["path"]: streams})
    if verb == "under":
        cursors = tuple(from_plain(CursorView, one) for one in values["cursors"])
        return replace(scene, under={values["path"]: (values["t_s"], cursors)})
    if verb == "thumbnail":
        return replace(scene, thumbs={**scene.thumbs, values["path"]: tuple(values["moves"])})
    marked = Marked.of(dict(values))
    entries = _labelled(scene.entries or (), values["path"], marked)
    return replace(scene, marked={**scene.marked, values["path"]: marked}, entries=entries)


def _labelled(entries: Sequence[Entry], path: str, marked: Marked) -> tuple[Entry, ...]:
    """Return the list with the labels of one recording as they are now."""
    labels = tuple(dict.fromkeys(one.text for one in marked.labels))
    spent = sum(one.to_s - one.from_s for one in marked.labels)
    return tuple(
        replace(entry, labels=labels, labelled_s=spent) if entry.path == path else entry for entry in entries
    )  # fmt: skip
