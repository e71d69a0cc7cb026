"""The screen as a document: an SVG picture, or plain text.

Rule of this room: the only one that reads what the compositor has drawn. A picture needs nothing from the network:
references to web fonts are taken out, and any monospaced font will do.
"""

import re
from typing import Any

from textual.app import App

__all__ = ["svg_of", "text_of"]


def svg_of(app: App[Any], title: str = "") -> str:
    """Return what the screen shows, as an SVG document."""
    drawn = app.export_screenshot(title=title or app.title)
    return re.sub(r"\s*@font-face\s*\{[^}]*\}", "", drawn).replace("Fira Code, monospace", "monospace")


def text_of(app: App[Any]) -> str:
    """Return what the screen shows, a line a row."""
    strips = app.screen._compositor.render_strips()  # noqa: SLF001 (Textual has no public way to a screen as text)
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips) + "\n"
