"""Verbs of scenarios: `hil run`, `hil metrics`, `hil scenario new|schema|check`."""

import time
from pathlib import Path
from typing import Annotated

import typer

from hil.cli.cluster import Insecure, TlsCa, TlsCert, TlsKey, joined
from hil.cli.common import Json, Output, Quiet, Seed, print_json, print_table, talk, terminable, worked

__all__ = ["GROUPS", "VERBS"]

Paths = Annotated[list[Path], typer.Argument(metavar="PATH...", help="Scenario files, or folders of them.")]

scenario = typer.Typer(help="Write and check scenario files.", no_args_is_help=True, rich_markup_mode=None)


@scenario.command("schema")
def schema() -> None:
    """Print the JSON schema of a scenario, for editors."""
    from hil.scenario.load import json_schema

    print_json(json_schema())


@scenario.command("check")
def check(paths: Paths) -> None:
    """Read scenario files and tell every mistake in them, without running them."""
    from hil.scenario.load import load_all

    loaded = load_all(paths)
    for one in loaded:
        print(f"{one.path}: {one.scenario.name}")
    talk(f"{len(loaded)} scenarios are well formed")


@scenario.command("new")
def new(
    recording: Annotated[Path, typer.Argument(metavar="RECORDING", help="A recording (.mcap).")],
    output: Output = None,
    name: Annotated[str, typer.Option("--name", help="What must hold, in a sentence.")] = "",
) -> None:
    """Write a scenario to start from: what a recording holds, with the observed values as proposed limits."""
    from firmware_bridge.errors import FileError
    from hil.scenario.skeleton import skeleton

    folder = Path.cwd() if output is None else output.parent
    text = skeleton(recording, name or f"What was seen in {recording.stem} holds", folder)
    if output is None:
        print(text, end="")
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise FileError(f"it cannot be written ({error.strerror})", str(output), "choose another name") from None
    talk(f"{output}: read it, and keep the limits that are to hold")


def run(
    paths: Paths,
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="TARGET", help="recording, virtual, firmware, PORT or ROLE=PORT."),
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
        Path | None, typer.Option("--bench", metavar="FILE", help="TOML file with the port of each board.")
    ] = None,
    update_baselines: Annotated[
        bool, typer.Option("--update-baselines", help="Accept what is found; shows the difference.")
    ] = False,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML.")] = None,
    markdown: Annotated[
        Path | None, typer.Option("--summary", metavar="FILE.md", help="Write a short summary.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Let NA count as a failure.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Show every check.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run scenarios and judge them; exit 0 passed, 1 a check failed, 2 usage, 3 trouble at the bench.

    Ctrl-C (or SIGTERM) ends it with what is done: reports are written, the rest is TROUBLE, and the exit is 130.
    """
    from hil.scenario.benchfile import read_bench
    from hil.scenario.junit import write_junit
    from hil.scenario.load import load_all
    from hil.scenario.many import run_all, was_interrupted
    from hil.scenario.markdown import summary
    from hil.scenario.outcome import ScenarioResult, exit_code
    from hil.scenario.run import RunOptions
    from hil.scenario.table import result_lines, total_line

    loaded = load_all(paths, tag or ())
    ports = () if bench is None else read_bench(bench)
    options = RunOptions(
        bench=ports,
        on=on,
        seed=seed,
        twice=twice,
        repeat=repeat,
        retry_trouble=retry_trouble,
        update_baselines=update_baselines,
        wait_s=wait,
    )
    crew = None if cluster is None else joined(cluster, options, tls_ca, tls_cert, tls_key, insecure)
    began = time.monotonic()

    def tell(result: ScenarioResult) -> None:
        for line in result_lines(result, verbose):
            if json:
                talk(line, quiet)
            elif not quiet:
                print(line, flush=True)

    with worked("scenarios", len(loaded)) as share, terminable():
        results = run_all(loaded, options, jobs, tell, crew, lambda count: share(count / len(loaded)))
    total = total_line(results, time.monotonic() - began)
    if junit is not None:
        write_junit(junit, results)
    if markdown is not None:
        markdown.write_text(summary(results, time.monotonic() - began), "utf-8")
    if json:
        print_json({"schema": 1, "scenarios": [one.as_dict() for one in results]})
        talk(total, quiet)
    else:
        print(total)
    raise typer.Exit(130 if was_interrupted(results) else exit_code(results, strict))


def metrics(json: Json = False) -> None:
    """List every metric that a check can name: unit, kind, meaning, source."""
    from hil.scenario.catalogue import ROWS

    if json:
        print_json({"metrics": [row.as_dict() for row in ROWS]})
        return
    rows = [(row.pattern, row.unit.replace("{u}", "unit"), row.kind, row.meaning, row.source) for row in ROWS]
    print_table(("metric", "unit", "kind", "meaning", "source"), rows)


VERBS = (run, metrics)
GROUPS = ((scenario, "scenario"),)
