"""Whose run a board is in, told by nonces alone."""

from firmware_bridge.wire.boots import GIVE_UP_NS, Boots, Verdict


def started(nonce: int = 7) -> Boots:
    boots = Boots()
    boots.hello(0)
    boots.asked(nonce, 0)
    boots.acknowledged()
    return boots


def test_a_board_without_nonces_is_never_asked_to_start():
    boots = Boots()
    assert boots.hello(None) is Verdict.SAME
    assert not boots.wants_start


def test_start_is_wanted_until_it_is_confirmed():
    boots = Boots()
    boots.hello(0)
    assert boots.wants_start
    boots.asked(7, 0)
    assert boots.wants_start
    assert boots.acknowledged() is Verdict.STARTED
    assert not boots.wants_start
    assert boots.runs(7)
    assert boots.acknowledged() is Verdict.SAME


def test_an_echo_confirms_what_no_acknowledgement_did():
    boots = Boots()
    boots.hello(0)
    boots.asked(7, 0)
    assert boots.says(7) is Verdict.CONFIRMED


def test_a_hello_that_was_under_way_before_start_took_effect_is_no_reboot():
    boots = Boots()
    boots.hello(0)
    boots.asked(7, 0)
    assert boots.hello(0) is Verdict.SAME
    assert boots.acknowledged() is Verdict.STARTED


def test_another_nonce_than_the_confirmed_one_is_a_reboot():
    for nonce, foreign in ((0, False), (99, True)):
        boots = started()
        assert boots.says(nonce) is Verdict.REBOOTED
        assert boots.wants_start
        assert boots.foreign is foreign
    assert started().hello(7) is Verdict.SAME


def test_a_board_in_somebody_elses_run_is_foreign_until_start_takes_effect():
    boots = Boots()
    boots.hello(99)
    assert boots.foreign
    boots.asked(7, 0)
    boots.wait(GIVE_UP_NS)
    assert boots.foreign
    boots.acknowledged()
    assert not boots.foreign


def test_a_board_that_does_not_take_start_is_listened_to_as_it_is():
    refused, silent = Boots(), Boots()
    for boots in (refused, silent):
        boots.hello(99)
        boots.asked(7, 0)
    refused.refused()
    silent.wait(GIVE_UP_NS + 1)
    for boots in (refused, silent):
        assert (boots.foreign, boots.wants_start) == (False, False)


def test_a_new_nonce_of_our_own_renumbers():
    boots = started()
    boots.asked(8, 0)
    assert boots.acknowledged() is Verdict.RENUMBERED
    assert boots.runs(8)


def test_an_acknowledgement_that_nobody_waits_for_means_nothing():
    boots = Boots()
    boots.hello(0)
    assert boots.acknowledged() is Verdict.SAME
    assert boots.wants_start
