"""DPAPI master keys and CNG's symmetric key blobs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import secrets
from scanner import rules
from scanner.detect import anchors
from scanner.detect.programs import dpapi
from scanner.model import Candidate, Confidence
from tests.detect.one_space import Bytes

RULES = tuple(rule for rule in rules.load() if rule.detector == "dpapi")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))


def find(data: bytes) -> list[Candidate]:
    """Run the rules over the bytes."""
    return [
        found.candidate
        for rule, offset in SWEEPER.sweep(data)
        for found in dpapi.examine(Bytes(data), 0, offset, RULES[rule])
    ]


def test_a_master_key() -> None:
    """The file is one encrypted key, and its derivation is told."""
    data = secrets.dpapi_master_key()
    (said,) = find(b"\xee" * 5 + data + b"\xee" * 9)
    assert (said.kind, said.confidence) == ("encrypted-key", Confidence.STRUCTURE)
    assert said.protection == "PBKDF2-SHA512, 8000 iterations, AES-256: fast to guess"
    assert [(p.offset, p.size) for p in said.places] == [(5, len(data))]


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_key_data(bits: int) -> None:
    """A blob of each size is a symmetric key."""
    (said,) = find(b"\xee" * 5 + secrets.cng_key_data(f"aes-{bits}"))
    assert (said.kind, said.bits, said.places[0].offset) == ("symmetric-key", bits, 5)


@pytest.mark.parametrize("at", [20, 85 + 12, 100, 108, 128, 152, 156])
def test_a_field_out_of_bounds(at: int) -> None:
    """A GUID, a length, a version or an algorithm that cannot be gives nothing."""
    data = bytearray(secrets.dpapi_master_key())
    data[at] ^= 0xF0
    assert find(bytes(data)) == []


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([secrets.dpapi_master_key, secrets.cng_key_data]),
    st.integers(0, 200),
    st.binary(max_size=200),
)
def test_arbitrary_bytes_raise_nothing(made: object, cut: int, noise: bytes) -> None:
    """Whatever follows, nothing is raised, and no place is larger than what there is."""
    assert callable(made)
    data = made()[:cut] + noise
    for found in dpapi.examine(Bytes(data), 0, 0, RULES[0]):
        assert found.candidate.places[0].size <= len(data)
