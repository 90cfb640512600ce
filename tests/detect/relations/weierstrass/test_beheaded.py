"""EC scalars that lost their first bytes: found by their point, and nothing else is."""

from collections.abc import Callable

import pytest

from fixtures import encodings, keys, noise
from scanner.detect.algebra import publics
from scanner.detect.algebra.material import describe
from scanner.detect.evidence import ec_derived
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.weierstrass import beheaded, ec
from scanner.detect.relations.weierstrass.curves import CURVES
from scanner.dump.space import Memory
from tests.detect.relations import second_look

MakePool = Callable[[bytes], tuple[Pool, Memory]]


def shortened(curve: str, bits: int = 35) -> keys.EcKey:
    """Return a key whose first five bytes are a small number, which spares most of the steps."""
    size = (CURVES[curve].n.bit_length() + 7) // 8
    key = ec_derived(curve, keys.ec_key(curve).d % (1 << 8 * (size - beheaded.LOST[curve]) + bits))
    assert key is not None
    return keys.EcKey(label="shortened", curve=curve, d=key.d, x=key.x, y=key.y)


KEYS = {"P-384": shortened("P-384"), "P-521": keys.ec_key("P-521")}

HEADERS = {
    "P-384": ("0481a1 30819e 020101 0430", "a164036200"),
    "P-521": ("0481d9 3081d6 020101 0442", "a18189038186 00"),
}
"""What stands before scalar and point in the OCTET STRING of a PKCS#8 key (RFC 5915 section 3)."""


def freed(key: keys.EcKey) -> bytes:
    """Return the block that OpenSSL frees, and glibc wrote its links over: 16 bytes."""
    head, point = (bytes.fromhex(text) for text in HEADERS[key.curve])
    scalar = encodings.big_endian(key.d, key.field_bytes)
    whole = head + scalar + point + encodings.public_point(key)
    links = (0x7F12_3456_7010).to_bytes(8, "little") + noise.uniform(8, 1)
    return links + whole[len(links) :]


def surrounded(block: bytes) -> bytes:
    """Put a block between text and other chunks."""
    size = (len(block) + 24 & ~15 | 1).to_bytes(8, "little")
    return noise.text(4096, 1) + bytes(8) + size + block + bytes(40) + noise.text(4096, 2)


@pytest.mark.parametrize("curve", KEYS)
def test_a_scalar_of_a_freed_block(make_pool: MakePool, curve: str) -> None:
    """Seen in OpenSSL: eleven bytes of headers and five of the scalar are gone."""
    key = KEYS[curve]
    pool, memory = make_pool(surrounded(freed(key)))
    (found,) = ec.search(pool, [])
    assert describe(found.key).fingerprint.value == key.spki_sha256
    (place,) = found.places
    raw = memory.read(place.space, place.offset, place.size)
    assert raw.startswith(encodings.big_endian(key.d, key.field_bytes)[5:])
    assert raw.endswith(encodings.public_point(key))
    (again,) = ec.again(memory, second_look.told(found))
    assert describe(again).fingerprint.value == key.spki_sha256


@pytest.mark.parametrize("name", [b"", bytes.fromhex("a00a06082a8648ce3d030107")])
@pytest.mark.parametrize("lost", [1, 2, 4])
def test_a_short_scalar_that_a_text_began_to_take(
    make_pool: MakePool, name: bytes, lost: int
) -> None:
    """Seen in Heimdal's KDC: a line of its log ends in the first byte of a scalar on P-256."""
    key = keys.ec_key("P-256")
    scalar, text = encodings.big_endian(key.d, 32), b"opened the process pid=27359\0"
    point = bytes.fromhex("a14403420004")[:-1] + encodings.public_point(key)
    pool, memory = make_pool(surrounded(text + scalar[lost:] + name + point))
    (found,) = ec.search(pool, [])
    assert describe(found.key).fingerprint.value == key.spki_sha256
    (again,) = ec.again(memory, second_look.told(found))
    assert describe(again).fingerprint.value == key.spki_sha256


def test_a_short_scalar_that_lost_five_bytes_is_not_tried_in_vain(make_pool: MakePool) -> None:
    """The rest that is read is the same, whatever stands before it; no four bytes make it up."""
    key = keys.ec_key("P-256")
    scalar = bytearray(encodings.big_endian(key.d, 32))
    scalar[4] ^= 1
    point = bytes.fromhex("a144034200") + encodings.public_point(key)
    pool, _ = make_pool(surrounded(bytes(8) + bytes(scalar[4:]) + point))
    assert list(ec.search(pool, [])) == []


def test_a_named_scalar_that_lost_six_bytes(make_pool: MakePool) -> None:
    """Seen in GnuTLS 3: ten bytes of headers, and the curve's name between scalar and point.

    The six bytes are zeros here, which spares the steps.
    """
    derived = ec_derived("P-521", int.from_bytes(noise.uniform(60, 3), "big"))
    assert derived is not None
    scalar = encodings.big_endian(derived.d, 66)
    name, point = bytes.fromhex("a00706052b81040023"), bytes.fromhex("a181890381860004")
    own = encodings.big_endian(derived.x, 66) + encodings.big_endian(derived.y, 66)
    links = (0x7F12_3456_7010).to_bytes(8, "little") + noise.uniform(8, 1)
    pool, memory = make_pool(surrounded(links + scalar[6:] + name + point + own))
    (found,) = ec.search(pool, [])
    assert describe(found.key).fingerprint == describe(derived).fingerprint
    (place,) = found.places
    raw = memory.read(place.space, place.offset, place.size)
    assert raw == scalar[6:] + name + point + own
    (again,) = ec.again(memory, second_look.told(found))
    assert describe(again).fingerprint == describe(derived).fingerprint


def test_six_bytes_that_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps are those of a smaller unit; fewer of them are taken here."""
    monkeypatch.setattr(beheaded, "_bits", lambda *_: 21)
    low = int.from_bytes(noise.uniform(60, 3), "big")
    key = ec_derived("P-521", (5000 << 8 * 60) + low)
    assert key is not None
    found = beheaded.solve("P-521", 6, low, key.x, key.y)
    assert found is not None
    assert found.d == key.d


@pytest.mark.parametrize("at", [0, 30, 60])
def test_a_bit_turned_in_the_rest_is_no_key(make_pool: MakePool, at: int) -> None:
    """No first bytes make up for it."""
    block = bytearray(freed(KEYS["P-521"]))
    block[16 + at] ^= 1
    pool, _ = make_pool(surrounded(bytes(block)))
    assert list(ec.search(pool, [])) == []


def test_a_key_that_is_known_already_is_not_tried(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A private key was read whole elsewhere: its damaged copy costs nothing."""
    key = KEYS["P-384"]
    monkeypatch.setattr(beheaded, "solve", lambda *_: pytest.fail("it was tried"))
    pool, _ = make_pool(surrounded(freed(key)))
    known = publics.ec(key.curve, key.x, key.y, kind="public-key")
    assert list(ec.search(pool, [known])) == []


@pytest.mark.parametrize(
    "high", [0, 1, 2, 131_072, 131_073, 262_146, 131_073 * 1024, (1 << 32) + 5]
)
def test_whatever_the_first_bytes_are(high: int) -> None:
    """At the seams of steps and blocks too."""
    unit = 1 << 8 * (CURVES["P-521"].size - beheaded.LOST["P-521"])
    low = int.from_bytes(noise.uniform(61, 3), "big")
    key = ec_derived("P-521", high * unit + low)
    assert key is not None
    found = beheaded.solve("P-521", beheaded.LOST["P-521"], low, key.x, key.y)
    assert found is not None
    assert found.d == key.d
