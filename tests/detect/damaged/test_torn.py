"""PuTTY and OpenPGP keys of which the end is gone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import encodings, keys, noise, pgp, sealed
from scanner import rules
from scanner.detect import anchors
from scanner.detect.asn1.keys import Proved
from scanner.detect.damaged import torn
from scanner.detect.locked.sealed import Sealed
from scanner.detect.texts.encoded import Decoded
from scanner.model import Confidence

(RULE,) = (rule for rule in rules.load() if rule.detector == "torn")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors((RULE,)))
RSA, EC, ED = keys.rsa_key(2048), keys.ec_key("P-384"), keys.okp_key("ed25519")
KEYS = {"rsa": RSA, "ec": EC, "ed25519": ED}


def find(data: bytes) -> list[Proved | Sealed]:
    """Run the rule over the bytes."""
    return [
        found
        for _, offset in SWEEPER.sweep(data)
        for found in torn.examine(Decoded(data), 0, offset, RULE)
    ]


def one(data: bytes) -> Proved | Sealed:
    """Return what is found; several anchors of one packet say the same."""
    found = find(data)
    assert len({f.candidate for f in found}) == 1
    return found[0]


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("kind", KEYS)
def test_putty(kind: str, codec: str) -> None:
    """An RSA key is proved by the lines that hold d; the others end with their number."""
    key = KEYS[kind]
    text = sealed.putty(key)
    start = text.index(b"\n", text.index(b"Private-Lines")) + 1
    enough = start + (5 + 256) * 8 // 6 + 10 if kind == "rsa" else len(text)
    end = text.index(b"\n", start) - 2
    for size in (start + 30, end, enough)[: 2 + (kind == "rsa")]:
        data = text[:size].decode().encode(codec) + b"\xfe" * 40
        found = one(data)
        assert isinstance(found, Proved) == (size == enough)
        assert "private bytes" in found.candidate.encoding
        if size == enough:
            assert found.candidate.fingerprint.value == key.spki_sha256
            assert found.candidate.confidence is Confidence.PROOF
        else:
            assert found.candidate.confidence is Confidence.SHAPE
            assert found.candidate.fingerprint.value == ""
    assert find(text) == find(text[:start]) == find(sealed.putty(key, encrypted=True)[:-90]) == []


@pytest.mark.parametrize("form", ["packet", "armour", "armour, wide"])
@pytest.mark.parametrize("kind", KEYS)
def test_pgp(kind: str, form: str) -> None:
    """The first private number proves the key, if it is whole; less has the shape of one."""
    key = KEYS[kind]
    packet = pgp.packet(key)
    public = len(pgp.public_packet(key)) + 1
    first = 2 + (256 if kind == "rsa" else 48 if kind == "ec" else 32)
    for size in (public + 26, public + first - 2, public + first + 1):
        data = packet[:size]
        if form != "packet":
            text = pgp.armour(packet)
            if size > public + first and kind == "ed25519":
                continue  # with it, the whole packet stands in the armour
            data = text[: text.index(b"\n\n") + 2 + size * 4 // 3 + size // 48 + 2]
            data = encodings.utf16(data) if "wide" in form else data
        found = one(noise.text(100, 3) + b"\0" * 2 + data)
        if isinstance(found, Proved):
            assert found.candidate.fingerprint.value == key.spki_sha256
        else:
            assert found.candidate.confidence is Confidence.SHAPE
        if size > public + first or form == "packet":
            assert isinstance(found, Proved) == (size > public + first)
    assert find(packet) == find(pgp.armour(packet)) == find(packet[:public]) == []
    assert find(packet[: public + 40] + bytes(20_000)) == []


def test_armour_that_was_written_over() -> None:
    """A packet whose numbers do not agree is damaged; the first number may still prove it."""
    text = pgp.armour(pgp.packet(RSA))
    found = one(text[:-300] + b"AAAA" + text[-296:])
    assert isinstance(found, Proved)
    assert found.candidate.encoding == "PGP armour, damaged"


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(KEYS)), st.integers(0, 1500), st.binary(max_size=60))
def test_arbitrary_contents(kind: str, cut: int, more: bytes) -> None:
    """Whatever follows, no other key is said, and nothing is raised."""
    key = KEYS[kind]
    for data in (sealed.putty(key), pgp.packet(key), pgp.armour(pgp.packet(key))):
        for found in find(data[:cut] + more):
            assert found.candidate.fingerprint.value in ("", key.spki_sha256)
