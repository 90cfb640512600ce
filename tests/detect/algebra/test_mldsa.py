"""ML-DSA's arithmetic: what OpenSSL and cryptography make of the same seeds, and no key is more."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa as library
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import noise, pqc
from scanner.detect.algebra import mldsa

NAMES = sorted(mldsa.SETS)
CLASSES = {
    "ml-dsa-44": library.MLDSA44PrivateKey,
    "ml-dsa-65": library.MLDSA65PrivateKey,
    "ml-dsa-87": library.MLDSA87PrivateKey,
}


@pytest.mark.parametrize("name", NAMES)
def test_keys_are_those_that_openssl_makes(name: str) -> None:
    """Both halves of a seed's key have the digests of OpenSSL's, and their lengths."""
    public, expanded = mldsa.keys(name, pqc.seed(name))
    digests = [hashlib.sha256(raw).hexdigest() for raw in (public, expanded)]
    assert digests == list(pqc.ML_DSA[name])
    assert (len(public), len(expanded)) == (mldsa.SETS[name].public, mldsa.SETS[name].expanded)
    assert mldsa.public_of(name, expanded) == public
    assert mldsa.rho(name, pqc.seed(name)) == public[: mldsa.RHO]


@settings(max_examples=30, deadline=None)
@given(name=st.sampled_from(NAMES), seed=st.binary(min_size=32, max_size=32))
def test_another_library_agrees(name: str, seed: bytes) -> None:
    """Whatever the seed, the public key is that of cryptography, and the expanded key gives it."""
    public, expanded = mldsa.keys(name, seed)
    assert public == CLASSES[name].from_seed_bytes(seed).public_key().public_bytes_raw()
    assert mldsa.public_of(name, expanded) == public


@settings(max_examples=30, deadline=None)
@given(name=st.sampled_from(NAMES), data=st.data())
def test_a_flipped_bit_is_no_key(name: str, data: st.DataObject) -> None:
    """Whatever bit is flipped, the key does not recompute: but for those of K, a key of its own."""
    _, expanded = mldsa.keys(name, pqc.seed(name))
    at = data.draw(st.integers(0, len(expanded) - 1).filter(lambda at: not 32 <= at < 64))
    broken = bytearray(expanded)
    broken[at] ^= 1 << data.draw(st.integers(0, 7))
    assert mldsa.public_of(name, bytes(broken)) is None


@pytest.mark.parametrize("name", NAMES)
def test_other_bytes_are_no_key(name: str) -> None:
    """Random bytes, zeros, and a key that is cut or goes on are none."""
    size, (_, expanded) = mldsa.SETS[name].expanded, mldsa.keys(name, pqc.seed(name))
    for raw in (noise.uniform(size, 1), bytes(size), expanded[:-1], expanded + b"\0", b""):
        assert mldsa.public_of(name, raw) is None
