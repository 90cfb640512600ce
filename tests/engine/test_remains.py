"""Fragments of key files beside the whole key: one key, and as many places."""

from pathlib import Path

from fixtures import encodings, keys
from scanner import correlate, rules
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.model import Confidence
from scanner.progress import Silence

RSA, EC = keys.rsa_key(2048), keys.ec_key("P-384")
OTHER = keys.rsa_key(2048, label="other")
FILES = (
    (RSA, encodings.pkcs1_pem(RSA), 1),
    (RSA, encodings.pkcs1_pem(RSA), 3),
    (RSA, encodings.pkcs8_pem(RSA), 1),
    (EC, encodings.sec1_pem(EC), 1),
    (EC, encodings.pkcs8_pem(EC), 1),
)
"""Key, file and lines of base64 that are left, each with less than a private number."""


def left_of(text: bytes, lines: int) -> bytes:
    """Return the first lines of a file, and what was written over the others."""
    return b"".join(text.splitlines(keepends=True)[: 1 + lines]) + bytes(200)


def test_a_fragment_is_a_place_of_the_key_that_stands_whole(tmp_path: Path) -> None:
    """Seen in Go, in lego: three pieces of the key's own file were keys beside it."""
    whole = (encodings.pkcs8_der(RSA), encodings.little_limbs(RSA.p), encodings.sec1_der(EC))
    pieces = [left_of(text, lines) for _, text, lines in FILES]
    strange = left_of(encodings.pkcs1_pem(OTHER), 1)
    path = tmp_path / "dump"
    path.write_bytes(b"".join((*pieces, strange, *(each + bytes(200) for each in whole))))
    request = ScanRequest(path=str(path), jobs=1, in_process=True, raw=True, rules=rules.load())
    found = scanning.scan(request, Silence())
    shapes = [c for c in found.candidates if c.confidence is Confidence.SHAPE]
    assert [c.fingerprint.value for c in shapes[:-1]] == [key.spki_sha256 for key, _, _ in FILES]
    named = {f.fingerprint.value: f for f in correlate.findings(found, rules.load())}
    assert named.keys() > {RSA.spki_sha256, EC.spki_sha256}
    assert len(named) == 3  # and the other key's fragment
    said = [occurrence.encoding for occurrence in named[RSA.spki_sha256].occurrences]
    assert len([one for one in said if "no private number is whole" in one]) == 3
    assert "p limbs-le" in said  # the key itself is traced, whatever stands before it
