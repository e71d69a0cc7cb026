"""A page is one file that fetches nothing, holds every figure, and reads on white paper and on a dark screen."""

import builtins
import json
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.errors import MissingPart
from firmware_bridge.streams import Stream
from hil.measure.compare import Member, Side, compare
from hil.measure.datasheet import load_datasheet
from hil.measure.figure import Figure, Measurement, PlotData
from hil.report.comparepage import comparison_page
from hil.report.draw import draw, thinned
from hil.report.findings import findings
from hil.report.page import grouped, measurement_page
from hil.report.svg import FAINT, GRID, INK, PAPER, SERIES
from hil.report.tables import sections
from hil.report.text import comparison_lines, measurement_lines
from hil.report.words import duration, effect, interval, number, scale_for, value

IMU = Stream("imu", ("ax", "wx"), ("g", "rad/s"), "<i2", (2,), 100.0, (0.001,))
X = np.geomspace(0.01, 10, 20)
SHORT = "unknown: 60 s at rest are too short; record 10 min"
FACTS = {
    "path": "/somewhere/run.mcap", "start_ns": 1_700_000_000_000_000_000, "duration_s": 61.0,
    "about": {"person": "<ann>"},
    "boards": {"arm": {"model": "M-1", "serial": "7", "firmware": "1.0"}},
    "streams": [{"name": "arm/imu", "kind": "inertial", "samples": 6100, "rate_hz": 99.9, "nominal_hz": 100.0,
                 "channels": ["ax", "wx"], "units": ["g", "rad/s"]}],
    "lost": None, "remarks": ["the last second is missing"],
}  # fmt: skip


def figure(
    metric: str, given: float | None, half: float | None, channel: str = "", unit: str = "%", **more: str
) -> Figure:
    ends = (None, None) if given is None or half is None else (given - half, given + half)
    name = ".".join(filter(None, ("stream.arm.imu", channel, metric)))
    return Figure(name, "arm/imu", given, unit, *ends, more.get("condition", "at rest for 60 s"), "data", "lower",
                  "a method", 6100, more.get("note", ""), channel, metric)  # fmt: skip


def plots(shift: float = 1.0) -> dict[str, PlotData]:
    y = shift * 1e-3 / np.sqrt(X)
    one = PlotData(
        "allan",
        "Allan deviation at rest",
        "arm/imu",
        "ax",
        "averaging time, s",
        "deviation, g",
        {"x": X, "y": y, "low": 0.9 * y, "high": 1.1 * y, "fit": y, "white": y, "modified": y / 2},
        True,
        True,
    )
    line = PlotData(
        "spectrum",
        "amplitude density",
        "arm/imu",
        "ax",
        "frequency, Hz",
        "density, g/sqrt(Hz)",
        {"x": X, "y": y, "low": y, "high": y},
        True,
        True,
        ((3.0, "50 Hz mains"), (5.0, "line")),
    )
    bars = PlotData(
        "histogram",
        "distribution of readings",
        "arm/imu",
        "ax",
        "reading, g",
        "readings",
        {"x": np.linspace(-1, 1, 11), "y": np.arange(10)},
    )
    grid = PlotData("map", "noise map", "arm/imu", "", "column", "row; degC", {"z": np.arange(16.0).reshape(4, 4)})
    clock = PlotData(
        "clock",
        "clock exchanges",
        "arm",
        "",
        "time, s",
        "host less line, us",
        {"x": X, "y": y, "below": y - 1, "above": y + 1},
    )
    pairs = PlotData("correlation", "correlation", "arm/imu", "", "", "1", {"z": np.eye(2)}, names=("ax", "wx"))
    turn = PlotData(
        "orientation", "orientation", "arm/imu", "", "time, s", "angle, deg", {"x": X, "roll": y, "pitch": y}
    )
    over = PlotData(
        "overlay", "against ref", "arm/imu", "wx", "time, s", "reading, g", {"x": X, "y": y, "reference": -y}
    )
    made = (one, replace(one, channel="ay"), line, bars, grid, clock, pairs, turn, over)
    return {f"{plot.kind}.{plot.channel}.{at}": plot for at, plot in enumerate(made)}  # fmt: skip


def measured(noise: float = 100e-6) -> Measurement:
    figures = (
        figure("loss", 0.5, 0.1, note="30 samples"),
        figure("noise_density", noise, 2e-6, "ax", "g/sqrt(Hz)"),
        figure("noise_density", 88.2e-6, 1e-6, "wx", "rad/s/sqrt(Hz)"),
        figure("bias_instability", None, None, "ax", "g", condition=SHORT),
        figure("jitter", None, None, "", "us", condition="unknown: the board sends no <time>"),
    )  # fmt: skip
    return Measurement(figures, plots(noise / 100e-6), FACTS)


class Checked(HTMLParser):
    """Follows the tags of a page and keeps what would be fetched."""

    VOID = ("meta", "br", "link", "img", "input", "hr")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for name, said in attrs:
            if name in ("src", "href", "xlink:href", "action", "data") and said and not said.startswith(("#", "data:")):
                self.fetched.append(said)
            if name == "id" and said:
                self.ids.append(said)
        if tag in ("link", "iframe", "object", "embed"):
            self.fetched.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page() -> str:
    return measurement_page(measured())


@pytest.fixture(scope="module")
def compared() -> str:
    sides = [Side(name, (Member(f"{name}.mcap", "arm", measured(noise), {"imu": IMU}, 61.0),))
             for name, noise in (("A", 100e-6), ("B", 90e-6))]  # fmt: skip
    return comparison_page(compare(*sides, 0.1), *sides)


@pytest.mark.parametrize("which", ["page", "compared"])
def test_a_page_is_whole_and_fetches_nothing(which: str, request: pytest.FixtureRequest) -> None:
    html: str = request.getfixturevalue(which)
    checked = Checked()
    checked.feed(html)
    assert checked.open == []
    assert checked.fetched == []
    assert "@import" not in html
    assert not re.findall(r"url\((?!#)", html)
    assert len(html) < 1_500_000


@pytest.mark.parametrize("which", ["page", "compared"])
def test_colours_of_plots_are_those_of_the_page(which: str, request: pytest.FixtureRequest) -> None:
    html: str = request.getfixturevalue(which)
    assert not [colour for colour in (INK, FAINT, GRID, PAPER, *SERIES) if colour in html]
    used = set(re.findall(r"var\(--([\w-]+)\)", html))
    defined = set(re.findall(r"--([\w-]+):", html))
    assert used <= defined
    assert {"s0", "ink", "grid"} <= used
    assert "prefers-color-scheme:dark" in html
    assert "@media print" in html


def test_ids_inside_the_pictures_do_not_clash(page: str) -> None:
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) == 8
    clips = [set(re.findall(r'<clipPath id="(\w+)"', picture)) for picture in pictures]
    assert sum(map(len, clips)) == len(set().union(*clips))


def test_the_page_holds_the_same_numbers_as_json(page: str) -> None:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    held = json.loads(found[1].replace("<\\/", "</"))
    assert held == json.loads(json.dumps(measured().as_dict()))
    first = held["figures"][0]
    assert {"name", "stream", "value", "unit", "low", "high", "condition"} <= first.keys()


def test_every_figure_stands_there_and_what_is_unknown_says_why(page: str) -> None:
    body = page.partition("</head>")[2].partition('<script type="application/json"')[0]
    for words in ("noise density", "bias instability", "60 s at rest are too short; record 10 min", "100.0",
                  "98.0 … 102.0", "µg/√Hz", "the last second is missing", "&lt;ann&gt;", "no &lt;time&gt;",
                  "30 samples"):  # fmt: skip
        assert words in body, words
    assert "<ann>" not in body


def test_the_same_measurement_gives_the_same_page() -> None:
    assert measurement_page(measured()) == measurement_page(measured())


def test_a_datasheet_is_laid_over_and_its_verdicts_are_told(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.toml"
    sheet.write_text('schema = 1\nname = "S"\n[expect]\n"ax.noise_density" = { typical = 70, maximum = 80, '
                     'unit = "ug/sqrt(Hz)" }\nbias_instability = { maximum = 1 }\n')  # fmt: skip
    laid = load_datasheet(sheet).over(measured())
    html = measurement_page(laid)
    assert "typ 70, max 80" in html
    assert ">over<" in html
    said = " ".join(f"{one.where} {one.text}" for one in findings(laid))
    assert "noise_density lies beyond the limit" in said
    assert "bias_instability is expected by the datasheet and could not be measured" in said


def test_the_table_of_the_terminal_holds_every_figure() -> None:
    lines = list(measurement_lines(measured()))
    told = "\n".join(lines)
    assert "✖ arm/imu: 0.50 % of the samples that were due did not arrive (30 samples)" in told
    assert re.search(r"ax +noise_density +100\.0 +µg/√Hz +\(98\.0 … 102\.0\) +at rest for 60 s", told)
    assert "unknown (ax): bias_instability: 60 s at rest are too short; record 10 min" in told


def test_a_comparison_tells_verdicts_first_and_the_length_that_is_needed(compared: str) -> None:
    assert "better" in compared
    assert "needs" in compared
    sides = [Side(name, (Member(f"{name}.mcap", "arm", measured(noise), {"imu": IMU}, 61.0),))
             for name, noise in (("A", 100e-6), ("B", 90e-6))]  # fmt: skip
    told = "\n".join(comparison_lines(compare(*sides, 0.1)))
    assert re.search(r"better +imu ax noise_density +100\.0 +90\.0 +µg/√Hz +−10\.0 % \(−1", told)
    assert re.search(r"needs \d+(\.\d+)? s for a 10 % difference", told)
    assert "not compared: ax bias_instability: in both unknown: 60 s at rest are too short" in told


def test_without_matplotlib_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: object, **more: object) -> object:
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *rest, **more)  # type: ignore[arg-type]

    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingPart, match=r"pip install 'hil-testbench\[report\]'"):
        measurement_page(measured())


def test_channels_of_one_unit_share_a_picture_and_a_table() -> None:
    groups = grouped(list(plots().values()))
    assert [len(group) for group in groups if group[0].kind == "allan"] == [2]
    section = sections(measured())[0]
    assert [group.channels for group in section.groups] == [("ax",), ("wx",)]


@given(st.integers(1, 5000), st.booleans(), st.integers(0, 2**32 - 1))
def test_a_long_curve_is_thinned_and_keeps_its_extremes(count: int, log: bool, seed: int) -> None:
    x = np.arange(1, count + 1).astype(float)
    y = np.random.default_rng(seed).normal(size=count)
    short_x, short_y = thinned(x, y, log)
    assert len(short_x) <= 700
    assert short_y.min() == y.min()
    assert short_y.max() == y.max()
    assert (np.diff(short_x) > 0).all()


@given(st.floats(1e-9, 1e9), st.floats(0.001, 0.4))
def test_a_value_is_written_with_the_digits_its_interval_bears(given_value: float, share: float) -> None:
    half = share * given_value
    scale = scale_for("g", (given_value,))
    shown = value(given_value, given_value - half, given_value + half, scale).replace(" ", "").replace("−", "-")
    assert abs(float(shown) * scale.factor - given_value) <= 0.51 * half
    assert len(shown) <= 12


@pytest.mark.parametrize(
    ("said", "words"),
    [(number(0.0), "0"), (number(1234567.0), "1.235e6"), (number(1.0), "1"), (number(-0.25), "−0.25"),
     (duration(42.0), "42 s"), (duration(250), "4 min 10 s"), (duration(90_000), "1 d 1 h"), (duration(0.02), "20 ms"),
     (effect(-10.0, -12.0, -8.0, "%"), "−10.0 % (−12.0 … −8.0)"), (effect(None, None, None, "%"), "—"),
     (interval(1.0, 1.0, 1.0, scale_for("g", (1.0,))), ""), (value(None, None, None, scale_for("g", ())), "unknown"),
     (value(8.0, 4.0, 12.0, scale_for("1", (8.0,))), "8")],
)  # fmt: skip
def test_numbers_are_written_as_people_write_them(said: str, words: str) -> None:
    assert said == words


def test_a_picture_of_unknown_values_is_drawn_all_the_same() -> None:
    z = np.full((4, 4), np.nan)
    z[1, 1] = 1.0
    empty = PlotData("map", "noise map", "arm/imu", "", "column", "row; degC", {"z": z})
    assert "×" in draw([empty])
    nothing = PlotData("spectrum", "density", "arm/imu", "ax", "frequency, Hz", "density, g", {"x": X, "y": X * np.nan})
    assert "<svg" in draw([nothing])
