"""Stellar secret seeds in base32 (SEP-23): S and 55 characters.

A version byte stands before the seed of an Ed25519 key, and a checksum of 16 bits behind it, which
chance meets once in 65,536: so the text must stand by itself. Where the account that the seed gives
(``G...``) is near by, the key is proved.
"""

import base64
import binascii
import re
from collections.abc import Iterator

from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour
from scanner.detect.evidence import okp_derived, proved, unproved
from scanner.rules import Rule

AROUND = 4096
"""Characters before and behind in which the account is looked for."""

_SEED, _ACCOUNT = 18 << 3, 6 << 3
"""Version bytes: the letters that texts begin with, in base32."""

_TEXT = re.compile(rb"S[A-D][A-Z2-7]{54}(?![A-Za-z0-9+/=_-])")
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567abcdefghijklmnopqrstuvwxyz0189+/_-")
"""What such a text stands apart from."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key whose text begins at ``offset``."""
    text, raw, at = armour.stretch(armour.text_at(memory, space, offset), AROUND, AROUND)
    match = _TEXT.match(raw, at)
    if match is None or adjoined(raw[:at]):
        return
    whole = base64.b32decode(match[0])
    seed = whole[1:-2]
    key = okp_derived("ed25519", seed) if written(bytes((_SEED,)) + seed) == match[0] else None
    if key is None:
        return
    size = match.end() - at
    place, wide = armour.located(memory, space, text.offset + at * text.width, size, text.width)
    say = proved if written(bytes((_ACCOUNT,)) + key.public) in raw else unproved
    yield say(key, rule, f"StrKey{wide}", (place,))


def adjoined(before: bytes) -> bool:
    """Tell whether what stands before a text is one with it: a letter of no fill and no escape."""
    return bool(before) and before[-1] in _LETTERS and not armour.parted(before)


def written(body: bytes) -> bytes:
    """Return bytes and their checksum (CRC-16/XMODEM) in base32, without padding."""
    return base64.b32encode(body + binascii.crc_hqx(body, 0).to_bytes(2, "little")).rstrip(b"=")
