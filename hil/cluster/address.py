"""Where a cluster is, and whether one may talk to it: TLS unless it is this machine.

Rule of this room: pure but for looking whether files are there. A way without encryption to another machine is refused
unless somebody says that it is meant.
"""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from firmware_bridge.errors import MissingPart, UsageError

if TYPE_CHECKING:
    from distributed.security import Security

__all__ = ["CA", "CERT", "KEY", "Tls", "checked", "is_loopback", "security_of", "tls_of"]

CA, CERT, KEY = "ca.pem", "hil.pem", "hil.key"
"""Names of the files in a folder that `HIL_TLS_DIR` names."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Paths of PEM files: the authority that both sides trust, and the certificate and key of this side."""

    ca: Path
    cert: Path
    key: Path


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def checked(url: str, insecure: bool = False) -> str:
    """Return the address of a scheduler if one may talk to it.

    Args:
        url: `tls://HOST:PORT` or `tcp://HOST:PORT`.
        insecure: Whether talk without encryption to another machine is meant.

    Raises:
        UsageError: It is no such address, or it would not be encrypted.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        port = None
    if port is None or parts.scheme not in ("tls", "tcp") or not parts.hostname:
        raise UsageError("this is no address of a cluster", url, "write tls://HOST:PORT")
    if parts.scheme == "tcp" and not is_loopback(parts.hostname) and not insecure:
        raise UsageError(
            "whoever can reach this address could run code on its hosts, since tcp:// asks nobody who he is", url,
            "write tls://HOST:PORT (`hil cluster certs DIR` makes the files), or say --insecure",
        )  # fmt: skip
    return url


def tls_of(
    ca: Path | None = None, cert: Path | None = None, key: Path | None = None, environ: Mapping[str, str] = os.environ
) -> Tls | None:
    """Return the files of TLS: those that are named, the others from the folder `HIL_TLS_DIR`; None where none is.

    Raises:
        UsageError: Some are named and some are not, or one is not there.
    """
    folder = environ.get("HIL_TLS_DIR")
    places = [
        given or (Path(folder) / name if folder else None) for given, name in ((ca, CA), (cert, CERT), (key, KEY))
    ]
    if not any(places):
        return None
    for place, option in zip(places, ("--tls-ca", "--tls-cert", "--tls-key"), strict=True):
        if place is None:
            raise UsageError(f"{option} is missing", "TLS", "name all three files, or their folder in HIL_TLS_DIR")
        if not place.is_file():
            raise UsageError("there is no such file", str(place), "`hil cluster certs DIR` makes all three")
    return Tls(*(place for place in places if place is not None))


def security_of(url: str, tls: Tls | None) -> "Security | None":
    """Return what Dask is to be told for an address; None for `tcp://`.

    Raises:
        UsageError: TLS is asked for and there are no files.
        MissingPart: Dask is not installed.
    """
    if not url.startswith("tls://"):
        return None
    if tls is None:
        raise UsageError("TLS needs certificates", url, "`hil cluster certs DIR` makes them; set HIL_TLS_DIR=DIR")
    try:
        from distributed.security import Security
    except ImportError:
        raise MissingPart("distributed is not installed", "hil.cluster",
                          "run: pip install 'hil-testbench[cluster]'") from None  # fmt: skip
    roles = {f"tls_{role}_{what}": str(path) for role in ("client", "worker", "scheduler")
             for what, path in (("cert", tls.cert), ("key", tls.key))}  # fmt: skip
    return Security(require_encryption=True, tls_ca_file=str(tls.ca), **roles)
