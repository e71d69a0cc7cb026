"""Verbs of a cluster: `hil cluster certs|scheduler`, `hil worker`, and what `hil run --cluster` needs of it.

Everything that is not one machine is encrypted, with certificates on both sides.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli.common import Quiet, talk

if TYPE_CHECKING:
    from hil.scenario.crew import Crew

__all__ = ["GROUPS", "VERBS", "Insecure", "TlsCa", "TlsCert", "TlsKey", "joined", "refuse_local"]

TlsCa = Annotated[
    Path | None, typer.Option("--tls-ca", metavar="PEM", help="Who is trusted; else ca.pem in HIL_TLS_DIR.")
]
TlsCert = Annotated[
    Path | None, typer.Option("--tls-cert", metavar="PEM", help="Own certificate; else hil.pem in HIL_TLS_DIR.")
]
TlsKey = Annotated[Path | None, typer.Option("--tls-key", metavar="PEM", help="Its key; else hil.key in HIL_TLS_DIR.")]
Insecure = Annotated[bool, typer.Option("--insecure", help="Talk to other machines without encryption.")]

_EVERYWHERE = ("virtual", "firmware", "socket", "rfc2217")
"""Kinds of ports that mean the same board whichever machine opens them, or one of its own for each."""

cluster = typer.Typer(help="A cluster that runs scenarios.", no_args_is_help=True, rich_markup_mode=None)


@cluster.command("certs")
def certs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; nothing is overwritten.")],
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="How long they hold.")] = 365,
) -> None:
    """Make certificates for a circle of machines; copy the folder to each, and name it in HIL_TLS_DIR."""
    import datetime

    from hil.cluster.certs import make_certificates

    for path in make_certificates(folder, days, datetime.datetime.now(datetime.UTC)):
        print(path)
    talk(f"copy {folder} to every machine of the bench, and set HIL_TLS_DIR to it; its key lets in whoever has it")


@cluster.command("scheduler")
def scheduler(
    host: Annotated[str, typer.Option("--host", help="Where to listen; with 0.0.0.0 everywhere.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")] = 8786,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    insecure: Insecure = False,
    quiet: Quiet = False,
) -> None:
    """Be where workers and `hil run --cluster` meet, until Ctrl-C; prints its address.

    It speaks TLS where it has certificates; without any it listens on this machine only.
    """
    from hil.cluster.address import checked, tls_of

    tls = tls_of(tls_ca, tls_cert, tls_key)
    address = f"[{host}]" if ":" in host else host
    url = checked(f"{'tcp' if tls is None else 'tls'}://{address}:{port}", insecure)
    _needs_dask()
    from hil.cluster.serve import schedule, until_told

    until_told(lambda stop: schedule(url, tls, lambda found: print(found, flush=True), stop))
    talk("the scheduler has ended", quiet)


def worker(
    url: Annotated[str, typer.Argument(metavar="URL", help="The scheduler: tls://HOST:PORT.")],
    bench: Annotated[
        Path | None, typer.Option("--bench", metavar="FILE", help="TOML file with the port of each board here.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=0, help="Scenarios at once; 0: one for each board.")] = 0,
    root: Annotated[
        Path | None, typer.Option("--root", metavar="DIR", help="Folder that has files before they are sent.")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option("--cache", metavar="DIR", help="Where files that are sent stay.")
    ] = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    insecure: Insecure = False,
    quiet: Quiet = False,
) -> None:
    """Run scenarios for a cluster, with the boards of this bench, until Ctrl-C; joins again whenever it can."""
    from hil.cluster.address import checked, tls_of
    from hil.scenario.grammar.benchfile import read_bench

    checked(url, insecure)
    tls = tls_of(tls_ca, tls_cert, tls_key)
    ports = () if bench is None else read_bench(bench)
    _needs_dask()
    from hil.cluster.address import security_of
    from hil.cluster.files import Cache
    from hil.cluster.host import Host
    from hil.cluster.serve import until_told, work

    security_of(url, tls)
    kept = Cache(cache or _cache_folder())
    count = jobs or max(1, len(ports))
    boards = [role for role, _ in ports]

    def make_host() -> Host:
        return Host(ports, count, kept, root)

    until_told(lambda stop: work(url, tls, make_host, boards, count, lambda line: talk(line, quiet), stop))
    talk("the worker has ended", quiet)


def joined(url: str, tls_ca: Path | None, tls_cert: Path | None, tls_key: Path | None, insecure: bool) -> Crew:
    """Return the cluster at an address.

    Raises:
        UsageError: The address is none.
        TransportError: No scheduler answers.
        MissingPart: Dask is not installed.
    """
    from hil.cluster.address import checked, tls_of

    checked(url, insecure)
    tls = tls_of(tls_ca, tls_cert, tls_key)
    _needs_dask()
    from hil.cluster.crew import Cluster

    return Cluster(url, tls)


def refuse_local(on: str | None, bench: Path | None, jobs: int) -> None:
    """Refuse what means something on this machine only.

    Raises:
        UsageError: A port, a bench file or processes of this machine are asked for.
    """
    from firmware_bridge.errors import UsageError

    if bench is not None:
        raise UsageError("the boards of a cluster are those of its workers", "--bench", "give it to `hil worker`")
    if jobs > 1:
        raise UsageError("how much runs at once is for the workers of a cluster to say", "--jobs",
                         "give it to `hil worker`")  # fmt: skip
    if on not in (None, "recording", *_EVERYWHERE) and on.partition("://")[0] not in _EVERYWHERE:
        raise UsageError("a cluster has no ports, it has boards", on,
                         'name the board in the scenario: needs = ["board:ROLE"] and port = "bench"')  # fmt: skip


def _needs_dask() -> None:
    from importlib.util import find_spec

    from firmware_bridge.errors import MissingPart

    if find_spec("distributed") is None:
        raise MissingPart("distributed is not installed", "hil.cluster", "run: pip install 'hil-testbench[cluster]'")


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "hil" / "worker"


VERBS = (worker,)
GROUPS = ((cluster, "cluster"),)
