"""Who signed with a nonce of DSA: s*k = z + r*x, where x was found too (FIPS 186-4 4.6).

A nonce is told by r, which stands (``discrete``). Where a key of the same group is found with it,
every number near r that may be s gives z, which is a hash: where that stands, x signed. In doubt
nobody did.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from scanner.detect.algebra.material import Ffc, describe
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.fields import discrete
from scanner.detect.relations.places import words
from scanner.detect.relations.related import Related
from scanner.detect.relations.weierstrass import nonces, verifying
from scanner.model import NONCE_DSA

MOST_PLACES = 16
"""Places of one r near which s is looked for, the first."""

_INTEGERS = (2, 3)
"""Bytes from one INTEGER of a signature in DER to the next, whose first may be a zero."""

_Pair = tuple[Ffc, Ffc]


def search(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    """Yield what ``discrete`` finds, nonces under the name of the key that signed."""
    publics = list(publics)
    found = verifying.of_fields(pool, list(discrete.search_dsa(pool, publics)), publics)
    signed = dict(nonces.standing(pool, _hashes(pool, found)))
    for one in found:
        signer = signed.get(one.key) if isinstance(one.key, Ffc) else None
        name = bytes.fromhex(describe(signer).fingerprint.value) if signer else b""
        yield replace(one, signer=name)


def _hashes(pool: Pool, found: Sequence[Related]) -> Iterator[tuple[bytes, _Pair]]:
    """Yield what a signer would have signed with a nonce, by each number near r, and both."""
    left = nonces.MOST_PAIRS
    keys = [one.key for one in found if isinstance(one.key, Ffc) and one.proof != NONCE_DSA]
    suspects = [one.key for one in found if isinstance(one.key, Ffc) and one.proof == NONCE_DSA]
    for nonce in suspects:
        signers = [x for x in keys if (x.p, x.q, x.g) == (nonce.p, nonce.q, nonce.g)][:left]
        left -= len(signers)
        size = (nonce.q.bit_length() + 7) // 8
        r = nonce.y % nonce.q
        for s in _beside(pool, r, size) if signers else ():
            for signer in signers:
                for z in nonces.hashes(nonce.q, s * nonce.x - r * signer.x):
                    for raw in nonces.spelled(size, z):
                        yield raw, (nonce, signer)


def _beside(pool: Pool, r: int, size: int) -> Iterator[int]:
    """Yield what may be s, near where r stands."""
    hows = readings.unpacked(pool.readings)
    forms = [readings.encode(how, r, 8 * size) for how in hows]
    for _, position in itertools.islice(words.find_whole(pool.data, forms), MOST_PLACES):
        for at in (position + size + step for step in _INTEGERS):
            yield int.from_bytes(pool.data[at : at + size].tobytes(), "big")
        yield from nonces.numbers(pool, size, [pool.place(position, size)])
