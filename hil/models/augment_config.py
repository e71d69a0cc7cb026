"""How far training readings may be changed: the `[augment]` table of a training configuration. No torch here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["AugmentConfig"]


class AugmentConfig(BaseModel):
    """How far a crop is changed, each change being one that a mounting, a person or a sensor makes.

    Attributes:
        rotate_deg: Largest rotation, about a random axis, the same for all vectors: another mounting.
        warp: Largest change of tempo: 0.2 plays at 1/1.2 to 1.2 times the speed.
        gain: Standard deviation of the logarithm of each vector's gain.
        vectors: Channels that form vectors in space, three names each.
        per_second: Channels that are rates in time (such as rad/s) and grow with the tempo.
        noise_density: White noise of a channel, in its unit per square root of Hz, as data sheets give it.
        drop: Share of samples that do not come; the reading before is there again, as from a driver that missed one.
        offset: Standard deviation of a constant added to all of a crop, in the stream's unit: another temperature.
        shift: Frames: most pixels that the picture moves, in both directions; edges are repeated.
        flip: Frames: mirrorings that make no other picture of the world.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rotate_deg: Annotated[float, Field(ge=0, le=180)] = 0.0
    warp: Annotated[float, Field(ge=0, le=2)] = 0.0
    gain: Annotated[float, Field(ge=0, le=1)] = 0.0
    vectors: tuple[tuple[str, str, str], ...] = ()
    per_second: tuple[str, ...] = ()
    noise_density: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    drop: Annotated[float, Field(ge=0, lt=1)] = 0.0
    offset: Annotated[float, Field(ge=0)] = 0.0
    shift: Annotated[int, Field(ge=0, le=64)] = 0
    flip: tuple[Literal["left_right", "up_down"], ...] = ()
