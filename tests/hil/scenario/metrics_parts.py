"""Parts that tests of figures share: decisions one after another, a hop apart."""

from firmware_bridge.events import Prediction

T0 = 1_700_000_000_000_000_000
HOP = 1_000_000_000


def said(*labels: str) -> list[Prediction]:
    """A decision each second: T is the event."""
    return [Prediction("b", T0 + at * HOP, "m", "s", 0, 50 * at, label, 0.9, (0.9,)) for at, label in enumerate(labels)]
