"""`hil collect PLAN.toml`: a person is led through classes and repetitions, and the recording is labelled as it goes.

    [plan]
    person = "?"                      # asked for when it is "?"
    classes = ["squat", "biceps_curl"]
    repetitions = 3
    seconds = 20                      # of each; 0: until the person says so
    rest_s = 10
    order = "interleaved"             # or "blocked", or "random" (with seed)

    [[board]]
    port = "watch=/dev/ttyACM0"

The rule: whatever is asked goes through one function that is handed in, so that a terminal, a screen or a test can
answer. A label begins after the person said so and ends after its seconds; breaking off keeps what was recorded.
"""

import random
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from firmware_bridge.clock import Clock
from firmware_bridge.errors import UsageError
from hil.config import EngineConfig, PortConfig, RecordConfig
from hil.engine.engine import Engine
from hil.engine.summary import Summary

__all__ = ["Plan", "Turn", "collect", "load_plan", "turns"]

Ask = Callable[[str], str | None]
"""Shows a text and returns what the person entered; None: the person wants to stop."""
Wait = Callable[[str, float], bool]
"""Shows a text for so many seconds; False: the person wants to stop."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlanTable(_Part):
    """Who does what, how often and how long."""

    person: str = "?"
    classes: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
    repetitions: Annotated[int, Field(ge=1, le=1000)] = 1
    seconds: Annotated[float, Field(ge=0, le=3600)] = 20.0
    rest_s: Annotated[float, Field(ge=0, le=3600)] = 5.0
    order: Literal["blocked", "interleaved", "random"] = "interleaved"
    seed: int = 0
    note: str = ""

    @model_validator(mode="after")
    def _distinct(self) -> "PlanTable":
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("classes repeat")
        return self


class Plan(_Part):
    """A whole plan file."""

    schema_version: Annotated[int, Field(alias="schema", ge=1, le=1)] = 1
    plan: PlanTable
    board: Annotated[tuple[PortConfig, ...], Field(min_length=1)]
    output: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One repetition of one class; `number` counts from 1."""

    number: int
    label: str
    repetition: int


def load_plan(path: str | Path) -> Plan:
    """Read a plan.

    Raises:
        UsageError: The file cannot be read, is not TOML, or a key is wrong (the first one is named).
    """
    where = str(path)
    try:
        plain = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"the plan cannot be read ({error.strerror})", where, "give the name of a plan file") from None
    except ValueError as error:
        raise UsageError(f"the plan is not TOML ({error})", where, "correct it") from None
    try:
        return Plan.model_validate(plain)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "plan"
        raise UsageError(f"the plan is wrong at {key} ({first['msg']})", where, "correct it") from None


def turns(plan: PlanTable) -> list[Turn]:
    """Return every repetition in the order in which it is asked for; `random` is shuffled by the plan's seed."""
    rounds = range(1, plan.repetitions + 1)
    if plan.order == "blocked":
        pairs = [(label, repetition) for label in plan.classes for repetition in rounds]
    else:
        pairs = [(label, repetition) for repetition in rounds for label in plan.classes]
    if plan.order == "random":
        random.Random(plan.seed).shuffle(pairs)
    return [Turn(number, label, repetition) for number, (label, repetition) in enumerate(pairs, 1)]


def collect(
    plan: Plan,
    ask: Ask,
    wait: Wait,
    *,
    output: str | None = None,
    person: str | None = None,
    clock: Clock | None = None,
) -> Summary:
    """Lead a person through a plan.

    Args:
        plan: What to collect.
        ask: Asks and returns the answer.
        wait: Shows a text while time passes.
        output: A new file; None: the plan's, or named by board and time.
        person: Who it is; None: as the plan says, asked for when that is `?`.
        clock: Time.

    Returns:
        What came of it, also where the person stopped early.

    Raises:
        UsageError: No person was named.
        BridgeError: A port cannot be opened or the file not made.
    """
    table = plan.plan
    who = person or (table.person if table.person != "?" else ask("Who is it? ") or "")
    if not who.strip():
        raise UsageError("nobody was named", "collect", "give --person, or a person in the plan")
    record = RecordConfig(
        path=output or plan.output, person=who.strip(), note=table.note,
        meta={"plan_order": table.order, "plan_seed": str(table.seed)},
    )  # fmt: skip
    engine = Engine(EngineConfig(ports=plan.board, classes=table.classes, record=record, author=who.strip()), clock)
    with engine:
        todo = turns(table)
        for turn in todo:
            if engine.ended or not engine.recorder.recording or not _one(engine, plan.plan, turn, len(todo), ask, wait):
                break
    return engine.summary()


def _one(engine: Engine, plan: PlanTable, turn: Turn, of: int, ask: Ask, wait: Wait) -> bool:
    """Do one repetition; return whether the person goes on."""
    head = f"{turn.number} of {of}: {turn.label} ({turn.repetition} of {plan.repetitions})"
    if ask(f"{head}: Enter to begin ") is None:
        return False
    engine.desk.start_label(turn.label)
    try:
        goes_on = wait(head, plan.seconds) if plan.seconds else ask(f"{head}: Enter to end ") is not None
    finally:
        engine.desk.stop_label(turn.label)
    if goes_on and plan.rest_s and turn.number < of:
        goes_on = wait("rest", plan.rest_s)
    return goes_on
