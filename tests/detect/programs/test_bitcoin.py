"""Bitcoin keys in Base58Check."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import keys as recipes
from fixtures import services
from scanner import rules
from scanner.detect import anchors
from scanner.detect.asn1.keys import Proved
from scanner.detect.programs import bitcoin
from scanner.detect.texts.encoded import Decoded
from scanner.model import Confidence

RULES = tuple(rule for rule in rules.load() if rule.detector == "bitcoin")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
KEY = recipes.ec_key("secp256k1")
FORMS = {
    "WIF": services.wif(KEY, compressed=False),
    "WIF, compressed": services.wif(KEY),
    "BIP 32 key": services.bip32(KEY),
}


def find(data: bytes) -> list[Proved]:
    """Run the rule over the bytes."""
    return [
        found
        for rule, offset in SWEEPER.sweep(data)
        for found in bitcoin.examine(Decoded(data), 0, offset, RULES[rule])
    ]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
def test_a_text_is_a_key_and_nothing_bears_witness(form: str, codec: str) -> None:
    """A text in quotes is found once, is a structure, and its place gives it again."""
    text = FORMS[form].decode().encode(codec)
    data = '"'.encode(codec) + text + '"'.encode(codec) + bytes(8)
    (found,) = find(data)
    (place,) = found.candidate.places
    assert found.candidate.fingerprint.value == KEY.spki_sha256
    assert found.candidate.confidence is Confidence.STRUCTURE
    assert data[place.offset : place.offset + place.size] == text
    assert list(bitcoin.examine(Decoded(data), 0, place.offset, RULES[0]))


@pytest.mark.parametrize(
    ("version", "head"), [("0295b005", b"Yprv"), ("02aa7a99", b"Zprv"), ("04b2430c", b"zprv")]
)
def test_extended_keys_of_several_cosigners_are_found(version: str, head: bytes) -> None:
    """SLIP 132 has heads of their own for them; Electrum writes them."""
    text = services.bip32(KEY, version)
    assert text.startswith(head)
    (found,) = find(b'"' + text + b'"')
    assert found.candidate.fingerprint.value == KEY.spki_sha256


@pytest.mark.parametrize("form", FORMS)
def test_any_other_character_is_no_key(form: str) -> None:
    """The checksum covers every character, and a longer word holds no key."""
    text = FORMS[form]
    for at in range(4, len(text)):
        other = b"2" if text[at : at + 1] != b"2" else b"3"
        assert find(text[:at] + other + text[at + 1 :]) == []
    assert find(b"A" + text) == find(text + b"A") == find(text[:-1]) == []
    assert find(b"6" * 7 + text) == find(b"A" + b"6" * 7 + text) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("lead", ["6" * 8, r"\n", "%3D"])
def test_a_fill_or_an_escape_before_it_is_no_part_of_it(lead: str, form: str, codec: str) -> None:
    """Seen in Go: a block of HMAC ends in many of one byte, and the next one begins at once."""
    data = (lead + FORMS[form].decode()).encode(codec) + bytes(8)
    (found,) = find(data)
    assert found.candidate.fingerprint.value == KEY.spki_sha256


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(FORMS)), st.integers(0, 112), st.binary(max_size=120))
def test_arbitrary_bytes_raise_nothing(form: str, cut: int, noise: bytes) -> None:
    """Whatever stands behind an anchor, nothing is raised."""
    data = FORMS[form][:cut] + noise
    assert len(list(bitcoin.examine(Decoded(data), 0, 0, RULES[0]))) <= 1
