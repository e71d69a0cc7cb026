"""Charts and heat maps as text: titles, axes, gaps, lanes, and frames that lose no pixel."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hil.tui.charts import axes, canvas, cells, chart, colourmaps, heatmap
from hil.tui.charts.shading import Shading
from hil.views.snapshot import StreamView

SECOND = 1_000_000_000
T0 = 1_700_000_000 * SECOND


def stream(columns: int = 120, channels: int = 6, seconds: float = 10.0) -> StreamView:
    t = np.linspace(0, seconds, 2000)
    values = np.stack([np.sin(t + channel) * (channel + 1) for channel in range(channels)], axis=1)
    low, high = canvas.envelope(values, columns)
    names, units = ("ax", "ay", "az", "wx", "wy", "wz"), ("g", "g", "g", "rad/s", "rad/s", "?")
    return StreamView(
        "watch", "imu", names[:channels], units[:channels],
        200.0, 199.9, False, 2000, T0, T0 + int(seconds * SECOND), low, high, np.zeros(columns, bool),
        values[-1].astype(np.float32),
    )  # fmt: skip


def frame_stream(image: np.ndarray, unit: str = "degC") -> StreamView:
    edge = np.array([[float(np.nanmin(image)), float(np.nanmax(image))]], np.float32)
    return StreamView(
        "thermal", "frame", ("temperature",), (unit,), 8.0, 8.0, False, 5, T0, T0 + SECOND, edge, edge,
        np.zeros(2, bool), edge[:, 1], True, image.astype(np.float32), T0,
    )  # fmt: skip


def text(picture: cells.Cells) -> str:
    return "\n".join(cells.rows(picture))


def test_channels_of_one_unit_share_a_chart() -> None:
    made = chart.panels([stream()])
    assert [(panel.unit, panel.channels) for panel in made] == [("g", (0, 1, 2)), ("rad/s", (3, 4)), ("?", (5,))]
    assert len({panel.key for panel in made}) == 3


def test_the_legend_names_unit_rate_and_newest_readings_and_says_what_did_not_fit() -> None:
    view = stream()
    panel = chart.panels([view])[0]
    wide = cells.text(chart.legend(view, panel, 100))
    assert "watch imu g" in wide
    assert "199.9/200 Hz" in wide
    for index in panel.channels:
        assert f"{view.channels[index]} {canvas.number(float(view.latest[index])):>7}" in wide
    for width in range(20, 100):
        line = cells.text(chart.legend(view, panel, width))
        assert sum(f"━{name}" in line for name in ("ax", "ay", "az")) + (int(line[-1]) if "+" in line else 0) in (0, 3)
    unknown = dataclasses.replace(view, measured_hz=0.0, rate_hz=None)
    assert "SILENT" in cells.text(chart.legend(unknown, panel, 100))
    assert "nominal unknown" in cells.text(chart.legend(unknown, panel, 100))
    assert "unit ?" in cells.text(chart.legend(view, chart.panels([view])[2], 100))


def test_the_axes_carry_round_numbers_and_time() -> None:
    view = stream()
    shown = text(chart.draw(view, chart.panels([view])[0], 80, 14))
    for words in ("0┤", "−8 s", "now", "└"):
        assert words in shown
    assert "now" not in text(chart.draw(view, chart.panels([view])[0], 80, 14, edge="12.0 s"))


def test_the_same_readings_give_the_same_picture_whatever_was_drawn_before() -> None:
    view = stream()
    panel, axis = chart.panels([view])[0], (-5.0, 5.0)
    first = text(chart.draw(view, panel, 80, 14, axis))
    gone = dataclasses.replace(view, low=np.full_like(view.low, np.nan), high=np.full_like(view.high, np.nan))
    assert text(chart.draw(gone, panel, 80, 14, axis)) != first
    assert text(chart.draw(view, panel, 80, 14, axis)) == first


def test_a_gap_is_marked_and_left_empty() -> None:
    view = stream()
    gaps = np.zeros(120, bool)
    gaps[60:66] = True
    low, high = view.low.copy(), view.high.copy()
    low[:, gaps] = high[:, gaps] = np.nan
    view = dataclasses.replace(view, low=low, high=high, gaps=gaps)
    lines = cells.rows(chart.draw(view, chart.panels([view])[0], 68, 12))
    spots = [at for at, sign in enumerate(lines[-1]) if sign == "×"]
    assert spots == [38, 39, 40]
    assert all(line[at] == " " for line in lines[:-1] for at in spots)


def test_lanes_give_each_channel_its_name_without_colour() -> None:
    view = stream(channels=3)
    shown = cells.rows(chart.draw(view, chart.panels([view])[0], 80, 13, lanes=True))
    assert [line[:2] for line in shown if line[0] == "a"] == ["ax", "ay", "az"]


def test_a_stretch_without_readings_says_so() -> None:
    view = stream()
    nothing = np.full_like(view.low, np.nan)
    view = dataclasses.replace(view, low=nothing, high=nothing)
    assert "no readings" in text(chart.draw(view, chart.panels([view])[0], 80, 10))


@given(st.integers(0, 130), st.integers(0, 40), st.integers(0, 300), st.booleans())
def test_every_size_can_be_drawn(width, height, columns, lanes) -> None:
    view = stream(columns)
    for panel in chart.panels([view]):
        picture = chart.draw(view, panel, width, height, lanes=lanes)
        assert picture.size == (width, height)
        assert all(len(line) == width for line in cells.rows(picture))
        assert ["".join(words for words, _ in line) for line in cells.runs(picture)] == cells.rows(picture)


@given(st.integers(1, 200), st.integers(20, 90), st.floats(0.1, 1))
def test_a_spike_survives_folding_to_the_width_at_hand(columns, width, place) -> None:
    view = stream(columns, 1)
    high = view.high.copy()
    high[0, min(columns - 1, int(place * columns))] = 50.0
    view = dataclasses.replace(view, high=high)
    picture = chart.draw(view, chart.panels([view])[0], width, 10, axis=(-2.0, 50.0))
    assert any(code > 0x2800 for code in picture.codes[0].tolist())


def test_a_small_frame_shows_its_numbers_and_says_where_it_is_hot() -> None:
    image = np.arange(64, dtype=np.float32).reshape(8, 8)
    image[2, 5] = 99.5
    view = frame_stream(image)
    coloured = heatmap.draw(view, 60, 26)
    assert "99.5" in text(coloured)
    assert "max 99.50 °C at row 3, col 6 · min 0 °C at row 1, col 1" in text(coloured)
    assert "99.50 °C" in cells.rows(coloured)[-2]
    plain = heatmap.draw(view, 60, 26, colour=False)
    assert text(plain).count("█") > 1
    assert (plain.inks < cells.HEAT).all()


@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(1, 90), st.integers(3, 40), st.booleans(),
    st.floats(0, 0.999), st.floats(0, 0.999),
)  # fmt: skip
def test_the_hottest_pixel_is_always_seen(tall, wide, width, height, colour, row, column) -> None:
    image = np.zeros((tall, wide), np.float32)
    image[int(row * tall), int(column * wide)] = 100.0
    view = dataclasses.replace(frame_stream(image), image_low=0.0, image_high=100.0)
    picture = heatmap.draw(view, width, height, colour)
    assert picture.size == (width, height)
    body = picture.inks[: height - (2 if height >= 6 else 1)]
    if colour:
        level = body.astype(int) - cells.HEAT
        hottest = cells.HEAT_LEVELS - 1
        seen = (level >= 0) & (level < 256) & ((level // 16 == hottest) | (level % 16 == hottest))
        assert (seen | (body == cells.HEAT_TEXT + hottest)).any()
    else:
        assert (picture.codes[: len(body)] == ord(colourmaps.RAMP[-1])).any()


@given(
    hnp.arrays(np.float32, st.tuples(st.integers(1, 30), st.integers(1, 30)), elements=st.floats(width=32)),
    st.integers(0, 80), st.integers(0, 30), st.booleans(), st.sampled_from(["iron", "diverging"]), st.booleans(),
)  # fmt: skip
def test_any_frame_can_be_drawn(image, width, height, colour, name, held) -> None:
    view = dataclasses.replace(frame_stream(np.zeros((2, 2))), image=image)
    shading = Shading(name, each=True)
    picture = heatmap.draw(view, width, height, colour, shading.hold(view) if held else shading)
    assert picture.size == (width, height)
    assert all(len(line) == width for line in cells.rows(picture))


def test_a_fold_is_said_and_pixels_that_are_not_numbers_are_counted() -> None:
    image = np.zeros((24, 32), np.float32)
    image[3, 3] = np.nan
    shown = text(heatmap.draw(frame_stream(image), 90, 10))
    assert "hottest of 2×1 pixels" in shown
    assert "1 not a number" in shown
    dead = dataclasses.replace(frame_stream(image), image=np.full((4, 4), np.nan, np.float32))
    assert "no pixel of this frame is a number" in text(heatmap.draw(dead, 60, 12))
    assert "no frame yet" in text(heatmap.draw(dataclasses.replace(dead, image=None), 60, 12))


@pytest.mark.parametrize("colour", [True, False])
def test_the_range_of_the_engine_is_used(colour) -> None:
    view = dataclasses.replace(frame_stream(np.full((2, 2), 30.0)), image_low=20.0, image_high=40.0)
    assert "20.00" in cells.text(heatmap.scale(view, colour))
    assert "40.00 °C" in cells.text(heatmap.scale(view, colour))
    assert set(heatmap.levels(np.float32([10, 20, 30, 40, 50]), 20, 40).tolist()) == {0, 8, 15}


@pytest.mark.parametrize("rows", range(3, 20))
@pytest.mark.parametrize("span", [(0.0, 500.0), (-0.31, 0.4), (0.94, 1.06), (-8e-3, 9e-3)])
def test_an_axis_with_a_name_has_two_numbers_wherever_two_rows_are_left(span: tuple[float, float], rows: int) -> None:
    drawn = cells.blank(10, rows)
    axes.value_axis(drawn, span, 0, rows, "Hz", cells.DIM)
    told = cells.rows(drawn)
    assert told[0].startswith("Hz")
    assert sum("┤" in row for row in told) >= 2
