"""One self-contained HTML page of a run of scenarios: the verdict, every check, and what there is to see of each.

Rule of this room: it arranges plain values, nothing is computed. What did not pass comes first and is open, the rest
is folded. Without matplotlib the page is whole but for its plots, and says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from firmware_bridge.errors import MissingPart
from hil.report.html import Html, anchor, facts, finding_list, page, picture, row, text
from hil.report.runparts import check_table, confusion_table, event_list, ledger_bars, outcome_tag
from hil.report.runplots import clock_plot, course_plot, latency_plot, reliability_plot, window_plot
from hil.report.svg import needs_matplotlib
from hil.report.trend import KINDS, outcome_strip
from hil.report.words import duration

__all__ = ["run_page"]

Plain = Mapping[str, Any]
_FINE = ("PASS", "NA")


def run_page(run: Plain, exhibits: Sequence[Plain], past: Sequence[Plain]) -> Html:
    """Return the page of a run.

    Args:
        run: `title`, `verdict` (good, warn, bad), `facts` (pairs), `total`, and `scenarios`: results as `--json` has
            them.
        exhibits: What there is to see of each scenario, in the same order; empty where nothing is.
        past: Of each scenario its `outcomes` and `values` by metric, this run the last; empty where there is none.
    """
    results = run["scenarios"]
    order = sorted(range(len(results)), key=lambda at: (results[at]["outcome"] in _FINE, at))
    ids = [f"s{at}-{anchor(one['name'])}" for at, one in enumerate(results)]
    body = [f'<h1 class="{run["verdict"]}">{text(run["title"])}</h1>', facts(run["facts"])]
    body += [f'<p class="soft">{text(run["total"])}</p>', _overview(results, ids, past, order)]
    note = _missing()
    body += [f'<p class="soft">{text(note)}</p>'] if note else []
    for at in order:
        body += _scenario(results[at], exhibits[at], past[at], ids[at], plots=not note)
    return page(run["title"], body, {"schema": 1, "scenarios": list(results)}, "Made by hil run.")


def _missing() -> str:
    try:
        needs_matplotlib()
    except MissingPart:
        return "Plots are left out: matplotlib is not installed (pip install 'hil-testbench[report]')."
    return ""


def _overview(results: Sequence[Plain], ids: Sequence[str], past: Sequence[Plain], order: Sequence[int]) -> Html:
    trend = any(len(one.get("outcomes", ())) > 1 for one in past)
    head = ("<th>outcome</th><th>scenario</th><th>target</th><th class=\"n\">checks</th><th class=\"n\">readings</th>"
            f"<th class=\"n\">took</th>{'<th>lately</th>' if trend else ''}")  # fmt: skip
    rows = []
    for at in order:
        one = results[at]
        passed = sum(check["outcome"] in ("PASS", "MARGINAL") for check in one["checks"])
        quarantined = "<small>in quarantine</small>" if one["quarantined"] else ""
        rows.append(row([
            f"<td>{outcome_tag(one['outcome'])}</td>",
            f'<th class="wide"><a href="#{ids[at]}">{text(one["name"])}</a>{quarantined}</th>',
            f"<td>{text(one['target'])}</td>", f'<td class="n">{passed} of {len(one["checks"])}</td>',
            f'<td class="n">{text(duration(one["readings_s"]) if one["readings_s"] else "")}</td>',
            f'<td class="n">{text(duration(one["seconds"]))}</td>',
            f"<td>{outcome_strip(past[at].get('outcomes', ()))}</td>" if trend else "",
        ]))  # fmt: skip
    body = "".join(rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _scenario(one: Plain, exhibit: Plain, past: Plain, name: str, plots: bool) -> Iterator[Html]:
    fine = one["outcome"] in _FINE
    yield f'<details class="scenario" id="{name}"{"" if fine else " open"}>'
    yield f"<summary><h2>{outcome_tag(one['outcome'])} {text(one['name'])}</h2></summary>"
    yield facts([("file", one["path"]), ("target", one["target"]), ("seed", one["seed"]),
                 ("readings", duration(one["readings_s"]) if one["readings_s"] else ""),
                 ("took", duration(one["seconds"])), ("recording", one["files"].get("recording", "")),
                 ("part", one["files"].get("part", ""))])  # fmt: skip
    yield f"<p><code>{text(one['again'])}</code></p>" if one.get("again") else ""
    said = [(KINDS.get(one["outcome"], "note"), "", one["why"])] if one["why"] else []
    said += [("warn", "in quarantine", one["quarantined"])] if one["quarantined"] else []
    said += [("bad", "since", past["since"])] if past.get("since") else []
    said += [("note", "", remark) for remark in one["remarks"]]
    yield finding_list([(level if level in ("bad", "warn") else "note", where, words)
                        for level, where, words in said]) if said else ""  # fmt: skip
    if one["checks"]:
        yield check_table(one["checks"], past.get("values", {}))
    yield _baseline(one["baseline"])
    if exhibit:
        told = {check["metric"].partition(".")[0] for check in one["checks"]}
        course = not fine or bool(exhibit["faults"] or exhibit["models"])
        yield from _exhibit(exhibit, plots, course, clock=not fine or "clock" in told)
    yield "</details>"


def _baseline(rows: Sequence[Plain]) -> Html:
    told = [one for one in rows if one["verdict"] not in ("same", "same within noise")]
    if not told:
        return ""
    lines = "".join(f"<li><b>{text(one['name'])}</b> is {text(one['verdict'])}: {text(one['accepted'])} → "
                    f"{text(one['found'])}</li>" for one in told)  # fmt: skip
    return f'<h3>Against the accepted results</h3><ul class="unknowns">{lines}</ul>'


def _exhibit(exhibit: Plain, plots: bool, course: bool, clock: bool) -> Iterator[Html]:
    """Yield what there is to see; of what passed plainly the course and the clock are told and not drawn."""
    windows = _together(exhibit["windows"]) if plots else []
    if windows:
        yield "<h3>Where it failed</h3>"
    for alike in windows:
        words = f"{', '.join(one['metric'] for one in alike)}, at {alike[0]['at_s']:.3f} s"
        why = "; ".join(dict.fromkeys(one["why"] for one in alike))
        shown = next((one for one in alike if one.get("explained")), alike[0])
        yield picture(window_plot(shown, exhibit), words, why, "large")
        yield _explained(shown.get("explained"))
    if plots and course and exhibit["streams"]:
        yield "<h3>From beginning to end</h3>"
        for name, stream in exhibit["streams"].items():
            if stream["t_s"]:
                yield picture(course_plot(exhibit, name), name, f"{stream['samples']} samples", "large")
    yield _faults(exhibit["faults"])
    for name, model in exhibit["models"].items():
        yield from _model(name, model, plots)
    for role, board in exhibit["boards"].items():
        if board["books"] is not None:
            yield f"<h3>Ledger of {text(role)}</h3>{ledger_bars(board['books'])}"
        elif board["imported"]:
            yield f'<p class="soft">The readings of {text(role)} were imported: there are no bytes to account for.</p>'
        yield event_list(board, role)
        yield _clock(board, role, plots and clock)
    yield _made_by(exhibit)


def _explained(found: Plain | None) -> Html:
    if not found:
        return ""
    first = found["channels"][:3]
    shares = ", ".join(f"{one['channel']} {one['share']:.0%}" for one in first)
    when = ", ".join(f"{one['from_s']:.2f} to {one['to_s']:.2f} s" for one in found["stretches"][:3])
    told = f"{shares}; above all {when}. Green in the band under the signal spoke for it, red against it."
    return f'<p class="books"><b>What carried {text(found["label"])}</b> {text(told)}</p>'


def _together(windows: Sequence[Plain]) -> list[list[Plain]]:
    """Return windows in pictures: several checks may point at one moment of one stream."""
    groups: dict[tuple[Any, ...], list[Plain]] = {}
    for one in windows:
        groups.setdefault((one["board"], one["stream"], one["at_s"], one["channel"]), []).append(one)
    return list(groups.values())


def _clock(board: Plain, role: str, plots: bool) -> Html:
    fit = board["clock"]
    if fit is None:
        return ""
    off = (fit["uncertainty_ns"] + (fit["asymmetry_ns"] or 0)) / 1e3
    evidence = "exchanges" if fit["asymmetry_ns"] is not None else "arrivals"
    drift = f"drift {fit['drift_ppm']:+.3f} ppm ({fit['drift_low']:+.3f} … {fit['drift_high']:+.3f})"
    told = f"{drift}, offset known to ± {off:.1f} µs, from {fit['exchanges']} {evidence}"
    if not plots or not board["exchanges"]:
        return f'<p class="books"><b>Clock of {text(role)}</b> {text(told)}</p>'
    return picture(clock_plot(board, role), f"Clock of {role}", told, "large")


def _faults(faults: Sequence[Plain]) -> Html:
    if not faults:
        return ""
    lines = []
    for one in faults:
        end = "the end" if one["to_s"] is None else f"{one['to_s']:g} s"
        given = ", ".join(f"{key} {number:g}" for key, number in one["parameters"].items())
        where = f" on {one['on']}" if one["on"] else ""
        told = f"{where}, {one['from_s']:g} s to {end}: {given}"
        lines.append(f"<li><b>{text(one['kind'])}</b>{text(told)}</li>")
    return f'<h3>Faults</h3><ul class="unknowns">{"".join(lines)}</ul>'


def _model(name: str, model: Plain, plots: bool) -> Iterator[Html]:
    yield f"<h3>Model {text(name)}</h3>"
    if model["failed"]:
        yield finding_list([("bad", "", model["failed"])])
        return
    identity = model["identity"]
    latency = model["latency_ms"]
    yield facts([("decisions", model["decisions"]), ("missed", model["missed"]),
                 ("without a truth", model["excluded"]), ("backend", identity.get("backend", "")),
                 ("latency", f"p50 {latency['p50']:.3g} ms, p99 {latency['p99']:.3g} ms" if latency else ""),
                 ("version", identity.get("version", ""))])  # fmt: skip
    if model["confusion"]:
        yield confusion_table(model["labels"], model["confusion"])
    drawn = []
    if plots and model["reliability"]:
        drawn.append(picture(reliability_plot(model["reliability"]), "Reliability", "size: how many", "small"))
    if plots and latency:
        drawn.append(picture(latency_plot(latency, model["deadline_ms"]), "Latency", "", "small"))
    if drawn:
        yield f'<div class="plots">{"".join(drawn)}</div>'


def _made_by(exhibit: Plain) -> Html:
    software = ", ".join(f"{name} {version}" for name, version in exhibit["versions"].items())
    machine = " ".join(str(exhibit["environment"].get(key, "")) for key in ("system", "machine"))
    return f'<p class="soft made">{text(f"{machine}; {software}")}</p>'
