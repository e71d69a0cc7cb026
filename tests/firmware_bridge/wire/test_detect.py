import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from speech import BOOT, SPEECH, cut, damage, hear, identity, tables, texts
from toy_board import ToyBoard

from firmware_bridge.errors import MissingPart, UsageError
from firmware_bridge.wire.detect import DetectDialect
from firmware_bridge.wire.dialect import Described, Dialect, DialectSpec, Samples
from firmware_bridge.wire.dialects import dialect_names, make_dialect

MS = 1_000_000
BOARD_FILES = Path(__file__).resolve().parents[3] / "scenarios" / "boards"
NOISE = random.Random(7).randbytes(5000)


def native_bytes() -> bytes:
    """What a native board sends when it is asked and started."""
    board = ToyBoard()
    return board.hello() + b"".join(board.samples(first, 20) for first in range(0, 400, 20))


@pytest.mark.parametrize("name", SPEECH)
def test_every_kind_of_text_is_detected_after_boot_noise(name: str) -> None:
    dialect = DetectDialect()
    speech = BOOT + SPEECH[name]
    heard = hear(dialect, cut(speech, range(0, len(speech), 50)), 20 * MS)
    info = identity(heard).info
    assert info.dialect == "lines"
    assert info.confidence >= 0.9
    assert info.streams
    assert not dialect.talks
    assert sum(len(item.raw) for item in heard if isinstance(item, Samples)) >= 55
    assert "load:0x3fff0030,len:1344" in [text.text for text in texts(heard)]


def test_text_without_data_is_kept_as_text_while_the_search_goes_on() -> None:
    dialect = DetectDialect()
    heard = hear(dialect, [b"sensor warm, waiting for the button\n"] * 30, 200 * MS)
    info = identity(heard).info
    assert (info.dialect, info.streams) == ("text", ())
    assert 0.0 < info.confidence <= 0.5
    assert dialect.talks
    assert len(texts(heard)) == 30
    assert damage(heard) == {}


def test_unknown_bytes_are_kept_and_the_capture_goes_on() -> None:
    dialect = DetectDialect()
    heard = hear(dialect, cut(NOISE, range(0, 5000, 100)), 10 * MS)
    info = identity(heard).info
    assert (info.dialect, info.confidence, info.streams) == ("undescribed", 0.0, ())
    assert dialect.books == {"undescribed": 5000}
    assert dialect.talks


@pytest.mark.parametrize(
    "before", [b"", BOOT, BOOT * 60, NOISE, b"hello\n" * 900], ids=["nothing", "boot", "much", "noise", "text"]
)
@pytest.mark.parametrize("size", [1, 37, 5000])
def test_a_native_board_is_known_by_its_hello_whatever_came_before(before: bytes, size: int) -> None:
    speech = before + b"\x00" + native_bytes()
    dialect = DetectDialect()
    heard = hear(dialect, cut(speech, range(0, len(speech), size)), MS // 10)
    assert identity(heard).info.model == "toy"
    assert identity(heard).info.confidence == 1.0
    assert dialect.talks
    assert dialect.chosen.name == "native"
    assert len(tables(heard)["imu"][2]) == 400


def test_a_board_file_that_fits_is_preferred_to_guessing() -> None:
    files = [(BOARD_FILES / name).read_text() for name in ("ublox_navigation.toml", "ximu3.toml", "omron_d6t.toml")]
    line = b"291, " + b"271, " * 16 + b"1, 212, 2016/10/16 - 21:3:38\n"
    dialect = make_dialect(DialectSpec("auto", {"board_files": files}))
    heard = hear(dialect, [BOOT[-16:], *[line] * 20], 212 * MS)
    info = identity(heard).info
    assert info.model == "Omron D6T-44L"
    assert 0.8 <= info.confidence <= 1.0
    assert len(tables(heard)["thermal"][0]) == 20
    frames = [item for item in heard if isinstance(item, Samples) and item.stream.name == "thermal"]
    arrived = np.concatenate([item.arrived for item in frames if item.arrived is not None])
    assert len(arrived) >= 4
    assert np.diff(arrived).tolist() == [212 * MS] * (len(arrived) - 1)


def test_a_decision_stays_for_the_next_connection() -> None:
    dialect = DetectDialect()
    before = hear(dialect, [SPEECH["csv"]])
    more = list(dialect.feed(SPEECH["csv"], 0))
    assert isinstance(more[0], Described)
    assert more[0].info.streams == identity(before).info.streams
    assert "data" in tables(more)


def test_the_same_bytes_at_the_same_times_are_decided_the_same() -> None:
    speech = NOISE + SPEECH["tagged"]
    parts = cut(speech, range(0, len(speech), 61))
    first, second = hear(DetectDialect(), parts, 3 * MS), hear(DetectDialect(), parts, 3 * MS)
    assert tables(first) == tables(second)
    assert [item for item in first if isinstance(item, Described)] == [
        item for item in second if isinstance(item, Described)
    ]


@settings(max_examples=50)
@given(st.data())
def test_books_close_for_any_bytes_in_any_parts(data: st.DataObject) -> None:
    pieces = [*SPEECH.values(), BOOT, NOISE, native_bytes(), b"hello\n" * 100]
    drawn = data.draw(st.lists(st.one_of(st.sampled_from(pieces), st.binary(max_size=300)), max_size=5))
    speech = b"".join(drawn)
    places = data.draw(st.lists(st.integers(0, len(speech)), max_size=20))
    dialect = make_dialect(DialectSpec("auto", {"board_files": [(BOARD_FILES / "ublox_navigation.toml").read_text()]}))
    hear(dialect, cut(speech, places), data.draw(st.integers(0, 2000)) * MS)
    hear_again = list(dialect.feed(speech, 0)) + list(dialect.end(1))
    tables(hear_again)
    assert sum(dialect.books.values()) == 2 * len(speech)


@settings(max_examples=20)
@given(st.lists(st.integers(0, 9000), max_size=20), st.sampled_from(["csv", "tagged", "json"]))
def test_how_the_bytes_were_cut_does_not_matter(places: list[int], name: str) -> None:
    speech = BOOT + NOISE[:300] + b"\n" + SPEECH[name]
    whole, parts = DetectDialect(), DetectDialect()
    expected, got = hear(whole, [speech]), hear(parts, cut(speech, places))
    assert tables(got) == tables(expected)
    assert dict(parts.books) == dict(whole.books)


def test_dialects_by_name() -> None:
    assert {"auto", "native", "lines", "boardfile"} <= set(dialect_names())
    text = (BOARD_FILES / "ximu3.toml").read_text()
    for spec in ("auto", "native", DialectSpec("lines", {"format": "json"}), DialectSpec("boardfile", {"text": text})):
        assert isinstance(make_dialect(spec), Dialect)
    with pytest.raises(UsageError, match="did you mean native"):
        make_dialect("nativ")
    with pytest.raises(UsageError, match="arguments"):
        make_dialect(DialectSpec("lines", {"seperator": ","}))


class _Future:
    api_version = 99


def test_a_plug_in_of_another_version_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        name, value = "future", "some.package:Future"

        @staticmethod
        def load() -> type[_Future]:
            return _Future

    monkeypatch.setattr("firmware_bridge.wire.dialects.entry_points", lambda group: [Point])
    with pytest.raises(MissingPart, match="version 99"):
        make_dialect("future")
