"""RSAPrivateKey whose DER has lost its head: INTEGERs that prove each other.

Starts at any INTEGER of the size that keys have, and walks over its neighbours in both directions
as strictly as the reader of whole objects (RFC 8017 section 3.2). It leaves whole objects to
``keys``.
"""

import functools
import re
from dataclasses import dataclass

from scanner.detect.asn1 import der
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved, parse_private
from scanner.detect.evidence import proved
from scanner.detect.factors import Claim, claim
from scanner.model import Place
from scanner.ruleanchors import Anchor
from scanner.rules import Rule

REACH = 8 * 1024
"""Bytes before and behind an anchor that are looked at: the numbers of an 8192-bit key."""

LARGEST = 2053
"""Bytes of the largest INTEGER of a key, header included."""

MOST = 18
"""INTEGERs of a chain: twice those of an RSAPrivateKey."""

_ATTEMPTS = 128
_MARKS = ((b"\x02\x82", LARGEST), (b"\x02\x81", 258), (b"\x02", 129))
"""How an INTEGER may begin that ends somewhere, the longest header first, and how far before."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Chain:
    """INTEGERs that stand one behind the other in ``data``: where each begins, and the last ends.

    ``data[0]`` stands at ``first`` in its space.
    """

    data: bytes
    first: int
    starts: list[int]
    end: int

    def values(self) -> list[int]:
        ends = [*self.starts[1:], self.end]
        return [
            int.from_bytes(self.data[_content(self.data, start) : end], "big")
            for start, end in zip(self.starts, ends, strict=True)
        ]


def examine(
    memory: Memory, space: int, offset: int, rule: Rule, head: bytes, *, only_first: bool
) -> Proved | None:
    """Read the key of which a number begins at ``offset``; or that alone that ``_mine`` gives it.

    ``head`` is what stands there.
    """
    if head[:1] != b"\x02" or len(head) < 4 or _public(memory, space, offset, head):
        return None
    first = max(offset - REACH, 0)
    data = memory.clip(space, first, offset + REACH - first)
    chain = _chain(data, first, offset - first)
    if chain is None or (only_first and not _mine(chain, offset - first, rule)):
        return None
    found = claim(chain.values())
    if found is None or _whole(memory, space, chain):
        return None
    return _proved(found, chain, space, rule)


def _public(memory: Memory, space: int, offset: int, head: bytes) -> bool:
    """Tell whether a short INTEGER follows and then none: n and e, as certificates have them."""
    count = head[1] - 0x80
    size = head[1] if count < 0 else int.from_bytes(head[2 : 2 + count], "big")
    end = 2 + max(count, 0) + size
    behind = head[end : end + 8]
    if len(behind) < 8 <= len(head) and count <= 2:
        behind = memory.clip(space, offset + end, 8)
    if len(behind) < 8 or count > 2 or behind[0] != der.INTEGER or not 1 <= behind[1] <= 5:
        return False
    return behind[2 + behind[1]] != der.INTEGER


def _proved(found: Claim, chain: _Chain, space: int, rule: Rule) -> Proved:
    start = chain.starts[0]
    place = Place(space=space, offset=chain.first + start, size=chain.end - start)
    return proved(found.key, rule, "PKCS1-DER (damaged)", (place,), proof=found.proof)


def _chain(data: bytes, first: int, at: int) -> _Chain | None:
    """Return the chain that holds the INTEGER at ``at``; None where that stands alone."""
    starts, end = [at], end_of(data, at)
    while end is not None and len(starts) < MOST:
        following = end_of(data, end)
        if following is None:
            break
        starts.append(end)
        end = following
    if end is None:
        return None
    while len(starts) < 2 * MOST:
        before = _before(data, starts[0])
        if before is None:
            break
        starts.insert(0, before)
    return _Chain(data, first, starts, end) if len(starts) > 1 else None


def _content(data: bytes, start: int) -> int:
    """Return where the content of the element begins that ``end_of`` has accepted."""
    return start + 2 + max(data[start + 1] - 0x80, 0)


def end_of(data: bytes, start: int) -> int | None:
    """Return where the positive, minimal INTEGER ends that begins at ``start``; None if none does.

    The same judgement as ``der.Reader.integer``, without its exceptions: most of what is asked
    about is no INTEGER at all.
    """
    head = data[start : start + 6]
    if len(head) < 3 or head[0] != der.INTEGER:
        return None
    size, at = head[1], 2
    if size >= 0x80:
        count = size - 0x80
        if not 1 <= count <= 2 or len(head) < 4 + count:
            return None
        size, at = int.from_bytes(head[2 : 2 + count], "big"), 2 + count
        if size < (0x80 if count == 1 else 0x100) or size > LARGEST:
            return None
    if not size or head[at] >= 0x80:
        return None
    if size > 1 and head[at] == 0 and (len(head) < at + 2 or head[at + 1] < 0x80):
        return None
    end = start + at + size
    return end if end <= len(data) else None


def _before(data: bytes, at: int) -> int | None:
    """Return where the INTEGER begins that ends at ``at``: the longest header is the likeliest."""
    for mark, reach in _MARKS:
        low, high = max(at - reach, 0), at
        for _ in range(_ATTEMPTS):
            start = data.rfind(mark, low, high)
            if start < 0:
                break
            if end_of(data, start) == at:
                return start
            high = start + len(mark) - 1
    return None


def _mine(chain: _Chain, at: int, rule: Rule) -> bool:
    """Tell whether ``at`` is where the chain begins, or the first of its anchors."""
    if at == chain.starts[0]:
        return True
    patterns = [_pattern(anchor) for anchor in rule.anchors]
    anchored = (
        start for start in chain.starts if any(p.match(chain.data, start) for p in patterns)
    )
    return next(anchored, -1) == at


@functools.cache
def _pattern(anchor: Anchor) -> re.Pattern[bytes]:
    return re.compile(anchor.expression, re.DOTALL)


def _whole(memory: Memory, space: int, chain: _Chain) -> bool:
    """Tell whether the chain is, or holds, the inside of an RSAPrivateKey that ``keys`` reads.

    It may begin before that: what ends as an INTEGER would may take in the header.
    """
    for first in chain.starts:
        for start in der.headers_before(chain.data, first):
            data = der.fetch(memory, space, chain.first + start)
            if data is not None and parse_private(data) is not None:
                return True
    return False
