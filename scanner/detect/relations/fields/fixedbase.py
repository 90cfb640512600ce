"""Many powers of one base modulo one number: an exponentiation for a fifth of its price.

Squarings are what a power costs, and those of a base that never changes are done once (the comb of
Lim and Lee, CRYPTO '94). Refuses to be constant in time: what is raised stands in a dump already.
"""

import functools
from collections.abc import Callable

ROWS = 8
"""Bits of the exponent that one multiplication takes in: a table has 2**ROWS entries."""

BLOCKS = 4
"""Tables: the squarings left are the exponent's bits over ROWS * BLOCKS."""


@functools.lru_cache(maxsize=8)
def powers(base: int, modulus: int, bits: int) -> Callable[[int], int]:
    """Return what raises ``base`` to exponents of at most ``bits`` bits, modulo ``modulus``.

    Preparing it costs as much as some thirty powers.
    """
    column = -(-bits // ROWS)
    block = -(-column // BLOCKS)
    tables = _tables(base, modulus, column, block)

    def power(exponent: int) -> int:
        if exponent >> column * ROWS:
            raise ValueError("exponent out of range")
        strips = [exponent >> row * column & (1 << column) - 1 for row in range(ROWS)]
        result = 1
        for bit in reversed(range(block)):
            result = result * result % modulus
            for at, table in zip(range(bit, column, block), tables, strict=False):
                index = sum((strip >> at & 1) << row for row, strip in enumerate(strips))
                result = result * table[index] % modulus
        return result

    return power


def _tables(base: int, modulus: int, column: int, block: int) -> list[list[int]]:
    """Return for each block the products of all subsets of its ROWS powers of the base."""
    heads = [base % modulus]
    for _ in range(1, ROWS):
        heads.append(pow(heads[-1], 1 << column, modulus))
    tables: list[list[int]] = []
    for _ in range(BLOCKS):
        table = [1]
        for head in heads:
            table += [entry * head % modulus for entry in table]
        tables.append(table)
        heads = [pow(head, 1 << block, modulus) for head in heads]
    return tables
