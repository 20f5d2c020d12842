"""What refusals say of words that callers sent: cut short, and with the one that may be meant."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache

SHOWN_LENGTH_MAX = 64
"""How much of a caller's own text an answer repeats."""

LIKENESS = 0.75
"""How alike two words must be, from 0 to 1, so that one is taken for the other misspelt."""

GUESSES_KEPT_MAX = 1_000
"""How many guesses are remembered, so that the same mistake isn't thought about again."""


def shortened(text: str) -> str:
    """A caller's own text as an answer may repeat it, however long it is."""
    return text if len(text) <= SHOWN_LENGTH_MAX else f"{text[: SHOWN_LENGTH_MAX - 1]}\u2026"


@lru_cache(GUESSES_KEPT_MAX)
def nearest(word: str, known: tuple[str, ...]) -> str | None:
    """The known word that is most like a word, whatever its case; None if none is like it."""
    if len(word) > SHOWN_LENGTH_MAX:
        return None
    by_fold = {each.casefold(): each for each in known}
    found = get_close_matches(word.casefold(), by_fold, n=1, cutoff=LIKENESS)
    return by_fold[found[0]] if found else None


def one_of(known: tuple[str, ...], given: object) -> str:
    """What to say to somebody who has named none of these."""
    meant = nearest(given, known) if isinstance(given, str) else None
    said = f"must be one of {', '.join(known)}"
    return f"{said}; {meant} may be meant" if meant else said
