"""SHA-512 of an Ed25519 seed: its first half is the scalar a, but for five bits (RFC 8032 5.1.5).

Whoever signs hashes the seed first, and may leave the 64 bytes on its stack or its heap after the
key is gone; they sign whatever one likes. Seen in Go, in esbuild as a server. This module refuses
digests that neither begin nor end where a run of what looks random does.
"""

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.algebra import curve25519
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.edwards import trials
from scanner.detect.relations.edwards.trials import DIGEST, Trial
from scanner.detect.relations.places import variety

MOST = (400, 100)
"""Digests that are tried, at 45 us each: in few runs, and in many."""

_SIZE, _HALF = 64, 32


def search(pool: Pool) -> list[Trial]:
    """Derive y of a*B for what may be digests."""
    spots = _places(pool, pool.budget(*MOST))
    rows = curve25519.clamped(pool.data[spots[:, None] + np.arange(_HALF)])
    points, there = curve25519.edwards(rows, signed=False)
    return [
        Trial("ed25519", int(spots[at]), rows[at].tobytes(), points[at].tobytes(), DIGEST)
        for at in np.flatnonzero(there).tolist()
    ]


def clamped(raw: bytes) -> bytes:
    """Return the scalar that the first half of a digest gives."""
    return bytes((raw[0] & 0xF8,)) + raw[1:31] + bytes((raw[31] & 0x7F | 0x40,))


def _places(pool: Pool, most: int) -> Offsets:
    """Return where digests may stand: those that fill a run first, then ends and beginnings."""
    whole = (pool.head >= 0) & (pool.tail >= 0)
    long = ~whole | (pool.tail - pool.head >= _SIZE)
    ends = pool.tail[long & (pool.tail >= 0)] - _SIZE
    begins = pool.head[long & (pool.head >= 0)]
    found = np.concatenate((trials.filled(pool, _HALF, most), ends, begins))
    found = found[variety.fits(pool, found, _SIZE)]
    found = found[variety.varied(pool.data, found, _SIZE)]
    return found[variety.once(pool.data, found, _SIZE)[:most]]
