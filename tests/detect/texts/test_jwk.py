"""JSON Web Keys in text."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import containers, encodings, secrets
from fixtures import keys as recipes
from scanner import rules
from scanner.detect import anchors
from scanner.detect.algebra.material import Foreign
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import Proved
from scanner.detect.locked.sealed import Sealed
from scanner.detect.texts import jwk
from scanner.model import Confidence
from scanner.stages.examine import EXAMINERS
from tests.detect.one_space import Bytes

RULES = tuple(rule for rule in rules.load() if rule.detector == "jwk")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
KEYS = [
    *(recipes.rsa_key(bits) for bits in (1024, 2048, 4096)),
    *(recipes.ec_key(curve) for curve in ("P-256", "P-384", "P-521", "secp256k1")),
    *(recipes.okp_key(name) for name in ("ed25519", "ed448", "x25519", "x448", recipes.ML_DSA)),
]


def find(data: bytes) -> list[Proved | PublicKey]:
    """Run the rules over the bytes."""
    return [
        found
        for rule, offset in SWEEPER.sweep(data)
        for found in jwk.examine(Bytes(data), 0, offset, RULES[rule])
    ]


def split(data: bytes) -> tuple[list[Proved], list[PublicKey]]:
    """Return private and public keys."""
    found = find(data)
    return (
        [f for f in found if isinstance(f, Proved)],
        [f for f in found if isinstance(f, PublicKey)],
    )


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.spki_sha256[:8])
@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("form", ["plain", "spaced", "set", "quoted", "utf-16le"])
def test_every_key_in_every_form(key: recipes.Key, form: str, *, private: bool) -> None:
    """The public half is a witness with the key's name; private members are proved by it."""
    entry = containers.jwk(key, private=private)
    text = json.dumps(entry, separators=(",", ":"))
    data = {
        "plain": text,
        "spaced": json.dumps(entry, indent=4),
        "set": json.dumps({"keys": [{"kty": "oct", "k": "AAAA"}, entry, {"kty": "RSA"}]}),
        "quoted": json.dumps({"body": text}),
        "utf-16le": text,
    }[form].encode()
    data = encodings.utf16(data) if form == "utf-16le" else data
    proved, public = split(b"\0abc\0" + data + b"\0rest")
    assert [(p.witness.fingerprint.value, p.witness.kid) for p in public] == [
        (key.spki_sha256, "key-1")
    ]
    assert [p.candidate.fingerprint.value for p in proved] == [key.spki_sha256] * private
    if private:
        (place,) = proved[0].candidate.places
        again = list(jwk.examine(Bytes(b"\0abc\0" + data), 0, place.offset, RULES[0]))
        assert isinstance(again[0], Proved)


def test_a_key_without_its_primes() -> None:
    """The exponent alone is enough: both exponents factor the modulus."""
    key = recipes.rsa_key(1024)
    entry = containers.jwk(key, private=True)
    bare = {name: entry[name] for name in ("kty", "n", "e", "d")}
    (proved,), _ = split(json.dumps(bare).encode())
    assert proved.candidate.fingerprint.value == key.spki_sha256


def test_a_fragment_is_read_for_what_it_has() -> None:
    """An object whose ends are gone still gives its members."""
    key = recipes.ec_key()
    text = json.dumps(containers.jwk(key)).encode()
    _, (public,) = split(b"\0" + text[1:-1])
    assert public.witness.fingerprint.value == key.spki_sha256


def test_members_of_another_object_are_not_its_own() -> None:
    """The private half of one key beside another key's public one proves nothing."""
    mine = containers.jwk(recipes.rsa_key(1024))
    other = containers.jwk(recipes.rsa_key(2048), private=True)
    proved, _ = split(json.dumps([mine, {n: other[n] for n in ("d", "p", "q")}]).encode())
    assert proved == []


@pytest.mark.parametrize("member", ["n", "p", "q"])
def test_a_wrong_number_proves_nothing(member: str) -> None:
    """One digit changed in a number that the proof needs leaves no key (d is gone as well)."""
    entry = containers.jwk(recipes.rsa_key(1024), private=True)
    del entry["d"]
    entry[member] = (
        entry[member][:9] + ("A" if entry[member][9] != "A" else "B") + entry[member][10:]
    )
    proved, _ = split(json.dumps(entry).encode())
    assert proved == []


@pytest.mark.parametrize("member", ["alg", "pub", "priv"])
def test_an_algorithm_key_pair_must_agree(member: str) -> None:
    """A seed beside another public key, or under another algorithm, proves nothing."""
    entry = containers.jwk(recipes.okp_key(recipes.ML_DSA), private=True)
    other = containers.jwk(recipes.okp_key(recipes.ML_DSA, label="second"), private=True)
    entry[member] = "ML-DSA-44" if member == "alg" else other[member]
    proved, _ = split(json.dumps(entry).encode())
    assert proved == []
    entry[member] = ""
    proved, _ = split(json.dumps(entry).encode())
    assert [isinstance(p.material, Foreign) for p in proved] == [True] * (member == "alg")


@pytest.mark.parametrize(
    ("kind", "member"),
    [
        ({"kty": "EC", "crv": "BP-256"}, "d"),
        ({"kty": "OKP", "crv": "Ed123"}, "d"),
        ({"kty": "AKP", "alg": "a draft's"}, "priv"),
    ],
)
def test_what_nobody_computes_with_is_told(kind: dict[str, str], member: str) -> None:
    """A private member under another curve or algorithm is a structure without a name."""
    private = containers.jwk(recipes.ec_key(), private=True)["d"]
    (found,) = find(json.dumps(kind | {"x": "AAAA", member: private}).encode())
    assert isinstance(found, Proved)
    assert isinstance(found.material, Foreign)
    assert found.candidate.confidence is Confidence.STRUCTURE
    assert not found.candidate.fingerprint.value
    for text in (private[:20], "A" * 43, "..."):
        assert find(json.dumps(kind | {member: text}).encode()) == []
    assert find(json.dumps(kind | {"x": private}).encode()) == []


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200), st.booleans())
def test_arbitrary_bytes_raise_nothing(before: bytes, behind: bytes, wide: bool) -> None:
    """Whatever stands around an anchor, nothing is raised."""
    mark = encodings.utf16('{"kty":"RSA"') if wide else b'{"kty":"RSA"'
    assert split(before + mark + behind) == ([], [])


def test_brackets_and_quotes_without_end_are_bounded() -> None:
    """Text made to be slow is read once."""
    for filler in (b'"', b"\\", b'"a\\', b"{", b'"n":"', b'"kty" '):
        data = filler * (40_000 // len(filler)) + b'"kty":"RSA"' + filler * 5000
        offset = data.index(b'"kty":"RSA"')
        assert list(jwk.examine(Bytes(data), 0, offset, RULES[0])) == []


SECRETS = tuple(rule for rule in rules.load() if rule.detector == "jwk-secret")
EXAMINE = dict(EXAMINERS)["jwk-secret"]


def find_secrets(data: bytes) -> list[Sealed]:
    """Run the rules of symmetric keys over the bytes."""
    sweeper = anchors.open_sweeper(anchors.compile_anchors(SECRETS))
    found = (
        one
        for rule, offset in sweeper.sweep(data)
        for one in EXAMINE(Bytes(data), 0, offset, SECRETS[rule])
    )
    return [one for one in found if isinstance(one, Sealed)]


@pytest.mark.parametrize("form", ["plain", "close", "set", "quoted", "twice", "utf-16le", "base64"])
def test_a_symmetric_key_in_every_form(form: str) -> None:
    """It is told once, with its size, and no form of it is taken for a public key."""
    text = secrets.jwk_secret(alg="HS256").decode()
    close = json.dumps(json.loads(text), separators=(",", ":"))
    data = {
        "plain": text,
        "close": close,
        "set": json.dumps({"keys": [{"kty": "RSA"}, json.loads(text)]}),
        "quoted": json.dumps({"body": close}),
        "twice": json.dumps({"body": json.dumps({"key": text})}),
        "utf-16le": text,
        "base64": base64.b64encode(close.encode()).decode(),
    }[form].encode("utf-16-le" if form == "utf-16le" else "ascii")
    (found,) = {
        one.candidate.places: one for one in find_secrets(b"\0" * 64 + data + b"\0" * 64)
    }.values()
    assert found.candidate.bits == 256
    assert found.candidate.kind == "symmetric-key"
    assert not found.candidate.published
    assert find(data) == []


@pytest.mark.parametrize(
    "secret",
    [
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
        "GawgguFyGrWKav7AX4VKUg",
        "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
        "AAPapAv4LbFbiVawEjagUBluYqN5rhna-8nuldDvOx8",
        "XctOhJAkA-pD9Lh7ZgW_2A",
        "qC57l_uxcm7Nm3K-ct4GFjx8tM1U8CZ0NLBvdQstiS8",
        "GZy6sIZ6wl9NJOKB-jnmVQ",
    ],
)
def test_examples_of_the_standards_are_published(secret: str) -> None:
    """RFC 7515, 7517 and 7520 give them; documentation and tests of libraries repeat them."""
    (found,) = find_secrets(secrets.jwk_secret(k=secret))
    assert found.candidate.published.startswith("RFC 75")


def test_what_is_no_symmetric_key() -> None:
    """Without a secret, with a short one, or with one that says nothing, there is none."""
    for secret in ("", "AQAB", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "not base64url!"):
        assert find_secrets(secrets.jwk_secret(k=secret)) == []
    assert find_secrets(secrets.jwk_secret(kty="octet")) == []


CURVED = [
    key for key in KEYS if not isinstance(key, recipes.RsaKey) and "crv" in containers.jwk(key)
]


@pytest.mark.parametrize("key", CURVED, ids=lambda key: key.spki_sha256[:8])
@pytest.mark.parametrize("form", ["front", "quoted", "end", "utf-16le"])
def test_object_that_was_cut(key: recipes.Key, form: str) -> None:
    """A scalar or seed beside its curve's name is told, though the public half is gone."""
    entry = containers.jwk(key, private=True)
    left = f'B-cut-away","crv":"{entry["crv"]}","d":"{entry["d"]}"}}'
    text = {
        "front": left,
        "quoted": json.dumps({"body": left})[9:],
        "end": f'{{"crv":"{entry["crv"]}","d":"{entry["d"]}","kty":"{entry["kty"]}","x":"cut',
        "utf-16le": left,
    }[form]
    data = text.encode("utf-16-le" if form == "utf-16le" else "ascii")
    data = b"\0" * 64 + data + b"\0" * 64
    keys, publics = split(data)
    assert {found.candidate.fingerprint.value for found in keys} == {key.spki_sha256}
    assert {found.candidate.confidence for found in keys} == {Confidence.STRUCTURE}
    assert publics == []
    (place,) = keys[0].candidate.places
    (again,) = jwk.examine(Bytes(data), 0, place.offset, RULES[0])
    assert isinstance(again, Proved)
    assert again.candidate == keys[0].candidate


@pytest.mark.parametrize(
    "text",
    [
        '"crv":"P-256","d":"AyM1SysPpbyDfgZld3umjw"}',
        '"crv":"P-256","d":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}',
        '"crv":"P-256","d":"__________________________________________8"}',
        '"crv":"Ed25519","d":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}',
        '"crv":"P-999","d":"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"}',
        '"crv":"P-256"}, {"d":"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"}',
    ],
)
def test_what_is_left_of_no_key(text: str) -> None:
    """A number of another length, one that says nothing, and one of another object are none."""
    assert find(text.encode()) == []
