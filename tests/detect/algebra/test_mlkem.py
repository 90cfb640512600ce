"""ML-KEM's arithmetic: what OpenSSL and cryptography make of the same seeds, and no key is more."""

import hashlib

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import mlkem as library
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import noise, pqc
from scanner.detect.algebra import mlkem

NAMES = sorted(mlkem.SETS)
CLASSES = {
    f"ml-kem-{size}": getattr(library, f"MLKEM{size}PrivateKey")
    for size in (512, 768, 1024)
    if hasattr(library, f"MLKEM{size}PrivateKey")
}


def made(name: str) -> tuple[bytes, bytes]:
    """Return both halves of the key of a set."""
    seed = pqc.seed(name)
    return mlkem.keys(name, seed[:32], seed[32:])


@pytest.mark.parametrize("name", NAMES)
def test_keys_are_those_that_openssl_makes(name: str) -> None:
    """Both halves of a seed's key have the digests of OpenSSL's, and their lengths."""
    public, expanded = made(name)
    digests = [hashlib.sha256(raw).hexdigest() for raw in (public, expanded)]
    assert digests == list(pqc.ML_KEM[name])
    size = mlkem.SETS[name]
    assert (len(public), len(expanded)) == (size.public, size.expanded)
    assert mlkem.public_of(name, expanded) == public
    assert mlkem.rho(name, pqc.seed(name)[:32]) == public[-mlkem.RHO :]


@settings(max_examples=30, deadline=None)
@given(name=st.sampled_from(sorted(CLASSES)), seed=st.binary(min_size=64, max_size=64))
def test_another_library_agrees(name: str, seed: bytes) -> None:
    """Whatever the seed, the public key is that of cryptography, and the expanded key gives it."""
    public, expanded = mlkem.keys(name, seed[:32], seed[32:])
    assert public == CLASSES[name].from_seed_bytes(seed).public_key().public_bytes_raw()
    assert mlkem.public_of(name, expanded) == public


@settings(max_examples=30, deadline=None)
@given(name=st.sampled_from(NAMES), data=st.data())
def test_a_flipped_bit_is_no_key(name: str, data: st.DataObject) -> None:
    """Whatever bit is flipped, the key does not recompute: but for those of z, which is any."""
    _, expanded = made(name)
    at = data.draw(st.integers(0, len(expanded) - mlkem.Z - 1))
    broken = bytearray(expanded)
    broken[at] ^= 1 << data.draw(st.integers(0, 7))
    assert mlkem.public_of(name, bytes(broken)) is None


@pytest.mark.parametrize("name", NAMES)
def test_s_of_another_key_does_not_belong(name: str) -> None:
    """The hash holds, and still it is no key: nor where s is no s, or t none."""
    _, expanded = made(name)
    _, other = mlkem.keys(name, pqc.noise("another", 32), b"")
    size = mlkem.SETS[name]
    assert mlkem.public_of(name, other[: size.vector] + expanded[size.vector :]) is None
    noisy, _ = pqc.decapsulation_key(name)
    assert mlkem.public_of(name, noisy) is None


@pytest.mark.parametrize("name", NAMES)
def test_s_is_told_from_t(name: str) -> None:
    """What is secret is small, and what is public is not; words say the same of it."""
    public, expanded = made(name)
    size = mlkem.SETS[name]
    s = expanded[: size.vector]
    assert mlkem.is_secret(s)
    assert not mlkem.is_secret(public)
    assert not mlkem.is_secret(noise.uniform(mlkem.POLYNOMIAL, 1))
    assert mlkem.encoded(mlkem.coefficients(s)) == s
    assert mlkem.encoded(np.full(256, 3329, "<u2").tobytes()) is None


@pytest.mark.parametrize("name", NAMES)
def test_other_bytes_are_no_key(name: str) -> None:
    """Random bytes, zeros, and a key that is cut or goes on are none."""
    size, (_, expanded) = mlkem.SETS[name].expanded, made(name)
    for raw in (noise.uniform(size, 1), bytes(size), expanded[:-1], expanded + b"\0", b""):
        assert mlkem.public_of(name, raw) is None
