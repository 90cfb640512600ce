"""SM4 key schedules (GB/T 32907-2016): 32 words, each of which follows from the four before it.

rk[i] = rk[i-4] ^ T'(rk[i-3] ^ rk[i-2] ^ rk[i-1] ^ CK[i]), so that one equation of five neighbouring
words finds a schedule, forward or in the reverse order of decryption, and 28 of them prove it. The
words are the machine's own and aligned as such. Bit-sliced schedules are not found.
"""

import functools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from scanner.arrays import Flags
from scanner.detect.ciphers.schedules import Found

WORDS = 32
SIZE = 4 * WORDS
"""Bytes of a schedule."""

_CK = tuple(sum((4 * i + j) * 7 % 256 << 24 - 8 * j for j in range(4)) for i in range(WORDS))
_FK = (0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC)
_FEWEST_VALUES = 48
"""Different byte values of a schedule: fewer is no key."""

_EVERY = WORDS - 4
"""Of so many words in a row one is looked at: so many equations a schedule has."""

_ORDERS = (("encryption", _CK[4:]), ("decryption", _CK[:3:-1]))
"""The constants of the equations of a schedule, forward and in reverse order."""

_Table = npt.NDArray[np.uint32]
_Halves = npt.NDArray[np.uint16]


def _affine(value: int) -> int:
    turned = (0xA7 << turn | 0xA7 >> 8 - turn for turn in range(8))
    bits = ((row & value & 0xFF).bit_count() & 1 for row in turned)
    return sum(bit << k for k, bit in enumerate(bits)) ^ 0xD3


def _multiply(a: int, b: int) -> int:
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = (a << 1) ^ (0x1F5 if a & 0x80 else 0)
        b >>= 1
    return product


def _inverse(value: int) -> int:
    """Return value**254, which is the inverse and leaves zero alone."""
    square, result = value, 1
    for _ in range(7):
        square = _multiply(square, square)
        result = _multiply(result, square)
    return result


def _box() -> _Table:
    """Return the S-box: an affine map before and after inversion modulo 0x1f5.

    Liu and others, Analysis of the SMS4 Block Cipher, section 3.1.
    """
    return np.array([_affine(_inverse(_affine(value))) for value in range(256)], np.uint32)


@functools.cache
def _halves() -> tuple[_Table, _Table]:
    """Return what T' makes of the upper sixteen bits of a word, and of the lower.

    T' is the S-box of each byte, then x ^ (x <<< 13) ^ (x <<< 23).
    """
    box = _box()
    pairs = (box[:, None] << np.uint32(8) | box[None, :]).ravel()
    low, high = (_spread(pairs << np.uint32(shift)) for shift in (0, 16))
    return high, low


@functools.cache
def _back() -> tuple[_Halves, _Halves, _Halves, Flags]:
    """Return tables that undo T': of what it made of a word, the word's lower half.

    Of the upper half of its result and of the lower, whose sum goes through the third; the fourth
    tells which halves constants have. x ^ (x <<< 13) ^ (x <<< 23) is a polynomial in <<<, of which
    the 32nd power is one, and the 31st so the inverse. Small tables stay in the cache: half a word
    decides of nearly all.
    """
    halves = np.arange(1 << 16, dtype=np.uint32)
    low, high = halves, halves << np.uint32(16)
    for power in (1, 2, 4, 8, 16):
        low, high = (_spread(words, power) for words in (low, high))
    box = _box()
    inverse = np.argsort(box).astype(np.uint16)
    pairs = inverse[halves >> np.uint32(8)] << np.uint16(8) | inverse[halves & np.uint32(0xFF)]
    constants = np.zeros(1 << 16, np.bool_)
    constants[[ck & 0xFFFF for _, some in _ORDERS for ck in some]] = True
    return high.astype(np.uint16), low.astype(np.uint16), pairs, constants


def _spread(words: _Table, power: int = 1) -> _Table:
    spread: _Table = words ^ _rotated(words, 13 * power % 32) ^ _rotated(words, 23 * power % 32)
    return spread


def _rotated(words: _Table, by: int) -> _Table:
    turned: _Table = words << np.uint32(by) | words >> np.uint32(32 - by)
    return turned


def _t(words: _Table) -> _Table:
    """Return T' of words (section 7.3 of the standard)."""
    high, low = _halves()
    mixed: _Table = high[words >> np.uint32(16)] ^ low[words & np.uint32(0xFFFF)]
    return mixed


def find(data: bytes | memoryview) -> Iterator[Found]:
    """Yield every schedule in bytes that begin at a word."""
    words = np.frombuffer(data, "<u4", len(data) // 4)
    if len(words) < WORDS:
        return
    w0, w1, w2, w3, w4 = (words[k : len(words) - 4 + k : _EVERY] for k in range(5))
    between, change = w1 ^ w2 ^ w3, w0 ^ w4
    upper, lower, pairs, constants = _back()
    halves = change.view("<u2").reshape(-1, 2)
    spread = lower.take(halves[:, 0]) ^ upper.take(halves[:, 1])
    ends = between.view("<u2")[::2]
    row = np.flatnonzero(constants.take(pairs.take(spread) ^ ends))
    ck = np.array([constants for _, constants in _ORDERS], np.uint32).ravel()
    at, column = np.nonzero(change[row, None] == _t(between[row, None] ^ ck))
    which, turn = np.divmod(column, _EVERY)
    starts = row[at] * _EVERY - turn
    for first, way in zip(starts.tolist(), which.tolist(), strict=True):
        block = words[max(first, 0) : first + WORDS][:: -1 if way else 1]
        if len(block) == WORDS and holds(block) and len(set(block.tobytes())) >= _FEWEST_VALUES:
            order, key = _ORDERS[way][0], _key(block)
            yield Found(at=4 * first, size=SIZE, algorithm="sm4", bits=128, order=order, key=key)


def holds(keys: _Table) -> bool:
    """Tell whether each round key follows from the four before it."""
    ck = np.array(_CK[4:], np.uint32)
    mixed = _t(keys[1:-3] ^ keys[2:-2] ^ keys[3:-1] ^ ck)
    return bool(np.array_equal(keys[4:], keys[:-4] ^ mixed))


def _key(keys: _Table) -> bytes:
    """Go back from the first four round keys to the key."""
    k = [int(word) for word in keys[:4]]
    for number in range(3, -1, -1):
        mixed = int(_t(np.array([k[0] ^ k[1] ^ k[2] ^ _CK[number]], np.uint32))[0])
        k = [k[3] ^ mixed, *k[:3]]
    words = (word ^ fixed for word, fixed in zip(k, _FK, strict=True))
    return b"".join(word.to_bytes(4, "big") for word in words)
