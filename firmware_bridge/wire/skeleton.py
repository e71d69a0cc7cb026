"""A board file to start from, written from what a text board prints.

What the lines show is filled in (columns, clock, counter, measured rate); what nobody printed is marked with a comment.
Rule: the file that comes out reads the bytes that went in, to the same readings and ticks.
"""

import json
from collections.abc import Sequence

from firmware_bridge.errors import UsageError
from firmware_bridge.wire.columns import SECONDS, column
from firmware_bridge.wire.layout import Layout
from firmware_bridge.wire.lines import LineDialect

__all__ = ["describe"]

_SEPARATORS = {"\t": "tab", " ": "space"}


def describe(data: bytes, model: str = "unknown board", whole: bool = False) -> str:
    """Return the text of a board file for a board that printed `data`.

    Args:
        data: What it printed, at least some lines.
        model: Name of the kind of board.
        whole: Whether the bytes begin and end with a whole line, as a file does.

    Raises:
        UsageError: No two lines of it are alike; a board with binary frames needs a `[frame]` written by hand.
    """
    dialect = LineDialect(whole=whole)
    for _ in dialect.feed(data, 0), dialect.end(0):
        pass
    layouts = dialect.layouts
    if not layouts:
        raise UsageError(
            "no two lines with numbers of one kind were found", "the bytes",
            "write a board file with a [frame] by hand, from the board's data sheet",
        )  # fmt: skip
    kinds = [_kind(layout) for layout in layouts]
    best = max(kinds, key=kinds.count)
    chosen = [layout for layout, kind in zip(layouts, kinds, strict=True) if kind == best]
    if best[0] == "csv" and not best[1]:
        chosen = chosen[:1]
    left = [layout.stream.name for layout in layouts if layout not in chosen]
    lines = ["schema = 1", "", "[board]", f"model = {_text(model)}", "", "[serial]", "baud = 115200  # check this", ""]
    lines += ["[lines]", f"format = {_text(best[0])}"]
    if best[0] == "csv":
        lines.append(f"separator = {_text(_SEPARATORS.get(best[2], best[2]))}")
        if chosen[0].comma and any(layout.comma for layout in chosen):
            lines.append('decimal = ","')
        lines.append("tag = 1" if best[1] else f"columns = {_list(_columns(chosen[0]))}")
    lines.append('comment = ["#", "//"]')
    lines += [f"# Not described here, because its lines are of another kind: {name}" for name in left]
    for layout in chosen:
        lines += ["", *_stream(layout, best[0], bool(best[1]))]
    return "\n".join(lines) + "\n"


def _kind(layout: Layout) -> tuple[str, bool, str]:
    """Form, tagged or not, separator: what all streams of one file share."""
    key = layout.key
    return (key[0], bool(key[1]), key[3]) if key[0] == "csv" else (key[0], False, "")


def _columns(layout: Layout) -> list[str]:
    if layout.key[0] != "csv":
        return list(layout.names)
    return list(layout.names) or [f"c{index + 1}" for index in range(layout.width)]


def _stream(layout: Layout, form: str, tagged: bool) -> list[str]:
    stream = layout.stream
    names = _columns(layout)
    lines = ["[[stream]]", f"name = {_text(stream.name)}"]
    if tagged:
        lines += [f"tag = {_text(layout.key[1])}", f"line = {_list(names)}"]
    pixels = len(layout.values) if stream.is_image else 0
    # An image has one name for all its pixels, so that later fields stand further in front among the names.
    place = {index: max(index - pixels + 1, 0) if pixels else index for index in range(layout.width)}
    readings = [names[place[index]] for index in layout.values]
    lines.append(f"columns = {_list(readings[:1] if pixels else readings)}")
    if pixels:
        lines.append(f"shape = {list(stream.shape)}")
    elif form == "csv":
        lines.append(f"channels = {_list([column(name).name for name in readings])}")
    else:
        lines.append(f"channels = {_list(stream.channels)}")
    unknown = "  # `?`: say in which unit" if "?" in stream.units else ""
    lines.append(f"unit = {_list(stream.units)}{unknown}")
    if stream.rate_hz is not None:
        lines.append(f"rate = {stream.rate_hz!r}  # measured, not told by the board")
    if layout.clock is not None:
        lines.append(f"tick = {_clock(layout, names[place[layout.clock.index]])}")
    if layout.counter is not None:
        name = _text(names[place[layout.counter.index]])
        lines.append("# Check after how many bits the counter starts again.")
        lines.append(f"counter = {{ column = {name}, bits = {layout.counter.bits} }}")
    return lines


def _clock(layout: Layout, name: str) -> str:
    clock, hz = layout.clock, layout.stream.tick_hz
    if clock is None or hz is None or clock.dated:
        return f'{{ column = {_text(name)}, format = "date" }}'
    per_tick = clock.per_unit / hz
    unit = min(SECONDS, key=lambda unit: abs(SECONDS[unit] / per_tick - 1.0))
    return f"{{ column = {_text(name)}, unit = {_text(unit)}, hz = {hz!r}, bits = {clock.bits} }}"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _list(texts: Sequence[str]) -> str:
    return "[" + ", ".join(map(_text, texts)) + "]"
