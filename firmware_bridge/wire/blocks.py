"""Many equal lines at once: lines of plain numbers, with or without a tag in front, read as tables.

Rule: a block gives what its lines would give one by one, or None; then its lines are read one by one.
"""

from firmware_bridge.wire.layout import Layout
from firmware_bridge.wire.matcher import Matcher
from firmware_bridge.wire.numbers import Float64, read_block

__all__ = ["read_tables"]

BULK_BYTES = 1024
"""Blocks of tagged lines from this size on are sorted by tag; smaller ones are as fast line by line."""

Tables = list[tuple[Layout, Float64]]


def read_tables(block: bytes, matcher: Matcher) -> Tables | None:
    """Return the rows of complete lines by layout, or None where any line is more than plain numbers of a stream."""
    if matcher.plain is not None:
        layouts, separator = matcher.plain
        tables = _tables(block, layouts, separator)
        if tables is not None:
            return tables
    return _by_tag(block, matcher) if matcher.tagged and len(block) >= BULK_BYTES else None


def _tables(block: bytes, layouts: tuple[Layout, ...], separator: str) -> Tables | None:
    table = read_block(block, layouts[0].width, separator)
    if table is None or not all(layout.accepts(table).all() for layout in layouts):
        return None
    return [(layout, table) for layout in layouts]


def _by_tag(block: bytes, matcher: Matcher) -> Tables | None:
    known = {tag.encode(): rules for tag, rules in matcher.tagged.items()}
    groups: dict[bytes, list[bytes]] = {tag: [] for tag in known}
    mark = next(iter(known.values()))[1].encode()
    for line in block.split(b"\n")[:-1]:
        tag, _, rest = line.partition(mark)
        group = groups.get(tag)
        if group is None:
            return None
        group.append(rest)
    taken: Tables = []
    for tag, group in groups.items():
        if group:
            tables = _tables(b"\n".join([*group, b""]), *known[tag])
            if tables is None:
                return None
            taken += tables
    return taken
