"""One self-contained HTML page of a generator's evaluation: what it is good for, and what it is not.

Rule of this room: it arranges and draws plain values, nothing is computed. Every figure stands beside what real
readings give in its place.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hil.report.html import Html, facts, finding_list, page, picture, row, text
from hil.report.svg import INK, canvas, colour, svg

__all__ = ["generator_page"]

Plain = Mapping[str, Any]

_WORDS = {
    "macro_f1_real": "macro-F1 of a network that learnt from real readings",
    "macro_f1_synthetic": "macro-F1 of one that learnt from generated readings alone",
    "macro_f1_mixed": "macro-F1 of one that learnt from both",
    "told_from_real_accuracy": "share of windows in which generated is told from real (0.5: by chance)",
    "discriminative_score": "discriminative score (0: cannot be told, 0.5: always)",
    "psd_generated_to_learnt_db": "spectra: generated to those learnt from, dB",
    "psd_unseen_to_learnt_db": "spectra: unseen people to those learnt from, dB",
    "allan_generated_to_learnt_db": "Allan deviation: generated to those learnt from, dB",
    "allan_unseen_to_learnt_db": "Allan deviation: unseen people to those learnt from, dB",
    "neighbour_ratio": "nearest window learnt from over nearest of as many unseen people (1: no nearer)",
    "neighbour_margin": "nearest window learnt from, of generated over unseen people (much below 1: copies)",
    "neighbour_copies": "share of generated windows nearer than 99 % of repetitions are to each other",
}


def generator_page(found: Plain) -> Html:
    """Return the page of an evaluation, of what `hil generate evaluate --json` prints.

    Raises:
        MissingPart: Matplotlib is not installed.
    """
    plan = found["plan"]
    body = [f"<h1>{text(found['name'])}: generated readings on unseen people</h1>"]
    body.append(facts([
        ("network", found["model"]), ("people", len(found["people"])), ("folds", len(found["folds"])),
        ("seed", plan["seed"]), ("weights of the generator", found["parameters"]),
        ("steps", found["generator_steps"]), ("epochs", found["epochs"]), ("share mixed in", plan["share"]),
    ]))  # fmt: skip
    body.append(finding_list(list(_findings(found))))
    body.append(_table(["figure", "value", "low", "high"], [
        [_WORDS.get(one["name"], one["name"]), *(_number(one[key]) for key in ("value", "low", "high"))]
        for one in found["figures"]
    ]))  # fmt: skip
    drawn = [picture(_people_plot(found["each"]), "Each person, whom nothing has met")]
    for name, title, unit in (
        ("psd", "Spectra", "density (unit²/Hz)"),
        ("allan", "Allan deviation", "deviation (unit)"),
    ):
        curves = found["curves"][name]
        xlabel = "frequency (Hz)" if name == "psd" else "averaging time (s)"
        for at, channel in enumerate(curves["channels"]):
            plot = _curve_plot(curves, at, xlabel, unit)
            drawn.append(picture(plot, f"{title}: {channel} ({curves['units'][at]})", size="small"))
    body.append(f'<div class="plots">{"".join(drawn)}</div>')
    body.append("<h2>Beside real readings</h2>")
    for key, words in (
        ("gain", "Both, less real alone (each with the same augmentation)"),
        ("synthetic_against_real", "Generated alone, less real alone"),
    ):
        body.append(f'<p class="soft">{text(words)}</p>')
        body.append(_table(["figure", "verdict", "real", "other", "difference", "low", "high", "p"], [
            [one["name"].replace("_", " "), one["verdict"],
             *(_number(one[name]) for name in ("a", "b", "effect", "low", "high", "p_adjusted"))] for one in found[key]
        ]))  # fmt: skip
    body.append("<h2>Nearest windows</h2>")
    body.append(_table(["held out", "generated to learnt from", "generated to unseen", "unseen to learnt from",
                        "repetitions", "ratio", "copies"], [
        [", ".join(one["held_out"]), *(_quartiles(one["neighbours"][key]) for key in
         ("made_to_learnt", "made_to_unseen", "unseen_to_learnt", "repetition")),
         _number(one["neighbours"]["ratio"]), _number(one["neighbours"]["copies"])] for one in found["fold_results"]
    ]))  # fmt: skip
    made = "Intervals are 95 %, by drawing whole people (or folds of them) anew. Made by hil generate evaluate."
    return page(f"{found['name']}: evaluation", body, found, made)


def _findings(found: Plain) -> Iterator[tuple[str, str, str]]:
    value = {one["name"]: one for one in found["figures"]}
    gain = found["gain"][0]
    ends = f"({gain['low']:+.3f} to {gain['high']:+.3f})"
    level = {"better": "good", "worse": "bad"}.get(gain["verdict"], "note")
    yield level, "augmentation", f"macro-F1 {gain['effect']:+.3f} {ends} over plain augmentation: {gain['verdict']}"
    real, alone = (value[f"macro_f1_{arm}"]["value"] for arm in ("real", "synthetic"))
    yield "note", "generated alone", f"macro-F1 {alone:.3f} on real people, where real readings give {real:.3f}"
    told = value["told_from_real_accuracy"]
    yield ("warn" if told["low"] > 0.6 else "good", "told from real",
           f"in {told['value']:.1%} of windows ({told['low']:.1%} to {told['high']:.1%}); chance is 50 %")  # fmt: skip
    copies = value["neighbour_copies"]["value"]
    yield ("bad" if copies > 0.05 else "good", "copies",
           f"{copies:.1%} of generated windows are nearer to one learnt from than repetitions are; "
           f"nearest distance {value['neighbour_margin']['value']:.2f} of that of unseen people")  # fmt: skip


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Html:
    cells = (row(f"<td>{text(cell)}</td>" for cell in one) for one in rows)
    return f"<table>{row(f'<th>{text(name)}</th>' for name in head)}{''.join(cells)}</table>"


def _number(value: float | None) -> str:
    return "unknown" if value is None or value != value else f"{value:.3f}"


def _quartiles(one: Plain | None) -> str:
    return "unknown" if one is None else f"{one['median']:.3f} ({one['low']:.3f} to {one['high']:.3f})"


def _people_plot(each: Sequence[Plain]) -> str:
    with canvas(4.8, 0.9 + 0.24 * len(each), f"people {len(each)}") as (drawn, axes):
        for at, (arm, words) in enumerate((("real", "real"), ("synthetic", "generated"), ("mixed", "both"))):
            axes.plot([one[arm] for one in each], range(len(each)), "o", color=colour(at), markersize=5, label=words)
        axes.set_yticks(range(len(each)), [one["person"] for one in each], fontsize=8)
        axes.set_ylim(-0.7, len(each) - 0.3)
        axes.set_xlabel("macro-F1 of a network that learnt from")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        return svg(drawn, "macro-F1 of each person by what the network learnt from")


def _curve_plot(curves: Plain, at: int, xlabel: str, ylabel: str) -> str:
    with canvas(3.2, 2.3, f"{ylabel} {at}") as (drawn, axes):
        for number, (who, words) in enumerate((("learnt", "learnt from"), ("unseen", "unseen people"))):
            axes.plot(curves["x"], curves[who][at], color=colour(number), linewidth=1.2, label=words)
        axes.plot(
            curves["x"], curves["generated"][at], color=INK, linewidth=1.4, linestyle=(0, (4, 2)), label="generated"
        )
        axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
        axes.legend(fontsize=7)
        return svg(drawn, f"{ylabel} of {curves['channels'][at]}")
