"""The panes of the live page and of a replay as tables.

Rule of this room: pure but for what it asks the engine. A plot's table holds the readings themselves, which the engine
still has, and not the columns that were drawn; everything else is what the pane says.
"""

import shlex
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.tui.charts.chart import Panel
from hil.tui.sheet import Sheet, table
from hil.tui.sheets.figures import figure
from hil.tui.state.look import asks
from hil.tui.state.state import Scene
from hil.views.allan import AllanView
from hil.views.snapshot import Snapshot, StreamView

__all__ = ["allan", "command", "of", "pane", "readings"]

Ask = Callable[..., Awaitable[dict[str, Any]]]
"""Gives the engine a command by its name, and waits."""

Int64 = npt.NDArray[np.int64]

BOARDS = ("role", "state", "reason", "port", "model", "serial", "firmware", "dialect", "rate_hz", "samples", "lost",
          "drift_ppm", "drift_low", "drift_high", "uncertainty_us", "boot", "queue_fill", "bytes_received")  # fmt: skip


async def of(
    scene: Scene, name: str, panel: Panel | None, ask: Callable[..., Awaitable[dict[str, Any]]]
) -> Sheet | str:
    """Return what a pane shows, or one sentence why it has no table.

    Args:
        scene: How the bench is looked at.
        name: The pane's name.
        panel: What it plots; None where it says words.
        ask: Gives the engine a command.

    Raises:
        BridgeError: The engine does not answer.
    """
    found, replayed = await _shown(scene, name, panel, ask), scene.latest.replay if scene.latest else None
    return replace(found, file=replayed.path) if replayed is not None and isinstance(found, Sheet) else found


async def _shown(scene: Scene, name: str, panel: Panel | None, ask: Ask) -> Sheet | str:
    snapshot = scene.held or scene.latest
    if snapshot is None:
        return "the engine does not answer yet"
    if panel is None:
        return pane(snapshot, name, scene.seconds)
    stream = next((one for one in scene.streams if (one.board, one.name) == (panel.board, panel.stream)), None)
    if stream is None:
        return "there are no readings of this plot now"
    if scene.allan == (panel.board, panel.stream) and snapshot.allan is not None:
        return allan(snapshot, snapshot.allan, stream.channels)
    if computed := asks(scene.look, [panel], [stream]):
        figures = {one.ask: one for one in (scene.latest or snapshot).figures}
        view, again = figures.get(computed[0]), command(snapshot, scene.seconds, panel.board, panel.stream)
        return "it is not computed yet" if view is None else figure(view, stream, again)
    start, end = stream.start_ns, stream.end_ns
    found = await ask("readings", board=panel.board, stream=panel.stream, from_ns=start, to_ns=end)
    return readings(snapshot, stream, found)


def command(snapshot: Snapshot, seconds: float, board: str = "", stream: str = "") -> str:
    """Return the command line that gets readings like those that are seen.

    Args:
        snapshot: The bench.
        seconds: How much is seen, up to now.
        board: Role of one board; empty: all.
        stream: One of its streams; empty: all.
    """
    if snapshot.replay is not None:
        at = snapshot.replay.position_s
        part = ["--from", f"{max(0.0, at - seconds):.3f}", "--to", f"{at:.3f}", "-o", "part.csv"]
        only = ["--stream", f"{board}/{stream}"] if board and stream else []
        return shlex.join(["hil", "export", snapshot.replay.path, *only, *part])
    ports = [f"{one.role}={one.port}" for one in snapshot.boards if one.port and board in ("", one.role)]
    return shlex.join(["hil", "capture", *ports, "--for", f"{seconds:g}"])


def readings(snapshot: Snapshot, stream: StreamView, values: Mapping[str, Any]) -> Sheet:
    """Return the readings of a plot.

    Args:
        snapshot: The bench.
        stream: As it is drawn.
        values: What the engine answered to `readings`: `t_ns` int64 `(N,)`, `values` float32 `(N, C)`.
    """
    t_ns: Int64 = values["t_ns"]
    numbers: npt.NDArray[np.float32] = values["values"]
    names = [f"{name} [{unit}]" for name, unit in zip(stream.channels, stream.units, strict=True)]
    if stream.is_image:
        names = [f"pixel {at} [{stream.units[0]}]" for at in range(numbers.shape[1])]
    columns: dict[str, Any] = {
        "t_s": (t_ns - stream.end_ns) / 1e9, "utc_ns": t_ns, **{name: numbers[:, at] for at, name in enumerate(names)}
    }  # fmt: skip
    seconds = (stream.end_ns - stream.start_ns) / 1e9
    return Sheet(f"{stream.board}-{stream.name}", columns, command(snapshot, seconds, stream.board, stream.name))


def allan(snapshot: Snapshot, view: AllanView, channels: tuple[str, ...]) -> Sheet:
    """Return a curve of Allan deviation: averaging times, and each channel's deviation with its interval."""
    columns: dict[str, Any] = {"tau_s": view.tau_s}
    for at, name in enumerate(channels):
        columns |= {name: view.deviation[at], f"{name} low": view.low[at], f"{name} high": view.high[at]}
    if snapshot.replay is not None:
        again = ["hil", "measure", snapshot.replay.path]
    else:
        port = next((one.port for one in snapshot.boards if one.role == view.board), view.board)
        again = ["hil", "measure", port, "--for", f"{max(1.0, view.rest_s):.0f}"]
    return Sheet(f"allan-{view.board}-{view.stream}", columns, shlex.join(again))


def pane(snapshot: Snapshot, name: str, seconds: float) -> Sheet:
    """Return what a pane of words says: `label`, `ledger`, `log`, or the table of boards."""
    again = command(snapshot, seconds)
    if name == "label":
        decided = [(one.model, one.board, *row) for one in snapshot.predictions for row in one.history]
        return table("decisions", ("model", "board", "utc_ns", "label", "confidence"), decided, again)
    if name == "ledger":
        booked = [(board.role, *row) for board in snapshot.boards for row in board.ledger]
        return table("ledger", ("board", "what", "count"), booked, again)
    if name == "log":
        said = [(line.t_ns, line.board, line.level, line.text) for line in snapshot.log]
        return table("log", ("utc_ns", "board", "level", "text"), said, again)
    boards = [tuple(getattr(board, fact) for fact in BOARDS) for board in snapshot.boards]
    return table("boards", BOARDS, boards, again)
