"""Keys of finite-field groups: DSA in every number that a form may leave out."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa

from scanner.detect.algebra import groups
from scanner.detect.algebra.material import Ffc
from scanner.detect.asn1 import keys
from scanner.model import Confidence

KEY = dsa.generate_private_key(1024)  # noqa: S505 - made in no time, and thrown away
NUMBERS = KEY.private_numbers()
GROUP = NUMBERS.public_numbers.parameter_numbers
P, Q, G = GROUP.p, GROUP.q, GROUP.g
Y, X = NUMBERS.public_numbers.y, NUMBERS.x


def der(form: serialization.PrivateFormat) -> bytes:
    """Return the key as ``cryptography`` writes it."""
    return KEY.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())


def test_an_exponent_and_its_public_half_are_a_proof() -> None:
    """g**x = y closes for the key's own numbers and for no others."""
    key = groups.proved(P, Q, G, Y, X)
    assert isinstance(key, Ffc)
    assert (key.algorithm, key.x, key.y) == ("dsa", X, Y)
    for numbers in ((P, Q, G, Y, X + 1), (P, Q, G, Y + 2, X), (P, Q + 2, G, Y, X), (P, Q, 1, 1, X)):
        assert groups.proved(*numbers) is None


def test_a_derived_half_needs_a_group() -> None:
    """Without y, q must be the order of g: numbers at random are none."""
    assert groups.derived(P, Q, G, X) is not None
    assert groups.derived(P, Q, G + 1, X) is None
    assert groups.derived(P, Q, G, Q) is None


@pytest.mark.parametrize(
    ("form", "name", "confidence"),
    [
        (serialization.PrivateFormat.TraditionalOpenSSL, "DSA", Confidence.PROOF),
        (serialization.PrivateFormat.PKCS8, "PKCS8", Confidence.STRUCTURE),
    ],
)
def test_der(form: serialization.PrivateFormat, name: str, confidence: Confidence) -> None:
    """Either DER is a key, and none with a bit of any number flipped."""
    data = der(form)
    found = keys.parse_private(data + b"tail")
    assert found is not None
    assert (found.form, found.confidence, found.size) == (name, confidence, len(data))
    for at in range(20, len(data) - 4, 31):
        changed = bytearray(data)
        changed[at] ^= 0x10
        other = keys.parse_private(bytes(changed))
        # A PKCS#8 object has no y: another x in the same group is another key.
        assert other is None or (form is serialization.PrivateFormat.PKCS8 and at > len(data) - 22)
