"""Models in words and little pictures: one line each, and all about the one at the cursor.

Rule of this room: pure, from a scene to lines; what is not known is said and never shown as 0.
"""

from collections.abc import Sequence

from hil.snapshot import PredictionView
from hil.tui import canvas
from hil.tui.cells import BAD, DIM, GOOD, KEY, TEXT, TITLE, WARN, Line, Run, channel_ink, wrap
from hil.tui.modelling import Modelling, Tally

__all__ = ["about", "models"]

STATES = {"ready": ("✔ ready", GOOD), "loading": ("… loading", KEY), "absent": ("✖ absent", BAD),
          "failed": ("✖ failed", BAD)}  # fmt: skip
DRIFT = {"fine": ("✔ fine", GOOD), "waiting": ("… waiting", DIM), "unknown": ("? unknown", DIM),
         "sensor different": ("▲ sensor different", BAD), "model wrong": ("▲ model wrong", BAD)}  # fmt: skip
"""A sign, a word and an ink for each verdict of the watch."""

BLOCKS = "▁▂▃▄▅▆▇█"
_CELL = 7


def models(scene: Modelling, width: int, focused: bool) -> tuple[Line, list[Line]]:
    """Return the rest of the title and one line a model and board."""
    every = scene.models
    if not every:
        words = scene.lost or "no model runs: `hil ui PORT --model FILE` starts with one"
        return (), [[(f"  {words}", BAD if scene.lost else DIM)]]
    name_w = min(30, max(len(f"{one.model} {one.board}") for one in every)) + 1
    label_w = min(16, max(len(one.label) for one in every)) + 1
    return [(f"{len(every)}", DIM)], [_row(scene, at, one, (name_w, label_w), width, focused)
                                      for at, one in enumerate(every)]  # fmt: skip


def _row(scene: Modelling, at: int, one: PredictionView, widths: tuple[int, int], width: int, focused: bool) -> Line:
    sign = "▸" if at == scene.cursor and focused else "◉" if at == scene.cursor else " "
    word, ink = STATES.get(one.state, (one.state, DIM))
    name_w, label_w = widths
    line: list[Run] = [(f"{sign} ", KEY), (f"{word:<10}", ink),
                       (f"{f'{one.model} {one.board}'[: name_w - 1]:<{name_w}}", TITLE)]  # fmt: skip
    if one.state != "ready":
        return [*line, (one.sentence, TEXT)]
    if not one.label:
        return [*line, ("no decision yet", DIM)]
    place = one.labels.index(one.label) if one.label in one.labels else 0
    line += [(f"{one.label[: label_w - 1]:<{label_w}}", channel_ink(place)), (f"{one.confidence:4.0%} ", TEXT)]
    parts: list[Run] = []
    tally = scene.tallies.get((one.model, one.board), Tally())
    parts.append((f" {tally.right / tally.judged:.0%} of {tally.judged} right" if tally.judged else "  no label yet",
                  TEXT if tally.judged else DIM))  # fmt: skip
    if one.drift is not None:
        parts.append((f"  {DRIFT.get(one.drift.verdict, (one.drift.verdict, DIM))[0]}",
                      DRIFT.get(one.drift.verdict, ("", DIM))[1]))  # fmt: skip
    if one.work is not None and one.work.latency_ms:
        parts.append(
            (
                f"  {canvas.number(one.work.latency_ms[1], 2)} ms p99, {one.work.late} late",
                WARN if one.work.late else DIM,
            )
        )
    for words, tone in parts:
        if sum(len(part) for part, _ in line) + len(words) <= width:
            line.append((words, tone))
    return line


def about(scene: Modelling, width: int) -> tuple[Line, list[Line]]:
    """Return the rest of the title and all about the model at the cursor."""
    one = scene.here
    if one is None:
        return (), []
    lines: list[Line] = [*_teaching(scene, one, width)]
    if one.sentence:
        lines += wrap([(f"  {one.sentence}", TEXT)], width)
    lines += _course(one, width)
    lines += _work(one, width)
    if one.drift is not None:
        word, ink = DRIFT.get(one.drift.verdict, (one.drift.verdict, DIM))
        near = f", limits at 100 %: sensor {one.drift.sensor:.0%}, model {one.drift.model:.0%}"
        lines += wrap([("  drift    ", TITLE), (word, ink), (near if one.drift.looks else "", DIM),
                       (f"; {one.drift.sentence}" if one.drift.sentence else "", TEXT)], width, 11)  # fmt: skip
    return [(f"{one.model} at {one.board or 'any board'}, {len(one.labels)} classes", DIM)], [
        *lines, (), *_confusion(one, scene.tally, width)]  # fmt: skip


def _teaching(scene: Modelling, one: PredictionView, width: int) -> list[Line]:
    model, running, count = scene.shown
    if one.work is None or not one.work.teachable:
        return []
    if model != one.model or not (running or count):
        return list(
            wrap([("  e", KEY), (" begins to show it a new gesture, e again ends it; t makes the class", DIM)], width)
        )
    words = "▶ IS SHOWN NOW, e ends it" if running else "e shows it once more, t makes the class"
    return list(wrap([(f"  {count} shown  ", GOOD if count else DIM), (words, WARN if running else KEY)], width))


def _course(one: PredictionView, width: int) -> list[Line]:
    """Return decisions over time, the newest to the right: confidence as a block, the label's number below."""
    room = max(0, width - 12)
    recent = one.history[-room:] if room else ()
    if not recent:
        return []
    places = [one.labels.index(label) if label in one.labels else -1 for _, label, _ in recent]
    blocks: list[Run] = [("  sure     ", TITLE)]
    numbers: list[Run] = [("  said     ", TITLE)]
    for (_, _, sure), place in zip(recent, places, strict=True):
        ink = channel_ink(place) if place >= 0 else DIM
        blocks.append((BLOCKS[min(7, max(0, int(sure * 8)))], ink))
        numbers.append((f"{(place + 1) % 10}" if place >= 0 else "?", ink))
    legend: list[Run] = [("  classes  ", TITLE)]
    for at, label in enumerate(one.labels):
        legend += [(f" {(at + 1) % 10}", KEY), (f" {label}", channel_ink(at))]
    return [blocks, numbers, *wrap(legend, width, 11)]


def _work(one: PredictionView, width: int) -> list[Line]:
    work = one.work
    if work is None or not work.latency_ms:
        return []
    half, most, longest = (canvas.number(took, 2) for took in work.latency_ms)
    hop = "" if work.hop_ms is None else f", {canvas.number(work.hop_ms, 2)} ms apart"
    behind = "" if one.behind_s is None else f", {one.behind_s * 1e3:.0f} ms behind the newest sample"
    words = f"{half} ms a decision, {most} ms p99, {longest} ms longest{hop}"
    late = f"; {work.late} of {work.decisions} late"
    return list(wrap([("  work     ", TITLE), (words, TEXT), (late, WARN if work.late else DIM), (behind, DIM)],
                     width, 11))  # fmt: skip


def _confusion(one: PredictionView, tally: Tally, width: int) -> list[Line]:
    """Return how often what was said under which label."""
    none = f"  {tally.unlabelled} decisions had no label" if tally.unlabelled else ""
    if not tally.judged:
        words = "  no label ran yet: 1-9 on the live page start one, a virtual board tells its own"
        return [*wrap([(words, DIM)], width), [(none, DIM)]]
    truths = list(dict.fromkeys([*one.labels, *(truth for truth, _ in tally.pairs)]))
    truths = [name for name in truths if any(truth == name for truth, _ in tally.pairs)]
    said = [name for name in one.labels if any(label == name for _, label in tally.pairs)]
    wide = max(15, min(20, max(len(name) for name in truths)) + 1)
    fits = max(1, (width - wide - 2) // _CELL)
    head: list[Run] = [(f"  {'label ↓ said →':<{wide}}", TITLE)]
    head += [(f"{name[: _CELL - 1]:>{_CELL}}", channel_ink(one.labels.index(name))) for name in said[:fits]]
    share = f"  {tally.right} of {tally.judged} right ({tally.right / tally.judged:.0%})"
    lines: list[Line] = [[(share, TITLE), (none, DIM)], head]
    lines += [_truth_row(name, said[:fits], tally, wide) for name in truths]
    if len(said) > fits:
        lines.append([(f"  +{len(said) - fits} more classes were said", DIM)])
    return lines


def _truth_row(truth: str, said: Sequence[str], tally: Tally, wide: int) -> Line:
    line: list[Run] = [(f"  {truth[: wide - 1]:<{wide}}", TITLE)]
    for name in said:
        count = tally.pairs.get((truth, name), 0)
        words = f"{count}{'✔' if truth == name else ''}" if count else "·"
        line.append((f"{words:>{_CELL}}", DIM if not count else GOOD if truth == name else BAD))
    return line
