"""What can be taken along: offered over a page, and the way out of it: to a file, a browser or a clipboard.

Rule of this room: what a pane shows is made into a table by `hil.tui.sheets`, pictures in `portrait`; here it only
leaves. In a terminal files go into the folder of runs and are never overwritten; in a browser they are downloaded.
Nothing traps: escape, and every key that goes to another page, closes the offer.
"""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from firmware_bridge.errors import BridgeError
from hil.tui.charts.cells import DIM, KEY, TEXT, TITLE, WARN, Line, wrap
from hil.tui.key import Key, bindings, moved
from hil.tui.keys import EVIDENCE
from hil.tui.pagelist import page_keys
from hil.tui.portrait import svg_of
from hil.tui.sheet import Sheet, csv_of, npz_of, tabs_of
from hil.tui.terminal.pane import Pane

if TYPE_CHECKING:
    from hil.tui.page import Page

__all__ = ["EvidenceScreen", "export", "lines"]

FOLDER = "evidence"
"""Where files go, below the folder of runs."""

TYPES = {".svg": "image/svg+xml", ".csv": "text/csv", ".npz": "application/octet-stream",
         ".mcap": "application/octet-stream"}  # fmt: skip


async def export(app: App[Any], page: "Page", form: str) -> tuple[str, bool]:
    """Take something of a page along.

    Args:
        app: The screen.
        page: The page that is shown.
        form: `picture`, `csv`, `npz`, `copy`, `command` or `file`.

    Returns:
        One sentence about what was done, and whether it went wrong.
    """
    try:
        if form == "picture":
            return _put(app, page, f"{page.info.name}.svg", svg_of(app).encode()), False
        sheet = await page.sheet()
        if isinstance(sheet, str):
            return sheet, True
        return _taken(app, page, sheet, form), False
    except (BridgeError, OSError) as error:
        return str(error), True


def _taken(app: App[Any], page: "Page", sheet: Sheet, form: str) -> str:
    match form:
        case "csv":
            return _put(app, page, f"{page.info.name}-{sheet.name}.csv", csv_of(sheet).encode())
        case "npz":
            return _put(app, page, f"{page.info.name}-{sheet.name}.npz", npz_of(sheet))
        case "copy":
            app.copy_to_clipboard(tabs_of(sheet))
            return f"{len(sheet)} rows copied, where the terminal takes OSC 52"
        case "command":
            app.copy_to_clipboard(sheet.command)
            return f"copied: {sheet.command}"
    if not sheet.file or not Path(sheet.file).is_file():
        return "there is no file behind this pane" if not sheet.file else f"{sheet.file} is not there any more"
    if app.is_web:
        app.deliver_binary(Path(sheet.file), open_method="download", mime_type=TYPES[".mcap"])
        return f"{Path(sheet.file).name} goes to the browser"
    app.copy_to_clipboard(str(Path(sheet.file).resolve()))
    return f"copied: {sheet.file}"


def _put(app: App[Any], page: "Page", name: str, data: bytes) -> str:
    """Write a file, or hand it to the browser; return where it is."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    safe = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in name)
    if app.is_web:
        suffix = Path(safe).suffix
        app.deliver_binary(io.BytesIO(data), save_filename=f"{stamp}_{safe}", open_method="download",
                           mime_type=TYPES[suffix])  # fmt: skip
        return f"{stamp}_{safe} goes to the browser"
    folder = page.place.runs / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for path in _names(folder, f"{stamp}_{safe}"):
        try:
            with path.open("xb") as file:
                file.write(data)
        except FileExistsError:
            continue
        return f"kept in {path}"
    raise AssertionError("there is always another name")


def _names(folder: Path, name: str) -> Iterator[Path]:
    path = folder / name
    yield path
    number = 2
    while True:
        yield path.with_stem(f"{path.stem}_{number}")
        number += 1


def lines(sheet: Sheet | str, pane: str, keys: tuple[Key, ...], width: int) -> list[Line]:
    """Return what is offered.

    Args:
        sheet: What the pane shows, or why it has no table.
        pane: The pane's name.
        keys: The keys that take it along, as the user has them.
        width: Cells at hand.
    """
    if isinstance(sheet, str):
        rows: list[Line] = [[(f"{pane}: ", TITLE), (sheet, WARN)], ()]
    else:
        about = f"{sheet.name}, {len(sheet):,} row{'s' * (len(sheet) != 1)} of {', '.join(sheet.columns)}"
        rows = [*wrap([(f"{pane}: ", TITLE), (about, TEXT)], width, 2), ()]
    for key in keys:
        if key.id == "evidence.file" and not (isinstance(sheet, Sheet) and sheet.file):
            continue
        told = [(f"{key.shown:>4}  ", KEY), (f"{key.name:<20}", TITLE), (key.help, TEXT)]
        rows += wrap(told, width, 26)
    if isinstance(sheet, Sheet):
        rows += [(), *wrap([("The same again:  ", DIM), (sheet.command, KEY)], width, 2)]
        rows += wrap([("Behind it:  ", DIM), (sheet.file, TEXT)], width, 2) if sheet.file else []
    return [*rows, (), [("esc closes this; nothing has been written yet", DIM)]]


class EvidenceScreen(ModalScreen[None]):
    """What can be taken along of a page.

    Args:
        page: That page.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,S,q,enter,space,ctrl+c", "dismiss", "close", show=False, id="evidence.close"),
        *(Binding(key.keys, f"app.{key.action}", key.name, show=False, id=key.id) for key in page_keys()),
        *bindings(EVIDENCE),
    ]

    def __init__(self, page: "Page") -> None:
        super().__init__()
        self._page = page
        self._sheet: Sheet | str = "one moment"

    def compose(self) -> ComposeResult:
        """One pane."""
        yield Pane("evidence · esc closes", id="offer")

    async def on_mount(self) -> None:
        """Take the focus, and look what there is."""
        self.query_one(Pane).focus()
        try:
            self._sheet = await self._page.sheet()
        except BridgeError as error:
            self._sheet = str(error)
        self.call_after_refresh(self._fill)

    async def action_export(self, form: str) -> None:
        """Close, and take something of the page along."""
        await self.run_action(f"app.export({form!r})")

    def on_resize(self) -> None:
        """Wrap to the new width."""
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        pane = self.query_one(Pane)
        keys = moved(EVIDENCE, self._page.place.settings.keys)
        pane.show(lines(self._sheet, self._page.topic() or "this page", keys, pane.size.width))
