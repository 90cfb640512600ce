"""What a few consecutive numbers of an RSAPrivateKey prove of each other, whichever are left.

The order is that of RFC 8017 A.1.2: n, e, d, p, q, dp, dq, qinv. A chain may begin and end at any
of them. The product proves where n is left; the exponents prove both primes where it is not; and
where p or q themselves are gone, dp and dq give them back: e*dp - 1 is a small multiple of p - 1.
Where one alone has its exponent, the other has to be prime. This module knows numbers alone, and
refuses a key of which only one prime is proved otherwise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scanner.detect.algebra import gmp, groups
from scanner.detect.algebra.material import Rsa
from scanner.detect.evidence import (
    EXPONENT_BITS,
    SMALLEST_PRIME,
    rsa_exponents,
    rsa_primes,
    rsa_public,
)

EXPONENTS = (65537, 3, 17, 5, 37, 257)
"""Public exponents to try where e is gone."""

_SMALL = 64
"""Bits of an exponent that is computed: a chance inverse has as many as the prime."""

_PRODUCT = "p*q = n"
_DIVIDES = "p | n"
_PART = "e*dp = 1 mod p-1"
_WHOLE = "e*d = 1 mod p-1"
_INVERSE = "qinv*q = 1 mod p"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Claim:
    """A key, and the equation that closed."""

    key: Rsa
    proof: str


def claim(numbers: Sequence[int]) -> Claim | None:
    """Return the key that consecutive numbers prove; None where they prove none."""
    for at in range(len(numbers) - 1):
        found = _with_primes(numbers, at)
        if found is not None:
            return found
    for at in range(len(numbers) - 2):
        n, e, d = numbers[at : at + 3]
        if groups.plausible(n, e, d):  # p, q and g of DSA: a power is needed to tell otherwise
            continue
        if e.bit_length() <= EXPONENT_BITS and d.bit_length() > SMALLEST_PRIME:
            key = rsa_exponents(n, e, d)
            if key is not None:
                return Claim(key, _PRODUCT)
    for at in range(len(numbers) - 2):
        found = _without_first(*numbers[at : at + 3])
        if found is not None:
            return found
    return _without_primes(numbers[-3:]) if len(numbers) >= 3 else None


def _with_primes(numbers: Sequence[int], at: int) -> Claim | None:
    """Take two numbers for p and q, and those around them for what they then are."""
    p, q = numbers[at : at + 2]
    if not _sizes(p, q) or not p & q & 1 or p == q:
        return None
    before = list(numbers[max(at - 3, 0) : at])
    n, e, d = [0] * (3 - len(before)) + before
    behind = list(numbers[at + 2 : at + 5])
    dp, dq, qinv = behind + [0] * (3 - len(behind))
    if e and p * q == n:
        key = rsa_primes(n, e, p, q)
        return Claim(key, _PRODUCT) if key is not None else None
    if not _plausible(e):
        e = _exponent(dp, p) or _exponent(d, p)
    if not e:
        return None
    whole = d > 1 and _closes(e, d, p) and _closes(e, d, q)
    parts = _closes(e, dp, p) and (
        _closes(e, dq, q) or (qinv > 1 and q * qinv % p == 1) or _is_prime(q)
    )
    if (whole or parts) and n > p * q and n % (p * q) == 0:
        return _of_more(n, e, d if whole else 0, (p, q))
    key = rsa_primes(p * q, e, p, q) if whole or parts else None
    return Claim(key, _PART if parts else _WHOLE) if key is not None else None


def _of_more(n: int, e: int, d: int, primes: tuple[int, int]) -> Claim | None:
    """Return the key of a modulus that two numbers divide which each have their exponent.

    It has more primes than two (RFC 8017 3.2), as ``openssl pkey -text`` prints them.
    """
    if not rsa_public(n, e):
        return None
    p, left = max(primes), n // (primes[0] * primes[1])
    return Claim(Rsa(n=n, e=e, d=d, p=p, q=n // p, primes=(*primes, left)), _DIVIDES)


def _sizes(p: int, q: int) -> bool:
    """Tell whether two numbers are of like size, and large enough for primes of a key."""
    low, high = sorted((p.bit_length(), q.bit_length()))
    return low >= 4 * SMALLEST_PRIME and high - low <= 8


def _plausible(e: int) -> bool:
    return bool(e & 1) and e >= 3 and e.bit_length() <= _SMALL


def _closes(e: int, exponent: int, prime: int) -> bool:
    return exponent > 1 and (e * exponent - 1) % (prime - 1) == 0


def _exponent(private: int, prime: int) -> int:
    """Return the small public exponent of a private one modulo prime - 1; 0 if there is none."""
    if private < 2 or math.gcd(private, prime - 1) != 1:
        return 0
    e = gmp.inverse(private, prime - 1)
    return e if _plausible(e) else 0


def _is_prime(number: int) -> bool:
    """Tell whether a number is prime by Fermat's test, which chance does not pass."""
    return gmp.power(3, number - 1, number) == 1


def _without_first(q: int, dp: int, dq: int) -> Claim | None:
    """Take three numbers for q, dp and dq: p is the one prime of q's length that dp is of."""
    if not _sizes(q, dp) or not _sizes(q, dq) or not q & 1 or not dp & dq & 1:
        return None
    e = _exponent(dq, q)
    if not e or e not in EXPONENTS:
        return None
    found = [p for p in _primes(e, dp, (q.bit_length() + 7) // 8 * 8) if _is_prime(p)]
    key = rsa_primes(found[0] * q, e, found[0], q) if len(found) == 1 else None
    return Claim(key, _PART) if key is not None else None


def _without_primes(numbers: Sequence[int]) -> Claim | None:
    """Take three numbers for dp, dq and qinv: each exponent has few primes, and qinv joins two."""
    dp, dq, qinv = numbers
    sizes = sorted(number.bit_length() for number in numbers)
    if sizes[0] < 4 * SMALLEST_PRIME or sizes[-1] - sizes[0] > 24:
        return None
    largest = (sizes[-1] + 7) // 8 * 8
    for e in EXPONENTS:
        firsts, seconds = _primes(e, dp, largest), _primes(e, dq, largest)
        for p in firsts:
            for q in seconds:
                if p != q and qinv < p and q * qinv % p == 1:
                    key = rsa_primes(p * q, e, p, q)
                    if key is not None:
                        return Claim(key, _INVERSE)
    return None


def _primes(e: int, exponent: int, bits: int) -> list[int]:
    """Return the odd numbers p of ``bits`` bits with e*dp = 1 modulo p-1."""
    multiple = e * exponent - 1
    lowest = max(multiple >> bits, 1)
    highest = min(multiple >> (bits - 1), e - 1)
    return [
        multiple // k + 1
        for k in range(lowest, highest + 1)
        if multiple % k == 0 and (multiple // k) & 1 == 0
    ]
