"""The tables `TESTED` of all test files of the screen: which test stands for which key, found and not listed again."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from textual.app import App

Tests = Mapping[str, Callable[..., None]]


def modules() -> list[ModuleType]:
    """All test files beside this one that have a table."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("test_*.py") if "TESTED: " in path.read_text())
    return [importlib.import_module(name) for name in names]


def run_by(module: ModuleType) -> list[Callable[..., None]]:
    """What the parametrised tests of a file call: functions, or names in its table."""
    table: Tests = module.TESTED
    found: list[Callable[..., None] | None] = []
    for test in vars(module).values():
        for mark in getattr(test, "pytestmark", ()) if callable(test) else ():
            if mark.name == "parametrize":
                found += [_called(table, value) for value in mark.args[1]]
    return [test for test in found if test is not None]


def covered_by(item: pytest.Item) -> set[str]:
    """The keys that a test stands for."""
    table: Tests = getattr(getattr(item, "module", None), "TESTED", {})
    params = getattr(getattr(item, "callspec", None), "params", {})
    called = [_called(table, value) for value in params.values()]
    return {name for name, test in table.items() if test in called}


def _called(table: Tests, value: Any) -> Callable[..., None] | None:
    if isinstance(value, str):
        return table.get(value)
    return value if callable(value) and value in table.values() else None


@contextmanager
def fired() -> Iterator[set[str]]:
    """Give the actions that are run in apps meanwhile, as bindings write them."""
    actions: set[str] = set()
    original = App.run_action

    async def run_action(app: App[Any], action: Any, *rest: Any, **named: Any) -> bool:
        actions.add(str(action))
        return await original(app, action, *rest, **named)

    App.run_action = run_action  # type: ignore[method-assign]
    try:
        yield actions
    finally:
        App.run_action = original  # type: ignore[method-assign]
