"""When a page that follows the bench asks for its next picture.

Rule of this room: it counts and has no clock: a timer of the page strikes it `fps` times a second.
"""

__all__ = ["RESTING", "Beat"]

RESTING = 5
"""While nothing moves at the bench one question in so many is asked."""


class Beat:
    """The beat of one page.

    Args:
        fps: How often it is struck in a second.
    """

    def __init__(self, fps: float) -> None:
        self.fps = fps
        self.rests = False
        """Whether nothing moved at the bench when it was last asked."""
        self.ticks = 0
        self._strikes = 0

    def strike(self) -> bool:
        """Return whether it is worth asking at this strike."""
        self._strikes += 1
        return not self.rests or self._strikes % RESTING == 0

    def due(self, watched: bool) -> bool:
        """Return whether to ask: always while somebody sees the answer, else once a second."""
        self.ticks += 1
        return watched or self.ticks % max(1, round(self.fps)) == 0
