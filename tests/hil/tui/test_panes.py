"""The panes of words say what is so, and nothing that only looks so."""

from dataclasses import replace

import pytest
import screen_fakes as fakes

from hil.tui.charts import cells
from hil.tui.lines import judgedlines, panes
from hil.tui.lines.overview import with_sparks
from hil.tui.lines.panes import label_title
from hil.tui.state.tally import Tally
from hil.views.snapshot import PredictionView

SECOND = 1_000_000_000


@pytest.mark.parametrize(("behind_s", "words"), [(0.9, ""), (1.4, ""), (2.0, " · 2 s behind"), (None, "")])
def test_a_model_is_only_behind_by_more_than_the_step_between_its_decisions(behind_s: float | None, words: str) -> None:
    history = tuple((at * SECOND, "squat", 0.9) for at in range(3))
    one = PredictionView("exercise", "watch", "ready", label="squat", behind_s=behind_s, history=history)
    ((text, _),) = label_title((one,))
    assert text == f"exercise on watch{words}"


@pytest.mark.parametrize("width", [80, 120, 200])
def test_boards_whose_names_differ_at_their_end_are_told_apart(width: int) -> None:
    roles = ("hil-thermal-0001", "hil-thermal-0002", "the-quite-long-name-of-a-board-3")
    shown = replace(fakes.live(), boards=tuple(fakes.board(role) for role in roles))
    names = [cells.text(line).split()[0] for line in panes.boards(shown, width)[1]]
    assert names[:2] == list(roles[:2])
    assert names[2].endswith("board-3")
    heads = cells.text(panes.ledger(shown, width // 3, 20)[1])
    assert all(end in heads for end in ("0001", "0002") if width > 80)
    both = replace(shown, boards=shown.boards[:2])
    assert cells.text(panes.ledger(both, 60, 20)[1]).split() == list(roles[:2])


@pytest.mark.parametrize("width", [80, 90, 99, 100, 120, 200])
@pytest.mark.parametrize("role", ["imu", "the-quite-long-name-of-a-board-3"])
def test_how_full_the_buffer_of_a_board_is_can_be_seen_at_any_width(width: int, role: str) -> None:
    def told(**facts: object) -> str:
        line = panes.boards(replace(fakes.live(), boards=(fakes.board(role, **facts),)), width)[1][0]
        return cells.text(line)

    for fill, boot, words in ((0.42, 0, "queue 42%"), (1.0, 12, "queue 100%")):
        shown = told(queue_fill=fill, boot=boot)
        assert words in shown or (width >= 100 and shown.rstrip().endswith("…"))
        assert len(shown.rstrip()) <= width
    assert "queue" not in told(queue_fill=0.0)
    assert "queue" not in told(queue_fill=None)


@pytest.mark.parametrize("width", range(40, 201, 20))
def test_a_line_of_readings_never_covers_what_a_board_lost(width: int) -> None:
    shown = fakes.crowd()
    plain = panes.boards(shown, width)[1]
    drawn = with_sparks(plain, shown, width)
    assert any("⣀" <= sign <= "⣿" for line in drawn for sign in cells.text(line)) == (width >= 60)
    for before, after in zip(plain, drawn, strict=True):
        assert cells.text(after).startswith(cells.text(before[:5])[:width])


def test_a_class_that_has_no_room_in_a_confusion_ends_with_a_sign() -> None:
    one = PredictionView("exercise", "watch", "ready", labels=("squat", "unknown"))
    counted = Tally(pairs={("squat", "unknown"): 3, ("squat", "squat"): 1})
    head = cells.text(judgedlines.confusion(one, counted, 80)[1])
    assert head.split()[-2:] == ["squat", "unkno…"]
