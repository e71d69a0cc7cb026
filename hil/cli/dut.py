"""`hil dut`: a device under test that speaks the text protocol of MLPerf Tiny, asked and judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from firmware_bridge.errors import UsageError
from firmware_bridge.missing import unread
from hil.cli.common import Json, ModelFile, Quiet, print_json, print_table, talk, worked

if TYPE_CHECKING:
    from firmware_bridge.oplist.ops import OpList
    from hil.dut.cases import Cases
    from hil.dut.drive import Driver

__all__ = ["VERBS", "dut"]


def dut(
    port: Annotated[str, typer.Argument(metavar="PORT|TRANSCRIPT", help="Where the board is, or what was written.")],
    model: ModelFile = None,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", help="Recording to judge by (several times), or a truth file: file, classes, class."),
    ] = None,
    oplist: Annotated[
        Path | None, typer.Option("--oplist", help="The op list that the board holds, to compare every output with.")
    ] = None,
    mode: Annotated[
        Literal["accuracy", "performance"], typer.Option("--mode", help="How right, or how fast.")
    ] = "accuracy",
    windows: Annotated[
        int | None, typer.Option("--windows", min=1, help="Judge so many, spread evenly; default: all.")
    ] = None,
    runs: Annotated[int, typer.Option("--runs", min=1, help="Timed runs; the median counts.")] = 5,
    at_least: Annotated[
        float, typer.Option("--at-least", metavar="SECONDS", min=0.001, help="What a timed run lasts.")
    ] = 10.0,
    board: Annotated[str | None, typer.Option("--board", help="Role of the board in the recordings.")] = None,
    read_back: Annotated[
        bool, typer.Option("--read-back", help="Have every window printed and every result said twice.")
    ] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0.05, help="How long a command may take.")
    ] = 5.0,
    transcript: Annotated[
        Path | None, typer.Option("--transcript", help="File for all that is said, with a running hash.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Ask a board that speaks the MLPerf Tiny protocol: how right it is, or how fast.

    Without --oplist answers are judged by their labels alone. Ends with 1 where an output differs from the op list's.
    Of a transcript it says whether it is as it was written.
    """
    if "://" not in port and Path(port).is_file():
        _told(Path(port), json)
        return
    from firmware_bridge.wire.dutsession import Patience
    from hil.dut.drive import Driver

    cases, held = _given(model, data or [], oplist, board)
    if windows is not None:
        cases = cases.thinned(windows)
    if transcript is not None and transcript.exists():
        raise UsageError("the file exists and is never overwritten", str(transcript), "choose another name")
    about = {"port": port, "mode": mode, "windows": len(cases)}
    talk(f"{port}: {mode} by {len(cases)} windows", quiet)
    driver = Driver(
        port, transcript=transcript, about=about, patience=Patience(command_s=timeout), read_back=read_back
    )  # fmt: skip
    with driver, worked("windows" if mode == "accuracy" else "runs") as progress:
        if mode == "accuracy":
            from hil.dut.drive import answer_all

            answers = answer_all(driver, cases.data, progress)
            found, differs = _quality([answer.values for answer in answers], cases, held, str(oplist))
        else:
            from hil.dut.drive import measure_runs
            from hil.dut.figures import throughput

            speed = throughput(measure_runs(driver, cases.data, runs, at_least, progress), at_least)
            found, differs = {"throughput": speed.as_dict()}, False
            if speed.clock_is_off:
                talk(f"{port}: by this machine's clock a run took {100 * speed.host_off:+.1f} % of what the board says")
    _report(driver, mode, found, transcript, json)
    if differs:
        raise typer.Exit(1)


def _given(
    model: Path | None, data: list[Path], oplist: Path | None, board: str | None
) -> tuple[Cases, OpList | None]:  # fmt: skip
    from firmware_bridge.oplist.ops import unpack
    from hil.dut.cases import of_recordings, of_table

    if not data:
        raise UsageError("there is nothing to ask about", "hil dut", "give a recording or a truth file with --data")
    tables = [path for path in data if path.suffix == ".csv"]
    if tables and len(data) > 1:
        raise UsageError("one truth file, or recordings, not both", str(tables[0]), "name one kind")
    if not tables and model is None:
        raise UsageError("which windows a recording has is up to a model", "hil dut", "give it with --model")
    held = None
    if oplist is not None:
        try:
            held = unpack(oplist.read_bytes())
        except OSError as error:
            raise unread(error, oplist, "check the name") from None
    if tables:
        return of_table(tables[0]), held
    from hil.models.model import load_model

    assert model is not None
    return of_recordings(data, load_model(model), board), held


def _quality(
    answers: list[tuple[float, ...]], cases: Cases, oplist: OpList | None, where: str
) -> tuple[dict[str, Any], bool]:
    from dataclasses import asdict

    from hil.dut.figures import agreement, quality

    found: dict[str, Any] = {"quality": asdict(quality(answers, cases.truth, cases.item)), "agreement": None}
    if oplist is None:
        return found, False
    from firmware_bridge.oplist.reference import dequantised, run
    from hil.dut.cases import as_windows

    last = oplist.ops[-1]
    expected = dequantised(last, run(oplist, as_windows(cases, oplist, where))[-1]).reshape(len(cases), -1)
    agreed = agreement(answers, expected.astype("f8"), last.out_scale)
    found["agreement"] = asdict(agreed)
    return found, agreed.identical < agreed.windows


def _report(driver: Driver, mode: str, found: dict[str, Any], transcript: Path | None, json: bool) -> None:
    board, counts = driver.board, dict(driver.session.counts)
    assert board is not None
    if json:
        who = {"name": board.name, "profile": board.profile, "model": board.model, "mode": board.mode or None}
        print_json({"schema": 1, "port": driver.port, "mode": mode, "board": who, **found, "troubles": counts,
                    "strange_lines": driver.session.strange, "transcript": transcript})  # fmt: skip
        return
    troubles = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "none"
    rows = [("board", board.name, f"{board.model}, {board.profile}")]
    rows += _rows_of_quality(found) if mode == "accuracy" else _rows_of_speed(found["throughput"])
    rows += [("troubles", str(sum(counts.values())), f"{troubles}; {driver.session.strange} lines that are none")]
    print_table(("what", "value", "of"), rows)


def _rows_of_quality(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    right, agreed = found["quality"], found["agreement"]
    judged = f"{right['labelled']} of {right['things']} have a truth"
    rows = [("windows", str(right["things"]), judged)]
    if right["accuracy"] is not None:
        of = f"95 % interval {100 * right['low']:.2f} to {100 * right['high']:.2f} % as if independent"
        rows += [("accuracy", f"{100 * right['accuracy']:.2f} %", of), ("macro_f1", f"{right['macro_f1']:.4f}", judged)]
    rows.append(
        ("auc", "unknown" if right["auc"] is None else f"{right['auc']:.4f}", "scores as the board prints them")
    )
    if agreed is None:
        rows.append(("agreement", "unknown", "give --oplist to compare every output"))
    else:
        first = agreed["first_difference"]
        of = "every output as the op list's on this machine" + ("" if first is None else f"; first other: {first}")
        rows.append(("identical", f"{agreed['identical']} of {agreed['windows']}", of))
        rows.append(("same label", f"{agreed['same_label']} of {agreed['windows']}", "the largest output"))
    return rows


def _rows_of_speed(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    rows = [
        (f"run {number}", f"{rate:.1f}/s", f"{count} inferences in {seconds:.3f} s by the board's counter")
        for number, (rate, count, seconds) in enumerate(
            zip(found["per_s"], found["inferences"], found["seconds"], strict=True), 1
        )
    ]
    least = f"median of {len(rows)} runs of at least {found['least_s']:g} s"
    usual = "" if found["least_s"] >= 10 and len(rows) == 5 else " (the benchmark asks for 5 of 10 s)"
    return [*rows, ("throughput", f"{found['median_per_s']:.1f}/s", least + usual)]


def _told(path: Path, json: bool) -> None:
    from firmware_bridge.wire.dut import Say, said
    from firmware_bridge.wire.transcript import read_transcript

    try:
        with path.open(encoding="utf-8") as lines:
            read = read_transcript(lines, str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise unread(error, path, "check the name") from None
    answers = sum(entry.way == "<" and said(entry.text.encode()).kind is Say.RESULTS for entry in read.entries)
    if json:
        print_json({"schema": 1, "about": read.about, "lines": len(read.entries), "answers": answers,
                    "whole": read.whole})  # fmt: skip
    else:
        end = "whole" if read.whole else "cut off: its last line is missing"
        print(f"{path}: {end}, {len(read.entries)} lines as they were written, {answers} answers")
    if not read.whole:
        raise typer.Exit(1)


VERBS = (dut,)
