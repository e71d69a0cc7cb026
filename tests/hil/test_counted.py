"""A number with its noun."""

import pytest

from hil.counted import counted


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 groups"), (1, "1 group"), (2, "2 groups"), (12_000, "12,000 groups")]
)
def test_one_of_a_thing_is_said_in_the_singular(count: int, words: str) -> None:
    assert counted(count, "group") == words


def test_a_noun_with_a_plural_of_its_own_keeps_it() -> None:
    assert [counted(count, "person", "people") for count in (1, 2)] == ["1 person", "2 people"]
