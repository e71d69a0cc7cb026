"""Verbs that judge a sensor: `hil measure` and `hil compare`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firmware_bridge.errors import FileError, UsageError
from hil.cli.common import BoardFile, For, From, Json, Output, Quiet, To, fresh, print_json, talk, worked
from hil.cli.runs import compare_runs, is_run
from hil.cli.validate import DataOption, compare_models, is_model

if TYPE_CHECKING:
    from hil.measure import Measurement
    from hil.recording.reader import Recording

__all__ = ["VERBS", "compare", "measure"]

Page = Annotated[Path | None, typer.Option("--html", help="Write one self-contained page with plots.")]
Streams = Annotated[list[str] | None, typer.Option("--stream", help="BOARD/STREAM or STREAM; default: all.")]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", metavar="STREAM=KIND", help="inertial, ppg, image, temperature or other; default: by unit."),
]


def measure(
    source: Annotated[str, typer.Argument(metavar="FILE|PORT", help="A recording, or a board to record now.")],
    page: Page = None,
    seconds: For = None,
    output: Output = None,
    begin: From = None,
    end: To = None,
    streams: Streams = None,
    kinds: Kinds = None,
    reference: Annotated[
        str | None, typer.Option("--reference", metavar="BOARD/STREAM", help="Compare every stream with this one.")
    ] = None,
    datasheet: Annotated[Path | None, typer.Option("--datasheet", help="TOML with [expect] to hold against.")] = None,
    board_file: BoardFile = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say how good a sensor is: every figure with unit, interval and condition, `unknown` where it cannot be known.

    Of a port it records first (--for, or until Ctrl-C) into a file that it names, and tells on stderr how the figures
    come on. Ends with 1 where a datasheet is given and something is beyond its limit or was not measured.
    """
    from hil.measure.datasheet import failed, load_datasheet

    _writable(page)
    if datasheet is not None:
        load_datasheet(datasheet)  # a mistake in it is told before anything is recorded
    is_file = "://" not in source and (source.endswith(".mcap") or Path(source).is_file())
    if not is_file:
        if begin is not None or end is not None:
            raise UsageError("--from and --to belong to a recording", source, "record first, then measure the file")
        source = _record(source, seconds, output, board_file, quiet)
    elif seconds is not None or output is not None:
        raise UsageError("--for and -o belong to a port", source, "use --from and --to for a part of a recording")
    measurer = _measurer(begin, end, streams, kinds, reference, datasheet)
    from hil.recording.reader import Recording

    with Recording(source) as recording:
        found = measurer(recording)
    if page is not None:
        from hil.report.page import measurement_page

        page.write_text(measurement_page(found), encoding="utf-8")
        talk(f"page: {page}", quiet)
    if json:
        print_json(found.as_dict())
    else:
        from hil.report.text import measurement_lines

        print("\n".join(measurement_lines(found)))
    if failed(found):
        raise typer.Exit(1)


def _measurer(
    begin: str | None, end: str | None, streams: list[str] | None, kinds: list[str] | None,
    reference: str | None = None, datasheet: Path | None = None,
) -> Callable[[Recording], Measurement]:  # fmt: skip
    """Return what measures a recording as asked for, with a bar on a terminal."""
    from hil.measure import measure as find
    from hil.replay.replay import mark_time

    named = {}
    for pair in kinds or ():
        name, sign, kind = pair.partition("=")
        if not sign:
            raise UsageError(f"{pair!r} names no kind", "--kind", "give STREAM=KIND, such as finger/light=ppg")
        named[name] = kind

    def measured(recording: Recording) -> Measurement:
        start_s, end_s = (None if place is None else mark_time(recording, place) for place in (begin, end))
        with worked("s of recording", recording.duration_s) as told:
            return find(recording, streams, start_s, end_s, told, datasheet, reference, named)

    return measured


def _record(port: str, seconds: float | None, output: Path | None, board_file: Path | None, quiet: bool) -> str:
    """Record a port, tell how the figures come on, and return the name of the file."""
    from hil.cli.live import engine_config
    from hil.config import RecordConfig
    from hil.measuring import record_and_tell

    config = engine_config([port], None, board_file)
    config = config.model_copy(update={"record": RecordConfig(path=None if output is None else str(output))})
    summary = record_and_tell(config, lambda line: talk(line, quiet), seconds=seconds)
    recording = summary.recording
    if recording is None or recording.state == "failed" or summary.trouble:
        sentence = summary.trouble or (recording.sentence if recording else "nothing was recorded")
        raise FileError(sentence, port, "see `hil doctor`, or record with `hil capture`")
    talk(f"recorded into {recording.path}", quiet)
    return recording.path


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="What is known: FILE, FILE#BOARD, a folder, or A1,A2,A3.")],
    b: Annotated[str, typer.Argument(metavar="B", help="What is new, likewise.")],
    page: Page = None,
    see: Annotated[
        str | None, typer.Option("--see", metavar="PERCENT", help="Say how long to record to see this: 10%.")
    ] = None,
    begin: From = None,
    end: To = None,
    streams: Streams = None,
    kinds: Kinds = None,
    data: DataOption = None,
    base: Annotated[
        Path | None, typer.Option("--base", metavar="FOLDER", help="What file names in DATA are relative to.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say figure by figure whether B is better than A, the same within noise, or worse.

    The chance of any false verdict among all of them is at most 5 % (Holm; of models: by swapping people). What cannot
    be compared is refused, with what to record instead. Ends with 0 whatever the verdicts are, with 2 where nothing
    could be compared. Two files that `hil run --json` printed are compared scenario by scenario and check by check; two
    models on the people of --data whom neither has met.

    Example: hil compare old.mcap new.mcap --see 10%

    Example: hil compare a.hilmodel b.hilmodel --data scenarios/recordings
    """
    if is_model(a) and is_model(b):
        for option, given in (("--html", page), ("--see", see), ("--from", begin), ("--to", end), ("--kind", kinds)):
            if given is not None:
                raise UsageError("two models are compared on whole recordings, as a table", option,
                                 "leave it out; `hil validate --html` draws a page of each")  # fmt: skip
        compare_models(a, b, data, base, streams, 0, json)
        return
    if is_run(a) and is_run(b):
        _writable(page, plots=False)
        compare_runs(a, b, page, json, quiet)
        return
    from hil.measure.compare import compare as judge
    from hil.measure.sides import open_sides

    _writable(page)
    share = None if see is None else _share(see)
    one, other = open_sides([a, b], _measurer(begin, end, streams, kinds))
    found = judge(one, other, share)
    if page is not None:
        from hil.report.comparepage import comparison_page

        page.write_text(comparison_page(found, one, other), encoding="utf-8")
        talk(f"page: {page}", quiet)
    if json:
        print_json(found.as_dict())
    else:
        from hil.report.text import comparison_lines

        print("\n".join(comparison_lines(found)))
    if not found.compared:
        raise typer.Exit(2)


def _share(text: str) -> float:
    """Return a difference as a share: `10%` and `10` are a tenth.

    Raises:
        UsageError: It is no percentage above 0.
    """
    try:
        share = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        share = 0.0
    if not 0 < share <= 100:
        raise UsageError(f"{text!r} is no difference", "--see", "give a percentage, such as 10%")
    return share


def _writable(page: Path | None, plots: bool = True) -> None:
    """Refuse a page that could not be drawn or would overwrite something, before the work is done."""
    fresh(page)
    if page is not None and plots:
        from hil.report.svg import needs_matplotlib

        needs_matplotlib()


VERBS = (measure, compare)
