"""Private keys whose DER has lost its head: whichever of their inner parts is met.

An allocator writes its list links over the first 16 to 32 bytes of a freed block, and a smaller
block that is cut from its front takes more: header, modulus and exponent go first, while the
numbers behind stand whole. What begins at a place is taken for a part of each kind of key in turn:
``headless_rsa``, ``headless_dsa``, ``headless_curves``, and what begins inside of the algorithm's
name, ``headless_identifier``. This module reads nothing itself.
"""

import re
from collections.abc import Iterator

from scanner.detect.asn1 import der, keys
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.damaged import (
    headless_curves,
    headless_dsa,
    headless_identifier,
    headless_rsa,
)
from scanner.detect.damaged.headless_curves import POINT, SEED_TAILS
from scanner.rules import Rule

HEADER = re.compile(rb"\x30(?:\x82..|\x81.|.)\x02\x01[\x00\x01]", re.DOTALL)
"""How a private key begins: a SEQUENCE and its version."""

BACK = 4096
"""Bytes before a number in which the object begins that it belongs to."""

_HEAD = 640
"""Bytes that are read first: a number of 4096 bits and what follows it. Most hits end there."""

_NEAR = 96
"""Bytes between the beginning of a scalar and the end of the header of its point."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key of which a number, or the public key, begins at ``offset``.

    Each key is yielded at the first of its numbers that is an anchor of the rule, and where its
    own place begins.
    """
    yield from filter(None, [_examine(memory, space, offset, rule, first=True)])


def prove_at(memory: Memory, space: int, offset: int, rule: Rule) -> Proved | None:
    """Return the key of which any number, or the public key, begins at ``offset``."""
    return _examine(memory, space, offset, rule, first=False)


def plausible(data: bytes, at: int) -> bool:
    """Tell cheaply whether an INTEGER before another begins at ``at``, or what a point follows."""
    end = headless_rsa.end_of(data, at)
    if end is not None:
        return data[end : end + 1] == b"\x02"
    near = data[at : at + _NEAR]
    return any(mark in near for mark in (*POINT, *SEED_TAILS))


def is_within(memory: Memory, data: bytes, at: int) -> bool:
    """Tell whether a whole key begins before a byte of what was decoded, and goes on behind it."""
    for match in HEADER.finditer(data, max(at - BACK, 0), at):
        whole = der.fetch(memory, 0, match.start())
        if whole is not None and match.start() + len(whole) > at and keys.parse_private(whole):
            return True
    return False


def _examine(memory: Memory, space: int, offset: int, rule: Rule, *, first: bool) -> Proved | None:
    head = memory.clip(space, offset, _HEAD)
    return (
        headless_rsa.examine(memory, space, offset, rule, head, only_first=first)
        or headless_dsa.examine(memory, space, offset, rule, head)
        or headless_curves.examine(memory, space, offset, rule, head)
        or headless_curves.examine_seed(memory, space, offset, rule, head)
        or headless_identifier.examine(memory, space, offset, rule, head)
    )
