"""Expanded Ed25519 keys in base64: the clamped scalar a, the prefix and the public key A.

RFC 8032 section 5.1.5 makes a and the prefix of a seed, which such a key does not have; A = a*B,
which stands behind them, proves it. tinc 1.1 writes these 96 bytes under the label ``ED25519
PRIVATE KEY`` (its src/ed25519/ecdsagen.c), in a base64 of its own (src/utils.c): three bytes are a
little-endian number there, whose lowest six bits come first. Proof needs no label: such a text is
told where an allocator wrote over its BEGIN line, and over the first character behind that.
"""

import base64
import re
import string
from collections.abc import Iterator

from scanner.detect.algebra.material import Okp
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour
from scanner.detect.evidence import okp_clamped, okp_scalar, proved
from scanner.rules import Rule

PROOF = "a*B = A"
_SCALAR, _PAIR, _TRIPLE = 32, 64, 96
"""Bytes of a; of a and the prefix; of all three."""

_WHOLE = _TRIPLE * 8 // 6
_ALPHABET = (string.ascii_letters + string.digits + "+/").encode()
_BREAK = re.compile(rb"\s+|\\+[rn]")
_BACKWARDS = re.compile(rb"(?:(?:\s|[rn]\\{1,4}){0,4}[A-Za-z0-9+/]){%d,%d}" % (_WHOLE - 1, _WHOLE))
"""The text before an END line, its last character first."""

_END = re.compile(rb"-----END (?:[A-Z0-9]{1,12} ){0,3}\Z")
_BEGIN = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----(?:\s|\\+[rn]){1,4}\Z")
_BEFORE = 512
"""Characters that are read before the anchor."""


def key(raw: bytes, label: tuple[bytes, ...]) -> tuple[Okp | None, bool]:
    """Return the key that the bytes under a label are, and whether it is proved.

    Without A it is one by the label alone.
    """
    if len(raw) == _TRIPLE:
        found = _proved(base64.b64encode(raw))
        return found, found is not None
    if len(raw) == _PAIR and b"ED25519" in label:
        return okp_clamped(raw[:_SCALAR]), False
    return None, False


def examine_end(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key before the END line that ends with the anchor, if its BEGIN line is gone."""
    text, raw, at = armour.stretch(armour.text_at(memory, space, offset), _BEFORE, 1)
    end = _END.search(raw[:at])
    match = _BACKWARDS.match(raw[end.start() - 1 :: -1]) if end and end.start() else None
    if end is None or match is None:
        return
    first = end.start() - match.end()
    found = _proved(_BREAK.sub(b"", match[0][::-1]))
    if found is None or _BEGIN.search(raw[:first]):
        return
    where = text.offset + first * text.width
    place, wide = armour.located(memory, space, where, match.end(), text.width)
    encoding = f"labelled base64 (damaged){wide}"
    yield proved(found, rule, encoding, (place,), proof=PROOF)


def _proved(chars: bytes) -> Okp | None:
    """Return the key that base64 of either order holds, whose first character may be gone."""
    firsts = [bytes((each,)) for each in _ALPHABET] if len(chars) < _WHOLE else [b""]
    for order in (1, -1):
        for first in firsts:
            raw = base64.b64decode((first + chars)[::order])[::order]
            found = okp_scalar(raw[:_SCALAR], raw[_PAIR:])
            if found is not None:
                return found
    return None
