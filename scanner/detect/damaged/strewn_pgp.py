"""Ed25519 keys of OpenPGP whose lines lie apart: two lines hold all of a secret key packet.

The first has most of the public half, and the second, behind what is left of it, the seed and its
checksum (RFC 9580 section 5.5.3, version 4 and EdDSALegacy). This module refuses what has a
passphrase, and looks for no line.
"""

from collections.abc import Collection

from scanner.detect.algebra.material import Okp
from scanner.detect.asn1.keys import okp_public

_HEADERS = (0x94, 0xC5)
"""A secret key packet whose length is one byte, in the old format (GnuPG) or the new (4.2)."""

BEGINS = (b"lF", b"xV")
"""How these begin in base64, with the length that they have here: 88, or hardly less."""

_VERSION, _HEAD = 4, bytes.fromhex("16092b06010401da470f01010740")
"""Version; and algorithm, curve and what stands before the point, behind the time."""

_AT, _PUBLIC, _SECRET = 7, 21, 53
"""Where these begin in the packet with its header: the head, the point, and what is secret."""

_SIZE = 32


def solve(first: bytes, rows: Collection[bytes]) -> tuple[Okp, list[bytes]] | None:
    """Return the key of a packet that begins in a row, and the row in which it ends."""
    if first[0] not in _HEADERS or first[2] != _VERSION or not first.startswith(_HEAD, _AT):
        return None
    for row in rows:
        data = first + row
        seed = _seed(data[_SECRET:])
        public = data[_PUBLIC : _PUBLIC + _SIZE]
        if seed and okp_public("ed25519", seed) == public:
            return Okp(algorithm="ed25519", seed=seed, public=public), [row]
    return None


def _seed(secret: bytes) -> bytes:
    """Return the number behind a byte that says it is not encrypted, if its checksum holds."""
    size = -(-int.from_bytes(secret[1:3], "big") // 8)
    end = 3 + size
    total = (sum(secret[1:end]) & 0xFFFF).to_bytes(2, "big")
    if secret[:1] != b"\0" or not 0 < size <= _SIZE or secret[end : end + 2] != total:
        return b""
    return secret[3:end].rjust(_SIZE, b"\0")
