"""Keys that come faster than messages are about the line that they were pressed for, on every page with a table."""

from dataclasses import replace
from typing import Any

import models_made
import pytest
import screen_fakes as fakes
from screen_frames import drive, still
from test_doctor_page import HOST, Doctor
from textual import events
from verdicts_made import FRESH, FakeRunner

from hil.config import EngineConfig
from hil.librarian.shelf import Entry
from hil.tui.app import HilApp
from hil.tui.library import learned as read
from hil.tui.state.judging import Judging, learned
from hil.tui.state.modelling import Modelling, looked
from hil.tui.state.reading import Reading
from hil.views.message import to_plain
from hil.views.snapshot import Snapshot
from hil.views.view import View


def entry(name: str) -> Entry:
    return Entry(f"recordings/{name}.mcap", 1000, fakes.NOW, 10.0, ("imu/samples",))


class Shelf(fakes.FakeLibrary):
    """A folder of four recordings."""

    def command(self, verb: str, **args: Any) -> dict[str, Any]:
        answer = super().command(verb, **args)
        return {**answer, "entries": [to_plain(entry(name)) for name in "abcd"]} if verb == "shelf" else answer


def three(view: View | None = None) -> Snapshot:
    shown = models_made.two(view)
    return replace(shown, predictions=(*shown.predictions, replace(shown.predictions[0], model="third")))


def burst(page: str, *keys: str, client: fakes.FakeClient | None = None, **place: Any) -> HilApp:
    """Press keys all at once, as a fast hand over a slow line does: none waits for what the one before led to."""
    chosen = client or fakes.FakeClient()
    app = HilApp(chosen, place=replace(still(chosen), **place), start=page)

    async def steps(app: HilApp, pilot: Any) -> None:
        await pilot.pause()
        if page == "models":
            app.page.tick()  # type: ignore[attr-defined]  # it asks for itself
            await pilot.pause()
        driver = app._driver
        assert driver is not None
        for key in keys:
            event = events.Key(key, key if len(key) == 1 else None)
            event.set_sender(app)
            driver.send_message(event)
        for _ in range(3):
            await pilot.pause()

    drive(chosen, (120, 35), steps, app=app)
    return app


@pytest.mark.screen
def test_a_burst_of_arrows_and_a_key_is_about_the_line_that_the_arrows_lead_to_on_every_page() -> None:
    assert burst("live", "down", "down", "enter").live.scene.only == "thermal"
    opened: list[EngineConfig] = []

    def open_engine(config: EngineConfig) -> fakes.FakeClient:
        opened.append(config)
        return fakes.FakeClient(fakes.replay)

    burst("recordings", "down", "down", "up", "down", "enter", open_library=Shelf, open_engine=open_engine)
    assert [config.replay and config.replay.path for config in opened] == ["recordings/c.mcap"]
    runner = FakeRunner()
    burst("scenarios", "down", "down", "r", open_runner=lambda: runner)
    assert [args["paths"] for verb, args in runner.commands if verb == "run"] == [[FRESH]]
    engine = models_made.Engine(three)
    burst("models", "down", "down", "x", "x", client=engine, open_library=models_made.Helper)
    assert [args for verb, args in engine.commands if verb == "unload_model"] == [{"model": "third"}]
    doctor = burst("doctor", "up", "up", "up", "up", "down", "c", open_library=Doctor)
    assert doctor.clipboard == HOST.findings[1].todo


def test_a_list_that_is_read_again_keeps_its_cursor_on_what_it_was_on_wherever_that_stands_now() -> None:
    shelf = Reading(entries=tuple(map(entry, "abc")), cursor=1)
    for names, place in (("xyabc", 3), ("ba", 0), ("ac", 1), ("", 0)):
        after = read(shelf, "shelf", {"entries": [to_plain(entry(name)) for name in names]})
        assert after.cursor == place
    library = learned(Judging(), "library", FakeRunner().command("library", folder="scenarios")).choose(2)
    turned = FakeRunner().command("library", folder="scenarios")["entries"][::-1]
    assert learned(library, "library", {"entries": turned}).here == library.here
    assert learned(library, "library", {"entries": turned[:1]}).cursor == 0
    bench = looked(Modelling(), three()).choose(2)
    fewer = replace(three(), predictions=three().predictions[1:])
    assert (bench.here and bench.here.model) == "third"
    assert looked(bench, fewer).here == bench.here
