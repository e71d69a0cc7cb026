"""`hil model deploy FILE.hiln --at HOST:PORT`: an op list onto a board of a bench that is running.

Rule of this room: the running engine does it, through the link that it holds; here it is only asked.
"""

from pathlib import Path

from hil.cli.common import print_json, print_table, talk
from hil.cli.models import asked

__all__ = ["deploy_at"]


def deploy_at(
    path: Path, at: str, token: str | None, board: str | None, hop: int | None, *, json: bool, quiet: bool
) -> None:  # fmt: skip
    """Have a running bench put an op list on one of its boards, and wait until it runs there.

    Args:
        path: The op list.
        at: Where the engine is.
        token: Only for an engine of another user or computer.
        board: Role of the board; None: the one with a stream that it reads.
        hop: Samples between two windows; None: as many as the model of the bench that it is, else the window.
        json: Print JSON, not a table.
        quiet: Say nothing on stderr.

    Raises:
        BridgeError: No engine answers, or no board there takes it.
    """
    about = {name: value for name, value in (("board", board), ("hop", hop)) if value is not None}
    said = asked(at, token, "deploy", {"path": str(path.resolve()), "wait": True, **about})
    talk(said.pop("sentence"), quiet)
    if json:
        print_json({"schema": 1, **said})
    else:
        print_table(("what", "value"), [(name, str(value)) for name, value in said.items()])
