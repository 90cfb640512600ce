"""Readings: how memory spells a number, as one table.

A number lies in memory as words that hold so many of its bits each: bytes, limbs, or the digits
that one library or another chose so that its carries fit. Whatever the reading, a search needs four
things of a position: the low 64 bits, the top 64 bits, whether the words there are digits at all,
and the number. The first three are arithmetic on whole arrays of positions, because there are
millions. This module refuses to look for numbers: it reads where it is told.
"""

import functools
import struct
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from scanner.arrays import Bytes, Flags, Offsets, Words

WIDE = 64
"""Bits of the low and the top part of a number that decide first."""

TAG = 4
"""Bytes of what says which kind of value a word holds."""

_DOUBLE, _NONE = np.uint64(0x41F0_0000_0000_0000), np.uint64((1 << 64) - 1)
"""2**32 as a double, and what is no digit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One spelling. Words of ``word`` bytes hold ``digit`` bits each, above ``shift`` zero bits."""

    name: str
    digit: int
    word: int
    shift: int = 0
    most_first: bool = False
    """The word of the most significant digit comes first."""
    swapped: bool = False
    """Each word is big-endian."""
    cell: int = 0
    """Bytes from one word to the next, where something stands between them."""
    tag: int | None = 0
    """What that begins with, in four bytes: which kind of value the word holds; None: anything."""
    double: bool = False
    """Words hold their digits as floating-point numbers (IEEE 754 binary64)."""
    align: int
    """Numbers begin at addresses that are multiples of it."""

    @property
    def step(self) -> int:
        """Bytes from one word to the next."""
        return self.cell or self.word

    @property
    def told(self) -> int:
        """Bytes of a step that say something: behind a tag may be what stood there before."""
        if self.tag is None:
            return self.word
        return min(self.word + TAG, self.step) if self.cell else self.step

    @property
    def packed(self) -> bool:
        """Some bits of every word are zero: few words that are not digits look like them."""
        return self.digit != 8 * self.word


LIMBS = Reading(name="limbs-le", digit=8, word=1, align=4)
"""Limbs, least significant first, on a little-endian machine: nearly every library."""
BYTES = Reading(name="bytes-be", digit=8, word=1, most_first=True, align=1)
"""Bytes, most significant first: DER, SSH, CNG, byte arrays."""
JAVA = Reading(name="java-words", digit=32, word=4, most_first=True, align=4)
"""BigInteger.mag (OpenJDK): ints, most significant first."""

DIGITS_30 = Reading(name="digits-30", digit=30, word=4, align=4)

_PACKED = (
    DIGITS_30,  # CPython
    Reading(name="digits-60", digit=60, word=8, align=8),  # libtommath
    Reading(name="digits-28", digit=28, word=4, align=4),  # libtommath, 32-bit builds
    Reading(name="digits-62", digit=62, word=8, align=8),  # MIT Scheme
    Reading(name="digits-63", digit=63, word=8, align=8),  # Go 1.20 bigmod
    Reading(name="digits-31", digit=31, word=4, align=4),  # the same, 32-bit builds
    Reading(name="smi64-28", digit=28, word=8, shift=32, align=8),  # V8: jsbn, node-forge
    Reading(name="smi64-26", digit=26, word=8, shift=32, align=8),  # V8: BN.js
    Reading(name="smi32-28", digit=28, word=4, shift=1, align=4),  # V8, compressed pointers
    Reading(name="smi32-26", digit=26, word=4, shift=1, align=4),
)

_SPIDERMONKEY, _JAVASCRIPTCORE, _PHP = 0xFFF88000, 0xFFFE0000, 4
"""JSVAL_TAG_INT32 (js/public/Value.h), NumberTag (JSCJSValue.h), IS_LONG (zend_types.h)."""

_TAGGED = (
    Reading(name="moz-28", digit=28, word=4, cell=8, tag=_SPIDERMONKEY, align=8),
    Reading(name="moz-26", digit=26, word=4, cell=8, tag=_SPIDERMONKEY, align=8),
    Reading(name="jsc-28", digit=28, word=4, cell=8, tag=_JAVASCRIPTCORE, align=8),
    Reading(name="jsc-26", digit=26, word=4, cell=8, tag=_JAVASCRIPTCORE, align=8),
    Reading(name="zval-31", digit=31, word=8, cell=16, tag=_PHP, align=8),  # phpseclib
    Reading(name="zval-26", digit=26, word=8, cell=16, tag=_PHP, align=8),  # its PHP32 engine
    Reading(name="cells-28", digit=28, word=8, cell=16, align=8),  # QuickJS
    Reading(name="cells-26", digit=26, word=8, cell=16, align=8),
    Reading(name="cells-24", digit=24, word=8, cell=16, tag=None, align=8),  # Lua
    Reading(name="cells-32", digit=32, word=8, cell=16, tag=None, align=8),  # Lua: bint
    Reading(name="doubles-28", digit=28, word=8, cell=16, tag=None, double=True, align=8),
    Reading(name="doubles-26", digit=26, word=8, cell=16, tag=None, double=True, align=8),
)
"""Arrays of languages whose values say what they are: digits of BN.js, jsbn and phpseclib.

Lua says so in the first byte behind, MuJS in the last; it and Duktape know doubles alone.
"""

LITTLE_ENDIAN: tuple[Reading, ...] = (LIMBS, BYTES, JAVA, *_PACKED, *_TAGGED)
"""Readings on a little-endian machine; LIMBS and BYTES keep their places everywhere."""

BIG_ENDIAN: tuple[Reading, ...] = (
    LIMBS,  # bytes of a portable library
    BYTES,  # BigInteger.mag reads so here
    Reading(name="limbs-be64", digit=64, word=8, swapped=True, align=8),
    Reading(name="limbs-be32", digit=32, word=4, swapped=True, align=4),
    *(
        Reading(name=r.name, digit=r.digit, word=r.word, shift=r.shift, swapped=True, align=r.align)
        for r in _PACKED
    ),
)
"""Readings on a big-endian machine (s390x, ppc64, mips)."""


def table(byte_order: str) -> tuple[Reading, ...]:
    """Return the readings of a machine, by the byte order of its dump."""
    return BIG_ENDIAN if byte_order == "big" else LITTLE_ENDIAN


def foreign(table: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """Return the limbs that the machine has not, as what is laid down for any machine has them.

    Seen in libtpms (swtpm): the state of a TPM, big-endian words with the least significant first.
    """
    return tuple(r for r in BIG_ENDIAN if r.swapped and not r.packed and r not in table)


def python(table: tuple[Reading, ...]) -> Reading:
    """Return the digits of CPython's integers on a machine."""
    return next(reading for reading in table if reading.name == DIGITS_30.name)


def limbs(table: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """Return the readings of a machine whose words are full, the least significant first."""
    return tuple(reading for reading in table if not reading.packed | reading.most_first)


def whole(table: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """Return the readings of a machine in which numbers fill their words: its limbs, then bytes."""
    swapped = tuple(reading for reading in table if reading.swapped and not reading.packed)
    return (*(swapped or (LIMBS,)), BYTES)


def unpacked(table: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """Return those and, before bytes, Java's words; on a big-endian machine these are bytes."""
    *limbs, plain = whole(table)
    return (*limbs, *(reading for reading in table if reading == JAVA), plain)


@functools.cache
def widest(reading: Reading, table: tuple[Reading, ...]) -> Reading:
    """Return the reading of the same words whose digits are widest: those of ``reading`` are too.

    Where no digits of the widest stand, none of the others do.
    """
    alike = (
        other
        for other in table
        if other.packed and other.tag in (None, reading.tag)
        if replace(other, name=reading.name, digit=reading.digit, tag=reading.tag) == reading
    )
    return max(alike, key=lambda other: other.digit)


def count(reading: Reading, bits: int) -> int:
    """Return the number of words that a number of ``bits`` bits takes."""
    return -(-bits // reading.digit)


def width(reading: Reading, bits: int) -> int:
    """Return the bytes that a number of ``bits`` bits takes."""
    return count(reading, bits) * reading.step


def encode(reading: Reading, number: int, bits: int) -> bytes:
    """Spell a number in the words that ``bits`` bits take; it must fit."""
    if reading.digit == 8:
        return number.to_bytes(count(reading, bits), "big" if reading.most_first else "little")
    mask = (1 << reading.digit) - 1
    order: Literal["big", "little"] = "big" if reading.swapped else "little"
    behind = (reading.tag or 0).to_bytes(reading.step - reading.word, "little")
    digits = [((number >> at) & mask) << reading.shift for at in range(0, bits, reading.digit)]
    if reading.double:
        words = [struct.pack("<d", digit) + behind for digit in digits]
    else:
        words = [digit.to_bytes(reading.word, order) + behind for digit in digits]
    return b"".join(reversed(words) if reading.most_first else words)


def stands(reading: Reading, data: Bytes, position: int, spelled: bytes) -> bool:
    """Tell whether a number stands at a position, which may be none, as it is spelled.

    Seen in PHP: what an array of integers was copied over goes on behind their tags.
    """
    there = data[max(position, 0) : position + len(spelled)]
    if position < 0 or len(there) < len(spelled):
        return False
    rows = (there.reshape(-1, reading.step), np.frombuffer(spelled, np.uint8))
    return bool((rows[0] == rows[1].reshape(-1, reading.step))[:, : reading.told].all())


def decode(reading: Reading, raw: bytes) -> int | None:
    """Read a number; None where a word holds more than its digit, or part of a word is left."""
    if reading.digit == 8:
        return int.from_bytes(raw, "big" if reading.most_first else "little")
    if len(raw) % reading.step:
        return None
    row, bits = np.frombuffer(raw, np.uint8), len(raw) // reading.step * reading.digit
    if not are_digits(reading, row, np.zeros(1, np.int64), bits)[0]:
        return None
    return decode_all(reading, row[None])[0]


def decode_all(reading: Reading, rows: Bytes) -> list[int]:
    """Read the numbers of rows of bytes whose words are known to be digits."""
    order: Literal["big", "little"] = "little"
    if reading.digit == 8:
        order = "big" if reading.most_first else "little"
    else:
        rows = rows.reshape(len(rows), -1, reading.step)[:, :, : reading.word]
        rows = np.ascontiguousarray(rows).reshape(len(rows), -1)
        words = rows.view(_kind(reading)).astype(f"<u{reading.word}")
        words = integers(words) if reading.double else words
        bits = np.unpackbits((words >> reading.shift).view(np.uint8), axis=1, bitorder="little")
        bits = bits.reshape(*words.shape, 8 * reading.word)[:, :, : reading.digit]
        bits = bits[:, :: -1 if reading.most_first else 1].reshape(len(rows), -1)
        rows = np.packbits(bits, axis=1, bitorder="little")
    raw, size = rows.tobytes(), rows.shape[1]
    return [int.from_bytes(raw[at : at + size], order) for at in range(0, len(raw), size)]


def weights(reading: Reading, bits: int, modulus: int) -> npt.NDArray[np.int64]:
    """Return what each byte of a number of ``bits`` bits weighs, modulo an odd number < 2**31.

    What stands between words weighs nothing; words are integers.
    """
    first = pow(2, -reading.shift, modulus)
    words = _powers(pow(2, reading.digit, modulus), count(reading, bits), modulus) * first % modulus
    inside = np.zeros(reading.step, np.int64)
    inside[: reading.word] = _powers(256 % modulus, reading.word, modulus)
    words = words[::-1] if reading.most_first else words
    inside = inside[::-1] if reading.swapped else inside
    return (words[:, None] * inside % modulus).ravel()


def _powers(base: int, size: int, modulus: int) -> npt.NDArray[np.int64]:
    """Return the first powers of a number, from 1 on; the known ones give as many more."""
    found = np.ones(1, np.int64)
    while len(found) < size:
        found = np.concatenate((found, found * pow(base, len(found), modulus) % modulus))
    return found[:size]


def _kind(reading: Reading) -> str:
    return f"{'>' if reading.swapped else '<'}u{reading.word}"


def integers(words: Words) -> Words:
    """Return the whole numbers below 2**32 that words are as doubles; all bits where it is none."""
    found = np.full_like(words, _NONE)
    fits = words < _DOUBLE
    values = words[fits].view(np.float64)
    whole = values.astype(np.uint64)
    found[fits] = np.where(whole == values, whole, _NONE)
    return found


def gather(data: Bytes, position: Offsets, kind: str) -> Words:
    """Read a word of a numpy ``kind`` at every position, however aligned, as 64 bits."""
    size = int(kind[-1])
    if len(data) < size:
        return np.zeros(len(position), np.uint64)
    view = np.ndarray((len(data) - size + 1,), kind, data, strides=(1,))
    return view[position].astype(np.uint64, copy=False)


def low(reading: Reading, data: Bytes, position: Offsets, bits: int) -> Words:
    """Return the least significant 64 bits of the numbers at the positions."""
    if reading.digit == 8:
        last = position + (count(reading, bits) - 8 if reading.most_first else 0)
        return gather(data, last, ">u8" if reading.most_first else "<u8")
    total = np.zeros(len(position), np.uint64)
    for index in range(min(count(reading, WIDE), count(reading, bits))):
        total |= digit(reading, data, position, bits, index) << np.uint64(index * reading.digit)
    return total


def top(reading: Reading, data: Bytes, position: Offsets, bits: int) -> Words:
    """Return the numbers at the positions shifted right by ``bits - 64``, right to 57 bits.

    What has more than ``bits`` bits becomes zero.
    """
    words = count(reading, bits)
    head = bits - (words - 1) * reading.digit
    if reading.digit == 8:
        first = position + (0 if reading.most_first else words - 8)
        value = gather(data, first, ">u8" if reading.most_first else "<u8")
        over, total = value, value << np.uint64(8 - head)
        head += WIDE - 8
    else:
        over = digit(reading, data, position, bits, words - 1)
        total = np.zeros(len(position), np.uint64)
        for index in range(words - 1, -1, -1):
            shift = index * reading.digit - (bits - WIDE)
            if shift <= -reading.digit:
                break
            part = digit(reading, data, position, bits, index)
            total |= part << np.uint64(shift) if shift >= 0 else part >> np.uint64(-shift)
    if head < WIDE:
        total[(over >> np.uint64(head)) != 0] = 0
    return total


def digit(reading: Reading, data: Bytes, position: Offsets, bits: int, index: int) -> Words:
    """Return digit ``index`` (0 is the least significant) of the numbers at the positions."""
    words = count(reading, bits)
    slot = words - 1 - index if reading.most_first else index
    return _words(reading, data, position + slot * reading.step) >> np.uint64(reading.shift)


def _words(reading: Reading, data: Bytes, position: Offsets) -> Words:
    """Read a word of a reading at every position: of doubles, the integers that they are."""
    words = gather(data, position, _kind(reading))
    return integers(words) if reading.double else words


_SINGLY = 4
"""Words that are judged one after the other, of ever fewer numbers: few get past them by chance."""

_TOGETHER = 1 << 16
"""Words of the numbers that are left which are read at once."""


def are_digits(reading: Reading, data: Bytes, position: Offsets, bits: int) -> Flags:
    """Tell at which positions every word holds a digit and no more; True for unpacked readings."""
    good = np.ones(len(position), np.bool_)
    if not reading.packed:
        return good
    clear = np.uint64(
        ((1 << (8 * reading.word)) - 1) ^ (((1 << reading.digit) - 1) << reading.shift)
    )
    words, tag = count(reading, bits), np.uint64(reading.tag or 0)
    tagged = bool(reading.cell) and reading.tag is not None
    for slot in range(min(words, _SINGLY)):
        left = np.flatnonzero(good)
        if len(left) == 0:
            return good
        at = position[left] + slot * reading.step
        good[left] = (_words(reading, data, at) & clear) == 0
        if tagged:
            good[left] &= gather(data, at + reading.word, "<u4") == tag
    left, rest = np.flatnonzero(good), np.arange(_SINGLY, words) * reading.step
    rows = max(_TOGETHER // max(len(rest), 1), 1)
    for start in range(0, len(left) if len(rest) else 0, rows):
        index = left[start : start + rows]
        found = _words(reading, data, position[index, None] + rest)
        good[index] = ((found & clear) == 0).all(axis=1)
        if tagged:
            tags = gather(data, position[index, None] + rest + reading.word, "<u4")
            good[index] &= (tags == tag).all(axis=1)
    return good
