"""`virtual://generated?model=FILE&class=NAME&seed=7`: a board that nobody ever wore, as a port like any other.

A generator makes `seconds` of one class when the board is made; its end goes on into its beginning, so that the board
plays for ever without a seam. The board says that it is generated and by what (`generated` in its description: the
generator's name, digest, class, style and seed), and logs `label: NAME` with its first sample. Seeded faults go on top
of it as on top of any virtual board.
"""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from firmware_bridge.errors import MissingPart, UsageError
from firmware_bridge.virtual.board import VirtualBoard
from firmware_bridge.virtual.parameters import LINK, Parameter, read_parameters, settings_from
from firmware_bridge.virtual.playback import PlaybackBoard, Series, notes_at
from firmware_bridge.virtual.settings import Identity

__all__ = ["PARAMETERS", "SHIPPED", "make"]

SHIPPED = Path(str(files("hil.models"))) / "exercise-generator.hilmodel"
"""The generator that `model=exercise` means."""

PARAMETERS = (
    *LINK,
    Parameter("model", "exercise", "a file of `hil generate train`, or `exercise` for the one that is shipped"),
    Parameter("class", "", "what it does; empty: the first that the generator knows"),
    Parameter("person", "", "in whose style, one of the generator's people; empty: near anyone's, by the seed"),
    Parameter("noise", 0.0, "white noise, in standard deviations of each channel", 0, 10),
    Parameter("seconds", 60.0, "length of what is played over and over", 5, 3600),
)
"""What `virtual://generated` takes."""


def make(given: Mapping[str, str]) -> VirtualBoard:
    """Return the board of `virtual://generated?...`.

    Raises:
        UsageError: The generator knows no such class, person or level of noise.
        FileError: The generator cannot be read.
        MissingPart: torch is not installed.
    """
    values = read_parameters("generated", given, PARAMETERS)
    try:
        from hil.models.generate.generator import Wish, load_generator
    except ImportError as error:
        if (error.name or "torch").split(".")[0] != "torch":
            raise
        raise MissingPart("torch is not installed", "virtual://generated", "run: pip install 'torch==2.13.*'") from None
    generator = load_generator(SHIPPED if values["model"] == "exercise" else values["model"])
    contract = generator.contract
    wish = Wish(values["class"] or contract.labels[0], values["person"], values["noise"])
    rate, seed = contract.rate_hz, values["seed"]
    if values["rate"] not in (0.0, rate):
        raise UsageError(
            f"rate={values['rate']:g} is not that of the generator",
            "virtual://generated",
            f"leave it out ({rate:g} Hz)",
        )
    readings = generator.draw([wish], round(values["seconds"] * rate), seed, loop=True)[0]
    told = {"generator": contract.name, "sha256": generator.package.sha256, "class": wish.label,
            "person": wish.person, "noise": wish.noise, "seed": seed}  # fmt: skip
    who = Identity("hil-generated", values["serial"] or f"GENERATED-{seed:04d}", contract.version, {"generated": told})
    series = Series(generator.stream, readings)
    return PlaybackBoard(who, [series], settings_from(values), notes_at([0], [f"label: {wish.label}"]))
