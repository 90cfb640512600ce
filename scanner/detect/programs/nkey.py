"""Seeds of NATS's NKEYs in base32: S, the letter of what has the key, A, and 55 characters.

Source: github.com/nats-io/nkeys (strkey.go, xkeys.go). Two bytes stand before the seed, which is of
an Ed25519 key, or of an X25519 key, to which others encrypt, where the letter is X; and behind it a
checksum of 16 bits, which chance meets once in 65,536: so the text must stand by itself. Where the
public key that the seed gives is near by, in the same writing, the key is proved.
"""

import base64
import re
from collections.abc import Iterator

from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour
from scanner.detect.evidence import okp_derived, proved, unproved
from scanner.detect.programs.stellar import adjoined, written
from scanner.rules import Rule

AROUND = 4096
"""Characters before and behind in which the public key is looked for."""

_CURVE = 23
"""The letter X, as the five bits that it is."""

_TEXT = re.compile(rb"S[ACNOUX]A[A-P][A-Z2-7]{54}(?![A-Za-z0-9+/=_-])")


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key whose text begins at ``offset``."""
    text, raw, at = armour.stretch(armour.text_at(memory, space, offset), AROUND, AROUND)
    match = _TEXT.match(raw, at)
    if match is None or adjoined(raw[:at]):
        return
    whole = base64.b32decode(match[0] + b"======")
    seed, letter = whole[2:-2], (whole[0] & 7) << 2 | whole[1] >> 6  # behind the five bits of S
    algorithm = "x25519" if letter == _CURVE else "ed25519"
    key = okp_derived(algorithm, seed) if written(whole[:-2]) == match[0] else None
    if key is None:
        return
    size = match.end() - at
    place, wide = armour.located(memory, space, text.offset + at * text.width, size, text.width)
    say = proved if written(bytes((letter << 3,)) + key.public) in raw else unproved
    yield say(key, rule, f"NKEY{wide}", (place,))
