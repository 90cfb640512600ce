"""Keys of a SoftHSM token, from a file to findings."""

from dataclasses import replace
from pathlib import Path

import pytest

from fixtures import containers, elfcore, encodings
from fixtures import keys as recipes
from scanner import correlate, rules
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.model import Confidence, Finding
from scanner.progress import Silence

RULES = rules.load()
HEAP = 0x5585_0000_0000
KEYS = [
    recipes.rsa_key(),
    recipes.ec_key(),
    recipes.ec_key("P-384"),
    recipes.ec_key("P-521"),
    recipes.okp_key(),
    recipes.ec_key("P-224"),
    recipes.ec_key("brainpoolP384r1"),
    recipes.ec_key("brainpoolP512r1"),
    recipes.okp_key("ed448"),
]


def scan(path: Path, heap: bytes) -> tuple[Finding, ...]:
    """Scan a core of one segment."""
    path.write_bytes(elfcore.write([elfcore.Segment(address=HEAP, data=heap)]).data)
    scanned = scanning.scan(ScanRequest(path=str(path), in_process=True, rules=RULES), Silence())
    assert scanned.coverage.faults == ()
    return correlate.findings(scanned, RULES)


@pytest.mark.parametrize("key", KEYS, ids=range(len(KEYS)))
def test_a_key_of_an_open_token_is_told(tmp_path: Path, key: recipes.Key) -> None:
    """Both halves of the token's key and the sealed values are one occurrence."""
    (found,) = scan(tmp_path / "core", containers.softhsm_heap(key, HEAP))
    assert (found.rule, found.fingerprint.value) == ("softhsm-token-key", key.spki_sha256)
    assert (found.confidence, found.public.e_assumed) == (Confidence.PROOF, False)
    (occurrence,) = found.occurrences
    first, second, *sealed = occurrence.extents
    assert {first.address, second.address} == {HEAP + at for at in containers.SOFTHSM_HALVES}
    assert sealed[0].address == HEAP + 0x800


@pytest.mark.parametrize("key", KEYS[1:5:3], ids=range(2))
def test_a_secret_key_is_none_of_a_curve(tmp_path: Path, key: recipes.Key) -> None:
    """AES keys of a token are 32 bytes too: without a public half nothing is told."""
    assert scan(tmp_path / "core", containers.softhsm_heap(key, HEAP, public=False)) == ()


@pytest.mark.parametrize("at", [0x80 + 8, 0x80 + 40, 0x80 + 64, 0x241, 0x145, 0x350, 0x805])
def test_damage_leaves_nothing(tmp_path: Path, at: int) -> None:
    """Ends of arrays, the word, halves of the key, and a bit of the value itself."""
    heap = bytearray(containers.softhsm_heap(recipes.ec_key("P-384"), HEAP))
    heap[at] ^= 4
    assert scan(tmp_path / "core", bytes(heap)) == ()


def test_numbers_of_rsa_keys_are_no_scalars(tmp_path: Path) -> None:
    """What is tried is as long as a scalar, and no end of the many longer values before it.

    One token has keys of every kind, the public halves of the others beside that of the last.
    """
    *others, last = KEYS[1:]
    heap = bytearray(containers.softhsm_heap(last, HEAP, before=[*KEYS[:1] * 2, *others]))
    for at, key in zip(range(0x2901, len(heap), 0x100), others, strict=True):
        half = encodings.public_point(key) if isinstance(key, recipes.EcKey) else key.public
        heap[at : at + len(half)] = half
    found = scan(tmp_path / "core", bytes(heap))
    assert {one.fingerprint.value for one in found} == {key.spki_sha256 for key in KEYS}


def test_a_scalar_may_begin_with_zeros(tmp_path: Path) -> None:
    """It is a byte shorter, and its padding of one byte is told from noise by the block's size."""
    key = replace(recipes.ec_key(), d=recipes.ec_key().d >> 8)
    point = key.private_key.public_key().public_numbers()
    key = replace(key, x=point.x, y=point.y)
    (found,) = scan(tmp_path / "core", containers.softhsm_heap(key, HEAP))
    assert found.fingerprint.value == key.spki_sha256


def test_a_copy_in_the_clear_is_an_occurrence_too(tmp_path: Path) -> None:
    """Stage three opens it again and finds a prime where it stands bare."""
    key = recipes.rsa_key()
    heap = bytearray(containers.softhsm_heap(key, HEAP))
    heap[0x2A00:0x2A80] = key.p.to_bytes(128, "little")
    (found,) = scan(tmp_path / "core", bytes(heap))
    assert {o.encoding for o in found.occurrences} == {"SoftHSM token object", "limbs-le"}
