"""A trigger that a screen asked for, as it is shown: one frozen value.

Rule of this room: a screen needs it before its first picture, so nothing of boards or of what triggers is imported.
"""

from dataclasses import dataclass

__all__ = ["TriggerView"]


@dataclass(frozen=True, slots=True)
class TriggerView:
    """A trigger and when it fired.

    Attributes:
        text: What it is, as a person wrote it.
        count: How often it fired since somebody began to watch.
        fired: The newest times, oldest first: when (UTC), and what was seen in words.
        sentence: Why it cannot fire; empty otherwise.
    """

    text: str
    count: int = 0
    fired: tuple[tuple[int, str], ...] = ()
    sentence: str = ""
