"""Private keys as text whose label is all the structure they have: bytes in base64 on one line.

Nebula writes them so (``NEBULA X25519 PRIVATE KEY``), and so do programs that know no DER. What the
bytes are the label says; a seed with its public half behind it is proved, the rest is a structure,
and 32 bytes under a label that says nothing are a key of an unknown algorithm.
"""

import base64
import re
from collections.abc import Iterator

from scanner.detect import armour
from scanner.detect.der import Memory
from scanner.detect.evidence import ec_derived, okp_derived, okp_seed, proved, unproved
from scanner.detect.keys import Proved
from scanner.detect.material import Foreign, Material
from scanner.detect.sealed import UNKNOWN
from scanner.rules import Rule

_BEFORE, _BEHIND = 64, 256
"""Characters of the longest label, and of a body with its end."""

_BEGIN = b"-----BEGIN "
_TEXT = re.compile(
    rb"-----BEGIN ((?:[A-Z0-9]{1,12} ){0,3})PRIVATE KEY-----(?:\s|\\[nr]){1,4}"
    rb"([A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==)(?:\s|\\[nr]){1,4}"
    rb"-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----"
)
_SEED, _BOTH = 32, 64
_VARIED = 20
"""Different values of 32 random bytes, at least, where nothing says what they are."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key whose BEGIN line ends with the anchor at ``offset``."""
    text, raw, at = armour.stretch(armour.text_at(memory, space, offset), _BEFORE, _BEHIND)
    first = raw.rfind(_BEGIN, 0, at)
    match = _TEXT.match(raw, first) if first >= 0 else None
    if match is None or match.start(2) < at:
        return
    key, certain = _key(match[1].split(), base64.b64decode(match[2]))
    if key is not None:
        size = match.end() - first
        where = text.offset + first * text.width
        place, wide = armour.located(memory, space, where, size, text.width)
        say = proved if certain else unproved
        yield say(key, rule, f"labelled base64{wide}", (place,))


def _key(label: list[bytes], raw: bytes) -> tuple[Material | None, bool]:
    """Return the key that a label says the bytes are, and whether they prove it."""
    if len(raw) == _BOTH:
        return okp_seed("ed25519", raw[:_SEED], raw[_SEED:]), True
    if b"X25519" in label:
        return okp_derived("x25519", raw), False
    if b"ED25519" in label:
        return okp_derived("ed25519", raw), False
    if b"P256" in label:
        return ec_derived("P-256", int.from_bytes(raw, "big")), False
    if b"ENCRYPTED" in label or len(set(raw)) < _VARIED:
        return None, False
    return Foreign(algorithm=UNKNOWN, inner=raw), False
