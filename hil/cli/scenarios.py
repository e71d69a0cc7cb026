"""Verbs of scenarios: `hil run`, `hil metrics`, `hil scenario new|schema|check`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from firmware_bridge.errors import UsageError
from hil.cli.cluster import Insecure, TlsCa, TlsCert, TlsKey, joined, refuse_local
from hil.cli.common import From, Json, Output, Quiet, Seed, To, print_json, print_table, talk, terminable, worked
from hil.cli.runs import RUNS, Keep, KeepAll, KeepMost, NoKeep, Past, RunPage, Yes, asker, kept_in

__all__ = ["GROUPS", "VERBS"]

Paths = Annotated[list[Path], typer.Argument(metavar="PATH...", help="Scenario files, or folders of them.")]

scenario = typer.Typer(help="Write and check scenario files.", no_args_is_help=True, rich_markup_mode=None)


@scenario.command("schema")
def schema() -> None:
    """Print the JSON schema of a scenario, for editors."""
    from hil.scenario.grammar.load import json_schema

    print_json(json_schema())


@scenario.command("check")
def check(paths: Paths) -> None:
    """Read scenario files and tell every mistake in them, without running them."""
    from hil.scenario.grammar.load import load_all

    loaded = load_all(paths)
    for one in loaded:
        print(f"{one.path}: {one.scenario.name}")
    talk(f"{len(loaded)} scenario{'s are' if len(loaded) != 1 else ' is'} well formed")


@scenario.command("new")
def new(
    recording: Annotated[Path, typer.Argument(metavar="RECORDING", help="A recording (.mcap).")],
    output: Output = None,
    name: Annotated[str, typer.Option("--name", help="What must hold, in a sentence.")] = "",
    begin: From = None,
    end: To = None,
    cut: Annotated[
        bool, typer.Option("--cut", help="Write that stretch into a small recording beside the scenario.")
    ] = False,
) -> None:
    """Write a scenario to start from: what a recording, or a stretch of it, holds as proposed limits."""
    from hil.scenario.skeleton import Stretch, skeleton, write_new

    folder = Path.cwd() if output is None else output.parent
    part = Stretch(*(None if place is None else _place(recording, place) for place in (begin, end)))
    named = name or f"What was seen in {recording.stem} holds"
    if cut:
        if output is None or part == Stretch():
            raise UsageError("a stretch is written beside a scenario", "--cut", "give --from or --to, and -o FILE")
        from hil.replay.cutting import cut as write

        recording, part = write(recording, output.with_suffix(".mcap"), part.from_s, part.to_s), Stretch()
    text = skeleton(recording, named, folder, part)
    if output is None:
        print(text, end="")
        return
    write_new(output, text)
    talk(f"{output}: read it, and keep the limits that are to hold")


@scenario.command("glitch")
def glitch(
    recording: Annotated[Path, typer.Argument(metavar="RECORDING", help="A recording (.mcap).")],
    begin: From = None,
    end: To = None,
    before: Annotated[float, typer.Option("--before", min=0, metavar="S", help="What is kept of before.")] = 30.0,
    after: Annotated[float, typer.Option("--after", min=0, metavar="S", help="What is kept of after.")] = 5.0,
    output: Output = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a test of a glitch in a recording: cut it out, and write a scenario that asserts what was expected.

    Example: hil scenario glitch session.mcap --from 12.5 --to 14 -o scenarios/bump.toml
    """
    from hil.scenario.captured import glitch_in
    from hil.scenario.glitch import NOTHING_LEFT

    if begin is None or end is None:
        raise UsageError("a glitch has a beginning and an end", str(recording), "give --from and --to")
    stretch = _place(recording, begin), _place(recording, end)
    made = glitch_in(recording, *stretch, before_s=before, after_s=after, output=output)
    if json:
        print_json({"schema": 1, "scenario": str(made), "recording": str(made.with_suffix(".mcap"))})
        return
    print(made)
    if NOTHING_LEFT in made.read_text(encoding="utf-8"):
        talk(f"{made}: {NOTHING_LEFT[0].lower()}{NOTHING_LEFT[1:].rstrip('.')}", quiet)
    else:
        talk(f"hil run {made}: what the glitch broke fails there, and passes on a recording without it", quiet)


def _place(recording: Path, place: str) -> float:
    """Return a place in a recording in seconds: a number, or the name of a mark."""
    from hil.recording.reader import Recording
    from hil.replay.replay import mark_time

    with Recording(recording) as opened:
        return mark_time(opened, place)


def run(
    paths: Paths,
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="TARGET", help="recording, virtual, firmware, PORT or ROLE=PORT."),
    ] = None,
    stimulus: Annotated[
        bool, typer.Option("--stimulus", help="Push recorded readings into virtual boards too, as into live ones.")
    ] = False,
    against: Annotated[
        str | None, typer.Option("--against", metavar="TARGET", help="Run on this target too, and show the gap.")
    ] = None,
    seed: Seed = 0,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="Only scenarios with this tag.")] = None,
    twice: Annotated[
        bool, typer.Option("--twice", help="Run again with other batches, order of boards and byte by byte; compare.")
    ] = False,
    repeat: Annotated[int, typer.Option("--repeat", min=1, help="Runs each; gives a pass rate.")] = 1,
    retry_trouble: Annotated[int, typer.Option("--retry-trouble", min=0, help="Runs more after TROUBLE.")] = 0,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Local processes.")] = 1,
    cluster: Annotated[
        str | None, typer.Option("--cluster", metavar="URL", help="Run on a cluster: tls://HOST:PORT.")
    ] = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    insecure: Insecure = False,
    wait: Annotated[
        float, typer.Option("--wait", min=0, metavar="SECONDS", help="Wait so long for a port that somebody holds.")
    ] = 0.0,
    bench: Annotated[
        Path | None,
        typer.Option(
            "--bench", metavar="FILE", help="Port of each board; default: $HIL_BENCH, or bench.toml of this folder."
        ),
    ] = None,
    update_baselines: Annotated[
        bool, typer.Option("--update-baselines", help="Show the difference to the accepted results, then accept it.")
    ] = False,
    yes: Yes = False,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML.")] = None,
    markdown: Annotated[
        Path | None, typer.Option("--summary", metavar="FILE.md", help="Write a short summary.")
    ] = None,
    page: RunPage = None,
    keep: Keep = RUNS,
    keep_all: KeepAll = False,
    keep_most: KeepMost = 64.0,
    no_keep: NoKeep = False,
    past: Past = None,
    strict: Annotated[bool, typer.Option("--strict", help="Let NA count as a failure.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Show every check.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run scenarios and judge them; exit 0 passed, 1 a check failed, 2 usage, 3 trouble at the bench.

    Ctrl-C (or SIGTERM) ends it with what is done: reports are written, the rest is TROUBLE, and the exit is 130.
    """
    from hil.scenario.afterwards.accept import accept
    from hil.scenario.execution.place import refuse_nobody
    from hil.scenario.grammar.benchfile import find_bench, read_bench
    from hil.scenario.grammar.load import load_all
    from hil.scenario.many import run_all, was_interrupted
    from hil.scenario.reporting import Reports, write_reports
    from hil.scenario.results.outcome import ScenarioResult, exit_code
    from hil.scenario.results.table import result_lines, total_line
    from hil.scenario.run import RunOptions

    if cluster is not None:
        refuse_local(on, bench, jobs)
    loaded = load_all(paths, tag or ())
    refuse_nobody(on, loaded)
    refuse_nobody(against, loaded)
    ports: tuple[tuple[str, str], ...] = ()
    bench_file = ""
    if cluster is None and (chosen := find_bench(bench)) is not None:
        ports, bench_file = read_bench(chosen[0]), str(chosen[0])
        talk(f"bench: {chosen[0]} (by {chosen[1]})", quiet)
    folder, history = kept_in(keep, past, no_keep)
    options = RunOptions(
        bench=ports,
        bench_file=bench_file,
        on=on,
        seed=seed,
        twice=twice,
        repeat=repeat,
        retry_trouble=retry_trouble,
        update_baselines=update_baselines,
        stimulus=stimulus,
        against=against,
        keep=folder,
        keep_all=keep_all,
        keep_bytes=round(keep_most * 1e6),
        exhibit=page is not None,
        wait_s=wait,
    )
    crew = None if cluster is None else joined(cluster, tls_ca, tls_cert, tls_key, insecure)
    began = time.monotonic()

    def tell(result: ScenarioResult) -> None:
        for line in result_lines(result, verbose):
            if json:
                talk(line, quiet)
            elif not quiet:
                print(line, flush=True)

    with worked("scenarios", len(loaded)) as share, terminable():
        told = None if update_baselines else tell
        results = run_all(loaded, options, jobs, told, crew, lambda count: share(count / len(loaded)))
    seconds = time.monotonic() - began
    if update_baselines:
        # Only now, with all differences at hand, and here, where the person is.
        ask = asker(yes, json)
        results = [accept(one, given, ask) for one, given in zip(results, loaded, strict=True)]
        for result in results:
            tell(result)
    total = total_line(results, seconds)
    reports = Reports(junit, markdown, page, history)
    write_reports(results, reports, seconds, time.time_ns(), lambda sentence: talk(sentence, quiet))
    if json:
        print_json({"schema": 1, "scenarios": [one.as_dict() for one in results]})
        talk(total, quiet)
    else:
        print(total)
    raise typer.Exit(130 if was_interrupted(results) else exit_code(results, strict))


def metrics(json: Json = False) -> None:
    """List every metric that a check can name: unit, kind, meaning, source."""
    from hil.scenario.grammar.catalogue import ROWS

    if json:
        print_json({"metrics": [row.as_dict() for row in ROWS]})
        return
    rows = [(row.pattern, row.unit.replace("{u}", "unit"), row.kind, row.meaning, row.source) for row in ROWS]
    print_table(("metric", "unit", "kind", "meaning", "source"), rows)


VERBS = (run, metrics)
GROUPS = ((scenario, "scenario"),)
