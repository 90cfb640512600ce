"""Keys that Java's key stores hold sealed."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import keys, keystores
from scanner import rules
from scanner.detect import anchors, encrypted
from scanner.detect.locked import javastore
from scanner.detect.locked.sealed import Sealed
from scanner.model import Candidate, Confidence
from tests.detect.one_space import Bytes

DETECTORS = {"javastore": javastore.examine, "encrypted": encrypted.examine}
RULES = tuple(rule for rule in rules.load() if rule.detector in DETECTORS)
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
KEY = keys.rsa_key(2048)


def find(data: bytes) -> list[Candidate]:
    """Run the rules over the bytes."""
    return [
        found.candidate
        for rule, offset in SWEEPER.sweep(data)
        for found in DETECTORS[RULES[rule].detector](Bytes(data), 0, offset, RULES[rule])
        if isinstance(found, Sealed)
    ]


FORMS = {
    "JKS": (keystores.jks(KEY), "PKCS8-DER", "JKS: SHA1 of the password, 1 iteration"),
    "JCEKS": (keystores.jceks(KEY), "PKCS8-DER", "JCEKS: MD5-3DES, 200000 iterations"),
    "secret": (keystores.jceks_secret(), "JCEKS sealed object", "JCEKS: MD5-3DES, 200000"),
    "BKS": (keystores.bks(KEY), "BKS entry", "PKCS12-PBE SHA1-3DES, 1500 iterations"),
    "PKCS12": (keystores.pkcs12_password(KEY), "PKCS8-DER", "PBKDF2-HMAC-SHA256"),
}


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_store(form: str) -> None:
    """What a store seals is one encrypted key, and how it is protected is told."""
    data, encoding, protection = FORMS[form]
    (said,) = find(b"\xee" * 11 + data + b"\xee" * 30)
    assert (said.kind, said.encoding, said.confidence) == (
        "encrypted-key",
        encoding,
        Confidence.STRUCTURE,
    )
    assert said.protection.startswith(protection)
    (place,) = said.places
    assert 11 <= place.offset < place.offset + place.size <= 11 + len(data)


def test_a_store_that_is_encrypted_as_a_whole() -> None:
    """Behind the header of a UBER store nothing can be read: it has the shape of one."""
    data = keystores.uber()
    (said,) = find(b"\xee" * 11 + data + bytes(64))
    assert (said.encoding, said.confidence) == ("UBER store", Confidence.SHAPE)
    assert said.protection.startswith("PKCS12-PBE SHA1-Twofish, 1300 iterations")
    assert [(place.offset, place.size) for place in said.places] == [(11, len(data))]
    assert find(data[:32] + bytes(512)) == find(data[:40]) == []
    (said,) = find(data[:-10])
    assert said.places[0].size == len(data) - 10


@pytest.mark.parametrize("at", [0, 4, 26, 34, 60])
def test_a_store_that_is_none(at: int) -> None:
    """A store of Bouncy Castle whose fields run out of it gives nothing."""
    data = bytearray(keystores.bks(KEY))
    data[at : at + 8] = b"\xff" * 8
    for cut in (len(data), len(data) - 1, 200):
        assert list(javastore.examine(Bytes(bytes(data[:cut])), 0, 0, RULES[-1])) == []


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(FORMS)), st.integers(0, 900), st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing(form: str, cut: int, noise: bytes) -> None:
    """Whatever follows, nothing is raised, and no place is larger than what there is."""
    data = FORMS[form][0][:cut] + noise
    rule = next(rule for rule in RULES if rule.detector == "javastore")
    for found in javastore.examine(Bytes(data), 0, 0, rule):
        assert found.candidate.places[0].size <= len(data)


@pytest.mark.skipif(shutil.which("keytool") is None, reason="needs keytool")
@pytest.mark.parametrize("kind", ["JKS", "JCEKS", "PKCS12"])
def test_what_keytool_writes(tmp_path: Path, kind: str) -> None:
    """A private key, and a secret one in JCEKS, that keytool stored are found encrypted."""
    common = ["-storetype", kind, "-keystore", str(tmp_path / "store"), "-storepass", "throwaway"]
    pair = ["keytool", "-genkeypair", "-keyalg", "EC", "-dname", "CN=throwaway", *common]
    subprocess.run([*pair, "-keypass", "throwaway"], check=True, capture_output=True)
    wanted = ["PKCS8-DER"]
    if kind == "JCEKS":
        secret = ["keytool", "-genseckey", "-keyalg", "AES", "-keysize", "256", *common]
        secret += ["-alias", "secret", "-keypass", "throwaway"]
        subprocess.run(secret, check=True, capture_output=True)
        wanted = ["JCEKS sealed object", "PKCS8-DER"]
    said = find((tmp_path / "store").read_bytes())
    assert sorted(c.encoding for c in said) == wanted
