"""What a wheel holds: every file of the packages, so that nothing is missed only once it is installed."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("firmware_bridge", "hil")


def tracked() -> list[Path]:
    """The files of the packages that are kept; skipped with one sentence where no git says which those are."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    listed = subprocess.run(["git", "ls-files", "-z", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def shipped() -> set[Path]:
    """The files that the build takes, by the same patterns."""
    built = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    files = {path for package in built["packages"] for path in (ROOT / package.replace(".", "/")).glob("*.py")}
    for package, patterns in built["package-data"].items():
        files |= {path for pattern in patterns for path in (ROOT / package).glob(pattern) if path.is_file()}
    return files


def test_every_file_of_the_packages_is_in_a_wheel() -> None:
    files = tracked()
    assert len([path for path in files if path.suffix in (".c", ".h", ".elf", ".json", ".hilmodel")]) > 50
    assert sorted(str(path.relative_to(ROOT)) for path in set(files) - shipped()) == []


def test_no_pattern_of_the_build_is_without_a_file() -> None:
    built = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    empty = [
        f"{package}/{pattern}"
        for package, patterns in built["package-data"].items()
        for pattern in patterns
        if not any((ROOT / package).glob(pattern))
    ]
    assert empty == []
