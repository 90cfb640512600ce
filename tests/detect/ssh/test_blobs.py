"""SSH public keys, as blobs and as lines."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import containers, encodings
from fixtures import keys as recipes
from scanner import rules
from scanner.detect import anchors
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.ssh import blobs
from tests.detect.one_space import Bytes

RULES = tuple(rule for rule in rules.load() if rule.detector == "ssh")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
KEYS = [
    *(recipes.rsa_key(bits) for bits in (1024, 2048, 4096)),
    recipes.rsa_key(2048, e=3),
    *(recipes.ec_key(curve) for curve in ("P-256", "P-384", "P-521")),
    recipes.okp_key(),
]


def find(data: bytes) -> list[PublicKey]:
    """Run the rules over the bytes."""
    return [
        found
        for rule, offset in SWEEPER.sweep(data)
        for found in blobs.examine(Bytes(data), 0, offset, RULES[rule])
    ]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.spki_sha256[:8])
@pytest.mark.parametrize("form", ["blob", "line", "line utf-16le", "wrapped"])
def test_every_key_in_every_form(key: recipes.Key, form: str) -> None:
    """A key is read once, with its place and what ssh-keygen calls it."""
    blob, line = containers.ssh_blob(key), containers.ssh_line(key)
    text = line.split()[1]
    wrapped = b"\r\n".join(text[at : at + 70] for at in range(0, len(text), 70))
    data = {"blob": blob, "line": line, "wrapped": wrapped}.get(form, encodings.utf16(line))
    (found,) = find(b"\xff" * 5 + data + b"\xff" * 9)
    assert found.witness.fingerprint.value == key.spki_sha256
    assert found.witness.ssh_fingerprint == containers.ssh_fingerprint(key)
    assert found.witness.kind == "ssh"
    assert found.witness.place is not None
    assert found.witness.place.offset == 5 + {"line": data.find(b"AAAA")}.get(
        form, data.find(b"A\0A\0A\0A") if form == "line utf-16le" else 0
    )


def test_a_key_on_a_token() -> None:
    """What a hardware token holds has the same point; its fingerprint is of the whole blob."""
    key = recipes.okp_key()
    name = b"sk-ssh-ed25519@openssh.com"
    parts = (name, key.public, b"ssh:")
    data = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    (found,) = find(data)
    assert found.raw == key.public
    assert found.witness.place is not None
    assert found.witness.place.size == len(data)


@pytest.mark.parametrize("key", KEYS[4:], ids=lambda key: key.spki_sha256[:8])
def test_a_point_that_is_on_no_curve_is_nothing(key: recipes.Key) -> None:
    """A flipped bit of a point leaves no key (of Ed25519, which has no such check, a short one)."""
    blob = bytearray(containers.ssh_blob(key))
    if isinstance(key, recipes.OkpKey):
        blob[-20:] = b""
    else:
        blob[-1] ^= 1
    assert find(bytes(blob)) == []


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(KEYS), st.integers(0, 300), st.binary(max_size=80))
def test_arbitrary_bytes_raise_nothing(key: recipes.Key, cut: int, noise: bytes) -> None:
    """Whatever stands behind an anchor, the answer is a key or none."""
    for data in (containers.ssh_blob(key), containers.ssh_line(key)):
        for found in find(data[:cut] + noise):
            assert found.witness.kind == "ssh"
