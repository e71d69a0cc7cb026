"""Golden pictures of the screen as text, at the three sizes people use."""

import pytest
import screen_fakes as fakes
from screen_frames import drive, press, same_as_golden

pytestmark = pytest.mark.screen

SIZES = ((80, 24), (120, 35), (200, 50))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", ["live", "recording", "trouble", "replay"])
def test_the_screen_looks_as_it_was_looked_at(scene, size) -> None:
    shown = drive(fakes.FakeClient(getattr(fakes, scene)), size)
    assert all(len(line) <= size[0] for line in shown.splitlines())
    same_as_golden(f"{scene}_{size[0]}x{size[1]}", shown)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_help_page_looks_as_it_was_looked_at(size) -> None:
    same_as_golden(f"help_{size[0]}x{size[1]}", drive(fakes.FakeClient(), size, press("question_mark")))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_allan_deviation_looks_as_it_was_looked_at(size) -> None:
    shown = drive(fakes.FakeClient(), size, press("tab", "a"))
    assert "Allan deviation" in shown
    same_as_golden(f"allan_{size[0]}x{size[1]}", shown)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_whose_fault_it_is_stands_on_top_at_every_size(size) -> None:
    lines = drive(fakes.FakeClient(fakes.trouble), size).splitlines()
    top = " ".join(line.strip() for line in lines[1:3])
    for words in ("TROUBLE", "LINK", "watch is lost", "cable was pulled", "plug it in"):
        assert words in top
    table = "\n".join(lines)
    assert "LOST" in table
    assert "unknown" in table
    assert "\x1b" not in table


def test_what_nobody_counted_is_never_shown_as_zero() -> None:
    lines = drive(fakes.FakeClient(fakes.trouble), (120, 35)).splitlines()
    row = next(line for line in lines if line.strip().startswith("ppg "))
    assert "unknown" in row
    assert " 0 " not in row
