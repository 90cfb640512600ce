"""Private keys with their public half in one text behind a mark: libp2p, IPFS, PASERK, Solana.

Sources: libp2p's specification of peer ids (a protobuf message, of Ed25519 ``CAESQ`` in base64, and
``CAESY`` as it was once), and https://github.com/paseto-standard/paserk (``k4.secret.`` and
``k2.secret.``, of Ed25519, and ``k3.secret.``, of P-384). A seed has its public key behind it in
the same word: it proves itself or is nothing. A scalar is proved by its ``k3.public.`` near by.
Solana's programs write a seed and its public key as a list of 64 numbers, which is read behind a
name, or as Node prints it: of numbers that nothing announces, memory is full.
"""

import base64
import re
from collections.abc import Iterator

from scanner.detect.algebra.material import Ec, Okp
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour
from scanner.detect.evidence import DISTINCT, ec_derived, okp_seed, proved, unproved
from scanner.rules import Rule

AROUND = 4096
"""Characters before and behind in which a public key is looked for."""

_HEADS = {b"\x08\x01\x12\x40": 64, b"\x08\x01\x12\x60": 96}
"""Type and length of a key of Ed25519, which once was written with its public half twice."""

_SCALAR = 48
_MESSAGE = re.compile(rb"(CAES[QY][A-Za-z0-9+/_-]{86,129})={0,2}(?![A-Za-z0-9+/=_-])")
_PASERK = re.compile(rb"k([234])\.secret\.([A-Za-z0-9_-]{86}|[A-Za-z0-9_-]{64})(?![A-Za-z0-9_-])")
_LIST = re.compile(
    rb"(?:(?i:secret_?key|private_?key|keypair)[\"']?\s?[:=]\s?|Uint8Array\(64\) )"
    rb"\[(\s{0,16}[0-9]{1,3}(?:\s{0,16},\s{0,16}[0-9]{1,3}){63})\s{0,16}\]"
)


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key whose mark begins at ``offset``."""
    text, raw, at = armour.stretch(armour.text_at(memory, space, offset), AROUND, AROUND)
    key: Okp | Ec | None = None
    if match := _MESSAGE.match(raw, at):
        data = armour.decode(match[1].translate(armour.FROM_URL))
        if _HEADS.get(data[:4]) == len(data) - 4:
            key = okp_seed("ed25519", data[4:36], data[36:68])
    elif match := _PASERK.match(raw, at):
        data = armour.decode(match[2].translate(armour.FROM_URL))
        seeded = match[1] != b"3"
        key = okp_seed("ed25519", data[:32], data[32:]) if seeded else _scalar(data)
    elif match := _LIST.match(raw, at):
        numbers = [int(number) for number in match[1].split(b",")]
        if max(numbers) < 256:
            key = okp_seed("ed25519", bytes(numbers[:32]), bytes(numbers[32:]))
    if match is None or key is None:
        return
    size = match.end() - at
    place, wide = armour.located(memory, space, text.offset + at * text.width, size, text.width)
    say = proved if isinstance(key, Okp) or _public(key) in raw else unproved
    form = {_MESSAGE: "libp2p", _PASERK: "PASERK", _LIST: "list of numbers"}[match.re]
    yield say(key, rule, f"{form}{wide}", (place,))


def _scalar(data: bytes) -> Ec | None:
    if len(data) != _SCALAR or len(set(data)) < DISTINCT:
        return None
    return ec_derived("P-384", int.from_bytes(data, "big"))


def _public(key: Ec) -> bytes:
    """Return the public key of a scalar, compressed (PASERK, type public)."""
    point = bytes((2 + key.y % 2,)) + key.x.to_bytes(_SCALAR, "big")
    return b"k3.public." + base64.urlsafe_b64encode(point).rstrip(b"=")
