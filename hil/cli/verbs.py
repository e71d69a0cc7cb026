"""All verbs as one command line.

Rule of this room: a table of families; importing it imports every one of them. `hil.cli` does so when the verb needs
it, or when somebody asks for `hil.cli.app`.
"""

from hil.cli import (
    attached,
    bench,
    cluster,
    data,
    deploy,
    doctor,
    drift,
    dut,
    engines,
    enrol,
    explain,
    faults,
    files,
    firmware,
    generate,
    judge,
    learn,
    live,
    orient,
    parity,
    pick,
    record,
    runs,
    scenarios,
    shrink,
    validate,
)
from hil.cli.common import command_line

__all__ = ["FAMILIES", "app"]

app = command_line()

FAMILIES = (
    live, engines, attached, doctor, record, files, judge, learn, enrol, validate, drift, explain, orient, pick, shrink,
    parity, bench, scenarios, runs, cluster, dut,
)  # fmt: skip
for family in FAMILIES:
    for verb in family.VERBS:
        app.command(verb.__name__.rstrip("_"))(verb)
for group, name in (
    *scenarios.GROUPS, *faults.GROUPS, *cluster.GROUPS, *deploy.GROUPS, *firmware.GROUPS, *data.GROUPS,
    *generate.GROUPS,
):  # fmt: skip
    app.add_typer(group, name=name)
