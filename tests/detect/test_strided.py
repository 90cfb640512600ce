"""Key files as text with a character in each word: each format and shape, where it ends."""

from collections.abc import Callable

import pytest

from fixtures import containers, encodings, keys, noise, services
from scanner import rules
from scanner.detect import anchors, strided
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings.stride import Stride
from scanner.detect.inner import TEXTS
from scanner.model import Place
from tests.detect.one_space import Bytes

(RULE,) = (rule for rule in rules.load() if rule.detector == strided.NAME)
SWEEPER = anchors.open_sweeper(anchors.compile_anchors((RULE,)))
RSA, EC, ED = keys.rsa_key(2048), keys.ec_key("P-256"), keys.okp_key("ed25519")

WRITERS: dict[str, Callable[[bytes], bytes]] = {
    "utf-32le": encodings.utf32,
    "utf-32be": lambda text: text.decode().encode("utf-32-be"),
    "chez": lambda text: b"".join(bytes((0x16, char, 0, 0)) for char in text),
    "64-bit": lambda text: b"".join(char.to_bytes(8, "little") for char in text),
    "v8": lambda text: b"".join((char << 32).to_bytes(8, "little") for char in text),
}
FILES = {
    "pkcs8": (encodings.pkcs8_pem(RSA), RSA),
    "pkcs1": (encodings.pkcs1_pem(RSA), RSA),
    "sec1": (encodings.sec1_pem(EC), EC),
    "openssh": (encodings.openssh_pem(ED), ED),
    "jwk": (containers.jwk_private(EC), EC),
    "age": (services.age(keys.okp_key("x25519")), keys.okp_key("x25519")),
}


def examined(data: bytes) -> list[Proved | PublicKey]:
    """Run the detector over the bytes."""
    return [
        found
        for _, offset in SWEEPER.sweep(data)
        for found in strided.examine(Bytes(data), 0, offset, RULE)
    ]


def find(data: bytes) -> list[Proved]:
    """Return the private keys that the detector finds."""
    return [found for found in examined(data) if isinstance(found, Proved)]


def test_the_rule_has_these_anchors() -> None:
    """The rule file lists what the module looks for."""
    wanted = {strided.anchor(stride, mark) for mark, _, _ in TEXTS for stride in strided.STRIDES}
    assert {anchor.low for anchor in RULE.anchors} == wanted


@pytest.mark.parametrize("shape", WRITERS)
@pytest.mark.parametrize("form", FILES)
def test_keys_in_wide_text(form: str, shape: str) -> None:
    """They are found in a text of their own and amid others, and lie in whole words."""
    data, key = FILES[form]
    write = WRITERS[shape]
    size = len(write(b"."))
    for ahead, behind in ((b"", b""), (b"note: >>\n", b"\nafter")):
        stored = write(ahead + data + behind)
        found = find(bytes(16) + stored + bytes(8) + noise.uniform(300))
        assert {one.candidate.fingerprint.value for one in found} == {key.spki_sha256}
        first = 16 + size * len(ahead)
        for place in (place for one in found for place in one.candidate.places):
            assert place.offset % size == 0
            assert first <= place.offset
            assert place.offset + place.size <= first + size * (len(data) + 1)


def test_a_key_amid_what_no_byte_holds() -> None:
    """Seen in Python: a string with an emoji. It ends the text, as zeros do."""
    text = "\U0001f511" + encodings.pkcs8_pem(EC).decode().strip() + "\U0001f511"
    wide = text.encode("utf-32-le")
    for stored in (wide, wide[4:-4], b"\1\2\3" + wide[4:-7]):
        (one,) = find(stored)
        at = stored.index(b"-\0\0\0")
        assert one.candidate.places == (Place(space=0, offset=at, size=4 * (len(text) - 2)),)
        assert one.candidate.encoding == "PKCS8-PEM utf-32"


def test_a_certificate_names_a_key_and_stands_nowhere() -> None:
    """What is public is met, without a place."""
    (one,) = examined(encodings.utf32(encodings.certificate_pem(RSA)))
    assert isinstance(one, PublicKey)
    assert one.witness.place is None


@pytest.mark.parametrize("shape", WRITERS)
def test_a_public_key_bears_witness(shape: str) -> None:
    """It was read where it stands: seen in ECL, beside a scalar of which nothing else told."""
    text = encodings.spki_pem(EC)
    data = bytes(64) + WRITERS[shape](text) + bytes(64)
    (one,) = {
        one.witness.fingerprint.value: one for one in examined(data) if isinstance(one, PublicKey)
    }.values()
    assert one.independent
    assert one.x == EC.x
    assert one.witness.place is not None
    assert one.witness.place.offset in range(64, 64 + len(data) // 2)


@pytest.mark.parametrize("shape", WRITERS)
def test_what_is_no_key(shape: str) -> None:
    """A text that was cut, a line alone, and one of which the gaps hold something."""
    write = WRITERS[shape]
    whole = write(encodings.pkcs8_pem(RSA))
    half = len(whole) // 2 & ~7
    broken = whole[: half + 2] + b"\x55" + whole[half + 3 :]
    for data in (whole[:half], write(b"-----BEGIN PRIVATE KEY-----\n"), broken):
        assert find(data) == []


@pytest.mark.parametrize("stride", strided.STRIDES, ids=lambda stride: stride.name)
def test_arbitrary_bytes_raise_nothing(stride: Stride) -> None:
    """Whatever follows a mark, of any length."""
    for mark, _, _ in TEXTS:
        for size in range(12):
            data = strided.anchor(stride, mark) + noise.uniform(size)
            assert find(data) == []
