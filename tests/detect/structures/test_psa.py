"""Keys in slots of a PSA key store, from a file to findings."""

from pathlib import Path
from typing import Literal

import pytest

from fixtures import containers, elfcore
from fixtures import keys as recipes
from scanner import correlate, rules
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.model import Confidence, Finding, Severity
from scanner.progress import Silence

RULES = rules.load()
HEAP, SLOT, SCALAR = 0x5585_0000, 0x800, 0x1010
KEYS = [recipes.ec_key(curve) for curve in ("P-256", "P-384", "P-521")]


def scan(path: Path, slot: bytes, scalar: bytes, machine: str = "x86_64") -> tuple[Finding, ...]:
    """Scan a core of a heap with a slot, and somewhere else a scalar."""
    heap = bytearray(0x4000)
    heap[SLOT : SLOT + len(slot)] = slot
    heap[SCALAR : SCALAR + len(scalar)] = scalar
    written = elfcore.write([elfcore.Segment(address=HEAP, data=bytes(heap))], machine=machine)
    path.write_bytes(written.data)
    scanned = scanning.scan(ScanRequest(path=str(path), in_process=True, rules=RULES), Silence())
    assert scanned.coverage.faults == ()
    return correlate.findings(scanned, RULES)


def scalar_of(key: recipes.EcKey) -> bytes:
    """Return the bytes that the library keeps of a key."""
    return key.d.to_bytes({"P-256": 32, "P-384": 48, "P-521": 66}[key.curve])


@pytest.mark.parametrize(
    ("key", "machine"),
    [
        *((key, "x86_64") for key in KEYS),
        *zip(KEYS[:2], ("i386", "s390x"), strict=True),
        (KEYS[2], "i386"),
    ],
    ids=lambda one: one if isinstance(one, str) else one.curve,
)
def test_a_scalar_in_a_slot(tmp_path: Path, key: recipes.EcKey, machine: str) -> None:
    """The public half is nowhere: nothing bears witness, but the slot says what it is."""
    word = 4 if machine == "i386" else 8
    order: Literal["little", "big"] = "big" if machine == "s390x" else "little"
    slot = containers.psa_slot(key.curve, HEAP + SCALAR, word, order)
    (found,) = scan(tmp_path / "core", slot, scalar_of(key), machine)
    assert (found.rule, found.fingerprint.value) == ("psa-key-slot", key.spki_sha256)
    assert (found.confidence, found.severity) == (Confidence.STRUCTURE, Severity.CRITICAL)
    (occurrence,) = found.occurrences
    assert [(e.address, e.size) for e in occurrence.extents] == [
        (HEAP + SCALAR, len(scalar_of(key)))
    ]


@pytest.mark.parametrize(
    ("at", "change"),
    [(1, 0x30), (2, 0x80), (5, 0x01), (41, 0x01), (43, 0x40), (48, 0x10)],
    ids=["public key", "bits", "location", "zeros", "nowhere", "size"],
)
def test_what_is_like_a_slot_is_not_told(tmp_path: Path, at: int, change: int) -> None:
    """A slot of a public key, of another length or place, a pointer to zeros and one to nothing."""
    slot = bytearray(containers.psa_slot("P-256", HEAP + SCALAR))
    slot[at] ^= change
    assert scan(tmp_path / "core", bytes(slot), scalar_of(KEYS[0])) == ()


@pytest.mark.parametrize("scalar", [b"\xff" * 24 + bytes(range(8)), b"ab" * 16])
def test_what_is_no_scalar_is_not_told(tmp_path: Path, scalar: bytes) -> None:
    """Bytes that are not below the order, and such as no random number has."""
    assert scan(tmp_path / "core", containers.psa_slot("P-256", HEAP + SCALAR), scalar) == ()


def test_a_slot_in_part_is_none(tmp_path: Path) -> None:
    """What ends before the block's size is read to the end, and no more."""
    slot = containers.psa_slot("P-256", HEAP + SCALAR)
    for cut in (8, 24, 40, 47):
        assert scan(tmp_path / "core", slot[:cut], scalar_of(KEYS[0])) == ()
