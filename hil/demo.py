"""The demo: three boards that are not there, one of them a real person's watch, and a model that names the exercise.

`watch` plays readings of people whom the model has never seen (BSD-licensed data that come with the package); `imu` and
`thermal` are synthetic. All three speak real bytes through the same ports, decoders and ledger as any board, and their
clocks run a few ppm off, as crystals do.
"""

from importlib.resources import files

from hil.config import EngineConfig, ModelConfig, PortConfig

__all__ = ["MODEL", "demo_config"]

MODEL = str(files("hil.models").joinpath("exercise.hilmodel"))
"""The model that comes with the package: seven shoulder exercises, from a watch."""


def demo_config(seed: int = 0, model: str | None = None) -> EngineConfig:
    """Return what the engine of the demo is to do.

    Args:
        seed: Of the synthetic boards.
        model: Another model for the watch than the one that comes with the package.
    """
    return EngineConfig(
        ports=(
            PortConfig(port="virtual://watch?ppm=12", role="watch"),
            PortConfig(port=f"virtual://imu?seed={seed}&ppm=-38", role="imu"),
            PortConfig(port=f"virtual://thermal?seed={seed}&ppm=4", role="thermal"),
        ),
        models=(ModelConfig(path=model or MODEL, boards=("watch",)),),
    )
