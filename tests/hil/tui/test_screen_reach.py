"""The screen says how another shell reaches its engine, and never what opens its door."""

from pathlib import Path

import pytest
import screen_fakes as fakes
from screen_frames import drive, frame, press
from test_doctor_page import Doctor

from hil.door.running import announce
from hil.tui.app import HilApp
from hil.tui.workplace import Workplace

SECRET = "9f86d081884c7d659a2feaa0c55ad015"


@pytest.mark.screen
def test_help_and_doctor_say_how_another_shell_reaches_the_engine_and_never_show_its_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "engines"
    monkeypatch.setenv("HIL_ENGINE_DIR", str(folder))

    class Served(fakes.FakeClient):
        address, token = "127.0.0.1:4000", SECRET

    client = Served()
    shown: list[str] = []

    async def steps(screen: HilApp, pilot) -> None:
        for keys in (("f6", *["down"] * 9), ("c", "question_mark", *["pagedown"] * 9)):
            await press(*keys)(screen, pilot)
            shown.append(frame(screen))
        shown.append(screen.export_screenshot())
        shown.append(screen.clipboard)

    def look() -> str:
        shown.clear()
        place = Workplace(client, fps=1e-4, inline=True, open_library=Doctor)
        drive(client, (120, 50), steps, app=HilApp(client, place=place))
        return " ".join("".join(shown[:2]).split())

    said = announce(client.address, SECRET)
    assert said is not None
    words = look()
    assert "your other shells reach it at 127.0.0.1:4000 " in words
    assert "hil engines" in words
    assert str(folder)[:40] in words
    assert shown[-1] == "hil attach --at 127.0.0.1:4000"
    assert SECRET not in "".join(shown)
    said.withdraw()
    assert "does not tell your other shells" in look()
