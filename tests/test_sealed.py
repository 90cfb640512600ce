"""From a file to findings, for keys that nobody can read: listed, priced, never blocking."""

import json
from pathlib import Path

import pytest

from fixtures import elfcore, encodings, keys, sealed
from scanner import policy, rules
from scanner.model import DumpReport, Verdict
from scanner.report import FORMATS
from tests.engine.test_scanning import report_bytes

ED = keys.okp_key("ed25519")
GAP = bytes(40)


def scan(folder: Path, *parts: bytes) -> DumpReport:
    """Scan a core that holds the parts, apart from each other."""
    data = GAP.join([b"", *parts, b""])
    return report_bytes(
        elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)]).data, folder
    )


def test_an_encrypted_key_is_listed_and_passes(tmp_path: Path) -> None:
    """Copies of one ciphertext are one finding, whose protection both reports show."""
    der = sealed.pkcs8_der(ED)
    found = scan(tmp_path, der, encodings.pem(der, "ENCRYPTED PRIVATE KEY"), sealed.pkcs8_der(ED))
    assert found.verdict is Verdict.PASS
    assert [(f.kind, len(f.occurrences)) for f in found.findings] == [
        ("encrypted-key", 2),
        ("encrypted-key", 1),
    ]
    assert {f.fingerprint.kind for f in found.findings} == {"place-sha256"}
    whole = policy.combine([found], rules_sha256=rules.digest(rules.load()))
    texts = [
        render(whole, color=False, verbose=False, quiet=False, width=100)
        for name, render in FORMATS
        if name in ("text", "json")
    ]
    assert all("PBKDF2-HMAC-SHA256" in text for text in texts)
    document = next(json.loads(text) for text in texts if text.startswith("{"))
    assert "guess" in document["dumps"][0]["findings"][0]["protection"]


@pytest.mark.parametrize("plain", [False, True])
def test_a_key_in_both_forms_is_one_finding(tmp_path: Path, *, plain: bool) -> None:
    """The same key, encrypted and not, is one private key; encrypted alone it blocks nothing."""
    parts = [sealed.openssh_pem(ED), *([encodings.pkcs8_der(ED)] if plain else [])]
    found = scan(tmp_path, *parts)
    (finding,) = found.findings
    assert finding.fingerprint.value == ED.spki_sha256
    assert finding.kind == ("private-key" if plain else "encrypted-key")
    assert bool(finding.protection) is not plain
    assert finding.names == ("key-file", "ssh")
    assert len(finding.occurrences) == 1 + plain
    assert found.verdict is (Verdict.BLOCKED if plain else Verdict.PASS)
