"""Written secrets of every kind, planted in a core: what is found and what it means."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fixtures import elfcore, encodings, keys, keystores, noise, pgp, pqc, secrets, tpm
from scanner import correlate, policy, published, rules
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.model import Confidence, DumpReport, Verdict
from scanner.progress import Silence
from scanner.stages import examine as examining
from scanner.stages.sweep import Hits

RULES = rules.load()
RSA, EC, ED = keys.rsa_key(), keys.ec_key(), keys.okp_key()
Row = tuple[Callable[[], bytes], str, str, set[str]]

FORMS: dict[str, Row] = {
    "pgp": (lambda: pgp.packet(RSA), "pgp-private-key", "private-key", {RSA.spki_sha256}),
    "pgp armour": (
        lambda: pgp.armour(pgp.packet(EC) + pgp.packet(ED, tag=7)),
        "pgp-private-key",
        "private-key",
        {EC.spki_sha256, ED.spki_sha256},
    ),
    "pgp encrypted": (
        lambda: pgp.encrypted(RSA),
        "pgp-encrypted-key",
        "encrypted-key",
        {RSA.spki_sha256},
    ),
    "pkcs12": (
        lambda: keystores.pkcs12_open(RSA),
        "pkcs12-open",
        "private-key",
        {RSA.spki_sha256},
    ),
    "pkcs12 password": (
        lambda: keystores.pkcs12_password(RSA),
        "encrypted-private-key",
        "encrypted-key",
        set(),
    ),
    "jks": (lambda: keystores.jks(RSA), "encrypted-private-key", "encrypted-key", set()),
    "bks": (lambda: keystores.bks(RSA), "java-sealed-key", "encrypted-key", set()),
    "keytab": (secrets.keytab, "kerberos-keytab", "symmetric-key", set()),
    "ccache": (secrets.ccache, "kerberos-cache", "symmetric-key", set()),
    "master key": (secrets.dpapi_master_key, "dpapi-master-key", "encrypted-key", set()),
    "key data": (secrets.cng_key_data, "cng-key-data", "symmetric-key", set()),
    "tss2": (
        lambda: tpm.tss2_pem(EC),
        "tpm-wrapped-key",
        "encrypted-key",
        {EC.spki_sha256},
    ),
    "ml-kem": (lambda: pqc.pkcs8("ml-kem-768"), "pkcs8-der", "private-key", set()),
    "ml-kem text": (
        lambda: encodings.pem(pqc.pkcs8("ml-kem-768"), "PRIVATE KEY"),
        "private-key-pem",
        "private-key",
        set(),
    ),
}
"""What makes the bytes, the rule and the kind of what is found, and the names of its keys."""


def report(data: bytes, folder: Path) -> DumpReport:
    """Scan bytes that lie in the heap of a core among pointers and text."""
    heap = noise.plant(noise.pointers(1 << 15, 7), 8192 + 3, data)
    path = folder / "core"
    path.write_bytes(elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=heap)]).data)
    scanned = scanning.scan(ScanRequest(path=str(path), in_process=True, rules=RULES), Silence())
    found = correlate.findings(scanned, RULES)
    return policy.judge(scanned, *correlate.set_aside(found, published.load()))


@pytest.mark.parametrize("form", sorted(FORMS))
def test_written_secrets_in_a_core(tmp_path: Path, form: str) -> None:
    """A secret is found once, by its rule; a private key blocks, what is encrypted does not."""
    make, rule, kind, names = FORMS[form]
    said = report(make(), tmp_path)
    found = [f for f in said.findings if f.rule == rule]
    assert {f.kind for f in found} == {kind}
    assert len(found) == max(len(names), 1)
    if names:
        assert {f.fingerprint.value for f in found} == names
    # What lies under an empty password is listed as encrypted, too.
    assert {f.kind for f in said.findings if f not in found} <= {"encrypted-key"}
    blocks = kind == "private-key" or rule == "kerberos-keytab"
    assert said.verdict is (Verdict.BLOCKED if blocks else Verdict.PASS)
    assert not said.coverage.faults


def test_a_public_half_elsewhere_proves(tmp_path: Path) -> None:
    """A seed without a witness is a structure; with the public key that it derives, a proof."""
    alone = encodings.pkcs8_der(ED)
    for parts, confidence, proof in (
        ([alone], Confidence.STRUCTURE, ""),
        ([alone, encodings.spki_der(ED)], Confidence.PROOF, "seed derives the public key"),
    ):
        (found,) = report(bytes(64).join(parts), tmp_path).findings
        assert (found.confidence, found.proof) == (confidence, proof)


def test_a_key_that_holds_its_public_half_is_not_proved_by_it(tmp_path: Path) -> None:
    """SLH-DSA's public half stands in its private one, and says nothing of the rest."""
    raw = pqc.slh("slh-dsa-sha2-128s")
    public = pqc.spki("slh-dsa-sha2-128s", raw[32:])
    (found,) = report(pqc.pkcs8("slh-dsa-sha2-128s") + bytes(64) + public, tmp_path).findings
    assert (found.confidence, found.algorithm) == (Confidence.STRUCTURE, "slh-dsa-sha2-128s")


def test_a_sensitive_area_in_a_core(tmp_path: Path) -> None:
    """What numbers alone would show too is one finding, and the area is among its places."""
    (found,) = report(tpm.sensitive(RSA), tmp_path).findings
    assert found.fingerprint.value == RSA.spki_sha256
    assert "TPM2 sensitive area" in {o.encoding for o in found.occurrences}


def test_texts_are_examined_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each hit once, in its order among those before and among those behind, however many."""
    at = np.arange(50, dtype=np.int64)
    hits = Hits(rule=at % 3, space=at * 0, offset=at)
    monkeypatch.setattr(examining, "_ROWS", 7)
    found = [*examining._in_turn(hits, np.array([False, True, False]))]
    rows = [(index % 3, 0, index) for index in range(50)]
    assert found == sorted(rows, key=lambda row: (row[0] == 1, row[2]))
