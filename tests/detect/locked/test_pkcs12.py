"""PKCS #12 stores that open with the empty password."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import encodings, keystores
from fixtures import keys as recipes
from scanner import rules
from scanner.detect import anchors
from scanner.detect.asn1.keys import Proved
from scanner.detect.locked import pkcs12
from tests.detect.one_space import Bytes

RULES = tuple(rule for rule in rules.load() if rule.detector == "pkcs12")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
KEYS = [recipes.rsa_key(2048), recipes.ec_key("P-384"), recipes.okp_key()]
FORMS = {
    "PBES2": keystores.pkcs12_open,
    "BER": keystores.pkcs12_ber,
    "3DES": keystores.pkcs12_open_3des,
    "3DES without terminator": lambda key: keystores.pkcs12_open_3des(key, b""),
}


def find(data: bytes) -> list[Proved]:
    """Run the rules over the bytes."""
    return [
        found
        for rule, offset in SWEEPER.sweep(data)
        for found in pkcs12.examine(Bytes(data), 0, offset, RULES[rule])
    ]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.spki_sha256[:8])
@pytest.mark.parametrize("form", sorted(FORMS))
def test_an_open_store(key: recipes.Key, form: str) -> None:
    """The key of a store is found, and its place, the whole store, gives it again."""
    store = FORMS[form](key)
    data = b"\xee" * 11 + store + b"\xee" * 3
    (found,) = find(data)
    assert found.candidate.fingerprint.value == key.spki_sha256
    assert [(p.offset, p.size) for p in found.candidate.places] == [(11, len(store))]
    assert list(pkcs12.examine(Bytes(data), 0, 11, RULES[0]))


def test_a_password_is_not_guessed() -> None:
    """A store under a password, and one that asks for more work than is done, give nothing."""
    assert find(keystores.pkcs12_password(KEYS[0])) == []
    assert len(pkcs12.shrouded(keystores.pkcs12_password(KEYS[0]))) == 1
    assert find(keystores.pkcs12_open(KEYS[0], 2**31 - 1)) == []


def test_what_lies_within_is_not_judged() -> None:
    """A store is opened and no more: to search numbers of a dump for primes takes seconds."""
    held = keystores.tlv(0x30, bytes.fromhex("020100"), keystores.tlv(4, bytes(range(64))))
    (bag,) = pkcs12.shrouded(keystores.pkcs12_holding(held))
    assert pkcs12.opened(bag) == held
    assert find(keystores.pkcs12_holding(held)) == []


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_damaged_store_gives_that_key_or_nothing(data: st.DataObject) -> None:
    """Whatever byte changes, nothing is raised and no other key is proved."""
    key = KEYS[data.draw(st.integers(0, 1))]
    store = bytearray(keystores.pkcs12_open_3des(key))
    store[data.draw(st.integers(0, 150))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([len(store), len(store) - 1, 60, 30]))
    for found in pkcs12.examine(Bytes(bytes(store[:cut])), 0, 0, RULES[0]):
        assert found.candidate.fingerprint.value == key.spki_sha256


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
@pytest.mark.parametrize("old", [False, True])
def test_what_openssl_exports(tmp_path: Path, old: bool) -> None:
    """A store that openssl wrote with an empty password is open, one with a password is not."""
    key = recipes.rsa_key(2048)
    (tmp_path / "k").write_bytes(encodings.pkcs8_pem(key))
    (tmp_path / "c").write_bytes(encodings.certificate_pem(key))
    for password, found in (("", 1), ("throwaway", 0)):
        command = ["openssl", "pkcs12", "-export", *(["-legacy"] if old else [])]
        command += ["-inkey", "k", "-in", "c", "-passout", f"pass:{password}", "-out", "store"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        if done.returncode:
            pytest.skip("this openssl does not write such a store")
        assert len(find((tmp_path / "store").read_bytes())) == found
