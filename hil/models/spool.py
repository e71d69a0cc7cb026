"""Readings kept in a file in place of memory: what is larger than memory is learnt from like anything else.

Rule of this room: what is kept is the same numbers in the same order, so that nothing that is made of them can differ.
Arrays are views of a mapped file; the system reads the pages that a crop asks for and drops them when memory is short.
Readings lie unpacked, because a crop somewhere in a recording would otherwise unpack a chunk of it every time. The file
has no name and is gone with the process, however that ends.
"""

from __future__ import annotations

import os
import tempfile
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import FileError

__all__ = ["Spool"]

SEGMENT = 64 << 20
"""Bytes that are reserved at a time."""

_ALIGNED = 64
_Scalar = TypeVar("_Scalar", bound=np.generic)


class Spool:
    """Arrays in files.

    Args:
        folder: Where there is room for them.
        segment: Bytes that are reserved at a time.
    """

    def __init__(self, folder: str | os.PathLike[str], segment: int = SEGMENT) -> None:
        self._folder, self._segment = folder, segment
        self._room: npt.NDArray[np.uint8] = np.zeros(0, np.uint8)

    def keep(self, values: npt.NDArray[_Scalar]) -> npt.NDArray[_Scalar]:
        """Return the same array in a file.

        Raises:
            FileError: There is no room in the folder, or no such folder.
        """
        size = values.nbytes
        if size > len(self._room):
            self._room = self._reserved(max(size, self._segment))
        kept = self._room[:size].view(values.dtype).reshape(values.shape)
        self._room = self._room[-(-size // _ALIGNED) * _ALIGNED :]
        kept[...] = values
        return kept

    def _reserved(self, size: int) -> npt.NDArray[np.uint8]:
        try:
            with tempfile.TemporaryFile(dir=self._folder) as file:
                # Without the reservation a full disk would end the process at the first write to the mapping.
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, size)
                else:
                    file.truncate(size)
                return np.asarray(np.memmap(file, np.uint8, "r+", shape=(size,)))
        except OSError as error:
            raise FileError(
                f"{size >> 20} MiB cannot be kept there ({error.strerror})", str(self._folder), "name another folder"
            ) from None
