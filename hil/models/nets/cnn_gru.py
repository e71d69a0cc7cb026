"""CNN and GRU: convolutions over each frame, a gated recurrent layer over the sequence of frames.

Rule: what `hil.models.nets.cnn` reads in one frame, what `hil.models.nets.gru` remembers of many.
"""

from __future__ import annotations

from torch import Tensor, nn

from hil.models.nets.cnn import Encoder
from hil.models.nets.seam import Net, State
from hil.models.nets.shapes import CnnGruConfig
from hil.models.nets.turns import advanced, slid, whole

__all__ = ["CnnGru"]


class CnnGru(Net):
    """Recurrent network over frames; weights `encoder.convs.I`, `encoder.flat`, `gru` and `head`."""

    name = "cnn_gru"
    config: CnnGruConfig

    def __init__(self, config: CnnGruConfig, *, norm: bool = False, dropout: float = 0.0) -> None:
        super().__init__(config, norm=norm, dropout=dropout)
        self.encoder = Encoder(config, norm)
        self.gru = nn.GRU(config.features, config.hidden, batch_first=True)
        self.head = nn.Linear(config.hidden, config.classes)

    def forward(self, x: Tensor) -> Tensor:
        """See `Net.forward`."""
        out: Tensor = self.head(self.dropout(whole(self.gru, self.encoder(x))))
        return out

    def dense(self, x: Tensor, hop: int) -> Tensor:
        """See `Net.dense`."""
        out: Tensor = self.head(self.dropout(slid(self.gru, self.encoder(x), hop, self.config.grid)))
        return out

    def states(self, hop: int) -> dict[str, tuple[int, ...]]:
        """See `Net.states`."""
        del hop
        return {"gru": (2, self.config.hidden)}

    def advance(self, x: Tensor, at: Tensor, state: State) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Net.advance`."""
        deciding, after = advanced(self.gru, self.encoder(x), at, state["gru"], self.config.grid)
        out: Tensor = self.head(deciding)
        return out, {"gru": after}

    def fused(self) -> CnnGru:
        """See `Net.fused`."""
        plain = CnnGru(self.config).eval()
        self.encoder.fold_into(plain.encoder)
        plain.gru.load_state_dict(self.gru.state_dict())
        plain.head.load_state_dict(self.head.state_dict())
        return plain
