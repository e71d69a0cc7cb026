"""A verb is found by its name, and a listing says of each what it says itself, though it makes none ready."""

import inspect
import pkgutil
import re
import subprocess
import sys

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

import hil.cli
from hil.cli import app
from hil.cli.verbs import FAMILY_OF, declared


def test_the_table_of_verbs_is_what_the_families_declare() -> None:
    modules = [module.name for module in pkgutil.iter_modules(hil.cli.__path__)]
    told = [(name, module) for module in modules for name in declared(module)]
    assert sorted(told) == sorted(FAMILY_OF.items())


def test_the_verbs_of_one_family_stand_together_and_in_its_order() -> None:
    for family in FAMILY_OF.values():
        assert list(declared(family)) == [name for name, home in FAMILY_OF.items() if home == family]


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_a_listing_is_that_of_verbs_with_all_their_options(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    quick = typer.main.get_group(app)
    context = typer.Context(quick)
    whole = TyperGroup(commands=[quick.get_command(context, name) for name in FAMILY_OF])
    seen = []
    for group in (quick, whole):
        formatter = context.make_formatter()
        group.format_commands(context, formatter)
        seen.append(formatter.getvalue())
    assert seen[0] == seen[1]
    assert seen[0].count("\n") > len(FAMILY_OF)


@pytest.mark.parametrize("family", sorted({*FAMILY_OF.values()}))
def test_a_family_holds_its_options_back_until_one_of_its_verbs_is_called(family: str) -> None:
    for name, verb in declared(family).items():
        told = verb.registered_commands if isinstance(verb, typer.Typer) else [verb]
        for function in (getattr(entry, "callback", entry) for entry in told):
            held = inspect.get_annotations(function).values()
            assert all(isinstance(annotation, str) for annotation in held), (name, function)


ASKED = """
import atexit, sys
from hil.cli import main
atexit.register(lambda: print("imported:", *(name for name in sys.modules if name.startswith("hil.cli."))))
main()
"""


def families_for(*words: str) -> set[str]:
    """The families that a process has imported once it has answered to these words."""
    answered = subprocess.run([sys.executable, "-c", ASKED, *words], capture_output=True, text=True, check=False)
    _, _, imported = answered.stdout.rpartition("imported:")
    return {name.removeprefix("hil.cli.") for name in imported.split()} - {"common", "verbs"}


def test_a_verb_that_is_named_imports_its_family_and_no_other() -> None:
    assert families_for("doctor", "--help") == {"doctor"}
    assert families_for("faults", "matrix", "--help") == {"faults"}


def test_who_mistypes_a_verb_is_told_those_near_it_and_no_family_is_imported_for_that() -> None:
    refused = CliRunner().invoke(app, ["shirnk"])
    assert refused.exit_code == 2
    assert "No such command 'shirnk'. Did you mean 'shrink'?" in refused.stderr
    assert families_for("shirnk") == set()


LAB = (
    "data info", "data label", "data split", "data check", "data gather", "train", "predict", "validate", "compare",
    "model tune", "enrol", "kshot", "pick", "shrink", "explain", "generate train", "generate record", "generate info",
    "generate evaluate",
)  # fmt: skip


@pytest.mark.parametrize("verb", LAB)
def test_each_verb_of_the_lab_shows_an_example_that_names_itself_and_options_it_has(verb: str) -> None:
    said = " ".join(CliRunner().invoke(app, [*verb.split(), "--help"]).stdout.split())
    examples = re.findall(rf"Example: (hil {verb} .*?)(?= Example:| Arguments:| Options:|\.? then )", said)
    assert examples, said
    options = said.partition(" Options:")[2]
    for option in re.findall(r"(?<= )--?[a-z][a-z-]*", " ".join(examples)):
        assert option in options, option
