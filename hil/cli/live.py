"""Verbs of the screen: `hil demo`, `hil ui`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firmware_bridge.errors import PortMissing, UsageError
from firmware_bridge.missing import missing
from hil.cli.common import BoardFile, For, From, Json, ModelFile, Seed, To, Wait, print_json, talk

if TYPE_CHECKING:
    from hil.config import EngineConfig
    from hil.engine.summary import Summary
    from hil.tui.start import Session

__all__ = ["VERBS", "demo", "engine_config", "finish", "ui", "waits_named"]

DEMO_S = 8.0
"""How long the demo runs without a terminal: long enough for the first decisions of the model."""

RECORDINGS, SCENARIOS = Path("recordings"), Path("scenarios")
"""Where recordings and scenarios lie, where nobody said."""

Plain = Annotated[bool, typer.Option("--plain", help="Lines instead of a screen, for pipes and logs.")]
Fps = Annotated[float, typer.Option("--fps", min=0.2, max=60, help="Pictures a second, at most.")]
Script = Annotated[
    Path | None,
    typer.Option("--script", metavar="KEYS.txt", help="Play a text of keys with nobody there: see `hil ui --help`."),
]
Record = Annotated[
    Path | None,
    typer.Option("--record", metavar="OUT.cast", help="Keep what is drawn as an asciicast (asciinema plays it)."),
]
Web = Annotated[
    bool, typer.Option("--web", help="Serve the screen to a browser; prints the address, which holds a token.")
]
Host = Annotated[str, typer.Option("--host", help="Interface for --web; another than loopback needs --expose.")]
WebPort = Annotated[int, typer.Option("--web-port", min=0, max=65535, help="TCP port for --web; 0: any that is free.")]
Expose = Annotated[
    bool, typer.Option("--expose", help="Let other machines in by --web (HIL_TLS_DIR names the files of TLS).")
]
Recordings = Annotated[
    Path, typer.Option("--recordings", metavar="FOLDER", help="Recordings of the page that shows them.")
]
Scenarios = Annotated[Path, typer.Option("--scenarios", metavar="FOLDER", help="Scenarios of the page that runs them.")]


def demo(
    seed: Seed = 0,
    seconds: For = None,
    plain: Plain = False,
    fps: Fps = 10.0,
    model: ModelFile = None,
    recordings: Recordings = RECORDINGS,
    scenarios: Scenarios = SCENARIOS,
    script: Script = None,
    record: Record = None,
    web: Web = False,
    host: Host = "127.0.0.1",
    web_port: WebPort = 8023,
    expose: Expose = False,
    json: Json = False,
) -> None:
    """Show three boards that are not there, and a model that names what a real person's watch does.

    `--script` and `--record` are explained by `hil ui --help`.
    """
    from hil.cli.browser import checked, in_browser
    from hil.demo import demo_config
    from hil.tui.start import needs_terminal
    from hil.tui.web.tab import Tab

    config = demo_config(seed, None if model is None else str(model))
    lines = plain or json or seconds is not None
    session = session_of(script, record, lines=lines)
    if web:
        checked(lines, session)
        in_browser(config, Tab(fps=fps, folder=str(recordings), scenarios=str(scenarios)), host, web_port, expose)
    elif lines or (script is None and record is None and needs_terminal()):
        _lines(config, seconds or DEMO_S, as_json=json)
    else:
        _screen(lambda: config, fps, recordings, scenarios, session)


def ui(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PORT|FILE|FOLDER...]", help="Ports, one recording, or a folder of recordings."),
    ] = None,
    plain: Plain = False,
    model: ModelFile = None,
    board_file: BoardFile = None,
    dialect: Annotated[str | None, typer.Option("--dialect", help="How the boards talk; default: found out.")] = None,
    speed: Annotated[str, typer.Option("--speed", help="Of a recording: 0.1 to 1000, or max.")] = "1",
    begin: From = None,
    end: To = None,
    loop: Annotated[bool, typer.Option("--loop", help="Play a recording again and again.")] = False,
    wait: Wait = 0.0,
    seconds: For = None,
    fps: Fps = 10.0,
    scenarios: Scenarios = SCENARIOS,
    script: Script = None,
    record: Record = None,
    web: Web = False,
    host: Host = "127.0.0.1",
    web_port: WebPort = 8023,
    expose: Expose = False,
    json: Json = False,
) -> None:
    """Show boards live, a recording with pause, step, seek and speed, or a folder of recordings to look at and label.

    Of several ports one may be missing: the screen begins with the boards that are there, and that one joins when it
    comes.

    Without ports it begins with the recordings in ./recordings; F2 to F6 go from page to page, ? explains. Keys, theme
    and motion can be set in ~/.config/hil/screen.toml ($HIL_SCREEN names another file), for example
    [keys] "record.toggle" = "f9".

    A script plays a session with nobody there, for documents and tests, a step a line: size 120x35, press f3 down
    enter, type "words", focus PANE, wait "text" SECONDS, gone "text" SECONDS, sleep SECONDS, picture FILE.svg, text
    FILE.txt, data FILE.csv (or .npz). It ends with status 1 and the number of the line where a step did not come true.
    For example: hil ui virtual://imu --script keys.txt --record out.cast

    Another shell shows the same bench with hil attach; ? says where its engine is.

    --web shows the same screen in any number of tabs of a browser, all on one engine; leaving one ends nothing, ctrl-c
    here ends all. For example: hil ui /dev/ttyACM0 --web
    """
    from hil.cli.browser import checked, in_browser
    from hil.tui.start import needs_terminal
    from hil.tui.web.tab import Tab

    plain = plain or json
    session = session_of(script, record, lines=plain)
    sources = sources or []
    folder = next((Path(source) for source in sources if "://" not in source and Path(source).is_dir()), None)
    if folder is not None and len(sources) > 1:
        raise UsageError("a folder stands alone", str(folder), "name one folder, one recording, or ports")
    if plain and (folder is not None or not sources):
        raise UsageError("lines need a bench or a recording", "hil ui --plain", "name ports or one recording")
    if web:
        checked(plain, session)
    elif not plain and script is None and (sentence := needs_terminal()):
        talk(sentence)
        raise typer.Exit(2)
    if web and (folder is not None or not sources):
        tab = Tab(fps=fps, folder=str(folder or RECORDINGS), scenarios=str(scenarios), start="recordings")
        in_browser(None, tab, host, web_port, expose)
        return
    if folder is not None or not sources:
        _browse(folder or RECORDINGS, fps, scenarios, session)
        return
    recording = one_recording(sources)
    speed_of(speed)
    _there(sources, model)
    make = partial(
        engine_config, sources, model, board_file, dialect, speed, begin, end, loop, wait, hold=not plain,
        late=not plain,
    )  # fmt: skip
    if plain:
        with waits_named(sources):
            _lines(make(), seconds, as_json=json)
    else:
        place = Path(recording).parent if recording else RECORDINGS
        if web:
            in_browser(make(), Tab(fps=fps, folder=str(place), scenarios=str(scenarios)), host, web_port, expose)
        else:
            _screen(make, fps, place, scenarios, session)


def session_of(script: Path | None, record: Path | None, *, lines: bool) -> Session:
    """Return what is done with a session besides showing it, with the script read.

    Raises:
        UsageError: A line of the script cannot be meant, or no screen is shown.
        FileError: The script cannot be read.
    """
    from hil.tui.start import Session

    if lines and (script or record):
        option = "--script" if script else "--record"
        raise UsageError("lines are neither played nor recorded", option, "leave out --plain, --json and --for")
    if script is None:
        return Session(record=record)
    from hil.tui.scripted.script import read_script

    return Session(read_script(script), str(script), record)


def engine_config(
    sources: list[str], model: Path | None, board_file: Path | None, dialect: str | None = None, speed: str = "1",
    begin: str | None = None, end: str | None = None, loop: bool = False, wait: float = 0.0, hold: bool = True,
    late: bool = False,
) -> EngineConfig:  # fmt: skip
    """Return what an engine is to do with what was named on the command line.

    `hold` keeps a replay open at its end, for a person who may wind it back; `late` lets a port be missing that may
    come, for a person who sees that it does.

    Raises:
        UsageError: Ports and recordings are mixed, or the speed is no speed.
        FileMissing: There is no such model, file or folder.
    """
    from hil.config import EngineConfig, ModelConfig, PortConfig, ReplayConfig

    _there((), model)
    models = () if model is None else (ModelConfig(path=str(model)),)
    if recording := one_recording(sources):
        replay = ReplayConfig(path=recording, speed=speed_of(speed), begin=begin, end=end, loop=loop, hold=hold)
        return EngineConfig(replay=replay, models=models)
    _there(sources, None)
    described = None if board_file is None else str(board_file)
    ports = tuple(PortConfig(port=source, board_file=described, dialect=dialect) for source in sources)
    return EngineConfig(ports=ports, models=models, wait_s=wait, late=late)


@contextmanager
def waits_named(ports: Sequence[str]) -> Iterator[None]:
    """Say of a port that is missing among others how to go on without it, and how to wait for it."""
    try:
        yield
    except PortMissing as error:
        if len(ports) < 2:
            raise
        ways = f"{error.next_step}; leave it out, or wait for it with `--wait SECONDS`"
        raise PortMissing(error.what, error.where, ways) from None


def _there(sources: Sequence[str], model: Path | None) -> None:
    """Refuse a mistyped file before anything starts.

    Raises:
        FileMissing: There is no such model, file or folder.
    """
    if model is not None and not model.exists():
        raise missing(model, otherwise="name a .hilmodel or .onnx file")
    for source in filter(_is_path, sources):
        raise missing(source, "no such file or folder", "name a recording, a folder, or a port as `hil ports` does")


def _is_path(source: str) -> bool:
    """Whether a name that is nothing must have meant a file or a folder: a device is named from the root or plainly."""
    if "://" in source or source.startswith("exec:") or "=exec:" in source or Path(source).exists():
        return False
    return source.endswith(("/", ".mcap")) or ("/" in source and not source.startswith("/") and "=/" not in source)


def one_recording(sources: list[str]) -> str:
    """Return the recording that is to be replayed; empty where ports are named.

    Raises:
        UsageError: A recording is named together with anything else.
    """
    files = [source for source in sources if source.endswith(".mcap") and "://" not in source]
    if files and len(sources) > 1:
        raise UsageError(
            "one recording, or ports, not both",
            files[0],
            "name one recording, or play it as a port: virtual://replay?file=...",
        )
    return files[0] if files else ""


def speed_of(text: str) -> float | None:
    """Return a replay's speed; None for `max`.

    Raises:
        UsageError: It is neither `max` nor a number from 0.1 to 1000.
    """
    if text == "max":
        return None
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not 0.1 <= speed <= 1000:
        raise UsageError(f"the speed is {text!r}", "--speed", "give 0.1 to 1000, or max")
    return speed


def _browse(folder: Path, fps: float, scenarios: Path, session: Session) -> None:
    from hil.tui.nobench import NoBench
    from hil.tui.start import run_tui

    status = run_tui(NoBench(), fps, folder=folder, start="recordings", scenarios=scenarios, session=session)
    if status:
        raise typer.Exit(status)


def _screen(make: Callable[[], EngineConfig], fps: float, folder: Path, scenarios: Path, session: Session) -> None:
    """Show the screen; what its engine is to do is put together once the first picture is there."""
    from hil.door.attach import spawn_engine
    from hil.tui.opening import Opening
    from hil.tui.start import run_tui

    with Opening(lambda: spawn_engine(make())) as client:
        status = run_tui(client, fps, folder=folder, scenarios=scenarios, session=session)
    if status:
        raise typer.Exit(status)


def _lines(config: EngineConfig, seconds: float | None, *, as_json: bool = False) -> None:
    from hil.capture import capture
    from hil.plain import Plain
    from hil.views.snapshot import Snapshot

    plain = Plain()

    def tell(snapshot: Snapshot) -> None:
        for line in plain.lines(snapshot):
            if as_json:
                talk(line)
            else:
                print(line, flush=True)

    summary = capture(config, seconds=seconds, on_snapshot=tell, say=talk)
    finish(summary, as_json=as_json)


def finish(summary: Summary, *, as_json: bool) -> None:
    """Print what came of a run; trouble of the bench ends with status 3."""
    if as_json:
        print_json({"schema": 1, **summary.as_dict()})
    else:
        print("\n".join(summary.lines()))
    recording = summary.recording
    unsaved = summary.glitches_not_kept or any(not one["scenario"] for one in summary.glitches)
    if summary.trouble or unsaved or (recording is not None and recording.state == "failed"):
        raise typer.Exit(3)


VERBS = (demo, ui)
