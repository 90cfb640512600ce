"""Shielded OpenSSH keys, from a file to findings."""

from pathlib import Path

import pytest

from fixtures import containers, elfcore
from fixtures import keys as recipes
from scanner import correlate, rules
from scanner.detect.structures import openssh_shield
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.model import Confidence, Finding, Severity
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


def alone(key: recipes.Key, start: int = HEAP, **changed: int) -> elfcore.Segment:
    """Return a heap with a whole structure, its shielded key and its public half."""
    blob = containers.openssh_shielded(key)
    given = {
        "shielded": start + 0x1010,
        "size": len(blob),
        "prekey": PREKEY,
        "public": start + 0x3010,
    }
    heap = bytearray(0x4000)
    struct = containers.openssh_sshkey(key, **given | changed)
    heap[0x800 : 0x800 + len(struct)] = struct
    heap[0x1010 : 0x1010 + len(blob)] = blob
    heap[0x3010:0x3030] = key.public if isinstance(key, recipes.OkpKey) else bytes(32)
    return elfcore.Segment(address=start, data=bytes(heap))


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.spki_sha256[:8])
def test_without_the_prekey_the_structure_is_told(tmp_path: Path, key: recipes.Key) -> None:
    """Seen in ssh-agent and sshd 10.0, dumped by gdb: the key is there, and nobody can read it."""
    (found,) = scan(tmp_path / "core", [alone(key)])
    assert (found.rule, found.kind) == ("openssh-shielded-alone", "encrypted-key")
    assert (found.severity, found.names) == (Severity.INFO, ())
    assert found.protection == openssh_shield.PROTECTION
    if isinstance(key, recipes.OkpKey):
        assert found.fingerprint.value == key.spki_sha256
    if isinstance(key, recipes.EcKey):
        assert found.curve == key.curve
    (occurrence,) = found.occurrences
    (extent,) = occurrence.extents
    assert (extent.address, extent.size) == (
        HEAP + 0x1010,
        len(containers.openssh_shielded(key)),
    )


def test_a_key_with_its_prekey_is_no_encrypted_one(tmp_path: Path) -> None:
    """It is told once, as the key that it is."""
    prekey = elfcore.Segment(address=PREKEY, data=containers.PREKEY)
    (found,) = scan(tmp_path / "core", [alone(KEYS[2]), prekey])
    assert (found.kind, found.fingerprint.value) == ("private-key", KEYS[2].spki_sha256)


@pytest.mark.parametrize(
    "changed",
    [
        {"prekey": PREKEY + 8},
        {"prekey": 0},
        {"prekey": HEAP + 0x1000},
        {"prekey": HEAP - 0x3000},
        {"public": 0},
        {"public": PREKEY},
        {"size": 48},
        {"shielded": HEAP + 0x2000},
    ],
    ids=str,
)
def test_what_is_like_the_structure_is_not_told(tmp_path: Path, changed: dict[str, int]) -> None:
    """A prekey that is no page or is there in part, pointers that lead nowhere, zeros for a key."""
    keys = KEYS if "public" in changed else KEYS[2:]
    heaps = [alone(key, HEAP + 0x10000 * row, **changed) for row, key in enumerate(keys)]
    assert scan(tmp_path / "core", heaps) == ()


@pytest.mark.parametrize("at", [0, 5, 8, 16, 20, 32, 120])
def test_a_field_of_the_structure_that_is_none(tmp_path: Path, at: int) -> None:
    """Type, flags, dsa, nid, what is between, secret half, certificate."""
    heaps = []
    for key, start in zip(KEYS[1:], (HEAP, HEAP + 0x10000), strict=True):
        heap = bytearray(alone(key, start).data)
        heap[0x800 + at] ^= 0x51
        heaps.append(elfcore.Segment(address=start, data=bytes(heap)))
    assert scan(tmp_path / "core", heaps) == ()


def test_without_the_prekey_there_is_nothing_to_read(tmp_path: Path) -> None:
    """Of the last words of the structure alone nothing is said without the prekey, or a part."""
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
