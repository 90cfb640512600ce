"""Keys behind structures of Go's standard library."""

from pathlib import Path

import pytest

from fixtures import containers, elfcore
from fixtures import keys as recipes
from scanner import correlate, rules
from scanner.detect.algebra.material import describe
from scanner.detect.structures.golang import again, examine
from scanner.dump import space
from scanner.dump.space import Memory
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.model import Confidence, Layout, Place, Region
from scanner.progress import Silence
from tests.dump.dump_bytes import file_of

RULES = rules.load()
RULE = next(rule for rule in RULES if rule.id == "go-key-object")
HEAP, AT = 0xC000_0000, 0x40
CURVES = [recipes.ec_key(curve) for curve in ("P-224", "P-256", "P-384", "P-521")]


def found(data: bytes, word: int = 8) -> list[tuple[str, Place]]:
    """Return the keys of a structure in a heap, and where they stand; each is read again."""
    region = Region(start=HEAP, size=len(data), file_offset=0)
    layout = Layout(format="elfcore", pointer_size=word, regions=(region,))
    memory = Memory(space.build(layout, len(data))[0], file_of(data))
    rows = []
    for one in examine(memory, 0, AT + 3 * word, RULE):
        assert one.candidate.confidence is Confidence.PROOF
        assert [describe(key) for key in again(memory, one.candidate)] == [describe(one.material)]
        rows.append((describe(one.material).fingerprint.value, one.candidate.places[0]))
    return rows


@pytest.mark.parametrize("word", [8, 4])
@pytest.mark.parametrize("key", CURVES, ids=lambda key: key.curve)
def test_a_scalar_and_its_point(key: recipes.EcKey, word: int) -> None:
    """Neither is near the other."""
    data = bytes(AT) + containers.go_object(key, HEAP + AT, word)
    place = Place(space=0, offset=AT + 0x200, size=key.field_bytes)
    assert found(data, word) == [(key.spki_sha256, place)]


@pytest.mark.parametrize("at", [0x08, 0x10, 0x18, 0x28, 0x30, 0x100, 0x140, 0x200, 0x21F])
def test_a_flipped_bit(at: int) -> None:
    """Lengths and addresses, the point and the scalar."""
    data = bytearray(bytes(AT) + containers.go_object(CURVES[1], HEAP + AT))
    assert found(bytes(data))
    data[AT + at] ^= 0x04
    assert found(bytes(data)) == []


def test_what_ends_before_its_end() -> None:
    """Nothing is read beyond memory."""
    data = bytes(AT) + containers.go_object(CURVES[1], HEAP + AT)
    for size in range(AT, len(data), 8):
        assert found(data[:size]) == [] or size >= AT + 0x220


def test_from_a_file_to_a_finding(tmp_path: Path) -> None:
    """A heap of a structure; of P-521 a scalar has room for more."""
    heap = containers.go_object(CURVES[3], HEAP, room=14).ljust(0x4000, b"\0")
    path = tmp_path / "core"
    path.write_bytes(elfcore.write([elfcore.Segment(address=HEAP, data=heap)]).data)
    scanned = scanning.scan(ScanRequest(path=str(path), in_process=True, rules=RULES), Silence())
    (one,) = correlate.findings(scanned, RULES)
    assert (one.fingerprint.value, one.confidence) == (CURVES[3].spki_sha256, Confidence.PROOF)
    assert any(seen.encoding == "Go PrivateKey" for seen in one.occurrences)
