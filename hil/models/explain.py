"""Why a model decided as it did: which samples and channels of the window carried one decision, by captum.

Rule of this room: it explains the score of the label that was told, on the window that the decision saw, and says how
far its own sum is from what it explains. A network of ours is differentiated (integrated gradients from the training
mean); of a program that is none of ours pieces are set to the training mean one by one (occlusion).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import MissingPart, UsageError
from hil.models.contract import Contract
from hil.models.model import Model, build_network
from hil.models.seen import Seen

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["PIECES", "Explanation", "Score", "explain", "explainable", "integrated", "needs_captum", "occluded"]

Float = npt.NDArray[np.float64]
Score = Callable[["Tensor"], "Tensor"]
"""Windows `(B, N, width)`, normalised, to scores `(B, labels)`."""

PIECES = 16
"""Pieces of time in which a program is occluded."""

_FIRST_STEPS, _MOST_STEPS, _GOAL = 64, 1024, 0.005
_AT_ONCE = 64
_MOST_WIDTH = 64
"""Channels, or pixels, of a program that is occluded, at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """What carried one decision.

    Attributes:
        seen: The decision and its window.
        method: `integrated gradients` or `occlusion`.
        attributions: float64 `(N, width)`: what each value added to the score of the label that was told, against the
            training mean; negative where it spoke against it.
        score: The score on the window, as the network gives it.
        mean_score: The same on a window of training means.
        steps: Gradients along the way, or pieces that were occluded.
    """

    seen: Seen
    method: str
    attributions: Float
    score: float
    mean_score: float
    steps: int

    @property
    def difference(self) -> float:
        """What is to be explained: the score less that of the training mean."""
        return self.score - self.mean_score

    @property
    def error(self) -> float:
        """Attributions' sum less the difference; of an occlusion no sum is promised."""
        return float(self.attributions.sum()) - self.difference


def needs_captum() -> Any:
    """Return captum's methods, or say in one sentence that it is missing.

    Raises:
        MissingPart: It is not installed.
    """
    try:
        from captum import attr
    except ImportError:
        raise MissingPart(
            "decisions are explained by captum, which is not installed", "explain",
            "run: pip install 'hil-testbench[explain]'",
        ) from None  # fmt: skip
    return attr


def explainable(contract: Contract) -> str:
    """Return how a model's decisions are explained.

    Raises:
        UsageError: It is a program with so many inputs that occluding each would take minutes.
    """
    if contract.architecture is not None:
        return "integrated gradients"
    if contract.width > _MOST_WIDTH:
        raise UsageError(
            f"an ONNX program is explained by hiding one input after another, and this one has {contract.width} "
            f"(at most {_MOST_WIDTH})", f"model {contract.name}", "give a model of one of our architectures",
        )  # fmt: skip
    return "occlusion"


def explain(model: Model, seen: Seen) -> Explanation:
    """Return what carried a decision.

    Args:
        model: The model that made it.
        seen: The decision and its window.

    Raises:
        MissingPart: captum or torch is not installed.
        UsageError: See `explainable`.
    """
    contract = model.contract
    method = explainable(contract)
    needs_captum()
    told = contract.labels.index(seen.decision.label)
    if method == "occlusion":
        return occluded(seen, _program(model), told)
    net = build_network(model.package).double().requires_grad_(False)
    return integrated(seen, net, told)


def integrated(seen: Seen, score: Score, told: int) -> Explanation:
    """Explain a differentiable score by integrated gradients, with as many steps as its sum needs to close.

    Args:
        seen: The decision and its window.
        score: The network, in float64.
        told: Place of the label.
    """
    import torch

    from hil.models.step import one_thread

    method = needs_captum().IntegratedGradients(score)
    window = torch.from_numpy(seen.window.astype(np.float64))[None]
    with one_thread():
        with torch.no_grad():
            there, none = (float(score(one)[0, told]) for one in (window, torch.zeros_like(window)))
        steps = _FIRST_STEPS
        while True:
            found = method.attribute(window, target=told, n_steps=steps, internal_batch_size=_AT_ONCE)
            made = Explanation(seen, "integrated gradients", found[0].numpy(), there, none, steps)
            if abs(made.error) <= _GOAL * abs(made.difference) or steps >= _MOST_STEPS:
                return made
            steps *= 4


def occluded(seen: Seen, score: Score, told: int) -> Explanation:
    """Explain any score by what it loses when one channel is the training mean for one piece of the time.

    Args:
        seen: The decision and its window.
        score: The program.
        told: Place of the label.
    """
    import torch

    window = torch.from_numpy(seen.window)[None]
    count, width = seen.window.shape
    piece = np.arange(count) * min(PIECES, count) // count
    mask = piece[:, None] * width + np.arange(width)
    method = needs_captum().FeatureAblation(score)
    with torch.no_grad():
        there, none = (float(score(one)[0, told]) for one in (window, torch.zeros_like(window)))
        lost = method.attribute(
            window, target=told, feature_mask=torch.from_numpy(mask)[None], perturbations_per_eval=_AT_ONCE
        )
    # A piece's loss stands at each of its samples: they share it, so that sums over the window are sums of losses.
    shared = lost[0].double().numpy() / np.bincount(piece)[piece][:, None]
    return Explanation(seen, "occlusion", shared, there, none, int(mask.max()) + 1)


def _program(model: Model) -> Score:
    """Return an ONNX program as a function of whole windows."""
    import torch

    from hil.models.window_onnx import WindowStep

    assert model.package.program is not None
    # A hop as long as the window: every call takes whole windows and remembers nothing.
    contract = model.contract.model_copy(update={"hop": model.contract.window})
    step = WindowStep(model.package.program, contract, _AT_ONCE)

    def score(windows: Tensor) -> Tensor:
        parts = []
        for part in torch.split(windows, _AT_ONCE):
            step.input[: len(part)] = part.numpy()
            parts.append(torch.from_numpy(step.run(range(len(part)), ())[: len(part)].copy()))
        return torch.cat(parts)

    return score
