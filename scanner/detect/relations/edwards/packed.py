"""Public keys of Curve25519 in the pool: as bytes, and as the digits that libraries compute with.

Digits have 26 and 25 bits in turn, in words of 32 bits, or 51 bits in words of 64. They are u of
X25519 and y of Ed25519, whose sign is kept elsewhere; reduced as a rule, and no others are looked
for. Seen in PyCryptodome: of an X25519 key nothing but the scalar and such digits of u. This module
refuses to derive anything.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from scanner.arrays import Bytes
from scanner.detect.relations.places import words

SIZE = 40
"""Bytes of the digits of a number of 255 bits, of either kind."""

_SHORT, _LONG = ((26, 25) * 5, 4), ((51,) * 5, 8)
"""Bits of each digit, and bytes of its word."""

_BITS, _PUBLIC = 255, 32


def find(data: Bytes, publics: Sequence[bytes]) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield (index, position, bytes, public key) where the first bytes of one stand, or its digits.

    Of what stands as bytes the public key is what the pool has, and may be another; of digits,
    which are whole, it is the one that was looked for.
    """
    lows = words.firsts(publics)
    short = (lows & _ones(26)) | (lows >> np.uint64(26) & _ones(25)) << np.uint64(32)
    wanted = np.concatenate((lows, short, lows & _ones(51)))
    for row, position in words.find(data, wanted):
        way, index = divmod(row, len(publics))
        public = publics[index]
        if way == 0:
            size = len(public)
            yield index, position, size, data[position : position + size].tobytes()
        elif len(public) == _PUBLIC:
            kind = _SHORT if way == 1 else _LONG
            if words.stands(data, position, spelled(public, *kind)):
                yield index, position, SIZE, public


def spelled(public: bytes, digits: Sequence[int], word: int) -> bytes:
    """Spell the number of a public key in digits of so many bits, a word of bytes each."""
    number, raw = int.from_bytes(public, "little") & (1 << _BITS) - 1, b""
    for bits in digits:
        raw += (number & (1 << bits) - 1).to_bytes(word, "little")
        number >>= bits
    return raw


def _ones(bits: int) -> np.uint64:
    return np.uint64((1 << bits) - 1)
