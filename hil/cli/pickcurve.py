"""What picking saves, asked for and printed: `hil pick --curve`."""

import json as writer
from pathlib import Path
from typing import Any

from hil.cli.common import fresh, print_json, print_table, talk, worked
from hil.cli.data import config_of

__all__ = ["curve_of"]


def curve_of(
    source: Path, base: Path | None, seconds: float, sizes: dict[str, int], output: Path | None, page: Path | None,
    json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Measure what picking saves on labelled data; write, print.

    Args:
        source: A TOML file with a data table, or a folder of labelled recordings.
        base: Folder of the data files; None: beside the source.
        seconds: Length of a stretch.
        sizes: `seeds`, `seed`, `folds`, `batch` and `most` of `CurvePlan`.
        output: JSON file to write.
        page: Page to write.
        json: Print JSON.
        quiet: Say nothing meanwhile.

    Raises:
        FileError: A file cannot be read or written.
        UsageError: The data cannot serve.
    """
    from hil.models.datasets import load_dataset
    from hil.picking.curve import CurvePlan, measure_curve

    fresh(output, page)
    if page is not None:
        from hil.report.svg import needs_matplotlib

        needs_matplotlib()  # before the work, not after it
    dataset = load_dataset(*config_of(source, base))
    window = max(4, round(seconds * dataset.rate_hz))
    plan = CurvePlan(window=window, hop=max(1, window // 4), **sizes)
    with worked("runs") as told:

        def tell(share: float, line: str) -> None:
            told(share)
            talk(f"{share:4.0%} {line}", quiet)

        found = measure_curve(dataset, plan, tell)
    if output is not None:
        output.write_text(writer.dumps(found, indent=1) + "\n", encoding="utf-8")
    if page is not None:
        from hil.report.pickpage import pick_page

        page.write_text(pick_page(found), encoding="utf-8")
        talk(f"page: {page}", quiet)
    if json:
        print_json(found)
    else:
        _show(found)


def _show(found: dict[str, Any]) -> None:
    def told(one: dict[str, Any] | None, digits: int) -> tuple[str, str, str]:
        if one is None:
            return "", "", ""
        ends = (one[key] for key in ("value", "low", "high"))
        value, low, high = ("never" if end is None else f"{end:.{digits}f}" for end in ends)
        return value, low, high

    full = found["full_pool_macro_f1"]
    print(f"all labels of the pool: macro-F1 {full['value']:.3f} ({full['low']:.3f} to {full['high']:.3f}) on people "
          f"outside it; target {found['target_macro_f1']:.3f}")  # fmt: skip
    print_table(("strategy", "labels", "low", "high", "of random", "low", "high"), [
        (name, *told(one["needed"], 0), *told(one["ratio"], 2)) for name, one in found["strategies"].items()
    ])  # fmt: skip
    chosen = ", ".join(f"{one['strategy']} (judges {' '.join(one['judges'])})" for one in found["choices"])
    print(f"chosen inside the pools: {chosen}")
