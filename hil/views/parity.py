"""How a board's own model agrees with the host's so far, as a screen shows it: one frozen value.

Rule of this room: what is not known is None or a sentence, never 0.
"""

from dataclasses import dataclass

__all__ = ["ParityView"]


@dataclass(frozen=True, slots=True)
class ParityView:
    """A board's RESULTs about its own samples against a model that runs here.

    Attributes:
        results: RESULTs that came.
        compared: Those about a window on which the model decided here too.
        same: Those of them in which both put the same label first.
        label: What the board said last; empty where its outputs are not this model's labels.
        differs: Where they said something else last: `sample N: board LABEL, here LABEL`; empty where they never did.
        exact: RESULTs that are the 8-bit reference's bit for bit; None where there is no reference.
        checked: RESULTs that were held against the reference.
        sentence: Why something is not compared; empty where all is.
    """

    results: int
    compared: int = 0
    same: int = 0
    label: str = ""
    differs: str = ""
    exact: int | None = None
    checked: int = 0
    sentence: str = ""
