"""Equations that close for numbers read from a written form or a structure, and what follows.

Parsers of containers read numbers; whether these are a key is decided here, by arithmetic alone.
Every function returns the key where the equation closes and None where it does not, whatever the
numbers. This module refuses to derive a public half and to call that a proof.
"""

import math
from dataclasses import replace

from scanner.detect.algebra import curve_points, edwards25519, effort, gmp
from scanner.detect.algebra.material import Ec, Ffc, Material, Okp, Pqc, Rsa
from scanner.detect.asn1.keys import OKP_BYTES, RSA_BITS, Parsed, Proved, candidate, okp_public
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Confidence, Place
from scanner.rules import Rule

Key = Rsa | Ec | Okp | Ffc
"""What written forms hold."""

SMALLEST_PRIME = 64
"""Bits."""

EXPONENT_BITS = 256
"""Bits of the largest public exponent that is taken for one (FIPS 186-5 A.1.1)."""

_WIDEST_POWER = 8192
"""Bits of the largest modulus to which a power is taken: at 15,360 bits it takes a second.

Seen in memory of machines that hold the openssl program: its key of that size, torn at a page.
"""

DISTINCT = 8
"""Different bytes that a seed has at least: 32 random bytes miss it once in 10**20."""

_WITNESSES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)


def rsa_public(n: int, e: int) -> bool:
    """Tell whether n and e may be those of an RSA public key."""
    if n.bit_length() not in RSA_BITS or not n & 1:
        return False
    return 3 <= e < n and bool(e & 1) and e.bit_length() <= EXPONENT_BITS


def rsa_primes(n: int, e: int, p: int, q: int) -> Rsa | None:
    """Return the key of a modulus and its two primes: p*q = n, and e has an inverse."""
    if p * q != n or p == q or not rsa_public(n, e):
        return None
    if min(p.bit_length(), q.bit_length()) < SMALLEST_PRIME:
        return None
    order = math.lcm(p - 1, q - 1)
    if math.gcd(e, order) != 1:
        return None
    return Rsa(n=n, e=e, d=gmp.inverse(e, order), p=max(p, q), q=min(p, q))


def rsa_alone(d: int, p: int, q: int, u: int) -> Rsa | None:
    """Return the key of a secret of OpenPGP without n and e: u*p = 1 modulo q, and d undoes e."""
    if min(p, q) < 2 or u * p % q != 1:
        return None
    order = math.lcm(p - 1, q - 1)
    return rsa_primes(p * q, gmp.inverse(d, order), p, q) if math.gcd(d, order) == 1 else None


def rsa_exponents(n: int, e: int, d: int) -> Rsa | None:
    """Factor n by both exponents (NIST SP 800-56B appendix C.1): p*q = n closes, or it is no key.

    e*d - 1 is a multiple of the order of every number modulo n: half of all bases give a square
    root of one that is not trivial, and with it a factor. That is asked where sizes alone do not
    give it, of three primes or of a huge e, and of a modulus of 8,192 bits at most.
    """
    if not rsa_public(n, e) or not 1 < d < n or not _inverse(n, e, d):
        return None
    divisor = by_order(n, e, d)
    if divisor:
        return rsa_primes(n, e, divisor, n // divisor)
    if n.bit_length() > _WIDEST_POWER or _of_two(n, e, d):
        return None  # its order would have told two primes
    for base in _WITNESSES:
        effort.power((e * d).bit_length(), n.bit_length())
        divisors = by_roots(n, e * d - 1, base)
        if divisors is None:
            return None  # no power of base is one: e*d - 1 is no multiple of its order
        if divisors:
            return rsa_primes(n, e, divisors[0], n // divisors[0])
    return None


def by_roots(n: int, order: int, base: int) -> list[int] | None:
    """Return the factors of n that roots of one give, powers of a base; half of all have one.

    None where ``order`` is no multiple of the base's order modulo n.
    """
    twos = (order & -order).bit_length() - 1
    root, found = gmp.power(base, order >> twos, n), []
    for _ in range(twos):
        if root == 1:
            break
        divisor = math.gcd(root - 1, n)
        found += [divisor] if 1 < divisor < n else []
        root = root * root % n
    return found if root == 1 else None


def by_order(n: int, e: int, d: int) -> int:
    """Return a factor of n, given what may be its exponents; 0 where they are not, or e is huge.

    With g as in :func:`_inverse`, (e*d - 1)*g is k*(n - p - q + 1), and k the integer nearest to
    e*d*g/n unless e is very large: microseconds, where a power costs milliseconds.
    """
    shared = math.gcd(n - 1, e * d - 1)
    times = (e * d * shared + n // 2) // n
    order, rest = divmod((e * d - 1) * shared, times) if times else (0, 1)
    total = n + 1 - order
    square = total * total - 4 * n
    if rest or square < 0:
        return 0
    divisor = (total + math.isqrt(square)) // 2
    return divisor if 1 < divisor < n and n % divisor == 0 else 0


def _of_two(n: int, e: int, d: int) -> bool:
    """Tell whether e*d*g is so near to a multiple of n that n has two primes, or d is none.

    It is k*(n - phi(n)) away, but for g; and of three primes the smallest is below the cube root
    of n, so that n - phi(n) has two thirds of the bits of n.
    """
    rest = e * d * math.gcd(n - 1, e * d - 1) % n
    return min(rest, n - rest).bit_length() <= 5 * n.bit_length() // 8


def _inverse(n: int, e: int, d: int) -> bool:
    """Tell by sizes alone whether d may be the inverse of e: a thousandth of what a power costs.

    e*d - 1 is a multiple of (n - p - q + 1)/g, and the g that p - 1 and q - 1 share divides it and
    n - 1: so e*d*g lies near a multiple of n, the nearer the larger the smaller prime.
    """
    shared = math.gcd(n - 1, e * d - 1)
    times, rest = divmod(e * d * shared, n)
    certain = SMALLEST_PRIME - 3 - e.bit_length() - shared.bit_length()
    near = min(rest, n - rest).bit_length() <= n.bit_length() - certain
    return near and (times > 0 or 2 * rest > n)


def on_curve(curve: str, x: int, y: int) -> bool:
    """Tell whether a point lies on a named curve."""
    return curve_points.known(curve) and curve_points.contains(curve, x, y)


def ec_scalar(curve: str, d: int, x: int, y: int) -> Ec | None:
    """Return the key of a scalar and its point: d*G = (x, y)."""
    derived = ec_derived(curve, d) if on_curve(curve, x, y) else None
    if derived is None or (derived.x, derived.y) != (x, y):
        return None
    return derived


def ec_derived(curve: str, d: int) -> Ec | None:
    """Return a scalar with the point that it gives, which proves nothing yet."""
    if not curve_points.known(curve) or not 0 < d.bit_length() <= 8 * FIELD_BYTES[curve]:
        return None
    effort.derive(curve)
    try:
        x, y = curve_points.derive(curve, d)
    except ValueError:  # not below the order
        return None
    return Ec(curve=curve, d=d, x=x, y=y)


def ec_closes(key: Ec) -> bool:
    """Tell whether the library derives the point of a key from its scalar."""
    derived = ec_derived(key.curve, key.d)
    return derived is not None and (derived.x, derived.y) == (key.x, key.y)


def okp_seed(algorithm: str, seed: bytes, public: bytes) -> Okp | None:
    """Return the key of a seed that derives the public key beside it."""
    if len(seed) != OKP_BYTES[algorithm] or okp_public(algorithm, seed) != public:
        return None
    return Okp(algorithm=algorithm, seed=seed, public=public)


def okp_clamped(a: bytes) -> Okp | None:
    """Return a clamped scalar of Ed25519 with the public key that it gives, which proves nothing.

    None where it is not clamped (RFC 8032 5.1.5), as 31 of 32 random numbers are not.
    """
    if not clamped(a):
        return None
    return Okp(algorithm="ed25519", seed=b"", public=edwards25519.multiple(a), a=a)


def okp_scalar(a: bytes, public: bytes) -> Okp | None:
    """Return the key of a clamped scalar of Ed25519 and its public key: a*B = A."""
    if not clamped(a) or edwards25519.unsigned_multiple(a)[:-1] != public[:-1]:
        return None
    key = okp_clamped(a)
    return key if key is not None and key.public == public else None


def okp_number(a: bytes) -> Okp:
    """Return any scalar of Ed25519 with the public key that it gives, which proves nothing yet."""
    effort.derive("ed25519")
    return Okp(algorithm="ed25519", seed=b"", public=edwards25519.multiple(a), a=a)


def clamped(a: bytes) -> bool:
    """Tell whether 32 bytes may be a clamped scalar (RFC 7748 section 5)."""
    return a[0] & 7 == 0 and a[31] & 0xC0 == 0x40 and len(set(a)) >= DISTINCT


PROOFS: dict[type[Material], str] = {
    Rsa: "p*q = n",
    Ec: "d*G = Q",
    Okp: "seed derives the public key",
    Ffc: "g**x = y",
    Pqc: "seed derives the public key",
}
"""The equation that closes for each kind of key, where no other is named."""


def proved(
    key: Material, rule: Rule, encoding: str, places: tuple[Place, ...], *, proof: str = ""
) -> Proved:
    """Return the candidate of a proved key, with the key."""
    parsed = Parsed(
        material=key,
        form="",
        confidence=Confidence.PROOF,
        proof=proof or PROOFS[type(key)],
        size=sum(place.size for place in places),
    )
    said = candidate(parsed, rule, encoding, places)
    if isinstance(key, Rsa):
        said = replace(said, e=key.e, e_assumed=key.e_assumed)
    return Proved(candidate=said, material=key)


def unproved(key: Material, rule: Rule, encoding: str, places: tuple[Place, ...]) -> Proved:
    """Return the candidate of a key that parses strictly, and to which nothing bears witness."""
    parsed = Parsed(
        material=key,
        form="",
        confidence=Confidence.STRUCTURE,
        proof="",
        size=sum(place.size for place in places),
    )
    return Proved(candidate=candidate(parsed, rule, encoding, places), material=key)


def okp_derived(algorithm: str, seed: bytes) -> Okp | None:
    """Return a seed with the public key that it gives, which proves nothing yet."""
    if len(seed) != OKP_BYTES[algorithm] or len(set(seed)) < DISTINCT:
        return None
    return Okp(algorithm=algorithm, seed=seed, public=okp_public(algorithm, seed))
