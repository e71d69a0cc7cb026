"""The C kernels as a shared library of this machine, called through ctypes."""

import ctypes
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from firmware_bridge.oplist import Reason, unpack

CORE = Path(__file__).resolve().parents[3] / "firmware_bridge" / "firmware" / "core"
SOURCES = (CORE / "hil_nn.c", CORE / "hil_nn_load.c")
STRICT = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-pedantic")
GUARD = 64

_TAP = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint8, ctypes.POINTER(ctypes.c_int8), ctypes.c_uint16)


class _Network(ctypes.Structure):
    _fields_ = (
        ("blob", ctypes.c_void_p), ("arena", ctypes.c_void_p), ("ops", ctypes.c_uint16), ("window", ctypes.c_uint16),
        ("columns", ctypes.c_uint16), ("outputs", ctypes.c_uint16), ("raw", ctypes.c_uint8),
    )  # fmt: skip


class NativeNN:
    """hil_nn, compiled for this machine."""

    def __init__(self, library: Path) -> None:
        self._c = ctypes.CDLL(str(library))
        self._c.hil_nn_run.restype = ctypes.c_void_p
        self._c.hil_nn_row_size.restype = ctypes.c_uint32

    def load(self, blob: bytes, arena: int = 1 << 20) -> tuple[Reason, int]:
        """Reason and op that hil_nn_load gives."""
        reason, at, *_ = self._loaded(blob, arena)
        return reason, at

    def run(self, blob: bytes, windows: np.ndarray, oldest: int = 0) -> list[np.ndarray]:
        """Every layer of every window, `(N, rows * channels)` each; the arena has guards that must stay whole."""
        oplist = unpack(blob)
        reason, _, network, memory, keep = self._loaded(blob, oplist.arena)
        assert reason is Reason.FINE
        layers = [np.zeros((len(windows), op.elements), np.int8) for op in oplist.ops]
        at = 0

        def tapped(_: int, layer: int, out: "ctypes._Pointer[ctypes.c_int8]", n: int) -> None:
            layers[layer][at] = np.ctypeslib.as_array(out, (n,))

        tap = _TAP(tapped)
        for at in range(len(windows)):
            rows = np.roll(windows[at], oldest, axis=0).tobytes()
            assert len(rows) == oplist.window * self._c.hil_nn_row_size(ctypes.byref(network))
            answer = self._c.hil_nn_run(ctypes.byref(network), rows, ctypes.c_uint16(oldest), tap, None)
            found = np.ctypeslib.as_array(ctypes.cast(answer, ctypes.POINTER(ctypes.c_int8)), (oplist.outputs,))
            assert (found == layers[-1][at]).all()
        assert (memory[:GUARD] == 0x55).all()
        assert (memory[GUARD + oplist.arena :] == 0x55).all()
        del keep
        return layers

    def _loaded(
        self, blob: bytes, arena: int
    ) -> tuple[Reason, int, _Network, np.ndarray, "ctypes.Array[ctypes.c_char]"]:
        network, at = _Network(), ctypes.c_uint16(77)
        memory = np.full(arena + 2 * GUARD, 0x55, np.int8)
        kept = (ctypes.c_char * max(len(blob), 1)).from_buffer_copy(blob or b"\0")
        place = ctypes.c_void_p(memory.ctypes.data + GUARD)
        reason = self._c.hil_nn_load(
            ctypes.byref(network), kept, ctypes.c_uint32(len(blob)), place, ctypes.c_uint32(arena), ctypes.byref(at)
        )
        return Reason(reason), at.value, network, memory, kept


def build(folder: Path, *flags: str) -> NativeNN:
    """Compile the kernels with warnings as errors; skips where this machine has no C compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or sys.platform == "win32":
        pytest.skip("there is no C compiler on this machine")
    library = folder / "libhil_nn.so"
    command = [compiler, *STRICT, *flags, "-shared", "-fPIC", "-o", str(library), *map(str, SOURCES)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return NativeNN(library)
