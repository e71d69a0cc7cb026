"""An op list: a quantised network as data, which any firmware of the bench can run without being compiled for it.

Rule of this room: NumPy only, bytes in, values out. `table` is the format, from which Python and the C header are both
made; `ops` packs and reads it, `check` refuses what is damaged or hostile for the same reasons as the C code.
"""

from firmware_bridge.oplist.check import Refusal, refusal
from firmware_bridge.oplist.ops import Op, OpList, pack, unpack
from firmware_bridge.oplist.table import Code, Raw, Reason

__all__ = ["Code", "Op", "OpList", "Raw", "Reason", "Refusal", "pack", "refusal", "unpack"]
