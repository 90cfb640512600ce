"""OpenSSH private keys in the clear."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import containers, encodings, sealed
from fixtures import keys as recipes
from fixtures.foreign import SHAPES
from scanner import rules
from scanner.detect import anchors
from scanner.detect.algebra.material import Foreign
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import Proved
from scanner.detect.ssh import openssh, openssh_fields
from scanner.detect.texts.encoded import Decoded
from scanner.model import Confidence
from tests.detect.one_space import Bytes

RULES = tuple(rule for rule in rules.load() if rule.detector == "openssh")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
KEYS = [
    *(recipes.rsa_key(bits) for bits in (1024, 2048, 3072)),
    *(recipes.ec_key(curve) for curve in ("P-256", "P-384", "P-521")),
    recipes.okp_key(),
]
FORMS = {
    "OPENSSH-PEM": encodings.openssh_pem,
    "OPENSSH-PEM utf-16le": lambda key: encodings.utf16(encodings.openssh_pem(key)),
    "OPENSSH": containers.openssh_file,
    "ssh-fields": containers.openssh_fields,
    "ssh-fields ": containers.openssh_certified,
}


def find(data: bytes) -> list[Proved | PublicKey]:
    """Run the rules over the bytes."""
    return [
        found
        for rule, offset in SWEEPER.sweep(data)
        for found in openssh.examine(Bytes(data), 0, offset, RULES[rule])
    ]


def outermost(data: bytes) -> list[Proved]:
    """Return the private keys that lie in no other one's place."""
    found = [f for f in find(data) if isinstance(f, Proved)]
    spans = [(f.candidate.places[0].offset, f.candidate.places[0].size) for f in found]
    return [
        f
        for f, (at, size) in zip(found, spans, strict=True)
        if not any(a <= at and at + size <= a + b and (a, b) != (at, size) for a, b in spans)
    ]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.spki_sha256[:8])
@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("ends", ["lf", "crlf", "escaped", "none"])
def test_every_key_in_every_form(key: recipes.Key, form: str, ends: str) -> None:
    """A key is proved, named by its own public half, and its place is what holds it."""
    if form == "OPENSSH-PEM":
        data = encodings.openssh_pem(key, ends)
    elif ends == "lf":
        data = FORMS[form](key)
    else:
        return
    (found,) = outermost(b"\xfe" * 7 + data + b"\xfe" * 9)
    said = found.candidate
    assert (said.fingerprint.value, said.encoding) == (key.spki_sha256, form.strip())
    assert said.confidence is Confidence.PROOF
    (place,) = said.places
    start = (
        data.find(b"b3Bl")
        if form == "OPENSSH-PEM"
        else data.find(b"b\x003\0")
        if "utf" in form
        else 0
    )
    assert place.offset == 7 + start
    assert place.offset + place.size <= 7 + len(data)
    again = list(openssh.examine(Bytes(b"\xfe" * 7 + data), 0, place.offset, RULES[0]))
    assert isinstance(again[0], Proved)
    names = [f.witness for f in find(data) if isinstance(f, PublicKey)]
    assert {n.ssh_fingerprint for n in names} == {containers.ssh_fingerprint(key)}


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.spki_sha256[:8])
def test_a_public_blob_is_no_private_key(key: recipes.Key) -> None:
    """What all agents list gives nothing here."""
    assert find(containers.ssh_blob(key) + bytes(100)) == []


def test_an_encrypted_file_is_no_finding_here() -> None:
    """A key file under a passphrase gives nothing."""
    for key in KEYS[1:]:
        text = sealed.openssh_pem(key)
        assert find(text) == []
        assert find(text[64:]) == []


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(KEYS[3:]), st.sampled_from(sorted(FORMS)), st.integers(0, 500), st.binary())
def test_arbitrary_bytes_raise_nothing(key: recipes.Key, form: str, cut: int, noise: bytes) -> None:
    """Whatever stands behind an anchor, what comes out is that key or nothing."""
    for found in find(FORMS[form](key)[:cut] + noise):
        if isinstance(found, Proved):
            assert found.candidate.fingerprint.value == key.spki_sha256


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(KEYS), st.data())
def test_a_flipped_bit_proves_nothing(key: recipes.Key, data: st.DataObject) -> None:
    """No field but the coefficient and the length of a name can change without being seen."""
    fields = bytearray(containers.openssh_fields(key))
    at = data.draw(st.integers(0, len(fields) - 1))
    fields[at] ^= 1 << data.draw(st.integers(0, 7))
    found = openssh_fields.read(bytes(fields))
    assert found is None or isinstance(key, recipes.RsaKey)


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("shape", ["patch", "letter", "html", "url"])
def test_a_file_in_other_text(shape: str, codec: str) -> None:
    """Patches, letters, HTML and URLs take a file in as they do PEM, and it is found there."""
    key = recipes.okp_key("ed25519")
    text = SHAPES[shape](encodings.openssh_pem(key)).decode().encode(codec)
    mark = openssh.MARK.decode().encode(codec)
    first = text.index(mark)
    rule = next(rule for rule in rules.load() if rule.detector == "openssh")
    (found, *_) = openssh.examine(Decoded(text), 0, first, rule)
    assert isinstance(found, Proved)
    assert found.candidate.fingerprint.value == key.spki_sha256
    (place,) = found.candidate.places
    assert (place.offset, place.offset + place.size < len(text)) == (first, True)


def beheaded(key: recipes.Key, lost: int, width: int) -> bytes:
    """Return the text of a key file in lines of a width, without its first characters."""
    text = base64.b64encode(containers.openssh_file(key))
    lines = [text[at : at + width] for at in range(0, len(text), width)]
    return b"\n".join(lines)[lost:] + b"\n-----END OPENSSH PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    "key", [*KEYS[1:], recipes.rsa_key(4096)], ids=lambda key: key.spki_sha256[:8]
)
@pytest.mark.parametrize("width", [64, 70, 76, 9999])
@pytest.mark.parametrize("lost", [16, 100, 135])
@pytest.mark.parametrize("wide", [False, True])
def test_a_file_without_its_beginning(
    key: recipes.Key, width: int, lost: int, *, wide: bool
) -> None:
    """The fields behind the name of the type prove the key, and their place is what holds them."""
    assert len([f for f in find(beheaded(key, 0, width)) if isinstance(f, Proved)]) == 1
    text = beheaded(key, lost, width)
    data = b"\x01\x80" * 16 + (encodings.utf16(text) if wide else text) + b"\0" * 8
    (found,) = [f for f in find(data) if isinstance(f, Proved)]
    assert found.candidate.confidence is Confidence.PROOF
    assert found.candidate.encoding == "OPENSSH-PEM (damaged)" + " utf-16le" * wide
    assert found.candidate.fingerprint.value == key.spki_sha256
    (place,) = found.candidate.places
    cut = data[place.offset :][: place.size]
    (again,) = [f for f in find(b"\x01" * 16 + cut) if isinstance(f, Proved)]
    assert again.candidate.places[0].size == place.size


def test_lines_of_public_keys_are_no_files() -> None:
    """What follows a public key is the next one."""
    lines = b"\n".join(base64.b64encode(containers.ssh_blob(key)) for key in KEYS)
    assert not [f for f in find(lines) if isinstance(f, Proved)]


def test_ed448() -> None:
    """RFC 8709's other key, as PuTTY writes it for OpenSSH, is proved and named."""
    key = recipes.okp_key("ed448")
    kind, public = b"ssh-ed448", len(key.public).to_bytes(4, "big") + key.public
    blob = len(kind).to_bytes(4, "big") + kind + public
    secret = (2 * 57).to_bytes(4, "big") + key.seed + key.public
    section = b"wordword" + blob + secret + b"\0\0\0\4name"
    section += bytes(range(1, -len(section) % 8 + 1))
    strings = (b"none", b"none", b"", b"\1", blob, section)
    parts = [len(part).to_bytes(4, "big") + part for part in strings]
    data = openssh_fields.MAGIC + b"".join((*parts[:3], b"\0\0\0\1", *parts[4:]))
    found = next(f for f in find(bytes(9) + data + bytes(9)) if isinstance(f, Proved))
    assert found.candidate.fingerprint.value == key.spki_sha256
    assert found.candidate.confidence is Confidence.PROOF


def renamed(name: bytes) -> bytes:
    """Return an Ed25519 key file under another type's name, of as many letters."""
    return containers.openssh_file(recipes.okp_key()).replace(b"ssh-ed25519", name)


@pytest.mark.parametrize("form", ["binary", "text", "utf-16le"])
def test_a_type_that_nobody_knows_is_told(form: str) -> None:
    """A file without a passphrase holds a key, whatever its type: a structure without a name."""
    data = renamed(b"ssh-mldsa44")
    if form != "binary":
        lines = base64.encodebytes(data)
        data = b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + lines
        data += b"-----END OPENSSH PRIVATE KEY-----\n"
    data = encodings.utf16(data) if form == "utf-16le" else data
    (found,) = find(b"\xfe" * 8 + data + b"\xfe" * 8)
    assert isinstance(found, Proved)
    assert isinstance(found.material, Foreign)
    assert found.candidate.confidence is Confidence.STRUCTURE
    assert not found.candidate.fingerprint.value


def test_what_is_no_key_of_a_strange_type() -> None:
    """Keys in hardware, a file that is cut, check words that differ, and two types in one file."""
    data = renamed(b"ssh-mldsa44")
    assert openssh_fields.strange(data)
    assert openssh_fields.strange(renamed(b"sk-ssh-ed25")) is None
    assert openssh_fields.strange(data[:-1]) is None
    assert openssh_fields.strange(data.replace(b"ssh-mldsa44", b"ssh-mldsa65", 1)) is None
    first = data.rindex(b"ssh-mldsa44") - 5
    assert (
        openssh_fields.strange(data[:first] + bytes((data[first] ^ 1,)) + data[first + 1 :]) is None
    )
    assert openssh_fields.strange(containers.openssh_file(recipes.okp_key())) is None
