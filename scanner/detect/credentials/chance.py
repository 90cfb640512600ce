"""What chance makes of a token's short mark: three letters begin one of 262,144 words of base64.

A process that keeps as many session ids, digests or keys in base64 has such words. And pixels that
shade into each other are letters in order. This module looks at a word and at those around it; it
refuses to know what a token is.
"""

import itertools
import re

_BEFORE, _AFTER = 2048, 4096
"""Bytes around a word in which others are looked for."""

_CROWD = 8
"""Others of its length: they stand in a row, or each in an object of its own."""

_STEP = 2
"""What pixels side by side differ by."""

_WRITTEN = re.compile(rb"[\t -~]{12}|(?:[\t -~]\0){12}")
"""Printable characters in a row, in ASCII or UTF-16LE."""

_KINDS = tuple(map(re.compile, (rb"[A-Z]", rb"[a-z]", rb"[0-9]")))


def shaded(value: bytes) -> bool:
    """Tell whether three of four characters hardly differ from the one before, as pixels do."""
    near = sum(abs(one - other) <= _STEP for one, other in itertools.pairwise(value))
    return 4 * near > 3 * (len(value) - 1)


def crowded(text: bytes, start: int, end: int) -> bool:
    """Tell whether other words of base64 as long as the one at ``start`` stand around it.

    Those that begin as it does are of its kind, and do not count.
    """
    mark, size = text[start : start + 3], end - start
    words = re.finditer(
        rb"(?<![A-Za-z0-9/+_-])[A-Za-z0-9/+_-]{%d}(?![A-Za-z0-9/+_-])" % size,
        text[max(start - _BEFORE, 0) : end + _AFTER],
    )
    others = {word[0] for word in words if all(kind.search(word[0]) for kind in _KINDS)}
    return sum(not other.startswith(mark) for other in others) >= _CROWD


def written(raw: bytes) -> bool:
    """Tell whether text stands in bytes: 12 printable characters in a row.

    No token on which a gate decides goes without them, its name included. In 6 KiB of random bytes,
    in which a mark of four letters came about, they are one time in twenty.
    """
    return _WRITTEN.search(raw) is not None
