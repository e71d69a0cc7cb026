"""Inks to terminal styles: the only room that knows colours.

Channel colours are told apart by people with any colour vision (after Okabe and Ito, lightened or darkened for the
background); those of frames come from `colourmaps`. Without colour (`NO_COLOR`) weight and reverse remain, and every
state is a word anyway.
"""

from rich.color import Color
from rich.style import Style
from textual.theme import Theme

from hil.tui.charts import colourmaps
from hil.tui.charts.cells import (
    BAD,
    CHANNEL,
    DIM,
    FOCUS,
    GOOD,
    HEAT,
    HEAT_INKS,
    HEAT_LEVELS,
    HEAT_TEXT,
    KEY,
    TEXT,
    TITLE,
    WARN,
)

__all__ = ["BAR", "FOCUSED", "PLAIN", "THEMES", "THEME_NAMES", "Palette"]

PLAIN, BAR, FOCUSED = range(3)
"""Where an ink stands: on the background, in a title bar, in the title bar of the focused pane."""

DARK_CHANNELS = ("#56b4e9", "#e69f00", "#2bc79a", "#f0e442", "#ff7f50", "#e39ac5", "#9da8ff", "#c9c9c9")
LIGHT_CHANNELS = ("#0067a1", "#9c4f00", "#006b50", "#6b5d00", "#ad3800", "#953a70", "#4644ad", "#555555")

THEMES = (
    Theme(name="hil-dark", primary="#56b4e9", secondary="#2bc79a", accent="#e69f00", warning="#f2b134",
          error="#ff6b5e", success="#3ecf8e", foreground="#dde3ea", background="#10141a", surface="#161c24",
          panel="#232c38"),
    Theme(name="hil-light", primary="#0063a3", secondary="#00785a", accent="#964c00", warning="#7a4f00",
          error="#a3211a", success="#096b41", foreground="#1b222b", background="#fbfbf8", surface="#f2f2ee",
          panel="#e4e9ee", dark=False),
    Theme(name="hil-contrast", primary="#00ffff", secondary="#00ff80", accent="#ffff00", warning="#ffd000",
          error="#ff5050", success="#40ff40", foreground="#ffffff", background="#000000", surface="#000000",
          panel="#1c1c1c"),
    Theme(name="hil-safe", primary="#56b4e9", secondary="#cc79a7", accent="#f0e442", warning="#f0c000",
          error="#ff8c42", success="#4aa8ff", foreground="#e6ebf0", background="#10141a", surface="#161c24",
          panel="#232c38"),
)  # fmt: skip
"""Dark, light, high contrast, and one whose good, warning and bad differ for eyes that do not tell red from green."""

THEME_NAMES = {
    "hil-dark": "dark",
    "hil-light": "light",
    "hil-contrast": "high contrast",
    "hil-safe": "colour-blind safe",
}
"""What people call them."""


def _mix(one: str, other: str, share: float) -> str:
    """Return the colour `share` of the way from `one` to `other`."""
    parts = [(int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(low + (high - low) * share):02x}" for low, high in parts)


class Palette:
    """Styles of one theme.

    Args:
        theme: Its colours.
        colour: False where colours must not be used.
        few: Whether the terminal has so few colours that shades cannot be told apart.
    """

    def __init__(self, theme: Theme, colour: bool = True, few: bool = False) -> None:
        self.colour = colour
        self.shades = colour and not few
        self._theme = theme
        self._styles: dict[tuple[int, int], Style] = {}

    def style(self, ink: int, place: int = PLAIN) -> Style:
        """Return the style of an ink at a place."""
        found = self._styles.get((ink, place))
        if found is None:
            found = self._styles[ink, place] = (self._coloured if self.colour else self._plain)(ink, place)
        return found

    def _plain(self, ink: int, place: int) -> Style:
        strong = ink in (TITLE, KEY, BAD, WARN, FOCUS) or place == FOCUSED
        return Style(bold=strong, reverse=ink == BAD or place == FOCUSED, underline=ink == WARN)

    def _coloured(self, ink: int, place: int) -> Style:
        theme = self._theme
        front, back = theme.foreground or "#dddddd", theme.background or "#000000"
        ground = {PLAIN: back, BAR: theme.panel or back, FOCUSED: _mix(theme.panel or back, theme.primary, 0.18)}[place]
        if ink >= HEAT:
            return _shade(ink - HEAT)
        if ink >= CHANNEL:
            names = DARK_CHANNELS if theme.dark else LIGHT_CHANNELS
            return _style(names[(ink - CHANNEL) % len(names)], ground)
        dim = _mix(front, ground, 0.36 if place == PLAIN else 0.2)
        named = {
            TEXT: front, DIM: dim, TITLE: front, GOOD: theme.success, WARN: theme.warning, BAD: theme.error,
            KEY: theme.accent, FOCUS: theme.primary,
        }  # fmt: skip
        return _style(named.get(ink) or front, ground, ink in (TITLE, BAD, KEY, FOCUS))


def _shade(ink: int) -> Style:
    """Return the style of two levels of a colour map, or of words on one of its levels."""
    number, place = divmod(ink, HEAT_INKS)
    levels = colourmaps.colours(number)
    if place >= HEAT_TEXT - HEAT:
        ground = levels[place - (HEAT_TEXT - HEAT)]
        return _style("#000000" if colourmaps.is_light(ground) else "#ffffff", ground)
    upper, lower = divmod(place, HEAT_LEVELS)
    return _style(levels[upper], levels[lower])


def _style(front: str, back: str, bold: bool = False) -> Style:
    return Style(color=Color.parse(front), bgcolor=Color.parse(back), bold=bold)
