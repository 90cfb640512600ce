"""Points of edwards25519 as X, Y and Z in digits of 51 bits, and the seeds beside them.

Libraries compute on extended coordinates (RFC 8032 5.1.4), five words of 64 bits each: x = X/Z and
y = Y/Z, so that a point leads to its public key, whatever else is left of that, and to the seed
that stands beside it, among however many others. Seen in Deno, whose keys are ed25519-dalek's: the
encoded point, X, Y, Z, T, and the seed. This module refuses scalars: a signature leaves the point
of its nonce in the same form.
"""

import itertools
from collections.abc import Iterator

import numpy as np

from scanner.arrays import Offsets, Words
from scanner.detect.algebra import edwards25519, gmp
from scanner.detect.algebra.edwards25519 import P
from scanner.detect.asn1.keys import okp_public
from scanner.detect.integers.limbs import WORD
from scanner.detect.integers.pool import MARGIN, Pool
from scanner.detect.integers.runs import coordinate
from scanner.detect.relations.edwards.trials import SEED, Trial
from scanner.detect.relations.places import nearby, variety

MOST_ROWS, MOST_CHECKED, MOST_TRIED = 4_000, 20_000, 4_000
"""Rows of digits that are read again (20 us), places in them where a point may begin (4 us), and
seeds that are tried beside points (30 us): of a pool."""

_SIZE, _DIGITS, _BITS = 32, 5, 51
"""Bytes of a seed; digits of a coordinate, and bits of each."""

_POINT, _WHOLE, _ROW = 3 * _DIGITS, 4 * _DIGITS, MARGIN // WORD
"""Words of X, Y and Z, and with T; and those in a row by which a point is noticed: what is kept
around a run of something else."""

_LEAST, _OVER, _LARGE = np.uint64(1 << 39), np.uint64(1 << 52), np.uint64(1 << 48)
"""A digit is smaller once in 4,096, and may have a carry; seven in eight are larger than any
address."""

_MOST_SMALL, _LEAST_LARGE = 1, 7
"""Of a point's words that may be smaller; and that are larger, but once in 50,000."""

_STEPS = (160, -64, -32, 192, 120, 152, -96, 224)
"""From X to where a seed may be, the likeliest first: behind T or Z, or before X, with the encoded
point between or without it."""


def search(pool: Pool) -> Iterator[Trial]:
    """Yield the seeds beside points of the pool that derive these, each key once."""
    marks, publics = _points(pool)
    tried: set[bytes] = set()
    found: set[bytes] = set()
    for step in _STEPS if publics else ():
        positions = _located(pool, marks + step)
        for position, public in zip(positions.tolist(), publics, strict=True):
            raw = pool.data[position : position + _SIZE].tobytes()
            if position < 0 or public in found or raw + public in tried:
                continue
            if len(tried) == MOST_TRIED:
                return
            tried.add(raw + public)
            if okp_public("ed25519", raw) == public:
                found.add(public)
                yield Trial("ed25519", position, raw, public, SEED)


def _located(pool: Pool, marks: Offsets) -> Offsets:
    """Return where coordinates of the dump are in the pool; -1 where no seed is likely."""
    found = nearby.located(pool, marks)
    found[~variety.fits(pool, found, _SIZE)] = -1
    likely = np.flatnonzero(found >= 0)
    found[likely[~variety.varied(pool.data, found[likely], _SIZE)]] = -1
    return found


def _points(pool: Pool) -> tuple[Offsets, list[bytes]]:
    """Return where X of each point stands, as coordinates, and their encodings.

    A word in eight does not look random, and two of them end a run: so a row of digits need not be
    whole in the pool, and is read again with what is around it.
    """
    where, publics, left = list[tuple[int, int]](), list[bytes](), MOST_CHECKED
    for space, first, last in itertools.islice(_spans(pool), MOST_ROWS):
        raw = pool.memory.clip(space, first, last - first)
        words = np.frombuffer(raw, "<u8", len(raw) // WORD)
        end = 0
        for index in _begins(words)[:left].tolist():
            if index < end:
                continue
            left -= 1
            if public := _encoded(words[index : index + _POINT].tolist()):
                where.append((space, first + WORD * index))
                publics.append(public)
                end = index + _POINT
    return coordinate(*np.array(where, np.int64).reshape(-1, 2).T), publics


def _spans(pool: Pool) -> Iterator[tuple[int, int, int]]:
    """Yield the space of rows of digits, and the offsets between which their points may be."""
    rows = [np.empty(0, np.int64)]
    phases = np.delete(pool.phase, list(pool.texts)) % WORD
    for start in (-np.unique(phases) % WORD).tolist() if not pool.big_endian else ():
        words = pool.data[start : start + (len(pool.data) - start) // WORD * WORD].view("<u8")
        rows.append(start + WORD * _rows(words))
    at = np.concatenate(rows)
    block = np.searchsorted(pool.at, at, side="right") - 1
    space, offset = pool.space[block], pool.offset[block] + at - pool.at[block]
    order = np.lexsort((offset, space))
    space, offset = space[order], offset[order]
    room = (_WHOLE - _ROW) * WORD
    ends = (np.diff(offset) > room) | (np.diff(space) != 0)
    first = np.flatnonzero(np.append(True, ends)) if len(at) else at
    last = np.append(first[1:], len(at))[: len(first)] - 1
    low = np.maximum(offset[first] - room, offset[first] % WORD)
    high = offset[last] + _WHOLE * WORD
    yield from zip(space[first].tolist(), low.tolist(), high.tolist(), strict=True)


def _rows(words: Words) -> Offsets:
    """List where rows of digits begin, of which one is larger than any address."""
    digit = words - _LEAST < _OVER - _LEAST
    at = np.flatnonzero(digit[: max(len(words) - _ROW + 1, 0)])
    for step in range(1, _ROW):
        at = at[digit[at + step]]
    large = words >= _LARGE
    found: Offsets = at[np.any([large[at + step] for step in range(_ROW)], axis=0)]
    return found


def _begins(words: Words) -> Offsets:
    """List where X, Y and Z may begin."""
    if len(words) < _POINT:
        return np.empty(0, np.int64)
    rows = np.lib.stride_tricks.sliding_window_view(words, _POINT)
    likely = (rows < _OVER).all(axis=1)
    likely &= (rows < _LEAST).sum(axis=1) <= _MOST_SMALL
    likely &= (rows >= _LARGE).sum(axis=1) >= _LEAST_LARGE
    return np.flatnonzero(likely)


def _encoded(digits: list[int]) -> bytes:
    """Return the encoding of the point that X, Y and Z are, or nothing.

    On the curve (RFC 8032 5.1) it holds that (Y*Y - X*X)*Z*Z = Z**4 + d*X*X*Y*Y.
    """
    x, y, z = (
        sum(digit << _BITS * place for place, digit in enumerate(digits[at : at + _DIGITS])) % P
        for at in range(0, _POINT, _DIGITS)
    )
    xx, yy, zz = x * x % P, y * y % P, z * z % P
    if not z or ((yy - xx - zz) * zz - edwards25519.D * xx * yy) % P:
        return b""
    inverse = gmp.inverse(z, P)
    return edwards25519.encoded(x * inverse % P, y * inverse % P)
