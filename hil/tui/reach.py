"""How another shell reaches the bench that a screen shows.

Rule of this room: words and no token. A screen is photographed, recorded and shown to others; the token stays in the
engine's own file, which this user alone may read (see `hil.door.running`).
"""

from hil.doctor.finding import OK, WARNING, Finding
from hil.door.running import engine_folder, running

__all__ = ["finding", "sentence"]


def finding(client: object) -> Finding | None:
    """Return how the engine of a bench is reached; None where there is none, or none yet."""
    address = str(getattr(client, "address", "") or "")
    if not address:
        return None
    if any(one.address == address for one in running()):
        return Finding(OK, "bench", "engine", f"your other shells reach it at {address}", f"hil attach --at {address}")
    said = f"it serves at {address}, and {engine_folder()} does not tell your other shells"
    return Finding(WARNING, "bench", "engine", said, "set HIL_ENGINE_DIR to a folder that you may write and start anew")


def sentence(client: object) -> str:
    """Return the same as a sentence for the page of help; empty where there is no engine."""
    found = finding(client)
    if found is None:
        return ""
    if found.level != OK:
        return f"{found.said}; {found.todo}."
    said = f"{found.said[:1].upper()}{found.said[1:]}"
    return (
        f"{said}: `{found.todo}` shows this bench there too, `hil engines` lists what runs, and `hil model load` finds "
        f"it by itself. Its token lies in {engine_folder()}, for you alone to read; a screen never shows it."
    )
