"""Keys behind objects of OpenSSL: at any place, in each form, and none where a bit is flipped."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from fixtures import elfcore, openssl
from fixtures import keys as recipes
from scanner import correlate, rules
from scanner.detect import anchors
from scanner.detect.algebra.material import describe
from scanner.detect.structures.openssl import again, examine, sifted
from scanner.dump import space
from scanner.dump.space import Memory
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.model import Confidence, Layout, Place, Region
from scanner.progress import Silence
from tests.dump.dump_bytes import file_of

RULES = rules.load()
RULE = next(rule for rule in RULES if rule.id == "openssl-key-object")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors([RULE]))
HEAP = 0x5585_0000
AT = 0x230
"""Where an object begins in its heap."""
FORMS = get_args(openssl.Form)
CURVES = [recipes.ec_key(curve) for curve in openssl.PRIMES]
OKP = [recipes.okp_key(algorithm) for algorithm in openssl.TYPES]
EC = recipes.ec_key()


def memory_of(data: bytes, word: int = 8, base: int = openssl.BASE - AT) -> Memory:
    """Return memory of one region."""
    region = Region(start=base, size=len(data), file_offset=0)
    layout = Layout(format="elfcore", pointer_size=word, regions=(region,))
    return Memory(space.build(layout, len(data))[0], file_of(data))


def base_of(word: int) -> int:
    """Return where an object is, on a machine."""
    return openssl.BASE if word == 8 else 0x8000_0000


def found(data: bytes, offset: int, word: int = 8) -> list[tuple[str, Place]]:
    """Return the keys of an object, and where they stand; each wakes the rule, is read again."""
    memory = memory_of(data, word, base_of(word) - AT)
    rows = []
    there = sifted(memory, np.zeros(1, np.int64), np.array([offset]))[0]
    for one in examine(memory, 0, offset, RULE) if there else ():
        assert one.candidate.confidence is Confidence.PROOF
        assert [describe(key) for key in again(memory, one.candidate)] == [describe(one.material)]
        rows.append((describe(one.material).fingerprint.value, one.candidate.places[0]))
        assert (0, offset) in SWEEPER.sweep(data, halves=word == 4)
    return rows


@pytest.mark.parametrize("z", [1, 0x1234_5678_9ABC_DEF1 << 130], ids=["affine", "projective"])
@pytest.mark.parametrize("montgomery", [True, False])
@pytest.mark.parametrize("word", [8, 4])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("key", CURVES, ids=lambda key: key.curve)
def test_a_scalar_and_its_point(
    key: recipes.EcKey, form: openssl.Form, word: int, z: int, *, montgomery: bool
) -> None:
    """In each layout, and each form of coordinates: OpenSSL 1.0 to 3, LibreSSL, BoringSSL."""
    written = openssl.ec_object(
        key, base=base_of(word), word=word, form=form, z=z, montgomery=montgomery
    )
    flags = AT + (6 if form == "openssl" else 4) * word
    place = Place(space=0, offset=AT + 0x100, size=key.field_bytes)
    assert found(bytes(AT) + written, flags, word) == [(key.spki_sha256, place)]


@pytest.mark.parametrize("flags", [1, 4])
@pytest.mark.parametrize("word", [8, 4])
@pytest.mark.parametrize("key", OKP, ids=lambda key: key.algorithm)
def test_a_private_key_behind_its_public_one(key: recipes.OkpKey, word: int, flags: int) -> None:
    """OpenSSL since 3.0; flags take an int where Visual C++ made the program."""
    written = openssl.okp_object(key, base=base_of(word), word=word, flags=flags)
    size = AT + (2 * word + flags + 57 + word - 1) // word * word + word
    place = Place(space=0, offset=AT + 0x100, size=len(key.seed))
    assert found(bytes(AT) + written, size, word) == [(key.spki_sha256, place)]


@pytest.mark.parametrize("word", [8, 4])
@pytest.mark.parametrize("key", OKP, ids=lambda key: key.algorithm)
def test_a_private_key_behind_a_type(key: recipes.OkpKey, word: int) -> None:
    """OpenSSL 1.1.1: the type says of which kind it is."""
    written = bytearray(bytes(AT) + openssl.pkey_object(key, base=base_of(word), word=word))
    place = Place(space=0, offset=AT + 0x100, size=len(key.seed))
    assert found(bytes(written), AT, word) == [(key.spki_sha256, place)]
    for at in (AT + 0x8A, AT + 0x10A):
        flipped = bytearray(written)
        flipped[at] ^= 8
        assert found(bytes(flipped), AT, word) == []


@pytest.mark.parametrize("at", [0x28, 0x80, 0x88, 0x90, 0x110, 0x200, 0x310, 0x390, 0x410, 0x490])
def test_a_flipped_bit_in_the_chain(at: int) -> None:
    """Pointers, counts, limbs of the scalar and of each coordinate."""
    key = bytearray(bytes(AT) + openssl.ec_object(EC))
    assert found(bytes(key), AT + 48)
    key[AT + at] ^= 0x40
    assert found(bytes(key), AT + 48) == []


@pytest.mark.parametrize("at", [0x10, 0x20, 0x50, 0x57, 0x58, 0x60, 0x100, 0x11E])
def test_a_flipped_bit_of_edwards(at: int) -> None:
    """Within the object the public key, a pointer, a size and a type; then the private key."""
    key = bytearray(bytes(AT) + openssl.okp_object(OKP[2]))
    assert found(bytes(key), AT + 0x58)
    key[AT + at] ^= 0x02
    assert (found(bytes(key), AT + 0x58) == []) is (at != 0x10)  # other flags are nobody's matter


def test_a_scalar_without_its_last_limb() -> None:
    """One of 512 on P-521 has no bit in its ninth limb: what is used is counted."""
    key = recipes.ec_key("P-521")
    low = recipes.EcKey(label="low", curve="P-521", d=key.d % (1 << 510), x=0, y=0)
    point = low.private_key.public_key().public_numbers()
    low = recipes.EcKey(label="low", curve="P-521", d=low.d, x=point.x, y=point.y)
    ((name, place),) = found(bytes(AT) + openssl.ec_object(low), AT + 48)
    assert (name, place.size) == (low.spki_sha256, 64)


@pytest.mark.parametrize("word", [8, 4])
def test_what_is_left_out_has_nothing(word: int) -> None:
    """Zeros and small numbers as objects of Java have them, before and behind a key's."""
    base = base_of(word)
    java = np.array([1, 0x1234, 0, 4, 1, 0, 0xD63B_53D0, 0xEA83_0188] * 64, "<u4").tobytes()
    data = java[:AT] + openssl.ec_object(EC, base=base, word=word).ljust(AT, b"\0") + java
    memory = memory_of(data, word, base - AT)
    offsets = np.arange(0, len(data) - 3, 4)
    kept = sifted(memory, np.zeros(len(offsets), np.int64), offsets)
    for offset in offsets[~kept].tolist():
        assert not list(examine(memory, 0, offset, RULE))
    zero = np.frombuffer(data, "<u4") == 0
    assert zero.sum() > 200
    assert kept[zero].sum() < 8
    assert not kept[~zero][8:-8].any()


@pytest.mark.parametrize("word", [8, 4])
def test_a_bignum_is_no_size(word: int) -> None:
    """One of 32 words has its room, its sign and its flags as X25519's size, type and count are."""
    base = base_of(word)
    ints = np.array([32, 32, 0, 1], "<u4").tobytes()
    row = (base + 64).to_bytes(word, "little") + ints
    data = row * 64
    memory = memory_of(data, word, base)
    offsets = np.arange(word + 4, len(data) - 64, len(row))
    assert not sifted(memory, np.zeros(len(offsets), np.int64), offsets)[1:].any()
    if word == 8:  # what has halves of words is on another machine
        assert SWEEPER.sweep(data) == []


def test_what_ends_before_its_end() -> None:
    """Nothing is read beyond memory, wherever that ends, or begins."""
    ed = OKP[2]
    objects = (
        (openssl.ec_object(EC), 48),
        (openssl.okp_object(ed), 88),
        (openssl.pkey_object(ed), 0),
    )
    for written, flags in objects:
        whole = bytes(AT) + written
        for cut in range(0, len(written), 8):
            found(whole[: AT + cut], AT + flags)
        for cut in range(AT, AT + flags, 8):
            memory = memory_of(whole[cut:], base=openssl.BASE - AT + cut)
            list(examine(memory, 0, AT + flags - cut, RULE))


@pytest.mark.parametrize("key", [EC, OKP[2]], ids=["EC_KEY", "ECX_KEY"])
def test_from_a_file_to_a_finding(tmp_path: Path, key: recipes.EcKey | recipes.OkpKey) -> None:
    """A heap of an object."""
    path, heap = tmp_path / "core", openssl.key_object(key, base=HEAP).ljust(0x4000, b"\0")
    path.write_bytes(elfcore.write([elfcore.Segment(address=HEAP, data=heap)]).data)
    scanned = scanning.scan(ScanRequest(path=str(path), in_process=True, rules=RULES), Silence())
    (one,) = correlate.findings(scanned, RULES)
    assert (one.fingerprint.value, one.confidence) == (key.spki_sha256, Confidence.PROOF)
    assert any(seen.encoding.startswith("OpenSSL") for seen in one.occurrences)
