"""The event log: what happened at the bench, as lines for people.

Every event is counted elsewhere; here a storm of the same kind (losses, damaged bytes) becomes one line a second and
board with the sum, so that a bad cable does not wash the one line away that says why. What a board's link says again
and again (a process that cannot start) is told once, and then with how often it came, after growing pauses.
"""

from collections import deque
from dataclasses import dataclass

from firmware_bridge.events import Connected, Damage, Disconnected, Event, Gap, Log, Mark, RateChanged, Rebooted, Stall
from hil.views.snapshot import LogLine

__all__ = ["LABEL_PREFIX", "Logbook", "told_label"]

KEPT = 2000
STORM_NS = 1_000_000_000
FIRST_PAUSE_NS, LAST_PAUSE_NS = 10_000_000_000, 600_000_000_000
"""Between two lines that say the same: doubling from the one to the other."""
LABEL_PREFIX = "label:"
"""How a board's log line begins that says what is going on (`label: squat person 9`): kept apart from the log."""


@dataclass(slots=True)
class _Storm:
    since_ns: int
    last_ns: int
    events: int
    total: int
    unknown: bool


@dataclass(slots=True)
class _Repeat:
    """What a board's link said last, and how often again since it was written.

    `pause_ns` is the time between what was written and the next line about it.
    """

    level: str
    text: str
    told_ns: int
    last_ns: int
    again: int = 0
    pause_ns: int = FIRST_PAUSE_NS

    def due(self, now_ns: int) -> bool:
        return self.again > 0 and now_ns - self.told_ns >= self.pause_ns


class Logbook:
    """The newest lines, oldest first."""

    def __init__(self) -> None:
        self._lines: deque[LogLine] = deque(maxlen=KEPT)
        self._storms: dict[tuple[str, str, str], _Storm] = {}
        self._repeats: dict[str, _Repeat] = {}

    def add(self, event: Event) -> None:
        """Take an event; those that are no news for people (clock readings, statuses, decisions) leave no line."""
        match event:
            case Gap(stream=stream, count=count):
                self._storm(event, f"lost {event.cause}", stream, count)
            case Damage(kind=kind, count=count):
                self._storm(event, "damage", kind, count)
            case Stall(stalled_ns=stalled):
                self.say(
                    event.t_ns, event.board, "warning", f"the host was too slow: reading paused {stalled / 1e6:.0f} ms"
                )
            case Connected(info=info, boot=boot):
                who = " ".join(filter(None, (info.model, info.serial, info.firmware)))
                sure = "" if info.confidence >= 1 else f", {info.confidence:.0%} sure"
                self.say(event.t_ns, event.board, "info", f"connected: {who} ({info.dialect}{sure}), boot {boot}")
            case Disconnected(reason=reason):
                self.say(event.t_ns, event.board, "warning", f"disconnected: {reason}")
            case Rebooted(boot=boot, inferred=inferred):
                self.say(
                    event.t_ns, event.board, "warning", f"rebooted (boot {boot}{', inferred' if inferred else ''})"
                )
            case RateChanged(stream=stream, rate_hz=rate):
                self.say(event.t_ns, event.board, "info", f"{stream} now runs at {rate:g} Hz")
            case Mark(text=text, kind=kind, note=note):
                head = {"mark": "mark", "start": "label starts:", "stop": "label ends:"}.get(kind, kind)
                self.say(event.t_ns, event.board, "info", " ".join(filter(None, (head, text, note))))
            case Log(level=level, text=text) if not text.startswith(LABEL_PREFIX):
                self.say(event.t_ns, event.board, level, text)
            case _:
                pass

    def say(self, t_ns: int, board: str, level: str, text: str) -> None:
        """Add one line; control characters become spaces, for a board's text goes to a terminal.

        A warning or an error of a board that says what its line before said is counted, and told with growing pauses.
        """
        safe = "".join(sign if sign.isprintable() else " " for sign in text)
        before = self._repeats.get(board)
        if before is not None and (level, safe) == (before.level, before.text) and t_ns >= before.last_ns:
            before.again += 1
            before.last_ns = t_ns
            if before.due(t_ns):
                self._tell_again(board, before)
            return
        if before is not None and before.again:
            self._tell_again(board, before)
        self._repeats.pop(board, None)
        if board and level in ("warning", "error"):
            self._repeats[board] = _Repeat(level, safe, t_ns, t_ns)
        self._lines.append(LogLine(t_ns, board, level, safe))

    def _tell_again(self, board: str, repeat: _Repeat) -> None:
        seconds = (repeat.last_ns - repeat.told_ns) / 1e9
        often = "once more" if repeat.again == 1 else f"{repeat.again} times more"
        self._lines.append(LogLine(repeat.last_ns, board, repeat.level, f"{repeat.text} ({often} in {seconds:.0f} s)"))
        repeat.told_ns, repeat.again = repeat.last_ns, 0
        repeat.pause_ns = min(LAST_PAUSE_NS, 2 * repeat.pause_ns)

    def lines(self, count: int, now_ns: int) -> tuple[LogLine, ...]:
        """Return the newest `count` lines; storms that lasted a second, and repetitions due, are written first."""
        for key in [key for key, storm in self._storms.items() if now_ns - storm.since_ns >= STORM_NS]:
            self._write(key, self._storms.pop(key))
        for board, repeat in self._repeats.items():
            if repeat.due(now_ns):
                self._tell_again(board, repeat)
        return tuple(self._lines)[-count:] if count > 0 else ()

    def _storm(self, event: Event, kind: str, what: str, count: int | None) -> None:
        key = (event.board, kind, what)
        storm = self._storms.get(key)
        if storm is not None and event.t_ns - storm.since_ns >= STORM_NS:
            self._write(key, self._storms.pop(key))
            storm = None
        if storm is None:
            storm = self._storms[key] = _Storm(event.t_ns, event.t_ns, 0, 0, False)
        storm.last_ns = event.t_ns
        storm.events += 1
        storm.total += count or 0
        storm.unknown |= count is None

    def _write(self, key: tuple[str, str, str], storm: _Storm) -> None:
        board, kind, what = key
        if kind == "damage":
            text = f"{storm.total} bytes unreadable: {what.replace('_', ' ')}"
        elif storm.unknown:
            text = f"samples of {what} missing, number unknown"
        else:
            gaps = f" in {storm.events} gaps" if storm.events > 1 else ""
            cause = kind.removeprefix("lost").strip()
            text = f"{storm.total} samples of {what} lost{gaps}{f' ({cause})' if cause else ''}"
        self.say(storm.last_ns, board, "warning", text)


def told_label(text: str) -> str:
    """Return the label in a board's line such as `label: squat person 9 side left`; empty for `label: none`."""
    label = text.removeprefix(LABEL_PREFIX).split(" person ")[0].strip()
    return "" if label == "none" else label
