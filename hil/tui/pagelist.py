"""The pages of the screen, in the order of their keys. A page that is not in this list does not exist.

Rule of this room: no screen library. A page is a table of keys with words about its panes (`pages/NAME_keys.py`) and a
class (`pages/NAME.py`) that is imported when somebody first goes there, so that a page nobody opens costs nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hil.tui.key import Key
from hil.tui.pages import doctor_keys, live_keys, models_keys, recordings_keys, scenarios_keys

if TYPE_CHECKING:
    from hil.tui.page import Page
    from hil.tui.workplace import Workplace

__all__ = ["PAGES", "PageInfo", "page_keys"]


@dataclass(frozen=True, slots=True)
class PageInfo:
    """A page.

    Attributes:
        name: Stable name, also of the mode of the app that shows it.
        title: What people call it.
        key: The key that goes there.
        help: One sentence: what it is for.
        keys: Keys that work on it.
        panes: What each pane shows and how to read it, by the pane's name.
        make: Builds it, importing what it needs.
    """

    name: str
    title: str
    key: str
    help: str
    keys: tuple[Key, ...]
    panes: Mapping[str, str]
    make: "Callable[[PageInfo, Workplace], Page]"


def _live(info: PageInfo, place: "Workplace") -> "Page":
    from hil.tui.pages.live import LivePage

    return LivePage(info, place)


def _recordings(info: PageInfo, place: "Workplace") -> "Page":
    from hil.tui.pages.recordings import RecordingsPage

    return RecordingsPage(info, place)


def _scenarios(info: PageInfo, place: "Workplace") -> "Page":
    from hil.tui.pages.scenarios import ScenariosPage

    return ScenariosPage(info, place)


def _models(info: PageInfo, place: "Workplace") -> "Page":
    from hil.tui.pages.models import ModelsPage

    return ModelsPage(info, place)


def _doctor(info: PageInfo, place: "Workplace") -> "Page":
    from hil.tui.pages.doctor import DoctorPage

    return DoctorPage(info, place)


PAGES: tuple[PageInfo, ...] = (
    PageInfo("live", "Live", "f2", "The boards as they are now, or a recording in replay.",
             live_keys.KEYS, live_keys.PANES, _live),
    PageInfo("recordings", "Recordings", "f3", "What was recorded: find, look, compare, replay and label.",
             recordings_keys.KEYS, recordings_keys.PANES, _recordings),
    PageInfo("scenarios", "Scenarios", "f4", "What must hold: run it, see where it failed, accept what changed.",
             scenarios_keys.KEYS, scenarios_keys.PANES, _scenarios),
    PageInfo("models", "Models", "f5", "What models say and how well; teach one a new gesture by showing it.",
             models_keys.KEYS, models_keys.PANES, _models),
    PageInfo("doctor", "Doctor", "f6", "What this computer, a cable and an adapter can do, and what to do about it.",
             doctor_keys.KEYS, doctor_keys.PANES, _doctor),
)  # fmt: skip
"""All pages; the first one is shown first."""


def page_keys() -> tuple[Key, ...]:
    """Return the keys that go from page to page."""
    return tuple(
        Key(f"page.{page.name}", page.key, f"page('{page.name}')", page.title, f"Go to {page.title}: {page.help}")
        for page in PAGES
    )
