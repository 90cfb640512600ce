"""JSON Web Keys as text (RFC 7517, 7518 section 6, 8037 and 9964), in one or two bytes a character.

Token services hold key sets in strings, whole or cut by a tokenizer, quoted in other JSON or not.
Members are taken by name from the object around ``"kty"``, in whatever order they stand. A public
key is a witness, and its ``kid`` names the key; private members are a key when p*q = n, when
d*G = Q, or when the seed gives the public key; on a curve that nobody here knows they are told as
they stand. So is a scalar or seed that is as long as its curve has it in an object that was cut,
whose public half is gone, and ``"kty"`` perhaps too: allocators and ropes part texts (seen in a
heap snapshot of V8). A symmetric key (``oct``) has nothing to be proved by. This module refuses to
build a document from what it reads: there is no nesting to bound.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import replace

from scanner.detect.algebra import publics
from scanner.detect.algebra.material import Ec, Foreign, Material, Okp, Pqc, Rsa
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1 import pqc
from scanner.detect.asn1.der import Malformed, Memory
from scanner.detect.asn1.keys import OKP_BYTES, Proved
from scanner.detect.ciphers import vectors
from scanner.detect.encodings import armour
from scanner.detect.evidence import (
    ec_derived,
    ec_scalar,
    okp_derived,
    okp_seed,
    on_curve,
    proved,
    rsa_exponents,
    rsa_primes,
    rsa_public,
    unproved,
)
from scanner.detect.locked.sealed import UNKNOWN, Sealed, sealed
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Place
from scanner.rules import Rule

MARK = b'"kty'
CURVE = b'"crv'
"""What an object without the first mark is told by."""

BEFORE, AFTER = 6 * 1024, 24 * 1024
"""Characters of an object before and behind its ``"kty"``: chains of certificates are long."""

_READS = ((128, 384), (512, 1536), (BEFORE, AFTER))
"""Characters that are read, until the object ends in them: sets of keys have a hundred thousand."""

LONGEST_KID = 256
"""Characters of a name."""

_CURVES = ("P-256", "P-384", "P-521", "secp256k1")
_RSA = (b"n", b"e", b"d", b"p", b"q")
_NUMBERS = frozenset((*_RSA, b"x", b"y", b"pub", b"priv"))
_DISTINCT, _SHORTEST = 8, 16
_MEMBER = re.compile(rb'"([A-Za-z0-9_]{1,8})\\*"\s{0,64}:\s{0,64}\\*"([^"\\{}]{0,4096})\\*"')
_BASE64URL = re.compile(rb"[A-Za-z0-9_-]+")
_PRINTABLE = re.compile(rb"[ -~]*")


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the key of the object that has ``"kty`` at ``offset``, or that begins there."""
    members, place, wide = _object(memory, space, offset)
    key, public = _read(members)
    if key is not None:
        say = unproved if public is None else proved
        yield say(key, rule, f"JWK{wide}", (place,))
    if public is not None:
        yield replace(public, witness=replace(public.witness, kid=_kid(members), place=place))


def examine_secret(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Sealed]:
    """Yield the symmetric key (RFC 7518 section 6.4) of the object around ``offset``."""
    members, place, wide = _object(memory, space, offset)
    secret = _bytes(members.get(b"k", b"")) if members.get(b"kty") == b"oct" else b""
    if len(secret) < _SHORTEST or len(set(secret)) < _DISTINCT:
        return
    found = sealed(rule, f"JWK{wide}", place, secret, algorithm="oct", bits=8 * len(secret))
    said = replace(found.candidate, published=vectors.source_of(secret))
    yield replace(found, candidate=said)


def _object(memory: Memory, space: int, offset: int) -> tuple[dict[bytes, bytes], Place, str]:
    """Return the members of the object around an anchor, its place, and whether it is wide.

    Of an object that has both marks only the first gives them.
    """
    anchor = armour.text_at(memory, space, offset)
    curve = False
    for before, behind in _READS:
        whole, text, lead = armour.stretch(anchor, before, behind)
        own = text[lead:].partition(b"}")[0]
        curve = text.startswith(CURVE, lead) or (MARK not in own and CURVE in own)
        mark = text.find(CURVE if curve else MARK, lead)
        if mark < 0:
            continue
        start = max(text.rfind(b"{", 0, mark), text.rfind(b"}", 0, mark) + 1 or -1)
        end = text.find(b"}", mark) + 1
        if start >= 0 and end:
            break
    if mark < 0 or (curve and MARK in text[max(start, 0) : end or len(text)]):
        return {}, Place(space=space, offset=offset, size=0), ""
    start, end = max(start, 0), end or len(text)
    first = whole.offset + start * whole.width
    place, wide = armour.located(memory, space, first, end - start, whole.width)
    return dict(_MEMBER.findall(text[start:end])), place, wide


def _kid(members: dict[bytes, bytes]) -> str:
    kid = members.get(b"kid", b"")
    fits = len(kid) <= LONGEST_KID and _PRINTABLE.fullmatch(kid)
    return kid.decode("ascii") if fits else ""


def _read(members: dict[bytes, bytes]) -> tuple[Material | None, PublicKey | None]:
    """Return the private key, if its members prove it, and the public one."""
    numbers = {name: _bytes(value) for name, value in members.items() if name in _NUMBERS}
    curve = members.get(b"crv", b"").decode("latin-1")
    algorithm = members.get(b"alg", b"").decode("latin-1").lower()
    match members.get(b"kty"):
        case b"RSA":
            return _rsa(numbers)
        case b"EC" | None if curve in _CURVES:
            return _ec(curve, numbers)
        case b"OKP" | None if curve.lower() in OKP_BYTES:
            return _okp(curve.lower(), numbers)
        case b"AKP" if algorithm in pqc.PUBLIC:
            return _akp(algorithm, numbers)
        case b"EC" | b"OKP" | b"AKP":
            return _foreign(members[b"kty"], numbers), None
    return None, None


def _bytes(text: bytes) -> bytes:
    """Decode base64url; empty for anything else."""
    text = text.rstrip(b"=")
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        return b""
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def _rsa(numbers: dict[bytes, bytes]) -> tuple[Rsa | None, PublicKey | None]:
    n, e, d, p, q = (int.from_bytes(numbers.get(name, b""), "big") for name in _RSA)
    if not rsa_public(n, e):
        return None, None
    key = rsa_primes(n, e, p, q) if p and q else None
    if key is None and d:
        key = rsa_exponents(n, e, d)
    return key, publics.rsa(n, e, kind="jwk")


def _ec(curve: str, numbers: dict[bytes, bytes]) -> tuple[Ec | None, PublicKey | None]:
    if not {b"x", b"y"} <= numbers.keys():
        return _lone_scalar(curve, numbers.get(b"d", b"")), None
    x, y, d = (int.from_bytes(numbers.get(name, b""), "big") for name in (b"x", b"y", b"d"))
    if max(x, y).bit_length() > 8 * FIELD_BYTES[curve] or not on_curve(curve, x, y):
        return None, None
    return ec_scalar(curve, d, x, y) if d else None, publics.ec(curve, x, y, kind="jwk")


def _lone_scalar(curve: str, scalar: bytes) -> Ec | None:
    """Read what an object that was cut has left of a key: a scalar as long as its curve has it."""
    if len(scalar) != FIELD_BYTES[curve] or len(set(scalar)) < _DISTINCT:
        return None
    return ec_derived(curve, int.from_bytes(scalar, "big"))


def _okp(algorithm: str, numbers: dict[bytes, bytes]) -> tuple[Okp | None, PublicKey | None]:
    public, seed = numbers.get(b"x", b""), numbers.get(b"d", b"")
    if b"x" not in numbers:
        lone = len(seed) == OKP_BYTES[algorithm] and len(set(seed)) >= _DISTINCT
        return okp_derived(algorithm, seed) if lone else None, None
    if len(public) != OKP_BYTES[algorithm] or len(set(public)) < _DISTINCT:
        return None, None
    return okp_seed(algorithm, seed, public), publics.okp(algorithm, public, kind="jwk")


def _akp(algorithm: str, numbers: dict[bytes, bytes]) -> tuple[Pqc | None, PublicKey | None]:
    """Read an Algorithm Key Pair (RFC 9964 section 3): a seed and an encoded public key."""
    public, seed = numbers.get(b"pub", b""), numbers.get(b"priv", b"")
    if len(public) != pqc.PUBLIC[algorithm] or len(set(public)) < _DISTINCT:
        return None, None
    read = publics.pqc(algorithm, public, kind="jwk")
    try:
        key = pqc.from_seed(algorithm, seed)
    except Malformed:
        return None, read
    return key if key.public == public else None, read


def _foreign(kind: bytes, numbers: dict[bytes, bytes]) -> Foreign | None:
    """Read a key on a curve, or of an algorithm, that nothing here computes with."""
    private = numbers.get(b"priv") or numbers.get(b"d") or b""
    if len(private) < _SHORTEST or len(set(private)) < _DISTINCT:
        return None
    return Foreign(algorithm="ec" if kind == b"EC" else UNKNOWN, inner=private)
