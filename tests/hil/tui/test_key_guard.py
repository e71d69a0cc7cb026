"""No key lacks a test that presses it, a line of help, an action that exists, or, where it acts, a verb that parses."""

import shlex
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import screen_fakes as fakes
import screen_tables
import typer
from screen_frames import still
from textual.actions import parse

from hil.cli import app as command_line
from hil.tui.app import HilApp
from hil.tui.help import DIGITS, lines
from hil.tui.key import Key
from hil.tui.keys import COMMON, KEYS
from hil.tui.pagelist import PAGES

TABLES = screen_tables.modules()
VERBS = sorted({key.verb for key in KEYS if key.verb})

WORDS = {
    "FILE": "{file}", "MODEL": "{file}", "PLAN.toml": "{file}", "FOLDER": "{folder}", "PORT": "virtual://imu",
    "TEXT": "bump", "LABEL": "squat", "NAME": "squat",
    "S": "1.5", "A": "1", "B": "2", "X": "2", "MARK": "bump", "ID": "s1", "LIMIT": "imu.ax>2",
    "HOST:PORT": "127.0.0.1:4000", "TOKEN": "secret",
    "FILE@FROM-TO": "{file}@1-2", "PAGE": "{folder}/page.html",
}  # fmt: skip
"""What stands for each placeholder where the verb of a key is parsed."""


def test_every_key_stands_in_exactly_one_table_of_tests() -> None:
    tested = list(chain.from_iterable(module.TESTED for module in TABLES))
    assert sorted(tested) == sorted(key.id for key in KEYS)


@pytest.mark.parametrize("module", TABLES, ids=lambda module: module.__name__)
def test_every_test_of_a_table_is_run(module) -> None:
    run = screen_tables.run_by(module)
    assert [name for name, test in module.TESTED.items() if test not in run] == []


def test_the_keys_of_every_page_are_bound_in_the_app() -> None:
    assert [getattr(binding, "id", None) for binding in HilApp.BINDINGS] == [key.id for key in COMMON]


@pytest.mark.parametrize("info", PAGES, ids=lambda info: info.name)
def test_every_key_of_a_page_is_bound_to_something_it_can_do_and_is_explained(info) -> None:
    page = info.make(info, still(fakes.FakeClient()))
    bound = {binding.id: binding for binding in type(page).BINDINGS if not isinstance(binding, tuple)}
    assert bound.keys() == {key.id for key in info.keys}
    here = (*info.keys, *COMMON)
    names = [name for key in here for name in key.keys.split(",")]
    assert len(names) == len(set(names)), "two actions share a key"
    shown = "\n".join("".join(words for words, _ in line) for line in lines(info, here, "", 250))
    for key in here:
        namespace, action, _ = parse(key.action)
        owners: list[Any] = [HilApp] if namespace == "app" else [type(page), HilApp]
        assert any(hasattr(owner, f"action_{action}") for owner in owners), key.id
        assert key.help.endswith("."), key.id
        assert key.help in shown or key.id[-2:] in DIGITS, key.id


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.id)
def test_a_key_that_acts_has_a_verb_and_one_that_looks_has_none(key: Key) -> None:
    assert key.kind in ("view", "act")
    assert (key.kind == "act") == bool(key.verb)


@pytest.mark.parametrize("verb", VERBS)
def test_the_verb_of_a_key_is_one_that_the_command_line_takes(verb: str, tmp_path: Path) -> None:
    file = tmp_path / "there.toml"
    file.write_text("")
    typed, _, _ = verb.partition(" and then ")
    _, *words = shlex.split(typed)
    given = [_meant(word, file, tmp_path) for word in words if word != "..."]
    command: Any = typer.main.get_command(command_line)
    while hasattr(command, "get_command"):
        name, *given = given
        command = command.get_command(typer.Context(command), name)
        assert command is not None, f"there is no `{name}` in `{verb}`"
    context = command.make_context(verb, given)  # parses and runs nothing; raises where a word is not taken
    assert context.args == []


def _meant(word: str, file: Path, folder: Path) -> str:
    """A word of a verb as somebody would type it."""
    name = word.split("|")[0]
    if not name.isupper() and name not in WORDS:
        return word
    assert name in WORDS, f"nobody knows what stands for {name}"
    return WORDS[name].format(file=file, folder=folder)
