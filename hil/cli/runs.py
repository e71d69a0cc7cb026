"""What runs leave behind, for people: options of `hil run` about it, `hil history`, and two saved runs compared."""

from __future__ import annotations

import json as reader
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hil.cli.common import Json, Quiet, print_json, print_table, talk

if TYPE_CHECKING:
    from hil.scenario.afterwards.accept import Ask

__all__ = [
    "VERBS",
    "Keep",
    "KeepAll",
    "KeepMost",
    "NoKeep",
    "Past",
    "RunPage",
    "Yes",
    "asker",
    "compare_runs",
    "history",
    "is_run",
    "kept_in",
]  # fmt: skip

RUNS = Path("hil-runs")

RunPage = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write one self-contained page with plots.")
]
Keep = Annotated[
    Path, typer.Option("--keep", metavar="DIR", help="Where recordings of what failed and the history are kept.")
]
KeepAll = Annotated[bool, typer.Option("--keep-all", help="Keep recordings of what passed too.")]
KeepMost = Annotated[
    float,
    typer.Option(
        "--keep-most", min=0, metavar="MB", help="Of a larger recording only the seconds around the failure are kept."
    ),
]
NoKeep = Annotated[bool, typer.Option("--no-keep", help="Keep nothing, neither recordings nor history.")]
Past = Annotated[
    Path | None, typer.Option("--history", metavar="FILE", help="One JSON line a run; default: DIR/history.jsonl.")
]
Yes = Annotated[
    bool, typer.Option("--yes", help="Accept every difference that --update-baselines shows, without asking.")
]


def kept_in(keep: Path, past: Path | None, no_keep: bool) -> tuple[str, Path | None]:
    """Return the folder of this run's recordings (empty: none is kept) and the file of the history."""
    if no_keep:
        return "", past
    from hil.scenario.afterwards.kept import run_folder

    return str(run_folder(keep, time.time_ns())), past or keep / "history.jsonl"


def asker(yes: bool, as_json: bool) -> Ask:
    """Return what shows a difference and asks whether to accept it.

    On a terminal it asks, unless `yes`. Without one nobody can answer: the difference is shown, then accepted, since
    that is what `--update-baselines` asks for.
    """

    def ask(heading: str, difference: str) -> bool:
        out = sys.stderr if as_json else sys.stdout
        print(f"{heading}\n{difference}", file=out, flush=True)
        if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
            return True
        return bool(typer.confirm("accept?", default=False, err=True))

    return ask


def history(
    wanted: Annotated[
        str, typer.Argument(metavar="[PATH|NAME]", help="A scenario's file, or a part of its name.")
    ] = "",
    file: Annotated[
        Path, typer.Option("--history", metavar="FILE", help="The history that `hil run` appends to.")
    ] = RUNS / "history.jsonl",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show how scenarios came out, run by run, and since when one fails.

    A point is PASS, ~ MARGINAL, F FAIL, U UNSET, T TROUBLE, - NA; the last run stands to the right. With a
    path or a name the values of the checks are shown too.
    """
    from firmware_bridge.errors import UsageError
    from hil.report.trend import GLYPHS, spark_text
    from hil.scenario.reporting import since_words
    from hil.scenario.results.history import read_history, trends_of
    from hil.scenario.results.table import figure

    entries, unread = read_history(file)
    if unread:
        talk(f"{file}: {unread} lines cannot be read and are passed over", quiet)
    trends = trends_of(entries, wanted)
    if not trends:
        what = f"no run of {wanted!r} is in it" if entries else "there is no history yet"
        raise UsageError(what, str(file), "`hil run` writes it; --history names another file")
    if json:
        print_json({"schema": 1, "scenarios": [one.as_dict() for one in trends]})
        return
    for one in trends:
        print(f"{one.entries[-1]['outcome']:8} {one.name} ({one.target or 'not run'})")
        print(f"         {''.join(GLYPHS.get(entry['outcome'], '?') for entry in one.entries)}  {one.path}")
        if since := since_words(one):
            print(f"         fails since {since}")
        if wanted:
            rows = [
                (metric, spark_text(one.values(metric)), figure(one.values(metric)[-1], "")) for metric in one.metrics
            ]
            print_table(("check", "values", "last"), rows)


def is_run(path: str) -> bool:
    """Return whether a file is what `hil run --json` printed."""
    try:
        with Path(path).open("rb") as file:
            if file.read(1) != b"{":
                return False
        return "scenarios" in _read(path)
    except (OSError, ValueError):
        return False


def compare_runs(a: str, b: str, page: Path | None, json: bool, quiet: bool) -> None:
    """Compare two saved runs, scenario by scenario and check by check.

    Raises:
        Exit: With 2 where they have no scenario in common.
    """
    from hil.scenario.results.runpair import pair_lines, pair_runs

    found = pair_runs(_read(a), _read(b))
    if page is not None:
        from hil.report.runpairpage import run_pair_page

        page.write_text(run_pair_page(found, a, b), encoding="utf-8")
        talk(f"page: {page}", quiet)
    if json:
        print_json(found)
    else:
        print("\n".join(pair_lines(found)))
    if not found["common"]:
        raise typer.Exit(2)


def _read(path: str) -> dict[str, Any]:
    plain = reader.loads(Path(path).read_text("utf-8"))
    return plain if isinstance(plain, dict) else {}


VERBS = (history,)
