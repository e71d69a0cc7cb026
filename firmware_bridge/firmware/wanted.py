"""What `firmware://KIND/BOARD?parameter=value` asks for, as a value; `?board=BOARD` says the same as the path.

Rule of this room: text in, value or one sentence out; nothing is started or looked for.
"""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from firmware_bridge.errors import UsageError
from firmware_bridge.firmware.chips import CHIPS, Chip
from firmware_bridge.firmware.kinds import CORES, Kind, kind_named, with_core
from firmware_bridge.virtual.parameters import Parameter, read_parameters

__all__ = ["BOARDS", "Wanted", "wanted"]

BOARDS = ("imu6",)
"""Boards whose firmware there is."""

_COMMON = (
    Parameter("board", "imu6", "what is sensed", choices=BOARDS),
    Parameter("rate", 0.0, "samples a second of its first stream; 0: the board's usual", 0, 100_000),
    Parameter("seed", 0, "what its stand-in sensors make their readings from", 0, 2**32 - 1),
    Parameter("serial", "", "serial number the board says it has, 23 characters at most"),
)
_BAUD = Parameter("baud", "500000", "bits a second of its line", choices=("500000", "115200"))
_CPU = Parameter("cpu", "m3", "its processor", choices=tuple(CORES))
_SENSOR = Parameter("sensor", "none", "chip on its I2C bus, which the board then is about", choices=("none", *CHIPS))
_CONTROL = Parameter("qmp", "", "Unix socket on which the emulator is to take QMP, to set what a chip senses")
_ICOUNT = Parameter(
    "icount", 0, "count instructions: each takes 2^N ns of the board's own time, which is no real time; 0: don't", 0, 10
)
_SPEAKS = Parameter("speaks", "native", "its protocol: ours, or that of devices under test", choices=("native", "dut"))
_MODEL = Parameter("model", "", "file of the op list that a device under test holds")
_OWN: dict[str, tuple[Parameter, ...]] = {
    "simavr": (_BAUD,), "qemu": (_CPU, _SENSOR, _CONTROL, _ICOUNT), "native": (_SPEAKS, _MODEL),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """One board to be started.

    Attributes:
        kind: What it runs on.
        board: What is sensed.
        rate_hz: Samples a second; 0: the usual.
        seed: Of its stand-in sensors.
        serial: Its serial number.
        baud: Of its line, where that is real; else 0.
        chip: On its I2C bus; None: there is none, and its readings are made up.
        control: Path of the socket on which its emulator takes QMP; empty: none.
        icount: An instruction takes 2 to the power of this in ns of the board's time; 0: it runs in real time.
        speaks: `native`, or `dut`: the text protocol of devices under test.
        model: File of the op list that such a device holds; empty: none.
    """

    kind: Kind
    board: str
    rate_hz: float
    seed: int
    serial: str
    baud: int = 0
    chip: Chip | None = None
    control: str = ""
    icount: int = 0
    speaks: str = "native"
    model: str = ""


def wanted(port: str) -> Wanted:
    """Return what a port asks for.

    Raises:
        UsageError: No such kind, board or parameter, or a value that is not allowed.
    """
    parts = urlsplit(port, allow_fragments=False)
    kind = kind_named(parts.netloc, port)
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise UsageError("a parameter has no value", port, "write ?parameter=value&other=value") from None
    given = dict(pairs)
    if len(given) < len(pairs):
        raise UsageError("a parameter is given twice", port, "give each once")
    if (path := parts.path.strip("/")) and given.setdefault("board", path) != path:
        raise UsageError("two boards are named", port, "name one")
    values = read_parameters(kind.name, given, (*_COMMON, *_OWN.get(kind.name, ())), "firmware")
    serial = values["serial"] or f"{kind.name.upper()}-{values['seed']:04d}"
    if len(serial.encode()) > 23:
        raise UsageError("the serial number is too long", port, "23 characters are room enough")
    return Wanted(
        with_core(kind, values.get("cpu", "")), values["board"], values["rate"], values["seed"], serial,
        int(values.get("baud", 0)), CHIPS.get(values.get("sensor", "none")), values.get("qmp", ""),
        values.get("icount", 0),
        values.get("speaks", "native"), values.get("model", ""),
    )  # fmt: skip
