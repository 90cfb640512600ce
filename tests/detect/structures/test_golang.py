"""Keys behind structures of Go's standard library."""

from pathlib import Path

import numpy as np
import pytest

from fixtures import containers, elfcore, noise
from fixtures import keys as recipes
from scanner import correlate, rules
from scanner.detect import anchors
from scanner.detect.algebra.material import describe
from scanner.detect.structures import golang
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
SWEEPER = anchors.open_sweeper(anchors.compile_anchors([RULE]))
WIDE = {8: 0xC0_0000_0000, 4: 0x0141_0000}
ED25519 = recipes.okp_key("ed25519")
CURVES = [recipes.ec_key(curve) for curve in ("P-224", "P-256", "P-384", "P-521")]
SECP256K1 = recipes.ec_key("secp256k1")


def found(data: bytes, word: int = 8, *, heap: int = HEAP, at: int = 6) -> list[tuple[str, Place]]:
    """Return the keys of a structure in a heap, and where they stand; each is read again."""
    region = Region(start=heap, size=len(data), file_offset=0)
    layout = Layout(format="elfcore", pointer_size=word, regions=(region,))
    memory = Memory(space.build(layout, len(data))[0], file_of(data))
    rows = []
    for one in examine(memory, 0, AT + at * word // 2, RULE):
        assert one.candidate.confidence is Confidence.PROOF
        assert [describe(key) for key in again(memory, one.candidate)] == [describe(one.material)]
        rows.append((describe(one.material).fingerprint.value, one.candidate.places[0]))
        assert (0, AT + at * word // 2) in SWEEPER.sweep(data, halves=word == 4)
    return rows


@pytest.mark.parametrize("word", [8, 4])
@pytest.mark.parametrize("key", CURVES, ids=lambda key: key.curve)
def test_a_scalar_and_its_point(key: recipes.EcKey, word: int) -> None:
    """Neither is near the other."""
    data = bytes(AT) + containers.go_object(key, HEAP + AT, word)
    place = Place(space=0, offset=AT + 0x200, size=key.field_bytes)
    assert found(data, word) == [(key.spki_sha256, place)]


@pytest.mark.parametrize("drawn", [False, True])
@pytest.mark.parametrize("word", [8, 4])
@pytest.mark.parametrize("key", [*CURVES, SECP256K1], ids=lambda key: key.curve)
def test_numbers_of_a_key(key: recipes.EcKey, word: int, *, drawn: bool) -> None:
    """A scalar and both coordinates as math/big has them, read from a file or drawn."""
    data = bytes(AT) + containers.go_integers(key, HEAP + AT, word, drawn=drawn)
    place = Place(space=0, offset=AT + (0x300 if drawn else 0x100), size=key.field_bytes)
    at = 4 if drawn else 12
    assert found(data, word, at=at) == [(key.spki_sha256, place)]
    for size in range(AT, AT + 0x300 + key.field_bytes, 8):
        assert found(data[:size], word, at=at) == []


@pytest.mark.parametrize(
    "at", [0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x38, 0x48, 0x100, 0x200, 0x300]
)
def test_a_flipped_bit_of_numbers(at: int) -> None:
    """Signs, addresses, lengths, and the numbers."""
    data = bytearray(bytes(AT) + containers.go_integers(CURVES[2], HEAP + AT))
    assert found(bytes(data), at=12)
    data[AT + at] ^= 0x04
    assert found(bytes(data), at=12) == []


def test_lengths_beyond_any_curve_are_not_read() -> None:
    """A header may claim all of memory for its number."""
    count = 1 << 17
    header = (0, HEAP, count, count + 4)
    words = b"".join(number.to_bytes(8, "little") for number in header * 8)
    data = (bytes(AT) + words).ljust(count * 8, b"\1")
    region = Region(start=HEAP, size=len(data), file_offset=0)
    layout = Layout(format="elfcore", pointer_size=8, regions=(region,))
    memory = Memory(space.build(layout, len(data))[0], file_of(data))
    assert list(examine(memory, 0, AT + 12 * 4, RULE)) == []
    assert memory.taken < 1 << 10


@pytest.mark.parametrize(
    ("key", "word", "machine"),
    [
        *((key, 8, "x86_64") for key in (*CURVES[::2], SECP256K1)),
        *((key, 4, "arm") for key in CURVES[1:]),
    ],
    ids=lambda one: one.curve if isinstance(one, recipes.EcKey) else str(one),
)
def test_numbers_far_from_their_point(
    tmp_path: Path, key: recipes.EcKey, word: int, machine: str
) -> None:
    """A server with hundreds of certificates has more of them than are tried."""
    raw = containers.go_integers(key, HEAP, word).ljust(0x4000, b"\0")
    path = tmp_path / "core"
    segment = elfcore.Segment(address=HEAP, data=raw)
    path.write_bytes(elfcore.write([segment], machine=machine).data)
    scanned = scanning.scan(ScanRequest(path=str(path), in_process=True, rules=RULES), Silence())
    (one,) = correlate.findings(scanned, RULES)
    assert (one.fingerprint.value, one.confidence) == (key.spki_sha256, Confidence.PROOF)
    assert any(seen.encoding == "Go ecdsa.PrivateKey" for seen in one.occurrences)


@pytest.mark.parametrize("at", [0x08, 0x10, 0x18, 0x28, 0x30, 0x100, 0x140, 0x200, 0x21F])
def test_a_flipped_bit(at: int) -> None:
    """Lengths and addresses, the point and the scalar."""
    data = bytearray(bytes(AT) + containers.go_object(CURVES[1], HEAP + AT))
    assert found(bytes(data))
    data[AT + at] ^= 0x04
    assert found(bytes(data)) == []


@pytest.mark.parametrize("word", [8, 4])
def test_a_slice_of_both_halves(word: int) -> None:
    """A seed of Ed25519 and its public half, and nothing else of 64 bytes."""
    heap = WIDE[word]
    data = bytearray(bytes(AT) + containers.go_slice(ED25519, heap + AT, word))
    place = Place(space=0, offset=AT + 0x100, size=32)
    assert found(bytes(data), word, heap=heap, at=1) == [(ED25519.spki_sha256, place)]
    for spot in (word - 1, word, 0x100, 0x120, 0x13F):
        data[AT + spot] ^= 0x04
        assert found(bytes(data), word, heap=heap, at=1) == []
        data[AT + spot] ^= 0x04
    assert found(bytes(data[:-1]), word, heap=heap, at=1) == []


@pytest.mark.parametrize("both", [bytes(range(0x30, 0x40)) * 4, bytes(64), b"\xff" * 64])
def test_what_a_slice_holds_besides(both: bytes) -> None:
    """Text, as the digits of a digest, and what was not filled."""
    data = bytes(AT) + containers.go_slice(ED25519, WIDE[8] + AT)[:-64] + both
    assert found(data, heap=WIDE[8], at=1) == []


@pytest.mark.parametrize(("word", "machine"), [(8, "x86_64"), (4, "arm")])
def test_a_slice_amid_others_of_its_size(tmp_path: Path, word: int, machine: str) -> None:
    """Blocks of one size make one run, of which neither half of the key is at an edge."""
    heap, rest = WIDE[word], noise.uniform(0x2000, 7)
    size = 0x1000 + 0x40
    raw = containers.go_slice(ED25519, heap + size - 0x100, word)
    data = raw[:0x100].ljust(0x1000, b"\0") + rest[:0x40] + raw[0x100:] + rest
    path = tmp_path / "core"
    segment = elfcore.Segment(address=heap, data=data.ljust(0x4000, b"\0"))
    path.write_bytes(elfcore.write([segment], machine=machine).data)
    scanned = scanning.scan(ScanRequest(path=str(path), in_process=True, rules=RULES), Silence())
    (one,) = correlate.findings(scanned, RULES)
    assert (one.fingerprint.value, one.confidence) == (ED25519.spki_sha256, Confidence.PROOF)
    assert any(seen.encoding == "Go ed25519.PrivateKey" for seen in one.occurrences)


@pytest.mark.parametrize("word", [8, 4])
def test_the_first_slices_of_a_heap_are_tried(monkeypatch: pytest.MonkeyPatch, word: int) -> None:
    """Each address once, none outside of the heap; what may be of another key is left in."""
    monkeypatch.setattr(golang, "MOST_SLICES", 2)
    heap = WIDE[word]
    addresses = [heap + 192, heap + 64, heap + 128, heap + 64, heap << 4, heap + 65]
    lengths = [64, 64, 64, 64, 64, 65]
    pairs = zip(addresses, lengths, strict=True)
    data = b"".join(number.to_bytes(word, "little") for pair in pairs for number in pair)
    data = data.ljust(1024, b"\0")
    region = Region(start=heap, size=len(data), file_offset=0)
    layout = Layout(format="elfcore", pointer_size=word, regions=(region,))
    memory = Memory(space.build(layout, len(data))[0], file_of(data))
    offsets = np.arange(6) * 2 * word + word // 2
    kept = golang.sifted(memory, np.zeros(6, np.int64), offsets)
    assert kept.tolist() == [False, True, True, False, False, True]
    assert golang.sifted(memory, np.zeros(1, np.int64), np.array([1022])).tolist() == [True]


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
