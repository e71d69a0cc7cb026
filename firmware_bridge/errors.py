"""What can go wrong at the bench, drawn as one tree.

    BridgeError                      what / where / next: one sentence for a person, three fields for a script
    |-- TransportError  (OSError)        the way to the board
    |   |-- PortMissing                  nothing answers to that name
    |   |-- PortBusy                     somebody else holds it (says who and since when)
    |   |-- PortDenied                   this user may not open it
    |   `-- PortLost                     it was there and went away
    |       `-- PortEnded                it said all it had to say: nothing more will come
    |-- WrongBoard      (ConnectionError) another board answered than the one that was asked for
    |-- NoAnswer        (TimeoutError)    the board said nothing in time
    |-- UsageError      (ValueError)      what the user asked for cannot be meant
    |   `-- BoardFileError               a board file is wrong (file, key, found, allowed)
    |-- FileError       (OSError)         a file cannot be read, written or understood
    |   `-- FileMissing                  nothing has its name: a mistake of the command line
    `-- MissingPart     (ImportError)     an optional library is not installed

Rule of this room: corrupt bytes are events to count and never raise. An error names what happened, where, and
the next step, in one sentence; each class has a builtin parent so that callers may catch what they know.
"""

__all__ = [
    "BoardFileError",
    "BridgeError",
    "FileError",
    "FileMissing",
    "MissingPart",
    "NoAnswer",
    "PortBusy",
    "PortDenied",
    "PortEnded",
    "PortLost",
    "PortMissing",
    "TransportError",
    "UsageError",
    "WrongBoard",
]


class BridgeError(Exception):
    """Root of all errors of the bench.

    Args:
        what: What happened, a clause without a final stop, such as `the port is busy`.
        where: The port, file, line or key it happened at.
        next_step: What the reader should do now; may be empty.
    """

    exit_code = 3
    """The exit status of a verb that ends with this error (2 for usage, 3 for trouble at the bench)."""

    def __init__(self, what: str, where: str = "", next_step: str = "") -> None:
        self.what = what
        self.where = where
        self.next_step = next_step
        super().__init__(what, where, next_step)

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}; {self.next_step}" if self.next_step else head

    def as_dict(self) -> dict[str, str]:
        """Return the fields that `--json` prints under `error`."""
        return {"what": self.what, "where": self.where, "next": self.next_step}


class TransportError(BridgeError, OSError):
    """The way to the board failed."""


class PortMissing(TransportError):
    """Nothing answers to the name of the port."""


class PortBusy(TransportError):
    """Another program or person holds the port."""


class PortDenied(TransportError):
    """The user may not open the port."""


class PortLost(TransportError):
    """The port was open and went away."""


class PortEnded(PortLost):
    """The port came to its regular end (a process with exit code 0, a file played to its end): no reconnect."""


class WrongBoard(BridgeError, ConnectionError):
    """Another board answered than the one that was asked for."""


class NoAnswer(BridgeError, TimeoutError):
    """The board said nothing in time."""


class UsageError(BridgeError, ValueError):
    """The request cannot be meant as it stands."""

    exit_code = 2


class BoardFileError(UsageError):
    """A board file is wrong."""


class FileError(BridgeError, OSError):
    """A file cannot be read, written or understood."""


class FileMissing(FileError):
    """Nothing has the name of the file or folder that was asked for."""

    exit_code = 2


class MissingPart(BridgeError, ImportError):
    """An optional library is not installed."""

    exit_code = 2
