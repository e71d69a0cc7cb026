"""The two programs that wait: the scheduler that a cluster meets at, and the worker of a bench host.

Rule of this room: both end in order when told to (Ctrl-C, SIGTERM), listen nowhere in clear but on loopback, and say
each change in one line. A worker that loses its scheduler, or never met it, tries again until it is told to end.
"""

import asyncio
import logging
import signal
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import dask
from distributed import Scheduler, Worker

from firmware_bridge.errors import TransportError
from hil.cluster.address import Tls, is_loopback, security_of
from hil.cluster.host import Host

__all__ = ["schedule", "until_told", "work"]

Say = Callable[[str], None]

_SILENT_S = 30
"""A worker that is not heard of for so long counts as dead."""

_JOIN_S = 10.0
_AGAIN_S = 2.0
_PAGES = "127.0.0.1:0"
"""Dask's own status pages speak plain HTTP: on loopback only."""


async def schedule(url: str, tls: Tls | None, ready: Say, stop: asyncio.Event) -> None:
    """Be the scheduler of a cluster until told to stop.

    Args:
        url: Where to listen, as `checked` allowed it; port 0: any that is free.
        tls: Certificates.
        ready: Called with the address once it listens.
        stop: Ends it.

    Raises:
        TransportError: One cannot listen there.
    """
    parts = urlsplit(url)
    with dask.config.set({"distributed.scheduler.worker-ttl": f"{_SILENT_S}s"}):
        scheduler = Scheduler(
            host=parts.hostname, port=parts.port or 0, protocol=parts.scheme, security=security_of(url, tls),
            dashboard=False, dashboard_address=_PAGES, allowed_failures=0,
        )  # fmt: skip
        try:
            await scheduler
        except (OSError, RuntimeError) as error:
            await scheduler.close()
            cause = error.__cause__ or error
            raise TransportError(f"one cannot listen there ({cause})", url, "choose another --port") from None
        try:
            ready(scheduler.address)
            await stop.wait()
        finally:
            await scheduler.close()


async def work(
    url: str, tls: Tls | None, make_host: Callable[[], Host], boards: Iterable[str], jobs: int, say: Say,
    stop: asyncio.Event,
) -> None:  # fmt: skip
    """Be a worker until told to stop; join again whenever the scheduler is there again.

    Args:
        url: The scheduler's.
        tls: Certificates.
        make_host: Makes what runs units, anew for each time it joins.
        boards: What this host has, such as `imu-revb`.
        jobs: How many units at once.
        say: Called with a line whenever something changes.
        stop: Ends it.
    """
    parts = urlsplit(url)
    resources = {f"board:{board}": 1.0 for board in boards}
    told = ""
    while not stop.is_set():
        with tempfile.TemporaryDirectory(prefix="hil-worker-") as scratch:
            worker = Worker(
                url, nthreads=jobs, resources=resources, security=security_of(url, tls), plugins=(make_host(),),
                host="127.0.0.1" if is_loopback(parts.hostname or "") else None, protocol=parts.scheme,
                dashboard=False, dashboard_address=_PAGES, memory_limit=0, local_directory=scratch,
                death_timeout=_JOIN_S,
            )  # fmt: skip
            joining = asyncio.ensure_future(worker.start())
            try:
                if await _first(joining, stop) and joining.exception() is None:
                    offered = ", ".join(sorted(resources)) or "no board"
                    say(f"joined {url}: {offered}, {jobs} at once")
                    told = ""
                    await _first(asyncio.ensure_future(worker.finished()), stop)
                    if not stop.is_set():
                        say(f"lost {url}; trying again")
                elif not stop.is_set() and (line := f"{url} does not answer; trying again") != told:
                    say(told := line)
            finally:
                with suppress(Exception):
                    await worker.close(executor_wait=False)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _AGAIN_S)


async def _first(task: "asyncio.Future[Any]", stop: asyncio.Event) -> bool:
    """Wait for a task or for being told to stop; return whether the task ended. Else it is cancelled."""
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if task.done():
        return True
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task
    return False


def until_told(program: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run one of the programs of this room until Ctrl-C or SIGTERM."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters of it is told as our own sentence

    async def run() -> None:
        stop = asyncio.Event()
        if sys.platform == "win32":
            signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(stop.set))
        else:
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
        loop = asyncio.get_running_loop()
        await program(stop)

    asyncio.run(run())
