"""The helpers of the virtual boards serve here, too: the same host talks to C."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "virtual"))
