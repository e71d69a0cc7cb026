"""A bench host: what a worker does with the scenarios that reach it, and the tasks by which it is asked.

Rule of this room: the worker only answers; scenarios run in processes of its own, so that one that dies takes neither
the worker nor its boards with it. Ports are those of the bench file of this host, whatever the sender knows.
"""

import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from distributed import WorkerPlugin, get_worker

from hil.cluster.files import LIMIT_BYTES, Cache, Parts, here
from hil.scenario.crew import INTERRUPTED, Died, Processes

__all__ = ["Host", "keep_task", "run_task", "stop_task"]

_NAME = "hil"


class Host(WorkerPlugin):
    """One bench as a plug-in of a Dask worker.

    Args:
        bench: Role and port of each board.
        jobs: How many scenarios at once.
        cache: Files that were sent.
        root: Folder in which files are looked for before they are asked for; None: nowhere else.
    """

    name = _NAME

    def __init__(self, bench: Sequence[tuple[str, str]], jobs: int, cache: Cache, root: Path | None = None) -> None:
        self._bench = [list(pair) for pair in bench]
        self._cache, self._root = cache, root
        self._processes = Processes(jobs)
        self._stopped: set[str] = set()

    async def teardown(self, worker: Any) -> None:
        """End what runs, with its teardown."""
        await asyncio.to_thread(self._processes.close)

    def run(self, text: str, address: str) -> dict[str, Any]:
        """Run a unit: `{"text": RESULT, "kept": {WHAT: (NAME, BYTES)}}`, or `{"lacks": NAMES, "at": ADDRESS}`.

        The former with the recording of what failed, which is kept where the person is; the latter where files that it
        names are not here.

        Raises:
            Died: The process that ran it died, or this worker was told to end.
        """
        plain = json.loads(text)
        wanted = [Parts.from_dict(one) for one in plain.pop("parts")]
        found = {parts.name: self._find(parts) for parts in wanted}
        if lacks := [name for name, place in found.items() if place is None]:
            return {"lacks": lacks, "at": address}
        key = plain.pop("key")
        names = {str(found[parts.name]): parts.path for parts in wanted}
        plain["files"] |= {name: str(place) for name, place in found.items()}
        plain["options"]["bench"] = self._bench
        with tempfile.TemporaryDirectory(prefix="hil-kept-") as folder:
            if plain["options"]["keep"]:
                plain["options"] |= {"keep": folder, "keep_bytes": min(plain["options"]["keep_bytes"], LIMIT_BYTES)}
            done = self._processes.submit_text(json.dumps(plain), key).result()
            if done == INTERRUPTED:
                if key not in self._stopped:
                    raise Died("the worker that ran it was ended")
                return {"text": done}
            result = json.loads(done)
            kept = _kept(result, Path(folder))
            return {"text": json.dumps(_as_sent(result, names)), "kept": kept}

    def _find(self, wanted: Parts) -> Path | None:
        places = [Path(wanted.path)]
        if self._root is not None and wanted.below:
            places.append(self._root / wanted.below)
        return here(wanted, places) or self._cache.find(wanted)

    def keep(self, wanted: Parts, contents: Sequence[bytes]) -> bool:
        """Keep a file that was sent."""
        return self._cache.put(wanted, contents)

    def stop(self, keys: Sequence[str]) -> None:
        """End units early that their sender does not want any more."""
        self._stopped.update(keys)
        self._processes.stop(set(keys))


def _kept(result: dict[str, Any], folder: Path) -> dict[str, tuple[str, bytes]]:
    """Return name and content of what a run kept in a folder, by what it is; what is too large is told instead."""
    kept = {}
    for what, place in list(result["files"].items()):
        path = Path(place)
        if path.parent != folder:
            continue
        if (size := path.stat().st_size) <= LIMIT_BYTES:
            kept[what] = (path.name, path.read_bytes())
            continue
        del result["files"][what]
        result["remarks"].append(f"its {what} has {size / 1e6:.0f} MB, more than a cluster carries; "
                                 "run it at its bench to keep it")  # fmt: skip
    return kept


def _as_sent(value: Any, names: Mapping[str, str]) -> Any:
    """Return a result that names files where their sender has them."""
    if isinstance(value, str):
        for place, name in names.items():
            value = value.replace(place, name)
        return value
    if isinstance(value, list):
        return [_as_sent(item, names) for item in value]
    if isinstance(value, dict):
        return {key: _as_sent(item, names) for key, item in value.items()}
    return value


def run_task(text: str) -> dict[str, Any]:
    """Run a unit on the worker that Dask chose; see `Host.run`."""
    worker = get_worker()
    host = cast(Host, worker.plugins[_NAME])
    return host.run(text, worker.address)


def keep_task(parts: Mapping[str, Any], contents: Sequence[bytes], dask_worker: Any = None) -> bool:
    """Keep a file on a worker."""
    kept: bool = dask_worker.plugins[_NAME].keep(Parts.from_dict(parts), contents)
    return kept


def stop_task(keys: Sequence[str], dask_worker: Any = None) -> None:
    """End units early on a worker that may run them."""
    dask_worker.plugins[_NAME].stop(keys)
