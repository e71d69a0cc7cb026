"""Pieces of a page: head, tables, findings, pictures; every text escaped.

Rule of this room: strings in, strings out; nothing here knows a figure or a file. A page is one file that fetches
nothing.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from hil.report.style import CSS, SCRIPT

__all__ = ["Html", "anchor", "facts", "finding_list", "page", "picture", "row", "tag", "text"]

Html = str


def text(words: object) -> Html:
    """Return words as they may stand in a page."""
    return escape(str(words), quote=True)


def anchor(words: str) -> str:
    """Return a name that can be linked to."""
    return re.sub(r"[^\w-]+", "-", words).strip("-").lower() or "part"


def tag(words: str, kind: str) -> Html:
    """Return a word in a frame of its kind: `good`, `warn`, `bad`, `same` ..."""
    return f'<span class="tag {kind}">{text(words)}</span>'


def row(cells: Iterable[Html]) -> Html:
    """Return a table row of ready cells."""
    return f"<tr>{''.join(cells)}</tr>"


def facts(pairs: Iterable[tuple[str, object]]) -> Html:
    """Return named facts as one line."""
    shown = (f"{text(name)} <b>{text(said)}</b>" for name, said in pairs if said not in (None, ""))
    return f'<p class="facts">{" &middot; ".join(shown)}</p>'


def finding_list(rows: Sequence[tuple[str, str, str]]) -> Html:
    """Return findings: level, where, sentence."""
    if not rows:
        return '<ul class="findings"><li class="good">Nothing stands out: no loss, no gap, no bad reading.</li></ul>'
    items = (
        f'<li class="{level}">{f"<b>{text(where)}</b>: " if where else ""}{text(said)}</li>'
        for level, where, said in rows
    )
    return f'<ul class="findings">{"".join(items)}</ul>'


def picture(svg: str, title: str, note: str = "", size: str = "") -> Html:
    """Return a plot with its caption above it; `size` may be `small` or `large`."""
    told = f" <small>{text(note)}</small>" if note else ""
    kind = f' class="{size}"' if size else ""
    return f"<figure{kind}><figcaption>{text(title)}{told}</figcaption>{svg}</figure>"


def page(title: str, body: Iterable[Html], data: Mapping[str, Any], made: str) -> Html:
    """Return a whole page.

    Args:
        title: Of the window.
        body: What stands in it.
        data: The same numbers as JSON, for scripts that read the page.
        made: What made it.
    """
    # `</` would end the script element inside a string of it.
    numbers = json.dumps(data, allow_nan=False, default=str).replace("</", "<\\/")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="generator" content="hil">'
        f"<title>{text(title)}</title><style>{CSS}</style><script>{SCRIPT}</script></head>\n<body>"
        f'<button type="button" onclick="turn()">dark or light</button>{"".join(body)}'
        f'<footer>{text(made)}</footer>\n<script type="application/json" id="data">{numbers}</script></body></html>\n'
    )
