"""NSS's key databases: salted in another table, proved by the public half in the same row."""

from pathlib import Path

import pytest

from fixtures import elfcore, keys, noise, sealed
from scanner import correlate, policy, rules
from scanner.detect.asn1 import der
from scanner.detect.locked import keydb
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.model import Confidence, DumpReport, Verdict
from scanner.progress import Silence
from scanner.stages import unlock

NAMES = ("encrypted-private-key", "opened-private-key")
RULES = tuple(rule for rule in rules.load() if rule.id in NAMES)
BASE = 0x7F0000000000
HEAP = noise.heap(1 << 14, 5)
PAGE = 4096
RSA, EC = keys.rsa_key(), keys.ec_key()
STORED: dict[str, keys.Key] = {
    "RSA 2048": RSA,
    "RSA 4096": keys.rsa_key(4096),
    **{curve: keys.ec_key(curve) for curve in ("P-256", "P-384", "P-521")},
    "ed25519": keys.okp_key("ed25519"),
    "x25519": keys.okp_key("x25519"),
}


def report(*blocks: bytes, folder: Path) -> DumpReport:
    """Scan a core with a region for each block."""
    segments = [
        elfcore.Segment(address=BASE + number * 0x100000, data=data)
        for number, data in enumerate(blocks)
    ]
    path = folder / "core"
    path.write_bytes(elfcore.write(segments).data)
    request = ScanRequest(path=str(path), in_process=True, rules=RULES)
    scan = scanning.scan(request, Silence())
    return policy.judge(scan, correlate.findings(scan, RULES))


@pytest.mark.parametrize("name", STORED)
def test_without_a_passphrase_anybody_opens_it(name: str, tmp_path: Path) -> None:
    """Pages lie apart, in any order; one key is one finding, under its own name, and blocks."""
    key = STORED[name]
    file = sealed.nss_database(key)
    pages = [file[at : at + PAGE] + HEAP[: 4096 + at] for at in range(0, len(file), PAGE)]
    said = report(*reversed(pages), folder=tmp_path)
    assert said.verdict is Verdict.BLOCKED
    (finding,) = said.findings
    assert (finding.rule, finding.confidence) == ("opened-private-key", Confidence.PROOF)
    assert finding.fingerprint.value == key.spki_sha256
    assert finding.protection.endswith(f"; {unlock.NONE}")


def test_the_place_is_that_of_all_private_numbers(tmp_path: Path) -> None:
    """What redaction overwrites leaves no number of the key."""
    file = sealed.nss_database(RSA)
    said = report(file, folder=tmp_path)
    ((extent,),) = [o.extents for f in said.findings for o in f.occurrences]
    assert extent.address is not None
    first = extent.address - BASE
    assert keydb.entry(file[first:]) is not None
    assert file.rfind(b"\x04\x81\x90") < first + extent.size
    assert file[first:].startswith(b"\x30\x82")


def test_two_databases_and_their_passphrases(tmp_path: Path) -> None:
    """Each key is tried with each salt: one has no passphrase, the other's lies in the dump."""
    phrase = b"Gr8-horse_battery"
    files = sealed.nss_database(RSA), sealed.nss_database(EC, password=phrase, count=99, number=1)
    said = report(*files, HEAP + b"\0password=" + phrase + b"\0", folder=tmp_path)
    assert {f.fingerprint.value: f.protection.rpartition("; ")[2] for f in said.findings} == {
        RSA.spki_sha256: unlock.NONE,
        EC.spki_sha256: unlock.IN_DUMP,
    }


def test_what_does_not_open_is_one_encrypted_key(tmp_path: Path) -> None:
    """A key of six encrypted numbers is told once, and the check of the passphrase never."""
    said = report(
        sealed.nss_database(RSA, EC, password=b"elsewhere", count=10_000), folder=tmp_path
    )
    assert [(f.kind, f.occurrences[0].encoding) for f in said.findings] == [
        ("encrypted-key", keydb.ENCODING)
    ] * 2
    assert said.verdict is Verdict.PASS


def test_a_key_that_is_called_password_is_no_salt(tmp_path: Path) -> None:
    """A key's name stands right before its number, as the salt before what it is checked by."""
    said = report(sealed.nss_database(EC, label=b"password of the server"), folder=tmp_path)
    assert [f.fingerprint.value for f in said.findings] == [EC.spki_sha256]


def test_without_its_salt_it_stays_encrypted(tmp_path: Path) -> None:
    """A row alone opens for nobody."""
    file = sealed.nss_database(RSA)
    said = report(file.replace(b"password", b"passWord"), folder=tmp_path)
    assert [f.kind for f in said.findings] == ["encrypted-key"]


def test_a_public_half_that_is_not_its_own_proves_nothing(tmp_path: Path) -> None:
    """What decrypts is a key only where the same row proves it; a changed modulus does not."""
    file = sealed.nss_database(RSA)
    n = RSA.n.to_bytes(256, "big")
    assert file.count(n) == 2
    said = report(file.replace(n, (RSA.n ^ 2).to_bytes(256, "big")), folder=tmp_path)
    assert [f.kind for f in said.findings] == ["encrypted-key"]


STRICT = {
    "PBES2": bytes.fromhex("2a864886f70d01050d"),
    "PBKDF2": bytes.fromhex("2a864886f70d01050c"),
    "HMAC-SHA256": bytes.fromhex("2a864886f70d0209"),
    "AES-256-CBC": bytes.fromhex("60864801650304012a"),
    "a key of 32 bytes": b"\x02\x01\x20",
    "the header of the vector": b"\x04\x0e",
}


@pytest.mark.parametrize("what", STRICT)
def test_another_scheme_is_none_of_these(what: str) -> None:
    """Algorithms, the key's length and the vector of 14 bytes are read strictly."""
    file = sealed.nss_database(EC)
    data = file[file.rindex(b"\x30\x81\xa1\x30\x6d") :]
    known = keydb.entry(data)
    assert known is not None
    assert known.size == der.total_size(data[:4])
    assert keydb.entry(data[: known.size - 1]) is None
    part = STRICT[what]
    assert part in data[: known.size]
    assert keydb.entry(data.replace(part, part[:-1] + bytes((part[-1] ^ 1,)), 1)) is None
