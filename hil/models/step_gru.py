"""One hop of a recurrent network for many boards at once, in eager torch: both states of all slots in one product.

Rule: one fixed shape, no allocation. What a hop brings is multiplied once for both states; each sample then costs one
product over `2 x slots` rows and five passes over it, through views that were made beforehand. Its plain form is
`hil.models.nets.turns.advanced`; which state is cleared and which decides follows the numbers of the samples alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from hil.models.nets.cnn_gru import CnnGru
from hil.models.nets.gru import Gru
from hil.models.step import one_thread

__all__ = ["RecurrentStep"]


class RecurrentStep:
    """Streaming form of a `Gru` or `CnnGru` in the interface of `hil.models.scanning.Step`.

    Args:
        net: The network, fused.
        hop: Samples a call.
        slots: Boards a call.
    """

    backend = "eager"

    def __init__(self, net: Gru | CnnGru, hop: int, slots: int) -> None:
        self.version = f"torch {torch.__version__}"
        self._grid, self._slots = net.config.grid, slots
        self._encoder: nn.Module | None = net.encoder if isinstance(net, CnnGru) else None
        hidden, gru = net.config.hidden, net.gru
        self._head = net.head
        with torch.inference_mode():
            self._input = torch.zeros(slots, hop, net.config.inputs)
            self.input: npt.NDArray[np.float32] = self._input.numpy()
            """float32 `(slots, hop, inputs)`: fill the rows of the boards at hand, then call `run`."""
            self._weight_in = gru.get_parameter("weight_ih_l0").detach().t().contiguous()
            self._weight = gru.get_parameter("weight_hh_l0").detach().t().contiguous()
            self._bias_in, self._bias = (
                gru.get_parameter("bias_ih_l0").detach().clone(),
                gru.get_parameter("bias_hh_l0").detach().clone(),
            )
            self._given = torch.zeros(slots * hop, 3 * hidden)
            given = self._given.view(slots, hop, 1, 3 * hidden)
            self._samples = [
                (given[:, k, :, : 2 * hidden], given[:, k, :, 2 * hidden :]) for k in range(hop)
            ]  # what each brings to the gates, and to the candidate
            self._rows = torch.zeros(2 * slots, hidden)  # row `2 slot + state`
            self._state = self._rows.view(slots, 2, hidden)
            self._product = torch.zeros(2 * slots, 3 * hidden)
            product = self._product.view(slots, 2, 3 * hidden)
            self._gates, self._recalled = product[..., : 2 * hidden], product[..., 2 * hidden :]
            self._reset_gate, self._update_gate = self._gates[..., :hidden], self._gates[..., hidden:]
            self._candidate = torch.zeros(slots, 2, hidden)
            self._deciding = torch.arange(slots) * 2
        self._choice: npt.NDArray[np.int64] = self._deciding.numpy()

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
            for slot in reset:
                self._state[slot] = 0.0
            for slot, start in zip(active, starts, strict=False):
                phase = start % (2 * self._grid)
                if phase in (0, self._grid):
                    self._state[slot, phase // self._grid] = 0.0
                self._choice[slot] = 2 * slot + (phase < self._grid)  # the one cleared longer ago
            idle = sorted(set(range(self._slots)).difference(active)) if len(active) < self._slots else []
            before = self._state[idle] if idle else None
            self._advance()
            out: npt.NDArray[np.float32] = self._head(self._rows.index_select(0, self._deciding)).numpy()
            if before is not None:
                self._state[idle] = before
        return out

    def _advance(self) -> None:
        x = self._input if self._encoder is None else self._encoder(self._input)
        torch.addmm(self._bias_in, x.reshape(len(self._given), -1), self._weight_in, out=self._given)
        for to_gates, to_candidate in self._samples:
            torch.addmm(self._bias, self._rows, self._weight, out=self._product)
            self._gates.add_(to_gates).sigmoid_()
            torch.addcmul(to_candidate, self._reset_gate, self._recalled, out=self._candidate).tanh_()
            torch.lerp(self._candidate, self._state, self._update_gate, out=self._state)
