"""A conversation made again from what a recording says about it: the same dialect, nonce and judge as live."""

from firmware_bridge.roles import Expect
from firmware_bridge.wire.dialects import make_dialect
from firmware_bridge.wire.protocol import Session
from hil.recording.header import BoardSetup

__all__ = ["session_of"]


def session_of(setup: BoardSetup) -> Session | None:
    """Return a fresh session for a board as it was listened to; None where there never were bytes.

    Raises:
        UsageError: Its dialect is not installed here.
    """
    if setup.dialect is None:
        return None
    judge = Expect(setup.expect_model, setup.expect_serial).judge
    return Session(setup.role, make_dialect(setup.dialect), nonce=setup.nonce, expect=judge)
