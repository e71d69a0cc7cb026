"""A trigger holds the picture as an oscilloscope does; boards are sorted by what is wrong; layouts come back."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import screen_fakes as fakes
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from screen_frames import drive, press, still

from hil.tui import stage
from hil.tui.app import HilApp
from hil.tui.charts import attitudechart, chart, dots, overlay, xychart
from hil.tui.charts.axes import Band, ground
from hil.tui.charts.cells import blank, rows
from hil.tui.charts.chart import Panel
from hil.tui.charts.shading import Shading
from hil.tui.remembered import Memory, bench_of, folder, load, save
from hil.tui.state.look import Look
from hil.tui.state.scope import Scope
from hil.tui.state.state import Scene
from hil.tui.state.verdict import worst_first
from hil.views.cursor import CursorView
from hil.views.figure import Ask, FigureView
from hil.views.trigger import TriggerView

S = fakes.SECOND


def view(*times: int) -> TriggerView:
    return TriggerView("mark", len(times), tuple((at, "bump") for at in times))


def test_a_firing_counts_once_all_that_is_to_be_seen_after_it_has_come() -> None:
    scope = Scope("mark", "normal", 0.1).armed(0)
    assert scope.seen(view(10 * S), 18 * S, 10.0).end_ns(18 * S, 10.0) is None
    held = scope.seen(view(10 * S), 19 * S, 10.0)
    assert held.end_ns(19 * S, 10.0) == 19 * S
    assert held.seen(view(10 * S, 15 * S), 20 * S, 10.0).fired == (10 * S, "bump")
    assert held.seen(view(10 * S, 15 * S), 24 * S, 10.0).fired == (15 * S, "bump")


def test_auto_follows_when_nothing_fires_normal_holds_and_single_keeps_the_first() -> None:
    late = 100 * S
    found = {}
    for mode in ("auto", "normal", "single"):
        scope = (
            Scope("mark", mode, 0.5).armed(0).seen(view(10 * S), 12 * S, 2.0).seen(view(10 * S, 20 * S), 30 * S, 2.0)
        )
        found[mode] = (scope.fired and scope.fired[0], scope.end_ns(late, 2.0))
    assert found == {"auto": (20 * S, None), "normal": (20 * S, 21 * S), "single": (10 * S, 11 * S)}


def test_what_fired_before_it_was_armed_does_not_count_and_another_trigger_s_answer_neither() -> None:
    scope = Scope("mark", "normal").armed(50 * S)
    assert scope.seen(view(10 * S), 90 * S, 1.0).fired is None
    assert scope.seen(replace(view(60 * S), text="anomaly"), 90 * S, 1.0) == scope
    assert scope.seen(view(60 * S), 90 * S, 1.0).armed(95 * S).fired is None
    assert "no limit" in replace(scope, sentence="'x' is no limit").words(80)


def test_boards_come_by_what_is_wrong_and_else_in_their_order() -> None:
    boards = (fakes.board("a"), fakes.board("b", lost=3), fakes.board("c", state="lost"), fakes.board("d"),
              fakes.board("e", lost=None), fakes.board("f", closes=("x",)))  # fmt: skip
    assert [one.role for one in worst_first(boards)] == ["c", "f", "b", "e", "a", "d"]


def test_the_cursor_of_the_table_stays_on_its_board_when_another_one_becomes_worse() -> None:
    scene = Scene().seen(fakes.crowd()).point(5)
    role = scene.latest.boards[5].role if scene.latest else ""
    crowd = fakes.crowd()
    boards = tuple(replace(one, state="lost") if one.role in ("node15", "node16") else one for one in crowd.boards)
    after = scene.seen(replace(crowd, boards=boards))
    assert after.latest is not None
    assert after.latest.boards[after.cursor].role == role
    assert after.cursor == 7


@pytest.mark.screen
def test_the_layout_of_a_bench_comes_back_and_another_bench_has_its_own(tmp_path: Path) -> None:
    def visit(scene, *keys: str) -> Scene:
        client = fakes.FakeClient(scene)
        app = HilApp(client, place=replace(still(client), layouts=tmp_path))
        drive(client, (120, 35), press(*keys), app=app)
        return app.live.scene

    left = visit(fakes.live, "tab", "v", "v", "x", "P", "w", "y", "plus", "c")
    again = visit(fakes.live)
    assert again.look == replace(left.look, cursor_s=None)
    assert again.seconds == 5.0
    assert again.look.kinds == {"watch/samples/g": "spectrogram"}
    assert again.look.shadings == {"watch/samples/g": Shading("viridis-like")}
    assert visit(fakes.trouble).look == Look()
    assert len(list(tmp_path.iterdir())) == 1


def test_a_layout_follows_its_boards_wherever_they_are_plugged_in(tmp_path: Path) -> None:
    before = bench_of(fakes.live().boards)
    assert before is not None
    after = {f"{role}2": identity for role, identity in before.items()}
    shadings = {"thermal/frame/degC": Shading("grey", held=(20.0, 32.5)), "watch/samples/g": Shading("rainbow", True)}
    look = Look({"watch/samples/rad/s": "xy"}, {"watch/samples/rad/s": 2}, split=2, shadings=shadings)
    scene = Scene(look=look, lanes=True)
    assert save(tmp_path, before, scene) == ""
    found, trouble = load(tmp_path, after, Scene())
    assert trouble == ""
    assert found.look.kinds == {"watch2/samples/rad/s": "xy"}
    assert {key: pick for key, pick in found.look.picks.items() if pick} == {"watch2/samples/rad/s": 2}
    assert found.look.shadings == {key.replace("/", "2/", 1): one for key, one in shadings.items()}
    assert (found.lanes, found.look.split) == (True, 2)


def test_a_layout_that_cannot_be_read_or_kept_is_said_and_the_screen_goes_on(tmp_path: Path) -> None:
    bench = bench_of(fakes.live().boards) or {}
    assert save(tmp_path, bench, Scene()) == ""
    (path,) = tmp_path.iterdir()
    for text in ("{", "[]", json.dumps({"schema": 2, "plots": []}), json.dumps({"schema": 1})):
        path.write_text(text, encoding="utf-8")
        scene, trouble = load(tmp_path, bench, Scene())
        assert scene == Scene()
        assert str(path) in trouble
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert "not remembered" in save(tmp_path / "file" / "below", bench, Scene())
    opening = fakes.board("new", state="opening", model="", serial="")
    assert bench_of((opening,)) is None
    memory = Memory(None)
    assert memory.met(Scene(latest=fakes.live()))[1] == memory.left(Scene()) == ""
    assert folder({"XDG_STATE_HOME": "/x"}) == Path("/x/hil/benches")


@settings(max_examples=40)
@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 0.1))
def test_the_board_of_wire_is_turned_as_scipy_turns_it(parts: list[float]) -> None:
    quaternion = np.array(parts) / np.linalg.norm(parts)
    scipy = Rotation.from_quat(quaternion[[1, 2, 3, 0]])
    points = np.array([[1.0, 0, 0], [0, 0.5, 0], [0.2, -0.3, 0.9]])
    np.testing.assert_allclose(attitudechart.turned(quaternion, points), scipy.apply(points), atol=1e-12)
    roll, pitch, heading = attitudechart.angles(quaternion)
    if abs(pitch) < 89:
        np.testing.assert_allclose(
            Rotation.from_euler("ZYX", (heading, pitch, roll), degrees=True).as_matrix(), scipy.as_matrix(), atol=1e-6
        )


def test_a_circle_of_one_unit_is_round_on_the_screen() -> None:
    angle = np.linspace(0, 2 * np.pi, 400)
    ask = Ask("imu", "samples", "xy", (0, 1))
    ring = FigureView(ask, np.cos(angle).astype(np.float32), np.sin(angle)[None].astype(np.float32),
                      np.array([[1.0, 0.0]], np.float32))  # fmt: skip
    cells = xychart.draw(ring, fakes.readings("imu", 2, 1.0), 100, 30)
    drawn = cells.codes[:-1, 8:] > 0x2800
    high, wide = (int(np.ptp(np.flatnonzero(drawn.any(axis=axis)))) + 1 for axis in (1, 0))
    assert wide == pytest.approx(2 * high, abs=3)  # a cell is twice as high as wide


def test_dots_and_braille_cells_are_the_same_picture() -> None:
    grid = np.random.default_rng(0).random((8, 6)) < 0.5
    packed = dots.packed(grid)
    assert packed.shape == (2, 3)
    assert sum(int(byte).bit_count() for byte in packed.ravel()) == int(grid.sum())
    assert dots.packed(np.eye(4, 2, dtype=bool)).tolist() == [[0x01 | 0x10]]


def test_no_overlay_hides_a_reading_and_a_click_is_read_where_it_is_drawn() -> None:
    cells = blank(60, 10)
    cells.codes[3, :] = ord("x")
    overlay.lay(cells, overlay.Moment(2.5, 7.5, ("ax", 0.0)), 10.0, [Band(0, 9, (-1.0, 1.0), channels=("ax",))])
    assert rows(cells)[3] == "x" * 60
    for before_s in (0.0, 2.5, 10.0):
        column = overlay.column_of(before_s, 10.0, 60)
        assert overlay.seconds_at(column, 10.0, 60) == pytest.approx(before_s, abs=10.0 / 51)
    assert rows(cells)[-1][overlay.column_of(2.5, 10.0, 60)] == "▲"
    assert rows(cells)[0][overlay.column_of(7.5, 10.0, 60)] == "▼"


@given(st.floats(0.01, 0.99), st.sampled_from([0.1, 2.0, 10.0, 300.0]), st.integers(60, 200))
def test_the_axis_of_a_held_picture_reads_0_at_the_trigger_minus_before_it_and_plus_after(
    share: float, span_s: float, width: int
) -> None:
    zero_s = share * span_s
    foot = rows(ground((width, 6), 8, (Band(0, 5, (-1.0, 1.0)),), span_s, "T+", (), zero_s))[-1]
    at = overlay.column_of(zero_s, span_s, width)
    assert foot[at : at + 2] == "┴0" or at + 2 >= width - 2
    assert "+" not in foot[:at]
    assert "−" not in foot[at + 1 :]
    assert foot.count("┴") == foot.count("┴−") + foot.count("┴+") + foot.count("┴0")


def test_a_held_picture_counts_from_its_trigger_frozen_too_and_another_firing_changes_nothing_there() -> None:
    scene = Scene(scope=Scope("anomaly", "normal"), look=Look(cursor_s=4.0))
    assert scene.seen(replace(fakes.live(), trigger=None)).zero_ns is None
    held = scene.seen(fakes.live(scene.view(200, 32)))
    (fired, _), stream = held.scope.fired or (0, ""), held.streams[0]
    assert (held.zero_ns, stage.edge(held)) == (fired, "T+9 s")
    frozen = held.freeze()
    later = fakes.live(scene.view(200, 32), trigger=TriggerView("anomaly", 3, ((fired + 5, "again"),)))
    after = frozen.seen(replace(later, now_ns=fakes.NOW + 60 * S))
    assert (after.zero_ns, after.scope.count, stage.edge(after)) == (fired, 3, "T+9 s")
    assert after.live().seen(replace(later, now_ns=fakes.NOW + 60 * S)).zero_ns == fired + 5
    for zoomed, words in ((frozen.zoom(-3), "T+5.4 s"), (frozen.move_cursor(-20.0), "T−5 s")):
        assert (zoomed.zero_ns, stage.edge(zoomed)) == (fired, words)
    moment = stage.moment(held, stream)
    for t_ns, words in ((fired, "(T+0 s)"), (fired - S // 4, "(T−0.25 s)"), (fired + 2 * S, "(T+2 s)")):
        sample = CursorView("watch", "samples", t_ns, stream.latest)
        line = overlay.readout(sample, stream, Panel("watch", "samples", "g", (0, 1, 2)), moment, 200)
        assert words in line[0][0]


def test_the_level_of_a_trigger_is_marked_in_the_lane_of_its_channel_and_beyond_an_axis_by_an_arrow() -> None:
    stream, panel = fakes.readings("watch", 184, 10.0), Panel("watch", "samples", "g", (0, 1, 2))
    for lanes, level, sign, first, last in (
        (False, 1.0, "▸", 0, 18), (True, 1.0, "▸", 12, 18), (True, 99.0, "▴", 12, 13), (False, -99.0, "▾", 17, 18),
    ):  # fmt: skip
        cells, bands = chart.drawn(stream, panel, 100, 19, (-1.0, 3.0), lanes)
        overlay.lay(cells, overlay.Moment(level=("az", level)), 10.0, bands)
        marked = [at for at, row in enumerate(rows(cells)) if row[7] == sign]
        assert len(marked) == 1
        assert first <= marked[0] < last
        assert ("╌" in rows(cells)[marked[0]]) == (sign == "▸")


@pytest.mark.screen
def test_every_plot_of_time_of_a_held_picture_marks_its_trigger_where_its_axis_has_0() -> None:
    async def steps(app: HilApp, pilot) -> None:
        scope = Scope("watch/samples.ax>0.1", "normal")
        app.live.scene = replace(app.live.scene, scope=scope)
        await press("tab", "v", "v")(app, pilot)

    kept = drive(fakes.FakeClient(), (200, 50), steps).splitlines()
    feet = [row for row in kept if "T+9 s" in row]
    assert "spectrogram" in "".join(kept)
    assert sum(row.count("T+9 s") for row in feet) == sum(row.count("┴0") for row in feet) == 4
    heads = [row for row in kept if "▼" in row]
    places = [sorted(at for at, sign in enumerate(row) if sign == "▼") for row in heads]
    assert all([row[at : at + 2] for at in place] == ["┴0"] * 2 for row, place in zip(feet, places, strict=True))


@pytest.mark.parametrize("width", [1, 5, 24, 80])
@pytest.mark.parametrize("kind", ["spectrum", "spectrogram", "histogram", "xy", "attitude"])
def test_every_kind_fits_whatever_room_there_is(kind: str, width: int) -> None:
    from hil.tui.charts import histogramchart, spectrumchart, waterfall

    stream, panel = fakes.readings("imu", 20, 10.0), Panel("imu", "samples", "g", (0, 1, 2))
    figure = fakes.computed(Ask("imu", "samples", kind, (0, 1)), 10.0)
    for height in (0, 1, 3, 4, 20):
        for made in (figure, None, FigureView(figure.ask, sentence="no readings here")):
            cells = {
                "spectrum": lambda f, h: spectrumchart.draw(f, panel, width, h),
                "spectrogram": lambda f, h: waterfall.draw(f, panel, width, h, h % 2 == 0),
                "histogram": lambda f, h: histogramchart.draw(f, panel, width, h),
                "xy": lambda f, h: xychart.draw(f, stream, width, h),
                "attitude": lambda f, h: attitudechart.draw(f, width, h),
            }[kind](made, height)
            assert cells.size == (width, height)
