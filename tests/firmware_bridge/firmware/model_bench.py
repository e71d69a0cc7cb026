"""Parts that tests of models on a board share: the C board and its virtual twin, with a network on them or without."""

import numpy as np
import pytest
from firmware_core import CoreBoard
from hypothesis import strategies as st
from lossy import FATES, Line, lead
from small_net import small_net
from virtual_host import Host

from firmware_bridge.firmware.build import missing
from firmware_bridge.oplist import pack
from firmware_bridge.virtual.boards import make_board
from firmware_bridge.wire.deploying import Upload
from firmware_bridge.wire.messages import Kind

NET = small_net()
BLOB = pack(NET)
some_fates = st.lists(st.sampled_from(("pass",) * 6 + FATES), max_size=60)
needs_gcc = pytest.mark.skipif(bool(missing("host")), reason=missing("host"))
on_both = pytest.mark.parametrize("board", ["C", "twin"])


def bare(board: str, rate_hz: int = 1000) -> Host:
    if board == "C":
        return Host(CoreBoard(seed=3, rate_mhz=1000 * rate_hz))
    return Host(make_board("imu", {"seed": "3", "crc": "32", "tx_buffer": "8192", "rate": str(rate_hz)}))


def with_model(board: str, blob: bytes = BLOB, rate_hz: int = 1000) -> Host:
    host = bare(board, rate_hz)
    upload = Upload(blob, 200, 4096)
    lead(upload, host, Line(()), Line(()))
    assert upload.done
    host.heard.clear()
    return host


def held(host: Host) -> dict[str, int]:
    host.send(Kind.IDENTIFY)
    return host.hello().info.extra.get("network", {})


def ask(host: Host, raw: np.ndarray, window: int = 0) -> list[np.ndarray]:
    """The results of one window, layer by layer where some are tapped."""
    before = len(host.answers(Kind.RESULT))
    host.send(Kind.INFER, raw.tobytes(), window=window, stream=0, n=len(raw))
    return [np.frombuffer(one.tail, np.int8) for one in host.answers(Kind.RESULT)[before:]]


def naks(host: Host) -> list[tuple[int, int, int]]:
    return [(nak.of, nak.reason, nak.detail) for nak in host.answers(Kind.NAK)]
