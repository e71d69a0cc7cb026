"""The screen of `hil ui` and `hil demo` in a browser.

Rule of this room: the engine is this process's own, so that it ends with ctrl-c here and with no tab.
"""

import sys
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from firmware_bridge.errors import UsageError
from hil.cli.common import talk

if TYPE_CHECKING:
    from hil.config import EngineConfig
    from hil.tui.start import Session
    from hil.tui.web.tab import Tab

__all__ = ["checked", "in_browser"]


def checked(lines: bool, session: "Session") -> None:
    """Refuse what a browser has no use for.

    Raises:
        UsageError: Lines are wanted, or a script or recording.
    """
    if lines or session.script or session.record:
        raise UsageError("a browser shows the screen, and nothing else", "--web",
                         "leave out --plain, --json, --for, --script and --record")  # fmt: skip


def in_browser(config: "EngineConfig | None", tab: "Tab", host: str, port: int, expose: bool) -> None:
    """Serve the screen until ctrl-c; print the address to open.

    Args:
        config: What the engine is to do; None: no bench.
        tab: What every tab shows.
        host: Interface.
        port: TCP port; 0: any that is free.
        expose: Whether other machines may come.

    Raises:
        UsageError: Other machines could come, and nobody said that they may.
        MissingPart: textual-serve is not installed.
        BridgeError: The engine could not start, or the port is taken.
    """
    from hil.cluster.address import is_loopback, tls_of
    from hil.door.attach import spawn_engine
    from hil.tui.web.server import door, serve
    from hil.tui.web.webdoor import checked_host

    tls = None if is_loopback(host) else tls_of()
    if warning := checked_host(host, expose, tls is not None):
        talk(warning)
    with ExitStack() as held:
        listening = held.enter_context(door(host, port))
        if config is not None:
            client = held.enter_context(spawn_engine(config))
            tab = replace(tab, address=client.address, token=client.token)
        serve(tab, listening, _told, tls)


def _told(address: str) -> None:
    print(address, flush=True)
    talk("open this address in a browser; ctrl-c here ends the screen and its engine, closing a tab ends neither")
    sys.stderr.flush()
