"""Exponents of Diffie-Hellman and ElGamal that DER gave, whose public number stands as a bare one.

PKCS#8 holds x and no y (PKCS #3, RFC 5958): the y that x gives was computed where it was read, and
a key of which nothing else stands is no proof. Where that y stands in the pool, x is looked for in
its OCTET STRING and raised once. Exponents of any length: those that stand alone, which are tried
by the hundred, are short. Seen in Bouncy Castle, whose x is as long as p, and y is Java's words.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from scanner.detect.algebra import effort, gmp
from scanner.detect.algebra.material import Ffc
from scanner.detect.algebra.publics import BARE, PublicKey
from scanner.detect.asn1 import der
from scanner.detect.asn1.der import Malformed, Reader
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import BYTES
from scanner.detect.relations.fields.logarithms import Piece
from scanner.detect.relations.places import digits, words
from scanner.detect.relations.related import Related

MOST_KEYS, MOST_WRAPPED = 64, 1 << 16
"""Keys whose y is looked for, and places at which an INTEGER in an OCTET STRING may begin."""

SPENT, LEAST = 60_000, 8
"""Microseconds that exponentiations in one group take, and how many there are at least."""

_WORD = 8
_WRAPPED = re.compile(rb"\x04(?:\x82[\x00-\x08].|\x81.|.)(?=\x02)", re.DOTALL)
_LONGEST = 4 + 4 + 1 + 1024
"""Bytes of an OCTET STRING that holds an INTEGER of 8192 bits."""


def search(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    """Yield each key without an order whose x is written in the pool, and whose y stands there."""
    there = {(key.group, key.y): key for key in _standing(pool, _derived(publics))}
    pieces = list(_wrapped(pool)) if there else []
    for group in dict.fromkeys(group for group, _ in there):
        p, _, g = group
        fit = {piece.x: piece for piece in pieces if 1 < piece.x < p}
        most = max(SPENT // effort.raising(p.bit_length(), p.bit_length()), LEAST)
        for piece in itertools.islice(fit.values(), most):
            key = there.get((group, gmp.power(g, piece.x, p)))
            if key is not None:
                yield Related(
                    key=Ffc(algorithm=key.algorithm, p=p, q=0, g=g, x=piece.x, y=key.y),
                    proof="g**x = y",
                    encoding=f"x {BYTES.name}",
                    places=(pool.place(piece.position, piece.size),),
                )


def _derived(publics: Iterable[PublicKey]) -> list[PublicKey]:
    """Return the public keys that an exponent in DER gave: nothing says where they stand."""
    found = (
        key
        for key in publics
        if not key.n and not key.group[1] and key.witness.kind == BARE and key.witness.place is None
    )
    return list(itertools.islice(found, MOST_KEYS))


def _standing(pool: Pool, keys: Sequence[PublicKey]) -> Iterator[PublicKey]:
    """Yield the keys whose y stands, in any reading, in Montgomery form too."""
    hows = (*readings.unpacked(pool.readings), *digits.held(pool.readings))
    forms = [
        (key, how, readings.encode(how, number, key.bits))
        for key in keys
        for how in hows
        for number in (key.y, key.y * digits.radix(how, key.bits) % key.group[0])
    ]
    forms = [form for form in forms if any(form[2][:_WORD])]  # a made y may begin with zeros
    for index, position in words.find(pool.data, words.firsts(raw for *_, raw in forms)):
        key, how, raw = forms[index]
        if readings.stands(how, pool.data, position, raw):
            yield key


def _wrapped(pool: Pool) -> Iterator[Piece]:
    """Yield the INTEGERs that fill an OCTET STRING, at any byte: a privateKey of PKCS#8."""
    for match in itertools.islice(_WRAPPED.finditer(pool.data.data), MOST_WRAPPED):
        whole = Reader(pool.data[match.start() : match.start() + _LONGEST].tobytes())
        try:
            inner = Reader(whole.content(der.OCTET_STRING))
            x = inner.integer()
            inner.finish()
        except Malformed:
            continue
        size = (x.bit_length() + 7) // 8
        yield Piece(x, match.start() + whole.at - size, size, BYTES)
