"""Golden pictures of the screen as text, at the three sizes people use."""

from dataclasses import replace
from pathlib import Path

import pytest
import screen_fakes as fakes
from screen_frames import FRAMES, drive, press, same_as_golden
from screen_presses import tour

from hil.tui.app import HilApp
from hil.tui.charts.colourmaps import SIGNED
from hil.tui.pagelist import PAGES

pytestmark = pytest.mark.screen

KINDS = ("spectrum", "spectrogram", "histogram", "XY", "attitude")
SIZES = ((80, 24), (120, 35), (200, 50))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("info", PAGES, ids=lambda info: info.name)
def test_every_page_has_a_golden_picture_of_every_size(info, size) -> None:
    path = FRAMES / f"{info.name}_{size[0]}x{size[1]}.txt"
    assert path.exists(), f"no test keeps a picture of the page {info.title}: {path} is missing"
    rows = path.read_text(encoding="utf-8").splitlines()
    assert len(rows) == size[1]
    assert all(len(row) <= size[0] for row in rows)
    assert f"▸{info.title}◂" in rows[0] or size[0] < 100


def test_every_golden_picture_is_kept_by_a_test() -> None:
    names = {path.stem.rsplit("_", 1)[0] for path in FRAMES.glob("*.txt")}
    tests = "".join(path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("test_*.py")))
    assert [name for name in sorted(names) if f'"{name}' not in tests] == []


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", ["live", "recording", "trouble", "replay"])
def test_the_screen_looks_as_it_was_looked_at(scene, size) -> None:
    shown = drive(fakes.FakeClient(getattr(fakes, scene)), size)
    assert all(len(line) <= size[0] for line in shown.splitlines())
    same_as_golden(f"{scene}_{size[0]}x{size[1]}", shown)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_help_page_looks_as_it_was_looked_at(size) -> None:
    same_as_golden(f"help_{size[0]}x{size[1]}", drive(fakes.FakeClient(), size, press("question_mark")))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_allan_deviation_looks_as_it_was_looked_at(size) -> None:
    shown = drive(fakes.FakeClient(), size, press("tab", "a"))
    assert "Allan deviation" in shown
    same_as_golden(f"allan_{size[0]}x{size[1]}", shown)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_kind_of_plot_looks_as_it_was_looked_at(size) -> None:
    stops = tour(("tab", "f", "v"), *[("v",)] * (len(KINDS) - 1), size=size)
    for kind, stop in zip(KINDS, stops, strict=True):
        assert kind in stop.picture
        same_as_golden(f"{kind}_{size[0]}x{size[1]}", stop.picture)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_trigger_a_cursor_and_a_shared_scale_look_as_they_were_looked_at(size) -> None:
    async def steps(app: HilApp, pilot) -> None:
        await press("tab", "T", *["backspace"] * 40, *"watch/samples.ax>0.1", "enter")(app, pilot)
        scope = replace(app.live.scene.scope, since_ns=0)  # the bench stands still: what fired before counts
        app.live.scene = replace(app.live.scene, scope=scope)
        await press("tab", "n", "c", "y", "shift+right")(app, pilot)
        app.live.scene = replace(app.live.scene, scope=replace(app.live.scene.scope, since_ns=0))
        app.live.tick()

    shown = drive(fakes.FakeClient(), size, steps)
    assert "▼" in shown
    assert "▲" in shown
    same_as_golden(f"trigger_{size[0]}x{size[1]}", shown)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_sixteen_boards_are_seen_at_once_the_worst_first(size) -> None:
    shown = drive(fakes.FakeClient(fakes.crowd), size)
    rows = [row.strip(" ▸").split(" ")[0] for row in shown.splitlines()]
    assert [row for row in rows if row.startswith("node")][:4] == ["node10", "node05", "node12", "node01"]
    assert all(any(row == f"node{at:02d}" for row in rows) for at in range(1, 17))
    same_as_golden(f"crowd_{size[0]}x{size[1]}", shown)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_spectrogram_tells_loud_from_quiet_without_colour(size, monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = drive(fakes.FakeClient(), size, press("tab", "v", "v", "f"))
    assert "@" in shown
    assert "▀" not in shown
    same_as_golden(f"spectrogram_plain_{size[0]}x{size[1]}", shown)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_signed_frame_tells_below_from_above_without_colour(size, monkeypatch) -> None:
    def signed(view: fakes.View) -> fakes.Snapshot:
        *others, heat = (made := fakes.live(view)).streams
        assert heat.image is not None
        change = replace(heat, units=("K",), image=heat.image - 26, image_low=-4.5, image_high=5.0)
        return replace(made, streams=(*others, change))

    monkeypatch.setenv("NO_COLOR", "1")
    shown = drive(fakes.FakeClient(signed), size, press(*["shift+tab"] * 4, "f", "P", "P", "P", "P", "R"))
    assert "diverging, colour-blind safe · range held" in shown
    assert f"-5.000 {SIGNED} 5.000 K about 0" in shown
    same_as_golden(f"signed_{size[0]}x{size[1]}", shown)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_whose_fault_it_is_stands_on_top_at_every_size(size) -> None:
    lines = drive(fakes.FakeClient(fakes.trouble), size).splitlines()
    top = " ".join(line.strip() for line in lines[1:3])
    for words in ("TROUBLE", "LINK", "watch is lost", "cable was pulled", "plug it in"):
        assert words in top
    table = "\n".join(lines)
    assert "LOST" in table
    assert "unknown" in table
    assert "\x1b" not in table


def test_what_nobody_counted_is_never_shown_as_zero() -> None:
    lines = drive(fakes.FakeClient(fakes.trouble), (120, 35)).splitlines()
    row = next(line for line in lines if line.strip().startswith("ppg "))
    assert "unknown" in row
    assert " 0 " not in row
