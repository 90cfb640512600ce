"""Nostr secret keys in Bech32 (NIP-19): ``nsec1`` and 58 characters.

What is inside is a scalar of secp256k1, and the checksum must hold. Where its public key is near by
(``npub1...``, or its x in hex as events have it: NIP-01), the key is proved.
"""

import re
from collections.abc import Iterator

from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour, bech32
from scanner.detect.evidence import DISTINCT, ec_derived, proved, unproved
from scanner.rules import Rule

AROUND = 4096
"""Characters before and behind in which the public key is looked for."""

_SECRET, _PUBLIC = "nsec", "npub"
_SCALAR = 32
_TEXT = re.compile(rb"nsec1([%b]{58})(?![0-9A-Za-z])" % bech32.CHARSET.encode())


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key whose text begins at ``offset``."""
    text, raw, at = armour.stretch(armour.text_at(memory, space, offset), AROUND, AROUND)
    match = _TEXT.match(raw, at)
    scalar = bech32.decode(_SECRET, match[1].decode()) if match else None
    if match is None or scalar is None or len(scalar) != _SCALAR or len(set(scalar)) < DISTINCT:
        return
    key = ec_derived("secp256k1", int.from_bytes(scalar, "big"))
    if key is None:
        return
    size = match.end() - at
    place, wide = armour.located(memory, space, text.offset + at * text.width, size, text.width)
    x = key.x.to_bytes(_SCALAR, "big")
    beside = (bech32.encode(_PUBLIC, x).encode(), x.hex().encode())
    say = proved if any(public in raw for public in beside) else unproved
    yield say(key, rule, f"nsec{wide}", (place,))
