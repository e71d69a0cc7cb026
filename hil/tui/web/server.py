"""The screen in a browser: serves tabs on the loopback interface, each of them a screen of its own on the one engine.

textual-serve starts `hil.tui.web.tab` for every tab and carries what it draws, keys and downloads; what stands here is
who may come in (`webdoor`), and that nothing is fetched from elsewhere.

Rule of this room: a thin shell. Leaving a tab ends that tab and nothing else.
"""

import asyncio
import secrets
import shlex
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, cast

from firmware_bridge.errors import MissingPart, TransportError

try:
    import aiohttp_jinja2
    from aiohttp import WSCloseCode, WSMessage, WSMsgType, web
    from textual_serve.app_service import AppService
    from textual_serve.download_manager import DownloadManager
    from textual_serve.server import Server, to_int
except ImportError:
    raise MissingPart("textual-serve is not installed", "hil ui --web",
                      "run: pip install 'hil-testbench[web]'") from None  # fmt: skip

from hil.cluster.address import Tls
from hil.tui.web.browseroutlet import DRIVER, TAKEN
from hil.tui.web.tab import Tab
from hil.tui.web.webdoor import FORBIDDEN, STRANGER, admitted, same_origin

__all__ = ["TabProcess", "Tabs", "door", "serve"]

HEADERS: Mapping[str, str] = {
    # Pages of textual-serve name a font of another host: nothing leaves this machine.
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' data:; connect-src 'self' ws: wss:",
    "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
}  # fmt: skip

TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "TEXTUAL_DRIVER": DRIVER}
"""What the browser's terminal can show, whatever that of the server can, and who draws on it."""
SCRIPT = """<script>
new MutationObserver((_, seen) => {
  const keys = document.querySelector(".xterm-helper-textarea");
  if (keys) { keys.focus(); seen.disconnect(); }
}).observe(document.body, {childList: true, subtree: true});
const clipboard = navigator.clipboard;
const byHand = text => {
  const before = document.activeElement, held = document.createElement("textarea");
  held.value = text;
  document.body.append(held);
  held.select();
  document.execCommand("copy");
  held.remove();
  before?.focus();
};
Object.defineProperty(navigator, "clipboard", {value: {
  readText: async () => "",
  writeText: async text => clipboard ? clipboard.writeText(text).catch(() => byHand(text)) : byHand(text),
}});
</script>"""
"""Keys work as soon as the screen is there, without a click. What the screen copies (OSC 52) reaches the clipboard also
where a browser lends it to nobody, because the page came from another machine without TLS; what somebody else put there
is read by nobody."""
FONT = 14
"""Height of a character in pixels; `?fontsize=` asks for another."""
END_S = 5.0
"""How long the process behind a tab may take to end."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class TabProcess(AppService):
    """The process behind one tab.

    Args:
        command: Starts it.
        tab: What it shows.
        peer: The browser.
        downloads: Where files wait for browsers.
    """

    def __init__(self, command: str, tab: Tab, peer: web.WebSocketResponse, downloads: DownloadManager) -> None:
        super().__init__(
            command, write_bytes=peer.send_bytes, write_str=peer.send_str, close=_closing(peer),
            download_manager=downloads,
        )  # fmt: skip
        self._tab, self._peer, self._drawn = tab, peer, 0
        self._running: asyncio.subprocess.Process | None = None

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        return super()._build_environment(width, height) | TERMINAL | self._tab.as_environment()

    async def _open_app_process(self, width: int = 80, height: int = 24) -> asyncio.subprocess.Process:
        self._running = await super()._open_app_process(width, height)
        return self._running

    async def on_data(self, payload: bytes) -> None:
        """Hand the browser a piece, and ask it to confirm its number."""
        await super().on_data(payload)
        self._drawn += 1
        await self._peer.ping(b"%d" % self._drawn)

    async def took(self, number: bytes) -> None:
        """Tell the screen which piece has come to the browser."""
        if number.isdigit():  # the heartbeat's own bear no number
            await self.send_meta({"type": TAKEN, "count": int(number)})

    async def stop(self) -> None:
        """Ask it to end, and see that it does."""
        await super().stop()
        if self._running is not None and self._running.returncode is None:
            try:
                await asyncio.wait_for(self._running.wait(), END_S)
            except TimeoutError:
                self._running.kill()
                await self._running.wait()


class _Heard:
    """What a browser says; confirmations go to the process behind its tab."""

    def __init__(self, peer: web.WebSocketResponse, tab: TabProcess) -> None:
        self._peer, self._tab, self.send_json = peer, tab, peer.send_json

    async def __aiter__(self) -> AsyncIterator[WSMessage]:
        async for message in self._peer:
            if message.type is WSMsgType.PONG:
                await self._tab.took(bytes(message.data))
            elif message.type is WSMsgType.PING:
                await self._peer.pong(message.data)
            else:
                yield message


def _closing(peer: web.WebSocketResponse) -> Callable[[], Awaitable[None]]:
    async def close() -> None:
        await peer.close()

    return close


class Tabs(Server):
    """The pages of textual-serve, for whoever shows the token.

    Args:
        tab: What every tab shows.
        token: What has to be shown.
        port: TCP port, which tells the cookies of two benches apart.
    """

    def __init__(self, tab: Tab, token: str, port: int) -> None:
        super().__init__(shlex.join([sys.executable, "-m", "hil.tui.web.tab"]), port=port, title="hil ui")
        self._token = token
        self._cookie = f"hil_{port}"
        self._tab = tab
        self._peers: set[web.WebSocketResponse] = set()

    async def application(self) -> web.Application:
        """Return what is served."""
        made = await self._make_app()
        made.middlewares.append(self._ask)
        return made

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one tab until it is closed or the process behind it has ended."""
        peer = web.WebSocketResponse(heartbeat=15, autoping=False)
        await peer.prepare(request)
        tab = TabProcess(self.command, self._tab, peer, self.download_manager)
        columns, rows = (to_int(request.query.get(name, ""), usual) for name, usual in (("width", 80), ("height", 24)))
        self._peers.add(peer)
        try:
            await tab.start(columns, rows)
            await self._process_messages(cast("Any", _Heard(peer, tab)), tab)
        finally:
            self._peers.discard(peer)
            await asyncio.shield(tab.stop())
        return peer

    async def on_shutdown(self, app: web.Application) -> None:
        """Close every tab; the processes behind them end with them."""
        for peer in set(self._peers):
            await peer.close(code=WSCloseCode.GOING_AWAY)

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing: whoever serves has said where."""

    async def handle_index(self, request: web.Request) -> web.Response:
        """Return the page of a tab, with addresses as the browser knows us."""
        here = request.url.origin()
        there = here.with_scheme("wss" if here.scheme == "https" else "ws") / "ws"
        page = aiohttp_jinja2.render_string("app_index.html", request, {
            "font_size": to_int(request.query.get("fontsize", ""), FONT), "app_websocket_url": str(there),
            "config": {"static": {"url": f"{here / 'static'}/"}}, "application": {"name": self.title},
        })  # fmt: skip
        return web.Response(text=page.replace("</body>", f"{SCRIPT}</body>"), content_type="text/html")

    @property
    def _ask(self) -> Any:
        @web.middleware
        async def ask(request: web.Request, handler: Handler) -> web.StreamResponse:
            shown = request.query.get("token") or request.cookies.get(self._cookie)
            if not admitted(shown, self._token):
                return web.Response(status=403, text=FORBIDDEN)
            if not same_origin(request.headers.get("Origin"), request.host):
                return web.Response(status=403, text=STRANGER)
            answer = await handler(request)
            if not answer.prepared:
                answer.headers.update(HEADERS)
                if "token" in request.query:  # sockets and downloads of this page show it so
                    answer.set_cookie(self._cookie, self._token, httponly=True, samesite="Strict",
                                      secure=request.secure)  # fmt: skip
            return answer

        return ask


def door(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Args:
        host: Interface.
        port: TCP port; 0 lets the system choose.

    Raises:
        TransportError: It cannot be had.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise TransportError(f"the browser cannot be served there ({error.strerror or error})", f"{host}:{port}",
                             "choose another --web-port, or 0 for any") from None  # fmt: skip


def serve(
    tab: Tab, listening: socket.socket, told: Callable[[str], None], tls: Tls | None = None, token: str = ""
) -> None:
    """Serve tabs until ctrl-c or SIGTERM.

    Args:
        tab: What every tab shows.
        listening: A socket that listens.
        told: Called with the address to open, once it can be opened.
        tls: Certificate and key; None: no encryption.
        token: What has to be shown; empty: a new one.
    """
    host, port = listening.getsockname()[:2]
    token = token or secrets.token_urlsafe(24)
    tabs = Tabs(tab, token, port)
    if host in ("0.0.0.0", "::"):  # every interface: by none of these names a browser comes
        host = socket.gethostname()
    shown = f"[{host}]" if ":" in host else host
    told(f"{'http' if tls is None else 'https'}://{shown}:{port}/?token={token}")
    context = None
    if tls is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tls.cert, tls.key)
    web.run_app(tabs.application(), sock=listening, ssl_context=context, access_log=None, print=None)
