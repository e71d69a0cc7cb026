"""Who may come in by the browser: a token for everything, and an address that no other machine can reach.

Rule of this room: pure; sockets and HTTP are in `web`. Whoever has the address with its token may do all that a person
at the screen may do, so that the token is asked for with pages, sockets and downloads alike.
"""

import hmac
from urllib.parse import urlsplit

from firmware_bridge.errors import UsageError
from hil.cluster.address import is_loopback

__all__ = ["FORBIDDEN", "STRANGER", "admitted", "checked_host", "same_origin"]

FORBIDDEN = "403: open the whole address that `hil ui --web` printed, with its token.\n"
STRANGER = "403: another page may not join this bench.\n"


def admitted(shown: str | None, token: str) -> bool:
    """Whether somebody showed the token."""
    return shown is not None and hmac.compare_digest(shown.encode(), token.encode())


def same_origin(origin: str | None, host: str) -> bool:
    """Whether a request comes from our own page, or from no page at all; browsers say so and cannot be told to lie."""
    return origin is None or urlsplit(origin).netloc == host


def checked_host(host: str, expose: bool, encrypted: bool) -> str:
    """Return what has to be said about serving on an interface; empty where nothing has.

    Args:
        host: Name or address of the interface.
        expose: Whether serving other machines is meant.
        encrypted: Whether TLS is used.

    Raises:
        UsageError: Other machines could reach it and nobody said that this is meant.
    """
    if is_loopback(host):
        return ""
    if not expose:
        raise UsageError(
            "other machines could work this bench", f"--host {host}",
            "leave out --host, or say --expose (with HIL_TLS_DIR for TLS: `hil cluster certs DIR`)",
        )  # fmt: skip
    if encrypted:
        return ""
    return (
        "without TLS whoever listens on the network can read the token and then work this bench: set HIL_TLS_DIR "
        "(`hil cluster certs DIR` makes the files)"
    )
