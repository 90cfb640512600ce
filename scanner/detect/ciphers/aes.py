"""AES key schedules: round keys that recompute from each other, in every order they are kept.

A key schedule obeys w[i] = w[i-Nk] ^ w[i-1] in three words of four (FIPS 197 section 5.2). XOR
works bytewise, so at any byte offset twelve zero bytes of that sum hold two whole aligned words:
aligned words alone find schedules at every alignment. What passes is recomputed whole, S-box and
all: nothing less is a finding. Raw keys without a schedule are not found here; bit-sliced schedules
(VPAES, fixslice) are not either.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from scanner.detect.ciphers.schedules import Found

ROUNDS = {4: 10, 6: 12, 8: 14}
"""Rounds by words of the key (Nk)."""

_FEWEST_VALUES = 16
"""Different byte values in the first 64 bytes of a schedule: fewer is a table or a fill."""

_Words = npt.NDArray[np.uint32]

# Forward: x[i] ^ x[i-1] ^ x[i-Nk]. Backward, as decryption keeps its rounds in reverse order:
# x[i] ^ x[i-1] ^ x[i+Nk] for Nk 4 and 8; for Nk 6 the sum that stays inside of two blocks.
_RELATIONS: tuple[tuple[int, int, int, int, int, str], ...] = (
    # (Nk, lag, index of the first zero sum, zero sums in a row that are whole words, words until
    # the next ones, order)
    (4, -4, 5, 2, 4, "encryption"),
    (6, -6, 7, 2, 6, "encryption"),
    (8, -8, 9, 2, 4, "encryption"),
    (4, 4, 5, 2, 4, "decryption"),
    (8, 8, 5, 2, 4, "decryption"),
    (6, 2, 6, 1, 12, "decryption"),  # eight zero bytes: one whole word at an odd offset
)


def _sbox() -> tuple[int, ...]:
    """Compute the AES S-box (FIPS 197 section 5.1.1) from the generator 3 of GF(2**8)."""
    box = [0x63] * 256
    p = q = 1
    while True:
        p ^= (p << 1) ^ (0x11B if p & 0x80 else 0)
        p &= 0xFF
        for shift in (1, 2, 4):
            q ^= q << shift
        q &= 0xFF
        q ^= 0x09 if q & 0x80 else 0
        rotated = [(q << k | q >> (8 - k)) & 0xFF for k in range(5)]
        value = 0x63
        for turn in rotated:
            value ^= turn
        box[p] = value
        if p == 1:
            return tuple(box)


_SBOX = _sbox()
_RCON = (0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1B, 0x36)


def find(data: bytes | memoryview) -> Iterator[Found]:
    """Yield every schedule in bytes that begin at a word, once for each place."""
    words = np.frombuffer(data, np.uint32, len(data) // 4)
    done: dict[tuple[int, str], int] = {}
    for size, order, at in _candidates(words):
        if at < done.get((size, order), 0):
            continue
        length = 16 * (ROUNDS[size] + 1)
        block = bytes(data[at : at + length])
        name = _recompute(block, length, size, order)
        if name is None:
            continue
        done[size, order] = at + length - 4 * size
        yield Found(
            at=at,
            size=length,
            algorithm="aes",
            bits=32 * size,
            order=name,
            key=_key(block, size, name),
        )


def _key(block: bytes, size: int, order: str) -> bytes:
    """Return the raw key that a schedule was made of: the first words of its forward order."""
    block = _swapped(block) if order.endswith("swapped") else block
    backward = order.startswith("decryption")
    return b"".join(_word(block, k, backward=backward) for k in range(size))


def _candidates(words: _Words) -> Iterator[tuple[int, str, int]]:
    """Yield (Nk, order, byte offset of the start) wherever sums are zero in two rounds in a row."""
    if len(words) < 44:  # the shortest schedule
        return
    step = words[1:] ^ words[:-1]  # step[i-1] = x[i] ^ x[i-1]
    for size, lag, first, row, period, order in _RELATIONS:
        if lag < 0:
            zero = step[-lag - 1 :] == words[: len(words) + lag]
            base = -lag
        else:
            zero = step[: len(step) - lag] == words[lag + 1 :]
            base = 1
        if not zero.any():
            continue
        if row == 2:
            zero = zero[1:] & zero[:-1]
        zero = zero[:-period] & zero[period:]
        if row == 1:
            zero = zero[:-period] & zero[period:]
        hits = np.flatnonzero(zero)
        hits = hits[step[hits + base - 1] != 0]
        for index in (hits + base).tolist():
            for shift in range(4):
                start = 4 * (index - first) - shift
                if start >= 0:
                    yield size, order, start


def _recompute(block: bytes, length: int, size: int, order: str) -> str | None:
    """Tell whether a whole schedule stands there, and with which order of bytes in its words."""
    if len(block) < length or len(set(block[:64])) < _FEWEST_VALUES:
        return None
    for name, keys in ((order, block), (f"{order} swapped", _swapped(block))):
        if _holds(keys, size, backward=order == "decryption"):
            return name
    return None


def _swapped(block: bytes) -> bytes:
    return np.frombuffer(block, "<u4").byteswap().tobytes()


def _word(block: bytes, index: int, *, backward: bool) -> bytes:
    """Return word ``index`` of the encryption order.

    ``backward`` undoes the equivalent inverse cipher's order (FIPS 197 section 5.3.5): its rounds
    stand in reverse, and all but the first and the last are unmixed.
    """
    at = 4 * index
    if not backward:
        return block[at : at + 4]
    at = len(block) - 16 * (index // 4 + 1) + 4 * (index % 4)
    word = block[at : at + 4]
    return word if at < 16 or at >= len(block) - 16 else _mixed(word)


def _mixed(column: bytes) -> bytes:
    """MixColumns of one column (FIPS 197 section 5.1.3)."""
    a, b, c, d = column
    total = a ^ b ^ c ^ d
    return bytes(
        value ^ total ^ _double(value ^ after) for value, after in ((a, b), (b, c), (c, d), (d, a))
    )


def _double(value: int) -> int:
    return (value << 1) ^ (0x11B if value & 0x80 else 0)


def _holds(block: bytes, size: int, *, backward: bool) -> bool:
    """Recompute every word of a schedule from the one before and the one Nk before."""
    words = [_word(block, index, backward=backward) for index in range(size)]
    for index in range(size, len(block) // 4):
        last = words[-1]
        if index % size == 0:
            last = bytes(_SBOX[byte] for byte in last[1:] + last[:1])
            last = bytes((last[0] ^ _RCON[index // size - 1], *last[1:]))
        elif size == 8 and index % 8 == 4:
            last = bytes(_SBOX[byte] for byte in last)
        word = _word(block, index, backward=backward)
        if word != bytes(a ^ b for a, b in zip(words[index - size], last, strict=True)):
            return False
        words.append(word)
    return True
