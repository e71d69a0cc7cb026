"""The text protocol of devices under test, spoken by C: answers, refusals, and a session that meets trouble."""

import ctypes
import re
from decimal import ROUND_HALF_UP, Decimal

import pytest
from dut_core import NET, CoreDut, Line, Meeting, bits, expected, small_net, window
from firmware_core import library
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_bridge.firmware.build import missing
from firmware_bridge.wire.dut import LineReader, Say, said
from firmware_bridge.wire.dutsession import Patience, Sample

pytestmark = [
    pytest.mark.firmware,
    pytest.mark.timeless,
    pytest.mark.skipif(bool(missing("host")), reason=missing("host")),
]
quick = settings(max_examples=60, suppress_health_check=list(HealthCheck))


def lines(text: bytes) -> list[str]:
    return text.decode("ascii").split("\r\n")[:-1]


# ------------------------------------------------------------------ the board


def test_a_board_says_that_it_is_ready_and_answers_every_command_with_ready_at_the_end() -> None:
    board = CoreDut()
    assert lines(board.talk(b"")) == ["m-timestamp-mode-performance", "m-lap-us-0", "m-init-done", "m-ready"]
    assert lines(board.talk(b"name%")) == ["m-name-dut-[host]", "m-ready"]
    assert lines(board.talk(b"profile%")) == ["m-profile-[hil 1 device under test]", "m-model-[given]", "m-ready"]
    assert re.fullmatch(r"m-lap-us-\d+", lines(board.talk(b"timestamp%"))[0])
    assert lines(board.talk(b"help%"))[-1] == "m-ready"


def test_a_window_in_either_case_and_any_pieces_is_loaded_printed_and_judged() -> None:
    board, data = CoreDut(), window(3)
    digits = data.hex()
    board.talk(f"db load {len(data)}%db {digits[:10]}%".encode())
    assert lines(board.talk(f"db {digits[10:].upper()}%".encode())) == ["m-load-done", "m-ready"]
    printed = [line.removeprefix("m-buffer-") for line in lines(board.talk(b"db print%"))[:-1]]
    assert bytes.fromhex("".join(printed).replace("-", "")) == data
    assert all(len(row.split("-")) <= 8 for row in printed)
    heard = lines(board.talk(b"infer 3 2%"))
    assert [line for line in heard if "lap" not in line] == [
        "m-warmup-start-2", "m-warmup-done", "m-infer-start-3", "m-infer-done",
        "m-results-[" + ",".join(f"{value:.6f}" for value in expected(data)) + "]", "m-ready",
    ]  # fmt: skip
    assert [at for at, line in enumerate(heard) if line.startswith("m-lap-us-")] == [3, 4]
    assert lines(board.talk(b"results%")) == heard[-2:]


def test_without_a_number_of_warm_ups_there_are_ten_as_in_the_reference() -> None:
    board, data = CoreDut(), window(3)
    board.talk(f"db load {len(data)}%db {data.hex()}%".encode())
    assert "m-warmup-start-10" in lines(board.talk(b"infer%"))


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("nmae", "Unknown command: nmae"), ("", "a command has a name"), ("db", "db wants load N, print or hex digits"),
        ("db load", "number of bytes"), ("db load 0", "number of bytes"), ("db load x", "number of bytes"),
        ("db load 4294967297", "number of bytes"), ("db load 99999", "there is room for 16384 bytes"),
        ("db 00", "no bytes are expected"), ("infer 0", "number of runs is above 0"), ("infer 1 x", "warm-up runs"),
        ("infer 1 0", "the network reads 24 bytes and other came"), ("results", "no result yet"),
        ("x" * 81, "at most 80 characters"), ("na\tme", "Unknown command: na?me"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_words_and_the_board_goes_on(asked: str, why: str) -> None:
    board = CoreDut()
    board.talk(b"")
    refusal, ready = lines(board.talk(f"{asked}%".encode()))
    assert refusal.startswith("e-[")
    assert why in refusal
    assert ready == "m-ready"
    assert lines(board.talk(b"\r\nname%"))[0] == "m-name-dut-[host]"


@pytest.mark.parametrize(("digits", "why"), [("abc", "two hex digits"), ("0g", "not hex digits: 0g")])
def test_digits_that_are_none_change_nothing_of_the_window(digits: str, why: str) -> None:
    board, data = CoreDut(), window(1)
    board.talk(f"db load {len(data)}%db {data[:4].hex()}%".encode())
    assert why in lines(board.talk(f"db {digits}%".encode()))[0]
    assert lines(board.talk(f"db {data[4:].hex()}%".encode()))[0] == "m-load-done"
    assert f"[{expected(data)[0]:.6f}," in board.talk(b"infer 1 0%").decode()


def test_a_board_without_a_network_says_so() -> None:
    board = CoreDut(b"")
    assert "there is no network that runs: reason 1" in board.talk(b"infer 1%").decode()


@quick
@given(st.integers(-255, 255), st.floats(2.0**-22, 2.0**12, width=32))
def test_results_are_the_exact_product_rounded_to_six_decimals(steps: int, scale: float) -> None:
    out = (ctypes.c_uint8 * 64)()

    class Ring(ctypes.Structure):
        _fields_ = (("bytes", ctypes.c_void_p), ("size", ctypes.c_uint16), ("head", ctypes.c_uint16),
                    ("tail", ctypes.c_uint16))  # fmt: skip

    ring = Ring(ctypes.addressof(out), 64, 0, 0)
    library().hil_dut_say_scaled(ctypes.byref(ring), ctypes.c_int16(steps), ctypes.c_uint32(bits(scale)))
    exact = (abs(steps) * Decimal(scale)).quantize(Decimal("0.000001"), ROUND_HALF_UP)
    assert bytes(out[: ring.head]).decode() == f"{-exact if steps < 0 and exact else exact}"


WORDS = st.one_of(
    st.sampled_from([b"name", b"profile", b"timestamp", b"help", b"results", b"db print", b"db load 24", b"infer 2 1",
                     b"db " + window(0)[:12].hex().encode(), b"db load 16384", b"infer 99999999999 0", b"db zz"]),
    st.binary(max_size=90),
)  # fmt: skip


@quick
@given(st.lists(WORDS, max_size=12), st.integers(0, 2**32 - 1))
def test_whatever_a_host_sends_the_board_answers_in_lines_that_can_be_read(words: list[bytes], tick: int) -> None:
    board = CoreDut(start_tick=tick)
    text = board.talk(b"".join(word + b"%" for word in words))
    kinds = [line.kind for line in LineReader().feed(text)]
    assert Say.STRANGE not in kinds
    assert kinds.count(Say.READY) == 1 + b"".join(word + b"%" for word in words).count(b"%")
    assert lines(board.talk(b"%name%"))[-2:] == ["m-name-dut-[host]", "m-ready"]


# ------------------------------------------------------------------ a session


def test_a_session_brings_windows_and_gets_the_right_answers() -> None:
    meeting = Meeting()
    for seed in range(5):
        data = window(seed)
        answer = meeting.ask(Sample(data, inferences=4, warm_ups=1))
        assert answer is not None
        assert answer.values == expected(data)
        assert (answer.inferences, answer.tries) == (4, 1)
        assert answer.board_us is not None
        assert answer.board_us > 0
    board = meeting.session.board
    assert board is not None
    assert (board.name, board.model, board.mode) == ("host", "given", "performance")
    assert not meeting.session.counts
    assert ("<", "m-load-done") in meeting.told
    assert (">", "infer 4 1%") in meeting.told


def test_time_is_right_when_the_boards_counter_wraps_during_a_run() -> None:
    board = CoreDut(start_tick=2**32 - 30)
    answer = Meeting(board).ask(Sample(window(0), 1000))
    assert answer is not None
    assert answer.board_us is not None
    assert 0 < answer.board_us < 1000


def test_a_silent_board_ends_in_a_sentence_that_names_the_command() -> None:
    meeting = Meeting(to=lambda _: b"", patience=Patience(command_s=2.0, tries=3))
    begun = meeting.now
    assert meeting.ask(Sample(window(0))) is None
    assert meeting.session.failed == "the board did not answer `name%` within 2 s"
    assert meeting.session.counts == {"timeout": 3}
    assert (meeting.now - begun) / 1e9 == pytest.approx(6.0, abs=0.1)


def test_a_board_that_stops_in_the_middle_is_named_with_its_last_word() -> None:
    meeting = Meeting(back=lambda text: text.replace(b"m-infer-done\r\n", b"")[: text.find(b"m-results")]
                      if b"m-results" in text else text, patience=Patience(infer_s=7.0, tries=1))  # fmt: skip
    assert meeting.ask(Sample(window(0))) is None
    assert re.fullmatch(r"the board did not answer `infer 1 0%` within 7 s; the last it said was `m-lap-us-\d+`",
                        meeting.session.failed)  # fmt: skip


def test_a_lost_answer_costs_one_try_and_late_words_are_not_taken_for_the_next_answer() -> None:
    kept: list[bytes] = []

    def late(text: bytes) -> bytes:
        if b"m-[Expecting" in text and not kept:
            kept.append(text)
            return b""
        if len(kept) == 1 and b"m-name" in text:
            kept.append(text)
            return kept[0] + text
        return text

    meeting = Meeting(back=late)
    answer = meeting.ask(Sample(window(2)))
    assert answer is not None
    assert (answer.values, answer.tries) == (expected(window(2)), 2)
    assert meeting.session.counts == {"timeout": 1}


def test_a_window_that_lost_bytes_on_its_way_is_loaded_again() -> None:
    lost: list[bytes] = []

    def drop(text: bytes) -> bytes:
        if text.startswith(b"db ") and b"load" not in text and not lost:
            lost.append(text)
            return text[:5] + text[7:]
        return text

    meeting = Meeting(to=drop)
    answer = meeting.ask(Sample(window(2)))
    assert answer is not None
    assert (answer.values, answer.tries) == (expected(window(2)), 2)
    assert meeting.session.counts == {"short": 1}


def test_what_the_board_refuses_twice_in_the_same_words_is_not_asked_a_third_time() -> None:
    meeting = Meeting()
    assert meeting.ask(Sample(bytes(22))) is None
    assert meeting.session.refused
    assert "refused `infer 1 0%` and said `the network reads 24 bytes" in meeting.session.failed
    assert meeting.session.counts == {"refused": 2}
    answer = meeting.ask(Sample(window(1)))
    assert answer is not None
    assert answer.values == expected(window(1))


def test_the_plain_refusal_of_the_reference_firmware_is_quoted() -> None:
    said_once = b"Supplied buffer size 24 exceeds maximum of 4\nm-ready\r\n"
    meeting = Meeting(back=lambda text: said_once if b"Expecting" in text else text)
    assert meeting.ask(Sample(window(0))) is None
    assert "did not take `db load 24` and said `Supplied buffer size 24 exceeds maximum of 4`" in meeting.session.failed


@quick
@given(st.integers(1, 20), st.booleans())
def test_a_board_that_starts_anew_at_any_step_is_given_the_sample_again(step: int, read_back: bool) -> None:
    meeting = Meeting(read_back=read_back)
    meeting.board.talk(b"")

    def reset(now: int) -> None:
        if now == step:
            meeting.board.power()

    meeting.on_step = reset
    values = []
    for seed in range(3):
        answer = meeting.ask(Sample(window(seed)))
        assert answer is not None
        values.append(answer.values)
    assert values == [expected(window(seed)) for seed in range(3)]
    restarts = sum(count for kind, count in meeting.session.counts.items() if kind != "timeout")
    assert restarts == (0 if step == 1 or step > meeting.steps else 1)


def test_a_lost_way_starts_the_sample_again_and_is_counted() -> None:
    meeting = Meeting()

    def unplug(step: int) -> None:
        if step == 4:
            meeting.session.lost("the device went away", meeting.now)
            meeting.board.power()
            meeting.board.talk(b"")
            meeting.session.connected(meeting.now)

    meeting.on_step = unplug
    answer = meeting.ask(Sample(window(5)))
    assert answer is not None
    assert (answer.values, answer.tries) == (expected(window(5)), 2)
    assert meeting.session.counts == {"reconnect": 1}
    assert ("#", "lost: the device went away") in meeting.told


FAULTS = st.lists(st.tuples(st.booleans(), st.integers(0, 900), st.integers(0, 2), st.integers(1, 255)), max_size=3)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(FAULTS)
def test_with_reading_back_no_damage_on_the_line_gives_a_wrong_answer(faults: list[tuple[bool, int, int, int]]) -> None:
    """Bytes flipped, lost or doubled both ways: the answer is right or there is none."""
    passed = {True: 0, False: 0}

    def spoiled(up: bool) -> Line:
        def line(text: bytes) -> bytes:
            out = bytearray()
            for byte in text:
                here = [fault for fault in faults if fault[0] is up and fault[1] == passed[up]]
                passed[up] += 1
                if not here:
                    out.append(byte)
                elif here[0][2] == 0:
                    out.append(byte ^ here[0][3])
                elif here[0][2] == 1:
                    out += bytes((byte, byte))
            return bytes(out)

        return line

    meeting = Meeting(to=spoiled(True), back=spoiled(False), read_back=True)
    for seed in range(3):
        answer = meeting.ask(Sample(window(seed)))
        assert answer is not None or meeting.session.refused
        assert answer is None or answer.values == expected(window(seed))


def test_another_network_gives_other_answers() -> None:
    assert expected(window(0), small_net(2)) != expected(window(0), NET)
    answer = Meeting(CoreDut(small_net(2))).ask(Sample(window(0)))
    assert answer is not None
    assert answer.values == expected(window(0), small_net(2))


def test_every_line_a_session_sends_is_one_that_the_board_knows() -> None:
    meeting = Meeting(read_back=True)
    meeting.ask(Sample(window(0)))
    assert not [text for way, text in meeting.told if way == "<" and said(text.encode()).kind is Say.REFUSED]
