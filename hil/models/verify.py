"""`verify` with models: everything in a recording, decisions included, derived again from its raw bytes.

A model is looked for in the recording itself (attachment `models/NAME.hilmodel`), among files that were given, where it
was when the recording was made, and in the package; it must have the digest that was written down.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firmware_bridge.errors import BridgeError, FileError
from hil.recording.reader import Recording
from hil.recording.rederive import Runner, Verdict, rederive

if TYPE_CHECKING:
    from hil.models.model import Model

__all__ = ["Verdict", "model_named", "verify"]


def verify(
    path: str | Path, models: Sequence[str | Path] = (), progress: Callable[[float], None] | None = None
) -> Verdict:
    """Derive samples, events, clock, ledger and decisions again and compare them with what is stored.

    Args:
        path: The recording.
        models: Model files to look among.
        progress: Called with the share that is done, 0 to 1.

    Raises:
        FileError: The recording cannot be read.
    """
    return rederive(path, lambda recording, name: _runner(recording, name, models), progress)


def model_named(recording: Recording, name: str, given: Sequence[str | Path] = ()) -> "Model":
    """Return the model that ran in a recording under a name.

    Raises:
        FileError: No file of that name and digest is at hand.
    """
    return _model(recording, name, _identity(recording, name), given)


def _runner(recording: Recording, name: str, given: Sequence[str | Path]) -> tuple[Runner, int]:
    identity = _identity(recording, name)
    model = _model(recording, name, identity, given)
    runner = model.runner(
        boards=identity.get("boards"), slots=identity.get("slots", 8), backend=identity.get("backend"),
        slot_map=identity.get("slot_map"),
    )  # fmt: skip
    return runner, model.contract.reach


def _identity(recording: Recording, name: str) -> dict[str, Any]:
    """Return how a model ran: what was written last about it."""
    found: dict[str, Any] = dict(recording.header.models.get(name, {}))
    for kind, values in recording.file.metadata:
        if kind == "hil/model" and values.get("model") == name:
            found |= {key: _plain(value) for key, value in values.items()}
    return found


def _plain(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _model(recording: Recording, name: str, identity: Mapping[str, Any], given: Sequence[str | Path]) -> "Model":
    try:
        from hil.models.model import Model
        from hil.models.package import read_package, unpack
    except ImportError as error:
        raise FileError(f"models cannot be opened here ({error})", name) from error
    wanted = identity.get("sha256")
    attached = f"models/{name}.hilmodel"
    if attached in dict(recording.file.attachments):
        return Model(unpack(recording.file.attachment(attached), attached))
    shipped = Path(__file__).with_name(f"{name}.hilmodel")
    places = [Path(place) for place in (*given, *filter(None, [identity.get("file")]), shipped)]
    for place in places:
        try:
            package = read_package(place) if place.is_file() else None
        except BridgeError:
            package = None
        if package is not None and package.contract.name == name and wanted in (None, package.sha256):
            return Model(package)
    raise FileError("no model file of that name and digest is at hand", name, "give it with `--model FILE`")
