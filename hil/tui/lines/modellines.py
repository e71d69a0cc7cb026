"""Models in words and little pictures: one line each, and all about the one at the cursor.

Rule of this room: pure, from a scene to lines; what is not known is said and never shown as 0.
"""

from hil.tui.charts import canvas
from hil.tui.charts.cells import BAD, DIM, FOCUS, GOOD, KEY, TEXT, TITLE, WARN, Line, Run, channel_ink, cut, wrap
from hil.tui.charts.units import seconds
from hil.tui.lines import judgedlines
from hil.tui.state.modelling import Modelling
from hil.views.snapshot import PredictionView
from hil.views.work import ENOUGH

__all__ = ["DRIFT", "STATES", "about", "boarded", "models", "worked"]

STATES = {"ready": ("✔ ready", GOOD), "loading": ("… loading", KEY), "absent": ("✖ absent", BAD),
          "failed": ("✖ failed", BAD)}  # fmt: skip
DRIFT = {"fine": ("✔ fine", GOOD), "waiting": ("… waiting", DIM), "unknown": ("? unknown", DIM),
         "sensor different": ("▲ sensor different", BAD), "model wrong": ("▲ model wrong", BAD)}  # fmt: skip
"""A sign, a word and an ink for each verdict of the watch."""

BLOCKS = "▁▂▃▄▅▆▇█"


def models(scene: Modelling, width: int, focused: bool) -> tuple[Line, list[Line]]:
    """Return the rest of the title and one line a model and board."""
    every = scene.models
    if not every:
        words = scene.lost or "no model runs: l lists the model files within reach"
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
                       (f"{cut(f'{one.model} {one.board}', name_w - 1):<{name_w}}", TITLE)]  # fmt: skip
    if one.state != "ready":
        return [*line, (one.sentence, TEXT)]
    if not one.label:
        return [*line, ("no decision yet", DIM)]
    place = one.labels.index(one.label) if one.label in one.labels else 0
    line += [(f"{cut(one.label, label_w - 1):<{label_w}}", channel_ink(place)), (f"{one.confidence:4.0%} ", TEXT)]
    parts: list[Run] = []
    tally = scene.tally_of(one)
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
    lines += _course(scene, one, width)
    lines += worked(one, width)
    if one.drift is not None:
        word, ink = DRIFT.get(one.drift.verdict, (one.drift.verdict, DIM))
        near = f", limits at 100 %: sensor {one.drift.sensor:.0%}, model {one.drift.model:.0%}"
        if one.drift.verdict == "fine" and one.drift.sensor >= 1.0:
            near += " (something stands out that no single fault explains)"
        lines += wrap([("  drift    ", TITLE), (word, ink), (near if one.drift.looks else "", DIM),
                       (f"; {one.drift.sentence}" if one.drift.sentence else "", TEXT)], width, 11)  # fmt: skip
    lines += boarded(one, width)
    lines += [(), *judgedlines.confusion(one, scene.tally, width)]
    if scene.tally.judged:
        lines += [(), *judgedlines.calibration(scene.tally, width)]
    known = f", {len(one.labels)} classes" if one.labels else ""
    return [(f"{one.model} at {one.board or 'any board'}{known}", DIM)], lines


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


def _course(scene: Modelling, one: PredictionView, width: int) -> list[Line]:
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
    return [blocks, numbers, *_at(scene, one, len(recent)), *wrap(legend, width, 11)]


def _at(scene: Modelling, one: PredictionView, count: int) -> list[Line]:
    """Return the line below that points at the decision that is looked at, while it is not the newest."""
    chosen = [at for at, row in enumerate(one.history[-count:]) if row[0] == scene.at_ns]
    if scene.at_ns is None or not chosen:
        return []
    t_ns, label, sure = one.history[-count:][chosen[0]]
    words = f"{label} {sure:.0%}, {seconds((one.history[-1][0] - t_ns) / 1e9)} before the newest"
    column = chosen[0]
    if column + 2 + len(words) <= count:
        return [[(" " * (11 + column), TEXT), ("▲ ", FOCUS), (words, KEY)]]
    return [[(f"{words:>{11 + column - 1}}"[-(11 + column - 1) :], KEY), (" ▲", FOCUS)]]


def worked(one: PredictionView, width: int) -> list[Line]:
    """Return how a model keeps up; the time of one call in a thousand only where a thousand are known."""
    work = one.work
    if work is None or not work.latency_ms:
        return []
    half, most, longest = (canvas.number(took, 2) for took in work.latency_ms)
    rare = f"p99.9 of {ENOUGH} calls only" if work.rare_ms is None else f"{canvas.number(work.rare_ms, 2)} ms p99.9"
    hop = "" if work.hop_ms is None else f", {canvas.number(work.hop_ms, 2)} ms apart"
    behind = "" if one.behind_s is None else f", {one.behind_s * 1e3:.0f} ms behind the newest sample"
    words = f"{half} ms p50, {most} ms p99, {rare}, {longest} ms longest{hop}"
    late = f"; {work.late} of {work.decisions} missed their deadline"
    return list(wrap([("  work     ", TITLE), (words, TEXT), (late, WARN if work.late else DIM), (behind, DIM)],
                     width, 11))  # fmt: skip


def boarded(one: PredictionView, width: int) -> list[Line]:
    """Return how the board's own model agrees with this one; nothing where the board runs none."""
    parity = one.parity
    if parity is None:
        return []
    line: list[Run] = [("  on board ", TITLE)]
    if parity.compared:
        share = f"{parity.same} of {parity.compared} windows say the same as here ({parity.same / parity.compared:.1%})"
        line.append((share, TEXT if parity.same == parity.compared else WARN))
    elif parity.results:
        line.append((f"{parity.results} results, none about a window that was decided on here", DIM))
    if parity.exact is not None and parity.checked:
        ink = GOOD if parity.exact == parity.checked else BAD
        line.append((f"; {parity.exact} of {parity.checked} are the 8-bit reference's bit for bit", ink))
    line += [(f"; last other one: {parity.differs}", TEXT)] if parity.differs else []
    line += [(f"{'; ' if parity.results else ''}{parity.sentence}", DIM if parity.results else TEXT)
             ] if parity.sentence else []  # fmt: skip
    return list(wrap(line, width, 11))
