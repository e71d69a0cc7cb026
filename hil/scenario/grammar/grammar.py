"""What may stand in a scenario, version 1: the tables, their keys, their defaults.

Rule: nothing is accepted that means nothing, so that a misspelt key is a mistake and not a silence. What a value means
together with others (does the board of a check exist?) is `meaning`'s work; how a mistake is told is `mistakes`'.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "SCHEMA", "BaselineTable", "BoardTable", "CheckTable", "DriveTable", "EventTable", "ModelTable", "Quarantine",
    "Readings", "Scenario", "Setup", "Teardown",
]  # fmt: skip

SCHEMA = 1

Role = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=64)]
Text = Annotated[str, Field(min_length=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)]
Above0 = Annotated[float, Field(gt=0, le=1e7, allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, strict=True)


class BoardTable(_Table):
    """`[board.ROLE]`: exactly one of `recording`, `port`, `virtual` and `firmware`.

    Attributes:
        recording: A recording of the board.
        board: Its role in the recording, where there are several.
        port: Where a live board is; `bench`: as the file of the bench says.
        virtual: Name of a virtual board, with parameters as in `imu?rate=100`.
        firmware: Real firmware on an emulator, as in `qemu?sensor=tmp105`: what follows `firmware://` in a port. Where
            it cannot be started the scenario is NA.
        seed: Seed of a virtual board; `--seed` is added to it.
        board_file: Description of a board nobody has met.
        serial: Serial number that a live board must have.
        orientation: Its stream with gyroscope and accelerometer, as in `imu`: then it has a stream `imu.orientation`
            too, which checks (`stream.ROLE.imu_orientation.inclination.mean`) and models can name.
    """

    recording: Text | None = None
    board: Text | None = None
    port: Text | None = None
    virtual: Text | None = None
    firmware: Text | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    board_file: Text | None = None
    serial: str = ""
    orientation: Text | None = None


class DriveTable(_Table):
    """`[[drive]]`: values that are set in the sensor chip of an emulated board, and what it should read.

    Attributes:
        on: Role of the board.
        stream: Its stream that carries the chip's readings.
        profile: Rows of seconds since the first sample and one value a channel, in the stream's unit; each holds until
            the next.
        settle_s: Within it of a change, before or after, no reading is judged.
    """

    on: Role
    stream: Text
    profile: Annotated[list[Annotated[list[Finite], Field(min_length=2)]], Field(min_length=1)]
    settle_s: Seconds = 0.25


class Readings(_Table):
    """`[readings]`: which part, in seconds since the first sample; `to_s` is the length of virtual and live runs."""

    from_s: Seconds = 0.0
    to_s: Above0 | None = None


class ModelTable(_Table):
    """`[model.NAME]`: a model file (or the name of a shipped model) and the board it reads.

    Attributes:
        file: A `.hilmodel` or `.onnx` file, or `exercise`.
        board: Role it reads; left out: every board with a stream that fits.
        deadline_ms: How long after its last sample a decision may come.
        backend: See `hil.models.model.BACKENDS`; left out: the contract's.
    """

    file: Text
    board: Role | None = None
    deadline_ms: Above0 | None = None
    backend: Literal["eager", "onnxruntime"] | None = None


class EventTable(_Table):
    """`[[event]]`: a label that must appear between `from_s` and `to_s`, or wherever the readings are so labelled.

    Attributes:
        name: How its metrics are called: `event.NAME.true_positives`.
        model: The model that must say it.
        label: The label.
        from_s: Beginning; with `to_s` left out too: every stretch labelled so.
        to_s: End.
        delay_s: How much later than the beginning the first decision may come, and how long after the end one is no
            false alarm.
    """

    name: Role
    model: Role
    label: Text
    from_s: Seconds | None = None
    to_s: Above0 | None = None
    delay_s: Seconds = 0.0


class CheckTable(_Table):
    """`[[check]]`: a limit on a metric.

    Attributes:
        metric: Dotted name; `hil metrics` lists them.
        unit: Unit of the limits, where it is to be said; it must be the metric's.
        at_least: Least value that passes.
        at_most: Greatest value that passes.
        between: Both.
        equals: The value that passes.
        within_percent: With `equals`: how far from it still passes, in percent of it.
        marginal: Where passing begins to be close: a value beyond it is MARGINAL. For `between` its distance from
            either end, for `within_percent` a smaller percentage.
        why: For people.
    """

    metric: Text
    unit: str | None = None
    at_least: Finite | None = None
    at_most: Finite | None = None
    between: Annotated[list[Finite], Field(min_length=2, max_length=2)] | None = None
    equals: Finite | None = None
    within_percent: Annotated[float, Field(gt=0, le=1000)] | None = None
    marginal: Finite | None = None
    why: str = ""


class BaselineTable(_Table):
    """`[baseline]`: the accepted results; `ignore` names metrics that are not compared."""

    file: Text
    ignore: list[str] = []


class Quarantine(_Table):
    """`[quarantine]`: run, reported, but not counted, since `date` (YYYY-MM-DD), because of `reason`."""

    reason: Text
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Setup(_Table):
    """`[setup]`: done with a live board before; what fails is TROUBLE.

    Attributes:
        flash: Command that flashes it, as a list of words.
        reset: Whether the board is started anew.
        send: Lines or native messages to send, in order.
        wait_for: Text that it must log afterwards.
        wait_s: How long to wait for it, and for the board.
        firmware: Identity of the firmware that must be on it.
        network: Op list (`hil model deploy MODEL -o`) that it is given and runs on its own samples.
        hop: Samples between two windows of that network; 0: as many as a window has.
    """

    flash: list[Text] = []
    reset: bool = False
    send: list[Text] = []
    wait_for: str = ""
    wait_s: Above0 = 10.0
    firmware: str = ""
    network: str = ""
    hop: Annotated[int, Field(ge=0, le=65535)] = 0


class Teardown(_Table):
    """`[teardown]`: done with a live board afterwards, whatever happened."""

    send: list[Text] = []
    command: list[Text] = []


class Scenario(_Table):
    """A scenario file.

    Attributes:
        schema_version: Written as `schema`.
        name: What must hold, in a sentence.
        why: Why it matters.
        needs: What must be there, such as `board:imu-revb`; else the scenario is NA.
        tags: For `--tag`.
        seed: Seed of virtual boards and faults; `--seed` is added to it, and it to the seeds of boards.
        timeout_s: Longest time it may run; then it is TROUBLE.
        fault: Tables of `firmware_bridge.faults.Fault.of`: `on`, `kind`, `from_s`, `to_s` and the kind's parameters.
    """

    schema_version: Annotated[int, Field(alias="schema", ge=1, le=SCHEMA)] = SCHEMA
    name: Annotated[str, Field(min_length=1, max_length=200)]
    why: str = ""
    needs: list[Annotated[str, Field(pattern=r"^board:[A-Za-z][A-Za-z0-9_-]*$")]] = []
    tags: list[Role] = []
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    timeout_s: Above0 = 60.0
    readings: Readings = Readings()
    board: Annotated[dict[Role, BoardTable], Field(min_length=1)]
    model: dict[Role, ModelTable] = {}
    event: list[EventTable] = []
    fault: list[dict[str, str | int | float]] = []
    drive: list[DriveTable] = []
    check: Annotated[list[CheckTable], Field(min_length=1)]
    baseline: BaselineTable | None = None
    quarantine: Quarantine | None = None
    setup: Setup | None = None
    teardown: Teardown | None = None
