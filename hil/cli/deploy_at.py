"""`hil model deploy FILE --at HOST:PORT`: an op list, or a model, onto a board of a bench that is running.

Rule of this room: the running engine does it, through the link that it holds; here it is only asked, and asked again
until it has ended: making an op list of a model takes longer than an answer may.
"""

from collections.abc import Sequence
from pathlib import Path

from hil.cli.common import print_json, print_table, talk
from hil.cli.engines import joined

__all__ = ["deploy_at"]

_LOOK_S = 5.0


def deploy_at(
    path: Path, at: str, token: str | None, board: str | None, hop: int | None, data: Sequence[Path],
    percentile: float | None, *, json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Have a running bench put a network on one of its boards, and wait until it runs there.

    Args:
        path: An op list, or a model: the bench calibrates it on what it kept of the board's last seconds.
        at: Where the engine is.
        token: Only for an engine of another user or computer.
        board: Role of the board; None: the one with a stream that it reads.
        hop: Samples between two windows; None: as many as the model, or the model of the bench that an op list is, else
            the window.
        data: Recordings to calibrate a model on instead.
        percentile: Share of the values inside its ranges, in percent; None: the usual one.
        json: Print JSON, not a table.
        quiet: Say nothing on stderr.

    Raises:
        BridgeError: No engine answers, no board there takes it, or there is too little to calibrate on.
    """
    more = {"board": board, "hop": hop, "data": [str(file.resolve()) for file in data] or None,
            "percentile": percentile}  # fmt: skip
    about = {name: value for name, value in more.items() if value is not None}
    with joined(at, token) as engine:
        said = engine.command("deploy", path=str(path.resolve()), **about)
        talk(said["sentence"], quiet)
        while not (said := engine.command("deployed", board=said["board"], wait_s=_LOOK_S))["ended"]:
            pass
    talk(said.pop("sentence"), quiet)
    del said["ended"]
    if json:
        print_json({"schema": 1, **said})
    else:
        print_table(("what", "value"), [(name, str(value)) for name, value in said.items()])
