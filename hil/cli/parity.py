"""`hil parity`: whether a board answers as its model does, and where not, whose fault it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firmware_bridge.errors import MissingPart, UsageError
from hil.cli.common import Json, Quiet, Seed, print_json, print_table, talk, worked

if TYPE_CHECKING:
    from hil.models.model import Model
    from hil.parity.cost import Cost
    from hil.parity.figures import Agreement, Labelled
    from hil.parity.run import BoardRun
    from hil.parity.scores import ScoreParity

__all__ = ["VERBS", "parity"]

_REPEATED = 60
"""Times that one window is run again and again for its cost."""


def parity(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A .hilmodel or .onnx file.")],
    data: Annotated[
        list[Path] | None, typer.Option("--data", help="Recording to compare on; with --on several times.")
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", metavar="PORT", help="Board to put it on; `firmware`: one that is emulated.")
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
    windows: Annotated[
        int | None, typer.Option("--windows", min=1, metavar="N", help="So many windows, spread evenly; default: all.")
    ] = None,
    calibrate: Annotated[
        list[Path] | None,
        typer.Option("--calibrate", help="Recording that the ranges in 8 bits come from; default: those of --data."),
    ] = None,
    cost: Annotated[bool, typer.Option("--cost", help="Say what it costs: instructions, memory, windows/s.")] = False,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare a board with its model on the same readings and say at which stage they part.

    With --scores, of any board: the scores that it said itself and that were recorded with its readings. With --on, of
    a board that takes networks: the same windows go through the model in floating point, its 8-bit reference and the
    board. Ends with 0 where the board does what it was given, with 1 where it does not, with 3 where the bench is in
    trouble.
    """
    from hil.models.model import load_model

    if (on is None) == (scores is None):
        what = "nobody said what to compare with" if on is None else "there are two ways to compare, and both are asked"
        raise UsageError(what, "hil parity", "give --scores STREAM or --on PORT")
    if not data:
        raise UsageError("no readings are given to compare on", "hil parity", "give a recording with --data")
    if scores is not None:
        if windows or calibrate or cost or len(data) > 1:
            raise UsageError("--windows, --calibrate, --cost and several --data belong to --on", "hil parity",
                             "leave them out")  # fmt: skip
        _scores(load_model(model), data[0], scores, key, board, json, quiet)
        return
    if key is not None:
        raise UsageError("--key belongs to --scores", "hil parity", "leave it out")
    from hil.parity.boards import some_of
    from hil.parity.run import parity_of_board, windows_in

    opened, port = load_model(model), _port(on or "", counting=cost)
    asked = some_of(windows_in(opened, data, board), windows)
    ranges = windows_in(opened, calibrate, board) if calibrate else None
    talk(f"{port}: {len(asked)} windows are asked", quiet)
    with worked("windows", len(asked)) as told:
        run = parity_of_board(
            opened, asked, port, calibration=ranges, repeat=_REPEATED if cost else 0, seed=seed, progress=told
        )
    if json:
        print_json(run.as_dict())
    else:
        _print_board(run)
    raise typer.Exit(0 if run.found.ok else 1)


def _port(on: str, counting: bool) -> str:
    """Return the port that is meant: for `firmware` the nearest to real hardware that takes networks.

    Raises:
        MissingPart: None can be started here.
    """
    if on != "firmware":
        return on
    from firmware_bridge.firmware.kinds import can_start, startable
    from hil.parity.run import COUNTING, TAKES_NETWORKS

    there = [kind for kind in startable() if kind in TAKES_NETWORKS]
    if not there:
        raise MissingPart(f"no firmware can be started here: {can_start(TAKES_NETWORKS[-1])}", "--on firmware")
    return COUNTING if counting and can_start(COUNTING) == "" else f"firmware://{there[0]}"


def _print_board(run: BoardRun) -> None:
    found = run.found
    print(f"{found.verdict}: {found.why}")
    print()
    board = f"{run.info.model} {run.info.serial}".strip()
    left = f"{found.missing} never answered, {found.again} asked again"
    rows = [
        ("windows", f"{found.identical} of {found.windows}", f"{board} ({run.port}) as the 8-bit reference; {left}"),
        *_agreement_rows(found.agreement, found.labelled, "8-bit reference"),
        ("calibrated", f"{run.calibrated_on}", "windows that the ranges in 8 bits come from"),
    ]
    if (first := found.first_difference) is not None:
        place = (
            f"window {first.window}, layer {first.layer} ({first.operator}), row {first.row}, channel {first.channel}"
        )
        said = f"the reference says {first.expected}, the board {first.found}; {first.elements} elements differ"
        rows.append(("first", f"layer {first.layer}", f"{place}: {said}"))
    print_table(("what", "value", "of"), rows)
    if run.cost is not None:
        print()
        print_table(("cost", "value", "of"), _cost_rows(run.cost))


def _cost_rows(cost: Cost) -> list[tuple[str, str, str]]:
    if cost.instructions is None:
        why = "this board does not count them: `--on firmware://qemu?icount=5` does"
        rows = [("instructions", "unknown", why)]
    else:
        same = "" if cost.spread is None else (
            f"; one window again and again, {cost.repeated} times: "
            + ("the same each time" if cost.spread == 0 else f"they differ by {cost.spread}")
        )  # fmt: skip
        of = f"the most that a window took, the fewest {cost.least_instructions}; instructions, not cycles{same}"
        rows = [("instructions", f"{cost.instructions}", of)]
    rows.append(("ram", f"{cost.ram_bytes} bytes", "tensors, in the arena"))
    rows.append(("flash", f"{cost.flash_bytes} bytes", "op list and weights; RAM too where they came over the wire"))
    if cost.windows_per_s is not None:
        rows.append(
            ("rate", f"{cost.windows_per_s:.1f} windows/s", "by the host's clock, one at a time, line included")
        )
    if cost.board_ms is not None:
        driven = ", which instructions drive here" if cost.instructions else ""
        rows.append(("window", f"{cost.board_ms:.2f} ms", f"the longest, by the board's own clock{driven}"))
    return rows


def _scores(model: Model, data: Path, stream: str, key: str | None, board: str | None, json: bool, quiet: bool) -> None:
    from hil.parity.run import parity_of_scores

    found = parity_of_scores(model, data, stream, board, key)
    if json:
        print_json(found.as_dict())
    else:
        for remark in found.remarks:
            talk(remark, quiet)
        print(f"{found.verdict}: {found.why}")
        print()
        print_table(("what", "value", "of"), _score_rows(found))
        _print_reliability(found)
    raise typer.Exit(0 if found.ok else 1)


def _score_rows(found: ScoreParity) -> list[tuple[str, str, str]]:
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


def _agreement_rows(same: Agreement, good: Labelled, other: str) -> list[tuple[str, str, str]]:
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


def _print_reliability(found: ScoreParity) -> None:
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
