"""What a network of ours is: one set of weights, four readings of it; and the name under which a file asks for one.

Rule: the streaming form is a function of its arguments. State goes in and comes out, every shape is fixed by slots and
hop, and nothing is kept between calls, so that the same form runs eagerly, is exported, and is scanned offline.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from torch import Tensor, nn

if TYPE_CHECKING:
    from hil.models.nets.shape import NetShape

__all__ = ["Net", "State", "net_class"]

State = Mapping[str, Tensor]
"""What a network carries from hop to hop: `(slots, ...)` by name."""


class Net(nn.Module):
    """A network of ours.

    Args:
        config: Its shape.
        norm: Batch normalisation behind each convolution, for training.
        dropout: Share of the features before the last layer that is dropped while training.
    """

    name: ClassVar[str]
    """Name in the allow-list."""

    def __init__(self, config: NetShape, *, norm: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        self.config: Any = config
        self.norm = norm
        self.dropout = nn.Dropout(dropout)

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Logits of one whole window: `(B, config.span(end), inputs)` normalised -> `(B, classes)`."""

    @abstractmethod
    def dense(self, x: Tensor, hop: int) -> Tensor:
        """Logits of every decision in a piece of signal: at `memory`, `memory + hop`, ... samples from its start.

        Args:
            x: Normalised samples `(B, T, inputs)`, `T >= memory`.
            hop: Samples between decisions.

        Returns:
            `(B, D, classes)` with `D = 1 + (T - memory) // hop`.
        """

    def experts(self, x: Tensor, hop: int) -> tuple[Tensor, ...]:
        """What training takes the loss over: the logits of `dense`, or those of each part that has to decide alone."""
        return (self.dense(x, hop),)

    @abstractmethod
    def states(self, hop: int) -> dict[str, tuple[int, ...]]:
        """Name and shape, without slots, of what `advance` carries for hops of `hop`."""

    @abstractmethod
    def advance(self, x: Tensor, at: Tensor, state: State) -> tuple[Tensor, dict[str, Tensor]]:
        """Take one hop of every slot.

        Args:
            x: Normalised samples `(slots, hop, inputs)`.
            at: int64 `(slots,)`: number of the first of them, modulo `config.cycle`.
            state: What the call before returned; zeros where a segment begins.

        Returns:
            Logits `(slots, classes)` at the end of the hop, and the state after it.
        """

    @abstractmethod
    def fused(self) -> Self:
        """A copy without normalisation or dropout that computes the same in evaluation mode."""


def net_class(name: str) -> type[Net]:
    """Return the network that a name of the allow-list means.

    Raises:
        KeyError: There is none.
    """
    from hil.models.nets.cnn import Cnn
    from hil.models.nets.cnn_gru import CnnGru
    from hil.models.nets.gru import Gru
    from hil.models.nets.hybrid import Hybrid
    from hil.models.nets.resnet import Resnet
    from hil.models.nets.shots import Shots
    from hil.models.nets.tcn import Tcn

    return {net.name: net for net in (Tcn, Resnet, Hybrid, Gru, Cnn, CnnGru, Shots)}[name]
