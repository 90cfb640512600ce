"""RSA and DSA keys as XML text, as .NET writes them (W3C XML Signature 4.5.2).

<RSAKeyValue> has P to D besides, and <DSAKeyValue> X. Mostly UTF-16 in a managed heap. Members are
taken by name in whatever order they stand, up to the closing tag; a public key is a witness, and a
private one is a key when p*q = n, when n, e and d factor n, or when g**x = y. This module refuses
to parse XML: there are no entities, attributes or depth to bound.
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
from scanner.detect.evidence import proved, rsa_exponents, rsa_primes, rsa_public
from scanner.model import Place
from scanner.rules import Rule

LONGEST = 24 * 1024
"""Characters of the longest element: a 16384-bit key has a third of it."""

_NAMES = (b"RSAKeyValue", b"DSAKeyValue")
_MEMBER = re.compile(rb"<(Modulus|Exponent|P|Q|D|G|Y|X)>([A-Za-z0-9+/=\s]{1,4096})</\1>")


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the key of the element whose opening tag stands at ``offset``."""
    body = armour.text_at(memory, space, offset)
    text = body.read(LONGEST)
    name = next((name for name in _NAMES if text.startswith(b"<%b>" % name)), None)
    if name is None:
        return
    close = b"</%b>" % name
    end = text.find(close)
    text = text[: end + len(close)] if end >= 0 else text
    values = {name: value for name, value in _members(text) if value}
    place, wide = armour.located(memory, space, body.offset, len(text), body.width)
    key = (_rsa if name == _NAMES[0] else _dsa)(values, place)
    if isinstance(key, PublicKey):
        yield key
    elif key is not None:
        yield proved(key, rule, f"{name.decode()} XML{wide}", (place,))


def _rsa(values: Mapping[bytes, int], place: Place) -> Rsa | PublicKey | None:
    n, e = values.get(b"Modulus", 0), values.get(b"Exponent", 65537)
    if not rsa_public(n, e):
        return None
    key = rsa_primes(n, e, values.get(b"P", 1), values.get(b"Q", 1))
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


def _members(text: bytes) -> Iterator[tuple[bytes, int]]:
    for match in _MEMBER.finditer(text):
        try:
            yield match[1], int.from_bytes(base64.b64decode(match[2]), "big")
        except (binascii.Error, ValueError):
            continue
