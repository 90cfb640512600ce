"""DSA keys whose DER has lost its head: p, q and g, and the exponent that follows them.

An allocator writes over what stands before p, and over its first bytes: q divides p - 1, which
gives as many of them back as q has. Behind q PKCS#8 has g, and then the exponent in an octet string
(RFC 5208 section 5, RFC 3279 2.3.2); OpenSSL's own form goes on with y and the exponent. The group
closes in both, g**q = 1 modulo p, which no other bytes do; y proves the second. This module reads
nothing of which more of p is gone, and leaves whole objects to ``keys``.
"""

from scanner.detect.algebra import gmp, groups
from scanner.detect.algebra.material import Ffc
from scanner.detect.asn1 import der
from scanner.detect.asn1.der import Malformed, Memory, Reader
from scanner.detect.asn1.keys import Proved, parse_private
from scanner.detect.evidence import proved, unproved
from scanner.model import Place
from scanner.rules import Rule

_LARGEST = 2500
"""Bytes of the numbers of a key whose p has 4096 bits."""

_LEAD = 40
"""Bytes before p in a whole object: two headers, the version and the algorithm."""

_ORDERS = range(20, 66)
"""Bytes of q as an INTEGER (FIPS 186-4 section 4.2: 160 to 256 bits, and what ``groups`` takes)."""

_MODULI = (128, 192, 256, 384)
"""Bytes of a p that lost its first ones (FIPS 186-4 section 4.2; 1536 bits are others')."""


def examine(memory: Memory, space: int, offset: int, rule: Rule, head: bytes) -> Proved | None:
    """Return the key of which p, or q behind a damaged p, begins at ``offset``, as ``head``."""
    if not _begins_group(head) and not _goes_on(head):
        return None
    reader = Reader(memory.clip(space, offset, _LARGEST))
    try:
        p = reader.integer() if _begins_group(head) else None
        q, g = reader.integer(), reader.integer()
        if p is None:
            p = _completed(memory, space, offset, q, g)
        elif _whole(memory, space, offset):
            return None
        key, with_public = _read(reader, p, q, g)
    except Malformed:
        return None
    if key is None:
        return None
    place = Place(space=space, offset=offset, size=reader.at)
    if with_public:
        return proved(key, rule, "DSA-DER (damaged)", (place,))
    return unproved(key, rule, "PKCS8-DER (damaged)", (place,))


def _begins_group(head: bytes) -> bool:
    """Tell cheaply whether an INTEGER of the size of q stands behind a long one."""
    if len(head) < 4 or head[0] != der.INTEGER or not 0x81 <= head[1] <= 0x82:
        return False
    count = head[1] - 0x80
    end = 2 + count + int.from_bytes(head[2 : 2 + count], "big")
    return len(head) > end + 1 and head[end] == der.INTEGER and head[end + 1] in _ORDERS


def _goes_on(head: bytes) -> bool:
    """Tell cheaply whether a long INTEGER stands behind one of the size of q."""
    if len(head) < 2 or head[0] != der.INTEGER or head[1] not in _ORDERS:
        return False
    end = 2 + head[1]
    return len(head) > end + 1 and head[end] == der.INTEGER and head[end + 1] in (0x81, 0x82)


def _completed(memory: Memory, space: int, offset: int, q: int, g: int) -> int:
    """Return the p that ends at ``offset``, whose first bytes follow from q; 0 where it is whole.

    Anything ends as some number does that q divides, less one: the group has yet to close.
    """
    size = next((size for size in _MODULI if g < 1 << 8 * size), 0)
    lost = q.bit_length() // 8
    stands = memory.clip(space, max(offset - size, 0), min(size, offset))
    if not size or not q & 1 or len(stands) < size:
        return 0
    unit = 1 << 8 * (size - lost)
    rest = int.from_bytes(stands[lost:], "big")
    first = (1 - rest) * gmp.inverse(unit, q) % q
    first += 0 if first >> (8 * lost - 1) else q  # p has its top bit
    p = first * unit + rest
    return p if p.bit_length() == 8 * size and p != int.from_bytes(stands, "big") else 0


def _read(reader: Reader, p: int, q: int, g: int) -> tuple[Ffc | None, bool]:
    """Read what follows a group: an octet string with x, or y and x; say which."""
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
