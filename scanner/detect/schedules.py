"""AES key schedules: round keys that recompute from each other, in every order they are kept.

An expanded key is 176, 208 or 240 bytes that look random, so it lies in (or around) a
random-looking run: only those bytes are searched. A key schedule obeys w[i] = w[i-Nk] ^ w[i-1] in
three words of four (FIPS 197 section 5.2). XOR works bytewise, so at any byte offset twelve zero
bytes of that sum hold two whole aligned words: aligned words alone find schedules at every
alignment. What passes is recomputed whole, S-box and all: nothing less is a finding. Raw keys
without a schedule are not found here; bit-sliced schedules (VPAES, fixslice) are not either.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from scanner.detect.limbs import Runs
from scanner.dump.space import Memory
from scanner.model import Place

ROUNDS = {4: 10, 6: 12, 8: 14}
"""Rounds by words of the key (Nk)."""

AROUND = 256
"""Bytes around a run that are searched too: a weak key's first words need not look random."""

SHORTEST = 96
"""Bytes of the shortest run that is looked at: two thirds of the smallest schedule look random."""

BLOCK = 4 << 20
"""Bytes that are searched at once."""

GAP = 1024
"""Bytes between runs that are sooner read than left out."""

_FEWEST_VALUES = 16
"""Different byte values in the first 64 bytes of a schedule: fewer is a table or a fill."""

_Words = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One expanded key."""

    bits: int
    """128, 192 or 256."""
    order: str
    """``encryption`` or ``decryption``; `` swapped`` where words are big-endian loaded."""
    place: Place
    number: int = 0
    """Which key of the dump it is: schedules of one key have one number."""


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


def search(memory: Memory, runs: Runs) -> Iterator[Schedule]:
    """Yield every schedule that lies in the runs or around them, once for each place."""
    numbers: dict[bytes, int] = {}
    for schedule in _all(memory, runs):
        place = schedule.place
        key = _key(memory.read(place.space, place.offset, place.size), schedule)
        yield replace(schedule, number=numbers.setdefault(key, len(numbers)))


def _key(block: bytes, schedule: Schedule) -> bytes:
    """Return the raw key that a schedule was made of: the first words of its forward order."""
    block = _swapped(block) if schedule.order.endswith("swapped") else block
    backward = schedule.order.startswith("decryption")
    return b"".join(_word(block, k, backward=backward) for k in range(schedule.bits // 32))


def _all(memory: Memory, runs: Runs) -> Iterator[Schedule]:
    seen: set[tuple[int, int]] = set()
    for parts in _blocks(memory, runs):
        data = b"".join(raw for _, _, raw in parts)
        starts = np.cumsum([0, *(len(raw) for _, _, raw in parts)])
        words = np.frombuffer(data, np.uint32, len(data) // 4)
        done: dict[tuple[int, str], int] = {}
        for size, order, at in _candidates(words):
            if at < done.get((size, order), 0):
                continue
            part = int(np.searchsorted(starts, at, side="right")) - 1
            space, offset, raw = parts[part]
            inside = at - int(starts[part])
            found = _recompute(raw, inside, size, order)
            if found is None:
                continue
            place = Place(space=space, offset=offset + inside, size=16 * (ROUNDS[size] + 1))
            done[size, order] = at + place.size - 4 * size
            if (place.space, place.offset) not in seen:
                seen.add((place.space, place.offset))
                yield Schedule(bits=32 * size, order=found, place=place)


def _blocks(memory: Memory, runs: Runs) -> Iterator[list[tuple[int, int, bytes]]]:
    """Yield (space, offset, bytes) of the runs and what is around them, near ones together."""
    parts: list[tuple[int, int, bytes]] = []
    total = 0
    for space, first, end in _ranges(memory, runs):
        at = first
        while at < end:
            raw = memory.clip(space, at, min(end - at, BLOCK))
            parts.append((space, at, raw + bytes(-len(raw) % 4)))
            total += len(raw)
            at = end if at + len(raw) >= end else at + len(raw) - 2 * AROUND
            if total >= BLOCK:
                yield parts
                parts, total = [], 0
    if parts:
        yield parts


def _ranges(memory: Memory, runs: Runs) -> Iterator[tuple[int, int, int]]:
    """Yield (space, start, end) of what is worth a look, each byte once, a read at a time."""
    long = runs.end - runs.start >= SHORTEST
    space = runs.space[long]
    start = np.maximum(runs.start[long] - AROUND, 0)
    end = np.minimum(runs.end[long] + AROUND, memory.map.size[space])
    if len(space) == 0:
        return
    fresh = np.ones(len(space), np.bool_)
    fresh[1:] = (space[1:] != space[:-1]) | (start[1:] > end[:-1] + GAP)
    heads = np.flatnonzero(fresh)
    tails = np.append(heads[1:], len(space)) - 1
    yield from zip(space[heads].tolist(), start[heads].tolist(), end[tails].tolist(), strict=True)


def _candidates(words: _Words) -> Iterator[tuple[int, str, int]]:
    """Yield (Nk, order, byte offset of the start) wherever sums are zero in two rounds in a row."""
    if len(words) < 64:
        return
    step = words[1:] ^ words[:-1]  # step[i-1] = x[i] ^ x[i-1]
    for size, lag, first, row, period, order in _RELATIONS:
        if lag < 0:
            rest = step[-lag - 1 :] ^ words[: len(words) + lag]
            base = -lag
        else:
            rest = step[: len(step) - lag] ^ words[lag + 1 :]
            base = 1
        zero = rest == 0
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


def _recompute(raw: bytes, at: int, size: int, order: str) -> str | None:
    """Tell whether a whole schedule stands there, and with which order of bytes in its words."""
    length = 16 * (ROUNDS[size] + 1)
    block = raw[at : at + length]
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
