"""Bitcoin keys in Base58Check: the Wallet Import Format, and extended keys of BIP 32.

A checksum of four bytes (SHA-256 twice) stands in the text, so that chance makes one of four
billion. What is inside is a scalar of secp256k1; nothing else in the text bears witness, so that a
key is a structure until its public half is met. Extended keys begin as SLIP 132 says, by what they
unlock: Yprv and Zprv with others (seen in Electrum). Keys of test networks are worth nothing and
are passed over, and so is encrypted text (BIP 38).
"""

import hashlib
import re
from collections.abc import Iterator

from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour, base58
from scanner.detect.evidence import DISTINCT, ec_derived, unproved
from scanner.rules import Rule

_TEXT = re.compile(
    rb"(?:5[HJK][%b]{49}|[KL][%b]{51}|[xyzYZ]prv[%b]{107})(?![A-Za-z0-9])"
    % ((base58.ALPHABET,) * 3)
)
_HEAD, _LONGEST = 51, 112
"""Characters of the shortest text, and of the longest one and what stands behind it."""
_WIF, _COMPRESSED = 0x80, 0x01
_EXTENDED = 78
"""Bytes of a serialized extended key (BIP 32): the scalar is the last of them, a zero before it."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key whose text begins at ``offset``."""
    head = memory.clip(space, offset, _HEAD)
    if b"\0" not in head[:2] and len(head.translate(None, base58.ALPHABET)) > 0:
        return  # a longer name of a program's, as nearly always
    text = armour.text_at(memory, space, offset)
    match = _TEXT.match(text.read(_LONGEST))
    if match is None:
        return
    before = armour.before(memory, space, text.offset, text.width)
    if before and before in base58.ALPHABET:
        return
    scalar, name = _scalar(match[0])
    key = None
    if len(set(scalar)) >= DISTINCT:
        key = ec_derived("secp256k1", int.from_bytes(scalar, "big"))
    if key is not None:
        place, wide = armour.located(memory, space, text.offset, match.end(), text.width)
        yield unproved(key, rule, f"{name}{wide}", (place,))


def _scalar(text: bytes) -> tuple[bytes, str]:
    """Return the scalar in a text whose checksum holds, and what the text is called."""
    size = 82 if len(text) > 52 else 38 if text[:1] in b"KL" else 37
    data = base58.decode(text, size)
    if data is None:
        return b"", ""
    body, check = data[:-4], data[-4:]
    if hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4] != check:
        return b"", ""
    if len(body) == _EXTENDED:
        return (body[46:], "BIP 32 key") if body[45] == 0 else (b"", "")
    if body[0] != _WIF or (len(body) == 34 and body[33] != _COMPRESSED):
        return b"", ""
    return body[1:33], "WIF"
