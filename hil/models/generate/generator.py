"""A generator at work: continuous readings of any length, of a label, in a style, with a level of noise.

Rule of this room: windows overlap by half and go from noise to readings together: at every step each sample moves by
the blend of what its two windows say, so that nothing is ever glued and no seam is left. A loop is the same on a
circle: its end goes on into its beginning. Seed, wishes and length fix every value on one machine.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from firmware_bridge.errors import UsageError
from firmware_bridge.streams import Stream
from hil.models.fit import alone
from hil.models.generate.contract import GeneratorContract
from hil.models.generate.file import GeneratorPackage, read_generator
from hil.models.generate.net import FlowNet, coloured
from hil.models.generate.stretches import style_of

__all__ = ["Generator", "Wish", "load_generator"]

Float = npt.NDArray[np.float32]

_SIDE_BY_SIDE = 64
"""Windows in one call of the network."""

_APART = ("styles", "colour")
"""What lies among the weights and is none of the network's."""


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """What is wanted of one piece.

    Attributes:
        label: One of the generator's.
        person: In whose style, one of the generator's people; empty: near the style of anyone, drawn by the seed.
        noise: White noise, in standard deviations of each channel; 0: as it was recorded.
        style: Numbers of `Generator.style_of` in place of a known person's; None: as `person` says.
    """

    label: str
    person: str = ""
    noise: float = 0.0
    style: Float | None = None


def load_generator(path: str | os.PathLike[str]) -> Generator:
    """Open a generator; reads data and executes nothing.

    Raises:
        FileError: As `hil.models.generate.file.read_generator`.
    """
    return Generator(read_generator(path))


class Generator:
    """A generator, ready to run.

    Args:
        package: Its file in memory.
    """

    def __init__(self, package: GeneratorPackage) -> None:
        self.package = package
        contract = package.contract
        self._net = FlowNet(contract.shape).eval()
        self._net.load_state_dict(
            {name: torch.from_numpy(np.array(value)) for name, value in package.weights.items() if name not in _APART}
        )
        self._mean = np.array([item.mean for item in contract.inputs], np.float32)
        self._std = np.array([item.std for item in contract.inputs], np.float32)

    def __repr__(self) -> str:
        one = self.contract
        return f"<Generator {one.name} {one.version}: {len(one.inputs)} channels, {len(one.labels)} labels>"

    @property
    def contract(self) -> GeneratorContract:
        """What it promises."""
        return self.package.contract

    @property
    def stream(self) -> Stream:
        """The stream that it generates; readings are float32 in units."""
        one = self.contract
        names, units = tuple(item.channel for item in one.inputs), tuple(item.unit for item in one.inputs)
        return Stream(one.stream, names, units, "<f4", (len(names),), one.rate_hz)

    def style_of(self, readings: npt.NDArray[np.floating]) -> Float:
        """Return the style of somebody's readings `(N, C)`, in units: a person whom it never met."""
        return style_of(readings, self._mean, self._std)

    def draw(self, wishes: Sequence[Wish], samples: int, seed: int, *, loop: bool = False) -> Float:
        """Generate one piece for each wish.

        Args:
            wishes: What each is to be.
            samples: Length of each.
            seed: Of all chance.
            loop: The end goes on into the beginning; the length is then rounded up to whole half windows.

        Returns:
            float32 `(wishes, samples, C)`, in units.

        Raises:
            UsageError: A label, a person or a level of noise is none of the generator's.
        """
        if samples < 1:
            raise UsageError(f"{samples} samples are asked for", f"generator {self.contract.name}", "ask for more")
        window = self.contract.window
        hop = window // 2
        # What is no loop gets as much more as lets the circle close where nobody looks.
        rows = max(-(-(samples if loop else samples + window) // hop), 4) * hop
        told = [self._conditions(wish, seed, at) for at, wish in enumerate(wishes)]
        chance = torch.Generator().manual_seed(seed)
        white = torch.randn(2, len(wishes), rows, len(self.contract.inputs), generator=chance)
        conditions = tuple(torch.from_numpy(np.array(part)) for part in zip(*told, strict=True))
        with torch.inference_mode(), alone(torch.device("cpu")):
            level = conditions[2][:, None, None]
            x = coloured(white[0], torch.from_numpy(np.array(self.package.weights["colour"]))) + white[1] * level
            for piece in range(len(wishes)):
                x[piece : piece + 1] = self._flow(
                    x[piece : piece + 1], *(part[piece : piece + 1] for part in conditions)
                )
        made: Float = x[:, : rows if loop else samples].numpy() * self._std + self._mean
        return made

    def _flow(self, x: Tensor, label: Tensor, style: Tensor, noise: Tensor) -> Tensor:
        """Go from noise `(1, rows, C)` to readings, on a circle of overlapping windows."""
        window, steps, rows = self.contract.window, self.contract.steps, x.shape[1]
        places = (torch.arange(0, rows, window // 2)[:, None] + torch.arange(window)) % rows
        blend = torch.hann_window(window, periodic=True)[:, None]  # two of them that overlap by half sum to one
        count = len(places)
        label, style, noise = label.expand(count), style.expand(count, -1), noise.expand(count)
        flat = places.reshape(-1)
        for step in range(steps):
            windows = x[0][places]
            at = torch.full((count,), step / steps)
            parts = [
                self._net(windows[i:j], at[i:j], label[i:j], style[i:j], noise[i:j])
                for i in range(0, count, _SIDE_BY_SIDE)
                for j in (min(i + _SIDE_BY_SIDE, count),)
            ]
            moved = (torch.cat(parts) * blend).reshape(len(flat), -1)
            x = x + torch.zeros_like(x[0]).index_add(0, flat, moved) / steps
        return x

    def _conditions(self, wish: Wish, seed: int, place: int) -> tuple[np.int64, Float, np.float32]:
        contract, where = self.contract, f"generator {self.contract.name}"
        if wish.label not in contract.labels:
            raise UsageError(f"it knows no {wish.label!r}", where, f"ask for {', '.join(contract.labels)}")
        if not 0 <= wish.noise <= contract.noise:
            raise UsageError(f"noise {wish.noise:g} is not what it learnt", where, f"use 0 to {contract.noise:g}")
        label, level = np.int64(contract.labels.index(wish.label)), np.float32(wish.noise)
        if wish.style is not None:
            return label, wish.style.astype(np.float32), level
        if wish.person and wish.person not in contract.people:
            raise UsageError(
                f"it knows nobody called {wish.person!r}", where, f"name one of {', '.join(contract.people)}"
            )
        kept = [at for at, one in enumerate(contract.styles)
                if one.label == wish.label and wish.person in ("", one.person)]  # fmt: skip
        if not kept:
            raise UsageError(f"it has not seen {wish.person} do {wish.label}", where, "leave out the person")
        chance = np.random.default_rng([seed, place, zlib.crc32(wish.label.encode())])
        style = self.package.weights["styles"][kept[int(chance.integers(len(kept)))]]
        if not wish.person:
            style = style + chance.normal(0, contract.spread, style.shape)
        return label, style.astype(np.float32), level
