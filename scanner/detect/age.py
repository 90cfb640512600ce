"""age identities: AGE-SECRET-KEY-1 or AGE-SECRET-KEY-PQ-1, and 58 characters of Bech32.

Sources: the age specification (C2SP, X25519 and hybrid recipient stanzas) and BIP 173. Six of the
characters are a checksum, which arbitrary text meets once in 2**30. The identity is an X25519 key,
or the seed of an X-Wing one; where its recipient (``age1...``) stands near by, as age-keygen writes
it, the key is proved.
"""

import re
from collections.abc import Iterator, Sequence

from scanner.detect import armour, pqc
from scanner.detect.der import Malformed, Memory
from scanner.detect.evidence import okp_derived, proved, unproved
from scanner.detect.keys import Proved
from scanner.detect.material import Okp, Pqc
from scanner.rules import Rule

AROUND = 4096
"""Characters before and behind in which the recipient is looked for."""

_CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_HYBRID = b"age-secret-key-pq-"
_RECIPIENTS = {"x25519": "age", pqc.X_WING: "age1pq"}
"""What recipients begin with, before the digit 1."""

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
    recipient = encode(_RECIPIENTS[key.algorithm], key.public) if key.public else ""
    say = proved if recipient and recipient.encode() in raw else unproved
    yield say(key, rule, f"age{wide}", (place,))


def _key(human: bytes, text: bytes) -> Okp | Pqc | None:
    """Return the key of an identity in lower case, if its checksum holds."""
    secret = decode(human.decode(), text.decode())
    if secret is None:
        return None
    if human != _HYBRID:
        return okp_derived("x25519", secret)
    try:
        return pqc.x_wing(secret)
    except Malformed:
        return None


def _checksum(human: str, values: Sequence[int]) -> int:
    """Compute the checksum of BIP 173, which is 1 over a whole text."""
    check = 1
    letters = [ord(letter) >> 5 for letter in human] + [0] + [ord(letter) & 31 for letter in human]
    for value in (*letters, *values):
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            check ^= generator if top >> bit & 1 else 0
    return check


def decode(human: str, text: str) -> bytes | None:
    """Return the bytes of lower-case Bech32 behind its human part; None where it does not hold."""
    values = [_CHARSET.find(letter) for letter in text]
    if -1 in values or len(values) < 6 or _checksum(human, values) != 1:
        return None
    number, bits = 0, 5 * (len(values) - 6)
    for value in values[:-6]:
        number = number << 5 | value
    spare = bits % 8
    if spare > 4 or number & ((1 << spare) - 1):
        return None
    return (number >> spare).to_bytes(bits // 8, "big")


def encode(human: str, data: bytes) -> str:
    """Return bytes as lower-case Bech32."""
    spare = -8 * len(data) % 5
    number = int.from_bytes(data, "big") << spare
    count = (8 * len(data) + spare) // 5
    values = [number >> 5 * (count - 1 - index) & 31 for index in range(count)]
    check = _checksum(human, [*values, 0, 0, 0, 0, 0, 0]) ^ 1
    values += [check >> 5 * (5 - index) & 31 for index in range(6)]
    return f"{human}1{''.join(_CHARSET[value] for value in values)}"
