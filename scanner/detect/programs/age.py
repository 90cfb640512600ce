"""age identities: AGE-SECRET-KEY-1 or AGE-SECRET-KEY-PQ-1, and 58 characters of Bech32.

Source: the age specification (C2SP, X25519 and hybrid recipient stanzas). The checksum must hold.
The identity is an X25519 key, or the seed of an X-Wing one; where its recipient (``age1...``) is
near by, as age-keygen writes it, the key is proved. A recipient is the X25519 key's public half,
wherever it stands: rage keeps of an identity the private number alone, and of the other what was
configured or printed.
"""

import re
from collections.abc import Iterator

from scanner.detect.algebra import publics
from scanner.detect.algebra.material import Okp, Pqc
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1 import pqc
from scanner.detect.asn1.der import Malformed, Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour, bech32
from scanner.detect.evidence import okp_derived, proved, unproved
from scanner.rules import Rule

MARK = b"AGE-SECRET-KEY-"

AROUND = 4096
"""Characters before and behind in which the recipient is looked for."""

_LONGEST = len("age1") + 58 + 1
"""Characters of a recipient, and one that must not go on with it."""

_HYBRID = b"age-secret-key-pq-"
_RECIPIENTS = {"x25519": "age", pqc.X_WING: "age1pq"}
"""What recipients begin with, before the digit 1."""

_RECIPIENT = re.compile(rb"age1([%b]{58})(?![0-9a-z])" % bech32.CHARSET.encode())
_IDENTITY = re.compile(rb"(AGE-SECRET-KEY-(?:PQ-)?)1([02-9AC-HJ-NP-Z]{58})(?![0-9A-Z])")


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the identity that begins at ``offset``."""
    text, raw, at = armour.stretch(armour.text_at(memory, space, offset), AROUND, AROUND)
    match = _IDENTITY.match(raw, at)
    key = _key(*(part.lower() for part in match.groups())) if match else None
    if key is None or match is None:
        return
    size = match.end() - at
    place, wide = armour.located(memory, space, text.offset + at * text.width, size, text.width)
    recipient = bech32.encode(_RECIPIENTS[key.algorithm], key.public) if key.public else ""
    say = proved if recipient and recipient.encode() in raw else unproved
    yield say(key, rule, f"age{wide}", (place,))


def recipient(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[PublicKey]:  # noqa: ARG001
    """Yield the public key of the recipient that begins at ``offset``."""
    text = armour.text_at(memory, space, offset)
    match = _RECIPIENT.match(text.read(_LONGEST))
    raw = bech32.decode("age", match[1].decode()) if match else None
    if raw is not None:
        yield publics.okp("x25519", raw, kind="age")


def _key(human: bytes, text: bytes) -> Okp | Pqc | None:
    """Return the key of an identity in lower case, if its checksum holds."""
    secret = bech32.decode(human.decode(), text.decode())
    if secret is None:
        return None
    if human != _HYBRID:
        return okp_derived("x25519", secret)
    try:
        return pqc.x_wing(secret)
    except Malformed:
        return None
