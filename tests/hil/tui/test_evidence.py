"""Whatever a pane shows can be taken along: picture, table, arrays, clipboard, and the command that makes it again."""

import csv
import io
import math
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import screen_fakes as fakes
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from screen_frames import drive, press, same_as_golden, still
from screen_presses import SIZE

from firmware_bridge.errors import UsageError
from hil.cli import app as command_line
from hil.tui.app import HilApp
from hil.tui.evidence import EvidenceScreen, lines
from hil.tui.keys import EVIDENCE
from hil.tui.pagelist import PAGES
from hil.tui.plot import Plot
from hil.tui.sheet import Sheet, csv_of, npz_of, rows_of, table, tabs_of

pytestmark = pytest.mark.screen


def taken(tmp_path: Path, *keys: str, client: fakes.FakeClient | None = None) -> tuple[dict[str, bytes], str, str]:
    """Files, clipboard and last picture after keys."""
    client = client or fakes.FakeClient()
    copied: list[str] = []

    async def steps(app: HilApp, pilot) -> None:
        app.copy_to_clipboard = copied.append
        for key in keys:
            await pilot.press(key)
            await pilot.pause()

    place = replace(still(client), runs=tmp_path)
    shown = drive(client, SIZE, steps, app=HilApp(client, place=place))
    folder = tmp_path / "evidence"
    files = {path.name.partition("_")[2]: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}
    return files, "".join(copied), shown


def offered() -> None:
    _, _, shown = taken(Path("nowhere"), "S")
    assert "evidence · esc closes" in shown
    assert "boards: boards, 3 rows of role, state" in shown
    assert "The same again:  hil capture watch=virtual://watch" in shown

    async def steps(app: HilApp, pilot) -> None:
        for close in ("escape", "S", "ctrl+c", "f3"):
            app.switch_mode("live")
            await pilot.press("S")
            await pilot.pause()
            assert isinstance(app.screen, EvidenceScreen)
            await pilot.press(close)
            await pilot.pause()
            assert app.screen is app.page
        assert app.page.info.name == "recordings"

    drive(fakes.FakeClient(), SIZE, steps)


def with_folder(check: Callable[[Path], None]) -> Callable[[], None]:
    def run() -> None:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            check(Path(folder))

    return run


def picture(folder: Path) -> None:
    files, _, shown = taken(folder, "S", "s")
    assert "kept in " in shown
    svg = files["live.svg"].decode()
    assert svg.startswith("<svg")
    assert "evidence&#160;·" not in svg  # the page, not the offer that lay over it


def as_csv(folder: Path) -> None:
    files, _, shown = taken(folder, "tab", "S", "c")
    assert "kept in " in shown
    rows = list(csv.reader(io.StringIO(files["live-watch-samples.csv"].decode())))
    assert rows[0] == ["t_s", "utc_ns", "ax [g]", "ay [g]", "az [g]", "wx [rad/s]", "wy [rad/s]", "wz [rad/s]"]
    assert rows[1][2:] == ["0", "1", "2", "3", "4", "5"]


def as_npz(folder: Path) -> None:
    files, _, _ = taken(folder, "tab", "S", "n")
    with np.load(io.BytesIO(files["live-watch-samples.npz"]), allow_pickle=False) as held:
        assert str(held["command"]) == "hil capture watch=virtual://watch --for 10"
        assert (held["utc_ns"].dtype, held["ax [g]"].dtype, held["t_s"].dtype) == (np.int64, np.float32, np.float64)


def copied_table(folder: Path) -> None:
    files, clipboard, shown = taken(folder, "S", "y")
    assert (files, "3 rows copied" in shown) == ({}, True)
    assert clipboard.splitlines()[0].startswith("role\tstate\t")


def copied_command(folder: Path) -> None:
    _, clipboard, shown = taken(folder, "S", "k")
    assert clipboard.startswith("hil capture watch=virtual://watch imu=virtual://imu")
    assert "copied: hil capture" in shown


def copied_file(folder: Path) -> None:
    _, clipboard, shown = taken(folder, "f3", "S", "f")
    assert (clipboard, "is not there any more" in shown) == ("", True)
    assert "there is no file behind this pane" in taken(folder, "S", "f")[2]
    assert (
        "watch-unseen.mcap is not there any more" in taken(folder, "S", "f", client=fakes.FakeClient(fakes.replay))[2]
    )


TESTED: dict[str, Callable[[], None]] = {
    "screen.evidence": offered, "evidence.picture": with_folder(picture), "evidence.csv": with_folder(as_csv),
    "evidence.npz": with_folder(as_npz), "evidence.copy": with_folder(copied_table),
    "evidence.command": with_folder(copied_command), "evidence.file": with_folder(copied_file),
}  # fmt: skip


@pytest.mark.parametrize("name", list(TESTED))
def test_a_key_of_evidence_does_what_its_help_says(name) -> None:
    TESTED[name]()


def sheets(scene: Callable, pages: Sequence[str], *keys: str) -> dict[str, Sheet | str]:
    """What every pane that can be focused shows, after keys on it."""
    found: dict[str, Sheet | str] = {}

    async def steps(app: HilApp, pilot) -> None:
        for name in pages:
            app.switch_mode(name)
            for _ in range(3):
                await pilot.pause()
                app.live.tick()
                getattr(app.page, "tick", lambda: None)()
            for pane in app.page.focus_chain:
                pane.focus()
                await pilot.press(*keys)
                await pilot.pause()
                found[f"{name} {pane.panel.key if isinstance(pane, Plot) else pane.id}"] = await app.page.sheet()

    drive(fakes.FakeClient(scene), SIZE, steps)
    return found


@pytest.mark.parametrize("scene", [fakes.live, fakes.replay])
def test_every_pane_has_a_table_and_a_command_that_the_command_line_knows(scene) -> None:
    found = sheets(scene, [info.name for info in PAGES])
    assert len(found) == 4 + 5 + 4 * 2
    assert {name.partition(" ")[0] for name in found} == {info.name for info in PAGES}
    known = typer.main.get_group(command_line)
    for name, sheet in found.items():
        if isinstance(sheet, str):
            assert sheet == "it has never run: r runs it", name
            continue
        assert len(set(map(len, sheet.columns.values()))) == 1, name
        words = shlex.split(sheet.command)
        assert words[0] == "hil", name
        verb = known.get_command(typer.Context(known), words[1])
        verb.make_context(words[1], words[2:], resilient_parsing=False).close()
        with np.load(io.BytesIO(npz_of(sheet)), allow_pickle=False) as held:
            assert set(held) == {"command", *sheet.columns}, name
        assert len(list(csv.reader(io.StringIO(csv_of(sheet))))) == len(sheet) + 1, name
        offer = "\n".join("".join(words for words, _ in line) for line in lines(sheet, "pane", EVIDENCE, 250))
        assert all(key.help in offer or (key.id == "evidence.file" and not sheet.file) for key in EVIDENCE), name


def test_what_is_computed_of_a_stream_is_its_table() -> None:
    found: list[Sheet | str] = []

    async def steps(app: HilApp, pilot) -> None:
        app.page.query(Plot).first().focus()
        for _ in range(5):
            await pilot.press("v")
            app.live.tick()
            await pilot.pause()
            found.append(await app.page.sheet())

    drive(fakes.FakeClient(), SIZE, steps)
    heads = {
        "spectrum": "frequency [Hz]",
        "spectrogram": "t_s",
        "histogram": "from [g]",
        "xy": "ax [g]",
        "attitude": "w",
    }
    for kind, sheet in zip(heads, found, strict=True):
        assert isinstance(sheet, Sheet), sheet
        assert (sheet.name.partition("-")[0], next(iter(sheet.columns))) == (kind, heads[kind])
        assert len(set(map(len, sheet.columns.values()))) == 1
        assert len(sheet) > (0 if kind == "attitude" else 10)


def test_a_plot_gives_readings_an_image_its_pixels_and_an_allan_deviation_its_curve() -> None:
    found = sheets(fakes.trouble, ["live"], "a")  # the second plot of a stream has the curve taken away again
    assert list(found["live imu/samples/g"].columns)[:4] == ["tau_s", "ax", "ax low", "ax high"]
    assert list(found["live imu/samples/rad/s"].columns)[:3] == ["t_s", "utc_ns", "ax [g]"]
    assert len(sheets(fakes.live, ["live"])["live thermal/frame/degC"].columns) == 66


numbers = st.one_of(st.none(), st.integers(-(10**9), 10**9), st.floats(allow_nan=False, width=32))
words = st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12))


@settings(max_examples=40)
@given(st.lists(st.tuples(numbers, words), max_size=8))
def test_what_is_unknown_is_empty_and_what_is_known_comes_back(rows) -> None:
    sheet = table("any", ("number", "word"), rows, "hil doctor")
    heads, *back = csv.reader(io.StringIO(csv_of(sheet), newline=""))
    assert heads == ["number", "word"]
    for (number, word), (said, text) in zip(rows, back, strict=True):
        assert text == (word or "")
        assert (said == "") == (number is None or not math.isfinite(number))
        assert said == "" or float(said) == pytest.approx(number, rel=1e-8)
    with np.load(io.BytesIO(npz_of(sheet)), allow_pickle=False) as held:
        assert len(held["number"]) == len(held["word"]) == len(rows)


def test_more_than_a_clipboard_takes_is_refused_and_two_files_of_a_second_are_both_kept(tmp_path) -> None:
    long = table("long", ("n",), [(at,) for at in range(20_000)], "hil doctor")
    with pytest.raises(UsageError, match="keep it as CSV"):
        tabs_of(long)
    assert len(list(rows_of(long))) == 20_001
    taken(tmp_path, *["s"] * 3)
    assert len(list((tmp_path / "evidence").iterdir())) == 3


def test_an_engine_that_is_gone_says_so_in_the_offer() -> None:
    client = fakes.FakeClient()

    async def steps(app: HilApp, pilot) -> None:
        client.trouble = UsageError("the engine is gone", "127.0.0.1:1", "start it again")
        app.page.query(Plot).first().focus()
        await pilot.press("S")
        await pilot.pause()

    assert "the engine is gone" in drive(client, SIZE, steps)


@pytest.mark.parametrize("size", [(80, 24), (120, 35), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_what_is_offered_looks_as_it_was_looked_at(size) -> None:
    shown = drive(fakes.FakeClient(), size, press("tab", "S"))
    assert all(key.name in shown for key in EVIDENCE if key.id != "evidence.file")
    same_as_golden(f"evidence_{size[0]}x{size[1]}", shown)
