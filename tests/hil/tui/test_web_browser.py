"""The screen in a real browser: boards are seen, keys work, pictures are stored, and leaving a tab ends nothing."""

import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pyte
import pytest

pytestmark = [pytest.mark.screen, pytest.mark.browser]

SIZE = {"width": 800, "height": 400}
SECONDS = 60
"""How long anything may take on a busy machine."""


class Tab:
    """A page of the browser, and what its terminal shows: the bytes of its socket, in an emulator of its own."""

    def __init__(self, context, address: str) -> None:
        self.screen = pyte.Screen(160, 60)
        self._stream = pyte.ByteStream(self.screen)
        self.page = context.new_page()
        self.page.on("websocket", lambda opened: opened.on("framereceived", self._drawn))
        self.page.goto(address)

    def _drawn(self, payload: bytes | str) -> None:
        if isinstance(payload, bytes):
            self._stream.feed(payload)

    def until(self, true: Callable[[str], object]) -> str:
        """What stands in the terminal once something is true of it."""
        deadline = monotonic() + SECONDS
        while not true(shown := "\n".join(line.rstrip() for line in self.screen.display)):
            assert monotonic() < deadline, shown
            self.page.wait_for_timeout(50)
        return shown

    def sees(self, words: str) -> str:
        return self.until(lambda shown: words in shown)


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """What `hil ui --web` printed for a board that is not there."""
    pytest.importorskip("textual_serve", reason="textual-serve is not installed")
    command = (sys.executable, "-m", "hil", "ui", "virtual://imu?seed=3", "--web", "--web-port", "0", "--fps", "3")
    folder = tmp_path_factory.mktemp("bench")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder) as served:
        assert served.stdout is not None
        try:
            yield served.stdout.readline().strip()
        finally:
            served.terminate()
            _, talk = served.communicate(timeout=SECONDS)
    assert "Traceback" not in talk
    assert served.returncode == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium is installed")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


def test_a_person_works_the_bench_from_tabs_that_come_and_go(browser, address, tmp_path) -> None:
    context = browser.new_context(viewport=SIZE, accept_downloads=True)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    tab = Tab(context, address)
    tab.sees("● live")
    assert "imu" in tab.sees("ALL WELL")

    picture = tmp_path / "page.png"
    tab.page.locator("canvas").first.wait_for()
    tab.page.screenshot(path=picture)
    assert colours(picture) > 12  # text, states, channels of a plot: not an empty terminal

    tab.page.keyboard.press("F5")
    tab.sees("no model runs")
    with tab.page.expect_download(timeout=1000 * SECONDS) as stored:
        tab.page.keyboard.press("s")
    assert stored.value.suggested_filename.endswith("_models.svg")
    assert "no&#160;model&#160;runs" in Path(stored.value.path()).read_text(encoding="utf-8")
    tab.sees("goes to the browser")

    tab.page.keyboard.press("F2")
    tab.sees("ALL WELL")
    tab.page.keyboard.press("r")
    tab.sees("REC")
    tab.page.keyboard.press("Control+q")
    tab.page.locator("body.-closed").wait_for()
    again = Tab(context, address)
    again.sees("REC")  # it went on while nobody looked
    again.page.keyboard.press("r")
    again.sees("recording closed")
    own = address.partition("/?")[0]
    assert {url.partition("?")[0] for url in asked if not url.startswith(own)} <= {
        "https://fonts.googleapis.com/css"  # asked for by the page, and refused by what we say about it
    }
    context.close()


def test_nobody_comes_in_without_the_token(address) -> None:
    own, _, token = address.partition("/?token=")
    assert len(token) >= 32
    for path in ("/", "/ws", "/download/anything", "/static/js/textual.js", "/?token=wrong", "/ws?token=" + token[:-1]):
        status, said = answer(own + path)
        assert (status, said.count("\n"), said[-2:]) == (403, 1, ".\n"), path
    assert answer(f"{own}/ws?token={token}", Origin="http://elsewhere.example")[0] == 403
    with urllib.request.urlopen(address, timeout=SECONDS) as page:
        assert "HttpOnly" in page.headers["Set-Cookie"]
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]


def test_no_other_machine_reaches_it(address) -> None:
    port = int(re.search(r":(\d+)/", address)[1])
    assert address.startswith("http://127.0.0.1:")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: only asks which of our addresses would be used
        except OSError:
            pytest.skip("this machine has no address that others could use")
        outside = probe.getsockname()[0]
    if outside.startswith("127."):
        return
    with pytest.raises(OSError):  # noqa: PT011 (refused or unreachable, as the system says)
        socket.create_connection((outside, port), timeout=5).close()


def answer(address: str, **headers: str) -> tuple[int, str]:
    """Status and words of an answer that refuses."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=SECONDS)
    with refused.value as response:
        return response.code, response.read().decode()


def colours(picture: Path) -> int:
    from PIL import Image

    with Image.open(picture) as image:
        return len(image.convert("RGB").getcolors(1 << 24) or ())
