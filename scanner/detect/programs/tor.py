"""Keys of Tor onion services, version 3: the file hs_ed25519_secret_key, and control lines.

Source: Tor, src/lib/crypt_ops/crypto_format.c (tagged files of 32 + 64 bytes), rend-spec-v3 and
control-spec (ADD_ONION: ``ED25519-V3:`` and the same 64 bytes in base64). There is no seed but the
expanded key (RFC 8032 section 5.1.5): the clamped scalar a and the prefix. What a gives proves
nothing by itself, unless the public file, or the address of the service, stands in the same memory
near by.
"""

import base64
import hashlib
import re
from collections.abc import Iterator

from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour
from scanner.detect.evidence import okp_clamped, proved, unproved
from scanner.model import Place
from scanner.rules import Rule

SECRET = b"== ed25519v1-secret: type0 ==\0\0\0"
PUBLIC = b"== ed25519v1-public: type0 ==\0\0\0"
AROUND = 4096
"""Bytes before and behind in which the public file or the address is looked for."""

_LINE = re.compile(rb"ED25519-V3:([A-Za-z0-9+/]{86}==)(?![A-Za-z0-9+/=])")
_VERSION = b"\x03"
_SCALAR = 32


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key whose tagged file, or whose name in a control line, begins at ``offset``."""
    yield from _filed(memory, space, offset, rule)
    yield from _told(memory, space, offset, rule)


def _filed(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    data = memory.clip(space, offset, len(SECRET) + 64)
    if not data.startswith(SECRET) or len(data) != len(SECRET) + 64:
        return
    key = okp_clamped(data[len(SECRET) :][:_SCALAR])
    if key is None:
        return
    first = max(offset - AROUND, 0)
    near = memory.clip(space, first, offset + AROUND - first)
    say = proved if PUBLIC + key.public in near else unproved
    yield say(key, rule, "Tor onion service", (Place(space=space, offset=offset, size=len(data)),))


def _told(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    text, raw, at = armour.stretch(armour.text_at(memory, space, offset), AROUND, AROUND)
    match = _LINE.match(raw, at)
    key = okp_clamped(base64.b64decode(match[1])[:_SCALAR]) if match else None
    if match is None or key is None:
        return
    size = match.end() - at
    place, wide = armour.located(memory, space, text.offset + at * text.width, size, text.width)
    say = proved if address(key.public) in raw else unproved
    yield say(key, rule, f"Tor control line{wide}", (place,))


def address(public: bytes) -> bytes:
    """Return the address of an onion service (rend-spec-v3 section 6), without its ending."""
    check = hashlib.sha3_256(b".onion checksum" + public + _VERSION).digest()[:2]
    return base64.b32encode(public + check + _VERSION).lower()
