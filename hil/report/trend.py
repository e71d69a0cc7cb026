"""The past of a scenario in little: a strip of outcomes and lines of values, drawn without any library.

Rule of this room: plain values in, SVG or text out. What was not measured is a break, never a zero.
"""

from collections.abc import Sequence

from hil.report.html import Html, text

__all__ = ["GLYPHS", "KINDS", "outcome_strip", "spark_line", "spark_text"]

KINDS = {"PASS": "good", "MARGINAL": "warn", "FAIL": "bad", "UNSET": "bad", "TROUBLE": "warn", "NA": "same"}
"""How each outcome is marked on a page."""

GLYPHS = {"PASS": ".", "MARGINAL": "~", "FAIL": "F", "UNSET": "U", "TROUBLE": "T", "NA": "-"}
"""One letter an outcome, for a terminal."""

_BLOCKS = "▁▂▃▄▅▆▇█"
_INK = {"good": "var(--good)", "warn": "var(--warn)", "bad": "var(--bad)", "same": "var(--faint)"}


def spark_text(values: Sequence[float | None]) -> str:
    """Return values as a line of blocks, the least lowest; a dot where there is none."""
    known = [one for one in values if one is not None]
    if not known:
        return "·" * len(values)
    low, span = min(known), max(known) - min(known)
    steps = [None if one is None else round((one - low) / span * 7) if span else 3 for one in values]
    return "".join("·" if step is None else _BLOCKS[step] for step in steps)


def outcome_strip(outcomes: Sequence[str]) -> Html:
    """Return outcomes as a strip of small fields, the last one to the right."""
    # What is not well stands lower too: colour alone does not reach everybody.
    fields = "".join(
        f'<rect x="{at * 7}" y="{0 if kind in ("good", "same") else 3}" width="5" height="10" fill="{_INK[kind]}"/>'
        for at, kind in enumerate(KINDS.get(one, "same") for one in outcomes)
    )
    width = max(1, len(outcomes) * 7)
    told = f"the last {len(outcomes)} outcomes: {', '.join(outcomes)}"
    return (f'<svg class="strip" role="img" aria-label="{text(told)}" viewBox="0 0 {width} 13" width="{width}" '
            f'height="13">{fields}</svg>')  # fmt: skip


def spark_line(values: Sequence[float | None], words: str) -> Html:
    """Return values as a small line with its last point marked; nothing below two known values."""
    known = [one for one in values if one is not None]
    if len(known) < 2:
        return ""
    low, span = min(known), (max(known) - min(known)) or 1.0
    wide, tall = 90.0, 18.0
    step = wide / max(1, len(values) - 1)
    parts: list[list[str]] = [[]]
    last = (0.0, 0.0)
    for at, one in enumerate(values):
        if one is None:
            parts.append([])
            continue
        last = (at * step + 2, tall - (one - low) / span * (tall - 4))
        parts[-1].append(f"{last[0]:.1f},{last[1]:.1f}")
    lines = "".join(
        f'<polyline points="{" ".join(part)}" fill="none" stroke="var(--s0)" stroke-width="1.3"/>'
        for part in parts if len(part) > 1
    )  # fmt: skip
    dot = f'<circle cx="{last[0]:.1f}" cy="{last[1]:.1f}" r="2" fill="var(--s0)"/>'
    return (f'<svg class="spark" role="img" aria-label="{text(words)}" viewBox="0 0 94 22" width="94" height="22">'
            f"{lines}{dot}</svg>")  # fmt: skip
