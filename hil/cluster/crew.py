"""A cluster as a crew: units travel to whichever host is free and has their boards, files follow where they lack.

Rule of this room: Dask schedules, we count. No task is merged with an equal one (two boards may be asked the
same), and a worker that dies is told at once, so that who sent the unit decides about running it again.
"""

import asyncio
import json
import logging
import secrets
import threading
import time
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from distributed import Client, KilledWorker

from firmware_bridge.errors import FileError, TransportError, UsageError
from hil.cluster.address import Tls, security_of
from hil.cluster.files import LIMIT_BYTES, Parts, parts_of, put_beside
from hil.cluster.host import keep_task, run_task, stop_task
from hil.scenario.crew import INTERRUPTED, Died
from hil.scenario.unit import Unit, named_files

__all__ = ["Cluster", "allowed_failures", "with_kept"]

CONNECT_S = 10.0
_AT_ONCE = 256
_FRESH_S = 0.5
_SENDINGS = 3


def allowed_failures(dask_scheduler: Any = None) -> int:
    """Return how often a scheduler runs a task again by itself after its worker died."""
    count: int = dask_scheduler.allowed_failures
    return count


class Cluster:
    """The workers of one scheduler.

    Args:
        url: Of the scheduler, as `checked` allowed it.
        tls: Certificates.
        start: The folder in which the run was started.

    Raises:
        TransportError: No scheduler answers there.
        UsageError: It is a scheduler that was not started by `hil cluster scheduler`.
    """

    sends_files = True

    def __init__(self, url: str, tls: Tls | None, start: Path | None = None) -> None:
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters of it is told as our own sentence
        self._url, self._start = url, (start or Path.cwd()).resolve()
        security = security_of(url, tls)
        try:
            self._client = Client(url, security=security, timeout=CONNECT_S, set_as_default=False)
        except (OSError, TimeoutError) as error:
            raise TransportError(f"no scheduler answers ({_short(error)})", url,
                                 "start one with `hil cluster scheduler`") from None  # fmt: skip
        try:
            ours = self._client.run_on_scheduler(allowed_failures) == 0
        except Exception:
            ours = False
        if not ours:
            self._client.close()
            raise UsageError("this scheduler runs tasks of dead workers again by itself, uncounted", url,
                             "start it with `hil cluster scheduler`")  # fmt: skip
        self._run = secrets.token_hex(8)
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="hil-cluster")
        self._sending = threading.Lock()
        self._tasks: dict[str, Any] = {}
        self._stopping = threading.Event()
        self._seen: tuple[float, list[dict[str, Any]]] = (-_FRESH_S, [])

    def offers(self) -> Sequence[frozenset[str]]:
        """Return the boards of each worker."""
        return [frozenset(worker["resources"]) for worker in self._workers()]

    def width(self) -> int:
        """Return how many units the workers run at once."""
        return min(_AT_ONCE, sum(int(worker["nthreads"]) for worker in self._workers()))

    def _workers(self) -> list[dict[str, Any]]:
        now = time.monotonic()
        if now - self._seen[0] >= _FRESH_S:
            try:
                workers = list(self._client.scheduler_info(n_workers=-1)["workers"].values())
            except (OSError, TimeoutError):
                workers = []
            self._seen = (now, workers)
        return self._seen[1]

    def submit(self, unit: Unit) -> "Future[str]":
        """Run a unit where its boards are."""
        return self._threads.submit(self._carry, unit)

    def _carry(self, unit: Unit) -> str:
        """See a unit through: to a worker, its files after it where they lack, and its result back."""
        key = f"{self._run}-{unit.at}"
        parts = {one.name: one for one in parts_of(unit.loaded, self._start)}
        plain = json.loads(unit.text)
        plain["key"], plain["parts"] = key, [asdict(one) for one in parts.values()]
        plain["files"] = {name: str(path) for name, path in named_files(unit.loaded)}
        where: str | None = None
        for _ in range(_SENDINGS):
            answer = self._ask(key, json.dumps(plain), unit, where)
            if "text" in answer:
                return with_kept(answer, Path(plain["options"]["keep"]))
            where = answer["at"]
            with self._sending:  # one after another, so that no host is sent one file twice at once
                for name in answer["lacks"]:
                    self._send(parts[name], where)
        raise TransportError(f"files that were sent did not stay on {where}", self._url, "is its disk full?")

    def _ask(self, key: str, text: str, unit: Unit, where: str | None) -> dict[str, Any]:
        if self._stopping.is_set():
            return {"text": INTERRUPTED}
        task = self._client.submit(
            run_task, text, key=f"hil-{key}-{secrets.token_hex(4)}", pure=False, retries=0,
            resources=dict.fromkeys(unit.needs, 1), workers=where, allow_other_workers=where is not None,
        )  # fmt: skip
        self._tasks[key] = task
        try:
            answer: dict[str, Any] = task.result()
            return answer
        except KilledWorker:
            raise Died("the worker that ran it died") from None
        except (CancelledError, asyncio.CancelledError):
            if self._stopping.is_set():
                return {"text": INTERRUPTED}
            raise TransportError("the scheduler went away", self._url, "is its host up?") from None
        finally:
            self._tasks.pop(key, None)
            task.release()

    def _send(self, wanted: Parts, where: str) -> None:
        if big := [part for part in wanted.parts if part.size > LIMIT_BYTES]:
            raise FileError(
                f"{big[0].file} ({big[0].size / 1e6:.0f} MB) is not on the host of {where}, and files above "
                f"{LIMIT_BYTES >> 20} MiB are not sent", wanted.path, "copy it there and start its worker with --root",
            )  # fmt: skip
        beside = Path(wanted.path)
        contents = [beside.with_name(part.file).read_bytes() for part in wanted.parts if part.sha256]
        try:
            self._client.run(keep_task, asdict(wanted), contents, workers=[where])
        except (OSError, ValueError):
            return  # it went away meanwhile; asking again finds another

    def stop(self) -> None:
        """End units early, also those that run."""
        self._stopping.set()
        tasks = dict(self._tasks)
        if not tasks:
            return
        with suppress(Exception):  # a worker that does not hear it ends the unit by itself
            self._client.run(stop_task, list(tasks), on_error="ignore")
        for task in tasks.values():
            with suppress(Exception):
                task.cancel()

    def close(self) -> None:
        """Leave the cluster; what still runs is ended."""
        self.stop()
        self._threads.shutdown(cancel_futures=True)
        self._client.close()


def with_kept(answer: dict[str, Any], folder: Path) -> str:
    """Put what a host kept of a run into the folder of the run here, and return the result that names it there."""
    text = str(answer["text"])
    if not (kept := answer.get("kept")):
        return text
    result = json.loads(text)
    for what, (name, data) in kept.items():
        try:
            result["files"][what] = str(put_beside(folder, name, data))
        except FileError as error:
            del result["files"][what]
            result["remarks"].append(str(error))
    return json.dumps(result)


def _short(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
