"""The command line: one thin file for each family of verbs.

Rule of this room: a verb parses, calls one function of another room and prints what it returned. Heavy imports stand
inside the verb, so that `hil --help` loads neither torch nor textual nor scipy. stdout is data, stderr is talk.
Exit codes: 0 done and passed, 1 a check failed, 2 usage, 3 trouble at the bench.
"""

import sys

import typer

from firmware_bridge.errors import BridgeError
from hil.cli import bench, files, learn, live, record, scenarios
from hil.cli.common import report_error

__all__ = ["app", "main"]

app = typer.Typer(
    name="hil",
    help="Hardware-in-the-loop sensor testbench. Start with: hil demo",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for family in (live, record, files, learn, bench, scenarios):
    for verb in family.VERBS:
        app.command(verb.__name__.rstrip("_"))(verb)
for group, name in scenarios.GROUPS:
    app.add_typer(group, name=name)


def main() -> None:
    """Run the command line; what goes wrong at the bench ends in one sentence and the documented exit code."""
    try:
        app(prog_name="hil")
    except BridgeError as error:
        report_error(error, as_json="--json" in sys.argv)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of our output went away (`hil info FILE | head`): nothing is wrong with us.
        sys.stderr.close()
        sys.exit(0)
