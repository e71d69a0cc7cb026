"""One self-contained HTML page of a training: its curves, what it reached, how it was made.

Rule of this room: plain values of the curves and the contract in, a page out; nothing is computed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hil.report.html import Html, facts, page, picture, row, text
from hil.report.svg import FAINT, canvas, colour, svg

__all__ = ["training_page"]

Plain = Mapping[str, Any]

_STAGES = {"search": "how long to learn", "fit": "the model"}


def training_page(curves: Plain, contract: Plain) -> Html:
    """Return the page of a training.

    Args:
        curves: `stages[]` with `stage`, `apart`, `best` and `epochs[]`.
        contract: The contract of the model.

    Raises:
        MissingPart: Matplotlib is not installed.
    """
    card, lineage = contract["card"], contract["lineage"]
    body = [f"<h1>{text(contract['name'])}</h1>", f"<p>{text(card['summary'])}</p>" if card["summary"] else ""]
    told = [("version", contract["version"]), ("seed", curves["seed"]), ("network", _network(contract)),
            ("learnt from", ", ".join(lineage.get("trained_on", ()))),
            ("held out", ", ".join(lineage.get("held_out", ()))), ("torch", lineage.get("torch", ""))]  # fmt: skip
    body.append(facts([pair for pair in told if pair[1] != ""]))
    if card["metrics"]:
        rows = [_row("td", one["name"], f"{one['value']:.3f}", one["how"]) for one in card["metrics"]]
        body.append(f"<table>{_row('th', 'figure', 'value', 'measured')}{''.join(rows)}</table>")
    for stage in curves["stages"]:
        title = _STAGES.get(stage["stage"], stage["stage"])
        note = f"epoch {stage['best'] + 1} was taken"
        if stage["apart"]:
            note = f"set apart: {', '.join(stage['apart'])}; {note}"
        body.append(f"<h2>{text(title)}</h2>")
        body.append(picture(_losses(stage), "loss", note))
        if any(one["validation_macro_f1"] is not None for one in stage["epochs"]):
            body.append(picture(_reached(stage), "macro-F1 on those set apart"))
    return page(f"{contract['name']}: training", body, curves, "Made by hil train.")


def _row(kind: str, *cells: str) -> Html:
    return row(f"<{kind}>{text(cell)}</{kind}>" for cell in cells)


def _network(contract: Plain) -> str:
    held = contract["architecture"]
    return "a program of its author's (ONNX)" if held is None else str(held["name"])


def _losses(stage: Plain) -> str:
    epochs: Sequence[Plain] = stage["epochs"]
    with canvas(6.2, 3.0, f"loss {stage['stage']}") as (drawn, axes):
        at = [one["epoch"] + 1 for one in epochs]
        axes.plot(at, [one["loss"] for one in epochs], color=colour(0), linewidth=1.2, label="training")
        if epochs and epochs[0]["validation_loss"] is not None:
            losses = [one["validation_loss"] for one in epochs]
            axes.plot(at, losses, color=colour(1), linewidth=1.2, label="set apart")
            axes.axvline(stage["best"] + 1, color=FAINT, linewidth=0.9, linestyle=(0, (4, 2)))
        axes.set(xlabel="epoch", ylabel="cross-entropy")
        axes.legend(loc="upper right")
        return svg(drawn, f"loss by epoch, {stage['stage']}")


def _reached(stage: Plain) -> str:
    with canvas(6.2, 3.0, f"macro-F1 {stage['stage']}") as (drawn, axes):
        epochs: Sequence[Plain] = stage["epochs"]
        values = [one["validation_macro_f1"] for one in epochs]
        axes.plot([one["epoch"] + 1 for one in epochs], values, color=colour(1), linewidth=1.2)
        axes.set(xlabel="epoch", ylabel="macro-F1", ylim=(0.0, 1.03))
        return svg(drawn, f"macro-F1 by epoch, {stage['stage']}")
