"""A datasheet lies over the figures in its own units, and every mistake in it is named with what is allowed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.errors import FileError, UsageError
from hil.measure.datasheet import ABOVE_TYPICAL, MEETS, OVER, UNKNOWN, UNSURE, failed, load_datasheet
from hil.measure.figure import Figure, Measurement
from hil.measure.units import conversion, kindred

EXAMPLE = Path(__file__).resolve().parents[3] / "scenarios" / "datasheets" / "virtual_imu.toml"


def noise(value: float | None, half: float = 1e-6, channel: str = "ax", unit: str = "g/sqrt(Hz)") -> Figure:
    ends = (None, None) if value is None else (value - half, value + half)
    name = f"stream.arm.imu.{channel}.noise_density"
    return Figure(name, "arm/imu", value, unit, *ends, "at rest", better="lower", metric="noise_density")


def laid(tmp_path: Path, text: str, *figures: Figure) -> Measurement:
    path = tmp_path / "sheet.toml"
    path.write_text(f"schema = 1\n[expect]\n{text}\n", encoding="utf-8")
    return load_datasheet(path).over(Measurement(figures))


LINE = 'noise_density = { typical = 100, maximum = 150, unit = "ug/sqrt(Hz)" }'


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(90e-6, MEETS), (120e-6, ABOVE_TYPICAL), (150.5e-6, UNSURE), (160e-6, OVER), (None, UNKNOWN)],
)
def test_a_figure_is_held_against_the_numbers_in_the_unit_of_the_datasheet(
    tmp_path: Path, value: float | None, verdict: str
) -> None:
    found = laid(tmp_path, LINE, noise(value))
    said = found.expected["stream.arm.imu.ax.noise_density"]
    assert said["verdict"] == verdict
    assert said["maximum"] == pytest.approx(150e-6)
    assert said["unit"] == "g/sqrt(Hz)"
    assert bool(failed(found)) == (verdict in (OVER, UNKNOWN))


def test_the_most_exact_key_counts_and_a_star_stands_for_many(tmp_path: Path) -> None:
    text = (
        "noise_density = { maximum = 1 }\n"
        '"a?.noise_density" = { maximum = 2 }\n'
        '"imu.az.noise_density" = { maximum = 3 }\n'
    )
    found = laid(tmp_path, text, *(noise(0.5, 0.1, channel) for channel in ("ax", "az", "wx")))
    limits = {name.split(".")[3]: said["maximum"] for name, said in found.expected.items()}
    assert limits == {"ax": 2, "az": 3, "wx": 1}


def test_what_was_expected_and_not_measured_is_told_and_never_met(tmp_path: Path) -> None:
    found = laid(tmp_path, LINE + "\nperfusion = { minimum = 1 }", noise(90e-6))
    assert failed(found) == ["perfusion"]
    assert found.facts["datasheet"]["not_measured"] == ["perfusion"]


def test_of_a_signed_figure_the_size_is_limited(tmp_path: Path) -> None:
    drift = Figure("clock.arm.drift", "arm", -30.0, "ppm", -31.0, -29.0, "", better="lower", metric="drift")
    assert laid(tmp_path, "drift = { maximum = 20 }", drift).expected["clock.arm.drift"]["verdict"] == OVER
    assert laid(tmp_path, "drift = { maximum = 50 }", drift).expected["clock.arm.drift"]["verdict"] == MEETS


MISTAKES = {
    "nois_density = { maximum = 1 }": ("nois_density", "noise_density"),
    "loss = { max = 1 }": ("loss.max", "typical, maximum, minimum, unit"),
    'loss = { maximum = "few" }': ("loss.maximum", "a number"),
    "loss = { maximum = true }": ("loss.maximum", "a number"),
    "loss = 3": ("'loss'", "maximum = 2"),
    'loss = { unit = "%" }': ("'loss'", "typical, maximum, minimum"),
    "loss = { maximum = 1, unit = 5 }": ("loss.unit", "a unit as text"),
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_names_file_key_and_what_is_allowed(tmp_path: Path, line: str) -> None:
    key, allowed = MISTAKES[line]
    with pytest.raises(UsageError) as raised:
        laid(tmp_path, line)
    assert "sheet.toml" in str(raised.value)
    assert key in str(raised.value)
    assert allowed in str(raised.value)


def test_other_mistakes_of_the_file_are_told(tmp_path: Path) -> None:
    path = tmp_path / "sheet.toml"
    for text, words in (
        ("schema = 2\n[expect]\nloss = { maximum = 1 }", "allowed: 1"),
        ("expects = 1", "allowed: schema, name, source, note, expect"),
        ("schema = 1", "[expect]"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(UsageError) as raised:
            load_datasheet(path)
        assert words in str(raised.value)
    path.write_text("schema = = 1", encoding="utf-8")
    with pytest.raises(FileError, match="no TOML"):
        load_datasheet(path)
    with pytest.raises(FileError, match="cannot be read"):
        load_datasheet(tmp_path / "absent.toml")


def test_a_unit_of_another_quantity_is_refused_with_those_that_fit(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ug/sqrt\(Hz\)"):
        laid(tmp_path, 'noise_density = { maximum = 1, unit = "mdps/sqrt(Hz)" }', noise(1.0))


def test_the_example_that_comes_along_can_be_read() -> None:
    sheet = load_datasheet(EXAMPLE)
    assert sheet.name
    assert sheet.source
    assert len(sheet.expectations) == 5


@pytest.mark.parametrize(
    ("unit", "into", "factor"),
    [("ug/sqrt(Hz)", "g/sqrt(Hz)", 1e-6), ("mdps", "rad/s", 1.7453292519943296e-05), ("m/s2", "g", 1 / 9.80665),
     ("deg/h", "deg/s", 1 / 3600), ("ms", "us", 1e3), ("%", "ppm", 1e4), ("mK", "degC", 1e-3)],
)  # fmt: skip
def test_units_of_datasheets_become_units_of_figures(unit: str, into: str, factor: float) -> None:
    assert conversion(unit, into) == pytest.approx(factor)


@given(st.sampled_from(["g", "rad/s", "us", "degC", "g/sqrt(Hz)", "deg/s/sqrt(s)", "1"]))
def test_there_and_back_is_the_same_unit(unit: str) -> None:
    for other in kindred(unit):
        there, back = conversion(unit, other), conversion(other, unit)
        assert there is not None
        assert back is not None
        assert there * back == pytest.approx(1.0)
    assert conversion(unit, "furlong") is None
