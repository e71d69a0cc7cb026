"""A user's own keys, theme and motion: they work everywhere they are shown, and a mistake is told in a sentence."""

from pathlib import Path

import pytest
import screen_fakes as fakes
from screen_frames import drive
from screen_presses import SIZE

from firmware_bridge.errors import UsageError
from hil.tui.app import HilApp
from hil.tui.keys import KEYS
from hil.tui.pagelist import PAGES
from hil.tui.settings import Settings, read_settings, settings_path
from hil.tui.workplace import Workplace


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "screen.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_file_is_found_where_the_environment_says() -> None:
    assert settings_path({"HIL_SCREEN": "/x/y.toml"}) == Path("/x/y.toml")
    assert settings_path({"XDG_CONFIG_HOME": "/c"}) == Path("/c/hil/screen.toml")
    assert read_settings(Path("/nowhere/at/all.toml")) == Settings()


@pytest.mark.parametrize(("text", "sentence"), [
    ("keys = 3", "names keys by the id"), ("[keys]\n'record.togle' = 'f9'", "did you mean record.toggle"),
    ("[keys]\n'record.toggle' = 'm'", "would mean both"), ("colour = 1", "there is no setting 'colour'"),
    ("reduced_motion = 'yes'", "true or false"), ("theme = 5", "name of a theme"), ("= 3", "is no TOML"),
])  # fmt: skip
def test_a_mistake_in_the_file_is_told_in_a_sentence(tmp_path, text, sentence) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        read_settings(written(tmp_path, text))
    assert "screen.toml" in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_theme_that_is_not_there_is_told_and_one_for_every_eye_is() -> None:
    with pytest.raises(UsageError, match=r"hil-contrast.*hil-dark.*hil-light.*hil-safe"):
        HilApp(fakes.FakeClient(), place=Workplace(fakes.FakeClient(), settings=Settings(theme="pink")))


@pytest.mark.screen
def test_a_moved_key_works_and_stands_in_footer_and_help(tmp_path) -> None:
    settings = read_settings(written(tmp_path, "reduced_motion = true\ntheme = 'hil-safe'\n"
                                     "[keys]\n'record.toggle' = 'f9'\n'screen.help' = 'f10'\n"))  # fmt: skip
    client = fakes.FakeClient()
    app = HilApp(client, place=Workplace(client, fps=10.0, inline=True, settings=settings))

    async def steps(app: HilApp, pilot) -> None:
        await pilot.press("r", "f9")
        await pilot.pause()
        assert client.commands == [("record", {})]
        await pilot.press("f10")
        await pilot.pause()

    shown = drive(client, SIZE, steps, app=app)
    assert "help · esc closes" in shown
    assert "F9 ▲ Start a recording" in shown
    assert app.theme == "hil-safe"
    assert app.live.beat.fps == 2.0


def test_any_key_may_be_moved_by_its_id() -> None:
    assert len({key.id for key in KEYS}) == len(KEYS)
    assert all(key.key.startswith("f") for key in PAGES)
