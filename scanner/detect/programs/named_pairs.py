"""Private keys of 32 bytes behind a name, with their public half near by: VAPID and its like.

``{"publicKey": "B...", "privateKey": "..."}`` of web-push, variables like ``VAPID_PRIVATE_KEY=``,
and what managers of WireGuard keep as JSON: a word of base64, base64url or hex, or of Z85 in files
of ZeroMQ (``secret-key = "..."``), and nothing says of which algorithm it is. So each that has keys
of this length derives a public half, and one of them stands in the text, or there is no key. A name
alone is for ``tokens``, which calls it probable; of a word of Z85 alone that other alphabets do not
have, an X25519 key is told that does not block, unless it is found as a number: then it has a name.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import replace

from scanner.detect.algebra.material import Ec, Okp
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour, z85
from scanner.detect.evidence import DISTINCT, ec_derived, okp_derived, proved, unproved
from scanner.model import Confidence
from scanner.rules import Rule

AROUND = 1024
"""Characters before and behind in which the public half is looked for."""

_SIZE = 32
_WORD = re.compile(
    rb"(?i:private[_ ]?key|secret[_-]?key)\\{0,3}[\"']?\s{0,3}[:=]\s{0,4}\\{0,3}[\"']?"
    rb"(?:(?:(?:0x)?(?P<hex>[0-9A-Fa-f]{64})|(?P<base64>[A-Za-z0-9+/_-]{43})=?)"
    rb"(?![A-Za-z0-9+/=_-])|(?P<z85>%b{40})(?=\\{0,3}[\"']))" % z85.SIGN
)
_SIGNS = re.compile(rb"[^A-Za-z0-9+/=_-]")


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key whose name begins at ``offset``, if its public half is near."""
    text, raw, at = armour.stretch(armour.text_at(memory, space, offset), AROUND, AROUND)
    match = _WORD.match(raw, at)
    if match is None:
        return
    if match["hex"]:
        secret = bytes.fromhex(match["hex"].decode())
    elif match["base64"]:
        secret = armour.decode(match["base64"].translate(armour.FROM_URL))
    else:
        secret = z85.decode(match["z85"]) or b""
    key = next((key for key in _derived(secret) if _stands(key, raw)), None)
    size = match.end() - at
    place, wide = armour.located(memory, space, text.offset + at * text.width, size, text.width)
    if key is not None:
        yield proved(key, rule, f"named word{wide}", (place,))
    elif match["z85"] and _SIGNS.search(match["z85"]) and (lone := okp_derived("x25519", secret)):
        found = unproved(lone, rule, f"named word{wide}", (place,))
        yield replace(found, candidate=replace(found.candidate, confidence=Confidence.SHAPE))


def _derived(secret: bytes) -> Iterator[Ec | Okp]:
    if len(set(secret)) < DISTINCT:
        return
    for algorithm in ("ed25519", "x25519"):
        if pair := okp_derived(algorithm, secret):
            yield pair
    for curve in ("P-256", "secp256k1"):
        if key := ec_derived(curve, int.from_bytes(secret, "big")):
            yield key


def _stands(key: Ec | Okp, raw: bytes) -> bool:
    """Tell whether a public half stands in a text, in hex, Z85 or base64 of either alphabet."""
    if isinstance(key, Okp):
        if z85.encode(key.public) in raw:
            return True
        publics = [key.public]
    else:
        x, y = (number.to_bytes(_SIZE, "big") for number in (key.x, key.y))
        publics = [b"\x04" + x + y, bytes((2 + key.y % 2,)) + x, x + y]
    for public in publics:
        word = base64.b64encode(public).rstrip(b"=")
        if word in raw or word.translate(armour.TO_URL) in raw:
            return True
    lower = raw.lower()
    return any(public.hex().encode() in lower for public in publics)
