"""Verbs of datasets: `hil data info|label|split|check|gather`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firmware_bridge.errors import UsageError
from hil.cli.common import BoardFile, From, Json, Output, Quiet, Seed, To, print_json, print_table, talk, worked
from hil.counted import counted

if TYPE_CHECKING:
    from hil.models.data_config import DataConfig

__all__ = ["GROUPS", "By", "Folder", "Source", "config_of"]

Source = Annotated[
    Path, typer.Argument(metavar="DATA", help="A TOML file with a [data] table, or a folder of recordings.")
]
Folder = Annotated[
    Path | None, typer.Option("--data", metavar="FOLDER", help="Folder of the data files; default: beside DATA.")
]
By = Annotated[str, typer.Option("--by", help="What belongs together: person, day or device.")]
MOST = 8
"""Findings of one kind that are written out; `--json` has all."""
Streams = Annotated[list[str] | None, typer.Option("--stream", help="Stream to read of a folder's recordings.")]

data = typer.Typer(help="What is in a dataset, and what is wrong with it.", no_args_is_help=True, rich_markup_mode=None)


def config_of(source: Path, folder: Path | None, streams: list[str] | None = None) -> tuple[DataConfig, Path]:
    """Return the data table of a source, and what its names are relative to."""
    from hil.models.data_config import load_data_config

    config = load_data_config(source)
    if streams:
        config = config.model_copy(update={"streams": tuple(streams)})
    return config, folder or (Path() if source.is_dir() else source.parent)


def _known(by: str) -> None:
    from hil.models import datasets

    if by not in datasets.GROUPS:
        raise UsageError(f"there is no group {by!r}", "--by", f"use {', '.join(datasets.GROUPS)}")


@data.command("info")
def info(source: Source, folder: Folder = None, by: By = "person", streams: Streams = None, json: Json = False) -> None:
    """Say what is in a dataset: recordings, groups, seconds of each class of each group, units and rates.

    Example: hil data info scenarios/recordings
    """
    from hil.data.info import describe, tables
    from hil.data.parts import read_whole

    _known(by)
    plain = describe(read_whole(*config_of(source, folder, streams)), by)
    if json:
        print_json(plain)
        return
    headers, rows, lines = tables(plain)
    print("\n".join([*lines, ""]))
    print_table(headers, rows)


@data.command("label")
def label(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording (.mcap).")],
    text: Annotated[str | None, typer.Argument(metavar="[LABEL]", help="What to call a stretch.")] = None,
    begin: From = None,
    end: To = None,
    board: Annotated[str, typer.Option("--board", help="Role of the board it is about; default: all.")] = "",
    remove: Annotated[str | None, typer.Option("--remove", metavar="ID|LABEL", help="Take this label away.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take back what was done last.")] = False,
    picked: Annotated[
        str | None, typer.Option("--pick", metavar="next|ID", help="The stretch of a suggestion of `hil pick`.")
    ] = None,
    dismiss: Annotated[
        str | None, typer.Option("--dismiss", metavar="next|ID", help="Take a suggestion away without a label.")
    ] = None,
    json: Json = False,
) -> None:
    """Label a stretch of a recording, take a label away, undo; without any of these, list what is there.

    The recording itself never changes: labels stand in NAME.marks.jsonl beside it, and nothing in there is erased.
    Open suggestions of `hil pick` are listed with the labels; `hil data label FILE ROW --pick next` answers one. What
    lies in two labels counts as unlabelled.

    Example: hil data label run.mcap ROW --from 12 --to 30
    """
    import hil
    from firmware_bridge.clock import SystemClock
    from hil.data import labelling, suggested
    from hil.engine.desk import user_name
    from hil.recording.marks import remove_mark
    from hil.replay.replay import mark_time

    if sum((text is not None, remove is not None, undo, dismiss is not None)) > 1:
        raise UsageError("one thing at a time", str(file), "give LABEL, --remove, --dismiss or --undo")
    if picked is not None and (text is None or begin is not None or end is not None):
        raise UsageError("a suggestion says its own times and wants a label", "--pick", "give LABEL, no --from or --to")
    now = SystemClock().now_ns()
    with hil.open(file) as recording:

        def label_it(text: str, start_ns: int, stop_ns: int) -> None:
            there = labelling.label_stretch(recording, text, start_ns, stop_ns, now, author=user_name(), board=board)
            for other in there:
                talk(f"it overlaps {other.text} ({other.id}): what lies in both counts as unlabelled")

        if text is not None and picked is not None:
            one = suggested.find(file, recording.kept_marks, picked)
            board = board or one.board
            label_it(text, one.start_ns, one.stop_ns)
        elif dismiss is not None:
            remove_mark(file, suggested.find(file, recording.kept_marks, dismiss).id, now, user_name())
        elif text is not None:
            if begin is None or end is None:
                raise UsageError("a label needs a beginning and an end", str(file), "give --from and --to")
            start, stop = (recording.start_ns + round(mark_time(recording, at) * 1e9) for at in (begin, end))
            label_it(text, start, stop)
        elif remove is not None:
            labelling.remove_label(file, recording.kept_marks, remove, now, user_name())
        elif undo:
            for said in labelling.undo(file, recording.recorded_marks, now, user_name()):
                talk(said)
        found = labelling.intervals(recording.kept_marks)
        rows = [
            (one.id, (one.start_ns - recording.start_ns) / 1e9,
             recording.duration_s if one.stop_ns is None else (one.stop_ns - recording.start_ns) / 1e9,
             one.text, one.board, one.author)
            for one in found
        ]  # fmt: skip
        still_open = [
            (one.id, *((at - recording.start_ns) / 1e9 for at in (one.start_ns, one.stop_ns)), one.guess, one.board,
             one.why)
            for one in suggested.open_suggestions(recording.kept_marks)
        ]  # fmt: skip
    keys = ("id", "from_s", "to_s", "label", "board", "author")
    asked = ("id", "from_s", "to_s", "guess", "board", "why")
    if json:
        labels = [dict(zip(keys, row, strict=True)) for row in rows]
        waiting = [dict(zip(asked, row, strict=True)) for row in still_open]
        print_json({"schema": 1, "file": str(file), "labels": labels, "suggestions": waiting})
        return
    print_table(keys, [(row[0], f"{row[1]:.3f}", f"{row[2]:.3f}", *row[3:]) for row in rows])
    if still_open:
        print()
        print_table(asked, [(row[0], f"{row[1]:.3f}", f"{row[2]:.3f}", row[3] or "?", *row[4:]) for row in still_open])


@data.command("split")
def split(
    source: Source,
    output: Output = None,
    folder: Folder = None,
    by: By = "person",
    folds: Annotated[int | None, typer.Option("--folds", min=2, help="How many; default: leave one out.")] = None,
    streams: Streams = None,
    json: Json = False,
) -> None:
    """Write who is held out with whom: folds of people, days or devices in order of their names, never at random.

    Example: hil data split scenarios/recordings -o split.json
    """
    from hil.data.parts import group_of, read_whole
    from hil.data.splits import make_split, write_split

    if by == "random":
        make_split((), by)
    _known(by)
    whole = read_whole(*config_of(source, folder, streams))
    made = make_split([group_of(part, by) for part in whole.parts], by, folds)
    if output is not None:
        write_split(made, output)
    if json or output is None:
        print_json(made.as_dict() | ({"file": str(output)} if output is not None else {}))
    else:
        print_table(("fold", f"held-out {by}"), [(at, ", ".join(one)) for at, one in enumerate(made.folds, 1)])
        print(output)


@data.command("check")
def check(
    source: Source,
    folder: Folder = None,
    by: By = "person",
    split_file: Annotated[
        Path | None, typer.Option("--split", metavar="FILE", help="Folds to check, of `hil data split`.")
    ] = None,
    streams: Streams = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Look for what makes figures wrong: leaks, copies, wrong labels, units, rates, dead and saturated channels.

    Exit 1 where something of level error was found.

    Example: hil data check scenarios/recordings
    """
    from hil.data.check import CHECKS
    from hil.data.check import check as look
    from hil.data.finding import ERROR, LEVELS
    from hil.data.splits import read_split

    _known(by)
    chosen = None if split_file is None else read_split(split_file)
    config, base = config_of(source, folder, streams)
    with worked("checks", len(CHECKS)) as told:
        found = look(config, base, by=by, split=chosen, seed=seed, progress=told)
    counts = {level: sum(one.level == level for one in found) for level in LEVELS}
    if json:
        print_json({"schema": 1, "counts": counts, "findings": [one.as_dict() for one in found]})
    else:
        alike: dict[tuple[str, str], int] = {}
        for one in found:
            alike[one.level, one.check] = alike.get((one.level, one.check), 0) + 1
            if alike[one.level, one.check] <= MOST:
                print(f"{one.level}: {one.check}: {one.where}: {one.what}; {one.next}")
        for (level, name), count in alike.items():
            if count > MOST:
                print(f"{level}: {name}: and {count - MOST} more; --json has all")
        print(", ".join(f"{count} {level}{'' if count == 1 else 's'}" for level, count in counts.items()))
    if counts[ERROR]:
        raise typer.Exit(1)


@data.command("gather")
def gather(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Logged files (CSV).")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="Folder of the recordings.")],
    name: Annotated[
        str, typer.Option("--name", help="What file names say, such as {place}-Day{day}-{person}-{label}.")
    ],
    board_file: BoardFile = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="FACT=REGEX", help="Leave out files that say otherwise.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a folder of recordings of many logged files, with person, day, label and so on from their names.

    Example: hil data gather logs/*.csv --board-file board.toml --name '{person}-{day}-{label}' -o recordings
    """
    from hil.data.gather import gather as bring

    if board_file is None:
        raise UsageError("nothing says what the columns mean", "gather", "give --board-file F")
    wanted = []
    for pair in only or ():
        key, sign, value = pair.partition("=")
        if not (key and sign):
            raise UsageError(f"{pair!r} is no FACT=REGEX", "--only", "write for example --only label=[1-8]")
        wanted.append((key, value))
    with worked("files", len(files)) as told:
        found = bring(files, output, name, board_file=board_file, only=wanted, progress=told)
    if json:
        print_json({"schema": 1, **found.as_dict()})
        return
    for file, why in found.left:
        talk(f"left out: {file}: {why}", quiet)
    samples = sum(sum(one.samples.values()) for one in found.made)
    made, left = counted(len(found.made), "recording"), counted(len(found.left), "file")
    print(f"{made}, {counted(samples, 'sample')}; {left} left out")
    print(output)


GROUPS = ((data, "data"),)
