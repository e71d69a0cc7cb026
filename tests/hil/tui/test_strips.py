"""Rows for the terminal: what is seen stays what the styles say, in fewer bytes; nothing unsafe passes."""

import gc
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from textual.strip import Strip

from hil.tui.charts.cells import BAD, CHANNEL, DIM, GOOD, HEAT, HEAT_TEXT, KEY, TEXT, TITLE, WARN, channel_ink
from hil.tui.terminal.palette import BAR, FOCUSED, PLAIN, THEMES, Palette
from hil.tui.terminal.strips import PLAIN_CHARACTERS, clean, row

INKS = (TEXT, DIM, TITLE, GOOD, WARN, BAD, KEY, CHANNEL, channel_ink(3), HEAT + 37, HEAT_TEXT + 4)
PALETTE = Palette(THEMES[0])


def seen(written: str) -> list[tuple[str, tuple[str, ...]]]:
    """What a terminal shows: each character with the settings that hold at it (ink, ground, weight)."""
    cells, ink, ground, weight = [], "", "", frozenset[str]()
    for codes, character in re.findall(r"\x1b\[([\d;]*)m|([^\x1b])", written):
        if character:
            cells.append((character, (ink, ground, *sorted(weight))))
            continue
        words = codes.split(";")
        while words:
            word = words.pop(0)
            if word in ("", "0"):
                ink, ground, weight = "", "", frozenset()
            elif word in ("38", "48"):
                count = 4 if words[0] == "2" else 2
                value, words = ";".join(words[:count]), words[count:]
                ink, ground = (value, ground) if word == "38" else (ink, value)
            elif int(word) < 30:
                weight |= {word}
            else:
                ink, ground = (word, ground) if int(word) % 100 // 10 in (3, 9) and int(word) < 100 else (ink, word)
    return cells


runs = st.lists(st.tuples(st.text("abz ⣿─×µ", max_size=6), st.sampled_from(INKS)), max_size=12)


@settings(max_examples=60)
@given(runs, st.sampled_from((PLAIN, BAR, FOCUSED)), st.booleans(), st.sampled_from(["truecolor", "256", "standard"]))
def test_a_terminal_shows_what_the_styles_say_after_fewer_bytes(line, place, colour, system) -> None:
    palette = Palette(THEMES[0], colour)  # a new one: a style keeps its bytes for one kind of terminal
    console = Console(color_system=system, force_terminal=True)
    ours = row(line, place, 80, palette)
    usual = Strip(list(ours), 80).render(console)
    assert seen(ours.render(console)) == seen(usual)
    assert len(ours.render(console)) <= len(usual)
    assert seen(f"{ours.render(console)}.")[-1] == (".", ("", ""))


@given(st.text(max_size=40), st.integers(0, 30))
def test_a_row_is_as_wide_as_it_was_asked_to_be_whatever_a_board_says(words, width) -> None:
    made = row([(words, TEXT)], PLAIN, width, PALETTE)
    assert made.cell_length == width == sum(cell_len(segment.text) for segment in made)
    assert clean(made.text) == made.text


def test_words_that_do_not_fit_end_with_a_sign_and_blanks_do_not() -> None:
    assert row([("known by ", TEXT), ("serial", KEY)], PLAIN, 11, PALETTE).text == "known by s…"
    assert row([("known by ", TEXT), ("serial", KEY)], PLAIN, 15, PALETTE).text == "known by serial"
    assert row([("known   ", TEXT)], PLAIN, 5, PALETTE).text == "known"
    assert [row([("ab", TEXT)], PLAIN, width, PALETTE).text for width in (0, 1)] == ["", "…"]


def test_characters_that_are_taken_as_they_are_are_safe_and_one_cell_wide() -> None:
    every = [chr(code) for code in range(0x10000) if re.fullmatch(f"[{PLAIN_CHARACTERS}]", chr(code))]
    assert all(clean(sign) == sign and cell_len(sign) == 1 for sign in every)
    assert set("⠁⣿─│┤└┴━█▀▾×−·°µ±—… ~") - {"▾"} <= set(every)


def test_a_row_that_is_gone_is_freed_at_once() -> None:
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(50):
            made = row([("abc", TEXT), ("def", KEY)], PLAIN, 40, PALETTE)
            assert made.divide([40]) == [made]
        del made
        assert len(gc.get_objects()) - before < 50
    finally:
        gc.enable()
    parts = row([("abcdef", TEXT)], PLAIN, 10, PALETTE).divide([4, 10])
    assert [part.text for part in parts] == ["abcd", "ef    "]
