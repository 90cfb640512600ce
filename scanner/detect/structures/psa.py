"""Keys in the key store of a PSA Crypto library: scalars beside which no public half stands.

Seen in Mbed TLS 2.28 and 3.6 (psa_key_slot_t, library/psa_crypto_core.h). An opaque key of an
elliptic curve is its scalar alone, in a block of its own, and who signs with it needs no point. A
slot says what it is: attributes (type and bits, then a lifetime), and behind them the block and its
size. What is of another size than the curve's scalars, or not below its order, is refused; and so
are the keys of curves for key agreement alone, which are a handshake's own, and those that another
place keeps than the library's own memory. RSA keys are DER there, and are found as such.
"""

from collections.abc import Iterator
from typing import Literal

from scanner.detect.algebra.material import Ec, Material
from scanner.detect.asn1.keys import Proved
from scanner.detect.evidence import DISTINCT, ec_derived, unproved
from scanner.dump import space as spaces
from scanner.dump.space import Memory
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Candidate, Place
from scanner.rules import Rule

_CURVES = {
    (0x7112, 224): "P-224",
    (0x7112, 256): "P-256",
    (0x7112, 384): "P-384",
    (0x7112, 521): "P-521",
    (0x7117, 256): "secp256k1",
    (0x7130, 256): "brainpoolP256r1",
    (0x7130, 384): "brainpoolP384r1",
    (0x7130, 512): "brainpoolP512r1",
}
"""Types of key pairs (PSA Certified Crypto API 1.2, section 9.6.4) and bits."""

_ATTRIBUTES, _BEHIND = 24, 40
"""Bytes of the attributes, at least, and behind them in which the block's address stands."""

_HALF = 4

_ENCODING = "PSA key slot"


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key of the slot whose attributes stand at ``offset``."""
    word = memory.map.pointer_size
    order: Literal["little", "big"] = "big" if memory.map.byte_order == "big" else "little"
    raw = memory.clip(space, offset, _ATTRIBUTES + _BEHIND + 2 * word)
    kind, bits = int.from_bytes(raw[:2], order), int.from_bytes(raw[2:4], order)
    curve = _CURVES.get((kind, bits), "")
    if not curve:
        return
    size = FIELD_BYTES[curve].to_bytes(word, order)
    for at in range(_ATTRIBUTES, len(raw) - 2 * word + 1, _HALF):
        if raw[at + word : at + 2 * word] != size:
            continue
        address = int.from_bytes(raw[at : at + word], order)
        place = spaces.placed(memory.map, address, FIELD_BYTES[curve])
        key = _key(memory, curve, place) if place is not None else None
        if place is not None and key is not None:
            yield unproved(key, rule, _ENCODING, (place,))
            return


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Read a candidate's scalar again."""
    key = _key(memory, candidate.curve, candidate.places[0])
    return [] if key is None else [key]


def _key(memory: Memory, curve: str, place: Place) -> Ec | None:
    raw = memory.read(place.space, place.offset, place.size)
    return ec_derived(curve, int.from_bytes(raw, "big")) if len(set(raw)) >= DISTINCT else None
