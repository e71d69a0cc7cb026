"""The page of models: what each says and how well, and teaching by showing.

Rule of this room: thin. What is counted is in `modelling`, what is drawn in `modellines`; the engine learns
beside its pipeline, and what came of it arrives as a sentence.
"""

from collections.abc import Sequence
from dataclasses import replace

from textual.app import ComposeResult
from textual.widgets import Input

from hil.tui import modellines
from hil.tui.feed import Answer, Feed, Reply
from hil.tui.key import Hint, bindings
from hil.tui.modelling import Modelling, looked, told
from hil.tui.page import Page
from hil.tui.pagelist import PageInfo
from hil.tui.pages import models_keys
from hil.tui.pane import Pane
from hil.tui.sheet import Sheet
from hil.tui.sheets import models as tables
from hil.tui.table import Table
from hil.tui.workplace import Workplace
from hil.view import View

__all__ = ["ModelsPage"]

NAME = "what is it called? enter makes the class, escape drops it"
FPS = 4.0
"""Looks a second, at most."""
VIEW = View(envelopes=False, images=False, history=200, log_lines=0)


class ModelsPage(Page):
    """Models of the bench.

    Args:
        info: Its place in the list.
        place: What stands behind it.
    """

    AUTO_FOCUS = "#models"
    BINDINGS = bindings(models_keys.KEYS)

    def __init__(self, info: PageInfo, place: Workplace) -> None:
        super().__init__(info, place)
        self.scene = Modelling()
        self.models = Table("models", id="models")
        self.about = Pane("model", id="about")
        self.line = Input(id="line")
        self.feed = Feed(place.client, self.deliver, place.inline)

    def compose(self) -> ComposeResult:
        """The panes from top to bottom."""
        yield from (self.status, self.models, self.about, self.line, self.footer)

    def on_mount(self) -> None:
        """Start to ask."""
        self.feed.start()
        self.set_interval(1 / min(FPS, self.place.fps), self.tick)
        self.call_after_refresh(self.tick)

    def close(self) -> None:
        """Ask no more."""
        self.feed.stop(0.0)

    def tick(self) -> None:
        """Ask how the models are; also while another page is shown, so that no decision goes uncounted."""
        self.feed.ask(VIEW)

    def take(self, what: Answer | Reply) -> None:
        """See `Page.take`."""
        if isinstance(what, Answer):
            self.feed.taken()
            if what.snapshot is None:
                self.scene = replace(self.scene, latest=None, lost=what.trouble)
            else:
                self.scene = looked(self.scene, what.snapshot)
        elif what.trouble:
            self.say(what.trouble, True)
        else:
            self.scene = told(self.scene, what.values)
            if sentence := what.values.get("sentence"):
                self.say(str(sentence))
        self.paint()

    def paint(self) -> None:
        """Draw the models."""
        if not self.seen:
            return
        super().paint()
        scene, (width, height) = self.scene, self.size
        self.models.styles.height = 1 + min(max(1, len(scene.models)), max(2, height // 4))
        title, lines = modellines.models(scene, width, self.models.has_focus)
        self.models.show_lines(lines, scene.cursor, title)
        title, lines = modellines.about(scene, width)
        self.about.show(lines, title)

    def hints(self) -> Sequence[Hint]:
        """Return the keys worth showing now."""
        here, (model, running, count) = self.scene.here, self.scene.shown
        teachable = here is not None and here.work is not None and here.work.teachable
        mine = here is not None and here.model == model
        return models_keys.hints(teachable, mine and running, count if mine else 0)

    async def sheet(self) -> Sheet | str:
        """Return the list, or how the model at the cursor does."""
        return tables.about(self.scene) if self.focused is self.about else tables.models(self.scene)

    def on_table_moved(self, event: Table.Moved) -> None:
        """Move the cursor of the list."""
        self.scene = self.scene.choose(event.line)
        self.paint()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Make the class."""
        label = event.value.strip()
        self.action_back()
        if label:
            self.feed.command("teach", label=label)

    def action_show(self) -> None:
        """Begin or end an example."""
        if self.scene.here is None:
            self.say("no model runs here", True)
        else:
            self.feed.command("show", model=self.scene.here.model)

    def action_drop(self) -> None:
        """Let go of an example."""
        self.feed.command("show_drop")

    def action_teach(self) -> None:
        """Ask for a name."""
        _, running, count = self.scene.shown
        if running or not count:
            self.say("end the example first: e" if running else "show it something first: e, the gesture, e", True)
            return
        self.line.placeholder, self.line.value = NAME, ""
        self.line.add_class("-open")
        self.line.focus()

    def action_anew(self) -> None:
        """Count anew."""
        self.scene = self.scene.anew()
        self.paint()

    def action_back(self) -> None:
        """Close the line."""
        if self.line.has_class("-open"):
            self.line.remove_class("-open")
            self.models.focus()
