"""A link is judged by the readings that were asked for: what was before and after them plays no part."""

from pathlib import Path

import pytest

from hil.scenario.grammar.load import Loaded, parse_scenario
from hil.scenario.run import RunOptions, run_scenario

WATCH = Path(__file__).resolve().parents[3] / "scenarios" / "recordings" / "watch-unseen-9.mcap"
RECORDED = f'name = "r"\n[board.b]\nrecording = "{WATCH}"\n'
VIRTUAL = 'name = "v"\n[board.b]\nvirtual = "imu?rate=50"\nseed = 3\n'
READINGS = "[readings]\nfrom_s = {}\nto_s = {}\n"
ANY = '[[check]]\nmetric = "link.b.samples"\nat_least = 0\n'
DROP = '[[fault]]\non = "b"\nkind = "frame.drop"\nrate = 1.0\nfrom_s = {}\nto_s = {}\n'


def figures(text: str, folder: Path, **options: object) -> dict[str, float]:
    """Counts of a run by their last name; one that depends on how it is decoded ends the test."""
    loaded = Loaded(folder / "s.toml", text + ANY, parse_scenario(text + ANY, "s"))
    result = run_scenario(loaded, RunOptions(**options))  # type: ignore[arg-type]
    assert result.outcome == "PASS", result
    found = {name: float(one["value"]) for name, one in result.metrics.items()}
    kept = {name.removeprefix("link.b."): value for name, value in found.items() if name.startswith("link.b.")}
    return kept | {"judged": found["stream.b.imu.samples"]}


@pytest.mark.parametrize("text", [RECORDED, VIRTUAL])
@pytest.mark.parametrize(("begin", "end"), [(0.0, 1.99), (0.99, 2.99), (0.73, 1.41)])
def test_the_books_of_a_part_hold_the_samples_of_that_part(text: str, begin: float, end: float, tmp_path: Path) -> None:
    found = figures(text + READINGS.format(begin, end), tmp_path, twice=True)
    assert found["samples"] == found["samples_expected"] == found["judged"] == round((end - begin) * 50)
    assert found["samples_unaccounted"] == found["samples_lost"] == found["bytes_unaccounted"] == 0


@pytest.mark.parametrize("text", [RECORDED, VIRTUAL])
def test_a_loss_before_or_after_the_readings_is_none_of_theirs(text: str, tmp_path: Path) -> None:
    faults = DROP.format(0.2, 0.6) + DROP.format(2.2, 2.25)
    found = figures(text + READINGS.format(0.99, 1.99) + faults, tmp_path)
    assert (found["samples_lost"], found["gaps"], found["samples"]) == (0, 0, 50)


@pytest.mark.parametrize("text", [RECORDED, VIRTUAL])
def test_samples_that_are_missing_at_the_end_are_found_though_what_tells_comes_after_it(
    text: str, tmp_path: Path
) -> None:
    found = figures(text + READINGS.format(0.0, 1.99) + DROP.format(1.8, 2.04), tmp_path, twice=True)
    assert found["gaps"] == 1
    assert 5 <= found["samples_lost"] <= 15
    assert found["samples"] == found["judged"]
    assert found["samples_expected"] == 100 == found["samples"] + found["samples_lost"]
    assert found["samples_unaccounted"] == 0
