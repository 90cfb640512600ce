"""Checksums that services put into their tokens.

Sources: GitHub's "Behind GitHub's new authentication token formats" and npm's announcement of the
same format: the last six characters are the CRC-32 of the others behind the prefix, in base 62;
Grafana's service account tokens end with it in hex. Where the sum holds, chance made no token in
four thousand million texts. Nothing here says that a token is valid, or was ever issued.
"""

import re
import zlib
from collections.abc import Callable

_DIGITS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUM = 6


def _base62(value: bytes) -> bool:
    """Check what follows the first underscore: characters, then six of their sum."""
    body = value.partition(b"_")[2]
    number = 0
    for digit in body[-_SUM:]:
        number = number * len(_DIGITS) + _DIGITS.find(digit)
    return number == zlib.crc32(body[:-_SUM])


def _hex(value: bytes) -> bool:
    """Check ``glsa_``, characters, an underscore, and the sum of all that is before it."""
    body, _, total = value.rpartition(b"_")
    return f"{zlib.crc32(body):08x}".encode() == total.lower()


_FORMATS: tuple[tuple[re.Pattern[bytes], Callable[[bytes], bool]], ...] = (
    (re.compile(rb"(?:gh[opsur]|npm)_[0-9A-Za-z]{36}"), _base62),
    (re.compile(rb"glsa_[0-9A-Za-z]{32}_[0-9A-Fa-f]{8}"), _hex),
)


def holds(value: bytes) -> bool | None:
    """Tell whether the checksum of a token is right; None for a format that has none."""
    for form, check in _FORMATS:
        if form.fullmatch(value):
            return check(value)
    return None
