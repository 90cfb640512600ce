"""Windows blobs of DSA keys."""

import base64
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import containers
from fixtures import keys as recipes
from scanner import rules
from scanner.detect import anchors
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import Proved
from scanner.detect.programs import blob_texts
from scanner.model import Confidence
from tests.detect.one_space import Bytes

RULES = tuple(rule for rule in rules.load() if rule.detector == "cng")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
NUMBERS = recipes.dsa_numbers()
PUBLIC = b"DSPB" + containers.cng_dsa(private=False)[4:]
PRIVATE = containers.cng_dsa()


def _second() -> bytes:
    """Return BCRYPT_DSA_KEY_BLOB_V2 of the same key, with a seed of 20 bytes."""
    head = b"DPV2" + struct.pack("<5I4x", 128, 0, 0, 20, 20)
    return head + PRIVATE[12:]


BLOBS = {
    "BCRYPT DSPV": PRIVATE,
    "BCRYPT DPV2": _second(),
    "CAPI DSS2": containers.capi_dsa(2),
    "CAPI DSS4": containers.capi_dsa(3),
}


def find(data: bytes) -> list[Proved | PublicKey]:
    """Run the rule over the bytes."""
    return [
        found
        for rule, offset in SWEEPER.sweep(data)
        for found in blob_texts.examine(Bytes(data), 0, offset, RULES[rule])
    ]


@pytest.mark.parametrize("form", sorted(BLOBS))
def test_private_blobs(form: str) -> None:
    """A private blob is one key, its place is the blob, and only one without y is unproved."""
    blob = BLOBS[form]
    found = find(b"\xee" * 5 + blob + b"\xee" * 3)
    (proved,) = (one for one in found if isinstance(one, Proved))
    said = proved.candidate
    assert said.encoding == form
    assert said.confidence is (Confidence.PROOF if len(found) == 2 else Confidence.STRUCTURE)
    assert (len(found) == 1) == (form == "CAPI DSS2")
    assert [(place.offset, place.size) for place in said.places] == [(5, len(blob))]
    for public in found:
        if isinstance(public, PublicKey):
            assert public.y == NUMBERS["y"]
            place = public.witness.place
            assert place is not None
            shown = (b"\xee" * 5 + blob)[place.offset : place.offset + place.size]
            number = NUMBERS["x"].to_bytes(20, "big")
            assert number not in shown
            assert number[::-1] not in shown


@pytest.mark.parametrize("form", sorted(set(BLOBS) - {"BCRYPT DPV2"}))
def test_texts(form: str) -> None:
    """Base64 of a blob is read as well."""
    found = find(base64.b64encode(BLOBS[form]))
    assert [one for one in found if isinstance(one, Proved)]


def test_public_blobs_and_damaged_ones() -> None:
    """A public blob is a witness; one with a wrong exponent or a cut one is no key."""
    (public,) = find(PUBLIC)
    assert isinstance(public, PublicKey)
    for blob in BLOBS.values():
        wrong = bytearray(blob)
        wrong[len(blob) // 2] ^= 1
        for data in (bytes(wrong), blob[:-24]):
            assert not [one for one in find(data) if isinstance(one, Proved)]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([b"DSPV", b"DPV2", b"DSS1", b"DSS2", b"DSS3", b"DSS4", b"DHPV", b"DHPB"]),
    st.lists(st.sampled_from([0, 1, 20, 128, 160, 1024, 2**32 - 1]), max_size=12),
    st.binary(max_size=600),
)
def test_arbitrary_bytes_raise_nothing(magic: bytes, words: list[int], noise: bytes) -> None:
    """Whatever a header says, nothing is raised."""
    data = magic + b"".join(struct.pack("<I", word) for word in words) + noise
    assert not list(blob_texts.examine(Bytes(data), 0, 0, RULES[0]))
