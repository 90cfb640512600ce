"""What numbers say of an RSA key, once they are read: factors, exponents, whole keys.

Pure integers (RFC 8017): nothing here knows of dumps. It refuses to guess: what it returns
multiplies to the modulus it was given.
"""

import math

from scanner.detect.algebra import gmp
from scanner.detect.algebra.material import Rsa
from scanner.detect.evidence import by_order, by_roots

EXPONENTS = (65537, 3, 17, 5, 37, 257)
"""Public exponents to try when no public key names one (99 % of keys have the first)."""

PRIME_BITS = (512, 768, 1024, 1536, 2048)
"""Lengths of primes that are looked for whatever the moduli: those of 1024 to 4096 bits."""

LIKELIEST = EXPONENTS[:3]
"""Those that are tried on many pairs of numbers; in a pool of very many runs, only the first."""

COMMON_MULTIPLES = (
    2**5 * 3**3 * 5**2 * 7 * 11 * 13,
    2**3 * 3 * 17 * 19 * 23,
    2**2 * 29 * 31 * 37,
)
"""Numbers one of which gcd(p-1, q-1) divides, but for one key in sixty: it is even, seldom large,
and a prime r divides it in one of r*r. d modulo lcm(p-1, q-1) hides it; d modulo (p-1)(q-1) is the
same with 1 in its place."""

NEARLY = 16
"""Bits by which the lengths of two primes of one modulus differ at most, as a rule."""

_SURE = 200
"""Bits to which a multiple of e*d is one of n, where n has more primes than two: chance does not do
it, and the primes of a modulus of 1024 bits have 256, if they are four."""

_BASES = (2, 3, 5, 7, 11, 13, 17, 19)

_SMALL = math.prod(n for n in range(3, 54) if all(n % f for f in range(2, n)))
_MORE = math.prod(n for n in range(53, 400) if all(n % f for f in range(2, 20)))


def without_small_factors(number: int) -> bool:
    """Tell whether no odd prime below 400 divides a number: true of one odd number in five."""
    return math.gcd(number % _SMALL, _SMALL) == 1 and math.gcd(number % _MORE, _MORE) == 1


def is_prime(number: int) -> bool:
    """Tell whether a number is prime, but for what was made to deceive (Miller-Rabin).

    To base 3: to base 2 Fermat's numbers look prime, and repeated bytes are multiples of those.
    """
    if number < 400**2 or not number & 1:
        return False
    if not without_small_factors(number):
        return False
    odd = number - 1
    twos = (odd & -odd).bit_length() - 1
    odd >>= twos
    power = gmp.power(3, odd, number)
    if power in (1, number - 1):
        return True
    return any((power := power * power % number) == number - 1 for _ in range(twos - 1))


def complete(p: int, q: int, e: int | None) -> Rsa | None:
    """Make a whole key of two primes: d = e**-1 mod lcm(p-1, q-1). None if no exponent fits."""
    order = math.lcm(p - 1, q - 1)
    for exponent in (e,) if e else EXPONENTS:
        if math.gcd(exponent, order) == 1:
            d = gmp.inverse(exponent, order)
            return Rsa(n=p * q, e=exponent, d=d, p=max(p, q), q=min(p, q), e_assumed=e is None)
    return None


def from_divisors(n: int, e: int, divisors: list[int]) -> Rsa | None:
    """Make a key of what divides its modulus; None if nothing does.

    Two factors of about the same length are taken for primes: nobody multiplies four and keeps two
    products. With more than two primes (RFC 8017 3.2), p is the largest that is known, and q what
    is left. Where not all primes are known, or e is wrong, d is 0.
    """
    parts = [n]
    for divisor in divisors:
        for part in tuple(parts):
            common = math.gcd(part, divisor)
            if 1 < common < part:
                parts.remove(part)
                parts += [common, part // common]
    halves = len(parts) == 2 and abs(parts[0].bit_length() - parts[1].bit_length()) <= NEARLY
    primes = sorted((part for part in parts if halves or is_prime(part)), reverse=True)
    if not primes or primes == [n]:
        return None
    d = 0
    if len(primes) == len(parts):
        order = math.lcm(*(prime - 1 for prime in primes))
        d = gmp.inverse(e, order) if math.gcd(e, order) == 1 else 0
    more = tuple(primes) if len(parts) > 2 or len(primes) < len(parts) else ()
    return Rsa(n=n, e=e, d=d, p=primes[0], q=n // primes[0], primes=more)


def from_exponent(n: int, e: int, d: int) -> list[int]:
    """Return factors of n, given its private exponent; none if d is not that.

    One of two primes. Of more (RFC 8017 3.2) so many that they part all: e*d - 1 is a multiple of
    the order of every number modulo n, and half of all bases part each two primes (NIST SP 800-56B
    appendix C.1). That costs powers, and is tried only where e*d*m / n is as near to an integer as
    it is for such a key: a safe prime and half of it, of which libraries have tables, are nearer.
    """
    divisor = by_order(n, e, d)
    if divisor:
        return [divisor]
    rests = (e * d * multiple % n for multiple in COMMON_MULTIPLES)
    bits = n.bit_length()
    near = range(5 * bits // 8, bits - _SURE)  # of n: n / p for each of three primes, or more
    if d < 2 or not any(min(rest, n - rest).bit_length() in near for rest in rests):
        return []
    found: dict[int, None] = {}
    for base in _BASES:
        divisors = by_roots(n, e * d - 1, base)
        if divisors is None:
            return []
        found |= dict.fromkeys(divisors)
    return list(found)


def from_crt_exponent(n: int, e: int, exponent: int) -> int | None:
    """Return a prime factor of n, given d mod (p-1) or d mod (q-1): 2**(e*dp) - 2 is 0 mod p."""
    p = math.gcd(gmp.power(2, e * exponent, n) - 2, n)
    return p if 1 < p < n else None
