"""Every test of a key is held to press it: what it fired is compared with the keys that its table says it tests."""

from collections.abc import Iterator

import pytest
from screen_presses import walk
from screen_quiet import patient
from screen_tables import covered_by, fired

from hil.tui.keys import KEYS


@pytest.fixture(autouse=True)
def _a_terminal_of_all_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a picture looks like never depends on the terminal in which tests are run."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")


@pytest.fixture(autouse=True)
def _no_clock_decides_what_is_seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine that stands still for some seconds neither cuts a key short nor takes a sentence off the screen."""
    monkeypatch.setattr("hil.tui.page.MESSAGE_S", 3600.0)
    with patient(monkeypatch):
        yield


@pytest.fixture(autouse=True)
def _keys_that_are_said_to_be_tested_are_pressed(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test listed in `TESTED` for a key fails where the action of that key was never run through it."""
    walk.cache_clear()
    with fired() as actions:
        yield
    missed = [key.id for key in KEYS if key.id in covered_by(request.node) and key.action not in actions]
    assert not missed, f"{request.node.name} stands in TESTED for {', '.join(missed)} and never ran its action"
