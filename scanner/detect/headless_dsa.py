"""DSA keys whose DER has lost its head: p, q and g, and the exponent that follows them.

An allocator writes over what stands before p. Behind it PKCS#8 has g, and then the exponent in an
octet string (RFC 5208 section 5, RFC 3279 2.3.2); OpenSSL's own form goes on with y and the
exponent. The group closes in both, g**q = 1 modulo p, which no other bytes do; y proves the second.
This module reads nothing without p, and leaves whole objects to ``keys``.
"""

from scanner.detect import der, groups
from scanner.detect.der import Malformed, Memory, Reader
from scanner.detect.evidence import proved, unproved
from scanner.detect.keys import Proved, parse_private
from scanner.detect.material import Ffc
from scanner.model import Place
from scanner.rules import Rule

_LARGEST = 2500
"""Bytes of the numbers of a key whose p has 4096 bits."""

_LEAD = 40
"""Bytes before p in a whole object: two headers, the version and the algorithm."""

_ORDERS = range(20, 66)
"""Bytes of q as an INTEGER (FIPS 186-4 section 4.2: 160 to 256 bits, and what ``groups`` takes)."""


def examine(memory: Memory, space: int, offset: int, rule: Rule, head: bytes) -> Proved | None:
    """Return the key whose p begins at ``offset``; ``head`` is what stands there."""
    if not _plausible(head):
        return None
    data = memory.clip(space, offset, _LARGEST)
    reader = Reader(data)
    try:
        key, with_public = _read(reader)
    except Malformed:
        return None
    if key is None or _whole(memory, space, offset):
        return None
    place = Place(space=space, offset=offset, size=reader.at)
    if with_public:
        return proved(key, rule, "DSA-DER (damaged)", (place,))
    return unproved(key, rule, "PKCS8-DER (damaged)", (place,))


def _plausible(head: bytes) -> bool:
    """Tell cheaply whether an INTEGER of the size of q stands behind a long one."""
    if len(head) < 4 or head[0] != der.INTEGER or not 0x81 <= head[1] <= 0x82:
        return False
    count = head[1] - 0x80
    end = 2 + count + int.from_bytes(head[2 : 2 + count], "big")
    return len(head) > end + 1 and head[end] == der.INTEGER and head[end + 1] in _ORDERS


def _read(reader: Reader) -> tuple[Ffc | None, bool]:
    """Read p, q, g and either an octet string with x, or y and x, and say which."""
    p, q, g = (reader.integer() for _ in range(3))
    if reader.peek() == der.INTEGER:
        y, x = reader.integer(), reader.integer()
        return groups.proved(p, q, g, y, x), True
    inner = reader.enter(der.OCTET_STRING)
    x = inner.integer()
    inner.finish()
    return groups.derived(p, q, g, x), False


def _whole(memory: Memory, space: int, offset: int) -> bool:
    """Tell whether p stands in an object that ``keys`` reads."""
    for start in range(max(offset - _LEAD, 0), offset):
        data = der.fetch(memory, space, start)
        if data is not None and start + len(data) > offset and parse_private(data) is not None:
            return True
    return False
