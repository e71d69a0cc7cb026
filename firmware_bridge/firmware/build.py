"""Builds the firmware: into a folder of the user's choice, or once into a cache that is keyed by the sources.

Rule of this room: it runs compilers and writes files, and decides nothing; `recipes` says what is built how, and of two
ways the first whose compiler is there is taken. A result appears under its name whole or not at all, so that two builds
at once don't disturb each other.
"""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from firmware_bridge.errors import BridgeError, MissingPart
from firmware_bridge.firmware.recipes import FOLDER, RECIPES, ZIG, Recipe

__all__ = ["BuildFailed", "absent", "build", "built", "cache_folder", "chosen", "has_zig", "is_built", "missing"]


class BuildFailed(BridgeError):
    """A compiler refused the firmware."""


def cache_folder() -> Path:
    """Return where built programs are kept: `HIL_CACHE_DIR`, or the user's cache folder."""
    chosen = os.environ.get("HIL_CACHE_DIR")
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(chosen) if chosen else Path(base) / "hil-testbench"


def has_zig() -> bool:
    """Return whether the compiler that is a Python package is there."""
    return importlib.util.find_spec("ziglang") is not None


def absent(recipe: Recipe) -> str:
    """Return what one way to build needs and is not here, one clause; empty where all is there."""
    if recipe.compiler == ZIG:
        return "" if has_zig() else "the Python package ziglang is not installed"
    if not shutil.which(recipe.compiler):
        return f"{recipe.compiler} is not installed"
    if recipe.header and not Path(recipe.header).is_file():
        return f"{recipe.header} is not installed"
    return ""


def chosen(port: str) -> Recipe:
    """Return the way in which a port is built here: the first whose compiler is there, or else the first."""
    recipe = RECIPES[port]
    other = recipe.otherwise
    return other if other is not None and absent(recipe) and not absent(other) else recipe


def missing(port: str) -> str:
    """Return why a port cannot be built here, one clause; empty where all it needs is there."""
    recipe = chosen(port)
    reason = absent(recipe)
    return f"{reason}, and neither is zig" if reason and recipe.otherwise is not None else reason


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
    if reason := absent(recipe):
        raise MissingPart(reason, f"firmware {recipe.port}", recipe.to_install)
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
    return _kept(chosen(port)).is_file()


def built(port: str) -> Path:
    """Return a program of this machine, built now or found in the cache.

    Raises:
        MissingPart: It has to be built and its compiler is not installed.
        BuildFailed: The compiler refused.
    """
    recipe = chosen(port)
    found = _kept(recipe)
    return found if found.is_file() else build(recipe, found.parent)
