"""The command line: one thin file for each family of verbs.

Rule of this room: a verb parses, calls one function of another room and prints what it returned. Heavy imports stand
inside the verb, so that `hil --help` loads neither torch nor textual nor scipy; what an option is stands in an
annotation, which is evaluated (`from __future__ import annotations`) when its verb is called. stdout is data, stderr is
talk. Exit codes: 0 done and passed, 1 a check failed, 2 usage, 3 trouble at the bench.
"""

import signal
import sys

from firmware_bridge.errors import BridgeError, UsageError
from hil.cli.common import report_error
from hil.cli.verbs import app
from hil.signs import speak

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; what goes wrong at the bench ends in one sentence and the documented exit code."""
    as_json = "--json" in sys.argv
    speak(sys.stdout, data=True)
    speak(sys.stderr)
    # As Ctrl-C does it: what was opened is closed, what was set up is torn down.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        # Only where a script reads stdout: typer's own words go to a person with the usage line.
        sys.exit(app(prog_name="hil", standalone_mode=not as_json))
    except BridgeError as error:
        report_error(error, as_json=as_json)
        sys.exit(error.exit_code)
    except Exception as error:
        # A mistake that typer found (a missing argument, an unknown option); its class has no public name.
        if not (as_json and hasattr(error, "format_message")):
            raise
        report_error(UsageError(str(error.format_message()).rstrip("."), "", "see `hil --help`"), as_json=True)
        sys.exit(2)
    except BrokenPipeError:
        # The reader of our output went away (`hil info FILE | head`): nothing is wrong with us.
        sys.stderr.close()
        sys.exit(0)
