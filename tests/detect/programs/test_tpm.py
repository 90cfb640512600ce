"""Keys of a TPM outside of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import encodings, tpm
from fixtures import keys as recipes
from scanner import rules
from scanner.detect import anchors
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import Proved
from scanner.detect.locked.sealed import Sealed
from scanner.detect.programs import tpm as detector
from tests.detect.one_space import Bytes

RULES = tuple(rule for rule in rules.load() if rule.detector == "tpm")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
KEYS = [
    recipes.rsa_key(1024),
    recipes.rsa_key(2048),
    *(recipes.ec_key(curve) for curve in ("P-256", "P-384", "P-521")),
]
Found = Proved | PublicKey | Sealed


def find(data: bytes) -> list[Found]:
    """Run the rules over the bytes."""
    return [
        found
        for rule, offset in SWEEPER.sweep(data)
        for found in detector.examine(Bytes(data), 0, offset, RULES[rule])
    ]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.spki_sha256[:8])
@pytest.mark.parametrize("seed", [b"", bytes(range(32))])
@pytest.mark.parametrize("between", [0, 1000])
def test_a_sensitive_area(key: recipes.Key, seed: bytes, between: int) -> None:
    """The secret near a public area is proved by it, whichever comes first, and once more."""
    both, public = tpm.sensitive(key, seed=seed), tpm.public(key)
    secret = both[: -len(public)]
    for parts in ((secret, public), (public, secret)):
        data = b"\xee" * 9 + bytes(between).join(parts) + b"\xee" * 9
        (proved,) = [found for found in find(data) if isinstance(found, Proved)]
        assert proved.candidate.fingerprint.value == key.spki_sha256
        area, place = proved.candidate.places
        start = data.index(secret) + 2
        assert (place.offset, place.size) == (start, len(secret) - 2)
        again = detector.examine(Bytes(data), 0, area.offset, RULES[0])
        assert [found for found in again if isinstance(found, Proved)]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.spki_sha256[:8])
def test_a_public_area_bears_witness(key: recipes.Key) -> None:
    """A public area alone, or near another key's secret, is no private key."""
    other = recipes.rsa_key(2048, label="second")
    for more in (b"", tpm.sensitive(other)[:300]):
        found = find(tpm.public(key) + more)
        assert {type(f) for f in found} == {PublicKey}


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.spki_sha256[:8])
@pytest.mark.parametrize("form", ["der", "pem", "utf-16"])
def test_wrapped_keys(key: recipes.Key, form: str) -> None:
    """A key file is one encrypted key, named by its public half, and its place is the whole."""
    data = tpm.tss2_der(key) if form == "der" else tpm.tss2_pem(key)
    data = encodings.utf16(data.rstrip(b"\n")) if form == "utf-16" else data.rstrip(b"\n")
    found = [f for f in find(b"\xee" * 9 + data + b"\xee" * 9) if not isinstance(f, PublicKey)]
    (sealed,) = found
    assert isinstance(sealed, Sealed)
    said = sealed.candidate
    assert (said.kind, said.fingerprint.value) == ("encrypted-key", key.spki_sha256)
    assert [(p.offset, p.size) for p in said.places] == [(9, len(data))]


def test_sealed_data_is_no_key() -> None:
    """A TPMKey of the type for sealed data, or whose areas do not fit, gives nothing."""
    assert detector.wrapped(tpm.tss2_der(KEYS[1])) is not None
    assert detector.wrapped(tpm.tss2_der(KEYS[1], kind=5)) is None
    whole = tpm.tss2_der(KEYS[1])
    at = whole.index(tpm.public(KEYS[1]))
    assert detector.wrapped(whole[: at + 1] + b"\x01" + whole[at + 2 :]) is None


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(KEYS[:3]), st.integers(0, 400), st.binary(max_size=100), st.booleans())
def test_arbitrary_bytes_raise_nothing(
    key: recipes.Key, cut: int, noise: bytes, wrapped: bool
) -> None:
    """Whatever follows, what is proved is that key or nothing."""
    whole = tpm.tss2_der(key) if wrapped else tpm.sensitive(key)
    for found in find(whole[:cut] + noise + whole[cut:]):
        if isinstance(found, Proved):
            assert found.candidate.fingerprint.value == key.spki_sha256
