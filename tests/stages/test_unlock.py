"""Encrypted keys whose passphrase stands in the dump: opened, blocking, and never told."""

import base64
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures import elfcore, encodings, keys, keystores, noise, sealed
from scanner import correlate, policy, rules
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.model import Confidence, DumpReport, Verdict
from scanner.progress import Silence
from scanner.report import json as json_report
from scanner.report import text as text_report
from scanner.stages import unlock

NAMES = ("encrypted-private-key", "pgp-encrypted-key", "opened-private-key")
RULES = tuple(rule for rule in rules.load() if rule.id in NAMES)
RSA, EC, ED = keys.rsa_key(), keys.ec_key(), keys.okp_key()
PHRASE = b"Gr8-horse_battery"
BASE = 0x7F0000000000


def locked(phrase: bytes = PHRASE) -> bytes:
    """Return a key under a passphrase that is hashed once."""
    return sealed.traditional_pem(RSA, phrase)


def report(*blocks: bytes, deep: bool = False, folder: Path) -> DumpReport:
    """Scan a core with a region for each block."""
    segments = [
        elfcore.Segment(address=BASE + number * 0x100000, data=data)
        for number, data in enumerate(blocks)
    ]
    path = folder / "core"
    path.write_bytes(elfcore.write(segments).data)
    request = ScanRequest(path=str(path), in_process=True, rules=RULES, deep=deep)
    scan = scanning.scan(request, Silence())
    return policy.judge(scan, correlate.findings(scan, RULES))


HEAP = noise.heap(1 << 14, 3)
PLACES: dict[str, Callable[[bytes], bytes]] = {
    "after its name": lambda p: HEAP + b"\0ssl_password=" + p + b"\0",
    "as an argument": lambda p: HEAP + b"\0--passphrase\0" + p + b"\0",
    "in JSON": lambda p: HEAP + b'{"passphrase": "' + p + b'", "port": 1}' + HEAP,
    "in XML": lambda p: HEAP + b"<password>" + p + b"</password>" + HEAP,
    "in YAML": lambda p: HEAP + b"\npassphrase: " + p + b"\n" + HEAP,
    "in an argument of openssl": lambda p: HEAP + b"\0-passin\0pass:" + p + b"\0",
    "in a string of its own": lambda p: HEAP + bytes(16) + p + bytes(17) + HEAP,
    "in UTF-16": lambda p: HEAP + bytes(4) + p.decode().encode("utf-16-le") + bytes(4) + HEAP,
}


@pytest.mark.parametrize("place", PLACES)
def test_a_passphrase_anywhere(place: str, tmp_path: Path) -> None:
    """The key is a private key, proved, under its own name, where its file lies; it blocks."""
    said = report(locked() + bytes(64), PLACES[place](PHRASE), folder=tmp_path)
    assert said.verdict is Verdict.BLOCKED
    (finding,) = said.findings
    assert (finding.rule, finding.kind) == ("opened-private-key", "private-key")
    assert (finding.confidence, finding.fingerprint.value) == (Confidence.PROOF, RSA.spki_sha256)
    assert finding.protection.endswith(f"; {unlock.IN_DUMP}")
    (occurrence,) = finding.occurrences
    assert occurrence.encoding == "traditional-PEM, opened"
    assert [(e.address, e.size) for e in occurrence.extents] == [(BASE, len(locked().rstrip()))]


TOGETHER: dict[str, Callable[[bytes, bytes], bytes]] = {
    "before it": lambda k, p: b'{"password":"' + p + b'","key":"' + k + b'"}',
    "behind it": lambda k, p: b'{"key":"' + k + b'","password":"' + p + b'"}',
    "in text in JSON": lambda k, p: (
        rb'{"s":"{\"passphrase\":\"' + p + rb"\",\"key\":\"" + k + rb'\"}"}'
    ),
    "in a form": lambda k, p: b"a=1&password=" + p + b"&key=" + k + b"&b=2",
    "in a line of settings": lambda k, p: b"CertificatePassword=" + p + b";Certificate=" + k + b";",
}


@pytest.mark.parametrize("form", TOGETHER)
@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
def test_in_the_text_that_has_the_key(form: str, codec: str, tmp_path: Path) -> None:
    """Nothing parts the passphrase from the key but what the text has between them."""
    text = TOGETHER[form](base64.b64encode(keystores.pkcs12_password(RSA)), b"throwaway")
    said = report(HEAP + bytes(8) + text.decode().encode(codec) + bytes(8), folder=tmp_path)
    (finding,) = said.findings
    assert (finding.rule, finding.fingerprint.value) == ("opened-private-key", RSA.spki_sha256)
    assert said.verdict is Verdict.BLOCKED


def test_without_its_passphrase_it_stays_encrypted(tmp_path: Path) -> None:
    """What does not open is what it was, and does not block."""
    said = report(locked() + bytes(64), HEAP + PHRASE[:-1] + b"\0" + HEAP, folder=tmp_path)
    assert said.verdict is Verdict.PASS
    assert [f.kind for f in said.findings] == ["encrypted-key"]
    assert unlock.IN_DUMP not in said.findings[0].protection


def test_no_rule_no_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set of rules without the one of opened keys opens none."""
    monkeypatch.setattr(f"{__name__}.RULES", tuple(r for r in RULES if r.detector != "opened"))
    said = report(locked() + bytes(64), b"password=" + PHRASE, folder=tmp_path)
    assert [f.kind for f in said.findings] == ["encrypted-key"]


def test_copies_are_one_finding(tmp_path: Path) -> None:
    """Each place of the file is told, and the lock is tried once."""
    text = locked()
    said = report(text + bytes(9) + text, b"\0password=" + PHRASE + b"\0", text, folder=tmp_path)
    (finding,) = said.findings
    assert len(finding.occurrences) == 3


def test_a_public_half_beside_it_is_a_witness(tmp_path: Path) -> None:
    """A seed alone proves nothing; the file's own public half, which stands in the clear, does."""
    text = sealed.openssh_opens(ED, PHRASE)
    said = report(text + bytes(9), b"\0password=" + PHRASE + b"\0", folder=tmp_path)
    (finding,) = said.findings
    assert (finding.confidence, finding.fingerprint.value) == (Confidence.PROOF, ED.spki_sha256)


def test_what_everybody_tries_first(tmp_path: Path) -> None:
    """A passphrase that all know need not stand in the dump; that is said."""
    said = report(locked(b"changeit") + bytes(64), HEAP, folder=tmp_path)
    assert said.findings[0].protection.endswith(f"; {unlock.WELL_KNOWN}")
    said = report(locked(b"changeit") + bytes(64), b"x\0changeit\0", folder=tmp_path)
    assert said.findings[0].protection.endswith(f"; {unlock.IN_DUMP}")


NOTHING = {
    "PEM": encodings.pem(keystores.under_nothing(encodings.pkcs8_der(EC)), "ENCRYPTED PRIVATE KEY"),
    "DER": keystores.under_nothing(encodings.pkcs8_der(EC)),
    "many iterations": keystores.under_nothing(encodings.pkcs8_der(EC), 200_000),
    "scrypt": keystores.under_scrypt(encodings.pkcs8_der(EC)),
    "a store without its beginning": bytes(16) + keystores.pkcs12_open(EC)[16:],
    "an older store": bytes(16) + keystores.pkcs12_open_3des(EC)[16:],
    "an older store, no terminator": bytes(16) + keystores.pkcs12_open_3des(EC, b"")[16:],
}


@pytest.mark.parametrize("form", NOTHING)
def test_the_empty_passphrase(form: str, tmp_path: Path) -> None:
    """No library takes it, and it opens all the same."""
    said = report(NOTHING[form] + bytes(64), HEAP, folder=tmp_path)
    (finding,) = said.findings
    assert (finding.rule, finding.fingerprint.value) == ("opened-private-key", EC.spki_sha256)
    assert finding.protection.endswith(f"; {unlock.NONE}")
    assert said.verdict is Verdict.BLOCKED


def test_one_passphrase_opens_others(tmp_path: Path) -> None:
    """What opened a cheap lock is tried first on a dear one."""
    dear = sealed.openssh_opens(ED, PHRASE)
    crowd = b"".join(b"\0password=%d-Wrong-%d\0" % (n, n) for n in range(200))
    text = crowd + b"\0" + PHRASE + b"\0"
    said = report(locked() + bytes(9) + dear + bytes(9), text, folder=tmp_path)
    assert {f.rule for f in said.findings} == {"opened-private-key"}
    assert len(said.findings) == 2


def test_the_budget_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries end when what they cost is spent: the same texts, the same verdict, on any machine."""
    crowd = b"".join(b"\0password=%d-Wrong-%d\0" % (n, n) for n in range(50))
    text = crowd + b"\0" + PHRASE + b"\0"
    for budget, kind in ((300, "encrypted-key"), (30_000, "private-key")):
        monkeypatch.setattr(unlock, "BUDGET", budget)
        said = report(locked() + bytes(64), text, folder=tmp_path)
        assert [f.kind for f in said.findings] == [kind]
    monkeypatch.setattr(unlock, "BUDGET", 300)
    monkeypatch.setattr(unlock, "BUDGET_DEEP", 30_000)
    said = report(locked() + bytes(64), text, deep=True, folder=tmp_path)
    assert [f.kind for f in said.findings] == ["private-key"]


def test_no_report_holds_the_passphrase(tmp_path: Path) -> None:
    """Neither the phrase nor a part of it, its place or its length is said."""
    text = HEAP + b"\0password=" + PHRASE + b"\0"
    said = report(locked() + bytes(64), text, folder=tmp_path)
    whole = policy.combine([said], rules_sha256="")
    shown = json_report.render(whole) + text_report.render(whole, verbose=True)
    for at in range(len(PHRASE) - 5):
        assert PHRASE[at : at + 6].decode() not in shown
    spans = [e for f in said.findings for o in f.occurrences for e in o.extents]
    assert all(e.address is not None and e.address < BASE + len(locked()) for e in spans)
    assert PHRASE.decode() not in repr(dataclasses.astuple(said))


@pytest.mark.parametrize("form", [sealed.pkcs8_pem(EC), sealed.openssh_pem(ED)])
def test_nothing_to_open_costs_nothing(
    form: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts are gathered only where there is a lock."""
    monkeypatch.setattr(unlock, "BUDGET", 0)
    assert [f.kind for f in report(form, HEAP, folder=tmp_path).findings] == ["encrypted-key"]
    monkeypatch.setattr(unlock.phrases, "gather", None)
    assert report(encodings.certificate_der(RSA), HEAP, folder=tmp_path).findings == ()
