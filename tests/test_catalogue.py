"""What the programs that own a format write is found in dumps: the fast part of the catalogue.

``benchmarks/catalogue.py`` has every form, container and width; here one of each family is written
anew by its program, in a core as it is and in a minidump in UTF-16.
"""

import functools

import pytest

from benchmarks import catalogue
from fixtures.foreign import FORMS

CHOSEN = (
    "PKCS#1 PEM, crlf",
    "PKCS#8 PEM, EC, json",
    "PKCS#8 PEM, DSA, one line",
    "SEC1 PEM, indented",
    "DSA PEM, base64 of pem",
    "base64 of dsa DER",
    "PKCS#8 PEM, RSA, patch",
    "PKCS#8 PEM, Ed25519, letter",
    "SEC1 PEM, html",
    "C array, rsa",
    "Python bytes, ec",
    "ssh-keygen ed25519",
    "PuTTY v3, dsa",
    "JWK, ec",
    ".NET RSAKeyValue",
    "WireGuard",
    "age",
    "minisign",
    "Bitcoin WIF",
    "BIP 32 key",
    "PGP version 3, RSA",
    "openssl -text, rsa",
    "certtool -k, ec",
    "xxd, ec pkcs8",
    "hexdump -C, rsa pkcs8-der",
    "base64 twice, rsa pkcs8",
    "signify",
    "DNSSEC ECDSAP256SHA256",
    "ML-DSA-65 PEM",
    "PKCS#8 DER, dsa",
    "traditional DER, dsa",
    "agent message, ec",
    "PKCS#12, no password",
    "CAPI PRIVATEKEYBLOB",
    "PVK",
    "encrypted PEM, PBES2",
    "encrypted PuTTY v3, dsa",
)
WAYS = (("core", None), ("minidump", "utf-16-le"))


@functools.cache
def outcomes() -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """Return why forms were not written, and what was found of each in each container."""
    planted, skipped = catalogue.make(form for form in FORMS if form.name in CHOSEN)
    said = {}
    for container, codec in WAYS:
        chosen = [one for one in planted if one.form.text or not codec]
        judged = catalogue.judge(chosen, container, codec)
        for one, outcome in zip(chosen, judged, strict=True):
            said[one.form.name, container] = outcome.word
    return skipped, said


@pytest.mark.parametrize("name", CHOSEN)
@pytest.mark.parametrize("container", [container for container, _ in WAYS])
def test_found_by_its_name_and_in_its_place(name: str, container: str) -> None:
    """A key stands in the report under its own name, and lies wholly in what was planted."""
    skipped, said = outcomes()
    if name in skipped:
        pytest.skip(skipped[name])
    (form,) = (form for form in FORMS if form.name == name)
    if form.text or container == "core":
        assert said[name, container] in ("structure", "proof")


def test_names_are_unique() -> None:
    """A row of the table is one form."""
    assert len({form.name for form in FORMS}) == len(FORMS)


def test_what_is_not_there_is_missed() -> None:
    """The judge does not take a key's neighbour, or a key of another kind, for the key."""
    (form,) = (form for form in FORMS if form.name == "PGP version 3, RSA")
    (one,), _ = catalogue.make([form])
    other = catalogue.Planted(form=form, data=one.data, fingerprint="0" * 64)
    empty = catalogue.Planted(form=form, data=bytes(200), fingerprint=one.fingerprint)
    assert [said.word for said in catalogue.judge([one, other], "core")] == ["proof", "missed"]
    assert [said.word for said in catalogue.judge([one, empty], "core")] == ["proof", "missed"]


def test_programs_that_are_missing_have_a_reason() -> None:
    """A form that cannot be written is skipped by name, not counted as found."""
    form = catalogue.Form(name="x", make=lambda _: (b"", ""), needs=("no-such-program",))
    assert catalogue.make([form]) == ([], {"x": "no no-such-program"})
