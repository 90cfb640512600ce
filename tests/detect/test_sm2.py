"""Keys on SM2, on which the cryptography package does not compute: as those on other curves."""

from pathlib import Path

import pytest

from fixtures import encodings, sm2
from scanner.detect.algebra.curve_points import GROUPS
from scanner.model import Candidate, Confidence
from tests.detect import planted

N = GROUPS["SM2"].n
SCALARS = {
    "limbs": sm2.D.to_bytes(32, "little"),
    "bytes": sm2.D.to_bytes(32, "big"),
    "montgomery": (sm2.D * 2**256 % N).to_bytes(32, "little"),
}
WITNESSES = {
    "certificate": sm2.CERTIFICATE,
    "SPKI": sm2.spki_der(),
    "compressed SPKI": sm2.spki_der(compressed=True),
    "PEM": encodings.pem(sm2.CERTIFICATE, "CERTIFICATE"),
}


def found(folder: Path, *parts: bytes) -> list[Candidate]:
    """Scan memory with some parts in it, and return the private keys."""
    return planted.private(planted.scanned(folder, *parts))


@pytest.mark.parametrize(
    ("form", "witness"),
    [*((form, "certificate") for form in SCALARS), *(("limbs", name) for name in WITNESSES)][1:],
)
def test_a_scalar_beside_its_certificate(tmp_path: Path, form: str, witness: str) -> None:
    """However both are laid down: d*G = Q, under the name that OpenSSL gives."""
    (key,) = found(tmp_path, SCALARS[form], WITNESSES[witness])
    assert (key.curve, key.confidence, key.proof) == ("SM2", Confidence.PROOF, "d*G = Q")
    assert key.fingerprint.value == sm2.SPKI_SHA256


BASE_X, BASE_Y = GROUPS["SM2"].g
R = 2**256 % GROUPS["SM2"].p


def montgomery(number: int) -> bytes:
    """Return a coordinate as OpenSSL holds it."""
    return (number * R % GROUPS["SM2"].p).to_bytes(32, "little")


def test_a_scalar_in_openssl_without_a_file(tmp_path: Path) -> None:
    """The generator in OpenSSL's form says that the curve is in use."""
    point = montgomery(sm2.X) + montgomery(sm2.Y)
    base = montgomery(BASE_X) + montgomery(BASE_Y)
    (key,) = found(tmp_path, SCALARS["limbs"], point, base)
    assert key.fingerprint.value == sm2.SPKI_SHA256
    assert found(tmp_path, SCALARS["limbs"], point) == []


def test_a_scalar_in_hex(tmp_path: Path) -> None:
    """Seen in ``gmssl`` for Python and ``sm-crypto`` for Node: with the generator, in hex too."""
    numbers = (f"{sm2.D:064x}", f"{sm2.X:064x}{sm2.Y:064x}", f"{BASE_X:064x}{BASE_Y:064x}")
    scalar, point, base = (text.encode() + b"\0" for text in numbers)
    (key,) = found(tmp_path, scalar, point, base)
    assert (key.fingerprint.value, key.encoding) == (sm2.SPKI_SHA256, "d hex")
    assert found(tmp_path, scalar, point) == []


@pytest.mark.parametrize(("point", "text"), [(False, True), (True, False)])
def test_a_file(tmp_path: Path, *, point: bool, text: bool) -> None:
    """SEC1 is a key; with its point it is proved."""
    data = sm2.sec1_der(point=point)
    (key,) = found(tmp_path, encodings.pem(data, "EC PRIVATE KEY") if text else data)
    assert (key.curve, key.fingerprint.value) == ("SM2", sm2.SPKI_SHA256)
    assert key.confidence is (Confidence.PROOF if point else Confidence.STRUCTURE)


def test_a_flipped_bit_is_no_key(tmp_path: Path) -> None:
    """A scalar of another point, alone or in a file beside it, is nothing."""
    other = bytearray(SCALARS["limbs"])
    other[9] ^= 4
    assert found(tmp_path, bytes(other), sm2.CERTIFICATE) == []
    file = sm2.sec1_der().replace(sm2.D.to_bytes(32, "big"), bytes(reversed(other)))
    assert found(tmp_path, file, sm2.CERTIFICATE) == []
    assert found(tmp_path, SCALARS["limbs"]) == []  # whose point is nowhere
