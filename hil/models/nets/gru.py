"""GRU: one gated recurrent layer over the samples and one linear layer over its state.

Rule: it forgets on a grid of sample numbers (`hil.models.nets.turns`), so that its decisions depend on samples that can
be named and not on when somebody began to listen.
"""

from __future__ import annotations

from torch import Tensor, nn

from hil.models.nets.seam import Net, State
from hil.models.nets.shapes import GruConfig
from hil.models.nets.turns import advanced, slid, whole

__all__ = ["Gru"]


class Gru(Net):
    """Gated recurrent network; weights as `torch.nn.GRU` names them under `gru`, and `head`."""

    name = "gru"
    config: GruConfig

    def __init__(self, config: GruConfig, *, norm: bool = False, dropout: float = 0.0) -> None:
        super().__init__(config, norm=norm, dropout=dropout)
        self.gru = nn.GRU(config.inputs, config.hidden, batch_first=True)
        self.head = nn.Linear(config.hidden, config.classes)

    def forward(self, x: Tensor) -> Tensor:
        """See `Net.forward`."""
        out: Tensor = self.head(self.dropout(whole(self.gru, x)))
        return out

    def dense(self, x: Tensor, hop: int) -> Tensor:
        """See `Net.dense`."""
        out: Tensor = self.head(self.dropout(slid(self.gru, x, hop, self.config.grid)))
        return out

    def states(self, hop: int) -> dict[str, tuple[int, ...]]:
        """See `Net.states`."""
        del hop
        return {"gru": (2, self.config.hidden)}

    def advance(self, x: Tensor, at: Tensor, state: State) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Net.advance`."""
        deciding, after = advanced(self.gru, x, at, state["gru"], self.config.grid)
        out: Tensor = self.head(deciding)
        return out, {"gru": after}

    def fused(self) -> Gru:
        """See `Net.fused`."""
        plain = Gru(self.config).eval()
        plain.load_state_dict(self.state_dict())
        return plain
