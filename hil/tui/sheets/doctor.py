"""The findings of the page of the doctor as a table.

Rule of this room: pure.
"""

import shlex
from collections.abc import Sequence

from hil.doctor.finding import Finding
from hil.tui.sheet import Sheet, table

__all__ = ["findings"]


def findings(found: Sequence[Finding], port: str) -> Sheet:
    """Return one row a finding; `port` is the port that was examined, empty for the computer alone."""
    heads = tuple(Finding.__dataclass_fields__)
    rows = [tuple(one.as_dict()[name] for name in heads) for one in found]
    return table("findings", heads, rows, shlex.join(["hil", "doctor", *([port] if port else [])]))
