"""OpenPGP packets with an open secret of an algorithm, or on a curve, that is none of ours.

What a packet says of itself is enough to tell that it is a private key: its version, its time, how
long its fields are, and the sum behind them. Post-quantum algorithms are known by name and by the
lengths of their halves; nothing here computes with them, and this module proves nothing.
"""

from dataclasses import dataclass

from scanner.detect.cursor import Cursor, Mismatch
from scanner.detect.openpgp.grammar import (
    CURVES,
    DSA,
    ECDH,
    ELGAMAL,
    FIRST_TIME,
    NATIVE,
    ON_CURVES,
    RSA,
    mpi,
)

_COMPOSITE = {
    30: ("ML-DSA-65+Ed25519", 1984, 64),
    31: ("ML-DSA-87+Ed448", 2649, 89),
    32: ("SLH-DSA-SHAKE-128s", 32, 64),
    33: ("SLH-DSA-SHAKE-128f", 32, 64),
    34: ("SLH-DSA-SHAKE-256s", 64, 128),
    35: ("ML-KEM-768+X25519", 1216, 96),
    36: ("ML-KEM-1024+X448", 1624, 120),
}
"""Post-quantum algorithms (draft-ietf-openpgp-pqc): name, bytes of the public and the secret half.

Nothing here computes with them; from version 5 on a packet says itself how long they are."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Strange:
    """An open secret of an algorithm, or on a curve, that is none of ours."""

    algorithm: str
    """Its name, or nothing."""
    curve: bytes = b""
    """The object identifier of its curve, content bytes, where it has one."""
    secret: bytes


def read(body: bytes) -> Strange:
    """Read the whole body of a secret key of which only its frame is known. Raises Mismatch."""
    fields = Cursor(body)
    version = fields.number(1)
    if version not in (4, 5, 6) or fields.number(4) < FIRST_TIME:
        raise Mismatch
    algorithm = fields.number(1)
    name, public, private = _COMPOSITE.get(algorithm, ("", 0, 0))
    on_curve = algorithm in ON_CURVES
    if algorithm in (*RSA, *ELGAMAL, DSA, *NATIVE) or not (version > 4 or public or on_curve):
        raise Mismatch
    curve = b""
    size = fields.number(4) if version > 4 else public
    start = fields.at
    if on_curve:
        name, curve = "ec", fields.counted(1)
        mpi(fields)
        fields.raw(fields.number(1) if algorithm == ECDH else 0)
        if curve in CURVES or (version > 4 and fields.at - start != size):
            raise Mismatch
    else:
        fields.raw(size)
    if fields.number(1):  # encrypted
        raise Mismatch
    fields.raw(1 if version == 5 else 0)  # bytes of what is left out here (LibrePGP section 5.5.3)
    sized = fields.number(4) if version == 5 else None
    start = fields.at
    summed = 0 if version == 6 else 2
    rest = private or len(body) - start - summed
    secret = mpi(fields, padded=True) if on_curve else fields.raw(rest)
    written = body[start : fields.at]
    if sized not in (None, len(written)) or fields.number(summed) != _sum(written, summed):
        raise Mismatch
    if fields.at != len(body):
        raise Mismatch
    return Strange(algorithm=name, curve=curve, secret=secret)


def _sum(written: bytes, size: int) -> int:
    """Return the sum of a secret as ``size`` bytes hold it: two, or none."""
    return sum(written) % (1 << 8 * size)
