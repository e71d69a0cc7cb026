"""Commands of a set-up and a teardown: real processes, whose failing is the bench's trouble.

Rule of this room: the teardown's command runs whatever happened once the scenario was begun: a port that is not there,
a flash that failed, Ctrl-C. What fails in it is a remark where the run went well, and stands behind the error where it
did not.
"""

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from firmware_bridge.errors import BridgeError, NoAnswer, TransportError, UsageError
from hil.scenario.execution.targets import NotHere
from hil.scenario.grammar.grammar import Teardown

__all__ = ["run_command", "torn_down"]

_COMMAND_S = 300.0


@contextmanager
def torn_down(teardown: Teardown | None) -> Iterator[list[str]]:
    """Run the teardown's command at the end; gives the list that its remarks go into.

    Args:
        teardown: As the scenario says it; None: nothing is to be done.
    """
    remarks: list[str] = []
    try:
        yield remarks
    except NotHere:
        raise  # nothing was begun
    except BridgeError as error:
        remarks += _undone(teardown)
        if remarks:
            error.next_step = "; ".join(filter(None, (error.next_step, *remarks)))
        raise
    except BaseException:
        _undone(teardown)
        raise
    remarks += _undone(teardown)


def _undone(teardown: Teardown | None) -> list[str]:
    if teardown is None or not teardown.command:
        return []
    try:
        run_command(teardown.command, "teardown")
    except BridgeError as error:
        return [f"teardown: {error}"]
    return []


def run_command(words: Sequence[str], what: str) -> None:
    """Run a command to its end.

    Args:
        words: The command.
        what: What it is for, in messages.

    Raises:
        UsageError: It is not installed, or cannot be run.
        NoAnswer: It did not end.
        TransportError: It failed; its last line says why.
    """
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_COMMAND_S, check=False)
    except FileNotFoundError:
        raise UsageError(f"{words[0]!r} is not installed", what, "correct the command") from None
    except OSError as error:
        raise UsageError(f"{words[0]!r} cannot be run ({error.strerror})", what, "correct the command") from None
    except subprocess.TimeoutExpired:
        raise NoAnswer(f"it did not end in {_COMMAND_S:g} s", f"{what}: {' '.join(words)}", "") from None
    if done.returncode:
        last = (re.split(r"[\r\n]+", (done.stderr or done.stdout).strip()) or [""])[-1]
        raise TransportError(f"it ended with {done.returncode}: {last}", f"{what}: {' '.join(words)}", "")
