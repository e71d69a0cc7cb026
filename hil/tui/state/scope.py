"""A trigger as an oscilloscope has it: what fires it, how much of before is seen, at which firing the picture holds.

Rule of this room: pure. A firing counts once all that is to be seen after it has come; until then the picture before
stays. Auto follows the bench when nothing fires, normal holds the last one, single holds the first one until it is
armed again.
"""

from dataclasses import dataclass, replace

from hil.views.trigger import TriggerView

__all__ = ["BEFORE", "MODES", "Scope"]

MODES = ("auto", "normal", "single")
BEFORE = (0.1, 0.5, 0.9)
"""Shares of the time base that are seen before the trigger."""

PATIENCE_S = 2.0
"""With auto the picture follows the bench again when nothing has fired for so long, or for a time base."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A trigger and what it has led to.

    Attributes:
        text: What fires it, as `hil.monitor.triggers.watching` reads it; empty: nothing.
        mode: One of `MODES`.
        before: Share of the time base that is seen before the trigger.
        since_ns: Firings before this do not count: it was armed then.
        fired: The firing that the picture holds at: when, and what was seen; None before the first.
        count: How often it fired.
        sentence: Why it cannot fire; empty otherwise.
        saved: Whether each firing is also kept as a recording.
    """

    text: str = ""
    mode: str = "auto"
    before: float = 0.1
    since_ns: int = 0
    fired: tuple[int, str] | None = None
    count: int = 0
    sentence: str = ""
    saved: bool = False

    def set(self, text: str, now_ns: int) -> "Scope":
        """Watch for something, from now on; for nothing where the text is empty."""
        return Scope(text, self.mode, self.before, now_ns, saved=self.saved and bool(text))

    def armed(self, now_ns: int) -> "Scope":
        """Let go of what is held and wait for the next firing."""
        return replace(self, since_ns=now_ns, fired=None)

    def turn(self, now_ns: int) -> "Scope":
        """Take the next mode."""
        return replace(self, mode=MODES[(MODES.index(self.mode) + 1) % len(MODES)]).armed(now_ns)

    def earlier(self) -> "Scope":
        """See another share of before."""
        return replace(self, before=BEFORE[(BEFORE.index(self.before) + 1) % len(BEFORE)])

    def seen(self, view: TriggerView | None, now_ns: int, seconds: float) -> "Scope":
        """Take what the engine says of the trigger at bench time `now_ns`, with a time base of so many seconds."""
        if not self.text or view is None or view.text != self.text:
            return self
        known = replace(self, count=view.count, sentence=view.sentence)
        if self.mode == "single" and self.fired is not None:
            return known
        after = round((1 - self.before) * seconds * 1e9)
        whole = [one for one in view.fired if one[0] >= self.since_ns and one[0] + after <= now_ns]
        if not whole:
            return known
        return replace(known, fired=whole[0] if self.mode == "single" else whole[-1])

    def end_ns(self, now_ns: int, seconds: float) -> int | None:
        """Return the right edge of the picture that is held; None where it follows the bench."""
        if not self.text or self.fired is None:
            return None
        end = self.fired[0] + round((1 - self.before) * seconds * 1e9)
        if self.mode == "auto" and now_ns - end > max(PATIENCE_S, seconds) * 1e9:
            return None
        return end

    def words(self, width: int) -> str:
        """Return the state in a few words, without what fires it where there is no room; empty where nothing does."""
        if not self.text:
            return ""
        state = self.sentence or f"{self.mode} {'waits' if self.fired is None else 'holds'} {self.count}×"
        state += " saved" if self.saved else ""
        whole = f"trigger {self.text} {state}"
        return whole if len(whole) <= width else f"trigger {state}"
