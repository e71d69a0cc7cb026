"""A process between the bench and a program that knows nothing of it: `python leash.py PROGRAM ARGUMENT...`.

It holds the other side of a pipe from the bench as its standard input. When that ends, however the bench ended (a
killed one closes its files, too), the program is asked to end and then forced to. When the program ends by itself the
leash passes its exit status on. Should the leash be killed, Linux ends the program for it.

Rule of this room: nothing is imported but the standard library, so that it starts in some milliseconds with `-I -S`.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys

_GRACE_S = 0.5
_PR_SET_PDEATHSIG = 1


def _die_with_me() -> None:
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main(command: list[str], leash: int) -> int:
    """Run a program until it ends or the leash does; return an exit status."""
    inherited = [int(name) for name in os.environ.pop("HIL_LEASH_FDS", "").split(",") if name]
    program = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, pass_fds=inherited, preexec_fn=_die_with_me
    )  # fmt: skip
    for fd in inherited:
        os.close(fd)  # only the program's copy may keep the line open
    ended, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the bench decides
    while program.poll() is None:
        ready, _, _ = select.select([leash, ended], [], [], 1.0)
        if leash in ready and not os.read(leash, 4096):
            program.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(_GRACE_S)
            program.kill()
            program.wait()
            return 0
        if ended in ready:
            os.read(ended, 4096)
    code = program.returncode
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], 0))
