"""DES and Triple DES key schedules, as OpenSSL and what descends from it keep them.

DES_key_schedule (des.h) has eight bytes a round: 48 bits of round key in two words, of which the
four S-boxes of each leave two bits in eight empty. Sixteen rounds with the right bits empty are
rare; what passes is taken back to the 56 bits of the key (FIPS 46-3 appendix), each of which stands
in some fourteen rounds: all 768 must agree. Three schedules in a row are one key of Triple DES.
Schedules of other libraries look different and are not found; one of 400 of OpenSSL's does not look
random enough to be looked at.
"""

from collections.abc import Iterator

import numpy as np

from scanner.detect.ciphers.schedules import Found

ROUNDS, SIZE = 16, 128
"""Rounds, and bytes of one schedule."""

_EMPTY = np.uint64(0x30303030_03030303)
"""Bits of a round that no S-box uses: the first word is rotated by two, the second by six."""

_PC1 = (
    *(57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3),
    *(60, 52, 44, 36, 63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45),
    *(37, 29, 21, 13, 5, 28, 20, 12, 4),
)
"""Permuted choice 1: bits of the key that make C and D, counted from one."""

_PC2 = (
    *(14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2),
    *(41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29),
    32,
)
"""Permuted choice 2: bits of C and D that make a round key, counted from one."""

_SHIFTS = (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1)
_FEWEST_VALUES = 24
"""Different byte values of a schedule: fewer is a table, or a weak key's."""


def _bit(group: int, number: int) -> int:
    """Return where in the 64 bits of a round a bit stands that goes into an S-box."""
    if group % 2 == 0:
        return 4 * group + 2 + number
    return 32 + (4 * (group - 1) + 6 + number) % 32


def _sources() -> tuple[tuple[tuple[int, int], ...], ...]:
    """Return for each round where its bits stand, and which bit of C and D each is."""
    rounds, turned = [], 0
    for shift in _SHIFTS:
        turned += shift
        rounds.append(
            tuple(
                (
                    _bit(k // 6, k % 6),
                    (source - 1 + turned) % 28
                    if source <= 28
                    else 28 + (source - 29 + turned) % 28,
                )
                for k, source in enumerate(_PC2)
            )
        )
    return tuple(rounds)


_SOURCES = _sources()


def find(data: bytes | memoryview) -> Iterator[Found]:
    """Yield every schedule in bytes that begin at a word, and three in a row as one."""
    keys: dict[int, bytes] = {}
    for at in _candidates(data):
        key = key_of(bytes(data[at : at + SIZE]))
        if key is not None:
            keys[at] = key
    taken: set[int] = set()
    for at, key in sorted(keys.items()):
        if at in taken:
            continue
        three = [keys[place] for place in (at, at + SIZE, at + 2 * SIZE) if place in keys]
        if len(three) == 3:
            taken.update((at + SIZE, at + 2 * SIZE))
            bits = 112 if three[0] == three[2] else 168
            yield _found(at, 3 * SIZE, "3des", bits, b"".join(three))
        else:
            yield _found(at, SIZE, "des", 56, key)


def _found(at: int, size: int, algorithm: str, bits: int, key: bytes) -> Found:
    return Found(at=at, size=size, algorithm=algorithm, bits=bits, order="encryption", key=key)


def _candidates(data: bytes | memoryview) -> Iterator[int]:
    """Yield where sixteen rounds in a row have the right bits empty, at either half of a word."""
    for phase in (0, 4):
        rounds = np.frombuffer(data, "<u8", (len(data) - phase) // 8, phase)
        if not ((rounds[ROUNDS - 1 :: ROUNDS] & _EMPTY) == 0).any():
            continue
        fits = np.flatnonzero(((rounds & _EMPTY) == 0) & (rounds != 0))
        starts = fits[: max(len(fits) - ROUNDS + 1, 0)]
        whole = starts[fits[ROUNDS - 1 :] - starts == ROUNDS - 1]
        yield from (8 * index + phase for index in whole.tolist())


def key_of(schedule: bytes) -> bytes | None:
    """Return the eight bytes of the key, parity bits made odd, or None if any two bits disagree."""
    if len(schedule) < SIZE or len(set(schedule)) < _FEWEST_VALUES:
        return None
    halves: dict[int, int] = {}
    for number, sources in enumerate(_SOURCES):
        word = int.from_bytes(schedule[8 * number : 8 * number + 8], "little")
        for bit, source in sources:
            value = word >> bit & 1
            if halves.setdefault(source, value) != value:
                return None
    key = sum(halves[k] << 64 - place for k, place in enumerate(_PC1))
    return bytes(byte | (byte.bit_count() + 1) % 2 for byte in key.to_bytes(8, "big"))
