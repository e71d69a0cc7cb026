"""Scenario files from disk: found, read, and refused with every mistake they hold.

Rule of this room: of mistakes in syntax the first is told, of mistakes in meaning all. Files that a scenario names are
looked for beside it, then in the folders above it up to the one called `scenarios`.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from firmware_bridge.errors import UsageError
from firmware_bridge.missing import missing, unread
from hil.scenario.grammar.grammar import SCHEMA, Scenario
from hil.scenario.grammar.meaning import mistakes_in
from hil.scenario.grammar.mistakes import Mistake, ScenarioError, from_pydantic
from hil.scenario.grammar.position import Positions

__all__ = ["NOT_SCENARIOS", "Loaded", "find_files", "is_scenario_file", "json_schema", "load_all", "load_scenario",
           "meant", "parse_scenario", "plain_of"]  # fmt: skip

NOT_SCENARIOS = frozenset({"boards", "datasheets", "expected", "models", "training"})
"""Folders among scenarios that hold other things."""
BENCH = "bench.toml"
"""The file of a bench in a folder of scenarios."""

_UP = 4

Tables = TypeVar("Tables", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A scenario and where it came from.

    Attributes:
        path: Its file, as it was named.
        text: What stands in it.
        scenario: What that means.
        files: Where files that it names are, for those that are not beside it on this machine.
    """

    path: Path
    text: str
    scenario: Scenario
    files: Mapping[str, Path] = field(default_factory=dict)

    def find(self, name: str) -> Path:
        """Return the file that a scenario means by `name`: beside it, or above it up to the folder `scenarios`.

        Where there is none, the place where it would be is returned: in the nearest folder of that name.
        """
        if name in self.files:
            return self.files[name]
        given = Path(name)
        folder = self.path.resolve().parent
        if given.is_absolute():
            return given
        above = [folder]
        while above[-1].name != "scenarios" and len(above) < _UP:
            above.append(above[-1].parent)
        places = [here / given for here in above]
        there = next((place for place in places if place.exists()), None)
        return there or next((place for place in places if place.parent.is_dir()), places[0])


def parse_scenario(text: str, file: str) -> Scenario:
    """Read the text of a scenario.

    Args:
        text: TOML.
        file: Its name, for messages.

    Raises:
        ScenarioError: It has mistakes: of syntax the first is told, of meaning all.
    """
    plain = plain_of(text, file)
    version = plain.get("schema", SCHEMA)
    if isinstance(version, int) and not isinstance(version, bool) and version > SCHEMA:
        line = Positions(text).line(("schema",))
        sentence = f"{file}:{line}: schema: {version} was found and this program reads up to {SCHEMA}; update it"
        raise ScenarioError([sentence], file)
    return meant(Scenario, plain, mistakes_in(plain), text, file)


def plain_of(text: str, file: str) -> dict[str, Any]:
    """Return what a TOML text holds.

    Raises:
        ScenarioError: It is no TOML; the first mistake is told.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError([syntax_mistake(error, text, file)], file) from None
    except RecursionError:
        raise ScenarioError([f"{file}:1: its tables or arrays are nested too deep to mean anything"], file) from None


def meant(kind: type[Tables], plain: Mapping[str, Any], mistakes: Iterable[Mistake], text: str, file: str) -> Tables:
    """Return plain tables as what they mean.

    Args:
        kind: What they are to be.
        plain: What the text holds.
        mistakes: Those of meaning that are known already.
        text: TOML, for the lines of mistakes.
        file: Its name.

    Raises:
        ScenarioError: There are mistakes; all are told.
    """
    made, found = None, list(mistakes)
    try:
        made = kind.model_validate(plain)
    except ValidationError as error:
        found += from_pydantic(error, kind)
    if found or made is None:
        raise ScenarioError(told(found, text, file), file)
    return made


def load_scenario(path: str | Path) -> Loaded:
    """Read a scenario file.

    Raises:
        FileError: It cannot be read.
        ScenarioError: It has mistakes.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        sentence = f"{path}:1: byte {error.start} is no UTF-8; save the file as UTF-8 text"
        raise ScenarioError([sentence], str(path)) from None
    except OSError as error:
        raise unread(error, path, "check the path") from None
    return Loaded(Path(path), text, parse_scenario(text, str(path)))


def load_all(paths: Iterable[str | Path], tags: Sequence[str] = ()) -> list[Loaded]:
    """Read every scenario in files and folders, in the order of their paths.

    Args:
        paths: Files and folders.
        tags: Keep those that have one of these; empty: all.

    Raises:
        UsageError: A path is not there, or there is no scenario in it.
        ScenarioError: Files have mistakes; those of all files are told.
    """
    loaded: list[Loaded] = []
    wrong: list[str] = []
    for path in find_files(paths):
        try:
            loaded.append(load_scenario(path))
        except ScenarioError as error:
            wrong += error.sentences
    if wrong:
        raise ScenarioError(wrong, "scenarios")
    return [one for one in loaded if not tags or set(tags) & set(one.scenario.tags)]


def find_files(paths: Iterable[str | Path]) -> list[Path]:
    """Return the scenario files among files and folders; a file that is named counts whatever it holds.

    Raises:
        UsageError: A path is not there, or there is no scenario in it.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            inside = [one for one in sorted(path.rglob("*.toml")) if is_scenario_file(one, path)]
            if not inside:
                raise UsageError("there is no scenario in it", str(path), "name a folder with scenario files (*.toml)")
            found |= dict.fromkeys(inside)
        elif path.is_file():
            found[path] = None
        else:
            raise missing(path, "there is no such file or folder", "check the path")
    return list(found)


def is_scenario_file(path: Path, root: Path) -> bool:
    """Return whether a file below `root` is a scenario: a `.toml` outside the folders of other things."""
    inner = path.relative_to(root).parts[:-1] if path.is_relative_to(root) else path.parts[:-1]
    beside = path.parent.name if path.parent == root else ""
    hidden = any(part.startswith(".") for part in inner)
    return path.suffix == ".toml" and path.name != BENCH and not hidden and not NOT_SCENARIOS & {*inner, beside}


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a scenario, for editors."""
    schema = Scenario.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    plain: dict[str, Any] = json.loads(json.dumps(schema))
    return plain


def told(found: Iterable[Mistake], text: str, file: str) -> list[str]:
    """Return mistakes as sentences, in the order of their lines, each once."""
    positions = Positions(text)
    lines = [(positions.line(one.path), one) for one in found]
    lines.sort(key=lambda pair: pair[0])
    return list(dict.fromkeys(Mistake(one.path, one.what, line).sentence(file) for line, one in lines))


def syntax_mistake(error: tomllib.TOMLDecodeError, text: str, file: str) -> str:
    """Return tomllib's finding with its line in front."""
    message = str(error)
    told, _, place = message.partition(" (at ")
    line = text.count("\n") + 1
    if place.startswith("line "):
        number = place.removeprefix("line ").split(",")[0]
        line = int(number) if number.isdigit() else line
    return f"{file}:{line}: this is no valid TOML: {told[:1].lower()}{told[1:]}; correct that line"
