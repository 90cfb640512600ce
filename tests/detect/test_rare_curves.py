"""Keys on curves that the cryptography package lacks or drops: as those on the usual ones."""

from pathlib import Path

import pytest

from fixtures import encodings
from fixtures.rare_curves import KEYS
from scanner.detect.algebra import curve_points
from scanner.detect.algebra.curve_points import GROUPS
from scanner.detect.integers import readings
from scanner.model import Candidate, Confidence
from tests.detect import planted


def found(folder: Path, *parts: bytes) -> list[Candidate]:
    """Scan memory with some parts in it, and return the private keys."""
    return planted.private(planted.scanned(folder, *parts))


@pytest.mark.parametrize("curve", KEYS)
def test_the_group_is_that_of_openssl(curve: str) -> None:
    """A point that OpenSSL derived is d*G here; G's multiple by the order is none."""
    key, group = KEYS[curve], GROUPS[curve]
    assert curve_points.derive(curve, key.d) == (key.x, key.y)
    assert curve_points.derive(curve, group.n - 1) == (group.g[0], group.p - group.g[1])
    for odd in (0, 1):
        raw = bytes((2 + odd,)) + key.x.to_bytes(key.size, "big")
        assert curve_points.decode(curve, raw) == (
            key.x,
            (key.y, group.p - key.y)[key.y % 2 != odd],
        )


@pytest.mark.parametrize("form", ["limbs", "bytes", "montgomery"])
@pytest.mark.parametrize("curve", KEYS)
def test_a_scalar_beside_its_certificate(tmp_path: Path, curve: str, form: str) -> None:
    """However both are laid down: d*G = Q, under the name that OpenSSL gives."""
    key = KEYS[curve]
    whole = -(-key.size // 8) * 8
    raw = {
        "limbs": key.d.to_bytes(whole, "little"),
        "bytes": key.d.to_bytes(key.size, "big"),
        "montgomery": (key.d * 2 ** (8 * whole) % GROUPS[curve].n).to_bytes(whole, "little"),
    }
    (one,) = found(tmp_path, raw[form], key.certificate)
    assert (one.curve, one.confidence, one.proof) == (curve, Confidence.PROOF, "d*G = Q")
    assert one.fingerprint.value == key.spki_sha256


@pytest.mark.parametrize("curve", KEYS)
def test_a_scalar_in_openssl_without_a_file(tmp_path: Path, curve: str) -> None:
    """The generator in OpenSSL's form says that the curve is in use."""
    key, group = KEYS[curve], GROUPS[curve]
    whole = -(-key.size // 8) * 8

    def montgomery(*numbers: int) -> bytes:
        moved = (number * 2 ** (8 * whole) % group.p for number in numbers)
        return b"".join(number.to_bytes(whole, "little") for number in moved)

    point, base = montgomery(key.x, key.y), montgomery(*group.g)
    (one,) = found(tmp_path, key.d.to_bytes(whole, "little"), point, base)
    assert one.fingerprint.value == key.spki_sha256


@pytest.mark.parametrize("curve", KEYS)
def test_a_scalar_of_python(tmp_path: Path, curve: str) -> None:
    """Seen in python-ecdsa, whose keys are on P-192 where nobody says otherwise."""
    key = KEYS[curve]
    d, x = (readings.encode(readings.DIGITS_30, v, 8 * key.size) for v in (key.d, key.x))
    (one,) = found(tmp_path, d, x, key.certificate)
    assert (one.fingerprint.value, one.encoding) == (key.spki_sha256, "d digits-30")


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("curve", KEYS)
def test_a_file(tmp_path: Path, curve: str, *, text: bool) -> None:
    """SEC1 with its point is proved."""
    key = KEYS[curve]
    (one,) = found(tmp_path, encodings.pem(key.sec1, "EC PRIVATE KEY") if text else key.sec1)
    assert (one.curve, one.fingerprint.value) == (curve, key.spki_sha256)
    assert one.confidence is Confidence.PROOF


@pytest.mark.parametrize("curve", KEYS)
def test_a_flipped_bit_is_no_key(tmp_path: Path, curve: str) -> None:
    """A scalar of another point, alone or in a file beside it, is nothing."""
    key = KEYS[curve]
    other = (key.d ^ 1 << 77).to_bytes(key.size, "big")
    assert found(tmp_path, other, key.certificate) == []
    file = key.sec1.replace(key.d.to_bytes(key.size, "big"), other)
    assert found(tmp_path, file, key.certificate) == []
