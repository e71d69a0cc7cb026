"""What comparing gives: a row a figure with verdict, effect and interval, and what could not be compared and why.

Rule of this room: plain frozen values that a table, a page and a script read alike. A row that was not compared says
why, in words that tell what to record instead; it is never left out.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hil.measure.figure import Figure, plain_number

__all__ = ["BETTER", "DIFFERENT", "REFUSED", "SAME", "WORSE", "Comparison", "Row", "Ruling"]

BETTER, SAME, WORSE = "better", "same within noise", "worse"
DIFFERENT = "different"
"""Apart, where neither side is better."""
REFUSED = "not compared"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of A and of B.

    Attributes:
        name: Dotted name in B, such as `stream.imu.imu.ax.noise_density`.
        stream: Name of the stream, without the board; empty for a figure of the whole board.
        channel: Channel; empty for the whole stream.
        metric: Key of the catalogue.
        verdict: `better`, `same within noise`, `worse`, `different` (neither is better) or `not compared`.
        effect: B against A: a change in percent (`effect_unit` `%`) or a difference in the figure's unit; None where it
            was not compared.
        low: Lower end of the effect's 95 % interval.
        high: Upper end.
        effect_unit: `%` of A, or the unit of the figure.
        p: Chance of such an effect where there is none.
        p_adjusted: The same, adjusted for how many figures are judged (Holm); the verdict follows it.
        seen: The smallest effect that would have been seen with a chance of 90 %, in `effect_unit`.
        needs_s: Seconds of recording, each side, after which the asked-for difference would be seen; None: unknown or
            not asked for.
        a: The figure of A; None where A has none.
        b: The figure of B.
        reason: Why it was not compared, and what to record instead.
    """

    name: str
    stream: str
    channel: str
    metric: str
    verdict: str
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    effect_unit: str = ""
    p: float | None = None
    p_adjusted: float | None = None
    seen: float | None = None
    needs_s: float | None = None
    a: Figure | None = None
    b: Figure | None = None
    reason: str = ""

    @property
    def unit(self) -> str:
        """Unit of the figure."""
        figure = self.b or self.a
        return "" if figure is None else figure.unit

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        plain: dict[str, Any] = {}
        for key in self.__dataclass_fields__:
            value = getattr(self, key)
            plain[key] = plain_number(value) if isinstance(value, float) else value
        sides = {
            side: None if figure is None else {key: figure.as_dict()[key] for key in ("value", "low", "high")}
            for side, figure in (("a", self.a), ("b", self.b))
        }
        return plain | sides | {"unit": self.unit}


@dataclass(frozen=True, slots=True)
class Ruling:
    """Something of A and B that cannot be compared.

    Attributes:
        stream: Name of the stream; empty for everything.
        what: Why, a clause.
        instead: What to record instead.
    """

    stream: str
    what: str
    instead: str

    def __str__(self) -> str:
        return f"{self.stream or 'all'}: {self.what}; {self.instead}"


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """B against A.

    Attributes:
        rows: Figures in the order of B.
        refused: What could not be compared as a whole.
        remarks: What a reader should know besides.
        facts: About both sides: `a` and `b` (each `name`, `files`, `duration_s`), `see`, `control`, `judged`.
    """

    rows: tuple[Row, ...]
    refused: tuple[Ruling, ...] = ()
    remarks: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __getitem__(self, name: str) -> Row:
        """Return the row of a name.

        Raises:
            KeyError: There is none of that name.
        """
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows have each verdict."""
        found = Counter(row.verdict for row in self.rows)
        return {verdict: found[verdict] for verdict in (BETTER, SAME, WORSE, DIFFERENT, REFUSED)}

    @property
    def compared(self) -> bool:
        """Whether anything was compared at all."""
        return any(row.verdict != REFUSED for row in self.rows)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "schema": 1, **dict(self.facts), "counts": self.counts, "rows": [row.as_dict() for row in self.rows],
            "refused": [{"stream": one.stream, "what": one.what, "next": one.instead} for one in self.refused],
            "remarks": list(self.remarks),
        }  # fmt: skip
