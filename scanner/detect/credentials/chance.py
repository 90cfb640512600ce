"""What chance makes of a token's short mark: three letters begin one of 262,144 words of base64.

A process that keeps as many session ids, digests or keys in base64 has such words. And pixels that
shade into each other are letters in order. This module looks at a word and at those around it; it
refuses to know what a token is.
"""

import itertools
import re

AROUND = 64 << 10
"""Characters before and behind a word in which others are looked for: objects of a heap that keep
one each may be kilobytes apart."""

_CROWD = 8
"""Others of its length: they stand in a row, or each in an object of its own."""

_LONGEST = 256
"""Characters of a word."""

_BEFORE, _AFTER = 2048, 4096
"""Bytes around an alphabet in which others are looked for."""

_LONG, _TWICE = re.compile(rb"[!-~]{16,}"), 2
"""Words, and how many characters of an alphabet may stand in it again: those that it follows."""

_STEP = 2
"""What pixels side by side differ by."""

_PLACE = re.compile(rb"[A-Za-z0-9]{16,}")
"""A word as long as what is secret in a token; a placeholder is no shorter."""

_MEANT = re.compile(rb"password|passwd|pass|pwd|secret|key|token")
"""Words for what is secret."""

_WORD = re.compile(
    rb"access|api|auth|database|db|example|id|mongo|mongodb|my|name|some|the|user|username|your|"
    + _MEANT.pattern
)
"""Words of which manuals make a placeholder."""

_MARKED = re.compile(rb"(?:<|&lt;|%3[Cc])[a-zA-Z][\w .-]*(?:>|&gt;|%3[Ee])")
"""One between the signs that manuals put around it."""

_WRITTEN = re.compile(rb"[\t -~]{12}|(?:[\t -~]\0){12}")
"""Printable characters in a row, in ASCII or UTF-16LE."""

_KINDS = bytes(
    chr(byte).isupper() + 2 * chr(byte).islower() + 4 * chr(byte).isdigit() for byte in range(256)
)
_DRAWN = {1, 2, 4}
"""A capital, a small letter, a digit; what is none of them is 0."""

_HEAD, _TAIL = re.compile(rb"[A-Za-z0-9/+_-]*\Z"), re.compile(rb"[A-Za-z0-9/+_-]*")


def shaded(value: bytes) -> bool:
    """Tell whether three of four characters hardly differ from the one before, as pixels do."""
    near = sum(abs(one - other) <= _STEP for one, other in itertools.pairwise(value))
    return 4 * near > 3 * (len(value) - 1)


def filled(value: bytes) -> bool:
    """Tell whether a token's long words are one character again and again, or count up.

    Documents and docstrings fill the place of a secret so: ``XXXXXXXXXXXXXXXXXXXXXXXX``,
    ``0123456789abcdef``. Of 16 random digits two in a million do, and of letters none.
    """
    words = _PLACE.findall(value)
    return bool(words) and all(
        4 * sum(0 <= other - one <= 1 for one, other in itertools.pairwise(word))
        >= 3 * (len(word) - 1)
        for word in words
    )


def named(value: bytes) -> bool:
    """Tell whether a password says itself what should stand there.

    Seen in the manual of MongoEngine: ``my_password``, in that of PyMongo:
    ``&lt;secret_access_key&gt;``. One such word alone may be somebody's password.
    """
    words = re.split(rb"[_. -]", value.lower())
    if len(words) > 1 and all(map(_WORD.fullmatch, words)):
        return any(map(_MEANT.fullmatch, words))
    return _MARKED.fullmatch(value) is not None


def crowded(text: bytes, start: int, end: int) -> bool:
    """Tell whether other words of base64 stand around that are as long as the one at ``start``.

    A token may be the end of a word, behind a hyphen. Words that begin as it does are of its kind,
    and do not count.
    """
    mark = text[start : start + 3]
    head = _HEAD.search(text, max(start - _LONGEST, 0), start)
    tail = _TAIL.match(text, end, end + _LONGEST)
    size = end - start + len(head[0] if head else b"") + len(tail[0] if tail else b"")
    words = re.finditer(
        rb"(?<![A-Za-z0-9/+_-])[A-Za-z0-9/+_-]{%d}(?![A-Za-z0-9/+_-])" % size,
        text[max(start - AROUND, 0) : end + AROUND],
    )
    others = {word[0] for word in words if not word[0].startswith(mark) and _drawn(word[0])}
    return len(others) >= _CROWD


def _drawn(word: bytes) -> bool:
    """Tell whether a word looks like base64 of random bytes, and like no name of a program's.

    It has letters of both cases and digits, and half of its characters are not of the kind before:
    two thirds are where all are drawn, in names that C++ makes of others three of ten.
    """
    kinds = word.translate(_KINDS)
    changes = sum(one != other for one, other in itertools.pairwise(kinds))
    return set(kinds) >= _DRAWN and 2 * changes >= len(word) - 1


def arranged(text: bytes, start: int, end: int) -> bool:
    """Tell whether the word at ``start`` is an alphabet, amid words of which nine in ten are.

    Letters by how often they follow others are such words, as programs that guess passwords have
    them. Of words of 30 random characters one in thirty passes for one, and not those around it.
    """
    if not _alphabet(text[start:end]):
        return False
    words = _LONG.findall(text, max(start - _BEFORE, 0), end + _AFTER)
    others = {word for word in words if word not in text[start:end]}
    alphabets = sum(map(_alphabet, others))
    return alphabets >= max(_CROWD, len(others) * 9 / 10)


def _alphabet(word: bytes) -> bool:
    return len(word) - len(set(word)) <= _TWICE


def written(raw: bytes) -> bool:
    """Tell whether text stands in bytes: 12 printable characters in a row.

    No token on which a gate decides goes without them, its name included. In 6 KiB of random bytes,
    in which a mark of four letters came about, they are one time in twenty.
    """
    return _WRITTEN.search(raw) is not None
