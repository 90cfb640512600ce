"""What must hold of a result, whatever the input was: arithmetic and accounts, done again here.

A parser says that a number is a key; here that is worked out anew, by other means. What leaves a
parser must hold nothing of what it read, and each place must lie within the bytes.
"""

import functools
import re
import time
import zlib
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, x448, x25519

from scanner.detect.algebra import curve_points
from scanner.detect.algebra.material import Ec, Ffc, Foreign, Material, Okp, Pqc, Rsa
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import Proved
from scanner.detect.locked.locks import Lock
from scanner.detect.locked.sealed import Sealed
from scanner.errors import ScannerError
from scanner.model import Candidate, Confidence, Layout, Place

RUN = 12
"""Bytes of an input that a text may not repeat; fewer are in many words of ours."""

DEAR = 10_000
"""Microseconds of one try of a passphrase, at most."""

MOST_DIGITS = 1024
"""Bytes of a secret that is also looked for as a number; Python writes no longer ones."""

Found = Proved | PublicKey | Sealed
_Point = tuple[int, int] | None

_OKP: dict[str, Any] = {
    "ed25519": ed25519.Ed25519PrivateKey,
    "x25519": x25519.X25519PrivateKey,
    "ed448": ed448.Ed448PrivateKey,
    "x448": x448.X448PrivateKey,
}


def chosen(data: bytes, one_in: int = 8) -> bool:
    """Tell whether an input is one of those for which a dear check is made, always the same."""
    return zlib.crc32(data) % one_in == 0


def finding(found: Found, size: int) -> None:
    """Check what a detector says of an input of ``size`` bytes."""
    match found:
        case PublicKey():
            if found.witness.place is not None:
                within(found.witness.place, size)
        case Sealed():
            said(found.candidate, size)
            assert found.candidate.confidence < Confidence.PROOF, "a sealed secret is never proved"
            silent(found.candidate, found.value)
            lock(found.lock, found.value)
        case Proved():
            said(found.candidate, size)
            material(found.material)
            for value in secrets(found.material):
                silent(found.candidate, value)


def said(candidate: Candidate, size: int) -> None:
    """Check a candidate: it lies somewhere, and a proof is named where there is one."""
    assert candidate.places, "a candidate lies somewhere"
    for place in candidate.places:
        within(place, size)
    assert (candidate.confidence is Confidence.PROOF) == bool(candidate.proof)


def lock(found: Lock | None, data: bytes) -> None:
    """Try the passphrase of the fixtures on a lock: it opens to a key or not, at its own price."""
    if found is None or found.cost > DEAR or (found.cost > DEAR // 10 and not chosen(data)):
        return
    assert found.cost > 0, "a try costs nothing"
    start = time.process_time()
    opened = found.opens("throwaway")
    took = time.process_time() - start
    assert took < 0.2 + 20e-6 * found.cost, "a try takes longer than it is said to"
    if opened is not None:
        material(opened.material)


def within(place: Place, size: int) -> None:
    """Check that a place is some of the bytes that there are."""
    assert place.offset >= 0, "a place begins before the bytes"
    assert place.size > 0, "a place has no bytes"
    assert place.offset + place.size <= size, "a place ends behind the bytes"


def material(key: Material) -> None:
    """Work out again that the numbers of a key belong together."""
    match key:
        case Rsa():
            assert 1 < key.q < key.n
            assert not key.n % key.p
            assert not key.n % key.q
            assert key.primes or key.p * key.q == key.n
            assert not key.d or pow(pow(2, key.e, key.n), key.d, key.n) == 2
        case Ec():
            assert _point(key.curve, key.d) == (key.x, key.y)
        case Okp(seed=b""):
            assert len(key.a) == 32
        case Okp():
            assert _public(key.algorithm, key.seed) == key.public
        case Ffc():
            assert pow(key.g, key.x, key.p) == key.y
        case Pqc():
            assert key.seed or key.expanded
        case Foreign():
            assert key.algorithm
            assert len(set(key.inner)) >= 8


@functools.lru_cache(maxsize=4096)
def _point(curve: str, d: int) -> tuple[int, int]:
    """Return d times G: the library's, or of curves that it has not, by affine additions."""
    if curve in curve_points.GROUPS:
        group, total = curve_points.GROUPS[curve], None
        for bit in f"{d:b}":
            total = _added(group, total, total)
            total = _added(group, total, group.g) if bit == "1" else total
        assert total is not None
        return total
    numbers = ec.derive_private_key(d, curve_points.CURVES[curve]()).public_key().public_numbers()
    return numbers.x, numbers.y


def _added(group: curve_points.Group, one: _Point, other: _Point) -> _Point:
    """Return the sum of two points (SEC 1 2.2.1); None is the one at infinity."""
    if one is None or other is None:
        return one or other
    (x, y), (u, v), p = one, other, group.p
    if x == u and (y + v) % p == 0:
        return None
    slope = (3 * x * x + group.a) * pow(2 * y, -1, p) if x == u else (v - y) * pow(u - x, -1, p)
    third = (slope * slope - x - u) % p
    return third, (slope * (x - third) - y) % p


@functools.lru_cache(maxsize=4096)
def _public(algorithm: str, seed: bytes) -> bytes:
    raw: bytes = _OKP[algorithm].from_private_bytes(seed).public_key().public_bytes_raw()
    return raw


def secrets(key: Material) -> Iterator[bytes]:
    """Yield the private numbers of a key, as bytes."""
    numbers: tuple[int, ...]
    match key:
        case Rsa():
            numbers = (key.d, key.p, key.q)
        case Ec():
            numbers = (key.d,)
        case Ffc():
            numbers = (key.x,)
        case Okp() | Pqc():
            yield from filter(None, (key.seed, getattr(key, "a", b"")))
            return
        case Foreign():
            yield key.inner
            return
    for number in numbers:
        yield number.to_bytes((number.bit_length() + 7) // 8, "big")


def silent(candidate: Candidate, value: bytes) -> None:
    """Check that a candidate holds nothing of a secret: no piece of it as text, hex or digits."""
    if len(value) < 2 * RUN:
        return
    words = f"{candidate.algorithm} {candidate.encoding} {candidate.proof} {candidate.protection}"
    words += repr((candidate.places, candidate.roles, candidate.curve))
    digits = value.hex()
    assert all(digits[at : at + 16] not in words for at in range(0, len(digits) - 15, 2))
    if len(value) <= MOST_DIGITS:
        number = str(int.from_bytes(value, "big"))  # of zeros it is a digit like any other
        assert len(number) < RUN or number not in words
    untold(words, value)


def untold(text: str, data: bytes) -> None:
    """Check that a text of ours repeats no run of an input; it may say numbers and coordinates."""
    raw = re.sub("0x[0-9a-f]+|[0-9]+", " ", text).encode("utf-8", "surrogatepass")
    for match in re.finditer(rb"[^\s]{%d,}" % RUN, raw):
        word = match[0]
        assert all(word[at : at + RUN] not in data for at in range(len(word) - RUN + 1)), (
            "a text repeats the input"
        )


def refusal(error: Exception, data: bytes = b"") -> None:
    """Check an error that a contract names: its words are ours."""
    if isinstance(error, ScannerError):
        assert error.message
        untold(f"{error.message} {error.reason}", data)
    else:
        assert error.args == (), "an error carries something"


def reasoned(error: ScannerError) -> None:
    """Check an error over a file of the operator's own, which may be told what he wrote."""
    assert error.message, "an error says nothing"
    assert error.reason, "an error gives no reason"


def layout(read: Layout, size: int) -> None:
    """Check the tables of a dump of ``size`` bytes: nothing of them lies outside."""
    for region in read.regions:
        assert region.size > 0
        assert 0 <= region.file_offset <= size - region.size
        assert region.start >= 0
        assert region.start + region.size <= 1 << 64
    for label in read.labels:
        assert label.size > 0
        assert 0 <= label.file_offset <= size - label.size
    for gap in read.gaps:
        assert gap.size > 0
    assert "/" not in read.process
