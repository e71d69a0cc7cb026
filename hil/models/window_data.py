"""Windows of recordings for a `DataLoader`: larger than memory, in any order, by several workers.

This is what a training loop of one's own reads. `hil train` does not read through it: its crops begin at any sample
and have any tempo, so that they are no windows of a grid, and each would unpack a chunk or two of a recording again:
they come out of `hil.models.spool`, where readings lie unpacked. A window is the same to the last bit either way.

Rule of this room: a window is read when it is asked for, through the conditioning that a live board goes through; what
is kept is an index and a few chunks. The order of an epoch follows from seed and epoch alone: blocks of neighbouring
windows are shuffled, then the windows of some blocks among each other, so that a chunk is not unpacked for each window.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Collection, Iterator
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset
from torch.utils.data import Sampler

from firmware_bridge.errors import UsageError
from hil.models.data_config import DataConfig
from hil.models.window_index import Index, index_of
from hil.recording.arrays import StreamArrays, end_to_end, in_order

__all__ = ["BlockShuffle", "WindowData"]


class WindowData(TorchDataset[tuple[Tensor, int]]):
    """Labelled windows of recordings.

    Args:
        config: Recordings, channels, labels and conditioning.
        folder: What relative names are relative to.
        window: Samples in a window.
        hop: Samples between windows.
        without: People whose recordings are left out; not even their readings are opened.
        kept: Chunks that are held unpacked, at least 2.

    Raises:
        FileError: A recording cannot be read.
        UsageError: There is no window with a label, or a recording says not whose it is.
    """

    def __init__(
        self, config: DataConfig, folder: str | os.PathLike[str] = ".", *, window: int, hop: int,
        without: Collection[str] = (), kept: int = 16,
    ) -> None:  # fmt: skip
        from hil.recording.reader import Recording

        entries = []
        said = set(config.labels)
        for entry in config.entries(folder):
            with Recording(os.path.join(folder, entry.file)) as recording:
                about = recording.header.about
                person = entry.person or about.get("person")
                if not person:
                    raise UsageError("nobody said whose recording it is", str(recording.path), "give its person")
                if person in without:
                    continue
                entries.append((entry, person))
                if not config.labels:
                    whole = entry.label or about.get("label")
                    said |= {label.text for label in recording.labels} | ({whole} if whole else set())
        self.labels = config.labels or tuple(sorted(said))
        """Names, in the order of the indices."""
        self.window = window
        self.index: list[Index] = []
        self.people: list[str] = []
        """Who wore the board in each recording of `index`."""
        for entry, person in entries:
            self.index.append(index_of(config, entry, folder, window, hop, self.labels))
            self.people.append(person)
        self._edges = [0, *accumulate(map(len, self.index))]
        if not self._edges[-1]:
            next_step = "label the recordings, or use a shorter window"
            raise UsageError(f"no window of {window} samples has a label", str(folder), next_step)
        self._kept = max(kept, 2)
        self._forget()

    def __len__(self) -> int:
        return self._edges[-1]

    @property
    def unlabelled(self) -> int:
        """Windows that were left out because no label covers half of them."""
        return sum(one.unlabelled for one in self.index)

    def person(self, at: int) -> str:
        """Return who wore the board in a window."""
        return self.people[bisect_right(self._edges, at) - 1]

    def __getitem__(self, at: int) -> tuple[Tensor, int]:
        """Return readings float32 `(window, C)` in the model's units (of frames `(window, H * W)`), and the label."""
        if not -len(self) <= at < len(self):
            raise IndexError(f"there are {len(self)} windows")
        at %= len(self)
        which = bisect_right(self._edges, at) - 1
        index, row = self.index[which], at - self._edges[which]
        return torch.from_numpy(self._read(which, index, row)), int(index.truth[row])

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_chunks"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def _forget(self) -> None:
        """Keep no chunk: each process has its own."""
        self._chunks: OrderedDict[tuple[int, int], StreamArrays] = OrderedDict()

    def _read(self, which: int, index: Index, row: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        intake = index.place.intake()
        end, boot = int(index.ends[row]), int(index.boots[row])
        low, high = index.place.span(end - self.window, end)
        parts: list[StreamArrays] = []
        chunk = int(index.chunk[row])
        while chunk >= 0:
            part = self._chunk(which, index, chunk)
            mine = np.flatnonzero((part.boot == boot) & (part.numbers >= low) & (part.numbers < high))
            if len(mine):
                parts.insert(0, part.part(slice(int(mine[0]), int(mine[-1]) + 1)))
                if int(part.numbers[mine[0]]) <= low:
                    break
            elif parts:
                break
            chunk -= 1
        whole = in_order(end_to_end(parts))
        if intake is None:
            values = whole.values.reshape(len(whole), -1)[:, index.place.columns]
        else:
            made = [batch for given in whole.batches() if (batch := intake.batch(given)) is not None]
            values = np.concatenate([batch.values for batch in made])[-self.window :]
        return np.ascontiguousarray(values)

    def _chunk(self, which: int, index: Index, at: int) -> StreamArrays:
        """Return the samples of a chunk, from what is kept or from the file."""
        from hil.recording.reader import Recording

        found = self._chunks.pop((which, at), None)
        if found is None:
            with Recording(index.path) as recording:  # no file stays open, so that workers may be forked or spawned
                chunk, start = index.chunks[at], recording.start_ns
                low, high = (chunk.start_ns - start) / 1e9, (chunk.end_ns - start) / 1e9
                pieces = list(recording.chunks(index.place.board, index.place.stream, low - 1e-6, high + 1e-6))
            found = end_to_end(pieces)
        self._chunks[which, at] = found
        while len(self._chunks) > self._kept:
            self._chunks.popitem(last=False)
        return found


class BlockShuffle(Sampler[int]):
    """Every window once, in an order that seed and epoch fix and that stays near a chunk for a while.

    Args:
        count: Windows.
        seed: Of the order.
        block: Neighbouring windows that stay together until the last shuffle.
        pool: Blocks whose windows are mixed.
    """

    def __init__(self, count: int, seed: int, block: int = 64, pool: int = 16) -> None:
        self.count, self.seed, self.epoch = count, seed, 0
        self._block, self._pool = block, pool

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        chance = np.random.default_rng([self.seed, self.epoch])
        blocks = [np.arange(low, min(low + self._block, self.count)) for low in range(0, self.count, self._block)]
        order = chance.permutation(len(blocks))
        for start in range(0, len(blocks), self._pool):
            mixed = np.concatenate([blocks[at] for at in order[start : start + self._pool]])
            yield from chance.permutation(mixed).tolist()
