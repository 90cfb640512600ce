"""What arithmetic on written numbers may cost: counted by a table, never by a clock.

A key whose numbers do not agree is refused by a derivation or a power, and a dump can hold such
keys without end, each as well formed as a good one. So whatever is dear says what it costs before
it is done, and where the numbers of a dump are examined these costs are bounded together. What is
not done for that is for the caller to tell. Where nobody has set a bound, as in the relations,
which count for themselves, this module counts nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

DERIVING = {
    "P-224": 60,
    "P-256": 40,
    "P-384": 250,
    "P-521": 300,
    "secp256k1": 650,
    "brainpoolP256r1": 600,
    "brainpoolP384r1": 1300,
    "brainpoolP512r1": 2100,
    "SM2": 1300,
    "P-192": 700,
    "brainpoolP224r1": 1000,
    "brainpoolP320r1": 1800,
    "ed25519": 35,
    "x25519": 35,
    "ed448": 160,
    "x448": 150,
    "ml-dsa": 1700,
    "ml-kem": 1000,
}
"""Microseconds of a processor core to derive a public half, measured: by curve or algorithm."""

INFLATED = 64 << 20
"""Bytes of a dump that are read as compressed text, or of what that holds: what is beyond them
stays packed, and is no fault, for any process may hold more."""

_POWER = 4_000_000
"""Bits of an exponent, times the square of those of a modulus, that a power raises in one."""

_WALKED = 8
"""Bits of how many bytes are looked through in a microsecond: some are decrypted."""


class Spent(Exception):
    """What is asked for costs more than is left. Carries nothing."""


class Bound:
    """How many microseconds are left, and how often they were not enough; and bytes to inflate."""

    __slots__ = ("inflatable", "left", "refused")

    def __init__(self, most: int) -> None:
        self.left, self.refused, self.inflatable = most, 0, INFLATED

    def take(self, cost: int) -> None:
        """Count a cost. Raises Spent, and counts nothing, where less is left."""
        if cost > self.left:
            self.refused += 1
            raise Spent
        self.left -= cost


_BOUND: ContextVar[Bound | None] = ContextVar("bound", default=None)


@contextmanager
def bounded(most: int) -> Iterator[Bound]:
    """Let what is done within cost so many microseconds together."""
    bound = Bound(most)
    token = _BOUND.set(bound)
    try:
        yield bound
    finally:
        _BOUND.reset(token)


def derive(name: str) -> None:
    """Count the derivation of a public half. Raises Spent where that is too dear now."""
    _take(DERIVING[name])


def raising(exponent: int, modulus: int) -> int:
    """Return the microseconds that a power of numbers of so many bits takes."""
    return exponent * modulus * modulus // _POWER + 1


def power(exponent: int, modulus: int) -> None:
    """Count a power of numbers of so many bits. Raises Spent where that is too dear now."""
    _take(raising(exponent, modulus))


def iterations(count: int, each: float) -> None:
    """Count the iterations of a key derivation, of so many microseconds each. Raises Spent."""
    _take(int(count * each) + 1)


def walk(size: int) -> None:
    """Count bytes that are looked through for what a structure leads to. Raises Spent."""
    _take((size >> _WALKED) + 1)


def inflatable(most: int) -> int:
    """Return how many bytes may be inflated still, ``most`` of them at most."""
    bound = _BOUND.get()
    return most if bound is None else max(min(most, bound.inflatable), 0)


def inflated(size: int) -> None:
    """Count bytes that were read to be inflated, or came of it."""
    bound = _BOUND.get()
    if bound is not None:
        bound.inflatable -= size


def _take(cost: int) -> None:
    bound = _BOUND.get()
    if bound is not None:
        bound.take(cost)
