"""Colour maps of frames: told apart by any eyes where they say so, without colour, on few colours; and their ranges."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from screen_presses import tour
from test_chart import frame_stream, text

from hil.tui.charts import cells, chart, colourmaps, heatmap
from hil.tui.charts.colourmaps import COLOURMAPS
from hil.tui.charts.shading import Shading, shading_of
from hil.tui.terminal.palette import THEMES, Palette

VISIONS = {
    "any": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}  # fmt: skip
"""How linear sRGB looks to eyes that lack a kind of cone, after Machado, Oliveira and Fernandes 2009."""


def seen(number: int, vision: str) -> np.ndarray:
    """OKLab colours `(16, 3)` of a map as such eyes see it, from sRGB: the other way round than they are made."""
    rgb = np.array([[int(one[at : at + 2], 16) for at in (1, 3, 5)] for one in colourmaps.colours(number)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.transpose(VISIONS[vision]), 0, 1)
    cones = linear @ np.array([[0.4122214708, 0.2119034982, 0.0883024619], [0.5363325363, 0.6806995451, 0.2817188376],
                               [0.0514459929, 0.1073969566, 0.6299787005]])  # fmt: skip
    return np.cbrt(cones) @ np.array([[0.2104542553, 1.9779984951, 0.0259040371],
                                      [0.7936177850, -2.4285922050, 0.7827717662],
                                      [-0.0040720468, 0.4505937099, -0.8086757660]])  # fmt: skip


def read_by(number: int, vision: str) -> bool:
    """Whether such eyes tell every level of a map from every other, and more from less."""
    lab = seen(number, vision)
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=-1) + np.eye(16)
    rise = np.diff(lab[:, 0])
    half = len(lab) // 2
    ordered = (
        (rise[: half - 1] > 0).all() and (rise[half:] < 0).all() if COLOURMAPS[number].diverging else rise.min() > 0
    )
    return bool(ordered) and apart.min() > 0.025


@pytest.mark.parametrize("number", range(len(COLOURMAPS)), ids=[one.name for one in COLOURMAPS])
def test_a_map_is_marked_safe_exactly_where_all_eyes_read_it(number) -> None:
    assert all(read_by(number, vision) for vision in VISIONS) == COLOURMAPS[number].safe


@pytest.mark.parametrize("number", range(len(COLOURMAPS)), ids=[one.name for one in COLOURMAPS])
def test_equal_steps_of_a_reading_look_equally_long(number) -> None:
    steps = np.linalg.norm(np.diff(seen(number, "any"), axis=0), axis=1)
    if COLOURMAPS[number].diverging:
        steps = np.delete(steps, 7)  # across the middle it may leap: there the sign changes
    assert steps.max() < 1.3 * steps.min()


def test_no_map_is_the_default_twice_and_every_name_is_found() -> None:
    assert len({one.name for one in COLOURMAPS}) == len(COLOURMAPS)
    assert [colourmaps.number_of(one.name) for one in COLOURMAPS] == list(range(len(COLOURMAPS)))
    assert Shading().colourmap is COLOURMAPS[0]
    assert len({colourmaps.colours(number) for number in range(len(COLOURMAPS))}) == len(COLOURMAPS)


@given(st.integers(-500, 500), st.integers(-500, 500), st.integers(1, 500))
def test_a_diverging_map_never_gives_a_reading_below_zero_a_sign_or_colour_of_one_above(one, other, size) -> None:
    view = frame_stream(np.array([[one, other, -size, size]], np.float32))
    low, high = Shading("diverging").span(view)
    assert -low == high >= max(abs(one), abs(other)) * 0.999
    grid = heatmap.levels(view.image, low, high)
    assert ((grid >= 8) == (view.image >= 0)).all()
    assert not set(colourmaps.SIGNED[:8]) & set(colourmaps.SIGNED[8:])


def test_without_a_sign_change_a_diverging_map_parts_at_the_middle_and_says_so() -> None:
    view = frame_stream(np.array([[20.0, 30.0]], np.float32))
    assert Shading("diverging").span(view) == (20.0, 30.0)
    assert cells.text(heatmap.scale(view, True, Shading("diverging"))).endswith("30.00 °C about 25.00")
    assert "about" not in cells.text(heatmap.scale(view, True))


@given(st.integers(2, 40), st.integers(2, 40), st.integers(0, 10**6), st.booleans())
def test_folding_keeps_what_is_farthest_from_the_middle_on_either_side(tall, wide, place, cold) -> None:
    image = np.zeros((tall, wide), np.float32)
    image.flat[place % image.size] = -9.0 if cold else 9.0
    view = dataclasses.replace(frame_stream(image), image_low=-9.0, image_high=9.0)
    drawn = cells.rows(heatmap.draw(view, 12, 8, False, Shading("diverging")))
    assert any(("⣿" if cold else "█") in row for row in drawn[:6])


@pytest.mark.parametrize("name", [one.name for one in COLOURMAPS])
def test_without_colour_every_map_is_a_ramp_whose_signs_stand_in_its_scale(name) -> None:
    image = np.linspace(-8, 8, 16, dtype=np.float32).reshape(2, 8)
    shading = Shading(name)
    picture = heatmap.draw(frame_stream(image), 90, 8, False, shading)
    assert (picture.inks < cells.HEAT).all()
    drawn = [sign for row in cells.rows(picture)[:8] for sign in row[1:33]]
    assert set(colourmaps.ramp(shading.number)) <= set(drawn)
    assert colourmaps.ramp(shading.number) in text(picture)


def test_a_terminal_of_few_colours_gets_signs_in_place_of_shades_and_keeps_its_colours() -> None:
    few = Palette(THEMES[0], few=True)
    assert (few.colour, few.shades) == (True, False)
    assert Palette(THEMES[0]).shades
    assert not Palette(THEMES[0], colour=False).shades


@pytest.mark.screen
@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("COLORTERM", "")])
def test_a_frame_on_a_screen_without_shades_is_read_by_its_signs(name, value, monkeypatch) -> None:
    monkeypatch.setenv("TERM", "xterm")  # sixteen colours, unless COLORTERM says more
    monkeypatch.setenv(name, value)
    ramp, signed = tour((*["shift+tab"] * 4, "f"), ("P",) * 4)
    assert f"20.00 {colourmaps.RAMP} 32.00 °C" in ramp.picture
    assert f"20.00 {colourmaps.SIGNED} 32.00 °C about 26.00" in signed.picture
    assert "▀" not in ramp.picture + signed.picture


@pytest.mark.parametrize("number", range(len(COLOURMAPS)), ids=[one.name for one in COLOURMAPS])
def test_256_colours_are_enough_to_tell_little_from_much(number) -> None:
    from rich.color import Color, ColorSystem

    there = [Color.parse(one).downgrade(ColorSystem.EIGHT_BIT).number for one in colourmaps.colours(number)]
    assert len(set(there)) >= 11


def test_the_title_names_map_and_range_and_gives_words_up_from_the_end() -> None:
    view = frame_stream(np.array([[20.0, 30.0]], np.float32))
    panel = chart.panels([view])[0]

    def title(width: int, shading: Shading) -> str:
        return cells.text(heatmap.legend(view, panel, width, shading))

    assert title(100, Shading("grey")).endswith("grey, colour-blind safe · range over 1 s")
    assert title(100, Shading("rainbow", each=True)).endswith(" rainbow · range of each frame")
    assert title(38, Shading("grey", held=(1.0, 2.0))).endswith(" grey held")
    for width in range(60):
        assert len(title(width, Shading("grey"))) <= max(width, len(cells.text(chart.legend(view, panel, width))))


def test_a_range_follows_all_frames_or_each_or_is_held_and_what_is_beyond_it_is_counted() -> None:
    view = dataclasses.replace(frame_stream(np.array([[20.0, 30.0]], np.float32)), image_low=10.0, image_high=50.0)
    assert Shading().span(view) == (10.0, 50.0)
    each = Shading().alone()
    assert each.span(view) == (20.0, 30.0)
    held = each.hold(view)
    hotter = dataclasses.replace(view, image=np.array([[19.0, 31.0, 32.0, np.nan]], np.float32))
    assert held.span(hotter) == (20.0, 30.0)
    words = [cells.text(line) for line in heatmap.caption(hotter, held)]
    assert words[2:] == ["1 not a number", "2 above the range", "1 below the range"]
    assert held.hold(hotter) == each
    assert held.alone() == each
    assert each.alone() == Shading()
    assert not any("range" in cells.text(line) for line in heatmap.caption(hotter, each))


def test_a_spectrogram_is_never_given_a_map_that_diverges() -> None:
    shading, names = Shading(), []
    for _ in COLOURMAPS:
        names.append(shading.colours)
        shading = shading.turn(sign=False)
    assert "diverging" not in names
    assert len(set(names)) == len(COLOURMAPS) - 1


@pytest.mark.parametrize("held", [None, [1], [2.0, 1.0], ["a", 2.0], [1.0, float("inf")], {"low": 1}, "12"])
def test_values_of_a_file_that_are_no_shading_are_passed_over(held) -> None:
    assert shading_of("no such map", 1, held) == Shading()
    assert shading_of(None, None, [1, 2.5]) == Shading(held=(1.0, 2.5))
    assert shading_of("grey", True, held) == Shading("grey", each=True)
