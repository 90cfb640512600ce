"""Keys as XML and S-expressions: read wherever they stand, proved, and never by their looks."""

from collections.abc import Callable
from typing import Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fixtures import containers, encodings, keys, noise
from scanner import rules
from scanner.detect.algebra.material import Ffc, Foreign, Rsa
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import Proved
from scanner.detect.openpgp import sexp
from scanner.detect.texts import xmlkey
from scanner.model import Confidence, Place
from tests.detect.one_space import Bytes

RULES = {rule.id: rule for rule in rules.load()}
RSA = keys.rsa_key(2048)


def found(examine, rule: str, data: bytes, offset: int) -> list[Proved]:  # type: ignore[no-untyped-def] # noqa: ANN001
    """Return the private keys at an anchor."""
    seen = examine(Bytes(data), 0, offset, RULES[rule])
    return [item for item in seen if isinstance(item, Proved)]


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("kind", ["zeros", "text", "uniform"])
def test_xml(kind: str, *, wide: bool) -> None:
    """An element in either width is found and proved; its public form is a witness only."""
    for private in (True, False):
        text = containers.xml_key(RSA, private=private)
        text = encodings.utf16(text) if wide else text
        data = noise.plant(getattr(noise, kind)(16_000, 1), 501, text)
        seen = found(xmlkey.examine, "rsa-key-value", data, 501)
        assert len(seen) == private
        if private:
            assert seen[0].candidate.fingerprint.value == RSA.spki_sha256
            assert seen[0].candidate.confidence is Confidence.PROOF
            assert seen[0].candidate.places[0].size == len(text)


def test_an_element_that_does_not_end() -> None:
    """What follows the public members is not the public key's, or a key there would not be seen."""
    private, public = (containers.xml_key(RSA, private=some) for some in (True, False))
    close = b"</RSAKeyValue>"
    head = public.removesuffix(close)
    damaged = private.replace(b"<P>", b"<P>#").replace(b"<Q>", b"<Q>#").replace(b"<D>", b"<D>#")
    for text, size in (
        (head + noise.uniform(5_000, 1), len(head)),
        (head + b" and text " * 500, len(head)),
        (head + private, len(head)),
        (head + b"\0 " * 500 + private, len(head)),
        (public + private, len(public)),
        (damaged, len(head)),
    ):
        (seen,) = xmlkey.examine(Bytes(text), 0, 0, RULES["rsa-key-value"])
        assert isinstance(seen, PublicKey)
        assert seen.witness.place == Place(space=0, offset=0, size=size)


@pytest.mark.parametrize("name", [b"</P>", b"</Q>", b"</DQ>"])
def test_an_element_whose_end_is_gone(name: bytes) -> None:
    """One prime is enough beside the modulus; the place ends with what was read."""
    text, end, _ = containers.xml_key(RSA).partition(name)
    for rest in (b"", b"<D>AQAB", b" and text " * 500):
        (seen,) = found(xmlkey.examine, "rsa-key-value", text + end + rest + bytes(900), 0)
        assert seen.candidate.fingerprint.value == RSA.spki_sha256
        assert seen.candidate.places[0].size == len(text + end)


@pytest.mark.parametrize("wide", [False, True])
def test_xml_of_dsa(*, wide: bool) -> None:
    """A DSAKeyValue element is proved by its power; the public form, or a wrong X, is a witness."""
    numbers = keys.dsa_numbers()
    text = containers.xml_dsa()
    for written in (text, containers.xml_dsa(private=False), text.replace(b"<X>", b"<X>AQAB")):
        data = bytes(400) + (encodings.utf16(written) if wide else written) + bytes(400)
        (seen,) = xmlkey.examine(Bytes(data), 0, 400, RULES["dsa-key-value"])
        if written is text:
            assert isinstance(seen, Proved)
            assert isinstance(seen.material, Ffc)
            assert (seen.material.algorithm, seen.material.x) == ("dsa", numbers["x"])
            assert seen.candidate.confidence is Confidence.PROOF
        else:
            assert isinstance(seen, PublicKey)
            assert seen.y == numbers["y"]


KEYS = [RSA, keys.ec_key("P-256"), keys.ec_key("P-384"), keys.okp_key("ed25519")]


@pytest.mark.parametrize("write", [containers.sexp_hex, containers.sexp_canonical])
@pytest.mark.parametrize("key", KEYS, ids=["rsa", "p256", "p384", "ed25519"])
@pytest.mark.parametrize("lost", [0, 16])
def test_sexp(write, key: keys.Key, lost: int) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    """Either spelling is found and proved, its first bytes overwritten or not."""
    text = write(key)
    data = noise.plant(noise.text(9000, 2), 777, bytes(lost) + text[lost:])
    anchor = max(data.find(b"(d #", 777), data.find(b"(1:d", 777))
    (seen,) = found(sexp.examine, "gnupg-private-key", data, anchor)
    assert seen.candidate.fingerprint.value == key.spki_sha256


def _id(key: keys.Key) -> str:
    """Name a key the same in every process."""
    return "rsa" if isinstance(key, keys.RsaKey) else getattr(key, "curve", "") or key.algorithm


OBJECTS = [*KEYS, *map(keys.okp_key, ("x25519", "ed448", "x448")), keys.ec_key("secp256k1")]


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("key", OBJECTS, ids=_id)
def test_object(key: keys.Key, order: Literal["little", "big"]) -> None:
    """An object of Libgcrypt's is found, on either kind of machine; it is whole in one place."""
    made = containers.sexp_object(key, order=order)
    data = noise.plant(noise.text(9000, 2), 777, made)
    mark = b"\x03\x01\x01\0d\x01" if order == "little" else b"\x03\x01\0\x01d\x01"
    (seen,) = found(sexp.examine, "gnupg-private-key", data, data.find(mark, 777))
    assert seen.candidate.fingerprint.value == key.spki_sha256
    assert seen.candidate.encoding == "S-expression object"
    assert seen.candidate.confidence is Confidence.PROOF


PRIMES = {
    containers.sexp_hex: (b"(d #", b"(p #"),
    containers.sexp_canonical: (b"(1:d", b"(1:p"),
    containers.sexp_object: (b"\x03\x01\x01\0d\x01", b"\x03\x01\x01\0p\x01"),
}


@pytest.mark.parametrize("write", PRIMES)
@pytest.mark.parametrize("left", [0.0, 0.5, 1.0])
def test_an_expression_without_its_head(write: Callable[[keys.Key], bytes], left: float) -> None:
    """Seen in gpg-agent: of a freed object p, q and u are whole, and of d as much as may be."""
    text = write(RSA)
    exponent, prime = (text.find(mark) for mark in PRIMES[write])
    lost = prime - int(left * (prime - exponent))
    data = noise.plant(noise.text(9000, 2), 777, bytes(lost) + text[lost:])
    anchor = 777 + (exponent if left == 1 else prime)
    (seen,) = found(sexp.examine, "gnupg-private-key", data, anchor)
    assert seen.candidate.fingerprint.value == RSA.spki_sha256
    assert isinstance(seen.material, Rsa)
    assert seen.material.e_assumed
    whole = noise.plant(noise.text(9000, 2), 777, text)
    assert found(sexp.examine, "gnupg-private-key", whole, 777 + prime) == []
    other = data.replace(encodings.big_endian(RSA.q), encodings.big_endian(RSA.q ^ 2))
    other = other.replace(f"{RSA.q:X}".encode(), f"{RSA.q ^ 2:X}".encode())
    assert found(sexp.examine, "gnupg-private-key", other, anchor) == []


def test_an_object_with_an_exponent() -> None:
    """ElGamal's secret, whose group has no order beside it, is proved by its power."""
    p = int.from_bytes(noise.uniform(256, 8), "big") | 1 << 2047 | 1
    x = int.from_bytes(noise.uniform(43, 9), "big")
    numbers = {"p": p, "g": 5, "y": pow(5, x, p), "x": x}
    made = b"\x03\x01\x03\0elg"
    for name, value in numbers.items():
        raw = encodings.big_endian(value)
        made += b"\x03\x01\x01\0" + name.encode() + b"\x01" + len(raw).to_bytes(2, "little")
        made += raw + b"\x04"
    data = bytes(500) + made + b"\x04\x04\0"
    (seen,) = found(sexp.examine, "gnupg-private-key", data, data.find(b"\x03\x01\x01\0x\x01"))
    assert isinstance(seen.material, Ffc)
    assert seen.material.x == x


@pytest.mark.parametrize("key", OBJECTS[-4:-1], ids=_id)
def test_key_files_of_other_curves(key: keys.Key) -> None:
    """Keys for agreement, and those of Ed448, stand in key files as the others do."""
    data = containers.sexp_hex(key)
    (seen,) = found(sexp.examine, "gnupg-private-key", data, data.find(b"(d #"))
    assert seen.candidate.fingerprint.value == key.spki_sha256


SPELLINGS = [containers.sexp_hex, containers.sexp_canonical, containers.sexp_object]
MARKS = (b"(d #", b"(1:d", b"\x03\x01\x01\0d\x01")


@pytest.mark.parametrize("write", SPELLINGS)
def test_a_curve_that_nobody_knows(write: Callable[[keys.Key], bytes]) -> None:
    """The scalar of a GOST key (Libgcrypt's GOST2012-256-A) is a structure without a name."""
    key = keys.ec_key("P-256")
    data = write(key)
    for before, name in ((b"10:", b"14:"), (b"\x01\x0a\0", b"\x01\x0e\0"), (b"", b"")):
        data = data.replace(before + b"NIST P-256", name + b"GOST2012-256-A")
    at = next(at for mark in MARKS if (at := data.find(mark)) >= 0)
    (seen,) = found(sexp.examine, "gnupg-private-key", data, at)
    assert isinstance(seen.material, Foreign)
    assert seen.material.inner == key.d.to_bytes(32, "big")
    assert (seen.candidate.algorithm, seen.candidate.confidence) == ("ec", Confidence.STRUCTURE)


@pytest.mark.parametrize("name", [b"secp256r1", b"nistp256", b"prime256v1"])
def test_other_names_of_a_curve(name: bytes) -> None:
    """Libgcrypt reads a curve's other names too, and writes one in its own test (cipher/ecc.c)."""
    key = keys.ec_key("P-256")
    data = containers.sexp_hex(key).replace(b"NIST P-256", name)
    (seen,) = found(sexp.examine, "gnupg-private-key", data, data.find(b"(d #"))
    assert seen.candidate.fingerprint.value == key.spki_sha256
    assert seen.candidate.confidence is Confidence.PROOF


@pytest.mark.parametrize("key", OBJECTS[1:], ids=_id)
def test_a_scalar_without_its_point(key: keys.Key) -> None:
    """A known curve gives the name of the key, and no proof: nothing else stands there."""
    data = containers.sexp_canonical(key)
    point, secret = data.find(b"(1:q"), data.find(b"(1:d")
    data = data[:point] + data[secret:]
    (seen,) = found(sexp.examine, "gnupg-private-key", data, point)
    assert seen.candidate.fingerprint.value == key.spki_sha256
    assert seen.candidate.confidence is Confidence.STRUCTURE


def test_what_no_curve_announces() -> None:
    """A scalar alone, another's point, and a filler are nothing."""
    key, other = keys.ec_key("P-256"), keys.ec_key("P-256", label="other")
    data = containers.sexp_canonical(key)
    secret = data.find(b"(1:d")
    assert found(sexp.examine, "gnupg-private-key", data[secret:], 0) == []
    wrong = containers.sexp_canonical(other).partition(b"(1:d")[0] + data[secret:]
    assert found(sexp.examine, "gnupg-private-key", wrong, wrong.find(b"(1:d")) == []
    filler = data[: data.find(b"(1:q")] + b"(1:d32:" + bytes(31) + b"\x01))"
    assert found(sexp.examine, "gnupg-private-key", filler, filler.find(b"(1:d")) == []


@example(at=386, bit=1)  # in the public exponent, of which p*q = n says nothing
@settings(max_examples=80, deadline=None)
@given(at=st.integers(0, 2000), bit=st.integers(0, 7))
def test_a_flipped_bit_is_no_key(at: int, bit: int) -> None:
    """Whatever bit is flipped, no other modulus' key comes out of it."""
    for write, examine, rule, mark in (
        (containers.sexp_hex, sexp.examine, "gnupg-private-key", b"(d #"),
        (containers.xml_key, xmlkey.examine, "rsa-key-value", b"<RSA"),
    ):
        text = bytearray(write(RSA))
        text[at % len(text)] ^= 1 << bit
        offset = bytes(text).find(mark)
        for item in found(examine, rule, bytes(text), offset) if offset >= 0 else ():
            assert isinstance(item.material, Rsa)
            assert item.material.n == RSA.n


@settings(max_examples=30, deadline=None)
@given(data=st.binary(max_size=400), head=st.sampled_from([b"(d #", b"(1:d32:", b"<RSAKeyValue>"]))
def test_arbitrary_bytes(data: bytes, head: bytes) -> None:
    """Arbitrary bytes behind an anchor give nothing and raise nothing."""
    assert found(sexp.examine, "gnupg-private-key", head + data, 0) == []
    assert found(xmlkey.examine, "rsa-key-value", head + data, 0) == []
    assert found(xmlkey.examine, "dsa-key-value", b"<DSAKeyValue>" + data, 0) == []
