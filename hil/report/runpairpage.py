"""One self-contained HTML page of two runs of scenarios: what is better, worse, new or gone, and both sides of it.

Rule of this room: plain values in; nothing is judged here. What is the same is folded away and not left out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hil.report.html import Html, facts, page, row, tag, text
from hil.report.runparts import figure, outcome_tag

__all__ = ["run_pair_page"]

_TAGS = {"better": "better", "same": "same", "worse": "worse", "new": "different", "gone": "warn",
         "different": "different"}  # fmt: skip


def run_pair_page(found: Mapping[str, Any], a: str, b: str) -> Html:
    """Return the page of a comparison.

    Args:
        found: What `hil.scenario.results.runpair.pair_runs` returned.
        a: What to call the first run.
        b: The second.
    """
    body = ["<h1>Run B against run A</h1>"]
    for letter, name, side in (("A", a, found["a"]), ("B", b, found["b"])):
        told = ", ".join(f"{count} {outcome}" for outcome, count in side["outcomes"].items())
        body.append(facts([(letter, name), ("scenarios", side["scenarios"]), ("came to", told)]))
    body.append(f"<p>{' '.join(tag(f'{count} {name}', _TAGS[name]) for name, count in found['counts'].items())}</p>")
    rows = found["rows"]
    changed = [one for one in rows if one["verdict"] != "same"]
    whole = [one for one in changed if not one["check"]]
    body.append("<h2>Scenarios</h2>" + (_table(whole) if whole else "<p>No scenario came out otherwise.</p>"))
    checks = [one for one in changed if one["check"]]
    body.append("<h2>Checks</h2>" + (_table(checks) if checks else "<p>No check came out otherwise.</p>"))
    alike = [one for one in rows if one["verdict"] == "same"]
    if alike:
        body.append(f"<details><summary>{len(alike)} are the same</summary>{_table(alike)}</details>")
    made = "A number is better or worse only where its limit says which way is good. Made by hil compare."
    return page("Run B against run A", body, found, made)


def _table(rows: Sequence[Mapping[str, Any]]) -> Html:
    head = ('<th>verdict</th><th>scenario</th><th>check</th><th>A</th><th class="n"></th><th>B</th>'
            '<th class="n"></th><th>limit</th><th>reason</th>')  # fmt: skip
    lines = []
    for one in rows:
        limit = next((side["limit"] for side in (one["b"], one["a"]) if side and side["limit"]), "")
        lines.append(row([
            f"<td>{tag(one['verdict'], _TAGS[one['verdict']])}</td>", f'<th class="wide">{text(one["scenario"])}</th>',
            f"<td>{text(one['check'])}</td>", *_side(one["a"]), *_side(one["b"]), f'<td class="u">{text(limit)}</td>',
            f'<td class="how">{text(one["why"])}</td>',
        ]))  # fmt: skip
    body = "".join(lines)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _side(side: Mapping[str, Any] | None) -> list[Html]:
    if side is None:
        return ["<td></td>", '<td class="n"></td>']
    value = "" if side["value"] is None else figure(side["value"], side["unit"] or "")
    return [f"<td>{outcome_tag(side['outcome'])}</td>", f'<td class="n">{text(value)}</td>']
