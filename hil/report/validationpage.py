"""One self-contained HTML page of a validation: the figure and its interval, who is served worst, and what to trust.

Rule of this room: it arranges plain values, nothing is computed. Without matplotlib the page is whole but for its plots
and says so. What is unknown reads `unknown`, with the reason beside it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from firmware_bridge.errors import MissingPart
from hil.report.html import Html, facts, finding_list, page, picture, row, text
from hil.report.runparts import confusion_table
from hil.report.svg import needs_matplotlib
from hil.report.validationplots import calibration_plot, faults_plot, groups_plot, neighbours_plot, risk_plot

__all__ = ["share", "validation_page"]

Plain = Mapping[str, Any]


def validation_page(found: Plain) -> Html:
    """Return the page of a validation, of what `hil validate --json` prints."""
    by, main = found["plan"]["by"], found["figures"]["macro_f1"]
    title = f"{found['name']} on unseen {'people' if by == 'person' else f'{by}s'}"
    plots = _missing()
    body = [f"<h1>{text(title)}</h1>", facts(_head(found))]
    body.append(f'<p class="soft">{text(_sentence(found))}</p>')
    body.append(finding_list(list(_findings(found))))
    body += [f'<p class="soft">{text(plots)}</p>'] if plots else []
    body.append(_table(["figure", "value", "low", "high", "over seeds"], [
        [name.replace("_", " "), *(share(one[key]) for key in ("value", "low", "high", "std_over_seeds"))]
        for name, one in found["figures"].items()
    ]))  # fmt: skip
    drawn: list[Html] = []
    if not plots:
        drawn.append(picture(groups_plot(found["groups"], main, by), f"Each {by}"))
        if found["calibration"]["bins_before"]:
            bins = found["calibration"]["bins_before"], found["calibration"]["bins_after"]
            drawn.append(picture(calibration_plot(*bins), "Reliability"))
        if found["selective"]["coverage"]:
            drawn.append(picture(risk_plot(found["selective"]), "Risk against coverage"))
        if found["neighbours"]:
            drawn.append(picture(neighbours_plot(found["neighbours"], by), "Nearest neighbours"))
        if found["robustness"]:
            drawn.append(picture(faults_plot(found["robustness"], main["value"]), "Under faults", size="large"))
        body.append(f'<div class="plots">{"".join(drawn)}</div>')
    body += _sections(found, by)
    made = "Intervals are 95 %, by drawing whole groups anew. Made by hil validate."
    return page(title, body, found, made)


def share(value: float | None) -> str:
    """Return a figure with three digits; `unknown` where there is none."""
    return "unknown" if value is None or value != value else f"{value:.3f}"


def _head(found: Plain) -> list[tuple[str, object]]:
    return [("protocol", found["protocol"]), ("decisions", found["decisions"]), ("not made", found["missed"]),
            ("without a label", found["excluded"]), ("warming", found["warming"]), ("series", found["series"]),
            ("seeds", ", ".join(map(str, found["seeds"])))]  # fmt: skip


def _sentence(found: Plain) -> str:
    main, folds = found["figures"]["macro_f1"], found["folds"]["macro_f1"]
    ends = "" if main["low"] is None else f" ({share(main['low'])} to {share(main['high'])})"
    spread = "" if folds["std"] is None else f" with a spread of {share(folds['std'])}"
    return (f"Macro-F1 {share(main['value'])}{ends}; over folds {share(folds['mean'])} in the mean{spread}, from "
            f"{share(folds['lowest'])} to {share(folds['highest'])}.")  # fmt: skip


def _findings(found: Plain) -> Iterator[tuple[str, str, str]]:
    by = found["plan"]["by"]
    worst = next(one for one in found["groups"] if one["group"] == found["worst_group"])
    yield "note", f"{by} {worst['group']}", f"is served worst: macro-F1 {share(worst['macro_f1'])}"
    for cause, count in found["left_out"].items():
        words = "whose checksum failed" if cause == "invalid" else f"({cause})"
        yield "note", "", f"{count} readings {words} are left out"
    for one in found["conformal"]:
        if one["coverage"] is not None and one["coverage"] < one["level"] - 0.03:
            yield ("warn", f"sets by {one['method']}", f"promise {one['level']:.0%} and hold the truth in "
                   f"{one['coverage']:.1%}")  # fmt: skip
    for one in (found.get("against") or {}).get("rows", ()):
        if one["name"] == "accuracy":
            yield ("note", one["verdict"], f"accuracy {share(one['b'])} against {share(one['a'])} of "
                   f"{found['against']['baseline']} on the same folds")  # fmt: skip
    near, claimed = found["neighbours"], found["random_split"]
    if claimed:
        value = found["figures"]["accuracy"]["value"]
        said = f"would claim an accuracy of {share(claimed['accuracy'])} where unseen groups give {share(value)}"
        if near and near.get("ratio"):
            within, between = (f"{near[side]['same_label']:.1%}" for side in ("within", "between"))
            said += (
                f": in the same {by} the nearest other window is {near['ratio']:.1f} times nearer than in others, and "
                f"has the same label in {within} of cases against {between}; "
                "a random split puts such neighbours on both sides"
            )
        yield "warn", "random split", said


def _sections(found: Plain, by: str) -> Iterator[Html]:
    yield f"<h2>Each {text(by)}</h2>"
    methods = [one["method"] for one in found["conformal"]]
    yield _table([by, "decisions", "macro-F1", "accuracy", *(f"sets hold ({one})" for one in methods)], [
        [one["group"], one["decisions"], share(one["macro_f1"]), share(one["accuracy"]),
         *(share(one["conformal"][method]) for method in methods)] for one in found["groups"]
    ])  # fmt: skip
    yield "<h2>Each class</h2>"
    keys: tuple[str, ...] = ("precision", "recall", "f1", "low", "high", "this_or_not")
    yield _table(["class", "support", "precision", "recall", "F1", "low", "high", "this or not"], [
        [one["label"], one["support"], *(share(one[key]) for key in keys)] for one in found["classes"]
    ])  # fmt: skip
    yield "<h2>What is taken for what</h2>" + confusion_table(found["labels"], found["confusion"])
    yield "<h2>Trust</h2>"
    told = found["calibration"]
    yield f'<p class="soft">Temperature and sets were fitted on {text(told["how"])}.</p>'
    temperatures = ", ".join(f"{one:.2f}" for one in told["temperatures"]) or "unknown"
    yield facts([("temperatures", temperatures)])
    names = list(told["before"])
    yield _table(["confidence", *(name.replace("_", " ") for name in names)], [
        [words, *(share(one[name]) for name in names)]
        for words, one in (("as it is", told["before"]), ("at the temperature", told["after"])) if one is not None
    ])  # fmt: skip
    yield _table(["sets", "promise", "hold the truth", "labels in the mean", "empty"], [
        [one["method"], share(one["level"]), share(one["coverage"]), share(one["mean_size"]), share(one["empty"])]
        for one in found["conformal"]
    ])  # fmt: skip
    select = found["selective"]
    yield facts([("area under risk-coverage", share(select["aurc"])),
                 ("over the best order", share(select["excess_aurc"])),
                 ("can be taken at 5 % wrong", share(select["coverage_at_5_percent"]))])  # fmt: skip
    if found["robustness"]:
        yield "<h2>Under faults</h2>"
        keys = ("macro_f1", "accuracy", "coverage")
        yield _table(["fault", "strength", "unit", "macro-F1", "accuracy", "decided"], [
            [one["kind"], f"{one['strength']:g}", one["unit"], *(share(one[key]) for key in keys)]
            for one in found["robustness"]
        ])  # fmt: skip
    if found["cost"]:
        yield "<h2>Cost</h2>" + facts(_cost(found["cost"]))


def _cost(cost: Plain) -> list[tuple[str, object]]:
    late = cost["latency_ms"]
    return [("parameters", cost["parameters"] or "unknown"), ("bytes", cost["bytes"]),
            ("multiplications a hop", cost["macs_per_hop"] or "unknown"), ("samples a hop", cost["hop_samples"]),
            ("a hop takes (p50)", f"{late['p50']:.3f} ms"), ("p99", f"{late['p99']:.3f} ms"),
            ("backend", cost["backend"])]  # fmt: skip


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> Html:
    head = "".join(f'<th class="n">{text(one)}</th>' if at else f"<th>{text(one)}</th>" for at, one in enumerate(heads))
    lines = "".join(
        row([f'<td class="n">{text(cell)}</td>' if at else f"<th>{text(cell)}</th>" for at, cell in enumerate(line)])
        for line in rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'


def _missing() -> str:
    try:
        needs_matplotlib()
    except MissingPart:
        return "Plots are left out: matplotlib is not installed (pip install 'hil-testbench[report]')."
    return ""
