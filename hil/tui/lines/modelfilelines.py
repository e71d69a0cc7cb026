"""Model files within reach as lines: what each is called, what it reads, whether it runs already.

Rule of this room: pure, from a scene to lines; a file that cannot be loaded says why.
"""

from datetime import UTC, datetime

from hil.serving.shelf import FoundModel
from hil.tui.charts.cells import BAD, DIM, GOOD, KEY, TEXT, TITLE, Line, Run, cut, wrap
from hil.tui.charts.units import size
from hil.tui.state.modelling import Modelling

__all__ = ["about", "files"]


def files(scene: Modelling, width: int, focused: bool) -> tuple[Line, list[Line]]:
    """Return the rest of the title and one line a file."""
    if scene.files is None:
        return (), [[("  model files are being looked for; the bench goes on", DIM)]]
    if not scene.files:
        return (), [[("  there is none here: `hil train CONFIG.toml -o MODEL` makes one; esc goes back", DIM)]]
    name_w = min(28, max(len(one.name) for one in scene.files)) + 1
    title = [(f"{len(scene.files)} within reach, enter loads, esc goes back", DIM)]
    return title, [_row(scene, at, one, name_w, width, focused) for at, one in enumerate(scene.files)]


def _row(scene: Modelling, at: int, one: FoundModel, name_w: int, width: int, focused: bool) -> Line:
    sign = "▸" if at == scene.file and focused else "◉" if at == scene.file else " "
    runs = not one.network and any(model.model == one.name for model in scene.models)
    state: Run = ("✖ cannot ", BAD) if one.trouble else ("✔ runs   ", GOOD) if runs else ("         ", DIM)
    if one.network:
        state = ("· board  ", DIM)
    line: list[Run] = [(f"{sign} ", KEY), state, (f"{cut(one.name, name_w - 1):<{name_w}}", TITLE)]
    if one.trouble:
        parts = [one.trouble.removeprefix(f"{one.path}: ")]
    else:
        when = datetime.fromtimestamp(one.changed_ns // 10**9, UTC).strftime("%Y-%m-%d %H:%M  ")
        what = [f"{one.network}  "] if one.network else [f"{len(one.labels)} classes  ", f"{one.rate_hz:g} Hz  "]
        parts = [*what, when, one.path]
    for part in parts:
        left = width - sum(len(words) for words, _ in line)
        if left > 3:
            line.append(
                (part if len(part) <= left else f"…{part[len(part) - left + 1 :]}", DIM if part == one.path else TEXT)
            )
    return line


def about(scene: Modelling, width: int) -> tuple[Line, list[Line]]:
    """Return the rest of the title and all about the file at the cursor."""
    one = scene.found
    if one is None:
        return (), []
    lines: list[Line] = list(wrap([("  file     ", TITLE), (one.path, TEXT), (f"  {size(one.size)}", DIM)], width, 11))
    if one.trouble:
        return [(one.name, DIM)], [*lines, *wrap([("  ✖ ", BAD), (one.trouble, TEXT)], width)]
    if one.network:
        board = scene.here.board if scene.here is not None and scene.here.board else "the board that can take it"
        lines += wrap([("  is an    ", TITLE), (f"op list for boards: {one.network}", TEXT)], width, 11)
        puts = f" puts it on {board}, which then decides on its own samples beside the model that runs here"
        lines += wrap([("  d", KEY), (puts, TEXT)], width)
        return [(one.name, DIM)], lines
    lines += wrap([("  reads    ", TITLE), (f"{', '.join(one.channels)} at {one.rate_hz:g} Hz", TEXT)], width, 11)
    lines += wrap([("  says     ", TITLE), (", ".join(one.labels), TEXT)], width, 11)
    if one.teachable:
        lines += wrap([("  learns   ", TITLE), ("a new class from what it is shown", TEXT)], width, 11)
    return [(f"{one.name} {one.version}", DIM)], lines
