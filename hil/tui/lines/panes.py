"""The panes of words: boards, label, ledger, log, transport, each a pure function from a snapshot to lines.

Rule of this room: width and height are arguments, and what a pane has no room for it leaves out whole, the least
important first. States are words; colour only repeats them. A figure nobody knows reads `unknown`.
"""

from collections.abc import Sequence
from functools import lru_cache

from hil.tui.charts.cells import BAD, DIM, GOOD, KEY, TEXT, TITLE, WARN, Line, Run, channel_ink, cut, wrap
from hil.tui.charts.units import clock, count, duration, rate_words, seconds, size
from hil.tui.state.verdict import LOSSES, missing, why_not_live
from hil.views.snapshot import BoardView, LogLine, PredictionView, RecordingView, ReplayView, Snapshot

__all__ = ["IDENTITY", "boards", "label_title", "labels", "ledger", "log", "recording", "transport"]

IDENTITY = "what it is"
"""Heading of the last column of the table of boards."""

STATES = {
    "live": ("● live", GOOD), "replay": ("▶ replay", GOOD), "opening": ("◌ opening", WARN),
    "waiting": ("◌ waiting", WARN), "identifying": ("◌ asking", WARN), "lost": ("✖ LOST", BAD),
    "wrong": ("✖ WRONG", BAD), "closed": ("■ closed", DIM),
}  # fmt: skip
"""A sign, a word and an ink for each state of a board."""

LEVELS = {"error": ("ERROR", BAD), "warning": ("WARN ", WARN), "info": ("info ", DIM), "debug": ("debug", DIM)}


def _tail(words: str, width: int) -> str:
    """The end of a name: that is where names of boards differ."""
    return words if len(words) <= width else f"…{words[1 - width :]}"


def boards(snapshot: Snapshot, width: int, cursor: int | None = None, only: str = "") -> tuple[Line, list[Line]]:
    """Return the headings, made to follow the title `boards`, and one line a board.

    Args:
        snapshot: What to show.
        width: Cells at hand; below 100 the identity and the uncertainty are left out, and how full its buffer is stands
            alone.
        cursor: The board that the pane's cursor stands on, or None where it has none.
        only: The role whose streams alone are shown.
    """
    if not snapshot.boards:
        return (), [[("no boards yet: start `hil ui PORT`, or see what is attached with `hil ports`", DIM)]]
    wide = width >= 100
    role_w = min(25 if wide else 17, max(6, *(len(board.role) for board in snapshot.boards)) + 1)
    head = f"{' ' * (role_w - 6)}{'state':<11}{'rate':>10}  {'lost':>10}  {'clock':<{26 if wide else 16}}"
    lines: list[Line] = []
    for index, board in enumerate(snapshot.boards):
        sign, ink = STATES.get(board.state, (board.state, WARN))
        at = "▸" if index == cursor else "◉" if board.role == only else " "
        line: list[Run] = [(f"{at} ", KEY), (f"{_tail(board.role, role_w - 1):<{role_w}}", TITLE), (f"{sign:<11}", ink)]
        lines.append([*line, *_board_rest(board, snapshot.now_ns, width - role_w - 13, wide)])
    return [(f"{head}{IDENTITY if wide else ''}", DIM)], lines


def _board_rest(board: BoardView, now_ns: int, room: int, wide: bool) -> list[Run]:
    """Figures of a board that is there; for another one the reason and what to do."""
    if board.state not in ("live", "replay", "closed"):
        waited = max(0, (now_ns - board.since_ns) // 10**9)
        since = f"{seconds(waited) if waited else '0 s'}: " if board.since_ns else ""
        why, todo = why_not_live(board)
        why = why or {"opening": "opening the port", "identifying": "asking who it is"}.get(board.state, "")
        reason = f"{since}{why}{'; ' if why and todo else ''}"
        if len(reason) + len(todo) > room and todo:
            reason = f"{cut(reason, max(20, room - len(todo) - 1))} "
        return [(reason, BAD if board.state in ("lost", "wrong") else WARN), (todo, KEY)]
    rate = f"{'~' if board.rate_inferred else ''}{rate_words(board.rate_hz)}"
    gone = missing(board)
    line: list[Run] = [
        (f"{rate:>10}  ", TEXT if board.rate_hz is not None else DIM),
        (f"{count(gone):>10}  ", DIM if gone is None else WARN if gone else GOOD),
        (f"{_clock_words(board, wide):<{26 if wide else 16}}", TEXT if board.drift_ppm is not None else DIM),
    ]
    fill = board.queue_fill
    queue, full = f"queue {fill:.0%}" if fill is not None and fill >= 0.01 else "", fill is not None and fill >= 0.5
    if board.closes:
        line.append(("books do not close", BAD))
    elif wide:
        known = " ".join(filter(None, (board.model, board.serial, board.firmware))) or "identity unknown"
        sure = f" · {board.dialect}" + (f" {board.confidence:.0%} sure" if board.confidence < 1 else "")
        again = f" · restarted {board.boot}×" if board.boot else ""
        line.append(
            (cut(f"{known}{sure if board.dialect else ''}{again}{f' · {queue}' if queue else ''}", room - 50), DIM)
        )
    else:
        again = f"restarted {board.boot}×" if board.boot else ""
        left = room - 40
        notes = [(queue, WARN if full else DIM), (again, WARN)] if full else [(again, WARN), (queue, DIM)]
        for words, ink in notes:
            if words and len(words) <= left:
                line.append((f"{words}  ", ink))
                left -= len(words) + 2
    return line


def _clock_words(board: BoardView, wide: bool) -> str:
    """Rate error of the board's clock with its interval; where there is room also how well a sample's time is known."""
    if board.drift_ppm is None:
        return "drift unknown"
    low, high = board.drift_low, board.drift_high
    half = None if low is None or high is None else (high - low) / 2
    if half is not None and low is not None and high is not None and half >= 100:
        # Not settled yet: the middle of so wide an interval means nothing.
        return f"{'drift within ' if wide else ''}±{max(abs(low), abs(high)):.0f} ppm"
    words = f"{board.drift_ppm:+.1f}{'' if half is None else f' ±{half:.1f}'} ppm"
    return f"{words} · ±{_micro(board.uncertainty_us)}" if wide and board.uncertainty_us is not None else words


def _micro(microseconds: float) -> str:
    return seconds(microseconds / 1e6).replace(" ", "")


def labels(predictions: Sequence[PredictionView], width: int, height: int) -> list[Line]:
    """Return what the models say: label, certainty as a bar, what the board says, and the last decisions."""
    if not predictions:
        return [[("no model runs: start with --model FILE", DIM)]]
    lines: list[Line] = []
    each = max(2, height // len(predictions))
    for prediction in predictions:
        lines += _label(prediction, width, each, len(predictions) > 1)
    return lines


def label_title(predictions: Sequence[PredictionView]) -> Line:
    """Return the model and its board for the title bar, where there is only one."""
    if len(predictions) != 1:
        return ()
    one = predictions[0]
    # Between two decisions the readings run ahead by up to one step: only more than that is lag.
    step_s = (one.history[-1][0] - one.history[-2][0]) / 1e9 if len(one.history) > 1 else 0.0
    lags = one.behind_s is not None and one.behind_s - step_s >= 0.5
    behind = f" · {seconds(one.behind_s or 0.0)} behind" if lags else ""
    return [(f"{one.model} on {one.board}{behind}", DIM)]


def _label(prediction: PredictionView, width: int, height: int, named: bool) -> list[Line]:
    head = f"{prediction.model} on {prediction.board}: " if named else ""
    if prediction.state != "ready":
        ink = WARN if prediction.state == "loading" else BAD
        sentence = prediction.sentence or ("the screen goes on meanwhile" if prediction.state == "loading" else "")
        return wrap([(head, DIM), (prediction.state.upper(), ink), (f" {sentence}", TEXT)], width, 0)[:height]
    if not prediction.label:
        return [[(head, DIM), ("waiting for the first whole window", DIM)]]
    ink = _class_ink(prediction.labels, prediction.label)
    bar = _bar(prediction.confidence, max(6, min(20, width - 34 - len(head))))
    sure = GOOD if prediction.confidence >= 0.7 else WARN
    first: list[Run] = [
        (head, DIM),
        (f"{prediction.label} ", ink),
        (bar, sure),
        (f" {prediction.confidence:.0%}", sure),
    ]
    if prediction.told:
        agree = prediction.told == prediction.label
        first.append((f"  board says {prediction.told}", GOOD if agree else WARN))
        first.append(("" if agree else " (differs)", WARN))
    lines: list[Line] = [first]
    if height >= 2:
        lines.append(_history(prediction, width))
    if height >= 4 and len(prediction.scores) == len(prediction.labels):
        order = sorted(zip(prediction.scores, prediction.labels, strict=True), reverse=True)[: height - 2]
        name_w = min(18, max(len(label) for label in prediction.labels) + 1)
        for score, label in order:
            number = prediction.labels.index(label) + 1
            words = f"{number} {cut(label, name_w):<{name_w}}"
            lines.append([(words, _class_ink(prediction.labels, label)), (_bar(score, max(4, width - name_w - 9)), DIM),
                          (f" {score:4.0%}", TEXT)])  # fmt: skip
    return lines


def _class_ink(names: Sequence[str], label: str) -> int:
    return channel_ink(names.index(label)) if label in names else TEXT


def _history(prediction: PredictionView, width: int) -> Line:
    """One sign a decision, oldest first: the number of its class, so that it reads without colour."""
    line: list[Run] = [("history ", DIM)]
    for _, label, certainty in prediction.history[-max(0, width - 9) :]:
        number = prediction.labels.index(label) + 1 if label in prediction.labels else 0
        sign = "?" if not 1 <= number <= 35 else "123456789abcdefghijklmnopqrstuvwxyz"[number - 1]
        line.append((sign if certainty >= 0.5 else "·", _class_ink(prediction.labels, label)))
    return line


def _bar(share: float, width: int) -> str:
    filled = round(max(0.0, min(1.0, share)) * width)
    return "█" * filled + "·" * (width - filled)


def ledger(snapshot: Snapshot, width: int, height: int) -> list[Line]:
    """Return the books: whether every sum closes, and each board's buckets."""
    known = [board for board in snapshot.boards if board.ledger]
    if not known:
        return [[("no books yet", DIM)]]
    open_sums = [f"{board.role}: {sentence}" for board in known for sentence in board.closes]
    verdict: list[Run] = [("sums close ✓", GOOD)] if not open_sums else [("SUMS DO NOT CLOSE", BAD)]
    lines: list[Line] = [[*verdict, (f"  {size(sum(board.bytes_received for board in known))} received", DIM)]]
    lines += [[(sentence, BAD)] for sentence in open_sums]
    if height <= 2:
        books = [f"{board.role}: {count(board.samples)} in, {count(missing(board))} lost" for board in known]
        words = "  ".join(books)
        if len(words) > width:
            gone = [missing(board) for board in known]
            total = None if None in gone else sum(number or 0 for number in gone)
            words = f"{len(known)} boards: {count(sum(board.samples for board in known))} in, {count(total)} lost"
        return [*lines, [(words, TEXT)]]
    lines += _table(known, width)
    return lines


def _table(known: Sequence[BoardView], width: int) -> list[Line]:
    """Buckets downwards, boards across, as many as fit; empty byte buckets are left out."""
    fits = max(1, (width - 18) // 9) if len(known) > (width - 14) // 9 else len(known)
    shown = known[:fits]
    longest = max(len(board.role) for board in shown) + 1
    wide = max(9, min(longest, (width - 14) // fits)) if fits == len(known) else 9
    books = [dict(board.ledger) for board in shown]
    more = [(f" +{len(known) - fits}", DIM)] if len(known) > fits else []
    lines: list[Line] = [
        [(" " * 14, DIM), *((f"{_tail(board.role, wide - 1):>{wide}}", TITLE) for board in shown), *more]
    ]
    for name in dict.fromkeys(name for board in shown for name, _ in board.ledger):
        if name.startswith("bytes ") and not any(book.get(name) for book in books):
            continue
        cells = [
            (f"{_short(book[name]) if name in book else '—':>{wide}}",
             DIM if not book.get(name) else WARN if name in LOSSES else TEXT) for book in books
        ]  # fmt: skip
        lines.append([(f"{cut(name.replace('_', ' '), 13):<14}", DIM), *cells])
    return lines


def _short(number: int | None) -> str:
    """A count in at most eight characters."""
    if number is None or number < 10_000_000:
        return count(number)
    return f"{number / 1e6:.5g}M" if number < 10**10 else f"{number / 1e9:.5g}G"


def log(lines: Sequence[LogLine], width: int) -> list[Line]:
    """Return the event log, oldest first."""
    return [_logged(line) for line in lines] or [[("nothing has happened yet", DIM)]]


@lru_cache(512)
def _logged(line: LogLine) -> Line:
    word, ink = LEVELS.get(line.level, (f"{line.level[:5]:<5}", TEXT))
    who = f"{line.board} " if line.board else ""
    return ((f"{clock(line.t_ns)} ", DIM), (f"{word} ", ink), (who, TITLE), (line.text, TEXT))


def recording(view: RecordingView | None) -> list[Run]:
    """Return the state of the recording in a few words."""
    if view is None or view.state == "closed":
        return [("not recording", DIM)]
    if view.state == "failed":
        return [("RECORDING FAILED", BAD)]
    return [("◉ REC ", BAD), (f"{duration(view.seconds)} {size(view.bytes_written)}", TITLE)]


def transport(replay: ReplayView, width: int) -> list[Line]:
    """Return where a replay is: state, position on a time line with its marks, and lateness."""
    state = "ENDED" if replay.ended else "PAUSED" if replay.paused else "playing"
    speed = "max" if replay.speed is None else f"{replay.speed:g}×"
    head: list[Run] = [
        (f"{'■' if replay.ended else '❚❚' if replay.paused else '▶'} {state} ", WARN if replay.paused else GOOD),
        (f"{duration(replay.position_s)} of {duration(replay.duration_s)} at {speed}", TITLE),
        (" · loop" if replay.loop else "", TEXT),
    ]
    if replay.late_p99_ms is not None:
        head.append((f" · late p99 {replay.late_p99_ms:.3g} ms", DIM))
    head.append((f" · missed {count(replay.missed)}" if replay.missed else "", WARN))
    name = replay.path.replace("\\", "/").rpartition("/")[2]
    used = sum(len(words) for words, _ in head)
    head.append((f" · {cut(name, width - used - 3)}" if width - used > 12 else "", DIM))
    total = max(replay.duration_s, 1e-9)
    track = ["─"] * width
    for edge in (replay.from_s, replay.to_s):
        track[min(width - 1, max(0, int(edge / total * (width - 1))))] = "│"
    for mark in replay.marks:
        track[min(width - 1, max(0, int(mark.t_s / total * (width - 1))))] = {"start": "[", "stop": "]"}.get(
            mark.kind, "▾"
        )
    at = min(width - 1, max(0, int(replay.position_s / total * (width - 1))))
    return [head, [("".join(track[:at]).replace("─", "━"), GOOD), ("●", TITLE), ("".join(track[at + 1 :]), DIM)]]
