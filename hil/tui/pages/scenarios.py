"""The page of scenarios: the library, runs as they go on, failures where they happened, and baselines.

Rule of this room: thin. What keys and answers change is in `judging`, what is drawn in `judginglines` and `moment`;
scenarios run behind `hil.runner` in a process of its own, so that the screen never waits for one.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from textual.app import ComposeResult
from textual.widgets import Input

from hil.tui.feed import Answer, Reply
from hil.tui.key import Hint, bindings
from hil.tui.library import Library
from hil.tui.lines import judginglines, moment
from hil.tui.page import Page
from hil.tui.pagelist import PageInfo
from hil.tui.pages import scenarios_keys
from hil.tui.pages.replay import ReplayPage
from hil.tui.sheet import Sheet
from hil.tui.sheets import scenarios as tables
from hil.tui.state.judging import Judging, learned
from hil.tui.terminal.pane import Pane
from hil.tui.terminal.table import Table
from hil.tui.workplace import Workplace

__all__ = ["ScenariosPage"]

SEARCH = "words of name, file, tag or last outcome; enter keeps the search, esc ends it"
LOOK_S = 0.2
"""How often the runner is asked how far it is."""
BEFORE_S = 3.0
"""How long before a moment its replay begins."""


class ScenariosPage(Page):
    """Scenarios of a folder.

    Args:
        info: Its place in the list.
        place: What stands behind it.
    """

    AUTO_FOCUS = "#library"
    BINDINGS = bindings(scenarios_keys.KEYS)

    def __init__(self, info: PageInfo, place: Workplace) -> None:
        super().__init__(info, place)
        self.scene = Judging()
        self.library = Table("scenarios", self._point, id="library")
        self.checks = Pane("checks", id="checks")
        self.line = Input(id="line")
        self.replay: ReplayPage | None = None
        self.runner = Library(place.open_runner(), self.deliver, place.inline)

    def compose(self) -> ComposeResult:
        """The panes from top to bottom."""
        yield from (self.status, self.library, self.checks, self.line, self.footer)

    def on_mount(self) -> None:
        """Read the library."""
        self.runner.feed.start()
        self.action_again()

    def close(self) -> None:
        """End the runner, and with it what runs; and a replay that is open."""
        if self.replay is not None:
            self.replay.close()
        self.runner.close()

    def may_leave(self) -> bool:
        """A run is ended by its own key, so that its teardown is seen to end; a second try leaves anyway."""
        if self.scene.waiting and not self._warned:
            self._warned = True
            self.say("scenarios are running: x ends them, ctrl+q again leaves and ends them", True)
            return False
        return True

    _warned = False

    def take(self, what: Answer | Reply) -> None:
        """See `Page.take`."""
        if isinstance(what, Answer):
            return
        if what.trouble:
            self.say(what.trouble, True)
            if what.verb == "progress":  # nobody is there any more who could go on
                self.scene = replace(self.scene, waiting=(), running={})
            elif what.verb == "library":
                self.scene = replace(self.scene, trouble=what.trouble)
            self.paint()
            return
        ran = bool(self.scene.waiting)
        self.scene = learned(self.scene, what.verb, what.values)
        if sentence := what.values.get("trouble") or what.values.get("sentence"):
            self.say(str(sentence), bool(what.values.get("trouble")))
        if self.scene.waiting and what.verb in ("run", "progress"):
            self.set_timer(LOOK_S, self._look)
        elif ran and not self.scene.waiting:
            self.action_again()
        self.paint()

    def _look(self) -> None:
        if self.scene.waiting:
            self.runner.feed.command("progress", told=self.scene.told)

    # ---- drawing -----------------------------------------------------------------------------------------------------

    def paint(self) -> None:
        """Draw the scene."""
        if not self.seen:
            return
        super().paint()
        scene, (width, height) = self.scene, self.size
        looking = scene.mode != "list"
        title, lines = judginglines.library(scene, width, str(self.place.scenarios), self.library.has_focus)
        rows = 1 + min(len(lines), 3 if looking else max(3, (height - 3) * 2 // 5))
        self.library.styles.height = rows
        self.library.show_lines(lines, scene.cursor, title)
        pane = self.checks
        if not pane.size.width:
            return
        if scene.mode == "baseline":
            pane.heading = "baseline"
            title, lines = judginglines.difference(scene, pane.size.width)
        elif scene.mode == "moment" and scene.moment is not None and scene.result is not None:
            pane.heading = "moment"
            spot = (scene.window, len(scene.windows))
            room = height - rows - 3  # what will be there once the list has made way, whatever is there now
            title, lines = moment.picture(scene.moment, scene.result.exhibit, spot, width, room)
        else:
            pane.heading = "checks"
            title, lines = judginglines.checks(scene, pane.size.width)
        pane.show(lines, title)

    def hints(self) -> Sequence[Hint]:
        """Return the keys worth showing now."""
        scene = self.scene
        proposed = scene.here is not None and scene.here.baseline and scene.result is not None
        return scenarios_keys.hints(scene.mode, len(scene.windows), bool(scene.waiting), len(scene.chosen), proposed,
                                    bool(scene.kept))  # fmt: skip

    async def sheet(self) -> Sheet | str:
        """Return the library, or what stands below it."""
        listed = self.scene.mode == "list" and self.focused is not self.checks
        return tables.library(self.scene, str(self.place.scenarios)) if listed else tables.checks(self.scene)

    # ---- keys --------------------------------------------------------------------------------------------------------

    def _show(self, scene: Judging) -> None:
        changed = scene.mode != self.scene.mode
        self.scene = scene
        if changed:
            self.checks.scrolled = 0
            self.call_after_refresh(self.paint)
        self.paint()

    def _point(self, line: int) -> None:
        self._show(self.scene.choose(line))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search while the words are written."""
        if self.line.has_class("-open"):
            self._show(self.scene.search(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the search."""
        self._close_line()

    def _close_line(self) -> None:
        self.line.remove_class("-open")
        self.library.focus()

    def action_search(self) -> None:
        """Ask for words."""
        self.line.placeholder, self.line.value = SEARCH, self.scene.words
        self.line.add_class("-open")
        self.line.focus()

    def action_again(self) -> None:
        """Read folder and history."""
        self.runner.feed.command("library", folder=str(self.place.scenarios), runs=str(self.place.runs))

    def action_mark(self) -> None:
        """Mark the scenario."""
        self._show(self.scene.mark())

    def action_run(self, every: bool = False) -> None:
        """Run what is marked, the one at the cursor, or all that are listed."""
        scene = self.scene
        mistaken = {one.path for one in scene.entries or () if one.trouble}
        asked = tuple(one.path for one in scene.shown) if every else scene.to_run
        paths = [path for path in asked if path not in mistaken]
        if scene.waiting:
            self.say("a run is under way: x ends it", True)
        elif scene.entries is None:
            self.say(
                "the scenarios were not read: f looks again" if scene.trouble else "the scenarios are being read", True
            )
        elif not paths:
            self.say("there is nothing here that can be run", True)
        else:
            self._warned = False
            self.runner.feed.command("run", paths=paths, runs=str(self.place.runs))

    def action_cancel(self) -> None:
        """End the run early."""
        self.runner.feed.command("cancel")

    def action_open(self) -> None:
        """Open the failure at its moment."""
        if self.scene.moment is None:
            here, run = self.scene.here, self.scene.result is not None
            missing = "it is not through yet" if here and here.path in self.scene.waiting else "run it first: r"
            self.say("nothing failed at a moment that could be shown" if run else missing, True)
        else:
            self._show(replace(self.scene, mode="moment"))

    def action_step(self, by: int) -> None:
        """Go to another moment."""
        if self.scene.mode == "moment":
            self._show(self.scene.step(by))

    def action_replay(self) -> None:
        """Play the recording that was kept."""
        path, at = self.scene.kept, self.scene.moment
        if not path or not Path(path).is_file():
            self.say("no recording of it was kept" if not path else f"{path} is not there any more", True)
            return
        self.replay = ReplayPage(self.place, Path(path), (), self._replayed, "scenarios")
        self.app.push_screen(self.replay)
        result = self.scene.result
        if at is not None and result is not None and "part" not in result.files:
            self.replay.feed.command("seek", to_s=max(0.0, at["at_s"] - BEFORE_S))

    def _replayed(self, sentence: str) -> None:
        self.replay = None
        self.paint()
        if sentence:
            self.say(sentence, True)

    def action_baseline(self) -> None:
        """Show what would change in the accepted results."""
        if self.scene.here is not None:
            self.runner.feed.command("difference", path=self.scene.here.path)

    def action_accept(self) -> None:
        """Accept the difference that is shown."""
        path, _, text = self.scene.difference
        if self.scene.mode != "baseline" or not text:
            self.say("look at the difference first: b", True)
        else:
            self.runner.feed.command("accept", path=path, difference=text)

    def action_copy(self) -> None:
        """Copy the command that does the same."""
        if self.scene.here is not None:
            result = self.scene.result
            self.app.copy_to_clipboard(result.again if result and result.again else f"hil run {self.scene.here.path}")
            self.say("copied, where the terminal takes OSC 52")

    def action_back(self) -> None:
        """Step back."""
        if self.line.has_class("-open"):
            self._close_line()
            self._show(self.scene.search(""))
        elif self.scene.mode != "list":
            self._show(replace(self.scene, mode="list"))
        elif self.scene.words:
            self._show(self.scene.search(""))
