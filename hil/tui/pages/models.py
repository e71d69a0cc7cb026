"""The page of models: what each says and how well, two side by side, why, files to load, and teaching by showing.

Rule of this room: thin. What is counted is in `tally` and `versus`, what keys and answers change in `modelling`, what
is drawn in the rooms of lines. The engine runs and learns; files are read and decisions explained by a librarian in a
process of its own, which starts when the first of either is asked for.
"""

from collections.abc import Sequence
from dataclasses import replace

from textual.app import ComposeResult
from textual.widgets import Input

from hil.tui.charts.cells import Line
from hil.tui.feed import Answer, Feed, Reply
from hil.tui.key import Hint, bindings
from hil.tui.library import Library
from hil.tui.lines import besidelines, modelfilelines, modellines, whylines
from hil.tui.page import Page
from hil.tui.pagelist import PageInfo
from hil.tui.pages import models_keys
from hil.tui.sheet import Sheet
from hil.tui.sheets import models as tables
from hil.tui.state.modelling import Modelling, Why, looked, told
from hil.tui.terminal.pane import Pane
from hil.tui.terminal.table import Table
from hil.tui.workplace import Workplace
from hil.views.view import View

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
        self.models = Table("models", self._point, id="models")
        self.about = Pane("model", id="about")
        self.line = Input(id="line")
        self.feed = Feed(place.client, self.deliver, place.inline)
        self.library: Library | None = None
        self._leaving = ""

    def compose(self) -> ComposeResult:
        """The panes from top to bottom."""
        yield from (self.status, self.models, self.about, self.line, self.footer)

    def on_mount(self) -> None:
        """Start to ask."""
        self.feed.start()
        self.set_interval(1 / min(FPS, self.place.fps), self.tick)
        self.call_after_refresh(self.tick)

    def close(self) -> None:
        """Ask no more, and end the librarian if there is one."""
        self.feed.stop(0.0)
        if self.library is not None:
            self.library.close()

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
        else:
            self._replied(what)
        self.paint()

    def _replied(self, what: Reply) -> None:
        scene = self.scene
        if what.trouble and what.verb in ("seen", "explain") and scene.why is not None:
            self.scene = replace(scene, why=replace(scene.why, trouble=what.trouble))
        elif what.trouble:
            self.say(what.trouble, True)
        else:
            self.scene = told(scene, what.verb, what.values)
            if what.verb == "seen" and self.scene.why is not None:
                self._helper().ask("explain", "explain", **what.values)
            if sentence := what.values.get("sentence"):
                self.say(str(sentence))
        if self.library is not None and what.verb in ("models", "explain"):
            self.library.answered(what)

    def _helper(self) -> Library:
        """Return the librarian, started when it is first needed."""
        if self.library is None:
            self.library = Library(self.place.open_library(), self.deliver, self.place.inline)
            self.library.feed.start()
        return self.library

    # ---- drawing -----------------------------------------------------------------------------------------------------

    def paint(self) -> None:
        """Draw the models."""
        if not self.seen:
            return
        super().paint()
        scene, (width, height) = self.scene, self.size
        listing = scene.mode == "files"
        count, most = (len(scene.files or ()), height // 2) if listing else (len(scene.models), height // 4)
        self.models.styles.height = rows = 1 + min(max(1, count), max(2, most))
        self.models.heading = "model files" if listing else "models"
        lister = modelfilelines.files if listing else modellines.models
        title, lines = lister(scene, width, self.models.has_focus)
        self.models.show_lines(lines, scene.file if listing else scene.cursor, title)
        title, lines = self._about(width, height - rows - 3)  # what it will have, whatever it has now
        self.about.show(lines, title)

    def _about(self, width: int, height: int) -> tuple[Line, list[Line]]:
        scene = self.scene
        self.about.heading = "file" if scene.mode == "files" else "why" if scene.why is not None else "model"
        if scene.mode == "files":
            return modelfilelines.about(scene, width)
        if scene.why is not None:
            return whylines.picture(scene.why, width, height)
        return besidelines.beside(scene, width) if scene.beside is not None else modellines.about(scene, width)

    def hints(self) -> Sequence[Hint]:
        """Return the keys worth showing now."""
        scene = self.scene
        here, (model, running, count) = scene.here, scene.shown
        teachable = here is not None and here.work is not None and here.work.teachable
        mine = here is not None and here.model == model
        return models_keys.hints(scene.mode, scene.why is not None, teachable, mine and running, count if mine else 0,
                                 len(scene.others), len(scene.models), bool(here and here.label),
                                 scene.found is not None and bool(scene.found.network),
                                 here is not None and here.parity is not None)  # fmt: skip

    # ---- keys --------------------------------------------------------------------------------------------------------

    def _show(self, scene: Modelling) -> None:
        if (scene.mode, scene.why is None) != (self.scene.mode, self.scene.why is None):
            self.about.scrolled = 0
            self.call_after_refresh(self.paint)
        self.scene, self._leaving = scene, ""
        self.paint()

    async def sheet(self) -> Sheet | str:
        """Return the list, or how the model at the cursor does."""
        return tables.about(self.scene) if self.focused is self.about else tables.models(self.scene)

    def _point(self, line: int) -> None:
        self._show(self.scene.choose(line))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Make the class."""
        label = event.value.strip()
        self._close_line()
        if label:
            self.feed.command("teach", label=label)

    def action_files(self) -> None:
        """List model files."""
        self._show(replace(self.scene, mode="files", why=None))
        self._helper().ask("models", "models", folder=".")
        self.models.focus()

    def action_load(self) -> None:
        """Load the file at the cursor."""
        scene = self.scene
        found = scene.found if scene.mode == "files" else None
        if found is None:
            self.say("l lists the model files within reach, enter loads the one at the cursor", True)
        elif found.trouble:
            self.say(f"{found.name} cannot be loaded: what is wrong with it stands below", True)
        elif found.network:
            self._show(scene)
            self.say(f"{found.name} is an op list and runs on boards only: d puts it on one", True)
        else:
            self.feed.command("load_model", path=found.path)

    def action_deploy(self) -> None:
        """Put the model or the op list at the cursor on the board."""
        scene = self.scene.choose(self.models.cursor) if self.scene.mode == "files" else self.scene
        board = scene.here.board if scene.here is not None and scene.here.board else None
        if scene.mode == "files" and scene.found is not None:
            if scene.found.trouble:
                self.say(f"{scene.found.name} runs nowhere: what is wrong with it stands below", True)
            else:
                self.feed.command("deploy", path=scene.found.path, board=board)
        elif scene.here is None:
            self.say("no model runs here: l lists those within reach, and op lists (.hiln)", True)
        else:
            self.feed.command("deploy", path=scene.here.model, board=board)

    def action_stop(self) -> None:
        """Have the board run its own network no longer."""
        here = self.scene.here
        if here is None or here.parity is None or self.scene.mode == "files":
            self.say("no board here runs a network of its own: l lists the op lists, d puts one on a board", True)
        else:
            self.feed.command("stop_network", board=here.board)

    def action_unload(self) -> None:
        """Let the model at the cursor go, when it is asked for twice."""
        here = self.scene.here
        if here is None or self.scene.mode == "files":
            self.say("no model runs here", True)
        elif self._leaving != here.model:
            self._leaving = here.model
            self.say(f"x again unloads {here.model}; what it decided stays where it was recorded", True)
        else:
            self._leaving = ""
            self.feed.command("unload_model", model=here.model)

    def action_beside(self) -> None:
        """Look at two models side by side."""
        if not self.scene.others:
            self.say("no other model runs at this board: l loads one", True)
        else:
            self._show(self.scene.pair())

    def action_step(self, by: int) -> None:
        """Look at another decision."""
        scene = self.scene.step(by) if self.scene.mode != "files" else self.scene
        explains = scene.why is not None and scene.at_ns != self.scene.at_ns
        self._show(scene)
        if explains:
            self._ask_why()

    def action_why(self) -> None:
        """Explain the decision that is looked at, or go back."""
        here = self.scene.here
        if self.scene.why is not None:
            self._show(replace(self.scene, why=None))
        elif here is None or not here.label or self.scene.mode == "files":
            self.say("there is no decision here yet", True)
        else:
            self._ask_why()

    def _ask_why(self) -> None:
        here, at_ns = self.scene.here, self.scene.at_ns
        if here is not None:
            self._show(replace(self.scene, mode="one", why=Why(here.model, here.board)))
            self.feed.command("seen", model=here.model, board=here.board, t_ns=at_ns)

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
        self._show(self.scene.anew())

    def action_back(self) -> None:
        """Step back, the nearest first."""
        scene = self.scene
        if self.line.has_class("-open"):
            self._close_line()
        elif scene.why is not None:
            self._show(replace(scene, why=None))
        elif scene.mode != "one":
            self._show(replace(scene, mode="one", partner=""))
        elif scene.at_ns is not None:
            self._show(replace(scene, at_ns=None))

    def _close_line(self) -> None:
        self.line.remove_class("-open")
        self.models.focus()
