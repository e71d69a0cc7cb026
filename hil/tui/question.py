"""One line that asks for words, at the foot of a page; it traps nobody: escape closes it, and every other key writes.

Rule of this room: nothing about what is asked.
"""

from textual.widgets import Input

__all__ = ["Question"]


class Question(Input):
    """A line that is there only while something is asked."""

    asking = ""
    """What is asked now; empty while nothing is."""

    def ask(self, asking: str, explained: str, value: str = "") -> None:
        """Open the line.

        Args:
            asking: What for, a word of the page's own.
            explained: What stands in it while it is empty.
            value: What stands in it, to be changed.
        """
        self.asking = asking
        self.placeholder, self.value = explained, value
        self.add_class("-open")
        self.focus()

    def done(self) -> None:
        """Close it."""
        self.asking, self.value = "", ""
        self.remove_class("-open")
