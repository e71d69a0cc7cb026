"""The page of recordings: a list with strips of the one at the cursor, labelling by keys, and a comparison of two.

Rule of this room: thin. What keys change is in `reading`, what is drawn in `reelview` and `shelflines`; files are
read and labels written by a librarian in a process of its own (see `library`), so that the screen never waits.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from textual.app import ComposeResult
from textual.widgets import Input

from hil.tui import reelview
from hil.tui.feed import Answer, Reply
from hil.tui.key import Hint, bindings
from hil.tui.library import Library, learned
from hil.tui.lines import reel, shelflines
from hil.tui.page import Page
from hil.tui.pagelist import PageInfo
from hil.tui.pages import recordings_keys
from hil.tui.pages.replay import ReplayPage
from hil.tui.sheet import Sheet
from hil.tui.sheets import recordings as tables
from hil.tui.state import labelling
from hil.tui.state.deeds import Command, Refusal
from hil.tui.state.reading import ALIGN, Reading
from hil.tui.terminal.pane import Pane
from hil.tui.terminal.table import Table
from hil.tui.workplace import Workplace

__all__ = ["RecordingsPage"]

SEARCH = "words of name, stream, label or note; enter keeps the search, escape ends it"
NEW_CLASS = "what is the class called? enter puts it on the next digit, escape drops it"


class RecordingsPage(Page):
    """Recordings of a folder.

    Args:
        info: Its place in the list.
        place: What stands behind it.
    """

    AUTO_FOCUS = "#shelf"
    BINDINGS = bindings(recordings_keys.KEYS)

    def __init__(self, info: PageInfo, place: Workplace) -> None:
        super().__init__(info, place)
        self.scene = Reading()
        self.shelf = Table("recordings", self._point, id="shelf")
        self.reel = Pane(" ", id="reel")
        self.line = Input(id="line")
        self.replay: ReplayPage | None = None
        self.library = Library(place.open_library(), self.deliver, place.inline)
        self._asking = ""

    def compose(self) -> ComposeResult:
        """The panes from top to bottom."""
        yield from (self.status, self.shelf, self.reel, self.line, self.footer)

    def on_mount(self) -> None:
        """Read the folder."""
        self.library.feed.start()
        self.action_again()

    def close(self) -> None:
        """End the librarian, and a replay that is open."""
        if self.replay is not None:
            self.replay.close()
        self.library.close()

    def take(self, what: Answer | Reply) -> None:
        """See `Page.take`."""
        if isinstance(what, Answer):
            return
        if what.trouble and what.verb == "thumbnail":  # its line says what is wrong with it
            self.scene = replace(self.scene, thumbs={**self.scene.thumbs, str(what.args["path"]): ()})
        elif what.trouble:
            self.say(what.trouble, True)
        else:
            self.scene = learned(self.scene, what.verb, what.values)
            if sentence := what.values.get("sentence"):
                self.say(str(sentence))
        self.library.answered(what)
        self.paint()

    # ---- drawing -----------------------------------------------------------------------------------------------------

    def paint(self) -> None:
        """Draw the scene."""
        if not self.seen:
            return
        super().paint()
        scene, (width, height) = self.scene, self.size
        listed = scene.mode == "list"
        self.shelf.display = listed
        rows = max(1, len(scene.shown))
        self.shelf.styles.height = 1 + min(rows, max(3, (height - 3) * 2 // 5))
        written = self._written()
        title, lines = shelflines.shelf(scene, width, str(self.place.folder), self.shelf.has_focus, written)
        self.shelf.show_lines(lines, scene.cursor, title)
        pane = self.reel
        if pane.size.width:
            lines, about = reelview.picture(scene, pane.size.width, pane.body_height, pane.palette.colour, written)
            pane.show(lines, about)
            self.library.look(scene, reel.columns_of(pane.size.width))
        if listed and width >= shelflines.WIDE:
            self.library.thumb(scene, shelflines.THUMB)

    def _written(self) -> str:
        """Return the file that the bench writes now; empty where it writes none."""
        bench = self.place.bench().latest
        running = bench.recording if bench is not None else None
        return running.path if running is not None and running.state == "recording" else ""

    def hints(self) -> Sequence[Hint]:
        """Return the keys worth showing now."""
        return recordings_keys.hints(self.scene.mode, len(self.scene.classes), self.scene.start_s is not None,
                                     self.scene.suggested is not None)  # fmt: skip

    async def sheet(self) -> Sheet | str:
        """Return the list, or what is drawn below it."""
        listed = self.scene.mode == "list" and self.focused is not self.reel
        return tables.shelf(self.scene, str(self.place.folder)) if listed else tables.strips(self.scene)

    def actions(self) -> Iterator[tuple[str, str, str]]:
        """Yield what can be done; labels by the name of their class."""
        yield from (one for one in super().actions() if not one[2].startswith("label_as"))
        for at, name in enumerate(self.scene.classes):
            yield f"label: {name} ({at + 1})", "Label the stretch so.", f"label_as({at + 1})"

    # ---- keys --------------------------------------------------------------------------------------------------------

    def _show(self, scene: Reading) -> None:
        self.scene = scene
        self.paint()

    def _point(self, line: int) -> None:
        self._show(self.scene.choose(line))

    def _open_line(self, asking: str, explained: str, value: str = "") -> None:
        self._asking = asking
        self.line.placeholder, self.line.value = explained, value
        self.line.add_class("-open")
        self.line.focus()

    def _close_line(self) -> None:
        self._asking = ""
        self.line.value = ""
        self.line.remove_class("-open")
        (self.shelf if self.scene.mode == "list" else self.reel).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search while the words are written."""
        if self._asking == "search":
            self._show(self.scene.search(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the search, or put a class on a digit."""
        words = event.value.strip()
        if self._asking == "class" and words:
            self.scene = replace(self.scene, added=(*self.scene.added, words))
            if words not in self.scene.classes:
                self.say("all nine digits have a class: label with the command line, hil data label FILE LABEL", True)
        self._close_line()
        self.paint()

    def action_search(self) -> None:
        """Ask for words."""
        if self.scene.mode == "list":
            self._open_line("search", SEARCH, self.scene.words)

    def action_again(self) -> None:
        """Read the folder."""
        self.library.forget()
        self.scene = replace(self.scene, marked={}, thumbs={})
        self.library.ask("shelf", "shelf", folder=str(self.place.folder))

    def action_open(self) -> None:
        """Play the recording."""
        here = self.scene.here
        if here is None or not here.duration_s:
            self.say(self.scene.nothing_to("be played"), True)
            return
        self.replay = ReplayPage(self.place, Path(here.path), self.scene.classes, self._replayed)
        self.app.push_screen(self.replay)

    def _replayed(self, sentence: str) -> None:
        self.replay = None
        self.action_again()
        if sentence:
            self.say(sentence, True)

    def action_label(self) -> None:
        """Label the recording."""
        here = self.scene.here
        if here is None or not here.duration_s:
            self.say(self.scene.nothing_to("be labelled"), True)
            return
        self._enter(self.scene.enter("label"))

    def action_compare(self) -> None:
        """Choose A, or compare with it."""
        scene, here = self.scene, self.scene.here
        if here is None or scene.mode != "list":
            return
        if scene.first is None or scene.a == here.path:
            self.scene = replace(scene, a="" if scene.a == here.path else here.path)
            self.say(f"A is {Path(here.path).name}: go to another one and press c" if self.scene.a else "A is let go")
        else:
            self._enter(scene.enter("compare"))

    def _enter(self, scene: Reading) -> None:
        self._message = ("", False)
        self._show(scene)
        (self.shelf if scene.mode == "list" else self.reel).focus()
        self.call_after_refresh(self.paint)

    def action_back(self) -> None:
        """Step back."""
        if self._asking:
            if self._asking == "search":
                self.scene = self.scene.search("")
            self._close_line()
            self.paint()
        elif self.scene.start_s is not None:
            self._show(replace(self.scene, start_s=None))
        elif self.scene.mode != "list":
            self._enter(self.scene.enter("list"))
        elif self.scene.words:
            self._show(self.scene.search(""))

    def action_move(self, columns: int) -> None:
        """Move the cursor of time, or what is seen of two."""
        first, last = self.scene.window
        step = columns * (last - first) / max(1, self.reel.size.width - reel.GUTTER)
        if self.scene.mode == "label":
            self._show(self.scene.go(self.scene.at_s + step))
        elif self.scene.mode == "compare":
            self._show(self.scene.pan(8 * step))
        else:
            self._show(self.scene.peek(step))

    def action_edge(self, by: int) -> None:
        """Go to an edge."""
        if self.scene.mode == "label":
            self._show(self.scene.edge(by))

    def action_zoom(self, by: int) -> None:
        """See more or less time."""
        if self.scene.mode != "list":
            self._show(self.scene.zoom(by))

    def action_start(self) -> None:
        """Start a stretch, or let go of it."""
        if self.scene.mode == "label":
            self._show(replace(self.scene, start_s=self.scene.at_s if self.scene.start_s is None else None))

    def _do(self, decided: Command | Refusal, keep: bool = False) -> None:
        """Hand a request on, which lets go of the stretch unless it is kept; or say why not."""
        if isinstance(decided, Refusal):
            self.say(decided.sentence, True)
            return
        self.library.feed.command(decided.verb, **decided.args)
        if not keep:
            self._show(replace(self.scene, start_s=None))

    def action_label_as(self, digit: int) -> None:
        """Label the stretch."""
        self._do(labelling.labelled(self.scene, digit))

    def action_new_class(self) -> None:
        """Ask for the name of a class."""
        if self.scene.mode == "label":
            self._open_line("class", NEW_CLASS)

    def action_undo(self) -> None:
        """Take back what was done last."""
        self._do(labelling.undone(self.scene), True)

    def action_remove(self) -> None:
        """Take away the label at the cursor."""
        self._do(labelling.removed(self.scene), True)

    def action_suggestion(self) -> None:
        """Take the next suggestion as the stretch."""
        if self.scene.mode != "label":
            return
        scene = self.scene.suggest()
        if scene is None:
            self.say("nothing is suggested beside this recording", True)
        else:
            self._show(scene)

    def action_drop_suggestion(self) -> None:
        """Take the suggestion away that is taken as the stretch."""
        self._do(labelling.dismissed(self.scene))

    def action_glitch(self) -> None:
        """Make a test of the stretch, or of what lies just before the cursor."""
        self._do(labelling.tested(self.scene))

    def action_overlay(self) -> None:
        """Lay A and B over each other, or not."""
        if self.scene.mode == "compare":
            self._show(replace(self.scene, overlay=not self.scene.overlay))

    def action_align(self) -> None:
        """Line A and B up by something else."""
        if self.scene.mode == "compare":
            scene = replace(self.scene, align=(self.scene.align + 1) % len(ALIGN), begin_s=0.0, span_s=0.0)
            self._show(replace(scene, shift_s=0.0))

    def action_shift(self, columns: int) -> None:
        """Shift B against A."""
        if self.scene.mode == "compare":
            first, last = self.scene.window
            step = columns * (last - first) / max(1, self.reel.size.width - reel.GUTTER)
            self._show(replace(self.scene, shift_s=self.scene.shift_s + step))
