"""`hil parity`: whether a board answers as its model does, and where not, whose fault it is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firmware_bridge.errors import UsageError
from hil.cli.common import Json, Quiet, print_json, print_table, talk

if TYPE_CHECKING:
    from hil.models.model import Model
    from hil.parity.figures import Agreement, Labelled
    from hil.parity.scores import ScoreParity

__all__ = ["VERBS", "parity"]


def parity(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A .hilmodel or .onnx file.")],
    data: Annotated[
        list[Path] | None, typer.Option("--data", help="Recording to compare on; may be given several times.")
    ] = None,
    scores: Annotated[
        str | None,
        typer.Option("--scores", metavar="STREAM", help="Stream in which the board said its own scores, or RESULT."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="CHANNEL", help="Channel with the number of a window's last sample: `sample`."),
    ] = None,
    board: Annotated[str | None, typer.Option("--board", help="Role of the board in the recordings.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare a board with its model on the same readings and say at which stage they part.

    With --scores, of any board: the scores that it said itself and that were recorded with its readings. Ends with 0
    where the board does what the model does, as far as its bits allow, with 1 where it does not, with 3 where the bench
    is in trouble.
    """
    from hil.models.model import load_model

    if not data:
        raise UsageError("no readings are given to compare on", "hil parity", "give a recording with --data")
    opened = load_model(model)
    if scores is not None:
        _scores(opened, data, scores, key, board, json)
    raise UsageError("nobody said what to compare with", "hil parity", "give --scores STREAM or --on PORT")


def _scores(model: "Model", data: list[Path], stream: str, key: str | None, board: str | None, json: bool) -> None:
    from hil.parity.run import parity_of_scores

    if len(data) > 1:
        raise UsageError("scores are compared within one recording", "hil parity", "give --data once")
    found = parity_of_scores(model, data[0], stream, board, key)
    if json:
        print_json(found.as_dict())
    else:
        for remark in found.remarks:
            talk(remark)
        print(f"{found.verdict}: {found.why}")
        print()
        print_table(("what", "value", "of"), _score_rows(found))
        _print_reliability(found)
    raise typer.Exit(0 if found.ok else 1)


def _score_rows(found: "ScoreParity") -> list[tuple[str, str, str]]:
    join = found.join
    left = (
        (join.warming, "begin before the readings"), (join.torn, "lie over missing readings"),
        (join.strange, "are about no sample"), (join.lost, "never came"),
    )  # fmt: skip
    apart = ", ".join(f"{count} {what}" for count, what in left if count) or "none is left out"
    of = f"joined by {join.rule}" + (f", {join.lag_s:.3f} s after the window as estimated" if join.lag else "")
    rows = [
        ("scores", f"{len(join.rows)}", f"{of}; {apart}"),
        *_agreement_rows(found.agreement, found.labelled, "board"),
    ]
    form = {"label": "labels only", "integers": "integers of unknown scale"}.get(found.form, found.form)
    written = f"{form}, written in steps of {found.step:g}" if found.step else form
    bits = f"8 bits explain {found.allowed:.3g}" if found.allowed is not None else found.unknown
    rows.append(("distance", f"{found.distance:.3g}", f"{written}; {bits}; {found.wrong} windows differ by more"))
    if (first := found.first_difference) is not None:
        expected, said = (
            value if isinstance(value, str) else f"{value:.4f}" for value in (first.expected, first.found)
        )  # fmt: skip
        place = f"score {first.score}, sample {first.sample}, {first.t_s:.3f} s"
        rows.append(("first", f"{first.label}", f"{place}: the model says {expected}, the board {said}"))
    return rows


def _agreement_rows(same: "Agreement", good: "Labelled", other: str) -> list[tuple[str, str, str]]:
    share = "unknown" if same.share is None else f"{100 * same.share:.2f} %"
    interval = "" if same.low is None or same.high is None else (
        f", 95 % interval {100 * same.low:.2f} to {100 * same.high:.2f} % as if independent"
    )  # fmt: skip
    rows = [("agreement", share, f"{same.same} of {same.windows} windows have the model's label{interval}")]
    if good.macro_f1_other is not None and good.macro_f1_model is not None:
        model = f"{good.macro_f1_model:.4f} of the model in floating point, {good.windows} labelled windows"
        rows.append(("macro_f1", f"{good.macro_f1_other:.4f}", f"{other}; {model}"))
    if good.accuracy_other is not None and good.accuracy_model is not None:
        rows.append(("accuracy", f"{good.accuracy_other:.4f}", f"{other}; {good.accuracy_model:.4f} of the model"))
    return rows


def _print_reliability(found: "ScoreParity") -> None:
    if found.reliability is None:
        return
    print()
    against = "a label" if found.reliability.against == "labels" else "the model's label, for want of labels"
    of_model = "" if found.reliability.ece_model is None else f" (the model's: {found.reliability.ece_model:.4f})"
    ece = f"the board's expected calibration error is {found.reliability.ece:.4f}{of_model}"
    print(f"reliability: {ece}; right is {against}")
    rows = [
        (f"{one.low:.1f} to {one.high:.1f}", one.decisions, f"{one.confidence:.3f}", f"{one.right:.3f}")
        for one in found.reliability.bins
    ]
    print_table(("confidence", "decisions", "mean", "right"), rows)


VERBS = (parity,)
