"""RSA keys as XML text, as .NET writes them: <RSAKeyValue> (W3C XML Signature 4.5.2.2, and P to D).

Mostly UTF-16 in a managed heap. Members are taken by name in whatever order they stand, up to the
closing tag; a public key is a witness, and a private one is a key when p*q = n or when n, e and d
factor n. This module refuses to parse XML: there are no entities, attributes or depth to bound.
"""

import base64
import binascii
import re
from collections.abc import Iterator

from scanner.detect.algebra import publics
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour
from scanner.detect.evidence import proved, rsa_exponents, rsa_primes, rsa_public
from scanner.rules import Rule

LONGEST = 24 * 1024
"""Characters of the longest element: a 16384-bit key has a third of it."""

_OPEN, _CLOSE = b"<RSAKeyValue>", b"</RSAKeyValue>"
_MEMBER = re.compile(rb"<(Modulus|Exponent|P|Q|D)>([A-Za-z0-9+/=\s]{1,4096})</\1>")


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the key of the element whose opening tag stands at ``offset``."""
    body = armour.text_at(memory, space, offset)
    text = body.read(LONGEST)
    if not text.startswith(_OPEN):
        return
    end = text.find(_CLOSE)
    text = text[: end + len(_CLOSE)] if end >= 0 else text
    values = {name: value for name, value in _members(text) if value}
    n, e = values.get(b"Modulus", 0), values.get(b"Exponent", 65537)
    place, wide = armour.located(memory, space, body.offset, len(text), body.width)
    if not rsa_public(n, e):
        return
    key = rsa_primes(n, e, values.get(b"P", 1), values.get(b"Q", 1))
    if key is None and b"D" in values:
        key = rsa_exponents(n, e, values[b"D"])
    if key is None:
        yield publics.rsa(n, e, kind="public-key", place=place)
    else:
        yield proved(key, rule, f"RSAKeyValue XML{wide}", (place,))


def _members(text: bytes) -> Iterator[tuple[bytes, int]]:
    for match in _MEMBER.finditer(text):
        try:
            yield match[1], int.from_bytes(base64.b64decode(match[2]), "big")
        except (binascii.Error, ValueError):
            continue
