"""Private keys as DER: PKCS#1, PKCS#8, SEC1 and OpenSSL's DSA, parsed strictly and then proved.

Sources: RFC 8017 A.1.2 (RSAPrivateKey), RFC 5958 (OneAsymmetricKey), RFC 5915 (ECPrivateKey),
RFC 8410 (CurvePrivateKey), RFC 3279 2.3.5 (EcpkParameters), and OpenSSL's DSAPrivateKey, which no
RFC has; what is inside of keys of finite-field groups is for ``domains``, of post-quantum ones for
``pqc``, and of algorithms that nobody here knows for ``foreign``. A structure is a key only when
its numbers agree: p*q = n for RSA; g**x = y for DSA; where a public point stands inside, the scalar
must give it. This module refuses what only looks like a key, and never guesses at an encrypted one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ed448, ed25519, x448, x25519

from scanner.detect.algebra import curve_points, effort, groups
from scanner.detect.algebra.material import Ec, Foreign, Material, Okp, Rsa, describe
from scanner.detect.asn1 import der, domains, drawn, foreign, pqc
from scanner.detect.asn1.curve_names import BY_OID, USUAL_CURVE, curve_before, curve_of
from scanner.detect.asn1.der import Malformed, Memory, Reader
from scanner.fingerprint import FFC_OIDS, FIELD_BYTES, OKP_OIDS
from scanner.model import Candidate, Confidence, Place
from scanner.rules import Rule

RSA_BITS = range(512, 16384 + 1)
"""Sizes of a modulus that are taken for one."""

RSA_ALGORITHMS = frozenset(bytes.fromhex(f"2a864886f70d0101{last}") for last in ("01", "07", "0a"))
"""rsaEncryption, id-RSAES-OAEP and id-RSASSA-PSS (RFC 8017 appendix C), content bytes."""

EC_PUBLIC_KEY = bytes.fromhex("2a8648ce3d0201")
"""id-ecPublicKey (RFC 5480), content bytes."""

OKP_BYTES = {"ed25519": 32, "x25519": 32, "ed448": 57, "x448": 56}
"""Bytes of a private key, and as many of its public one (RFC 8032, RFC 7748)."""

OKP_OF = {oid: algorithm for algorithm, oid in OKP_OIDS.items()}
"""Algorithms of RFC 8410 by their identifiers, content bytes."""

SEC1_WITHIN = "SEC1-DER (no curve)"
"""What an ECPrivateKey is called that names neither curve nor point: a part of PKCS#8, or what an
object of the JDK keeps of it. No file is one."""

_OkpPrivate = (
    ed25519.Ed25519PrivateKey
    | x25519.X25519PrivateKey
    | ed448.Ed448PrivateKey
    | x448.X448PrivateKey
)
_OKP: dict[str, Callable[[bytes], _OkpPrivate]] = {
    "ed25519": ed25519.Ed25519PrivateKey.from_private_bytes,
    "x25519": x25519.X25519PrivateKey.from_private_bytes,
    "ed448": ed448.Ed448PrivateKey.from_private_bytes,
    "x448": x448.X448PrivateKey.from_private_bytes,
}
_ENVELOPE = 40
"""Bytes of PKCS#8 before an ECPrivateKey whose curve is named, at most."""

_PRIMES = 8
_RSA_NUMBERS, _DSA_NUMBERS = 8, 5
_DISTINCT = 8
"""Different bytes that a secret has at least: 28 random bytes miss it once in 10**18."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Parsed:
    """A private key that was read from DER, and how far it was checked."""

    material: Material
    form: str
    """``PKCS1``, ``PKCS8``, ``SEC1`` or ``DSA``."""
    confidence: Confidence
    proof: str
    """The equation that closed; empty below PROOF."""
    size: int
    """Bytes of the object; the buffer may run on behind it."""
    curve_assumed: bool = False
    """Nothing named the curve: it is the usual one of this size."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Proved:
    """A candidate, and the numbers behind it for as long as this process needs them."""

    candidate: Candidate
    material: Material


def candidate(parsed: Parsed, rule: Rule, encoding: str, places: tuple[Place, ...]) -> Candidate:
    """Return what may be said of a parsed key that lies at ``places``."""
    public = describe(parsed.material)
    return Candidate(
        rule=rule.id,
        kind=rule.kind,
        algorithm=public.algorithm,
        encoding=encoding,
        confidence=parsed.confidence,
        proof=parsed.proof,
        fingerprint=public.fingerprint,
        bits=public.bits,
        curve=public.curve,
        places=places,
    )


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the private key whose DER holds the anchor at ``offset``, if there is one.

    An anchor starts either with the header of the object (30) or with its version (02), one header
    further in.
    """
    for where in der.starts(memory, space, offset):
        data = der.fetch(memory, space, where)
        parsed = parse_private(data) if data is not None else None
        if parsed is None or data is None or not _told(parsed.material):
            continue
        if parsed.curve_assumed:
            if _within_foreign(memory, space, where):
                return
            curve = curve_before(memory, space, where)
            parsed = (parse_private(data, curve=curve) if curve else parsed) or parsed
        place = Place(space=space, offset=where, size=parsed.size)
        encoding = SEC1_WITHIN if parsed.curve_assumed else f"{parsed.form}-DER"
        yield Proved(
            candidate=candidate(parsed, rule, encoding, (place,)),
            material=parsed.material,
        )
        return


def _within_foreign(memory: Memory, space: int, offset: int) -> bool:
    """Tell whether an ECPrivateKey is a part of PKCS#8 on a named curve: that is found itself."""
    for where in range(max(offset - _ENVELOPE, 0), offset):
        whole = der.fetch(memory, space, where)
        parsed = parse_private(whole) if whole and where + len(whole) > offset else None
        if parsed and isinstance(parsed.material, Foreign) and parsed.material.curve:
            return True
    return False


def _told(key: Material) -> bool:
    """Tell whether a key needs no label: a key that another's algorithm holds is found itself."""
    if not isinstance(key, Foreign):
        return True
    return foreign.evident(key) and parse_private(key.inner) is None


def parse_private(data: bytes, *, curve: str = "", told: bool = False) -> Parsed | None:
    """Parse the private key at the start of ``data``, which may run on behind it.

    ``curve`` is the curve of an ECPrivateKey that does not name its own; ``told`` that a label says
    what it is: a seed may be any then. Returns None for anything but a key whose numbers agree;
    never raises, whatever the bytes.
    """
    size = der.total_size(data[: der.BACK])
    if size is None or size > len(data):
        return None
    try:
        body = Reader(data, 0, size).enter()
        version = body.integer()
        match body.peek():
            case der.INTEGER:
                checked, form = _traditional(body, version)
            case der.SEQUENCE:
                checked, form = _pkcs8(body, version, told=told), "PKCS8"
            case der.OCTET_STRING:
                checked, form = _sec1(body, version, curve, None), "SEC1"
            case _:
                return None
    except Malformed:
        return None
    return Parsed(
        material=checked.material,
        form=form,
        confidence=Confidence.PROOF if checked.proof else Confidence.STRUCTURE,
        proof=checked.proof,
        size=size,
        curve_assumed=checked.curve_assumed,
    )


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Checked:
    """Material whose numbers agree, and the equation that says so."""

    material: Material
    proof: str
    curve_assumed: bool = False


def _traditional(body: Reader, version: int) -> tuple[_Checked, str]:
    """Read what has INTEGERs after its version: RSAPrivateKey, or OpenSSL's DSAPrivateKey."""
    numbers = body.integers(_RSA_NUMBERS)
    if len(numbers) == _DSA_NUMBERS and version == 0:
        body.finish()
        key = groups.proved(*numbers)
        if key is None:
            raise Malformed
        return _Checked(key, "g**x = y"), "DSA"
    return _rsa(numbers, body, version), "PKCS1"


def _rsa(numbers: list[int], body: Reader, version: int) -> _Checked:
    """Check the numbers of RSAPrivateKey, and read what follows them (RFC 8017 A.1.2).

    With more than two primes, q of the material is n / p: what is said of the key stays true.
    """
    if len(numbers) != _RSA_NUMBERS:
        raise Malformed
    n, e, d, p, q, *_ = numbers
    primes = [p, q]
    if version == 1 and body.peek() == der.SEQUENCE:
        others = body.enter()
        while others.peek() != -1 and len(primes) < _PRIMES:
            other = others.enter()
            primes.append(other.integer())
            other.integer()
            other.integer()
            other.finish()
        others.finish()
    elif version != 0:
        raise Malformed
    body.finish()
    if n.bit_length() not in RSA_BITS or not (3 <= e < n and e & 1 and 1 < d < n):
        raise Malformed
    product = 1
    for prime in primes:
        if not 64 <= prime.bit_length() < n.bit_length() or not prime & 1:
            raise Malformed
        product *= prime
    if product != n or any((e * d - 1) % (prime - 1) for prime in primes):
        raise Malformed
    proof = "p*q = n" if len(primes) == 2 else "product of the primes = n"
    return _Checked(Rsa(n=n, e=e, d=d, p=p, q=n // p), proof)


def _pkcs8(body: Reader, version: int, *, told: bool) -> _Checked:
    """Read OneAsymmetricKey after its version (RFC 5958 section 2)."""
    if version not in (0, 1):
        raise Malformed
    identifier = body.enter()
    algorithm = identifier.content(der.OID)
    parameters = identifier.element() if identifier.peek() != -1 else b""
    identifier.finish()
    inner = body.content(der.OCTET_STRING)
    if body.peek() == 0xA0:
        body.skip()
    public = None
    if body.peek() == 0x81:
        public = body.bits(0x81)
    elif body.peek() == 0xA1:
        wrapped = body.enter(0xA1)
        public = wrapped.bits()
        wrapped.finish()
    body.finish()
    if algorithm in domains.ALGORITHMS:
        return _group(domains.ALGORITHMS[algorithm], parameters, inner)
    if algorithm == EC_PUBLIC_KEY:
        named = Reader(parameters)
        curve = curve_of(named)
        named.finish()
        fields = _whole(inner)
        return _sec1(fields, fields.integer(), curve, public, b"" if curve else parameters)
    return _inner(algorithm, inner, public, told=told)


def _whole(inner: bytes) -> Reader:
    """Enter the one SEQUENCE that an OCTET STRING holds."""
    key = Reader(inner)
    fields = key.enter()
    key.finish()
    return fields


def _group(algorithm: str, parameters: bytes, inner: bytes) -> _Checked:
    """Read an exponent; of X9.42 and ElGamal, which nobody validates as a rule, in any group."""
    try:
        return _Checked(domains.private(algorithm, parameters, inner), "")
    except Malformed:
        if algorithm not in ("dhx", "elgamal"):
            raise
    return _Checked(foreign.pkcs8(FFC_OIDS[algorithm], inner), "")


def _inner(algorithm: bytes, inner: bytes, public: bytes | None, *, told: bool) -> _Checked:
    """Read the privateKey of an algorithm whose parameters say nothing."""
    if algorithm in pqc.ALGORITHMS:
        found = pqc.read(pqc.ALGORITHMS[algorithm], inner)
        return _Checked(found.material, found.proof)
    if algorithm in OKP_OF:
        key = Reader(inner)
        seed = key.content(der.OCTET_STRING)
        key.finish()
        return _okp(OKP_OF[algorithm], seed, public, told=told)
    if algorithm in RSA_ALGORITHMS:
        fields = _whole(inner)
        version = fields.integer()
        return _rsa(fields.integers(_RSA_NUMBERS), fields, version)
    if algorithm in BY_OID:
        return _bare(BY_OID[algorithm], inner, public, told=told)
    return _Checked(foreign.pkcs8(algorithm, inner), "")


def _bare(curve: str, inner: bytes, public: bytes | None, *, told: bool) -> _Checked:
    """Read a scalar without ECPrivateKey, whose algorithm is its curve. Seen in Hedera's SDKs."""
    key = Reader(inner)
    scalar = key.content(der.OCTET_STRING)
    key.finish()
    checked = _scalar(curve, scalar, public)
    if checked is None or (public is None and not told and not drawn.at_random(scalar)):
        raise Malformed
    return checked


def _sec1(
    body: Reader, version: int, curve: str, public: bytes | None, strange: bytes = b""
) -> _Checked:
    """Read ECPrivateKey after its version (RFC 5915 section 3), on ``curve`` if that is given.

    ``strange`` are the parameters of a curve that is not known.
    """
    scalar = body.content(der.OCTET_STRING)
    named = curve
    if body.peek() == 0xA0:
        raw = body.content(0xA0)
        parameters = Reader(raw)
        named = curve_of(parameters)
        parameters.finish()
        if curve not in ("", named):
            raise Malformed
        strange = b"" if named else raw
    point = public
    if body.peek() == 0xA1:
        wrapped = body.enter(0xA1)
        point = wrapped.bits()
        wrapped.finish()
    body.finish()
    if version != 1 or public not in (None, point):
        raise Malformed
    if strange:
        return _Checked(foreign.ec(strange, scalar, point), "")
    assumed = not named and point is None
    if named:
        choices: tuple[str, ...] = (named,)
    elif point is None:
        choices = (USUAL_CURVE.get(len(scalar), ""),)
    else:
        sizes = (len(point) - 1, (len(point) - 1) // 2)
        choices = tuple(choice for choice, size in FIELD_BYTES.items() if size in sizes)
    for choice in choices:
        checked = _scalar(choice, scalar, point)
        if checked is not None:
            return _Checked(checked.material, checked.proof, assumed)
    raise Malformed


def _scalar(curve: str, scalar: bytes, point: bytes | None) -> _Checked | None:
    """Prove that d*G is the encoded point (SEC 1 section 2.3.3), or derive it without one."""
    # Old encoders dropped leading zero bytes of d: up to three are given back. GnuTLS writes one
    # before a d with its highest bit set, as of an INTEGER.
    if not curve_points.known(curve) or not -1 <= FIELD_BYTES[curve] - len(scalar) <= 3:
        return None
    if point is None and (len(set(scalar)) < _DISTINCT or drawn.pointers(scalar)):
        return None
    d = int.from_bytes(scalar, "big")
    try:  # to decode is cheap, and a random point lies on no curve
        beside = curve_points.decode(curve, point) if point is not None else None
        effort.derive(curve)
        x, y = curve_points.derive(curve, d)
    except ValueError:  # not on the curve; zero, or not below the order
        return None
    if beside not in (None, (x, y)):
        return None
    key = Ec(curve=curve, d=d, x=x, y=y)
    return _Checked(key, "" if beside is None else "d*G = Q")


def _okp(algorithm: str, seed: bytes, public: bytes | None, *, told: bool) -> _Checked:
    """Check a CurvePrivateKey (RFC 8410 section 7) against its public key, if that is given."""
    if len(seed) != OKP_BYTES[algorithm] or len(set(seed)) < _DISTINCT:
        raise Malformed
    if public is None and not told and not drawn.at_random(seed):
        raise Malformed
    derived = okp_public(algorithm, seed)
    if public not in (None, derived):
        raise Malformed
    proof = "" if public is None else "seed derives the public key"
    return _Checked(Okp(algorithm=algorithm, seed=seed, public=derived), proof)


def okp_public(algorithm: str, seed: bytes) -> bytes:
    """Return the public key of a private one of OKP_BYTES[algorithm] bytes."""
    effort.derive(algorithm)
    return _OKP[algorithm](seed).public_key().public_bytes_raw()
