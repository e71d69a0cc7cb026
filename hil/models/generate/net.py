"""The network of the flow: where a window of readings should go next, from noise towards readings.

Rule of this room: a plain 1-D U-net over rows of a few samples each. Conditions (how far from noise, label, style,
noise) become one vector that scales and shifts every block. Nothing here draws chance. Convolutions over three
neighbours are products of rows laid side by side, which a processor does faster than small convolutions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hil.models.generate.shape import EMBEDDED, PATCH, WAVES, FlowShape

__all__ = ["FlowNet", "coloured"]


class _Block(nn.Module):
    """`x + second(silu(first(silu(told(norm(x))))))`, over three neighbours each."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first = nn.Linear(3 * width, width)
        self.second = nn.Linear(3 * width, width)
        self.told = nn.Linear(EMBEDDED, 2 * width)
        nn.init.zeros_(self.second.weight)  # a block begins as nothing, so that a deep network learns from the start

    def forward(self, x: Tensor, about: Tensor) -> Tensor:
        gain, shift = self.told(about)[:, None].chunk(2, dim=2)
        y = functional.silu(self.norm(x) * (1 + gain) + shift)
        added: Tensor = self.second(_beside(functional.silu(self.first(_beside(y)))))
        return x + added


class FlowNet(nn.Module):
    """Velocity of a window on its way from noise (0) to readings (1).

    Args:
        shape: Its shape.
    """

    waves: Tensor

    def __init__(self, shape: FlowShape) -> None:
        super().__init__()
        self.shape = shape
        a, b, c = shape.widths
        row = shape.inputs * PATCH
        self.time = nn.Linear(2 * WAVES, EMBEDDED)
        self.label = nn.Embedding(shape.classes, EMBEDDED)
        self.style = nn.Linear(shape.style, EMBEDDED)
        self.noise = nn.Linear(1, EMBEDDED, bias=False)
        self.mix = nn.Linear(EMBEDDED, EMBEDDED)
        self.enter = nn.Linear(3 * row, a)
        self.blocks = nn.ModuleList(_Block(width) for width in (a, b, c, c, b, a))
        self.down = nn.ModuleList((nn.Linear(2 * a, b), nn.Linear(2 * b, c)))
        self.up = nn.ModuleList((nn.Linear(c, 2 * b), nn.Linear(b, 2 * a)))
        self.leave = nn.Linear(3 * a, row)
        self.register_buffer("waves", torch.exp2(torch.linspace(-2, 6, WAVES)), persistent=False)

    def forward(self, x: Tensor, at: Tensor, label: Tensor, style: Tensor, noise: Tensor) -> Tensor:
        """Return the velocity.

        Args:
            x: `(B, T, inputs)`, T a multiple of 16.
            at: `(B,)`, 0 is noise and 1 readings.
            label: `(B,)` indices.
            style: `(B, style)`.
            noise: `(B,)`, standard deviation of white noise in that of each channel.

        Returns:
            `(B, T, inputs)`.
        """
        angle = at[:, None] * self.waves
        about = self.time(torch.cat((angle.sin(), angle.cos()), 1)) + self.label(label)
        about = about + self.style(style) + self.noise(noise[:, None])
        about = functional.silu(self.mix(functional.silu(about)))
        batch, samples, channels = x.shape
        fine = self.blocks[0](self.enter(_beside(x.reshape(batch, samples // PATCH, PATCH * channels))), about)
        middle = self.blocks[1](self.down[0](_halved(fine)), about)
        y = self.blocks[3](self.blocks[2](self.down[1](_halved(middle)), about), about)
        y = self.blocks[4](_doubled(self.up[0](y)) + middle, about)
        y = self.blocks[5](_doubled(self.up[1](y)) + fine, about)
        out: Tensor = self.leave(_beside(y))
        return out.reshape(batch, samples, channels)


def coloured(white: Tensor, colour: Tensor) -> Tensor:
    """Give white noise the colour of readings, on a circle.

    A flow that begins with white noise must take nearly all of it away where readings are quiet, and what it fails to
    take away is heard; one that begins with noise of their colour has little to do there.

    Args:
        white: `(B, T, C)`.
        colour: `(C, K)`, amplitude at K frequencies from 0 to half the rate.
    """
    samples = white.shape[1]
    gain = functional.interpolate(colour[None], samples // 2 + 1, mode="linear", align_corners=True)[0]
    made: Tensor = torch.fft.irfft(torch.fft.rfft(white, dim=1) * gain.T, samples, dim=1)
    return made


def _beside(rows: Tensor) -> Tensor:
    """Lay each row between its neighbours: `(B, T, W)` -> `(B, T, 3 W)`, zeros beyond the ends."""
    wide = functional.pad(rows, (0, 0, 1, 1))
    return torch.cat((wide[:, :-2], rows, wide[:, 2:]), 2)


def _halved(rows: Tensor) -> Tensor:
    """Make one row of two: `(B, T, W)` -> `(B, T / 2, 2 W)`."""
    return rows.reshape(rows.shape[0], rows.shape[1] // 2, -1)


def _doubled(rows: Tensor) -> Tensor:
    """Make two rows of one: `(B, T, 2 W)` -> `(B, 2 T, W)`."""
    return rows.reshape(rows.shape[0], rows.shape[1] * 2, -1)
