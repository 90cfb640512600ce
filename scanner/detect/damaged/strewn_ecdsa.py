"""ECDSA keys in OpenSSH's format whose lines lie apart: each number stands where it always does.

What comes before the scalar is as long in every file of a curve (PROTOCOL.key of OpenSSH; RFC 5656
section 3.1), so that one line or two hold it, behind its length, and it tells what is in the lines
before: its point, twice. Lines are rows of hexadecimal digits here, for of 70 characters every
other one begins within a byte. This module looks for no line; nothing is a key whose point stands
in no line but those of its scalar.
"""

import itertools
import math
import re
from collections.abc import Collection, Iterator

from scanner.detect.algebra.material import Ec
from scanner.detect.evidence import ec_derived
from scanner.fingerprint import FIELD_BYTES

Row = str

COMBINED = 256
"""Ways in which the rows of a scalar are put together, at most: a length stands in the first, and
behind it is that of a comment."""

_MAGIC = b"openssh-key-v1\0"
_NAMES = {"P-256": b"nistp256", "P-384": b"nistp384", "P-521": b"nistp521"}
_TYPE = 28
"""Bytes from the magic to the type of the public key: cipher, KDF, number of keys, a length."""

_ANY = "."
_UNTOLD = _ANY * 2 * (4 + 8)
"""Digits that nothing tells: of the private half its length, and two check numbers."""

_POINT = 16
"""Digits of a point that must stand in a row, for it to bear witness."""

_PADDING = bytes(range(1, 9))
"""What the private half ends with, or the first of it: of cryptography eight bytes too."""


def curve_of(first: Row) -> str:
    """Return the curve of a file whose first row this is; empty where it is none."""
    return next((curve for curve in _NAMES if first and _head(curve).startswith(first)), "")


def solve(
    first: Row, rows: Collection[Row], last: Collection[Row]
) -> tuple[Ec, tuple[Row, ...]] | None:
    """Return the key of a file's first row, and those others that hold its scalar and point.

    ``last`` are shorter rows, one of which may be the last of the file.
    """
    curve, width = curve_of(first), len(first)
    if not curve:
        return None
    size, there = FIELD_BYTES[curve], {*rows}
    for length in (size, size + 1, size - 1):  # with a zero before it, or a byte less (RFC 4251)
        known = _before(curve, _ANY * 4 * size, length)
        index, at = divmod(len(known), width)
        for chosen in _chosen(known + _ANY * 2 * length, width, index, (rows, last)):
            data = "".join(chosen)
            key = ec_derived(curve, int(data[at : at + 2 * length], 16))
            if key is None:
                continue
            text = _before(curve, _digits(key), length)
            told = _told(text, known, width, index)
            if told and there.issuperset(told) and data.startswith(text[index * width :]):
                return key, (*told, *chosen)
    return None


def _chosen(
    known: str, width: int, index: int, rows: tuple[Collection[Row], Collection[Row]]
) -> Iterator[tuple[Row, ...]]:
    """Yield rows that may hold what is known of a file from an index on, to its scalar's end."""
    cuts = [known[at : at + width] for at in range(index * width, len(known), width)]
    (whole, last), behind = rows, len(cuts[-1])
    parts = [[row for row in whole if re.match(cut, row)] for cut in cuts]
    parts[-1] = [row for row in parts[-1] if not row[behind : behind + 6].strip("0")]
    parts[-1] += [row for row in last if re.match(cuts[-1], row) and _ends(row[behind:])]
    if math.prod(map(len, parts)) <= COMBINED:
        yield from itertools.product(*parts)


def _ends(behind: str) -> bool:
    """Tell whether digits behind a scalar are a comment and padding, and nothing more."""
    data = bytes.fromhex(behind[: len(behind) // 2 * 2])
    comment = int.from_bytes(data[:4], "big")
    return 4 + comment <= len(data) and _PADDING.startswith(data[4 + comment :])


def _told(text: str, known: str, width: int, index: int) -> list[Row]:
    """Return the rows before that of an index which a point tells, but for the first."""
    cuts = [slice(at, at + width) for at in range(width, index * width, width)]
    return [text[cut] for cut in cuts if _ANY not in text[cut] and known[cut].count(_ANY) >= _POINT]


def _head(curve: str) -> str:
    """Return the digits of a file before its point."""
    name, size = _NAMES[curve], 2 * FIELD_BYTES[curve]
    public = _strings(b"ecdsa-sha2-" + name, name) + (1 + size).to_bytes(4, "big") + b"\x04"
    head = _MAGIC + _strings(b"none", b"none", b"") + b"\0\0\0\x01"
    return (head + (len(public) + size).to_bytes(4, "big") + public).hex()


def _before(curve: str, point: str, length: int) -> str:
    """Return the digits of a file before its scalar, which has so many bytes."""
    head = _head(curve)
    again = head[2 * (len(_MAGIC) + _TYPE) :]
    return head + point + _UNTOLD + again + point + length.to_bytes(4, "big").hex()


def _digits(key: Ec) -> str:
    """Return the digits of a point."""
    size = FIELD_BYTES[key.curve]
    return (key.x.to_bytes(size, "big") + key.y.to_bytes(size, "big")).hex()


def _strings(*texts: bytes) -> bytes:
    """Return texts as strings (RFC 4251 section 5)."""
    return b"".join(len(text).to_bytes(4, "big") + text for text in texts)
