"""The screen in a real browser: boards are seen, keys work, pictures are stored, and leaving a tab ends nothing."""

import asyncio
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import pyte
import pytest

pytestmark = [pytest.mark.screen, pytest.mark.browser, pytest.mark.timeout(900)]

SIZE = {"width": 800, "height": 400}
ELSEWHERE = "bench.test"
"""This machine under a name for which a browser lends its clipboard to no page."""
SECONDS = 60
"""How long anything may take on a busy machine."""


FIELD = """
const field = document.querySelector("#paste") || document.body.appendChild(document.createElement("textarea"));
field.id = "paste";
field.value = "nothing";
field.select();
"""


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

    def copied(self) -> str:
        """What can be pasted after the screen copied the table of its pane."""
        self.page.evaluate(FIELD)
        self.page.keyboard.press("Control+C")
        self.page.locator(".xterm-helper-textarea").focus()
        self.page.keyboard.press("S")
        self.sees("nothing has been written yet")
        self.page.keyboard.press("y")
        self.sees("rows copied")
        deadline, pasted = monotonic() + SECONDS, "nothing"
        while pasted == "nothing":
            assert monotonic() < deadline
            self.page.evaluate(FIELD)
            self.page.keyboard.press("Control+V")
            pasted = self.page.evaluate("document.querySelector('#paste').value")
        self.page.evaluate("document.querySelector('#paste').remove()")
        self.page.locator(".xterm-helper-textarea").focus()
        return pasted


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
        running = started.chromium.launch(
            executable_path=chromium,
            timeout=1000 * SECONDS,
            args=["--no-sandbox", f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1"],
        )
        yield running
        running.close()


def test_a_person_works_the_bench_from_tabs_that_come_and_go(browser, address, tmp_path) -> None:
    context = browser.new_context(viewport=SIZE, accept_downloads=True)
    context.set_default_timeout(1000 * SECONDS)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    tab = Tab(context, address)
    tab.sees("● live")
    assert "imu" in tab.sees("ALL WELL")

    picture = tmp_path / "page.png"
    tab.page.locator("canvas").first.wait_for()
    deadline, seen = monotonic() + SECONDS, 0
    while seen <= 12:  # text, states, channels of a plot: not an empty terminal
        assert monotonic() < deadline, f"{seen} colours"
        tab.page.screenshot(path=picture)  # the browser draws a little after its terminal was told
        seen = colours(picture)

    assert tab.copied().startswith("role\tstate\t")

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
    again = Tab(context, address.replace("127.0.0.1", ELSEWHERE))
    again.sees("REC")  # it went on while nobody looked
    assert not again.page.evaluate("window.isSecureContext")
    assert again.copied().startswith("role\tstate\t")
    again.page.keyboard.press("r")
    again.sees("recording closed")
    own = address.partition("/?")[0]
    names = (own, own.replace("127.0.0.1", ELSEWHERE))
    assert {url.partition("?")[0] for url in asked if not url.startswith(names)} <= {
        "https://fonts.googleapis.com/css"  # asked for by the page, and refused by what we say about it
    }
    context.close()


def test_a_browser_that_takes_nothing_gets_no_picture_until_it_has(address) -> None:
    aiohttp = pytest.importorskip("aiohttp", reason="aiohttp is not installed")

    async def piece(peer, seconds: float) -> bytes | None:
        """The number of the next piece; None where none comes in time."""
        try:
            while True:
                message = await peer.receive(seconds)
                assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.PING), message
                if message.type is aiohttp.WSMsgType.PING:
                    if message.data:
                        return bytes(message.data)
                    await peer.pong()  # it lives, and takes nothing
        except TimeoutError:
            return None

    async def visit() -> None:
        where = address.replace("/?", "/ws?") + "&width=80&height=24"
        async with aiohttp.ClientSession() as session, session.ws_connect(where, autoping=False) as peer:
            newest = await piece(peer, SECONDS)
            deadline = monotonic() + SECONDS
            while (later := await piece(peer, 2.0)) is not None:  # six pictures of a live bench
                assert monotonic() < deadline, "it draws although nobody takes it"
                newest = later
            for _ in range(3):
                await peer.pong(newest)
                newest = await piece(peer, SECONDS)
                assert newest is not None

    with ThreadPoolExecutor(1) as apart:  # Playwright's own loop runs in this thread
        apart.submit(lambda: asyncio.run(visit())).result()


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
