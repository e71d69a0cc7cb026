"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings that is not shipped with the project."""
    here = Path(__file__).resolve().parents[1]
    for folder in (os.environ.get("HIL_SHARED_DATA"), here / "shared" / "data", here.parent / "shared" / "data"):
        if folder and Path(folder).is_dir():
            return Path(folder)
    pytest.skip("the real recordings (shared/data) are not on this machine")
