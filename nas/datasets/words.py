"""A text as the ids of its words.

It needs nothing but Python: an exported network carries the source of these functions.
"""

import re
from collections.abc import Mapping

PAD, UNKNOWN = 0, 1
WORD = re.compile(r"\w+|[^\w\s]")


def words(text: str) -> list[str]:
    """Return a text's words and marks, in small letters."""
    return WORD.findall(text.lower())


def ids(text: str, vocabulary: Mapping[str, int], length: int) -> list[int]:
    """Return as many ids as `length`: 0 fills up a short text, 1 stands for words that are not in the vocabulary."""
    found = [vocabulary.get(word, UNKNOWN) for word in words(text)[:length]]
    return found + [PAD] * (length - len(found))
