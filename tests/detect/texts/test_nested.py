"""Key files in base64: each format is read by its own rule, at any alignment, where it stands."""

import base64
import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import containers, keys, keystores, noise, pgp, sealed, secrets, services
from scanner import rules
from scanner.detect import anchors
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import Proved
from scanner.detect.locked.sealed import Sealed
from scanner.detect.texts import nested
from scanner.stages.examine import EXAMINERS
from tests.detect.one_space import Bytes

RULES = {rule.id: rule for rule in rules.load()}
READERS = dict(EXAMINERS)
RSA, EC, ED, X = (
    keys.rsa_key(2048),
    keys.ec_key("P-256"),
    keys.okp_key("ed25519"),
    keys.okp_key("x25519"),
)

CREATED = b"# created: 2024-01-01T00:00:00Z\n# public key: age1" + b"q" * 58 + b"\n"
FILES = {
    "pgp": ("pgp-private-key", pgp.armour(pgp.packet(RSA))),
    "age": ("age-secret-key", CREATED + services.age(X)),
    "putty rsa": ("putty-private-key", sealed.putty(RSA, 2)),
    "putty ed25519": ("putty-private-key", sealed.putty(ED)),
    "dnssec": ("dnssec-private-key", services.dnssec(RSA)),
    "wireguard": ("wireguard-private-key", services.wireguard(X)),
    "jwk rsa": ("json-web-key", containers.jwk_private(RSA)),
    "jwk ec": ("json-web-key", containers.jwk_private(EC)),
    "tor": ("tor-onion-key", services.tor(ED)),
    "ssh.com": ("ssh-com-private-key", sealed.sshcom_text(RSA)),
    "minisign": ("minisign-secret-key", b"untrusted comment: key\n" + services.minisign(ED)),
    "signify": ("minisign-secret-key", b"untrusted comment: key\n" + services.signify(ED)),
    "pkcs12": ("pkcs12-open", keystores.pkcs12_open(RSA)),
    "pkcs12 ber": ("pkcs12-open", keystores.pkcs12_ber(EC)),
    "keytab": ("kerberos-keytab", secrets.keytab("aes-256")),
}
BINARY = ("pkcs12", "pkcs12 ber", "keytab")


@functools.cache
def sweeper(name: str) -> anchors.Sweeper:
    """Return what finds the anchors of a rule."""
    return anchors.open_sweeper(anchors.compile_anchors((RULES[name],)))


def find(name: str, data: bytes) -> list[Proved | PublicKey | Sealed]:
    """Run a rule over the bytes."""
    rule = RULES[name]
    return [
        found
        for _, offset in sweeper(name).sweep(data)
        for found in READERS[rule.detector](Bytes(data), 0, offset, rule)
    ]


def only(name: str, data: bytes) -> Proved | Sealed:
    """Return the one secret that the rule finds, there and again where it said that it lies."""
    found, *more = (one for one in find(name, data) if not isinstance(one, PublicKey))
    said = found.candidate
    assert {one.candidate.fingerprint for one in more} <= {said.fingerprint}
    (place,) = said.places
    rule = RULES[name]
    again = READERS[rule.detector](Bytes(data), 0, place.offset, rule)
    assert said in [one.candidate for one in again if not isinstance(one, PublicKey)]
    return found


def wrapped(text: bytes, columns: int) -> bytes:
    """Break a text into lines."""
    return b"\n".join(text[at : at + columns] for at in range(0, len(text), columns))


@pytest.mark.parametrize("lead", range(4))
@pytest.mark.parametrize("form", FILES)
def test_a_file_in_base64(form: str, lead: int) -> None:
    """It is what it is outside of base64; a binary file begins its base64."""
    name, file = FILES[form]
    plain = only(name, bytes(8) + file + bytes(8)).candidate
    text = base64.b64encode(file if form in BINARY else b"#\n" * lead + file)
    for shape in (text, wrapped(text, 76), text.rstrip(b"=").translate(URL)):
        data = noise.zeros(4096, 1) + b'{"key":"' + shape + b'"}' + noise.text(4096, 1)
        said = only(name, data).candidate
        assert said.encoding == f"base64 of {plain.encoding}"
        assert said.fingerprint == plain.fingerprint
        (place,) = said.places
        assert 4104 <= place.offset < place.offset + place.size <= 4104 + len(shape)


URL = bytes.maketrans(b"+/", b"-_")


@pytest.mark.parametrize("form", [form for form in FILES if form not in BINARY])
def test_in_two_bytes_a_character(form: str) -> None:
    """Settings of .NET and Java hold base64 so."""
    name, file = FILES[form]
    text = base64.b64encode(file).decode().encode("utf-16-le")
    said = only(name, bytes(16) + text + bytes(16)).candidate
    assert said.encoding.endswith(" utf-16le")


def test_a_public_key_in_base64() -> None:
    """The header of a web token (RFC 9449) names a key: it is a witness, and has no place."""
    token = base64.urlsafe_b64encode(b'{"typ":"dpop+jwt","jwk":' + containers.jwk_public(EC) + b"}")
    found = find("json-web-key", bytes(8) + token + b".e30.AAAA" + bytes(8))
    assert [type(one) for one in found] == [PublicKey]
    assert all(isinstance(one, PublicKey) and one.witness.place is None for one in found)


def test_a_set_of_keys() -> None:
    """Each key of a set in base64 is found once, whatever stands before it."""
    wanted = [EC, keys.ec_key("P-384"), ED, X, RSA]
    text = b'{"keys":[' + b",".join(map(containers.jwk_private, wanted)) + b"]}"
    found = find("json-web-key", bytes(8) + base64.b64encode(text) + bytes(8))
    private = [one.candidate.fingerprint.value for one in found if isinstance(one, Proved)]
    assert private == [key.spki_sha256 for key in wanted]


@pytest.mark.parametrize("form", FILES)
def test_what_is_no_key(form: str) -> None:
    """A mark without a key behind it is nothing, however often it stands there.

    Such a row is longer than what is read before a mark.
    """
    name, file = FILES[form]
    text = base64.b64encode(file)
    for data in (text[:40], text[:40] * 240):
        assert [one for one in find(name, data) if not isinstance(one, PublicKey)] == []


@settings(max_examples=30, deadline=None)
@given(
    form=st.sampled_from(sorted(FILES)),
    lead=st.binary(max_size=8),
    cut=st.integers(0, 4000),
    tail=st.binary(max_size=40),
)
def test_arbitrary_ends(form: str, lead: bytes, cut: int, tail: bytes) -> None:
    """Wherever a text is cut, and whatever follows, nothing is raised."""
    name, file = FILES[form]
    find(name, lead + base64.b64encode(lead + file)[:cut] + tail)


def test_a_mark_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is none of its keys is not read as base64 too, though its letters may be some."""
    monkeypatch.delattr(nested, "_inside")
    assert find("age-secret-key", b"AGE-SECRET-KEY-1" + b"Q" * 58) == []
    assert find("wireguard-private-key", b"[Interface]\nPrivateKey = " + b"Q" * 9) == []
