"""One self-contained HTML page of one decision: its signal, and under each channel what it added to the score.

Rule of this room: plain values of an explanation in, a page out; nothing is computed but places.
"""

from collections.abc import Mapping
from typing import Any

from hil.report.band import draw_band, strongest
from hil.report.html import Html, facts, page, picture, row, text
from hil.report.svg import canvas, colour, svg
from hil.report.words import scale_for

__all__ = ["explain_page", "told_sum"]

Plain = Mapping[str, Any]

_ROWS = 16
"""Channels in the table, at most."""


def explain_page(found: Plain) -> Html:
    """Return the page of an explained decision.

    Args:
        found: Of `hil.models.carried.carried`, with `file` and `model_file`.

    Raises:
        MissingPart: Matplotlib is not installed.
    """
    title = f"Why {found['label']} at {found['t_s']:.3f} s"
    body = [f"<h1>{text(title)}</h1>", facts([
        ("recording", found.get("file", "")), ("board", found["board"]), ("stream", found["stream"]),
        ("model", found.get("model_file", found["model"])), ("confidence", f"{found['confidence']:.3f}"),
        ("window", f"{found['from_s']:.3f} to {found['to_s']:.3f} s"), ("by", found["method"]),
    ])]  # fmt: skip
    body.append(f"<p>{text(told_sum(found))}</p>")
    body.append(picture(_picture(found), "What the decision saw, and what carried it",
                        f"green under a channel spoke for {found['label']}, red against it", "large"))  # fmt: skip
    lines = [
        _line("td", f"{one['from_s']:.3f} to {one['to_s']:.3f} s", f"{one['share']:.0%}", ", ".join(one["channels"]))
        for one in found["stretches"]
    ]
    body.append("<h2>Stretches that hold half of it</h2>")
    body.append(f"<table>{_line('th', 'when', 'share', 'led by')}{''.join(lines)}</table>")
    shown = found["channels"][:_ROWS]
    lines = [_line("td", one["channel"], f"{one['share']:.1%}", f"{one['net']:+.3f}") for one in shown]
    body.append("<h2>Channels</h2>")
    body.append(f"<table>{_line('th', 'channel', 'share', 'added to the score')}{''.join(lines)}</table>")
    rest = len(found["channels"]) - len(shown)
    body += [f'<p class="soft">and {rest} more with smaller shares</p>'] if rest else []
    return page(title, body, {"schema": 1, **found}, "Made by hil explain.")


def told_sum(found: Plain) -> str:
    """Return in a sentence what was explained and how nearly the explanation adds up to it."""
    whole = found["completeness"]
    side = "above" if whole["difference"] >= 0 else "below"
    said = (
        f"The score of {found['label']} is {abs(whole['difference']):.3f} {side} that of the training mean; "
        f"what is shown adds up to {whole['attributed']:+.3f}"
    )
    if whole["relative"] is not None:
        said += f" ({whole['relative']:.2%} off)"
    elif found["method"] == "occlusion":
        said += " (of occlusion no sum is promised)"
    if found["first_of_network"] != found["label"]:
        said += f"; on this window alone the network puts {found['first_of_network']} first"
    return said + "."


def _line(kind: str, *cells: str) -> Html:
    return row(f"<{kind}>{text(cell)}</{kind}>" for cell in cells)


def _picture(found: Plain) -> str:
    """Draw each channel's signal with its band under it."""
    readings, band = found["readings"], found["band"]
    names, scale = list(readings["values"]), strongest(found["band"])
    with canvas(7.4, 0.5 + 1.15 * len(names), f"explained {found['sample']}") as (drawn, only):
        only.remove()
        rows = drawn.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
        for axes, name in zip(rows, names, strict=True):
            values = readings["values"][name]
            unit = scale_for(readings["units"][name], values)
            axes.plot(readings["t_s"], [one / unit.factor for one in values], color=colour(0), linewidth=1.1)
            low, high = axes.get_ylim()
            axes.set_ylim(low - 0.3 * (high - low), high)  # room for the band
            draw_band(axes, band["edges_s"], band["added"][name], scale, 0.0, 0.18)
            axes.set_ylabel(f"{name}\n({unit.unit})" if unit.unit else name, fontsize=8)
            axes.grid(False)
        rows[-1].set_xlim(band["edges_s"][0], band["edges_s"][-1])
        rows[-1].set_xlabel("time since the first sample (s)")
        return svg(drawn, f"{found['label']} at {found['t_s']:.3f} s: signal and attribution of {', '.join(names)}")
