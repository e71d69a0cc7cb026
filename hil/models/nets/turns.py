"""A recurrent network whose two states take turns, so that it forgets on a grid of sample numbers.

Rule: a decision depends on a known stretch of samples and on nothing before. State 0 is cleared at samples that are
multiples of `2 grid`, state 1 half way between; the one cleared longer ago decides. So every decision has seen more
than `grid` and at most `2 grid` samples, wherever a recording, a segment or a seek begins.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["advanced", "slid", "whole"]


def whole(gru: nn.GRU, x: Tensor) -> Tensor:
    """State after a window that begins with a cleared one: `(B, T, in)` -> `(B, hidden)`."""
    _, last = gru(x)
    return last[0]  # type: ignore[no-any-return]  # nn.GRU is not typed


def slid(gru: nn.GRU, x: Tensor, hop: int, grid: int) -> Tensor:
    """States that decide at `2 grid`, `2 grid + hop`, ... samples: `(B, T, in)` -> `(B, D, hidden)`."""
    count, length, inputs = x.shape
    ends = torch.arange(2 * grid, length + 1, hop)
    turn = (ends - 1) // grid - 1  # the clearing, counted from the start, whose state decides
    turns = int(turn[-1]) + 1
    padded = functional.pad(x, (0, 0, 0, max((turns + 1) * grid - length, 0)))
    pieces = padded.unfold(1, 2 * grid, grid)[:, :turns].transpose(2, 3).reshape(count * turns, 2 * grid, inputs)
    states, _ = gru(pieces)
    found: Tensor = states.view(count, turns, 2 * grid, -1)[:, turn, ends - 1 - turn * grid]
    return found


def advanced(gru: nn.GRU, x: Tensor, at: Tensor, state: Tensor, grid: int) -> tuple[Tensor, Tensor]:
    """Take one hop.

    Args:
        gru: The layer, `batch_first`.
        x: `(slots, hop, in)`.
        at: int64 `(slots,)`: number of the first sample modulo `2 grid`; `grid` is a multiple of the hop.
        state: `(slots, 2, hidden)`.
        grid: Samples between two clearings.

    Returns:
        The state that decides, `(slots, hidden)`, and both after the hop.
    """
    cleared = torch.stack((at == 0, at == grid), 1)[:, :, None]
    begun = torch.where(cleared, torch.zeros_like(state), state)
    twice = x[:, None].expand(-1, 2, -1, -1).reshape(-1, x.shape[1], x.shape[2])
    _, last = gru(twice, begun.reshape(1, -1, state.shape[2]).contiguous())
    after = last.view(state.shape)
    return torch.where((at >= grid)[:, None], after[:, 0], after[:, 1]), after
