"""Which scalars in digits are nonces of signatures: s*k = z + r*d, with a key that was found too.

A nonce's point stands in digits as a key's does (elliptic and BN.js on Node.js compute it), and
what tells them is as in ``nonces``: r is the point's x, s stands near it in the same digits, and
with the d that signed they give z, which is a hash: where that stands, in digits or as bytes, k is
a nonce. In doubt a scalar is a key.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.algebra.material import Ec, describe
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.places import digits, words
from scanner.detect.relations.related import Related
from scanner.detect.relations.weierstrass import (
    challenges,
    digit_scalars,
    hashed_texts,
    nonces,
    sm2_signatures,
    tweaks,
    verifying,
)
from scanner.detect.relations.weierstrass.curves import CURVES
from scanner.model import NONCE

MOST_PLACES = 16
"""Places of one r near which s is looked for, the first."""

MOST_NUMBERS = 100
"""Numbers near r that are tried as s: V8 lays some forty of a signature's between the two."""

_Pair = tuple[Ec, Ec]
"""A nonce, and the key that signed."""


def search(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    """Yield what ``digit_scalars`` finds, nonces under their name and that of who signed."""
    publics = list(publics)
    found = verifying.of_curves(pool, list(digit_scalars.search(pool, publics)), publics)
    found = challenges.without(pool, tweaks.without(pool, found, publics), publics)
    found = sm2_signatures.without(pool, hashed_texts.without(pool, found, publics), publics)
    known = {(key.curve, key.x) for key in publics if key.independent}
    keys = [(one.key, _how(pool, one)) for one in found if isinstance(one.key, Ec)]
    suspects = [(key, how) for key, how in keys if (key.curve, key.x) not in known]
    signed = dict(nonces.standing(pool, _hashes(pool, suspects, [key for key, _ in keys])))
    for one in found:
        signer = signed.get(one.key) if isinstance(one.key, Ec) else None
        if signer is None or signer in signed:
            yield one
        else:
            name = bytes.fromhex(describe(signer).fingerprint.value)
            yield replace(one, proof=NONCE, signer=name)


def _how(pool: Pool, one: Related) -> Reading:
    """Return in which digits a scalar was read."""
    return next(how for how in pool.readings if one.encoding.endswith(f" {how.name}"))


def _hashes(
    pool: Pool, suspects: Sequence[tuple[Ec, Reading]], signers: Sequence[Ec]
) -> Iterator[tuple[bytes, _Pair]]:
    """Yield what a signer would have signed with a nonce, by each number near r, and both.

    Where signers are too many for a curve, the first nonces are tried with all of them.
    """
    left = dict.fromkeys(CURVES, nonces.MOST_PAIRS)
    listed = functools.cache(functools.partial(digits.whole, pool))
    for key, how in suspects:
        curve = CURVES[key.curve]
        others = [d for d in signers if d.curve == key.curve and d.x != key.x][: left[key.curve]]
        left[key.curve] -= len(others)
        for s in _beside(pool, key, how, listed) if others else ():
            part, bits = s * key.d % curve.n, curve.n.bit_length()
            for signer in others:
                rest = key.x * signer.d
                for z in nonces.hashes(curve.n, part - rest, -part - rest):
                    yield readings.encode(how, z, bits)[how.shift // 8 :], (key, signer)
                    for raw in nonces.spelled(curve.size, z):
                        yield raw, (key, signer)


def _beside(
    pool: Pool, key: Ec, how: Reading, listed: Callable[[Reading, int], Offsets]
) -> list[int]:
    """Return what may be s: the numbers nearest to where r stands, in the same digits."""
    curve = CURVES[key.curve]
    bits = curve.n.bit_length()
    size, r = readings.width(how, bits), readings.encode(how, key.x % curve.n, bits)
    zeros = how.shift // 8
    found = (at - zeros for _, at in words.find(pool.data, words.firsts([r[zeros:]])))
    standing = (at for at in found if readings.stands(how, pool.data, at, r))
    places = list(itertools.islice(standing, MOST_PLACES))
    numbers = listed(how, bits) if places else np.empty(0, np.int64)
    if not len(numbers):
        return []
    apart = functools.reduce(np.minimum, (np.abs(numbers - at) for at in places))
    numbers = numbers[np.argsort(apart, kind="stable")[:MOST_NUMBERS]]
    values = readings.decode_all(how, pool.data[numbers[:, None] + np.arange(size)])
    return [s for s in values if s != key.x and 0 < s < curve.n]
