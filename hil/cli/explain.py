"""The verb that says why a model decided as it did: `hil explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hil.cli.common import Json, Quiet, fresh, print_json, print_table, talk, tell_lost

__all__ = ["VERBS", "explain"]

_ROWS = 12


def explain(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A .hilmodel or .onnx file.")],
    file: Annotated[Path, typer.Argument(metavar="REC", help="A recording (.mcap).")],
    at: Annotated[float, typer.Option("--at", metavar="SECONDS", help="The last decision until then is explained.")],
    board: Annotated[str | None, typer.Option("--board", help="Role of the one board to read.")] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write one self-contained page; never overwritten.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say which samples and channels carried one decision of a model.

    Shares are of what the window added to the score of the label that was told, against a window at the training mean:
    by integrated gradients for networks of ours, by hiding piece after piece for an ONNX program.

    Example: hil explain exercise.hilmodel session.mcap --at 12.3 --html why.html
    """
    import hil
    from hil.models import explain as reasons
    from hil.models.carried import carried
    from hil.models.seen import seen_at
    from hil.report.explainpage import explain_page, told_sum

    fresh(html)
    opened = hil.load_model(model)
    reasons.explainable(opened.contract)
    reasons.needs_captum()
    with hil.open(file) as recording:
        tell_lost(recording)
        seen = seen_at(opened, recording, at, board)
        found = carried(reasons.explain(opened, seen), opened.contract, recording.start_ns)
    told = {"file": str(file), "model_file": str(model), **found}
    if html is not None:
        html.write_text(explain_page(told), encoding="utf-8")
    if json:
        print_json({"schema": 1, **told})
        return
    talk(f"{found['board']}/{found['stream']} at {found['t_s']:.3f} s: {found['label']} ({found['confidence']:.3f}), "
         f"from {found['from_s']:.3f} to {found['to_s']:.3f} s. {told_sum(found)}", quiet)  # fmt: skip
    print_table(("channel", "share", "added"), [
        (one["channel"], f"{one['share']:.3f}", f"{one['net']:+.3f}") for one in found["channels"][:_ROWS]
    ])  # fmt: skip
    print()
    print_table(("from_s", "to_s", "share", "led by"), [
        (f"{one['from_s']:.3f}", f"{one['to_s']:.3f}", f"{one['share']:.3f}", ", ".join(one["channels"]))
        for one in found["stretches"]
    ])  # fmt: skip


VERBS = (explain,)
