"""A number with its noun, as a person says it: `1 group`, `2 groups`, `1,000 samples`.

Rule of this room: words for people only; nothing that a script reads is made here.
"""

__all__ = ["counted"]


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number and its noun.

    Args:
        count: How many.
        one: The noun of one.
        many: The noun of several; empty: with an s behind it.
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
