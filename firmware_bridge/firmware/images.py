"""The prebuilt images that come along, and what makes one board of many equal ones: `python -m ...firmware.images`.

`images/images.json` says of each: its checksum, the digest of the sources it came from, compiler and command. An image
whose sources have changed since is not used; the port is then built here. Run as a program, this room builds all of
them anew.

Rule of this room: an image is bytes; a provisioned one differs from the shipped one in its provision block alone.
"""

import hashlib
import json
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from firmware_bridge.errors import FileError
from firmware_bridge.firmware.build import build, built
from firmware_bridge.firmware.recipes import FOLDER, RECIPES, Recipe

__all__ = ["MARK", "PREBUILT", "image_of", "is_shipped", "listed", "provisioned", "rebuild"]

MARK = b"HILBOARD"
PREBUILT = tuple(port for port, recipe in RECIPES.items() if recipe.prebuilt)
_BLOCK = struct.Struct("<8sII24sI")
_LIST = FOLDER / "images" / "images.json"


def provisioned(image: bytes, seed: int, rate_mhz: int, serial: str, instruction_ns: int = 0) -> bytes:
    """Return an image with its provision block filled in, as a factory would.

    Args:
        image: ELF or plain binary with exactly one block.
        seed: Of the stand-in sensors.
        rate_mhz: Samples a second times 1000; 0: the usual.
        serial: Serial number, 23 bytes at most.
        instruction_ns: What every instruction takes by the clocks of the machine that runs it; 0: nobody counts.

    Raises:
        FileError: It has no such block, or several.
    """
    at = image.find(MARK)
    if at < 0 or image.find(MARK, at + 1) >= 0 or at + _BLOCK.size > len(image):
        raise FileError("there is not one provision block in it", "firmware image", "build it anew")
    block = _BLOCK.pack(MARK, seed, rate_mhz, serial.encode()[:23], instruction_ns)
    return image[:at] + block + image[at + _BLOCK.size :]


def listed() -> Mapping[str, Mapping[str, Any]]:
    """Return what is known of the shipped images, by port."""
    try:
        known = json.loads(_LIST.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise FileError(
            f"the list of images cannot be read ({error})", str(_LIST), "install the package again"
        ) from None
    images: Mapping[str, Mapping[str, Any]] = known["images"]
    return images


def is_shipped(port: str) -> bool:
    """Return whether a port's image comes along and is made of the sources as they are."""
    return listed().get(port, {}).get("sources") == RECIPES[port].digest()


def image_of(port: str) -> bytes:
    """Return the image of a port: the shipped one, or one built here where its sources have changed.

    Raises:
        FileError: The shipped image is not what its checksum says.
        MissingPart: It has to be built and its compiler is not installed.
    """
    if not is_shipped(port):
        return built(port).read_bytes()
    path = FOLDER / "images" / RECIPES[port].output
    try:
        image = path.read_bytes()
    except OSError as error:
        raise FileError(
            f"the image cannot be read ({error.strerror})", str(path), "install the package again"
        ) from None
    if hashlib.sha256(image).hexdigest() != listed()[port]["sha256"]:
        raise FileError("the image is not what its checksum says", str(path), "install the package again")
    return image


def compiler_of(recipe: Recipe) -> str:
    """Return the first line in which a compiler says what it is."""
    told = subprocess.run([recipe.compiler, "--version"], capture_output=True, text=True, check=True)
    return told.stdout.splitlines()[0]


def rebuild() -> None:
    """Build every image anew and write down how."""
    images = {}
    for port in PREBUILT:
        recipe = RECIPES[port]
        with tempfile.TemporaryDirectory() as folder:
            image = build(recipe, Path(folder)).read_bytes()
        (FOLDER / "images" / recipe.output).write_bytes(image)
        images[port] = {
            "file": recipe.output, "sha256": hashlib.sha256(image).hexdigest(), "sources": recipe.digest(),
            "compiler": compiler_of(recipe), "command": " ".join(recipe.command(Path(recipe.output))),
        }  # fmt: skip
    _LIST.write_text(json.dumps({"schema": 1, "images": images}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    rebuild()
    sys.stderr.write(f"{len(PREBUILT)} images are built anew\n")
