"""The primes of an RSA key whose DER lies in rows of equal size, in no order.

The first row says how long the modulus is, and so where all numbers stand, but for the length of d,
of which a few are tried. Headers tell the rows in which the numbers end. From there both primes are
put together from their low ends, a row of each at a time: of all pairs of rows the right one makes
a product whose low bytes stand in rows too, as the modulus. That takes as many multiplications as
there are pairs, and never more than a stated count of them; no order of the rows is asked for.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanner.detect.algebra import effort

E = 65537
"""The exponent that is looked for; all others are rare."""

PRODUCTS = 1_000_000
"""Products that are made for a row more of each prime, at most."""

BEGINNINGS = 4096
"""Ways in which rows may be those in which p, q and n end, at most."""

_TAIL = 8
"""Bytes at the end of a row by which it is looked up."""

_EACH = 0.7
"""Microseconds of a product, with what is compared."""

_PRIMES = range(64, 512 + 1)
"""Bytes of a prime: of moduli of 1024 bits and more."""

_VERSION = bytes.fromhex("020100")
_RSA = bytes.fromhex("300d06092a864886f70d0101010500")
_EXPONENT = bytes.fromhex("0203010001")

Known = tuple[tuple[int, bytes], ...]
"""What stands where in the object: (offset, bytes)."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Layout:
    """Where the numbers stand in the object: first byte and the one behind the last."""

    n: tuple[int, int]
    p: tuple[int, int]
    q: tuple[int, int]
    known: Known


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _State:
    """Low bytes of three numbers, and how many of each are known."""

    p: int
    q: int
    n: int
    low: int
    """Bytes of n that are known."""


def factors(first: bytes, rows: Sequence[bytes]) -> tuple[int, int] | None:
    """Return both primes, in the order of the file.

    Rows are as long as the first one. Whoever asks may be sure of p*q = n: the bytes of n stand in
    the first row and in others.
    """
    for layout in _layouts(first):
        for state in _lifted(first, rows, layout):
            n = state.p * state.q
            size = layout.n[1] - layout.n[0]
            whole = n.to_bytes(2 * size, "big")[-size:]
            held = _within(whole, layout.n[0], len(first))
            begins = whole.startswith(first[layout.n[0] :])
            if n.bit_length() == 8 * size and begins and set(rows).issuperset(held):
                return state.p, state.q
    return None


def written(p: int, q: int) -> tuple[bytes, ...]:
    """Return the numbers of the key as DER has them, with d modulo either order of the group."""
    order = (p - 1) * (q - 1)
    exponents = (pow(E, -1, order), pow(E, -1, order // math.gcd(p - 1, q - 1)))
    return tuple(
        b"".join(map(_integer, (p * q, E, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))))
        for d in exponents
    )


def _integer(value: int) -> bytes:
    size = value.bit_length() // 8 + 1
    return _header(size) + value.to_bytes(size, "big")


def fits(row: bytes, index: int, known: Known) -> bool:
    """Tell whether a row may be that of an index, by what is known to stand in it."""
    start = index * len(row)
    for at, raw in known:
        low, high = max(at, start), min(at + len(raw), start + len(row))
        if low < high and row[low - start : high - start] != raw[low - at : high - at]:
            return False
    return True


def _header(size: int) -> bytes:
    """Return the header of an INTEGER with so many bytes of content."""
    if size < 0x80:
        return bytes((2, size))
    if size < 0x100:
        return bytes((2, 0x81, size))
    return bytes((2, 0x82, size >> 8, size & 0xFF))


def _layouts(first: bytes) -> Iterator[_Layout]:
    """Yield where the numbers may stand, by the first row: PKCS#1, or PKCS#8 with it inside."""
    at = 4 + len(_VERSION)
    if first[:2] != b"\x30\x82" or first[4:at] != _VERSION:
        return
    if first.startswith(_RSA, at):
        at += len(_RSA) + 4 + 4 + len(_VERSION)
        if first[at - len(_VERSION) : at] != _VERSION:
            return
    sizes = (size for size in _PRIMES if first.startswith(_header(2 * size + 1) + b"\0", at))
    for size in sizes:
        n = at + len(_header(2 * size + 1)) + 1
        end = n + 2 * size
        prime = _header(size + 1) + b"\0"
        for length in range(2 * size + 1, 2 * size - 3, -1):
            exponent = _EXPONENT + _header(length)
            d = end + len(exponent) + length
            p = d + len(prime)
            q = p + size + len(prime)
            known = ((end, exponent), (d, prime), (p + size, prime), (q + size, b"\x02"))
            yield _Layout((n, end), (p, p + size), (q, q + size), known)


def _part(row: bytes, index: int, number: tuple[int, int]) -> bytes:
    """Return the bytes of a number that stand in a row."""
    start = index * len(row)
    return row[max(number[0] - start, 0) : max(number[1] - start, 0)]


def _lifted(first: bytes, rows: Sequence[bytes], layout: _Layout) -> Iterator[_State]:
    """Yield the primes whose product is the modulus as far as rows tell."""
    width = len(first)
    ends = [(number[1] - 1) // width for number in (layout.p, layout.q, layout.n)]
    if ends[2] == 0:
        return
    size = layout.p[1] - layout.p[0]
    tails: dict[int, bytes] = {int.from_bytes(row[-_TAIL:], "big"): row for row in rows}
    last = [[row for row in rows if fits(row, index, layout.known)] for index in ends]
    if math.prod(map(len, last)) > BEGINNINGS:
        return
    have = [(number[1] - 1) % width + 1 for number in (layout.p, layout.q)]
    states = [
        state
        for held in itertools.product(*last)
        if _agree(state := _begun(held, ends, layout), min(*have, state.low))
    ]
    while states and min(have) < size:
        ends = [index - 1 for index in ends]
        more = [
            [_part(row, ends[k], number) for row in rows if fits(row, ends[k], layout.known)]
            if have[k] < size
            else [b""]
            for k, number in enumerate((layout.p, layout.q))
        ]
        count = len(states) * len(more[0]) * len(more[1])
        if not 0 < count <= PRODUCTS:
            return
        effort.iterations(count, _EACH)
        grown = [have[k] + len(more[k][0]) for k in (0, 1)]
        states = [
            longer for state in states for longer in _longer(state, more, have, min(grown), tails)
        ]
        have = grown
    yield from states


def _begun(held: tuple[bytes, ...], ends: Sequence[int], layout: _Layout) -> _State:
    """Return what the rows say in which p, q and n end."""
    numbers = (layout.p, layout.q, layout.n)
    parts = [_part(*row) for row in zip(held, ends, numbers, strict=True)]
    p, q, n = (int.from_bytes(raw, "big") for raw in parts)
    return _State(p, q, n, len(parts[2]))


def _agree(state: _State, low: int) -> bool:
    """Tell whether the low bytes of a product are those of the modulus."""
    return not (state.p * state.q ^ state.n) & ((1 << 8 * low) - 1)


def _longer(
    state: _State,
    more: Sequence[Sequence[bytes]],
    have: Sequence[int],
    low: int,
    tails: dict[int, bytes],
) -> Iterator[_State]:
    """Yield a state with a row more of each prime, where the product stands in rows."""
    other = [int.from_bytes(raw, "big") << 8 * have[1] | state.q for raw in more[1]]
    known = (1 << 8 * min(low, state.low)) - 1
    mask = (1 << 8 * low) - 1
    for raw in more[0]:
        p = int.from_bytes(raw, "big") << 8 * have[0] | state.p
        for q in other:
            product = p * q & mask
            if (product ^ state.n) & known:
                continue
            n, size = _followed(product, low, state, tails)
            if size:
                yield _State(p, q, n, size)


def _followed(product: int, low: int, state: _State, tails: dict[int, bytes]) -> tuple[int, int]:
    """Return the modulus with the rows that a product leads to; 0 bytes where there is none."""
    n, size = state.n, state.low
    while low - size >= _TAIL:
        row = tails.get(product >> 8 * size & ((1 << 8 * _TAIL) - 1))
        if row is None:
            return 0, 0
        shown = min(len(row), low - size)
        value = int.from_bytes(row, "big")
        if (product >> 8 * size ^ value) & ((1 << 8 * shown) - 1):
            return 0, 0
        n |= value << 8 * size
        size += len(row)
    return n, size


def _within(number: bytes, start: int, width: int) -> list[bytes]:
    """Return the rows that lie wholly inside of a number which begins at ``start``."""
    return [
        number[at - start : at - start + width]
        for at in range(-(-start // width) * width, start + len(number) - width + 1, width)
    ]
