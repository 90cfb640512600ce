"""Key files inside of other texts: their escapes are undone, and their places are those outside."""

import json
import re
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import keys, noise, pgp, sealed, services
from scanner import rules
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import escapes
from scanner.stages.examine import EXAMINERS
from tests.detect.one_space import Bytes

RULES = {rule.id: rule for rule in rules.load()}
READERS = dict(EXAMINERS)
RSA, ED, X = keys.rsa_key(2048), keys.okp_key("ed25519"), keys.okp_key("x25519")
FILES = {
    "pgp-private-key": (RSA, pgp.armour(pgp.packet(RSA)), b"-----BEGIN"),
    "putty-private-key": (RSA, sealed.putty(RSA), b"PuTTY"),
    "dnssec-private-key": (RSA, services.dnssec(RSA), b"Private-key"),
    "wireguard-private-key": (X, services.wireguard(X), b"PrivateKey"),
    "minisign-secret-key": (ED, services.minisign(ED), b"RWQ"),
    "ssh-com-private-key": (RSA, sealed.sshcom_text(RSA), b"---- BEGIN"),
}


def php(text: str) -> str:
    """Write JSON as PHP does."""
    return json.dumps(text).replace("/", "\\/")


QUOTED: dict[str, Callable[[str], str]] = {
    "json": json.dumps,
    "php": php,
    "php twice": lambda text: php(php(text)),
    "u000a": lambda text: php(text).replace("\\n", "\\u000a").replace("+", "\\u002B"),
    "x0A": lambda text: text.replace("\\", "\\x5C").replace("\r", "\\x0D").replace("\n", "\\x0A"),
    "octal": lambda text: text.replace("\\", "\\134").replace("\r", "\\015").replace("\n", "\\012"),
    "xml": lambda text: text.replace("\r", "&#xD;").replace("\n", "&#10;").replace("/", "&#x2F;"),
}


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("how", QUOTED)
@pytest.mark.parametrize("name", FILES)
def test_a_quoted_file(name: str, how: str, codec: str) -> None:
    """It is the key that it is outside; the place is that of what stands there."""
    key, file, begin = FILES[name]
    rule = RULES[name]
    data = bytes(64) + QUOTED[how](file.decode()).encode(codec) + noise.zeros(256, 1)
    at = data.find(begin.decode().encode(codec))
    found = [
        one for one in READERS[rule.detector](Bytes(data), 0, at, rule) if isinstance(one, Proved)
    ]
    assert [one.candidate.fingerprint.value for one in found] == [key.spki_sha256]
    (place,) = found[0].candidate.places
    assert place.offset == at
    said = data[at : at + place.size]
    first = file[file.find(begin) :]
    secret = re.findall(rb"[A-Za-z0-9+/]{20,}", first)[0 if key is X else -1][-16:].decode()
    assert QUOTED[how](f"~{secret}~").split("~")[1].encode(codec) in said


@pytest.mark.parametrize("quote", [urllib.parse.quote, urllib.parse.quote_plus])
@pytest.mark.parametrize("name", ["putty-private-key", "minisign-secret-key"])
def test_a_file_in_a_form(name: str, quote: Callable[[str], str]) -> None:
    """A form that was posted has blanks as + or as %20."""
    key, file, begin = FILES[name]
    rule = RULES[name]
    data = b"key=" + quote(file.decode()).encode() + b"&ok=1"
    found = READERS[rule.detector](Bytes(data), 0, data.find(begin), rule)
    assert key.spki_sha256 in {
        one.candidate.fingerprint.value for one in found if isinstance(one, Proved)
    }


@pytest.mark.parametrize(
    "text",
    [
        b"first\nC:\\new\\x41%41&#65;",
        b"first%0A\\n&#65;".replace(b"%0A", b"\r"),
        b"no line end and no escape",
        b"",
    ],
)
def test_what_is_not_escaped_stays(text: bytes) -> None:
    """A text whose first line ends in a line end has none."""
    plain = escapes.undone(text)
    assert (plain.text, plain.size(len(text))) == (text, len(text))


def test_only_the_kind_of_the_first_line_end_is_undone() -> None:
    """JSON may hold what looks like an address."""
    assert escapes.undone(b"a\\nb%41\\/&#65;").text == b"a\nb%41/&#65;"
    assert escapes.undone(b"a%0Ab%2Bc+d\\/").text == b"a\nb+c d\\/"
    assert escapes.undone(b"a%0Ab%20c+d").text == b"a\nb c+d"
    assert escapes.undone(b"a&#10;b&#x2f;\\/").text == b"a\nb/\\/"


@settings(max_examples=30, deadline=None)
@given(st.text(alphabet="ab\\nrux0a1245%&#;+/\n", max_size=60))
def test_places_of_anything(text: str) -> None:
    """Each character ends behind the one before it, and the last at the end."""
    plain = escapes.undone(text.encode())
    ends = [plain.size(count) for count in range(len(plain.text) + 1)]
    assert ends == sorted(set(ends))
    assert ends[-1] == len(text)
