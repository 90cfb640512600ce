"""Shielded OpenSSH keys, from a file to findings."""

from pathlib import Path

import pytest

from fixtures import containers, elfcore
from fixtures import keys as recipes
from scanner import correlate, rules
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.model import Confidence, Finding
from scanner.progress import Silence

RULES = rules.load()
HEAP, PREKEY = 0x5585_0000_0000, 0x7F19_0000_0000
KEYS = [recipes.rsa_key(3072), recipes.ec_key("P-384"), recipes.okp_key()]


def scan(path: Path, segments: list[elfcore.Segment]) -> tuple[Finding, ...]:
    """Scan a core of these segments."""
    path.write_bytes(elfcore.write(segments).data)
    scanned = scanning.scan(ScanRequest(path=str(path), in_process=True, rules=RULES), Silence())
    assert scanned.coverage.faults == ()
    return correlate.findings(scanned, RULES)


def segments(
    key: recipes.Key, *, prekey: bytes = containers.PREKEY, shielded: bytes | None = None
) -> list[elfcore.Segment]:
    """Return a heap with a shielded key in a structure, and the page of its prekey."""
    blob = containers.openssh_shielded(key) if shielded is None else shielded
    struct = containers.openssh_struct(HEAP + 0x1010, len(blob), PREKEY)
    heap = bytearray(0x4000)
    heap[0x800 : 0x800 + len(struct)] = struct
    heap[0x1010 : 0x1010 + len(blob)] = blob
    return [
        elfcore.Segment(address=HEAP, data=bytes(heap)),
        elfcore.Segment(address=PREKEY, data=prekey),
    ]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.spki_sha256[:8])
def test_a_shielded_key_is_unshielded(tmp_path: Path, key: recipes.Key) -> None:
    """Ciphertext and prekey are one occurrence of a proved key, which its own form names."""
    (found,) = scan(tmp_path / "core", segments(key))
    assert found.fingerprint.value == key.spki_sha256
    assert (found.confidence, found.names) == (Confidence.PROOF, ("ssh",))
    assert found.public.ssh_fingerprint == containers.ssh_fingerprint(key)
    (occurrence,) = found.occurrences
    assert occurrence.encoding == "openssh-shielded"
    size = len(containers.openssh_shielded(key))
    assert [(e.address, e.size) for e in occurrence.extents] == [
        (HEAP + 0x1010, size),
        (PREKEY, 16384),
    ]


def test_without_the_prekey_there_is_nothing(tmp_path: Path) -> None:
    """Where the prekey was left out of the dump, whole or in part, nothing is said."""
    heap, prekey = segments(KEYS[2])
    assert scan(tmp_path / "core", [heap]) == ()
    part = elfcore.Segment(address=PREKEY, data=prekey.data[:-8])
    assert scan(tmp_path / "core", [heap, part]) == ()


@pytest.mark.parametrize("what", ["prekey", "key", "padding", "type"])
def test_damage_leaves_nothing(tmp_path: Path, what: str) -> None:
    """A bit of anything changed leaves no key."""
    key = KEYS[2]
    prekey = bytearray(containers.PREKEY)
    blob = bytearray(containers.openssh_shielded(key))
    if what == "prekey":
        prekey[5000] ^= 1
    else:
        blob[{"key": 70, "padding": -1, "type": 6}[what]] ^= 1
    assert scan(tmp_path / "core", segments(key, prekey=bytes(prekey), shielded=bytes(blob))) == ()


def test_a_copy_in_the_clear_is_an_occurrence_too(tmp_path: Path) -> None:
    """Stage three unshields again and finds the scalar where it stands bare."""
    key = recipes.ec_key("P-256")
    heap, prekey = segments(key)
    data = bytearray(heap.data)
    data[0x3000:0x3020] = key.d.to_bytes(32, "little")
    (found,) = scan(tmp_path / "core", [elfcore.Segment(address=HEAP, data=bytes(data)), prekey])
    assert {o.encoding for o in found.occurrences} == {"openssh-shielded", "d limbs-le"}
