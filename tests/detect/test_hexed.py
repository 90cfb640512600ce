"""Key files other than PEM in hex, and as lists of numbers."""

import base64
from collections.abc import Callable

import pytest

from fixtures import containers, encodings, keys, noise, pgp, sealed, services
from scanner import rules
from scanner.detect import anchors, hexed
from scanner.detect.asn1.keys import Proved
from scanner.detect.texts.encoded import Decoded

RULES = tuple(rule for rule in rules.load() if rule.detector == "hexed")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
RSA, EC, ED, X = keys.rsa_key(), keys.ec_key(), keys.okp_key(), keys.okp_key("x25519")
FILES: dict[str, tuple[keys.Key, bytes]] = {
    "jwk": (RSA, containers.jwk_private(RSA)),
    "putty": (EC, sealed.putty(EC)),
    "pgp": (ED, pgp.armour(pgp.packet(ED))),
    "age": (X, services.age(X)),
    "dnssec": (ED, services.dnssec(ED)),
    "wireguard": (X, services.wireguard(X)),
    "base64": (RSA, base64.b64encode(encodings.pkcs8_der(RSA))),
    "base64, PKCS#1": (RSA, base64.b64encode(encodings.pkcs1_der(RSA))),
    "base64, P-256": (EC, base64.b64encode(encodings.pkcs8_der(EC))),
    "base64, SEC1": (EC, base64.b64encode(encodings.sec1_der(EC))),
    "base64, Ed25519": (ED, base64.b64encode(encodings.pkcs8_der(ED))),
    "base64, PEM": (ED, base64.b64encode(encodings.pkcs8_pem(ED))),
    "xml": (RSA, containers.xml_key(RSA)),
}
SPELLINGS: dict[str, Callable[[bytes], str]] = {
    "PostgreSQL": lambda data: "\\x" + data.hex(),
    "MySQL": lambda data: f"0x{data.hex().upper()}",
    "lines": lambda data: "\n".join(data[at : at + 30].hex() for at in range(0, len(data), 30)),
    "blanks": lambda data: data.hex(" "),
    "colons": lambda data: data.hex(":"),
    ".NET": lambda data: data.hex("-").upper(),
    "the registry": lambda data: data.hex(","),
    "C": lambda data: ", ".join(f"0x{byte:02x}" for byte in data),
    "JSON": lambda data: str(list(data)),
    "Go": lambda data: str(list(data)).replace(",", ""),
}


def find(data: bytes) -> list[Proved]:
    """Run the rule over the bytes."""
    return [
        found
        for number, offset in SWEEPER.sweep(data)
        for found in hexed.examine(Decoded(data), 0, offset, RULES[number])
        if isinstance(found, Proved)
    ]


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("how", SPELLINGS)
@pytest.mark.parametrize("form", FILES)
def test_files(form: str, how: str, codec: str) -> None:
    """Each is found, and its place lies within what spells it."""
    key, file = FILES[form]
    data = bytes(17) + SPELLINGS[how](b"# a key\n" + file).encode(codec) + bytes(32)
    found = [one for one in find(data) if one.candidate.fingerprint.value == key.spki_sha256]
    (place,) = found[0].candidate.places
    assert place.offset >= 17
    assert place.offset + place.size <= len(data) - 32


def test_the_rule_has_these_anchors() -> None:
    """The rule file lists what the module looks for."""
    (rule,) = RULES
    assert {anchor.source for anchor in rule.anchors} == {
        anchor.decode() for anchor, _ in hexed.ANCHORS
    }


@pytest.mark.parametrize("data", [b"", b"226b7479223a", b"50,117,84,84", noise.text(4096)])
def test_what_is_none(data: bytes) -> None:
    """A mark alone, and what is next to nothing."""
    assert not find(data)
