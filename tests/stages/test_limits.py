"""How many findings a dump may have: as many as can be borne, and the rest is said."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa

from fixtures import aes, containers, encodings, keys, pgp, secrets
from scanner import rules
from scanner.engine import proving, scanning
from scanner.engine.scanning import Scan, ScanRequest
from scanner.progress import Silence
from scanner.stages import examine, limits, relate

RULES = rules.load()


def scanned(path: Path, data: bytes) -> Scan:
    """Scan bytes in this process."""
    path.write_bytes(data)
    request = ScanRequest(path=str(path), jobs=1, in_process=True, raw=True, rules=RULES)
    return scanning.scan(request, Silence())


def test_written_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of five keys as many are told as may be; public ones behind them are met all the same."""
    made = [keys.okp_key("ed25519", label=str(number)) for number in range(5)]
    written = [encodings.okp_pkcs8_der(key, with_public=False) for key in made]
    data = b"".join(der + bytes(900) for der in written) + encodings.spki_der(keys.rsa_key())
    scan = scanned(tmp_path / "dump", data)
    assert len({one.fingerprint for one in scan.candidates}) == 5
    assert scan.coverage.faults == ()
    monkeypatch.setitem(limits.MOST, "private-key", 3)
    scan = scanned(tmp_path / "dump", data)
    assert {one.fingerprint.value for one in scan.candidates} == {
        key.spki_sha256 for key in made[:3]
    }
    assert [fault.code for fault in scan.coverage.faults] == ["limit-keys"]
    assert keys.rsa_key().spki_sha256 in {key.witness.fingerprint.value for key in scan.publics}


def test_each_kind_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ever so many keys of one kind take no room from those of another."""
    key = keys.okp_key("ed25519")
    data = (secrets.keytab() + bytes(900)) * 4 + encodings.okp_pkcs8_der(key, with_public=False)
    monkeypatch.setitem(limits.MOST, "symmetric-key", 2)
    scan = scanned(tmp_path / "dump", data)
    assert [one.kind for one in scan.candidates] == ["symmetric-key"] * 2 + ["private-key"]
    assert [fault.code for fault in scan.coverage.faults] == ["limit-keys"]


def test_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts that announce a key and lead far, and hold none, are not read without end."""
    text = b"".join(b"30820276020100300d0609" + b"%032x" % number for number in range(400))
    text += bytes(900) + encodings.spki_der(keys.rsa_key())
    assert scanned(tmp_path / "dump", text).coverage.faults == ()
    monkeypatch.setattr(limits, "MOST_READ", 1 << 20)
    monkeypatch.setattr(limits, "MOST_TIMES", 1)
    scan = scanned(tmp_path / "dump", text)
    assert scan.candidates == ()
    assert [fault.code for fault in scan.coverage.faults] == ["limit-read"]
    assert keys.rsa_key().spki_sha256 in {key.witness.fingerprint.value for key in scan.publics}


def test_reading_of_all_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one rule may read, and no two together, is not read for many."""
    texts = (b"30820276020100300d0609%032x", b"MIIC%044x\0", b"PuTTY-User-Key-File-3: %040x")
    text = b"".join(kind % number for number in range(60) for kind in texts)
    monkeypatch.setattr(limits, "MOST_READ", 1 << 21)
    assert scanned(tmp_path / "dump", text).coverage.faults == ()
    monkeypatch.setattr(limits, "MOST_TOGETHER", 0.01)
    assert [fault.code for fault in scanned(tmp_path / "dump", text).coverage.faults] == [
        "limit-read"
    ]


def test_effort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong keys without end cost so much and no more; what costs less than is left is proved."""
    first, last = keys.ec_key("P-384", label="first"), keys.ec_key("P-384", label="last")
    wrong = encodings.sec1_der(keys.ec_key("P-521"))
    crowd = [wrong[:20] + number.to_bytes(2, "big") + wrong[22:] for number in range(60)]
    apart = bytes(900)
    data = apart.join((encodings.sec1_der(first), *crowd, encodings.sec1_der(last)))
    data += apart + encodings.pkcs8_der(keys.rsa_key())
    three = {key.spki_sha256 for key in (first, last, keys.rsa_key())}
    scan = scanned(tmp_path / "dump", data)
    assert {one.fingerprint.value for one in scan.candidates} == three
    assert scan.coverage.faults == ()
    monkeypatch.setattr(examine, "MOST_EFFORT", 2_400)
    scan = scanned(tmp_path / "dump", data)
    assert {one.fingerprint.value for one in scan.candidates} >= three - {last.spki_sha256}
    assert [fault.code for fault in scan.coverage.faults] == ["limit-effort"]


CROWDS: dict[str, Callable[[keys.OkpKey], bytes]] = {
    "ssh": containers.ssh_blob,
    "jwk": containers.jwk_public,
    "pgp": pgp.public_packet,
    "spki": encodings.spki_der,
    "dnskey": containers.dnskey,
}


@pytest.mark.parametrize("form", CROWDS)
def test_crowds_of_public_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """Public keys end to end, which the rules of private ones look at too, use no limit up."""
    made = [keys.okp_key("ed25519", label=str(number)) for number in range(120)]
    monkeypatch.setattr(limits, "MOST_READ", 1 << 20)
    scan = scanned(tmp_path / "dump", b"".join(CROWDS[form](key) + bytes(9) for key in made))
    assert scan.coverage.faults == ()
    assert {key.spki_sha256 for key in made} == {
        key.witness.fingerprint.value for key in scan.publics
    }


def test_groups_of_dsa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What p, q and g are is told by a division: no power is spent on a public key."""
    made = dsa.generate_private_key(1024).public_key()  # noqa: S505 - thrown away
    der = made.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    monkeypatch.setattr(examine, "MOST_EFFORT", 0)
    assert scanned(tmp_path / "dump", bytes(900) + der + bytes(900)).coverage.faults == ()


def test_schedules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of five key schedules as many are told as may be."""
    made = [aes.expand(aes.key(128, number)) for number in range(5)]
    data = b"".join(bytes(800) + schedule for schedule in made) + bytes(800)
    scan = scanned(tmp_path / "dump", data)
    assert len(scan.candidates) == 5
    assert scan.coverage.faults == ()
    monkeypatch.setattr(relate, "MOST_SCHEDULES", 3)
    monkeypatch.setattr(proving, "MOST_SCHEDULES", 3)
    scan = scanned(tmp_path / "dump", data)
    assert len(scan.candidates) == 3
    assert [fault.code for fault in scan.coverage.faults] == ["limit-schedules"]
