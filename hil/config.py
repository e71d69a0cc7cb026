"""What an engine is to do, as data: ports or a recording, models, labels, and a recording from the start.

One document, from a person's command line, a test or another process: JSON in, checked by pydantic, a mistake named
with its key.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from firmware_bridge.errors import UsageError
from firmware_bridge.faults.schedule import Schedule
from firmware_bridge.roles import Expect, PortSpec, parse_spec
from firmware_bridge.wire.dialect import DialectSpec

__all__ = [
    "EngineConfig",
    "GlitchConfig",
    "ModelConfig",
    "PortConfig",
    "RecordConfig",
    "ReplayConfig",
    "parse_config",
    "port_spec",
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PortConfig(_Part):
    """A board to listen to.

    Attributes:
        port: Where it is, as `PortSpec` takes it; `ROLE=PORT` names it.
        role: Its name at the bench; None: told by the board.
        board_file: TOML description of it.
        dialect: Name of a dialect; None: found out.
        dialect_arguments: Plain JSON arguments of that dialect.
        expect_model: The model it must be.
        expect_serial: The serial number it must have.
    """

    port: Annotated[str, Field(min_length=1)]
    role: str | None = None
    board_file: str | None = None
    dialect: str | None = None
    dialect_arguments: dict[str, Any] = Field(default_factory=dict)
    expect_model: str | None = None
    expect_serial: str | None = None


class ReplayConfig(_Part):
    """A recording to play: `speed` None is as fast as it goes; `begin` and `end` are seconds or the name of a mark."""

    path: str
    speed: float | None = 1.0
    begin: str | None = None
    end: str | None = None
    loop: bool = False
    paused: bool = False
    hold: bool = True


class ModelConfig(_Part):
    """A model and the boards that it reads (None: every board with a stream that fits)."""

    path: str
    boards: tuple[str, ...] | None = None
    backend: str | None = None
    slots: Annotated[int, Field(ge=1, le=256)] = 8


class RecordConfig(_Part):
    """What a recording is called and what is said about it; `split` as in `1h` or `1GB`."""

    path: str | None = None
    person: str = ""
    label: str = ""
    note: str = ""
    meta: dict[str, str] = Field(default_factory=dict)
    split: str | None = None


class GlitchConfig(_Part):
    """What is kept for glitches, and what is one beside a person's word.

    Attributes:
        before_s: Seconds before the trigger that are saved; the ring is so long. 0: no ring.
        after_s: Seconds after the latest trigger that are saved.
        ring_bytes: Bound of the ring's memory.
        thresholds: `STREAM.CHANNEL>VALUE`, see `hil.monitor.triggers`.
        confidences: `MODEL<VALUE`, likewise.
        on_mark: Whether marks and labels trigger.
        on_anomaly: Whether gaps, damage, stalls, reboots and disconnections trigger.
        output: A folder, or the name of the first recording; None: `recordings`.
        count: How many are saved; None: any number.
        about: What is said about each recording.
    """

    before_s: Annotated[float, Field(ge=0, le=3600)] = 30.0
    after_s: Annotated[float, Field(ge=0, le=3600)] = 5.0
    ring_bytes: Annotated[int, Field(ge=1 << 16)] = 64 << 20
    thresholds: tuple[str, ...] = ()
    confidences: tuple[str, ...] = ()
    on_mark: bool = False
    on_anomaly: bool = False
    output: str | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    about: dict[str, str] = Field(default_factory=dict)


class EngineConfig(_Part):
    """Everything an engine needs to know.

    Attributes:
        ports: Boards to listen to.
        replay: A recording to play instead.
        models: Models to run.
        record: Record from the start; None: when told to.
        classes: Labels on the digits 1 to 9; empty: those of the first model, and in a replay without one those that
            stand in or beside the recording.
        author: Who sets marks and labels.
        glitch: What is kept for glitches.
        wait_s: How long to wait for a port that is missing or that somebody else holds.
        patient: Keep trying ports that are missing at the start.
        late: Keep trying them as long as one port is there.
        gather_s: Least time between two decodings of one board that sends much.
        tick_s: Rest between two drains of the pipeline.
        faults: What is to go wrong with the boards, as the `[[fault]]` tables of a schedule.
        fault_seed: Of everything random about the faults.
    """

    ports: tuple[PortConfig, ...] = ()
    replay: ReplayConfig | None = None
    models: tuple[ModelConfig, ...] = ()
    record: RecordConfig | None = None
    classes: tuple[str, ...] = ()
    author: str = ""
    glitch: GlitchConfig = GlitchConfig()
    wait_s: Annotated[float, Field(ge=0)] = 0.0
    patient: bool = False
    late: bool = False
    gather_s: Annotated[float, Field(ge=0, le=1)] = 0.02
    tick_s: Annotated[float, Field(ge=0, le=1)] = 0.02
    faults: tuple[dict[str, Any], ...] = ()
    fault_seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _one_source(self) -> "EngineConfig":
        if bool(self.ports) == (self.replay is not None):
            raise ValueError("give either ports or a recording to replay")
        if self.replay is not None and self.record is not None:
            raise ValueError("a replay is not recorded again: it is a recording")
        if self.replay is not None and self.faults:
            raise ValueError("a replay takes no faults: give them to ports, such as virtual://replay?file=...")
        return self

    def schedule(self) -> Schedule:
        """Return the faults as a schedule.

        Raises:
            UsageError: One cannot be meant, or is for a board that has no such role.
        """
        schedule = Schedule.from_dict({"seed": self.fault_seed, "faults": self.faults})
        roles = {port_spec(port).role or "" for port in self.ports}
        for fault in schedule.faults:
            if not any(fault.touches(role) for role in roles):
                named = ", ".join(sorted(roles - {""})) or "none: write ROLE=PORT"
                raise UsageError(f"on: {fault.on!r} is no board of this bench", fault.kind, f"roles given: {named}")
        return schedule


def parse_config(text: str | bytes) -> EngineConfig:
    """Read a configuration.

    Raises:
        UsageError: It is not JSON or a key is wrong (the first one is named).
    """
    try:
        return EngineConfig.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "configuration"
        raise UsageError(f"the configuration is wrong at {key} ({first['msg']})", "engine", "correct it") from None


def port_spec(config: PortConfig, faults: Schedule | None = None) -> PortSpec:
    """Return what the bridge is to open, and what is to go wrong with it."""
    plain = parse_spec(config.port)
    dialect = None if config.dialect is None else DialectSpec(config.dialect, config.dialect_arguments)
    expect = None
    if config.expect_model or config.expect_serial:
        expect = Expect(config.expect_model or "", config.expect_serial or "")
    return PortSpec(plain.port, config.role or plain.role, dialect, config.board_file, expect, faults or None)
