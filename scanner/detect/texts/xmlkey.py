"""RSA and DSA keys as XML text, as .NET writes them (W3C XML Signature 4.5.2).

<RSAKeyValue> has P to D besides, and <DSAKeyValue> X. Mostly UTF-16 in a managed heap. Members are
taken by name in whatever order they stand, up to the closing tag; a public key is a witness, and a
private one is a key when p or q divides n, when n, e and d factor n, or when g**x = y. Of an
element without its end, or whose private members are damaged, no more is a public key's than public
members in a row: what follows is memory like any other. The element may stand in a string of JSON,
in other XML or in a form, whose escapes are undone. This module refuses to parse XML: there are no
attributes or depth to bound.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping

from scanner.detect.algebra import groups, publics
from scanner.detect.algebra.material import Ffc, Rsa
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour
from scanner.detect.encodings.armour import Text
from scanner.detect.encodings.escapes import Plain, replaced
from scanner.detect.evidence import proved, rsa_exponents, rsa_primes, rsa_public
from scanner.model import Place
from scanner.rules import Rule

LONGEST = 24 * 1024
"""Characters of the longest element: a 16384-bit key has a third of it."""

MARKS = tuple(
    f"<{name}>".encode(codec)
    for name in ("RSAKeyValue", "DSAKeyValue")
    for codec in ("ascii", "utf-16-le")
)
"""The opening tags, as base64 may hold them."""

_PUBLIC = {b"RSAKeyValue": b"Modulus|Exponent", b"DSAKeyValue": b"P|Q|G|Y|J|Seed|PgenCounter"}
"""The elements, and their public members."""

_MEMBER = re.compile(
    rb"<(Modulus|Exponent|P|Q|DP|DQ|InverseQ|D|G|Y|X)>([A-Za-z0-9+/=\s]{1,4096})</\1>"
)
_END = re.compile(rb"</?[RD]SAKeyValue>|\0")
_HEADS = {
    name: re.compile(
        rb"<%b>(?:\s*<(%b)>[A-Za-z0-9+/=\s]{1,4096}</\1>)*(?:\s*</%b>)?" % (name, members, name)
    )
    for name, members in _PUBLIC.items()
}

_ESCAPES = {
    b"\\": re.compile(rb"\\{1,4}(?:u00([0-7][0-9A-Fa-f])|([nrt/\"'\\]))"),
    b"&": re.compile(rb"&(?:amp;)?(?:#x([0-7]?[0-9A-Fa-f]);|(lt|gt|quot|apos|amp|#43|#47);)"),
    b"%": re.compile(rb"%(?:25)?(?:([0-7][0-9A-Fa-f])|(\Z))"),
}
"""Escapes by what they begin with: one of a character's number in hex, or of its name."""

_WITHIN = ((b"<\\/", b"\\"), (b"\\u002", b"\\"), (b"&#", b"&"))
"""What tells that values are escaped, though tags are not, and what those escapes begin with."""

_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"lt": b"<", b"gt": b">", b"#43": b"+"}
_NAMED |= {b"quot": b'"', b"apos": b"'", b"amp": b"&", b"#47": b"/"}


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the key of the element whose opening tag stands at ``offset``."""
    body = armour.text_at(memory, space, offset)
    plain = _plain(body.read(LONGEST))
    text = plain.text
    name = next((name for name in _PUBLIC if text.startswith(b"<%b>" % name)), None)
    if name is None:
        return
    text = text[: _end(text, name)]
    members = list(_MEMBER.finditer(text))
    values = {member[1]: value for member in reversed(members) if (value := _value(member))}
    head = _HEADS[name].match(text)
    public = _located(body, plain.size(head.end() if head else 0))
    key = (_rsa if name == b"RSAKeyValue" else _dsa)(values, public[0])
    if isinstance(key, PublicKey):
        yield key
    elif key is not None:
        whole = text.endswith(b"</%b>" % name)
        place, wide = _located(body, plain.size(len(text) if whole else members[-1].end()))
        yield proved(key, rule, f"{name.decode()} XML{wide}", (place,))


def _plain(text: bytes) -> Plain:
    """Undo the escapes of a text: of what its first character is one of, or else of values."""
    first = text[:1]
    if first == b"<":
        first = next((name for mark, name in _WITHIN if mark in text), b"")
    pattern = _ESCAPES.get(first)
    return Plain(text) if pattern is None else replaced(text, pattern, _character)


def _character(match: re.Match[bytes]) -> bytes:
    return bytes((int(match[1], 16),)) if match[1] else _NAMED.get(match[2], match[2])[:1]


def _end(text: bytes, name: bytes) -> int:
    """Return where an element ends: with its own tag, else before another one or a zero byte."""
    end = _END.search(text, len(name))
    if end is None:
        return len(text)
    return end.end() if end[0] == b"</%b>" % name else end.start()


def _located(body: Text, size: int) -> tuple[Place, str]:
    return armour.located(body.memory, body.space, body.offset, size, body.width)


def _rsa(values: Mapping[bytes, int], place: Place) -> Rsa | PublicKey | None:
    n, e = values.get(b"Modulus", 0), values.get(b"Exponent", 65537)
    if not rsa_public(n, e):
        return None
    primes = (prime for name in (b"P", b"Q") if (prime := values.get(name, 0)))
    key = next((key for p in primes if (key := rsa_primes(n, e, p, n // p)) is not None), None)
    if key is None and b"D" in values:
        key = rsa_exponents(n, e, values[b"D"])
    return key or publics.rsa(n, e, kind="public-key", place=place)


def _dsa(values: Mapping[bytes, int], place: Place) -> Ffc | PublicKey | None:
    p, q, g, y, x = (values.get(name, 0) for name in (b"P", b"Q", b"G", b"Y", b"X"))
    if not q or not groups.plausible(p, q, g, y):
        return None
    return groups.proved(p, q, g, y, x) or publics.ffc(
        "dsa", p, q, g, y, kind="public-key", place=place
    )


def _value(member: re.Match[bytes]) -> int:
    """Return the number of a member; 0 where its base64 is none."""
    try:
        return int.from_bytes(base64.b64decode(member[2]), "big")
    except (binascii.Error, ValueError):
        return 0
