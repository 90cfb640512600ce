"""Armoured OpenPGP keys of which the beginning was written over."""

import base64

import pytest

from fixtures import keys, noise, pgp
from scanner import rules
from scanner.detect import anchors
from scanner.detect.asn1.keys import Proved
from scanner.detect.damaged import headless_pgp
from tests.detect.one_space import Bytes

(RULE,) = (rule for rule in rules.load() if rule.id == "headless-pgp")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors((RULE,)))

KEYS = {
    "rsa": keys.rsa_key(2048),
    "ed25519": keys.okp_key("ed25519"),
    "x25519": keys.okp_key("x25519"),
    "p256": keys.ec_key("P-256"),
    "p384": keys.ec_key("P-384"),
    "p521": keys.ec_key("P-521"),
    "secp256k1": keys.ec_key("secp256k1"),
}
END = b"=abcd\n-----END PGP PRIVATE KEY BLOCK-----\n"


def find(data: bytes) -> list[Proved]:
    """Run the rule over the bytes, and over each place that was found again."""
    memory = Bytes(data)
    found = [
        found
        for _, offset in SWEEPER.sweep(data)
        for found in headless_pgp.examine(memory, 0, offset, RULE)
    ]
    for each in found:
        (place,) = each.candidate.places
        again = headless_pgp.examine(memory, 0, place.offset, RULE)
        wanted = each.candidate.fingerprint
        assert wanted in {other.candidate.fingerprint for other in again}
    return found


def names(data: bytes) -> set[str]:
    """Return the fingerprints of the keys that are found."""
    return {each.candidate.fingerprint.value for each in find(data)}


def freed(text: bytes, taken: int, *, width: int = 1) -> bytes:
    """Return a text in memory whose first bytes an allocator has taken."""
    if width == 2:
        text = text.decode().encode("utf-16-le")
    links = noise.uniform(taken, 7) if taken > 16 else bytes(taken)
    return noise.text(256, 1) + bytes(16) + links + text[taken:] + bytes(64)


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("taken", [16, 32, 90])
@pytest.mark.parametrize("name", KEYS)
def test_an_armour_without_its_first_line(name: str, taken: int, width: int) -> None:
    """The allocator took what it needs, or lines of base64 of a user ID before a subkey."""
    key = KEYS[name]
    lead = pgp.framed(13, b"somebody " * 12)
    text = pgp.armour(lead + pgp.packet(key, tag=7), "crlf")
    assert names(freed(text, taken * width, width=width)) == {key.spki_sha256}


@pytest.mark.parametrize("taken", [8, 16, 24, 36, 37, 40])
@pytest.mark.parametrize("name", KEYS)
def test_a_begin_line_cut_before_its_hyphens(name: str, taken: int) -> None:
    """What is left of the BEGIN line ends in hyphens; gpg writes no header behind it."""
    text = pgp.armour(pgp.packet(KEYS[name], tag=7)).replace(b"Comment: throwaway\n", b"")
    assert names(freed(text, taken)) == {KEYS[name].spki_sha256}


CURVES = [name for name in KEYS if name != "rsa"]


def cut(key: keys.Key, left: int) -> bytes:
    """Return base64 lines and the END line, from ``left`` bytes of the public half on."""
    packet = pgp.packet(key)
    _, _, rest = pgp.armour(packet).partition(b"\n\n")
    size = len(getattr(key, "seed", b"")) or getattr(key, "field_bytes", 0)
    between = 4 if getattr(key, "algorithm", "") == "x25519" else 0
    first = (len(packet) - size - 5 - between - left) * 8 // 6
    return rest[first + first // 64 :]


@pytest.mark.parametrize("left", [16, 17, 18, 29])
@pytest.mark.parametrize("name", CURVES)
def test_a_packet_without_its_front(name: str, left: int) -> None:
    """Sixteen bytes of the public half bear witness to the secret behind them."""
    found = find(noise.text(256, 1) + bytes(16) + cut(KEYS[name], left) + bytes(64))
    assert {each.candidate.fingerprint.value for each in found} == {KEYS[name].spki_sha256}
    assert {each.candidate.encoding for each in found} == {"base64 of PGP secret fields"}


@pytest.mark.parametrize("name", CURVES)
def test_less_of_the_public_half_is_no_witness(name: str) -> None:
    """Nor is a half with a flipped bit."""
    assert find(bytes(16) + cut(KEYS[name], 12) + bytes(16)) == []
    text = bytearray(cut(KEYS[name], 24))
    at = next(at for at in range(20, 24) if text[at] != ord("\n"))
    text[at] = ord("A") if text[at] != ord("A") else ord("B")
    assert find(bytes(16) + bytes(text) + bytes(16)) == []


@pytest.mark.parametrize("lead", range(12))
@pytest.mark.parametrize("left", [None, 20])
@pytest.mark.parametrize("name", CURVES)
def test_line_ends_are_squeezed_out_in_place(name: str, left: int | None, lead: int) -> None:
    """What stood at the end stands there again, between the new end and the checksum."""
    key = KEYS[name]
    behind = pgp.framed(13, bytes(range(180, 180 + lead)))
    if left is None:
        text = pgp.armour(pgp.framed(13, bytes(60)) + pgp.packet(key, tag=7) + behind)[50:]
    else:
        text = cut(key, left)
    body, mark, rest = text.partition(b"\n=")
    joined = body.replace(b"\n", b"")
    assert names(bytes(16) + joined + body[len(joined) :] + mark + rest) == {key.spki_sha256}


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("lead", range(0, 64, 7))
def test_whatever_a_line_breaks(name: str, lead: int) -> None:
    """Where the end of a line stands within an anchor, the END line leads there."""
    key = KEYS[name]
    packets = pgp.framed(13, bytes(lead)) + pgp.packet(key)
    assert names(freed(pgp.armour(packets), 32)) == {key.spki_sha256}


@pytest.mark.parametrize("name", KEYS)
def test_text_that_has_no_end_line_either(name: str) -> None:
    """The text is cut behind the packet, and indented."""
    key = KEYS[name]
    body = base64.b64encode(b"\x88\x01\x00" + pgp.packet(key, old=False) + noise.uniform(99, 5))
    lines = [body[at : at + 76] for at in range(4, len(body), 76)]
    assert names(bytes(32) + b"\n  ".join(lines) + bytes(32)) == {key.spki_sha256}


def test_all_keys_of_a_ring() -> None:
    """Each key is named, and each stands in a place of its own."""
    ring = b"".join(pgp.packet(key) for key in KEYS.values())
    data = freed(pgp.armour(ring), 32)
    found = {
        each.candidate.fingerprint.value: each.candidate.places[0].offset for each in find(data)
    }
    assert found.keys() == {key.spki_sha256 for key in KEYS.values()}
    assert len(set(found.values())) == len(KEYS)


def test_what_is_no_open_secret() -> None:
    """Public keys, encrypted ones, an END line behind something else; and what is whole."""
    for key in KEYS.values():
        for ends in ("lf", "crlf"):
            assert find(bytes(16) + pgp.armour(pgp.packet(key), ends) + bytes(16)) == []
        for packet in (pgp.public_packet(key), pgp.encrypted(key)):
            assert find(freed(pgp.armour(packet), 32)) == []
    assert find(b"some text\n" + END) == []
    assert find(base64.b64encode(noise.uniform(300, 3)) + b"\n" + END) == []
