"""Scenarios in words: one line each, the checks of the one at the cursor, and what would change in its baseline.

Rule of this room: pure, from a scene to lines; signs and words say what came of it, colour only repeats them.
"""

from collections.abc import Iterator, Sequence

from hil.report.trend import GLYPHS, spark_text
from hil.scenario.results.outcome import FAIL, TROUBLE, UNSET, CheckResult, ScenarioResult
from hil.scenario.results.table import figure, gap_lines
from hil.tui.charts.cells import BAD, DIM, GOOD, KEY, TEXT, TITLE, WARN, Line, Run, cut, wrap
from hil.tui.state.judging import Entry, Judging

__all__ = ["checks", "difference", "library"]

SIGNS = {"PASS": ("✔ PASS", GOOD), "MARGINAL": ("~ MARGINAL", WARN), "FAIL": ("✖ FAIL", BAD), "UNSET": ("? UNSET", BAD),
         "TROUBLE": ("▲ TROUBLE", WARN), "NA": ("- NA", DIM)}  # fmt: skip
"""A sign, a word and an ink for each outcome."""

STANDS = {"PASS": ("· holds", GOOD), "MARGINAL": ("· near", WARN), "FAIL": ("· broken", BAD)}
"""How a check stands while a scenario runs."""

TREND = 10
"""Runs of the past in a line of the list."""
_VERDICT = 12


def library(scene: Judging, width: int, folder: str, focused: bool) -> tuple[Line, list[Line]]:
    """Return the rest of the title and one line a scenario."""
    if scene.entries is None and scene.trouble:
        todo = (
            "f looks again; `hil scenario new RECORDING` writes a first one, `hil ui --scenarios FOLDER` goes elsewhere"
        )
        return [(folder, DIM)], wrap([(" ✖ ", BAD), (f"{scene.trouble}: ", TITLE), (todo, KEY)], width)
    if scene.entries is None:
        return [(folder, DIM)], [[("the scenarios are being read; the screen goes on meanwhile", DIM)]]
    shown = scene.shown
    title: list[Run] = [(f"{len(shown)} of {len(scene.entries)} in {folder}", DIM)]
    title += [("  search: ", DIM), (scene.words, KEY)] if scene.words else []
    title += [(f"  {len(scene.chosen)} marked", KEY)] if scene.chosen else []
    if scene.waiting:
        title.append((f"  {scene.told} of {len(scene.waiting)} done", KEY))
    if not scene.entries:
        return title, [[("no scenarios here: `hil scenario new RECORDING` writes one", DIM)]]
    if not shown:
        return title, [[("none matches: / changes the search, esc ends it", WARN)]]
    room = max(12, width - 4 - _VERDICT - TREND)
    name_w = min(max(len(one.name) for one in shown), max(16, room - (22 if width >= 100 else 0)))
    return title, [_row(scene, at, one, name_w, width, focused) for at, one in enumerate(shown)]


def _row(scene: Judging, at: int, one: Entry, name_w: int, width: int, focused: bool) -> Line:
    sign = "▸" if at == scene.cursor and focused else "◉" if at == scene.cursor else " "
    mark = "●" if one.path in scene.chosen else " "
    word, ink = _verdict(scene, one)
    name = one.name if len(one.name) <= name_w else f"{one.name[: name_w - 1]}…"
    line: list[Run] = [(f"{sign}{mark} ", KEY), (f"{word:<{_VERDICT}}", ink), (f"{name:<{name_w}} ", TITLE)]
    if one.trouble:
        words, left = one.trouble.removeprefix(one.path), width - name_w - _VERDICT - 4
        return [*line, (words if len(words) <= left else f"{words[: max(0, left - 1)]}…", BAD)]
    past = "".join(GLYPHS.get(outcome, "?") for outcome in one.outcomes[-TREND:])
    line.append((f"{past:>{TREND}} ", DIM if one.outcomes[-1:] in ((), ("PASS",)) else WARN))
    left = width - sum(len(words) for words, _ in line)
    tags = " ".join(one.tags)
    if tags and left > 4:
        line.append((tags if len(tags) <= left else f"{tags[: left - 1]}…", DIM))
    return line


def _verdict(scene: Judging, one: Entry) -> Run:
    if one.trouble:
        return "✖ mistake", BAD
    if one.path in scene.running:
        return f"▶ {scene.running[one.path]:.1f} s", KEY
    if (result := scene.results.get(one.path)) is not None:
        return SIGNS[result.outcome]
    if one.path in scene.waiting:
        return "… waiting", KEY
    return SIGNS[one.outcomes[-1]] if one.outcomes else ("· not run", DIM)


def checks(scene: Judging, width: int) -> tuple[Line, list[Line]]:
    """Return the rest of the title and all about the scenario at the cursor."""
    here, result = scene.here, scene.result
    if here is None:
        return (), []
    lines: list[Line] = []
    if here.why:
        lines += wrap([("  why: ", DIM), (here.why, TEXT)], width)
    if here.trouble:
        return [(here.path, DIM)], [*lines, *wrap([("  ✖ ", BAD), (here.trouble, TEXT)], width)]
    if here.path in scene.running:
        lines.append(_bar(scene.running[here.path], here.seconds, width))
        if told := scene.so_far.get(here.path):
            return [(f"{here.path}, so far: nothing is decided before the end", KEY)], [*lines, *_so_far(told, width)]
    if result is None:
        return _past_title(here), [*lines, *_past(here, width)]
    when = f"{here.path} on {result.target or 'no target'}, {result.seconds:.1f} s"
    title = [(f"{when}, {result.readings_s:.0f} s of readings" if result.readings_s else when, DIM)]
    if scene.windows:
        lines.append([("  enter", KEY), (f" opens the first of {len(scene.windows)} moments at which it failed", TEXT)])
    return title, [*lines, *_judged(result, here, width)]


def _bar(spent: float, usual: float, width: int) -> Line:
    """Return how long it has run, of the time that it took before."""
    if not usual:
        return [("  runs ", KEY), (f"for {spent:.1f} s; it never ran before", TEXT)]
    room = max(4, min(40, width - 48))
    full = min(room, round(room * spent / usual))
    tail = f" {spent:.1f} s; before it took {usual:.1f} s"
    return [("  runs ", KEY), ("█" * full, GOOD), ("░" * (room - full), DIM), (tail, TEXT)]


def _past_title(here: Entry) -> Line:
    if not here.outcomes:
        return [(f"{here.path}, not run yet", DIM)]
    return [(f"{here.path} on {here.target or 'no target'}, last run {here.at}", DIM)]


def _past(here: Entry, width: int) -> Iterator[Line]:
    if here.since:
        yield from wrap([("  fails since ", BAD), (here.since, TEXT)], width)
    name_w = max((len(str(one[0])) for one in here.checks), default=0)
    for metric, value, outcome, values in here.checks:
        word, ink = SIGNS.get(outcome, (outcome, DIM))
        yield [(f"  {word:<{_VERDICT}}", ink), (f"{metric:<{name_w}}  ", TITLE), (f"{figure(value, ''):>10}  ", TEXT),
               (spark_text(values), DIM)]  # fmt: skip
    for what, file in here.files.items():
        yield [(f"  kept {what}: ", DIM), (str(file), TEXT)]


def _judged(result: ScenarioResult, here: Entry, width: int) -> Iterator[Line]:
    if result.why:
        yield from wrap([(f"  {result.why}", TITLE)], width)
    if result.quarantined:
        yield from wrap([("  in quarantine: ", WARN), (result.quarantined, TEXT)], width)
    past = {one[0]: one[3] for one in here.checks}
    name_w = max((len(one.metric) for one in result.checks), default=0)
    value_w = max((len(figure(one.value, one.unit)) for one in result.checks), default=0)
    limit_w = max((len(one.limit) for one in result.checks), default=0)
    for one in result.checks:
        yield from _check(one, past.get(one.metric, ()), (name_w, value_w, limit_w), width)
    yield from _differing(result, width)
    yield from ([(f"  {line}", TEXT)] for line in gap_lines(result))
    for remark in result.remarks:
        yield from wrap([("  remark: ", DIM), (remark, TEXT)], width)
    for what, file in result.files.items():
        yield [(f"  kept {what}: ", DIM), (str(file), TEXT)]
    if result.again:
        yield [("  again: ", DIM), (result.again, KEY)]


def _differing(result: ScenarioResult, width: int) -> Iterator[Line]:
    """Yield what differs from the accepted results; figures that these do not hold yet in one line."""
    new = [str(row["name"]) for row in result.baseline if row["verdict"] == "new"]
    for row in result.baseline:
        if row["verdict"] not in ("same", "same within noise", "new"):
            pair = [f"{end:.6g}" if isinstance(end, float) else str(end) for end in (row["accepted"], row["found"])]
            words = f"{row['verdict']}, {pair[0]} -> {pair[1]}"
            yield from wrap([(f"  baseline {row['name']}: ", WARN), (words, TEXT)], width)
    if new:
        more = f" and {len(new) - 3} more" if len(new) > 3 else ""
        yield from wrap([("  baseline, new: ", WARN), (f"{', '.join(new[:3])}{more}; ", TEXT), ("b", KEY),
                         (" shows what would change", TEXT)], width)  # fmt: skip


def _check(one: CheckResult, past: tuple[float | None, ...], widths: tuple[int, int, int], width: int) -> list[Line]:
    word, ink = SIGNS.get(one.outcome, (one.outcome, DIM))
    name_w, value_w, limit_w = widths
    found = figure(one.value, one.unit)
    line: list[Run] = [(f"  {word:<{_VERDICT}}", ink), (f"{one.metric:<{name_w}}  ", TITLE),
                       (f"{found:>{value_w}}  ", TEXT), (f"{one.limit:<{limit_w}}  ", DIM)]  # fmt: skip
    spark = spark_text(past[-TREND:]) if len(past) > 1 else ""
    if sum(len(words) for words, _ in line) + len(spark) <= width:
        line.append((spark, DIM))
    return [line, *(wrap([(f"      {one.why}", TEXT)], width, 6) if one.why else ())]


def _so_far(told: Sequence[CheckResult], width: int) -> Iterator[Line]:
    """Yield checks as they stand in a run under way; the words say so, and an outcome is never written as a verdict."""
    name_w = max(len(one.metric) for one in told)
    value_w = max(len(figure(one.value, one.unit)) for one in told)
    for one in told:
        word, ink = STANDS.get(one.outcome, ("· open", DIM))
        line: list[Run] = [(f"  {word:<{_VERDICT}}", ink), (f"{one.metric:<{name_w}}  ", TITLE),
                           (f"{figure(one.value, one.unit):>{value_w}}  ", TEXT), (one.limit, DIM)]  # fmt: skip
        yield from wrap(line, width, 6)


def difference(scene: Judging, width: int) -> tuple[Line, list[Line]]:
    """Return the rest of the title and what would change in the accepted results."""
    _, file, text = scene.difference
    if not text:
        return [(file, DIM)], [[("  nothing would change: what was found is what was accepted", GOOD)]]
    judged = scene.result.checks if scene.result is not None else ()
    bad = [one.metric for one in judged if one.outcome in (FAIL, UNSET, TROUBLE) and one.metric != "baseline"]
    lines: list[Line] = []
    if bad:
        lines += wrap([("  ▲ beware: ", WARN), (f"{', '.join(bad[:3])} did not pass", TEXT)], width)
    lines.append([("  a", KEY), (" accepts it, esc leaves it as it is", TEXT)])
    for row in text.splitlines():
        ink = GOOD if row.startswith("+") else BAD if row.startswith("-") else DIM
        lines.append([(f"  {cut(row, width - 2)}", ink)])
    return [(f"{file} would change", KEY)], lines
