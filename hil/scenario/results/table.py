"""Results as lines for a terminal: what a person needs to see, failures with their reasons, nothing twice."""

from collections.abc import Iterable, Iterator, Sequence

from hil.counted import counted
from hil.scenario.results.outcome import FAIL, NA, PASS, TROUBLE, UNSET, CheckResult, ScenarioResult

__all__ = ["check_lines", "figure", "gap_lines", "headline", "result_lines", "total_line"]


def figure(value: float | None, unit: str) -> str:
    """Return a value with its unit as a person reads it."""
    if value is None:
        return "-"
    value += 0.0  # nobody reads -0
    text = f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.5g}"
    return text if unit in ("1", "") else f"{text} {unit}"


def headline(result: ScenarioResult) -> str:
    """Return in one line why a scenario did not pass: what counts most, and how much more there is."""
    bad = [check for check in result.checks if check.outcome in (FAIL, UNSET, TROUBLE)]
    if not bad:
        return result.why or result.outcome
    first = next((check for check in bad if check.outcome == result.outcome), bad[0])
    limit = f", limit {first.limit}" if first.limit else ""
    why = f": {first.why}" if first.why else ""
    more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    return f"{first.metric} is {figure(first.value, first.unit)}{limit}{why}{more}"


def result_lines(result: ScenarioResult, verbose: bool = False) -> Iterator[str]:
    """Yield the lines of one scenario: its verdict, and the checks that did not pass (all of them with `verbose`)."""
    speed = f", {result.readings_s:.0f} s of readings" if result.readings_s else ""
    where = f" on {result.target}" if result.target else ""
    note = f" (in quarantine: {result.quarantined})" if result.quarantined else ""
    yield f"{result.outcome:8} {result.name}{note}"
    yield f"         {result.path}{where}, {result.seconds:.1f} s{speed}"
    if result.why:
        yield f"         {result.why}"
    shown = [check for check in result.checks if verbose or check.outcome not in (PASS, NA)]
    yield from (f"         {line}" for line in check_lines(shown))
    if result.repeats:
        rate, runs = result.repeats, result.repeats["runs"]
        if rate["pass_rate"] is not None:
            yield (f"         {rate['passed']} of {rate['judged']} judged runs passed ({runs} in all): "
                   f"{rate['pass_rate']:.3f}, 95 % interval {rate['low']:.3f} .. {rate['high']:.3f}")  # fmt: skip
    for row in result.baseline:
        if verbose or row["verdict"] not in ("same", "same within noise"):
            yield f"         baseline {row['name']}: {row['verdict']}, {row['accepted']} -> {row['found']}"
    yield from (f"         {line}" for line in gap_lines(result))
    if result.retries:
        yield f"         remark: it was run again, {_times(result.retries)}, since the process that ran it died"
    for remark in result.remarks:
        yield f"         remark: {remark}"
    for what, path in result.files.items():
        yield f"         {what}: {path}"


def check_lines(checks: Sequence[CheckResult]) -> Iterator[str]:
    """Yield checks as aligned lines."""
    rows = [(check.outcome, check.metric, figure(check.value, check.unit), check.limit, check.why) for check in checks]
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(4)]
    for row in rows:
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row[:4], widths, strict=True)).rstrip()
        yield f"{cells}  {row[4]}" if row[4] else cells


def gap_lines(result: ScenarioResult) -> Iterator[str]:
    """Yield how far a second target is from the first, as aligned lines."""
    if not result.gap:
        return
    rows = [("gap", result.target, result.against, "difference")]
    for row in result.gap:
        unit, shown = row["unit"], [figure(row[key], row["unit"]) for key in ("here", "there", "difference")]
        if row["low"] is not None and row["high"] is not None:
            shown[1] += f" ({figure(row['low'], unit)} .. {figure(row['high'], unit)})"
        rows.append((row["name"], *shown))
    widths = [max(len(row[at]) for row in rows) for at in range(4)]
    for cells in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def total_line(results: Iterable[ScenarioResult], seconds: float) -> str:
    """Return how many scenarios came to which outcome."""
    all_of = list(results)
    counts = {name: sum(one.outcome == name for one in all_of) for name in (PASS, "MARGINAL", FAIL, UNSET, TROUBLE, NA)}
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    retries = sum(one.retries for one in all_of)
    again = f"; {retries} run again after a process died" if retries else ""
    return f"{counted(len(all_of), 'scenario')} in {seconds:.1f} s: {told or 'none'}{again}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
