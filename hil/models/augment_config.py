"""How far training readings may be changed: the `[augment]` table of a training configuration. No torch here."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["AugmentConfig"]


class AugmentConfig(BaseModel):
    """How far a crop is changed.

    Attributes:
        rotate_deg: Largest rotation, about a random axis, the same for all vectors.
        warp: Largest change of tempo: 0.2 plays at 1/1.2 to 1.2 times the speed.
        gain: Standard deviation of the logarithm of each vector's gain.
        vectors: Channels that form vectors in space, three names each.
        per_second: Channels that are rates in time (such as rad/s) and grow with the tempo.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rotate_deg: Annotated[float, Field(ge=0, le=180)] = 0.0
    warp: Annotated[float, Field(ge=0, le=2)] = 0.0
    gain: Annotated[float, Field(ge=0, le=1)] = 0.0
    vectors: tuple[tuple[str, str, str], ...] = ()
    per_second: tuple[str, ...] = ()
