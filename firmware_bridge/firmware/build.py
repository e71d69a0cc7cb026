"""Builds the firmware: into a folder of the user's choice, or once into a cache that is keyed by the sources.

Rule of this room: it runs compilers and writes files, and decides nothing; `recipes` says what is built how. A result
appears under its name whole or not at all, so that two builds at once don't disturb each other.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from firmware_bridge.errors import BridgeError, MissingPart
from firmware_bridge.firmware.recipes import FOLDER, RECIPES, Recipe

__all__ = ["BuildFailed", "build", "built", "cache_folder", "is_built", "missing"]


class BuildFailed(BridgeError):
    """A compiler refused the firmware."""


def cache_folder() -> Path:
    """Return where built programs are kept: `HIL_CACHE_DIR`, or the user's cache folder."""
    chosen = os.environ.get("HIL_CACHE_DIR")
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(chosen) if chosen else Path(base) / "hil-testbench"


def missing(port: str) -> str:
    """Return why a port cannot be built here, one clause; empty where all it needs is there."""
    recipe = RECIPES[port]
    if not shutil.which(recipe.compiler):
        return f"{recipe.compiler} is not installed"
    if recipe.header and not Path(recipe.header).is_file():
        return f"{recipe.header} is not installed"
    return ""


def build(recipe: Recipe, to: Path) -> Path:
    """Compile a port.

    Args:
        recipe: What to build.
        to: Folder of the result, made if need be.

    Returns:
        The program.

    Raises:
        MissingPart: Its compiler is not installed.
        BuildFailed: The compiler refused, with what it said first.
    """
    if reason := missing(recipe.port):
        raise MissingPart(reason, f"firmware {recipe.port}", recipe.install)
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to, prefix=".build-") as folder:
        made = Path(folder).resolve() / recipe.output
        done = subprocess.run(recipe.command(made), cwd=FOLDER, capture_output=True, text=True, check=False)
        if done.returncode:
            said = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip()[:300])
            raise BuildFailed(f"{recipe.compiler} refused it: {said}", f"firmware {recipe.port}",
                              f"needed is {recipe.install}")  # fmt: skip
        os.replace(made, to / recipe.output)
    return to / recipe.output


def _kept(recipe: Recipe) -> Path:
    return cache_folder() / "firmware" / recipe.digest()[:16] / recipe.output


def is_built(port: str) -> bool:
    """Return whether a program of this machine lies in the cache."""
    return _kept(RECIPES[port]).is_file()


def built(port: str) -> Path:
    """Return a program of this machine, built now or found in the cache.

    Raises:
        MissingPart: It has to be built and its compiler is not installed.
        BuildFailed: The compiler refused.
    """
    found = _kept(RECIPES[port])
    return found if found.is_file() else build(RECIPES[port], found.parent)
