"""Keys that Sequoia seals at rest, from a file to findings."""

from pathlib import Path

import pytest

from fixtures import containers, elfcore
from fixtures import keys as recipes
from scanner import correlate, rules
from scanner.detect.algebra import effort
from scanner.detect.structures import sealed_memory
from scanner.dump import source, space
from scanner.dump.space import Memory
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.model import Confidence, Finding, Layout, Region
from scanner.progress import Silence

RULES = rules.load()
HEAP = 0x5585_0000_0000
KEYS = [
    (recipes.rsa_key(3072), 0),
    (recipes.ec_key(), 0),
    (recipes.ec_key("P-384"), 18),
    (recipes.okp_key(), 0),
    (recipes.okp_key(), 22),
    (recipes.okp_key("x25519"), 0),
    (recipes.okp_key("x25519"), 18),
]
"""Keys, and OpenPGP's algorithm where it is not the usual one of the kind."""


def scan(path: Path, heap: bytes) -> tuple[Finding, ...]:
    """Scan a core of one segment."""
    path.write_bytes(elfcore.write([elfcore.Segment(address=HEAP, data=heap)]).data)
    scanned = scanning.scan(ScanRequest(path=str(path), in_process=True, rules=RULES), Silence())
    assert scanned.coverage.faults == ()
    return correlate.findings(scanned, RULES)


@pytest.mark.parametrize(("key", "algorithm"), KEYS, ids=range(len(KEYS)))
def test_a_sealed_key_is_opened(tmp_path: Path, key: recipes.Key, algorithm: int) -> None:
    """What is sealed, its salt and the pages are one occurrence; the public half is elsewhere."""
    (found,) = scan(tmp_path / "core", containers.sequoia_heap(key, HEAP, algorithm=algorithm))
    assert (found.rule, found.fingerprint.value) == ("sequoia-sealed-key", key.spki_sha256)
    assert (found.confidence, found.names) == (Confidence.PROOF, ("pgp",))
    (occurrence,) = found.occurrences
    sealed, salt, *pages = occurrence.extents
    assert sealed.address == HEAP + containers.SEQUOIA_SEALED
    assert (salt.address, salt.size) == (HEAP + containers.SEQUOIA_SALT, 32)
    assert [(page.address, page.size) for page in pages] == [
        (HEAP + at, 4096) for at in containers.SEQUOIA_PAGES
    ]


@pytest.mark.parametrize("at", [0, 1, 3])
def test_without_the_public_half_nothing_bears_witness(tmp_path: Path, at: int) -> None:
    """The tag vouches for the secret; the curve is the usual one of the size."""
    key, algorithm = KEYS[at]
    heap = containers.sequoia_heap(key, HEAP, algorithm=algorithm, public=False)
    (found,) = scan(tmp_path / "core", heap)
    assert found.fingerprint.value == key.spki_sha256
    assert (found.confidence, found.names) == (Confidence.STRUCTURE, ())


@pytest.mark.parametrize("what", ["page", "salt", "sealed", "length", "pages"])
def test_damage_leaves_nothing(tmp_path: Path, what: str) -> None:
    """A bit changed of what the tag covers, or a length that does not fit, leaves no key."""
    heap = bytearray(containers.sequoia_heap(recipes.okp_key(), HEAP))
    at = {
        "page": containers.SEQUOIA_PAGES[2] + 700,
        "salt": containers.SEQUOIA_SALT + 5,
        "sealed": containers.SEQUOIA_SEALED + 3,
        "length": containers.SEQUOIA_SALT + 48,
        "pages": 0x238,
    }[what]
    heap[at] ^= 1
    assert scan(tmp_path / "core", bytes(heap)) == ()


@pytest.mark.parametrize("at", [0x1F8, 0x248])
def test_longer_arrays_are_those_of_others(tmp_path: Path, at: int) -> None:
    """A page before the four, or behind them: blocks of a disk lie so, and each would be tried."""
    heap = bytearray(containers.sequoia_heap(recipes.okp_key(), HEAP))
    heap[at : at + 8] = (4096).to_bytes(8, "little")
    assert scan(tmp_path / "core", bytes(heap)) == ()


def test_a_crowd_of_arrays_is_counted(tmp_path: Path) -> None:
    """What each leads to is looked through: what that costs is bounded with all the rest."""
    heap = containers.sequoia_heap(recipes.okp_key(), HEAP)
    path = tmp_path / "memory"
    path.write_bytes(heap)
    region = Region(start=HEAP, size=len(heap), file_offset=0)
    layout = Layout(format="raw", byte_order="little", pointer_size=8, regions=(region,))
    (rule,) = (rule for rule in RULES if rule.detector == "sealed-memory")
    with source.open_file(str(path)) as file, effort.bounded(len(heap) >> 7) as bound:
        memory = Memory(space.build(layout, len(heap))[0], file)
        assert len(list(sealed_memory.examine(memory, 0, 0x208, rule))) == 2
        with pytest.raises(effort.Spent):
            list(sealed_memory.examine(memory, 0, 0x208, rule))
    assert bound.refused == 1


def test_a_copy_in_the_clear_is_an_occurrence_too(tmp_path: Path) -> None:
    """Stage three opens it again and finds the scalar where it stands bare."""
    key = recipes.ec_key("P-384")
    heap = bytearray(containers.sequoia_heap(key, HEAP))
    heap[0x7400:0x7430] = key.d.to_bytes(48, "little")
    (found,) = scan(tmp_path / "core", bytes(heap))
    assert "d limbs-le" in {o.encoding for o in found.occurrences}
