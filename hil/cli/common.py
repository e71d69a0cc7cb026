"""What every verb shares: options that mean the same everywhere, output, progress."""

import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firmware_bridge.errors import BridgeError, FileMissing, UsageError

if TYPE_CHECKING:
    from hil.recording.reader import Recording

__all__ = [
    "BoardFile", "File", "For", "From", "Json", "ModelFile", "Output", "Ports", "Quiet", "Seed", "To", "Wait",
    "fresh", "print_json", "print_table", "report_error", "size_mb", "talk", "tell_lost", "terminable", "worked",
]  # fmt: skip

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing on stderr unless something is wrong.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="File to write; never overwritten.")]
For = Annotated[float | None, typer.Option("--for", metavar="SECONDS", help="Stop after so many seconds.")]
From = Annotated[str | None, typer.Option("--from", metavar="S|MARK", help="Start: seconds, or the name of a mark.")]
To = Annotated[str | None, typer.Option("--to", metavar="S|MARK", help="End: seconds, or the name of a mark.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of every random choice.")]
Wait = Annotated[
    float,
    typer.Option("--wait", metavar="SECONDS", help="Wait so long for a port that is missing or that somebody holds."),
]
BoardFile = Annotated[Path | None, typer.Option("--board-file", help="TOML description of a board nobody has met.")]
ModelFile = Annotated[Path | None, typer.Option("--model", help="A .hilmodel or .onnx file.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A recording (.mcap).")]
Ports = Annotated[
    list[str],
    typer.Argument(
        metavar="PORT...",
        help="/dev/ttyACM0, COM4, usb://SERIAL, socket://HOST:4000, exec:COMMAND, virtual://watch; ROLE=PORT names it.",
    ),
]


def talk(text: str, quiet: bool = False) -> None:
    """Say one line to the person, on stderr."""
    if not quiet:
        print(text, file=sys.stderr, flush=True)


def fresh(*paths: Path | None, suffix: str = "") -> None:
    """Refuse files that exist or whose folder does not, before the work and not after it; None is passed over.

    Args:
        paths: What will be written.
        suffix: What their names have to end in, so that other verbs know them for what they are.

    Raises:
        UsageError: One exists, or is called something else.
        FileMissing: One has no folder.
    """
    for path in filter(None, paths):
        if path.exists():
            raise UsageError("the file exists and is never overwritten", str(path), "choose another name")
        if not path.parent.is_dir():
            raise FileMissing("its folder does not exist", str(path), "make the folder, or choose another one")
        if suffix and path.suffix != suffix:
            raise UsageError(f"its name does not end in {suffix}", str(path), f"call it {path.stem}{suffix}")


def tell_lost(recording: "Recording") -> None:
    """Say on stderr what is missing in a recording that was cut off or damaged; nothing for a whole one."""
    for sentence in filter(None, (recording.lost, *recording.damaged)):
        talk(f"{recording.path}: {sentence}")


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object on stdout; what is not a number is null."""
    json.dump(_plain(value), sys.stdout, allow_nan=False, indent=None if not sys.stdout.isatty() else 2, default=str)
    sys.stdout.write("\n")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


def print_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as aligned text columns; numbers to the right."""
    cells = [[*map(str, row)] for row in rows]
    widths = [max(len(line[i]) for line in [[*headers], *cells]) for i in range(len(headers))]
    numeric = [bool(cells) and all(line[i][:1] in "0123456789-+." for line in cells) for i in range(len(headers))]
    for line in [[*headers], *cells]:
        padded = (c.rjust(w) if n else c.ljust(w) for c, w, n in zip(line, widths, numeric, strict=True))
        print("  ".join(padded).rstrip())


def report_error(error: BridgeError, *, as_json: bool) -> None:
    """Print an error as a sentence on stderr, and as JSON on stdout where that was asked for."""
    if as_json:
        print_json({"error": error.as_dict()})
    print(f"hil: {error}", file=sys.stderr)


@contextmanager
def worked(unit: str, total: float = 1.0) -> Iterator[Callable[[float], None]]:
    """Give a function to call with the share that is done; past one second a bar is drawn on stderr, on a terminal.

    Args:
        unit: What is worked through, such as `MB` or `s of recording`.
        total: How much of it there is.
    """
    if not sys.stderr.isatty():
        yield lambda share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), TextColumn("{task.percentage:3.0f} %  {task.fields[rate]}"), TimeRemainingColumn())
    # What is printed meanwhile goes above the bar where both are on the terminal, and on its own way where it is data.
    bar = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty())
    task = bar.add_task("", total=1.0, rate="")
    began = time.monotonic()

    def told(share: float) -> None:
        spent = time.monotonic() - began
        if spent > 1.0:
            bar.start()
            bar.update(task, completed=share, rate=f"{share * total / spent:,.1f} {unit}/s")

    try:
        yield told
    finally:
        bar.stop()


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM end what is done inside like Ctrl-C."""
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def size_mb(path: Path) -> float:
    """Return the size of a file in MB, 0 where there is none."""
    return path.stat().st_size / 1e6 if path.is_file() else 0.0
