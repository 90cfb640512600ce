"""Keys of Go's standard library in use: a name, a point and a scalar, each by pointer and length.

Whoever signs or agrees on keys has ``PrivateKey`` of crypto/internal/fips140/ecdsa or ecdh (since
1.24): the curve's name, the point as bytes, and the scalar as bytes. Go lays blocks of one size end
to end, and a point and its scalar are of two sizes: neither is near the other, and nothing but this
structure says where they are. What the scalar does not derive is refused. Ed25519 keys have both
halves in one block, and are found without; of X25519 no structure is known here, nor are big-endian
machines.
"""

from collections.abc import Iterator

from scanner.detect.algebra.material import Material
from scanner.detect.asn1.keys import Proved
from scanner.detect.evidence import ec_derived, proved
from scanner.dump import space as spaces
from scanner.dump.space import Memory
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Candidate
from scanner.rules import Rule

_CURVES = {1 + 2 * FIELD_BYTES[name]: name for name in ("P-224", "P-256", "P-384", "P-521")}
"""By the bytes of an uncompressed point (SEC 1 section 2.3.3)."""

_NAME = len("P-256")

_BEFORE, _WORDS = 2, 6
"""Words before the length of a point: its name's length and its address; and those looked at."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key of the structure in which the length of a point is at ``offset``."""
    word = memory.map.pointer_size
    first = offset - _BEFORE * word
    raw = memory.clip(space, first, _WORDS * word) if first >= 0 else b""
    if memory.map.byte_order != "little" or len(raw) < _WORDS * word:
        return
    words = (int.from_bytes(raw[at : at + word], "little") for at in range(0, len(raw), word))
    name, point, size, _, scalar, width = words
    curve = _CURVES.get(size, "")
    if not curve or name != _NAME or width != FIELD_BYTES[curve]:
        return
    public, place = (spaces.placed(memory.map, *row) for row in ((point, size), (scalar, width)))
    if public is None or place is None:
        return
    key = ec_derived(curve, int.from_bytes(memory.read(place.space, place.offset, place.size)))
    if key is not None:
        written = b"\x04" + key.x.to_bytes(width) + key.y.to_bytes(width)
        if memory.read(public.space, public.offset, public.size) == written:
            yield proved(key, rule, "Go PrivateKey", (place,))


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Read a candidate's scalar again."""
    place = candidate.places[0]
    raw = memory.read(place.space, place.offset, place.size)
    key = ec_derived(candidate.curve, int.from_bytes(raw))
    return [] if key is None else [key]
