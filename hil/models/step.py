"""One hop of a `Tcn` for many boards at once, in eager torch: carried state, one GEMM a layer, no allocation.

Rule: one fixed shape. Every call computes all slots, idle ones too, so that a board's numbers do not depend on who else
had a hop ready. Each layer reads from a buffer `(slots, past + hop * AHEAD, channels)`; a window of `past + hop` rows
moves along it one hop a call and the past is copied back to the front every `AHEAD` calls only. The taps of a layer
are gathered with one strided copy and multiplied with one `addmm`. Frames are summed in groups of
`gcd(pool, hop)`; the average over the pool is computed anew from these sums at every hop, so nothing accumulates.

Where many hops of one board wait (a replay), `scan` puts them where a call of `run` has the slots: layer by layer the
same products of the same shapes, so that each hop has the bits that `run` gives it, and no row is computed for nothing.
It goes ahead in the slot's own rows and brings the past back to the window where all slots stand.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hil.models.nets.tcn import Tcn

__all__ = ["AHEAD", "EagerStep", "one_thread"]

AHEAD = 16
"""Hops that a buffer holds before its past is copied back to the front."""


class _Track:
    """A buffer of rows over time with a window of `past + new` rows that moves by `new`."""

    def __init__(self, slots: int, past: int, new: int, width: int) -> None:
        self.past, self.new = past, new
        self.rows = torch.zeros(slots, past + new * AHEAD, width)
        self.window = [self.rows[:, new * i : new * i + past + new] for i in range(AHEAD)]
        self.fresh = [view[:, past:] for view in self.window]

    def hold(self, at: int, idle: Tensor) -> None:
        """Give idle slots the same past in the next window as in this one."""
        kept = self.window[at][idle, : self.past]
        after = self.new * (at + 1)
        self.rows[idle, after : after + self.past] = kept

    def bring_back(self, slot: int, at: int, hops: int) -> None:
        """Give one slot the past in this window that it has `hops` later: the others stay where they are."""
        if self.past:
            after = self.new * (at + hops)
            self.window[at][slot, : self.past] = self.rows[slot, after : after + self.past].clone()

    def rewind(self, at: int) -> None:
        """Move the past before window `at` to the front."""
        if self.past:
            self.rows[:, : self.past] = self.rows[:, self.new * at : self.new * at + self.past].clone()

    def coming(self, slot: int, at: int, hops: int) -> Tensor:
        """Return the new rows of one slot in `hops` windows from `at` on, `(hops, new, width)`."""
        start = self.past + self.new * at
        return self.rows[slot, start : start + self.new * hops].view(hops, self.new, -1)

    def windows(self, slot: int, at: int, hops: int, skip: int, shape: Sequence[int], steps: Sequence[int]) -> Tensor:
        """Return a view `(hops, *shape)` of one slot: a step of the first axis is one window, of the others `steps`.

        Args:
            slot: Whose rows.
            at: The first window.
            hops: How many.
            skip: Rows at the front of each window to leave out.
            shape: Of what is taken from each window.
            steps: Strides of its axes, in values.
        """
        width = self.rows.shape[2]
        start = self.rows.storage_offset() + slot * self.rows.stride(0) + (self.new * at + skip) * width
        return self.rows.as_strided((hops, *shape), (self.new * width, *steps), start)


class EagerStep:
    """Streaming form of a `Tcn`; see the module.

    Args:
        net: The network, fused.
        hop: Samples a call.
        slots: Boards a call.
    """

    backend = "eager"

    def __init__(self, net: Tcn, hop: int, slots: int) -> None:
        config = net.config
        self.hop, self.slots, self.classes = hop, slots, config.classes
        self.version = f"torch {torch.__version__}"
        group = math.gcd(config.pool, hop)
        fresh, kept = hop // group, config.pool // group
        width, taps = config.channels, config.kernel
        rows = slots * hop
        self.longest = min(slots, AHEAD)
        """Hops of one slot that `scan` takes."""
        with torch.inference_mode():
            self._input = torch.zeros(slots, hop, config.inputs)
            self.input: npt.NDArray[np.float32] = self._input.numpy()
            """float32 `(slots, hop, inputs)`: fill the rows of the boards at hand, then call `run`."""
            self._tracks = [
                _Track(slots, (taps - 1) * d, hop, a) for (a, _), d in zip(config.widths, config.dilations, strict=True)
            ]
            # The window of sums covers `kept` groups; when one hop brings more, only its last ones count.
            self._sums = _Track(slots, max(kept - fresh, 0), fresh, width)
            self._pooled = torch.zeros(slots, width)
            self._kept = kept
            # Sums of hops under way in a scan lie as those of slots do, so that they are added in the same order.
            self._staged = _Track(slots, max(kept - fresh, 0), fresh, width)
            self._staged_ring = self._staged.window[0][:, -kept:]
            self._last = torch.zeros(slots, hop, width)
            self._groups = self._last.view(slots, fresh, group, width)
            self._logits = torch.zeros(slots, config.classes)
            self.logits: npt.NDArray[np.float32] = self._logits.numpy()
            """float32 `(slots, classes)`: the result of the last call; idle slots hold anything."""
            # A GEMM of so few rows gives each row its own kernel: the head is a product and a sum instead, so that a
            # board's last bits do not depend on its slot.
            self._head = (net.head.weight.detach().double() / config.pool).float()[None].contiguous()
            self._terms = torch.zeros(slots, config.classes, width)
            self._head_bias = net.head.bias.detach().clone()
            self._layers = []
            for index, (track, conv) in enumerate(zip(self._tracks, net.convs, strict=True)):
                assert isinstance(conv, torch.nn.Conv1d)
                assert conv.bias is not None
                d, (a, _) = config.dilations[index], config.widths[index]
                # Row (slot, t) of the gathered matrix: the taps t, t + d, t + 2d, ... of that slot, side by side.
                gather = [
                    view.as_strided(
                        (slots, hop, taps, a),
                        (track.rows.stride(0), a, d * a, 1),
                        view.storage_offset(),
                    )
                    for view in track.window
                ]
                matrix = torch.zeros(slots, hop, taps, a)
                weight = conv.weight.detach().permute(2, 1, 0).reshape(taps * a, width).contiguous()
                last = index + 1 == len(self._tracks)
                targets = [self._last] * AHEAD if last else self._tracks[index + 1].fresh
                product = torch.zeros(rows, width)
                residual = track.fresh if index else None
                self._layers.append(
                    (gather, matrix, matrix.view(rows, taps * a), weight, conv.bias.detach().clone(), product,
                     product.view(slots, hop, width), targets, residual)
                )  # fmt: skip
            self._ring = [view[:, -kept:] for view in self._sums.window]
        self._at = 0

    def run(self, active: Sequence[int], reset: Sequence[int], starts: Sequence[int] = ()) -> npt.NDArray[np.float32]:
        """Advance the `active` slots by the hop in `input`, after clearing the state of those in `reset`.

        Returns:
            `logits`; rows of slots that are not active hold anything. `starts` play no part.
        """
        with one_thread(), torch.inference_mode():
            self._step(active, reset)
        return self.logits

    def scan(self, slot: int, hops: int, reset: bool) -> npt.NDArray[np.float32]:
        """Advance one slot by the first `hops` rows of `input`, one hop each, after clearing its state for `reset`.

        Args:
            slot: Whose state goes on.
            hops: At most `longest`.
            reset: Whether the first of them begins a segment.

        Returns:
            `logits`; row k is of hop k, rows from `hops` on hold anything.
        """
        with one_thread(), torch.inference_mode():
            self._scan(slot, hops, reset)
        return self.logits

    def _step(self, active: Sequence[int], reset: Sequence[int]) -> None:
        at = self._at
        if reset:
            where = torch.tensor(list(reset))
            for track in (*self._tracks, self._sums):
                track.window[at][where, : track.past] = 0.0
        self._tracks[0].fresh[at].copy_(self._input)
        for gather, matrix, flat, weight, bias, product, shaped, targets, residual in self._layers:
            matrix.copy_(gather[at])
            torch.addmm(bias, flat, weight, out=product)
            if residual is None:
                torch.clamp_min(shaped, 0.0, out=targets[at])
            else:
                torch.add(residual[at], shaped.relu_(), out=targets[at])
        torch.sum(self._groups, 2, out=self._sums.fresh[at])
        torch.sum(self._ring[at], 1, out=self._pooled)
        self._decide()
        if len(active) < self.slots:
            idle = torch.tensor(sorted(set(range(self.slots)) - set(active)))
            for track in (*self._tracks, self._sums):
                track.hold(at, idle)
        self._at += 1
        if self._at == AHEAD:
            self._rewind()

    def _scan(self, slot: int, hops: int, reset: bool) -> None:
        if self._at + hops > AHEAD:
            self._rewind()
        at = self._at
        if reset:
            for track in (*self._tracks, self._sums):
                track.window[at][slot, : track.past] = 0.0
        self._tracks[0].coming(slot, at, hops).copy_(self._input[:hops])
        for index, (_, matrix, flat, weight, bias, product, shaped, _, residual) in enumerate(self._layers):
            track = self._tracks[index]
            _, hop, taps, a = matrix.shape
            d = track.past // (taps - 1) if taps > 1 else 0
            matrix[:hops].copy_(track.windows(slot, at, hops, 0, (hop, taps, a), (a, d * a, 1)))
            torch.addmm(bias, flat, weight, out=product)
            last = index + 1 == len(self._tracks)
            target = self._last[:hops] if last else self._tracks[index + 1].coming(slot, at, hops)
            if residual is None:
                torch.clamp_min(shaped[:hops], 0.0, out=target)
            else:
                torch.add(track.coming(slot, at, hops), shaped[:hops].relu_(), out=target)
        torch.sum(self._groups, 2, out=self._staged.fresh[0])
        self._sums.coming(slot, at, hops).copy_(self._staged.fresh[0][:hops])
        width, skip = self._sums.rows.shape[2], self._sums.past + self._sums.new - self._kept
        ring = self._sums.windows(slot, at, hops, skip, (self._kept, width), (width, 1))
        self._staged_ring[:hops].copy_(ring)
        torch.sum(self._staged_ring, 1, out=self._pooled)
        self._decide()
        for track in (*self._tracks, self._sums):
            track.bring_back(slot, at, hops)

    def _decide(self) -> None:
        torch.mul(self._pooled[:, None, :], self._head, out=self._terms)
        torch.sum(self._terms, 2, out=self._logits)
        self._logits.add_(self._head_bias)

    def _rewind(self) -> None:
        for track in (*self._tracks, self._sums):
            track.rewind(self._at)
        self._at = 0


@contextmanager
def one_thread() -> Iterator[None]:
    """More threads would change the last bits, and the calls are too small to gain."""
    threads = torch.get_num_threads()
    if threads == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
