"""DSA and Diffie-Hellman keys held as bare numbers: g**x = y modulo p, and y stands elsewhere.

A group must be there before anything is tried: one of ``groups``, or the prime of a group that
everybody uses (RFC 3526, RFC 7919), whose keys are a handshake's own as a rule. What each may cost
is counted here, before it is spent.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from scanner.detect.algebra import effort, gmp, named_groups
from scanner.detect.algebra.material import Ffc, Material
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers import bare_numbers, likelihood, readings
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.fields import (
    exponents,
    groups,
    logarithms,
    long_exponents,
    short_digits,
    small_orders,
    written,
)
from scanner.detect.relations.fields.exponents import PROOF, Trial
from scanner.detect.relations.fields.groups import Group
from scanner.detect.relations.places import digits
from scanner.detect.relations.related import Related
from scanner.dump.space import Memory
from scanner.model import NONCE_DSA, Candidate

ORDERED, SPENT, LEAST = (170_000, 340_000), (140_000, 60_000), (24, 8)
"""Microseconds that exponentiations to one base take where the order is known, without a public key
and with one that was read; and together where it is not, in a section of few runs and of many; and
how many there are then at least in a group for whose y a number stands. A library that names a
group has its prime in every process that maps it."""

_SHARE, _MOST_ANSWERS = 16, 1024
"""How much more a group is worth for whose y a number stands, and how many of its length are looked
at."""

_CHEAP = 4096
"""Bits of a p up to which so many are done too where the primes of many groups stand."""

_COSTLY = 4
"""How much more a power costs where the exponent is half as long as p."""


def search_dsa(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    """Yield each key of DSA or X9.42 whose exponent stands in the pool, and its public number.

    Where the public number was read it need not stand.
    """
    told = set[int]()
    for group in groups.of_dsa(pool, publics):
        found = list(exponents.proved(pool, group, ORDERED[bool(group.stated)]))
        yield from found
        known = {one.key.x for one in found if isinstance(one.key, Ffc)}
        for numbers, how, place in small_orders.search(pool, group):
            if numbers[1] not in known:
                yield exponents.told(group, numbers, how.name, place)
        told |= {one.key.y for one in found if isinstance(one.key, Ffc)}
    yield from short_digits.search(pool, told)


def search_dh(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    """Yield each key whose prime, x and y stand in the pool, in a group without an order.

    It is one of RFC 3526 or RFC 7919, or one of a public key that was read.
    """
    yield from written.search(pool, publics)
    stated = groups.stated(pool, [public for public in publics if not public.n])
    named = {group.p: group.short for group in named_groups.named()}
    primes = [*named, *(p for p, _, _ in stated if p not in named)]
    there = groups.standing(pool, primes, readings.unpacked(pool.readings))
    found = [(p, named_groups.G) for p in named if p in there]
    found += [(p, g) for p, _, g in list(stated)[: groups.MOST_GROUPS] if (p, g) not in found]
    shares = [_SHARE if _answered(pool, p.bit_length() // 8) else 1 for p, _ in found]
    bound = effort.Bound(long_exponents.SPENT)
    for (p, g), share in zip(found, shares, strict=True):
        ys = {(g, key.y): key for key in stated.get((p, 0, g), ())}
        given = any(key.witness.kind == "known" for key in ys.values())
        java = given or readings.JAVA in there.get(p, ())
        group = Group("dh", p, 0, named_groups.short(p.bit_length()), {g: ()}, ys, java)
        budget = pool.budget(*SPENT) * share // sum(shares)
        cheap = p.bit_length() <= _CHEAP or len(found) <= 2
        least = pool.budget(*LEAST) if share == _SHARE and cheap else 0
        yield from exponents.proved(pool, group, budget, least)
        for piece, y in long_exponents.exponents(pool, p, g, there.get(p, ()), bound):
            yield exponents.related(pool, group, Trial(piece, g, y), PROOF)
        if java:
            bits = min(p.bit_length() // 2, logarithms.LONGEST)
            yield from exponents.proved(pool, replace(group, bits=bits), budget, least // _COSTLY)


def _answered(pool: Pool, size: int) -> bool:
    """Tell whether a number of so many bytes fills its run that may be a public one.

    It has as many different bytes as a random one, and is no prime of a named group.
    """
    found = pool.head[(pool.head >= 0) & (pool.tail - pool.head == size)][:_MOST_ANSWERS]
    last = readings.gather(pool.data, found + size - 8, "<u8")
    found = found[last != np.uint64((1 << 64) - 1)]
    values = likelihood.values(pool.data[found[:, None] + np.arange(size)])
    return bool((values >= likelihood.many_values(size)).any())


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Read an exponent again, in each reading, or as the text that it is."""
    table = readings.table(memory.map.byte_order)
    place, (p, q, g) = candidate.places[0], candidate.group
    raw = bare_numbers.number(memory, place)
    hows = (*readings.unpacked(table), *digits.held(table))
    numbers = [readings.decode(how, raw) for how in hows]
    return [
        Ffc(
            algorithm=candidate.algorithm,
            p=p,
            q=q,
            g=g,
            x=x,
            y=gmp.power(g, x, p),
            more=b"" if candidate.proof == NONCE_DSA else candidate.more,  # who signed
        )
        for x in numbers
        if x and x.bit_length() <= p.bit_length()
    ]
