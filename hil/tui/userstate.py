"""What the screen remembers of this user between two runs: that the lesson is over, and the theme chosen last.

A small JSON file: `$HIL_STATE`, or `hil/screen.json` in the folder of states (`$XDG_STATE_HOME`, `~/.local/state`).
Settings, which people write, are another file (`settings`).

Rule of this room: what cannot be read or written is as if nothing had been remembered, and stops nobody.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["is_taught", "remember", "state_path", "theme"]


def state_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where the file is, or would be."""
    if told := environment.get("HIL_STATE"):
        return Path(told)
    base = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "hil" / "screen.json"


def is_taught(path: Path) -> bool:
    """Whether the lesson was gone through or skipped."""
    return _read(path).get("taught") is True


def theme(path: Path) -> str:
    """Return the theme that was chosen last; empty where none was."""
    chosen = _read(path).get("theme", "")
    return chosen if isinstance(chosen, str) else ""


def remember(path: Path, *, taught: bool | None = None, theme: str | None = None) -> None:
    """Keep in mind that the lesson is over, or which theme was chosen; what is not said stays as it was."""
    said = {"taught": taught, "theme": theme}
    plain = {**_read(path), "schema": 1, **{key: value for key, value in said.items() if value is not None}}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(plain), encoding="utf-8")
        os.replace(part, path)
    except OSError:
        return


def _read(path: Path) -> dict[str, object]:
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return plain if isinstance(plain, dict) else {}
