"""Parts of the page of a run that need no plots: checks, confusion, ledger, events, the past.

Rule of this room: plain values in, HTML out; what is unknown reads `unknown`. Everything here is drawn by the page
itself, so that it is there without any library.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hil.report.html import Html, row, tag, text
from hil.report.trend import KINDS, spark_line
from hil.report.words import scale_for, value

__all__ = ["check_table", "confusion_table", "event_list", "figure", "ledger_bars", "outcome_tag"]

Plain = Mapping[str, Any]
Values = Mapping[str, Sequence[float | None]]

_BYTES = ("frames", "lines", "samples")
_SAMPLES = (("delivered", "good"), ("invalid", "warn"), ("board_dropped", "warn"), ("host_dropped", "warn"),
            ("unattributed", "bad"), ("lost", "bad"))  # fmt: skip
_WINDOWS = (("judged", "good"), ("skipped", "warn"), ("unsent", "warn"), ("lost", "bad"))
_EXTRA = (("duplicate", "came twice"), ("late", "came too late"), ("unstarted", "were of an earlier run"))
_MOST_EVENTS = 12


def outcome_tag(outcome: str) -> Html:
    """Return an outcome in a frame of its colour."""
    return tag(outcome, KINDS.get(outcome, "same"))


def figure(given: float | None, unit: str) -> str:
    """Return a value with its unit; `unknown` where there is none."""
    if given is None:
        return "unknown"
    scale = scale_for(unit, (given,))
    return f"{value(given, None, None, scale)} {scale.unit}".strip()


def check_table(checks: Sequence[Plain], past: Values) -> Html:
    """Return the checks of a scenario: outcome, value, limit, reason, and how the value was in the past."""
    trend = any(len([one for one in past.get(check["metric"], ()) if one is not None]) > 1 for check in checks)
    head = ('<th>outcome</th><th>metric</th><th class="n">found</th><th>limit</th>'
            f"{'<th>lately</th>' if trend else ''}<th>reason</th>")  # fmt: skip
    rows = []
    for check in checks:
        values = list(past.get(check["metric"], ()))
        spark = spark_line(values, f"{check['metric']}, the last {len(values)} runs") if trend else ""
        known = "n" if check["value"] is not None else "n unknown"
        rows.append(row([
            f"<td>{outcome_tag(check['outcome'])}</td>", f"<th>{text(check['metric'])}</th>",
            f'<td class="{known}">{text(figure(check["value"], check["unit"]))}</td>',
            f'<td class="u">{text(check["limit"])}</td>', f"<td>{spark}</td>" if trend else "",
            f'<td class="how">{text(check["why"])}</td>',
        ]))  # fmt: skip
    body = "".join(rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def confusion_table(labels: Sequence[str], table: Sequence[Sequence[int]]) -> Html:
    """Return the confusion matrix: truths down, decisions across, those that were not made last."""
    missed = any(line[-1] for line in table)
    heads = "".join(f"<th>{text(label)}</th>" for label in [*labels, *(["none"] if missed else [])])
    lines = []
    for at, line in enumerate(table):
        total = sum(line)
        cells = "".join(_field(count, total, at == to) for to, count in enumerate(line[: None if missed else -1]))
        recall = f"{100 * line[at] / total:.1f} %" if total else "unknown"
        lines.append(f'<tr><th>{text(labels[at])}</th>{cells}<td class="n soft">{recall}</td></tr>')
    head = f'<tr><th class="soft">true \\ told</th>{heads}<th class="soft">recall</th></tr>'
    body = "".join(lines)
    return f'<div class="scroll"><table class="confusion"><thead>{head}</thead><tbody>{body}</tbody></table></div>'


def _field(count: int, total: int, right: bool) -> Html:
    share = count / total if total else 0.0
    ink = "--good" if right else "--bad"
    shade = f"color-mix(in srgb,var({ink}) {round(8 + 55 * share)}%,transparent)" if count else "transparent"
    return f'<td style="background:{shade}">{count or ""}</td>'


def ledger_bars(books: Plain) -> Html:
    """Return where every byte and every sample went: a bar and a line each."""
    parts = [(name, count, "good" if name in _BYTES or "frame" in name or "line" in name else "bad")
             for name, count in books["buckets"].items()]  # fmt: skip
    parts = [(name, count, "same" if name == "idle" else kind) for name, count, kind in parts]
    shown = [_bar("bytes", books["bytes_received"], [*parts, ("pending", books["pending"], "same")], "received")]
    for part in books["streams"]:
        name = part["stream"] + (f", boot {part['boot']}" if part["boot"] else "")
        if part["expected"] is None:
            note = f"{part['delivered']} delivered; what was lost is unknown: the board numbers no samples"
            shown.append(f'<p class="books"><b>samples of {text(name)}</b> {text(note)}</p>')
            continue
        extra = "; ".join(f"{part[key]} {words}" for key, words in _EXTRA if part[key])
        went = [(key.replace("_", " "), part[key], kind) for key, kind in _SAMPLES]
        shown.append(_bar(f"samples of {name}", part["expected"], went, "expected", extra))
    for part in books.get("windows", ()):
        went = [(key, part[key], kind) for key, kind in _WINDOWS]
        name = part["stream"] + (f", boot {part['boot']}" if part["boot"] else "")
        shown.append(_bar(f"windows of {name} for the model on the board", part["due"], went, "due"))
    lost = books["frames_lost"]
    told = "unknown: its frames carry no numbers" if lost is None else str(lost)
    return f'{"".join(shown)}<p class="books soft">frames lost: {told}</p>'


def _bar(name: str, total: int, parts: Sequence[tuple[str, int, str]], whole: str, extra: str = "") -> Html:
    used = [(words, count, kind) for words, count, kind in parts if count]
    fields = "".join(f'<i class="{kind}" style="flex:{count} 1 2px" title="{text(f"{words}: {count}")}"></i>'
                     for words, count, kind in used)  # fmt: skip
    words = ", ".join(f"{count:,} {words}".replace(",", " ") for words, count, _ in used) or "none"
    told = f"{total:,} {whole}: ".replace(",", " ") + words + (f"; {extra}" if extra else "")
    return f'<p class="books"><b>{text(name)}</b> {text(told)}</p><div class="bar">{fields}</div>'


def event_list(board: Plain, role: str) -> Html:
    """Return what happened on the way, the first of each kind; how often each did."""
    counts = board["counts"]
    if not counts:
        return ""
    told = ", ".join(f"{count} × {kind}" for kind, count in counts.items())
    shown = board["events"][:_MOST_EVENTS]
    items = "".join(f"<li>{one['t_s']:.3f} s: {text(one['kind'])}: {text(one['text'])}</li>" for one in shown)
    rest = len(board["events"]) - len(shown)
    more = f"<li>and {rest} more</li>" if rest > 0 else ""
    heading = text(f"Events of {role}: {told}")
    return f'<details><summary>{heading}</summary><ul class="unknowns">{items}{more}</ul></details>'
