"""One hop of any network of ours for many boards at once, in eager torch: its own streaming form, state kept by slot.

Rule: one fixed shape. Every call computes all slots, idle ones too, so that a board's numbers do not depend on who else
had a hop ready; what an idle slot made is thrown away. (The TCN and recurrent networks have faster forms
of their own in `hil.models.step` and `hil.models.step_gru`.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hil.models.nets.seam import Net
from hil.models.step import one_thread

__all__ = ["PlainStep"]


class PlainStep:
    """Streaming form of a network in the interface of `hil.models.scanning.Step`.

    Args:
        net: The network, fused.
        hop: Samples a call.
        slots: Boards a call.
    """

    backend = "eager"

    def __init__(self, net: Net, hop: int, slots: int) -> None:
        self._net, self._slots, self._cycle = net.eval(), slots, net.config.cycle
        self.version = f"torch {torch.__version__}"
        self._input = torch.zeros(slots, hop, net.config.inputs)
        self.input: npt.NDArray[np.float32] = self._input.numpy()
        """float32 `(slots, hop, inputs)`: fill the rows of the boards at hand, then call `run`."""
        self._at = torch.zeros(slots, dtype=torch.int64)
        self._starts: npt.NDArray[np.int64] = self._at.numpy()
        self._state: dict[str, Tensor] = {name: torch.zeros(slots, *shape) for name, shape in net.states(hop).items()}

    def run(self, active: Sequence[int], reset: Sequence[int], starts: Sequence[int] = ()) -> npt.NDArray[np.float32]:
        """Advance the `active` slots by the hop in `input`, after clearing the state of those in `reset`.

        Args:
            active: Slots.
            reset: Those of them in which a segment begins.
            starts: Number of the first sample of each active slot's hop.

        Returns:
            float32 `(slots, classes)`; rows of slots that are not active hold anything.
        """
        with one_thread(), torch.inference_mode():
            for slot, start in zip(active, starts, strict=False):
                self._starts[slot] = start % self._cycle
            for slot in reset:
                for values in self._state.values():
                    values[slot] = 0.0
            logits, after = self._net.advance(self._input, self._at, self._state)
            if len(active) < self._slots:
                idle = sorted(set(range(self._slots)).difference(active))
                for name, values in after.items():
                    values[idle] = self._state[name][idle]
            self._state = after
            out: npt.NDArray[np.float32] = logits.numpy()
        return out
