"""Every key of the page of recordings does what its line of help says, on real files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shelf_made
from screen_frames import same_as_golden
from shelf_made import T0, Steady, visit

from hil.config import EngineConfig
from hil.data.suggested import Suggestion, suggest
from hil.recording.reader import Recording
from hil.tui.help import HelpScreen
from hil.tui.pages.recordings import RecordingsPage
from hil.tui.pages.replay import ReplayPage

pytestmark = pytest.mark.screen

SIZE = (120, 35)
S = 1_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shelf_made.make(tmp_path / "recordings")


def labels(path: Path) -> list[tuple[str, float, float]]:
    with Recording(path) as recording:
        return [(one.text, (one.start_ns - recording.start_ns) / 1e9, ((one.stop_ns or 0) - recording.start_ns) / 1e9)
                for one in recording.labels]  # fmt: skip


async def press(pilot, *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


def finding(folder: Path) -> None:
    async def then(page: RecordingsPage, pilot) -> None:
        assert [Path(entry.path).name for entry in page.scene.shown] == [
            "watch_kim.mcap", "watch_lee.mcap", "broken.mcap"]  # fmt: skip
        await press(pilot, "down")
        assert page.scene.here == page.scene.shown[1]
        await press(pilot, "left", "right", "shift+right")
        assert page.scene.peek_s is not None
        (under,) = page.scene.read
        with Recording(page.scene.here.path) as recording:
            part = recording["watch/imu"]
            nearest = abs(part.t_s - page.scene.peek_s).argmin()
        assert under.t_ns == part.t_ns[nearest]
        assert under.values.tolist() == part.values[nearest].tolist()
        await press(pilot, "up", "down")
        assert page.scene.peek_s is None
        await press(pilot, "slash", *"squat")
        assert [Path(entry.path).name for entry in page.scene.shown] == ["watch_kim.mcap"]
        await press(pilot, "enter", "escape")
        assert len(page.scene.shown) == 3
        await press(pilot, "slash", "x", "y", "z", "enter")
        assert page.scene.shown == ()
        await press(pilot, "enter", "e", "c", "question_mark")
        assert isinstance(page.app.screen, HelpScreen)
        await press(pilot, "escape", "slash", "escape")
        shelf_made.record(folder / "more.mcap", T0 + 500 * S, 0.0, False, [])
        await press(pilot, "f")
        assert len(page.scene.shown) == 4

    assert "4 of 4" in visit(folder, SIZE, then=then)


def replaying(folder: Path) -> None:
    opened: list[EngineConfig] = []

    async def then(page: RecordingsPage, pilot) -> None:
        await press(pilot, "enter")
        shown = page.app.screen
        assert isinstance(shown, ReplayPage)
        shown.tick()
        await press(pilot, "p", "2", "escape")
        assert page.app.screen is page
        assert [verb for verb, _ in shown.client.commands] == ["pause", "label"]
        await press(pilot, "down", "down", "enter")
        assert page.app.screen is page

    assert "can be played" in visit(folder, SIZE, then=then, opened=opened)
    assert [config.replay.path for config in opened if config.replay] == [str(folder / "watch_kim.mcap")]
    assert opened[0].classes == ("press", "squat")


def labelling(folder: Path) -> None:
    kim = folder / "watch_kim.mcap"

    async def then(page: RecordingsPage, pilot) -> None:
        await press(pilot, "1", "e")
        for digit in "12":
            await press(pilot, digit)
            assert "a stretch needs" in page._message[0]
        await press(pilot, "shift+right", "space", "right", "right", "shift+right")
        for digit in "3456789":
            await press(pilot, digit)
            assert f"no class {digit}" in page._message[0]
        await press(pilot, "shift+left", "shift+right", "left", "right", "1")
        assert page.scene.start_s is None
        kept = labels(kim)
        step = 59.98 / (page.reel.size.width - 15)
        assert len(kept) == 3
        assert ("press", 16 * step, 34 * step) in [(text, pytest.approx(a), pytest.approx(b)) for text, a, b in kept]
        await press(pilot, "l", *"lunge", "enter", "space", "right", "3", "u", "u")
        assert len(labels(kim)) == 2
        assert page.scene.classes == ("press", "squat", "lunge")
        await press(pilot, *["left_square_bracket"] * 9, "right_square_bracket", "x")
        assert page.scene.at_s == 15.0
        assert [text for text, _, _ in labels(kim)] == ["press"]
        await press(pilot, "u")
        assert [text for text, _, _ in labels(kim)] == ["squat", "press"]
        await press(pilot, "left_square_bracket", "left_square_bracket", "left", "x")
        assert "no label at the cursor" in page._message[0]
        await press(pilot, "space", "escape")
        assert (page.scene.start_s, page.scene.mode) == (None, "label")
        await press(pilot, "plus", "plus")
        assert page.scene.span_s == pytest.approx(59.98 / 4)
        assert page.scene.window[0] <= page.scene.at_s <= page.scene.window[1]
        await press(pilot, "minus", "minus", "minus", "escape")
        assert (page.scene.span_s, page.scene.mode) == (0.0, "list")

    visit(folder, SIZE, then=then)
    beside = (folder / "watch_kim.marks.jsonl").read_text().splitlines()
    assert len(beside) >= 10  # nothing is erased: what was taken back is superseded


def suggested(folder: Path) -> None:
    kim = folder / "watch_kim.mcap"
    suggest(kim, [Suggestion(T0 + 44 * S, T0 + 48 * S, why="unsure", score=0.9),
                  Suggestion(T0 + 16 * S, T0 + 19 * S, why="rare", score=0.4)], T0)  # fmt: skip

    async def then(page: RecordingsPage, pilot) -> None:
        await press(pilot, "e", "n")
        assert (page.scene.start_s, page.scene.at_s) == (44.0, 48.0)
        await press(pilot, "n")
        assert (page.scene.start_s, page.scene.at_s) == (16.0, 19.0)
        await press(pilot, "n", "2", "n")
        assert (page.scene.start_s, page.scene.at_s) == (16.0, 19.0)
        await press(pilot, "2", "n")
        assert "nothing is suggested" in page._message[0]

    visit(folder, SIZE, then=then)
    assert ("squat", 44.0, 48.0) in labels(kim)
    assert ("squat", 16.0, 19.0) in labels(kim)


def dismissing(folder: Path) -> None:
    kim = folder / "watch_kim.mcap"
    suggest(kim, [Suggestion(T0 + 44 * S, T0 + 48 * S, why="unsure", score=0.9)], T0)

    async def then(page: RecordingsPage, pilot) -> None:
        await press(pilot, "e", "d")
        assert "go to a suggestion first" in page._message[0]
        await press(pilot, "n", "d")
        assert page.scene.said.suggestions == ()
        assert page.scene.start_s is None
        await press(pilot, "u")
        assert [(one.from_s, one.to_s) for one in page.scene.said.suggestions] == [(44.0, 48.0)]

    visit(folder, SIZE, then=then)


def testing(folder: Path) -> None:
    class Cutter(Steady):
        """Keeps what is to be made a test of; cutting itself is tested where it is done."""

        def _glitch(self, path: str, from_s: float, to_s: float) -> dict[str, Any]:
            cut.append((round(from_s, 2), round(to_s, 2)))
            return {"sentence": f"hil run {path}", **self._marks(path)}

    cut: list[tuple[float, float]] = []

    async def then(page: RecordingsPage, pilot) -> None:
        await press(pilot, "g")
        assert "press e, go there" in page._message[0]
        await press(pilot, "e", *["right_square_bracket"] * 2, "g")
        await press(pilot, "space", "g")
        assert "a stretch needs a start and an end" in page._message[0]
        await press(pilot, "right_square_bracket", "g")
        assert page.scene.start_s is None
        assert "hil run" in page._message[0]

    visit(folder, SIZE, then=then, library=Cutter())
    assert cut == [(13.0, 15.0), (15.0, 25.0)]


def comparing(folder: Path) -> None:
    async def then(page: RecordingsPage, pilot) -> None:
        await press(pilot, "c", "c")
        assert page.scene.a == ""
        await press(pilot, "c", "down", "c")
        assert page.scene.mode == "compare"
        assert set(page.scene.strips) == {str(folder / name) for name in ("watch_kim.mcap", "watch_lee.mcap")}
        await press(pilot, "y")
        assert page.scene.offset_s == 90.0
        await press(pilot, "y", "y", "full_stop", "full_stop", "comma")
        assert page.scene.offset_s == pytest.approx(59.98 / (page.reel.size.width - 15), rel=0.05)
        await press(pilot, "plus", "right")
        assert page.scene.window[0] > 0
        await press(pilot, "left", "left", "left", "minus", "o")
        assert page.scene.overlay

    shown = visit(folder, SIZE, then=then)
    for words in ("watch ax g", "watch ay g", "watch wz rad/s", "A watch_kim.mcap", "B watch_lee.mcap"):
        assert words[:14] in shown


_LABEL = {f"recordings.class.{digit}": labelling for digit in range(1, 10)}
TESTED: dict[str, Callable[[Path], None]] = {
    **{f"recordings.{name}": finding for name in ("search", "again")},
    "recordings.open": replaying,
    **{f"recordings.{name}": labelling for name in (
        "label", "back", "far_left", "far_right", "edge_before", "edge_next", "start", "class.new", "undo", "remove")},
    **_LABEL,
    "recordings.next": suggested, "recordings.dismiss": dismissing, "recordings.glitch": testing,
    **{f"recordings.{name}": comparing for name in (
        "compare", "left", "right", "in", "out", "overlay", "align", "earlier", "later")},
}  # fmt: skip


@pytest.mark.parametrize("what", list(dict.fromkeys(TESTED.values())), ids=lambda what: what.__name__)
def test_keys_of_the_page_of_recordings_do_what_their_help_says(what, folder) -> None:
    what(folder)


@pytest.mark.parametrize("size", [(80, 24), (120, 35), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(("scene", "keys"), [
    ("recordings", ()), ("labelling", ("e", "shift+right", "space", "shift+right")),
    ("compared", ("c", "down", "c")), ("overlaid", ("c", "down", "c", "o")),
])  # fmt: skip
def test_the_page_of_recordings_looks_as_it_was_looked_at(size, scene, keys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    shelf_made.make(Path("recordings"))
    shown = visit(Path("recordings"), size, *keys)
    assert all(len(line) <= size[0] for line in shown.splitlines())
    same_as_golden(f"{scene}_{size[0]}x{size[1]}", shown)
