"""DNSSEC public keys in wire form."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import containers, noise
from fixtures import keys as recipes
from scanner import rules
from scanner.detect import anchors
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.programs import dnskey
from tests.detect.one_space import Bytes

(RULE,) = (rule for rule in rules.load() if rule.detector == "dnskey")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors((RULE,)))
KEYS = [
    *(recipes.rsa_key(bits) for bits in (1024, 1280, 1536, 2048, 4096)),
    *(recipes.ec_key(curve) for curve in ("P-256", "P-384")),
    recipes.okp_key(),
    recipes.okp_key("ed448"),
]


def find(data: bytes) -> list[PublicKey]:
    """Run the rule over the bytes."""
    return [
        found
        for _, offset in SWEEPER.sweep(data)
        for found in dnskey.examine(Bytes(data), 0, offset, RULE)
    ]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.spki_sha256[:8])
@pytest.mark.parametrize("flags", [0, 1])
def test_a_record(key: recipes.Key, flags: int) -> None:
    """A zone's and a key-signing key are read whole, wherever they stand."""
    data = bytearray(noise.text(33) + containers.dnskey(key) + bytes(3))
    data[36] = flags
    (found,) = find(bytes(data))
    assert found.witness.fingerprint.value == key.spki_sha256
    assert found.witness.kind == "dnskey"
    place = found.witness.place
    assert place is not None
    assert data[place.offset - 1] in dnskey.RSA | dnskey.CURVES.keys() | dnskey.OKP.keys()
    assert place.offset + place.size == len(data) - 3


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.spki_sha256[:8])
def test_what_is_cut_or_no_point(key: recipes.Key) -> None:
    """A record that is not all there names nobody, nor do coordinates that are of no point."""
    record = containers.dnskey(key)
    assert find(record[:-1]) == []
    assert find(record[:14] + bytes(len(record) - 14)) == []
    if isinstance(key, recipes.EcKey):
        assert find(record[:-1] + bytes((record[-1] ^ 1,))) == []


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(["00440101030d", "0108010103080301", "00240101030f"]), st.binary())
def test_arbitrary_bytes_raise_nothing(mark: str, noise_: bytes) -> None:
    """Whatever stands behind an anchor, nothing is raised."""
    data = bytes.fromhex(mark) + noise_
    assert all(isinstance(f, PublicKey) for f in dnskey.examine(Bytes(data), 0, 0, RULE))
