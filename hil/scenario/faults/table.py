"""The detection matrix and the kinds of faults as lines for a terminal."""

from collections import Counter
from collections.abc import Iterator, Sequence

from firmware_bridge.faults import KINDS
from hil.scenario.faults.matrix import LINE, STRENGTHS, Cell, Matrix

__all__ = ["matrix_lines", "matrix_rows", "matrix_sentence"]

_ORDER = ("detected", "tolerated", "silent", "trouble")


def matrix_rows(matrix: Matrix) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the headers and rows of the table: one row a kind, one column a strength."""
    places = sorted({one.place for one in matrix.cells})
    headers = ("kind", *(STRENGTHS[place] for place in places), "told by", "strengths")
    rows = []
    for name in dict.fromkeys(one.kind for one in matrix.cells):
        mine = [one for one in matrix.cells if one.kind == name]
        told = sorted({source for one in _of(mine, "detected") for source in one.by})
        kind = KINDS[name]
        unit = kind.params[kind.main].unit
        values = ", ".join(f"{kind.strengths[place]:g}" for place in places)
        counts = [_counted([one for one in mine if one.place == place]) for place in places]
        rows.append((name, *counts, ", ".join(told) or "-", f"{kind.main} {values} {unit}".rstrip()))
    return headers, rows


def matrix_lines(matrix: Matrix) -> Iterator[str]:
    """Yield what belongs under the table: what was silent, and what nobody can see here, with the reasons."""
    for title, pairs in (
        ("cannot be detected by construction", matrix.blind), ("cannot be here", matrix.absent),
    ):  # fmt: skip
        if pairs:
            yield f"{title}:"
            yield from (f"  {kind}: {why}" for kind, why in pairs)
    if matrix.deaf:
        yield f"checks that can tell nothing (they fail without a fault, or are timing): {', '.join(matrix.deaf)}"
    for outcome, cells in (("silent", matrix.wrong), ("trouble", _of(matrix.cells, "trouble"))):
        yield from (
            f"{outcome}: {one.kind}, {STRENGTHS[one.place]} ({one.strength:g}), seed {one.seed}: {one.why}"
            for one in cells
        )


def matrix_sentence(matrix: Matrix, seconds: float) -> str:
    """Return the verdict on the matrix in one line."""
    line = [one for one in matrix.cells if one.level in LINE]
    silent = len(_of(line, "silent"))
    what = f"{silent} of {len(line)} runs under byte, link and frame faults are silently wrong"
    seal = "" if matrix.sealed else " (not every stream has checksum and counter, so that this is no failure)"
    whole = "" if matrix.complete else "; interrupted: this is what is done"
    return f"{what}{seal}; {len(matrix.cells)} runs on {matrix.target} in {seconds:.1f} s{whole}"


def _counted(cells: Sequence[Cell]) -> str:
    counts = Counter(one.outcome for one in cells)
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in _ORDER if counts[outcome]) or "-"


def _of(cells: Sequence[Cell], outcome: str) -> list[Cell]:
    return [one for one in cells if one.outcome == outcome]
