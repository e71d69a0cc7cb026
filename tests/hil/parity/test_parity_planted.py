"""Bugs planted in real C are blamed on the right stage, and right C is identical on everything that runs here."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from firmware_bench import needs
from parity_board import SMALL, WATCH
from planted import built_with

import firmware_bridge.firmware.start as starter
from firmware_bridge.firmware.build import absent
from firmware_bridge.firmware.recipes import RECIPES
from hil.models import load_model
from hil.models.model import Model
from hil.models.windows import Windows
from hil.parity.boards import BoardParity, some_of
from hil.parity.run import parity_of_board, windows_in

pytestmark = pytest.mark.firmware

Plant = Callable[[str, str], str]


@pytest.fixture(scope="module")
def opened() -> Model:
    return load_model(SMALL)


@pytest.fixture(scope="module")
def windows(opened: Model) -> Windows:
    return some_of(windows_in(opened, [WATCH]), 12)


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Plant:
    """Gives the port of a board whose firmware has a bug: the starter finds the altered program in place of ours."""

    def planted(bug: str, kind: str) -> str:
        needs(kind)
        if kind == "native":
            program = built_with(bug, "native", tmp_path)
            monkeypatch.setattr(starter, "built", lambda port: program)
        else:
            if reason := absent(RECIPES["mps2"]):
                pytest.skip(reason)
            image = built_with(bug, "mps2", tmp_path).read_bytes()
            monkeypatch.setattr(starter, "image_of", lambda port: image)
        return f"firmware://{kind}"

    return planted


def judged(opened: Model, windows: Windows, port: str) -> BoardParity:
    return parity_of_board(opened, windows, port).found


BUGS = pytest.mark.parametrize(
    ("bug", "verdict", "layer", "why"),
    [
        ("axis order", "preprocessing", 0, "in the order 1, 0, 2, 3, 4, 5"),
        ("scale", "preprocessing", 0, "times as large in channel 0, 1, 2"),
        ("window off by one", "preprocessing", 0, "begins 1 sample late"),
        ("int32 overflow", "board", 4, "layer 4 (conv1d)"),
        ("swapped weights", "board", 9, "layer 9 (linear)"),
        ("lost frame", "transport", None, "never answered, first window 5"),
    ],
)


def blamed(found: BoardParity, verdict: str, layer: int | None, why: str) -> None:
    assert (found.verdict, found.ok) == (verdict, False)
    assert why in found.why, found.why
    assert (found.first_difference and found.first_difference.layer) == layer
    if found.first_difference is not None:
        assert found.first_difference.expected != found.first_difference.found


@BUGS
def test_a_bug_planted_in_native_firmware_is_blamed_on_its_stage(
    opened: Model, windows: Windows, plant: Plant, bug: str, verdict: str, layer: int | None, why: str
) -> None:
    blamed(judged(opened, windows, plant(bug, "native")), verdict, layer, why)


@pytest.mark.slow
@BUGS
def test_a_bug_planted_in_cortex_m3_firmware_is_blamed_on_its_stage(
    opened: Model, windows: Windows, plant: Plant, bug: str, verdict: str, layer: int | None, why: str
) -> None:
    blamed(judged(opened, windows, plant(bug, "qemu")), verdict, layer, why)


@pytest.mark.parametrize("kind", ["native", "unicorn", "qemu"])
def test_firmware_that_is_right_answers_as_the_reference_bit_for_bit(
    opened: Model, windows: Windows, kind: str
) -> None:
    needs(kind)
    found = judged(opened, windows, f"firmware://{kind}")
    assert (found.verdict, found.identical, found.missing) == ("identical", 12, 0), found.why


def test_instructions_are_the_same_in_every_call_and_no_guess(opened: Model, windows: Windows) -> None:
    needs("qemu")
    cost = parity_of_board(opened, some_of(windows, 2), "firmware://qemu?icount=5", repeat=5).cost
    assert cost is not None
    assert (cost.repeated, cost.spread) == (5, 0)
    assert cost.instructions is not None
    # Four instructions a multiplication and a little around it: the count is of the network, not of the time.
    assert 2.0 < cost.instructions / 851_776 < 6.0


def test_a_board_that_cannot_count_has_no_instructions(opened: Model, windows: Windows) -> None:
    needs("native")
    cost = parity_of_board(opened, some_of(windows, 3), "firmware://native", repeat=3).cost
    assert cost is not None
    assert (cost.instructions, cost.spread, cost.calls) == (None, None, 0)
    assert cost.ram_bytes > 0
    assert cost.windows_per_s is not None


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("port", ["native", "unicorn", "qemu", "qemu?cpu=m4f", "qemu?cpu=m7"])
def test_every_window_of_unseen_people_is_the_same_on_board_and_host(opened: Model, port: str) -> None:
    needs(port.partition("?")[0])
    unseen = windows_in(opened, [WATCH, WATCH.with_name("watch-unseen-9.mcap")])
    assert len(unseen) >= 500
    found = judged(opened, unseen, f"firmware://{port}")
    assert (found.verdict, found.identical, found.windows) == ("identical", len(unseen), len(unseen)), found.why
    assert found.labelled.loss is not None
    assert found.labelled.loss <= 1.0
    assert np.isfinite(found.agreement.share or np.nan)
