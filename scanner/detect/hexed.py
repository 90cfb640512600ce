r"""Key files other than PEM, and keys in base64, as hex or lists of numbers: databases and logs.

A column of bytes is printed in hex (``\x7b226b...`` of PostgreSQL, ``X'...'`` of SQLite and MySQL,
``hex()`` of any language), with something between the bytes or not, or as decimal numbers. The mark
of a format, so spelled, is what is looked for; the text around it is put together and given to the
readers of ``inner``. PEM and DER are for ``encoded``. This module decodes once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from scanner.detect import inner
from scanner.detect.algebra import effort
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour
from scanner.detect.encodings.armour import Text
from scanner.rules import Rule

_FILES = (
    b'"kty":',
    b'"kty" ',
    b"PuTTY-User",
    b"PGP PRIVAT",
    b"AGE-SECRET",
    b"Private-ke",
    b"PrivateKey",
    b"<RSAKeyVal",
    b"IBADANBgkq",
    b"GByqGSM49A",
    b"MC4CAQAwBQ",
    b"MHcCAQEEI",
    b"IBAAKCAQEA",
    b"LS0tLS1CRU",
)
"""What a format's text is told by: JWK, PuTTY, OpenPGP, age, DNSSEC, WireGuard and XML; base64 of
PKCS#8 with RSA, a curve, Ed25519, of SEC1 on P-256, of PKCS#1 of 2048 bits and of a BEGIN line."""

_LONGEST = 32
"""Characters of an anchor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spelling:
    """How a byte is written, what parts it from the next, and what reads one."""

    item: str
    between: str
    pattern: re.Pattern[bytes]
    base: int = 16


def _spelling(item: str, between: str) -> _Spelling:
    if item.endswith("d"):
        pattern = rb"(?<![0-9])([0-9]{1,3})(?![0-9])"
        return _Spelling(item=item, between=between, pattern=re.compile(pattern), base=10)
    mark = b"0[xX]" if item.startswith("0x") else b""
    if not between:
        return _Spelling(item=item, between=between, pattern=re.compile(rb"([0-9A-Fa-f]{2})"))
    pattern = rb"(?<![0-9A-Fa-f])%b([0-9A-Fa-f]{2})(?![0-9A-Fa-f])" % mark
    return _Spelling(item=item, between=between, pattern=re.compile(pattern))


_SPELLINGS = (
    *(_spelling("%02x", between) for between in ("", " ", ":", "-", ",")),
    *(_spelling("0x%02x", between) for between in (", ", ",")),
    *(_spelling("%d", between) for between in (", ", ",", " ")),
)

ANCHORS = tuple(
    (spelling.between.join(spelling.item % byte for byte in mark).encode()[:_LONGEST], spelling)
    for spelling in _SPELLINGS
    for mark in _FILES
)
"""What is looked for, in lower case where it has letters, and how it is spelled."""

_DIGITS = b"0123456789abcdefABCDEF"
_INSIDE = frozenset(_DIGITS + b"xX \t\r\n,:;-")
_BEFORE = 6 * 1024
"""Characters before a mark in which the text begins."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the keys in the text of which a mark, spelled so, stands at ``offset``.

    Or behind it: a place of what was found leads to it again.
    """
    text = armour.text_at(memory, space, offset)
    found_at, spelling = _mark(text)
    if spelling is None or not effort.inflatable(armour.BODY):
        return
    text = replace(text, offset=text.offset + found_at * text.width)
    whole, raw, at = armour.stretch(text, _BEFORE, armour.BODY)
    first, last = at, at
    while first > 0 and raw[first - 1] in _INSIDE:
        first -= 1
    while last < len(raw) and raw[last] in _INSIDE:
        last += 1
    row = first + len(raw[first:at].rstrip(_DIGITS))
    if not spelling.between and (at - row) % 2:
        first = row + 1
    items = [item.span(1) for item in spelling.pattern.finditer(raw, first, last)]
    values = [int(raw[start:end], spelling.base) for start, end in items]
    effort.inflated(last - first)
    if not values or max(values) > 0xFF:
        return
    found, publics = inner.keys_in(bytes(values), rule)
    yield from publics
    for one in found:
        (inside,) = one.candidate.places
        start, end = items[inside.offset][0], items[inside.offset + inside.size - 1][1]
        where, wide = armour.located(
            memory, space, whole.offset + start * whole.width, end - start, whole.width
        )
        encoding = f"{one.candidate.encoding} spelled out{wide}"
        yield replace(one, candidate=replace(one.candidate, places=(where,), encoding=encoding))


def _mark(text: Text) -> tuple[int, _Spelling | None]:
    """Return where in a text its first mark stands, and how that is spelled."""
    for size in (_LONGEST, _BEFORE):
        head = text.read(size).lower()
        places = ((head.find(anchor), spelling) for anchor, spelling in ANCHORS)
        found = [(at, spelling) for at, spelling in places if at >= 0]
        if found:
            return min(found, key=lambda one: one[0])
    return 0, None
