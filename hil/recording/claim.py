"""Who is still writing a file: its writer claims it, and a reader can tell one that grows from one that was cut off.

Rule of this room: the claim is a lock of the operating system, so that it goes with its process however that ends, and
reading needs none. Where the system (Windows) or the disk has no such lock nobody can tell: a file then counts as one
that nobody writes.
"""

import contextlib

try:
    import fcntl
except ImportError:  # Windows: a lock there keeps readers out of the bytes that are locked
    fcntl = None  # type: ignore[assignment]

__all__ = ["claim", "claimed"]


def claim(handle: int) -> bool:
    """Claim an open file until it is closed or the process ends; return whether that is so.

    It fails where somebody asks `claimed` at this very moment: ask again.
    """
    ours = False
    if fcntl is not None:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours = True
    return ours


def claimed(handle: int) -> bool:
    """Return whether somebody who lives claims an open file; never by this handle, and it is let go of at once."""
    theirs = False
    if fcntl is not None:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.flock(handle, fcntl.LOCK_UN)
        except BlockingIOError:
            theirs = True
        except OSError:  # a disk that has no locks
            theirs = False
    return theirs
