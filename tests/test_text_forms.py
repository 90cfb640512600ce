"""From a file to findings, for keys in text: whatever the text, one finding, and copies traced."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures import elfcore, encodings, keys, noise, services
from scanner.detect.encodings import base32
from scanner.model import Verdict
from tests.engine.test_scanning import report_bytes

RSA, EC, ED = keys.rsa_key(2048), keys.ec_key("P-256"), keys.okp_key("ed25519")
PEM = encodings.pkcs8_pem(RSA)

FORMS = {
    "utf-16be": (RSA, PEM.decode().encode("utf-16-be")),
    "base64 of pem": (RSA, base64.b64encode(b"\n" + PEM)),
    "base64 of der": (EC, base64.b64encode(encodings.pkcs8_der(EC))),
    "base64 of der, utf-16be": (
        ED,
        base64.b64encode(encodings.pkcs8_der(ED)).decode().encode("utf-16-be"),
    ),
    "hex": (EC, encodings.sec1_der(EC).hex().encode()),
    "headless": (RSA, encodings.pkcs1_pem(RSA)[180:]),
    "inside of base64": (RSA, base64.b64encode(b"\x0a" + encodings.pkcs8_der(RSA) + b"tail")),
}


@pytest.mark.parametrize("form", FORMS)
def test_text_is_one_finding(tmp_path: Path, form: str) -> None:
    """The key is found once, blocks, and its bare number elsewhere is traced from its text."""
    key, text = FORMS[form]
    copies = [encodings.little_limbs(value) for value in list(key.private_values().values())[:1]]
    if isinstance(key, keys.OkpKey):
        copies = [key.seed]
    data = noise.text(3000, 1) + bytes(9) + text + bytes(40) + copies[0] + bytes(40)
    core = elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)]).data
    found = report_bytes(core, tmp_path)
    (finding,) = found.findings
    assert (finding.fingerprint.value, found.verdict) == (key.spki_sha256, Verdict.BLOCKED)
    assert len(finding.occurrences) == 2
    assert finding.names == ("key-file",)


@pytest.mark.parametrize("spell", [base32.encode_legible, lambda raw: raw.hex().encode()])
@pytest.mark.parametrize("written", [b"", b"k", b"u", b"ku"])
def test_a_key_agreement_key_that_is_written(
    tmp_path: Path, spell: Callable[[bytes], bytes], written: bytes
) -> None:
    """Seen in rspamd: what its settings say, and a pair that it made of it, which names nobody."""
    key = keys.okp_key("x25519")
    data = noise.text(3000, 1) + bytes(8) + key.seed + key.public + bytes(40)
    for name, raw in ((b"k", key.seed), (b"u", key.public)):
        if name in written:
            data += spell(raw) + bytes(12)
    core = elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)]).data
    found = report_bytes(core, tmp_path)
    (finding,) = found.findings
    assert finding.fingerprint.value == key.spki_sha256
    assert finding.names == (("key-file",) if b"k" in written else ())
    assert found.verdict == (Verdict.BLOCKED if b"k" in written else Verdict.PASS)


@pytest.mark.parametrize("number", [True, False])
def test_a_line_names_a_number(tmp_path: Path, *, number: bool) -> None:
    """Seen in pyzmq: of the file that it read a line is left, and the number that it made of it."""
    key = keys.okp_key("x25519")
    own = key.seed + key.public if number else noise.uniform(64, 2)
    line = services.zeromq(key).splitlines()[3]
    data = noise.text(3000, 1) + bytes(8) + own + bytes(40) + line + bytes(40)
    core = elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)]).data
    found = report_bytes(core, tmp_path)
    (finding,) = found.findings
    assert (finding.fingerprint.value, finding.names) == (key.spki_sha256, ("key-file",))
    assert found.verdict == (Verdict.BLOCKED if number else Verdict.PASS)
