"""Public halves of many are those that the library derives of each."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scanner.arrays import Bytes
from scanner.detect.algebra import curve25519, edwards25519
from scanner.detect.algebra.edwards25519 import ORDER, SIGN
from scanner.detect.asn1.keys import okp_public

RAWS = st.lists(
    st.binary(min_size=32, max_size=32)
    | st.sampled_from([0, 1, 8, ORDER - 1, ORDER, ORDER + 1, 8 * ORDER, (1 << 255) - 1]).map(
        lambda number: number.to_bytes(32, "little")
    ),
    max_size=6,
)


def rows(raws: list[bytes]) -> Bytes:
    """Return rows of bytes."""
    return np.frombuffer(b"".join(raws), np.uint8).reshape(-1, 32)


@settings(deadline=None)
@given(RAWS)
@example([])
def test_keys(raws: list[bytes]) -> None:
    """Of Ed25519 with the sign of x, and of X25519."""
    seeded, agreed = curve25519.seeded(rows(raws)), curve25519.agreed(rows(raws))
    assert [row.tobytes() for row in seeded] == [okp_public("ed25519", raw) for raw in raws]
    assert [row.tobytes() for row in agreed] == [okp_public("x25519", raw) for raw in raws]


@settings(deadline=None)
@given(RAWS)
def test_multiples(raws: list[bytes]) -> None:
    """Of any number below 2^255: with its sign and without."""
    signed, there = curve25519.edwards(rows(raws))
    unsigned, also = curve25519.edwards(rows(raws), signed=False)
    assert there.tolist() == also.tolist()
    for at, raw in enumerate(raws):
        number = int.from_bytes(raw, "little")
        assert bool(there[at]) is (number < 1 << 255 and number % ORDER != 0)
        if there[at]:
            assert signed[at].tobytes() == edwards25519.multiple(raw)
            assert unsigned[at].tobytes() == edwards25519.unsigned_multiple(raw)
            assert (signed[at] ^ unsigned[at]).tolist()[:-1] == [0] * 31
            assert signed[at][-1] & ~np.uint8(SIGN) == unsigned[at][-1]
