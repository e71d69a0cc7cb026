"""`python -m hil.engine`: one engine as a process.

The first line of stdin is the configuration (JSON); one line of stdout says where to attach (`address`, `token`,
`pid`) or what went wrong (`error`), and the last one what came of it (`summary`). Stdin is the leash: when it ends,
because the parent closed it or is gone, the engine ends in order, unless it was started with `--stay`. SIGTERM ends it
in order, too; once it is ending, it no longer waits for models that are behind.
"""

import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from firmware_bridge.errors import BridgeError
from hil.config import parse_config
from hil.door.leash import leash, say
from hil.door.running import announce
from hil.door.server import Server
from hil.engine.engine import Engine

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Run an engine until it is told to end; return the exit status."""
    stay = "--stay" in arguments
    try:
        config = parse_config(sys.stdin.buffer.readline())
        engine = Engine(config, propose=_propose, extract=_extract)
    except BridgeError as error:
        say({"error": {**error.as_dict(), "kind": type(error).__name__}})
        return error.exit_code
    end = engine.asked_to_end
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: (engine.hurried if end.is_set() else end).set())
    server = Server(engine)
    engine.start()
    played = () if config.replay is None else (config.replay.path,)
    announced = announce(server.address, server.token, (*(one.port for one in config.ports), *played))
    say({"address": server.address, "token": server.token, "pid": os.getpid()})
    if not stay:
        threading.Thread(target=leash, args=(end,), name="leash", daemon=True).start()
    while not end.wait(1.0):
        pass
    if announced is not None:
        announced.withdraw()
    engine.close()
    summary = engine.summary().as_dict()
    server.close()
    say({"summary": summary})
    return 3 if summary["trouble"] else 0


def _extract(recording: Path, from_s: float, to_s: float) -> Path:
    from hil.scenario.captured import glitch_in  # as below

    return glitch_in(recording, from_s, to_s)


def _propose(recording: Path) -> Path:
    from hil.scenario.glitch import propose  # when the first glitch is saved: it is heavy

    return propose(recording)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
