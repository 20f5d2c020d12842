"""Words to find people by: folded, so that ``Renée`` and ``RENEE`` are the same.

A question is cut at blanks, and of each part only letters and digits count: ``o'brien`` looks for
``obrien``, ``+49 30 12`` for ``49``, ``30`` and ``12``. Texts are cut in the same way; besides,
each part of ``Anna-Maria`` is a word of its own, and a telephone number may be begun at each of its
groups of digits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from benefit_programs.domain.errors import Invalid, ViolatedRule
from benefit_programs.domain.people.rows import Person

WORDS_MAX = 32
"""By how many words a person can be found; of a longer name the first ones count."""

WORD_LENGTH_MAX = 64
"""How many characters of a word count."""

QUESTION_LENGTH_MAX = 200
"""How many characters the text of a search may have."""

QUESTION_WORDS_MAX = 8
"""How many words the text of a search may have."""

_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
)
"""Letters that are no others with a mark, and are typed as these where a keyboard lacks them."""

_SIGNS = re.compile(r"[\W_]+")
"""All but letters and digits."""

_DIGITS = re.compile("[0-9]+")


def folded(text: str) -> str:
    """A text without case and marks, in which letters of different forms are the same."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text).casefold()
    unmarked = (each for each in plain if unicodedata.category(each) != "Mn")
    return "".join(unmarked).translate(_LETTERS)


def search_of(person: Person) -> str:
    """What ``search`` of a person must be."""
    found = dict.fromkeys(each[:WORD_LENGTH_MAX] for each in _words_of(person) if each)
    return f" {' '.join(sorted([*found][:WORDS_MAX]))} "


def words_in(search: str) -> list[str]:
    return search.split()


def words_of_question(text: str, path: str) -> tuple[str, ...]:
    """The words that somebody looks for: each must begin a word of whoever is found.

    Raises Invalid if there are none, or too many.
    """
    found = (_joined(part)[:WORD_LENGTH_MAX] for part in folded(text).split())
    words = tuple(dict.fromkeys(filter(None, found)))
    if not words:
        said = "must have a letter or a digit"
        raise Invalid.because(path, said, ViolatedRule.FORMAT, data={"type": "WORDS"})
    if len(words) > QUESTION_WORDS_MAX:
        said = f"must have at most {QUESTION_WORDS_MAX} words"
        data = {"threshold": QUESTION_WORDS_MAX}
        raise Invalid.because(path, said, ViolatedRule.MAX_SIZE, data=data)
    return words


def _words_of(person: Person) -> Iterator[str]:
    """What matters most comes first, for only so many count."""
    email = folded(person.email or "")
    yield _joined(folded(person.beneficiary.id))
    yield _joined(email)
    for word in folded(person.display_name or "").split():
        yield _joined(word)
        yield from _parts(word)
    yield from _numbers(folded(person.phone or ""))
    yield from _parts(email.rpartition("@")[0])


def _numbers(phone: str) -> Iterator[str]:
    """A number as a whole, without its zeros at the front, and from each group of digits on."""
    groups = _DIGITS.findall(phone)
    yield "".join(groups)
    for place in range(len(groups)):
        yield "".join(groups[place:]).lstrip("0")


def _joined(text: str) -> str:
    return _SIGNS.sub("", text)


def _parts(text: str) -> Iterable[str]:
    return _SIGNS.split(text)
