"""Key files in strings of Erlang, whose characters lie in cells of two words."""

import pytest

from fixtures import containers, encodings, keys, noise, sealed
from scanner import rules
from scanner.detect import anchors, celled
from scanner.detect.asn1.keys import Proved
from scanner.detect.texts.encoded import Decoded

RULES = tuple(rule for rule in rules.load() if rule.detector == "celled")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
RSA, EC, ED = keys.rsa_key(), keys.ec_key(), keys.okp_key()
FILES: dict[str, tuple[keys.Key, bytes]] = {
    "pem": (RSA, encodings.pkcs8_pem(RSA)),
    "sec1": (EC, encodings.sec1_pem(EC)),
    "openssh": (ED, encodings.openssh_pem(ED)),
    "jwk": (EC, containers.jwk_private(EC)),
    "putty": (ED, sealed.putty(ED)),
}


def find(data: bytes) -> list[Proved]:
    """Run the rule over the bytes."""
    return [
        found
        for number, offset in SWEEPER.sweep(data)
        for found in celled.examine(Decoded(data), 0, offset, RULES[number])
        if isinstance(found, Proved)
    ]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_a_text_in_cells(name: str, *, turned: bool) -> None:
    """In its order and from its end on; its place is that of its cells."""
    key, file = FILES[name]
    cells = encodings.cells(b"a " + file + b" b", turned=turned)
    data = noise.heap(4096) + cells + noise.heap(4096)
    found = find(data)
    assert {one.candidate.fingerprint.value for one in found} == {key.spki_sha256}
    (place,) = found[0].candidate.places
    assert 4096 <= place.offset < place.offset + place.size <= 4096 + len(cells)


@pytest.mark.parametrize("turned", [False, True])
def test_what_is_none(*, turned: bool) -> None:
    """A public key, a cut one, words without a tag, marks alone, and memory that ends soon."""
    for text in (encodings.spki_pem(RSA), FILES["pem"][1][:200], b"PRIVATE", b'"kty":"oct"'):
        assert not find(bytes(16) + encodings.cells(text, turned=turned) + bytes(16))
    whole = encodings.cells(FILES["sec1"][1], turned=turned)
    assert not find(whole[:60])
    assert not find(bytes(byte ^ 1 if byte & 15 == 15 else byte for byte in whole))
