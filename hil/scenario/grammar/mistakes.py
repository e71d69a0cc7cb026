"""How a mistake in a scenario is told: file, line, key, what was found, what is allowed, the nearest valid name.

Rule of this room: one sentence a mistake, never a traceback; all mistakes of a file in the order of their lines.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from firmware_bridge.errors import UsageError
from hil.scenario.grammar.position import Path

__all__ = ["Mistake", "ScenarioError", "from_pydantic", "key_text", "nearest", "shown"]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: `key` is its path in the file, `line` is filled in by whoever has the text."""

    path: Path
    what: str
    line: int = 0

    def sentence(self, file: str) -> str:
        """Return `FILE:LINE: KEY: what was found and what is allowed`."""
        key = key_text(self.path)
        return f"{file}:{self.line}: {key}: {self.what}" if key else f"{file}:{self.line}: {self.what}"


class ScenarioError(UsageError):
    """Scenario files are wrong; all their mistakes are told.

    Args:
        sentences: One a mistake.
        where: The file, or the folder.
    """

    def __init__(self, sentences: Sequence[str], where: str) -> None:
        self.sentences = tuple(sentences)
        many = f"{len(sentences)} mistakes" if len(sentences) > 1 else "1 mistake"
        super().__init__(f"{many}\n" + "\n".join(sentences), where, "")

    def __str__(self) -> str:
        return "\n".join(self.sentences)


def key_text(path: Path) -> str:
    """Return a path as a person writes it: `check[2].at_least`, arrays counted from 1."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def nearest(found: str, names: Iterable[str]) -> str:
    """Return `, did you mean X? `, or `; ` where no name is near."""
    near = get_close_matches(found, list(names), 1, 0.5)
    return f", did you mean {near[0]!r}? " if near else "; "


def shown(value: Any) -> str:
    """Return a value as a person would find it in the file, shortened."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    if isinstance(value, dict):
        text = "a table"
    return text if len(text) <= 60 else f"{text[:57]}..."


def from_pydantic(error: ValidationError, root: type[BaseModel]) -> list[Mistake]:
    """Return the findings of pydantic as mistakes."""
    return [_mistake(one, root) for one in error.errors(include_url=False)]


def _mistake(one: Any, root: type[BaseModel]) -> Mistake:
    path: Path = tuple(one["loc"])
    kind, given = one["type"], one.get("input")
    if kind == "extra_forbidden":
        names = _names(_model_at(root, path[:-1]))
        return Mistake(path, f"there is no such key{nearest(str(path[-1]), names)}allowed: {', '.join(names)}")
    if kind == "missing":
        return Mistake(path, "this key is missing")
    if kind == "literal_error":
        expected = one["ctx"]["expected"]
        choices = [choice.strip("' ") for choice in expected.replace(" or ", ", ").split(",")]
        return Mistake(path, f"{shown(given)} was found{nearest(str(given), choices)}allowed: {expected}")
    if kind == "value_error":
        return Mistake(path, str(one["ctx"]["error"]))
    message = one["msg"]
    return Mistake(path, f"{shown(given)} was found; {message[:1].lower()}{message[1:]}")


def _names(model: type[BaseModel] | None) -> list[str]:
    return [] if model is None else [info.alias or name for name, info in model.model_fields.items()]


def _model_at(root: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """Return the table that stands at a path."""
    model: type[BaseModel] | None = root
    free = False  # the next key is a name somebody chose, such as a role
    for part in path:
        if isinstance(part, int) or free:
            free = False
            continue
        known = {} if model is None else {(info.alias or name): info for name, info in model.model_fields.items()}
        if part not in known:
            return None
        annotation = known[part].annotation
        model, free = _inner(annotation), _is_mapping(annotation)
    return model


def _is_mapping(annotation: Any) -> bool:
    return getattr(annotation, "__origin__", None) is dict


def _inner(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = _inner(argument)
        if found is not None:
            return found
    return None
