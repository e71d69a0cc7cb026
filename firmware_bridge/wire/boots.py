"""Whether a board runs our run, somebody else's, or started anew: told by the nonce of START and nothing else.

A native board echoes the nonce of START in HELLO and STATUS and acknowledges it. Once it has confirmed, any other nonce
means that it started anew; the same nonce after the port was opened again is a mere reconnect. Before, a board under a
nonce that is neither 0 nor ours runs for an earlier host (`foreign`); one that refuses START, or does not answer it for
`GIVE_UP_NS`, only talks (`deaf`) and is listened to as it is.
"""

from enum import Enum

__all__ = ["GIVE_UP_NS", "Boots", "Verdict"]

GIVE_UP_NS = 5_000_000_000


class Verdict(Enum):
    """What a nonce or an answer told.

    SAME: nothing new. STARTED: our run has begun with the next sample. CONFIRMED: our run began some time ago.
    RENUMBERED: our new run replaces our old one. REBOOTED: the board started anew and waits for START.
    """

    SAME = "same"
    STARTED = "started"
    CONFIRMED = "confirmed"
    RENUMBERED = "renumbered"
    REBOOTED = "rebooted"


class Boots:
    """What is known of the run of one board.

    Attributes:
        native: Whether the board tells nonces at all.
        foreign: It runs for an earlier host: its samples are nobody's.
        deaf: It does not take START.
    """

    def __init__(self) -> None:
        self.native = self.foreign = self.deaf = False
        self._asked: int | None = None
        self._asked_ns = 0
        self._confirmed: int | None = None

    @property
    def wants_start(self) -> bool:
        """Whether START is to be sent, or sent again."""
        return self.native and self._confirmed is None and not self.deaf

    @property
    def settled(self) -> bool:
        """Whether the board has confirmed our run, so that only another nonce can tell anything new."""
        return self.native and self._confirmed is not None and not self.foreign and not self.deaf

    def runs(self, nonce: int) -> bool:
        """Whether the board has confirmed that it runs under `nonce`."""
        return nonce == self._confirmed

    def asked(self, nonce: int, now: int) -> None:
        """The host wrote a START."""
        if nonce != self._asked:
            self._asked, self._asked_ns = nonce, now

    def hello(self, nonce: int | None) -> Verdict:
        """The board said who it is, and under which nonce it runs (None: it has none)."""
        self.native = nonce is not None
        if nonce is None:
            return Verdict.SAME
        verdict = self.says(nonce)
        if self._confirmed is None and not self.deaf:
            self.foreign = nonce not in (0, self._asked or 0)
        return verdict

    def says(self, nonce: int) -> Verdict:
        """The board said under which nonce it runs."""
        if self._confirmed == nonce:
            return Verdict.SAME
        if nonce and nonce == self._asked:
            return self._confirm(Verdict.CONFIRMED)
        if self._confirmed is None:
            return Verdict.SAME
        self.anew()
        self.foreign = nonce != 0
        return Verdict.REBOOTED

    def acknowledged(self) -> Verdict:
        """The board acknowledged START."""
        if self._asked is None or self._asked == self._confirmed:
            return Verdict.SAME
        return self._confirm(Verdict.STARTED)

    def refused(self) -> None:
        """The board refused START."""
        if self._confirmed is None:
            self.deaf, self.foreign = True, False

    def first_came(self) -> Verdict:
        """Sample 0 came after START while the board counted as foreign: its ACK was lost."""
        return self.acknowledged()

    def wait(self, now: int) -> None:
        """Samples of a foreign run come; give up waiting for START to take effect when it takes too long."""
        if self.foreign and self._asked is not None and now - self._asked_ns > GIVE_UP_NS:
            self.deaf, self.foreign = True, False

    def anew(self) -> None:
        """The board started anew: whatever was asked of it is forgotten."""
        self._asked = self._confirmed = None
        self.foreign = False

    def _confirm(self, verdict: Verdict) -> Verdict:
        if self._confirmed is not None:
            verdict = Verdict.RENUMBERED
        self._confirmed = self._asked
        self.foreign = self.deaf = False
        return verdict
