"""Keys in base32, base85 and uuencode: at any alignment, in lines, as text and as DER."""

import base64
import binascii
import textwrap

import pytest

from fixtures import containers, encodings, keys, noise
from scanner import rules
from scanner.detect import anchors, respelled
from scanner.detect.algebra import effort
from scanner.detect.asn1.keys import Proved
from scanner.detect.respelled import Spelling
from tests.detect.one_space import Bytes

(RULE,) = (rule for rule in rules.load() if rule.detector == "respelled")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors((RULE,)))
RSA, EC, ED = keys.rsa_key(2048), keys.ec_key("P-256"), keys.okp_key("ed25519")
P384, P521 = keys.ec_key("P-384"), keys.ec_key("P-521")


def uu(data: bytes) -> bytes:
    """Return lines as Perl writes them."""
    rows = (data[at : at + 45] for at in range(0, len(data), 45))
    return b"".join(binascii.b2a_uu(row, backtick=True) for row in rows)


def z85(data: bytes) -> bytes:
    """Return Z85, by that of RFC 1924, of which it is another alphabet."""
    digits = bytes.maketrans(respelled.BASE85.alphabet, respelled.Z85.alphabet)
    return base64.b85encode(data).translate(digits)


WRITERS = {
    "base32": base64.b32encode,
    "ascii85": base64.a85encode,
    "base85": base64.b85encode,
    "Z85": z85,
    "uuencode": uu,
}
FILES = {
    "pkcs8-pem": (encodings.pkcs8_pem(RSA), RSA),
    "openssh": (encodings.openssh_pem(ED), ED),
    "sec1-pem": (encodings.sec1_pem(EC), EC),
}
DER = {
    "pkcs8": (encodings.pkcs8_der(RSA), RSA),
    "pkcs1": (encodings.pkcs1_der(RSA), RSA),
    "pkcs8-ec": (encodings.pkcs8_der(EC), EC),
    "pkcs8-384": (encodings.pkcs8_der(P384), P384),
    "pkcs8-ed": (encodings.pkcs8_der(ED), ED),
    "sec1": (encodings.sec1_der(EC), EC),
    "sec1-384": (encodings.sec1_der(P384), P384),
    "sec1-521": (encodings.sec1_der(P521), P521),
}

UNTOLD = ("sec1-384", "sec1-521")
"""What has no long head in base85; in uuencode texts alone are looked for."""


def find(data: bytes) -> list[Proved]:
    """Run the detector over the bytes."""
    return [
        found
        for _, offset in SWEEPER.sweep(data)
        for found in respelled.examine(Bytes(data), 0, offset, RULE)
        if isinstance(found, Proved)
    ]


def test_the_rule_has_these_anchors() -> None:
    """The rule file lists what the module looks for."""
    wanted = {anchor.decode() for anchor, _, _ in respelled.ANCHORS}
    assert {anchor.source for anchor in RULE.anchors} == wanted


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("form", [*FILES, *DER])
def test_keys_in_a_text(form: str, name: str) -> None:
    """They are proved, and lie in all of the text."""
    data, key = {**FILES, **DER}[form]
    text = WRITERS[name](data).rstrip(b"=\n")
    for stored in (text, text.decode("latin-1").encode("utf-16-le")):
        found = find(b"\0\0" + stored + b"\0\0" + noise.uniform(300))
        if (form in DER and name == "uuencode") or (form in UNTOLD and name != "base32"):
            assert found == []
            continue
        assert {one.candidate.fingerprint.value for one in found} == {key.spki_sha256}
        assert all(one.candidate.encoding.startswith(f"{name} of ") for one in found)
        places = [place for one in found for place in one.candidate.places]
        slack = len(stored) // 8 if form == "openssh" else 4  # its lines are not its own
        assert min(place.offset for place in places) <= slack
        assert 0 <= 2 + len(stored) - max(place.offset + place.size for place in places) <= slack


@pytest.mark.parametrize("name", [name for name in WRITERS if name != "uuencode"])
@pytest.mark.parametrize("lead", range(5))
def test_a_key_within_what_is_spelled(name: str, lead: int) -> None:
    """Its text may stand anywhere in a file, which may be in lines."""
    text = WRITERS[name](b"key: >" + b" " * lead + encodings.pkcs8_pem(EC) + b"after\n")
    lines = "\n".join(textwrap.wrap(text.decode(), 76, break_on_hyphens=False)).encode()
    for stored in (text, lines, lines.replace(b"\n", b"\r\n  ")):
        (one,) = find(b"\0" + stored + b"\0")
        assert one.candidate.fingerprint.value == EC.spki_sha256


def test_lower_case_and_what_is_no_key() -> None:
    """Base32 is read in lower case; a certificate, a cut key and a line alone give nothing."""
    (one,) = find(base64.b32encode(encodings.pkcs8_pem(ED)).lower())
    assert one.candidate.fingerprint.value == ED.spki_sha256
    for write in WRITERS.values():
        assert find(write(encodings.certificate_pem(RSA))) == []
        assert find(write(encodings.pkcs8_pem(RSA)[:900])) == []
        assert find(write(b"-----BEGIN PRIVATE KEY-----\n")) == []
        assert find(write(containers.jwk_private(EC))) == []


def test_what_is_decoded_is_bounded() -> None:
    """Of a dump so many bytes."""
    data = base64.b32encode(encodings.pkcs8_pem(EC))
    with effort.bounded(1 << 40) as bound:
        assert find(data)
        assert bound.inflatable < effort.INFLATED - len(data)
        bound.inflatable = 0
        assert find(data) == []


@pytest.mark.parametrize("spelling", respelled.SPELLINGS, ids=lambda spelling: spelling.name)
def test_arbitrary_characters_raise_nothing(spelling: Spelling) -> None:
    """Whatever follows a head, of any length."""
    for anchor, own, before in respelled.ANCHORS:
        for size in range(12):
            behind = noise.uniform(size) if size % 2 else spelling.alphabet[:size]
            text = own.alphabet[:before] + anchor + behind
            assert list(respelled.examine(Bytes(text), 0, before, RULE)) == []
