"""The verdicts of a drift watch, and what each is founded on.

Rule of this room: plain frozen values; a finding can say itself in a sentence.
"""

from dataclasses import dataclass, field

__all__ = ["FINE", "MODEL", "SENSOR", "WAITING", "Change", "Finding", "State"]

WAITING, FINE, SENSOR, MODEL = "waiting", "fine", "sensor different", "model wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is different.

    Attributes:
        kind: `bias`, `gain`, `noise`, `stuck`, `swap` or `flip` of a sensor; `signal` or `scores` of a model.
        channels: Which.
        amount: How much: of a bias in its unit, of gain and noise the factor, of a stuck channel readings in a row.
        unit: Of the amount; `x` for a factor.
        share: Share of what stands out that it explains.
        since_ns: When it began.
    """

    kind: str
    channels: tuple[str, ...] = ()
    amount: float = 0.0
    unit: str = ""
    share: float = 1.0
    since_ns: int = 0

    @property
    def sentence(self) -> str:
        """What to say of it."""
        names = " and ".join(self.channels)
        match self.kind:
            case "bias":
                return f"{names} is shifted by about {self.amount:+.2g} {self.unit}"
            case "gain":
                return f"{names} is {self.amount:.2g} times as large"
            case "noise":
                return f"{names} is {self.amount:.2g} times as rough"
            case "stuck":
                return f"{names} gave one reading {self.amount:.0f} times in a row"
            case "swap":
                return f"{names} fit training better exchanged"
            case "flip":
                return f"{names} fits training better with its sign turned"
            case "signal":
                return "the readings are unlike training, and no single fault of a sensor explains it"
        return "the readings are as in training, and the model's scores are not"


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the verdict, at the end of a look."""

    t_ns: int
    verdict: str
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class State:
    """Where the watch stands.

    Attributes:
        verdict: `waiting`, `fine`, `sensor different` or `model wrong`.
        finding: What is different, None where nothing is.
        looks: Windows that were looked at.
        sensor: The greatest sum of a sensor's suspicion as a share of its limit.
        model: The same of scores and of the whole signal.
        distances: How far each channel's distribution is from training's, in its own spread (Wasserstein-1).
        embedding: Mean distance of the scores from the label they are nearest to, in their own spread; None: unknown.
        scores_known: Why the scores are not watched; empty where they are.
    """

    verdict: str
    finding: Finding | None
    looks: int
    sensor: float
    model: float
    distances: dict[str, float] = field(default_factory=dict)
    embedding: float | None = None
    scores_known: str = ""
