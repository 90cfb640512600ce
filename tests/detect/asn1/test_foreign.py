"""Keys of algorithms and curves that nothing here computes with: told, and never proved."""

import base64
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import encodings
from fixtures import keys as recipes
from fixtures.keystores import tlv
from scanner import fingerprint, rules
from scanner.detect.algebra.material import Ffc, Foreign, describe
from scanner.detect.asn1 import foreign, keys, x509
from scanner.detect.asn1.der import Malformed
from scanner.engine.scanning import ScanRequest, scan
from scanner.model import Confidence
from scanner.progress import Silence
from tests.detect.damaged.test_headless_dsa import key
from tests.detect.relations.fields.test_discrete import integer

EC, RARE = bytes.fromhex("2a8648ce3d0201"), bytes.fromhex("2b240303020801010a")
SECRET = hashlib.shake_256(b"keysift throwaway foreign").digest(96)


def sec1(size: int = 32, *inner: bytes) -> bytes:
    """Return ECPrivateKey with a scalar of so many bytes, and what follows it."""
    return tlv(0x30, b"\x02\x01\x01", tlv(4, SECRET[:size]), *inner)


def pkcs8(oid: bytes, parameters: bytes, inner: bytes, *more: bytes) -> bytes:
    """Return OneAsymmetricKey (RFC 5958)."""
    return tlv(0x30, b"\x02\x01\0", tlv(0x30, tlv(6, oid), parameters), tlv(4, inner), *more)


KEYS = {
    "brainpoolP320t1": (pkcs8(EC, tlv(6, RARE), sec1()), "ec", "brainpoolP320t1"),
    "brainpoolP320t1, SEC1": (sec1(32, tlv(0xA0, tlv(6, RARE))), "ec", "brainpoolP320t1"),
    "sect571k1": (pkcs8(EC, tlv(6, bytes.fromhex("2b81040026")), sec1(64)), "ec", "sect571k1"),
    "GOST": (
        pkcs8(bytes.fromhex("2a85030701010101"), tlv(0x30, tlv(6, RARE)), tlv(4, SECRET[:32])),
        "gost2012-256",
        "",
    ),
    "X9.42": (
        pkcs8(
            bytes.fromhex("2a8648ce3e0201"),
            tlv(0x30, tlv(2, b"\x7f" * 300)),
            tlv(2, b"\1" + SECRET),
        ),
        "dhx",
        "",
    ),
    "composite": (pkcs8(bytes.fromhex("2b06010505070627"), b"", SECRET), "1.3.6.1.5.5.7.6.39", ""),
    "a draft's": (
        pkcs8(bytes.fromhex("2bce0f0305"), b"", SECRET, tlv(0xA0, b"")),
        "1.3.9999.3.5",
        "",
    ),
}
"""What a text holds, and the algorithm and curve that are told."""


def scanned(folder: Path, data: bytes) -> list[tuple[str, str, str, Confidence]]:
    """Return (rule, algorithm, curve, confidence) of the private keys in bytes."""
    path = folder / "dump"
    path.write_bytes(bytes(64) + data + bytes(64))
    found = scan(ScanRequest(path=str(path), in_process=True, rules=rules.load()), Silence())
    assert all(c.fingerprint.value for c in found.candidates)
    return [
        (c.rule, c.algorithm, c.curve, c.confidence)
        for c in found.candidates
        if c.kind == "private-key"
    ]


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("form", ["PEM", "base64"])
def test_a_text_that_says_it_is_a_private_key_is_one(tmp_path: Path, name: str, form: str) -> None:
    """Whatever its algorithm: GOST and others had passed as PEM, and nothing was said."""
    data, algorithm, curve = KEYS[name]
    text = encodings.pem(data, "EC PRIVATE KEY" if "SEC1" in name else "PRIVATE KEY")
    if form == "base64":
        text = encodings.utf16(text)
    (found,) = scanned(tmp_path, text)
    assert found == ("private-key-pem", algorithm, curve, Confidence.STRUCTURE)


@pytest.mark.parametrize("name", KEYS)
def test_as_der(tmp_path: Path, name: str) -> None:
    """In DER too, where the algorithm is one that anchors know."""
    data, algorithm, curve = KEYS[name]
    (found,) = scanned(tmp_path, data)
    rule = "sec1-der" if "SEC1" in name else "pkcs8-der"
    assert found == (rule, algorithm, curve, Confidence.STRUCTURE)


def test_what_no_text_calls_a_key_is_one_element(tmp_path: Path) -> None:
    """Of an algorithm that is not known; it had passed in DER, and was blocked in PEM."""
    unknown = bytes.fromhex("2b06010455")
    for name, inner in (("octets", tlv(4, SECRET[:32])), ("number", tlv(2, SECRET[:64]))):
        folder = tmp_path / name
        folder.mkdir()
        (found,) = scanned(folder, pkcs8(unknown, tlv(5), inner))
        assert found == ("pkcs8-der", "1.3.6.1.4.85", "", Confidence.STRUCTURE)
    for bare in (SECRET[:32], tlv(4, SECRET[:32]) + b"\0", tlv(3, SECRET[:32])):
        assert not scanned(tmp_path, pkcs8(unknown, b"", bare))


def test_a_key_in_another_s_place_is_told_once(tmp_path: Path) -> None:
    """The OID of X.509 for RSA (2.5.8.1.1): what is inside is a key of its own."""
    inner = encodings.pkcs1_der(recipes.rsa_key(1024))
    found = scanned(tmp_path, pkcs8(bytes.fromhex("55080101"), tlv(5), inner))
    assert ("pkcs1-der", "rsa", "", Confidence.PROOF) in found
    assert "pkcs8-der" not in {rule for rule, *_ in found}


def test_elgamal(tmp_path: Path) -> None:
    """Seen in Bouncy Castle: p and g alone, and x, which had passed; proved by its public key."""
    numbers = key(224).private_numbers()
    public = numbers.public_numbers
    p, g = public.parameter_numbers.p, public.parameter_numbers.g
    spki = fingerprint.ffc_spki("elgamal", p, 0, g, public.y)
    group = tlv(0x30, integer(p), integer(g))
    data = pkcs8(bytes.fromhex("2b0e07020101"), group, integer(numbers.x))
    parsed = keys.parse_private(data)
    assert parsed is not None
    name = describe(parsed.material).fingerprint.value
    assert name == hashlib.sha256(spki).hexdigest()
    for more, confidence in ((b"", Confidence.STRUCTURE), (spki, Confidence.PROOF)):
        (found,) = scanned(tmp_path, data + bytes(64) + more)
        assert found == ("pkcs8-der", "elgamal", "", confidence)


def test_a_part_of_what_no_anchor_finds_is_told(tmp_path: Path) -> None:
    """An ECPrivateKey under an identifier that nobody looks for is found for itself."""
    for algorithm, parameters in (
        (bytes.fromhex("2b06010401"), b""),  # unknown, and without an anchor
        (EC, tlv(6, bytes.fromhex("2a03"))),  # the shortest name of a curve
    ):
        folder = tmp_path / algorithm.hex()
        folder.mkdir()
        assert scanned(folder, pkcs8(algorithm, parameters, sec1()))


BAD = {
    "zeros": pkcs8(EC, tlv(6, RARE), tlv(0x30, b"\x02\x01\x01", tlv(4, bytes(32)))),
    "another version": tlv(0x30, b"\x02\x01\x02", KEYS["GOST"][0][5:]),
    "a short secret": pkcs8(bytes.fromhex("2bce0f0305"), b"", SECRET[:11]),
    "a long scalar": pkcs8(EC, tlv(6, RARE), sec1(81)),
    "loose ends": pkcs8(EC, tlv(6, RARE), sec1() + b"\0"),
    "more behind it": pkcs8(bytes.fromhex("2bce0f0305"), b"", SECRET, tlv(2, b"\1")),
    "no identifier": pkcs8(b"", b"", SECRET),
    "an endless identifier": pkcs8(b"\x81" * 40 + b"\1", b"", SECRET),
    "a known curve": pkcs8(EC, tlv(6, bytes.fromhex("2a8648ce3d030107")), sec1(80)),
    "an unknown version of SEC1": pkcs8(
        EC, tlv(6, RARE), tlv(0x30, b"\x02\x01\x02", tlv(4, SECRET[:32]))
    ),
    "RSA that is none": pkcs8(bytes.fromhex("2a864886f70d010101"), b"\5\0", SECRET),
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_parse_is_none(name: str) -> None:
    """A label is not enough, and what is known must agree."""
    assert keys.parse_private(BAD[name]) is None


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(KEYS)), st.data())
def test_arbitrary_bytes_raise_nothing(name: str, data: st.DataObject) -> None:
    """Whatever byte changes, nothing is raised; what is cut is no key."""
    blob = bytearray(KEYS[name][0])
    blob[data.draw(st.integers(0, len(blob) - 1))] = data.draw(st.integers(0, 255))
    parsed = keys.parse_private(bytes(blob))
    assert parsed is None or parsed.confidence is Confidence.STRUCTURE
    assert keys.parse_private(KEYS[name][0][:-1]) is None


@pytest.mark.parametrize(
    ("oid", "said"),
    [
        ("2a8648ce3d0201", "1.2.840.10045.2.1"),
        ("67010c", "2.23.1.12"),
        ("883703", "2.999.3"),
        ("00", "0.0"),
    ],
)
def test_identifiers_in_dots(oid: str, said: str) -> None:
    """X.690 8.19: two arcs in the first number, which may be a large one."""
    assert foreign.dotted(bytes.fromhex(oid)) == said
    with pytest.raises(Malformed):
        foreign.dotted(bytes.fromhex(oid) + b"\x80")


def test_a_point_beside_it_is_its_name() -> None:
    """Where the public half stands inside, the key has the name that openssl would give it."""
    point = b"\4" + SECRET[:64]
    wrapped = tlv(0xA1, tlv(3, b"\0" + point))
    for data in (
        pkcs8(EC, tlv(6, RARE), sec1(32, wrapped)),
        sec1(32, tlv(0xA0, tlv(6, RARE)), wrapped),
    ):
        parsed = keys.parse_private(data)
        assert parsed is not None
        spki = tlv(0x30, tlv(0x30, tlv(6, EC), tlv(6, RARE)), tlv(3, b"\0" + point))
        assert describe(parsed.material).fingerprint.value == hashlib.sha256(spki).hexdigest()


def test_copies_of_its_scalar_are_traced(tmp_path: Path) -> None:
    """A named one's scalar is found where it stands bare, as limbs too."""
    wrapped = tlv(0xA1, tlv(3, b"\0\4" + SECRET[:64]))
    text = encodings.pem(pkcs8(EC, tlv(6, RARE), sec1(32, wrapped)), "PRIVATE KEY")
    path = tmp_path / "dump"
    path.write_bytes(bytes(64) + text + bytes(64) + SECRET[:32][::-1] + bytes(64))
    found = scan(ScanRequest(path=str(path), in_process=True, rules=rules.load()), Silence())
    assert [(s.encoding, s.place.size) for s in found.sightings] == [("d limbs-le", 32)]


def test_self_test_keys_of_gnutls_are_published(tmp_path: Path) -> None:
    """They have no public half: seen in every process that loads the library."""
    inner = bytes.fromhex("042028e17deada260fad6b8529f32a3cab98eddfbf481d9477a2fbaa2fadcf129c19")
    data = encodings.pem(pkcs8(bytes.fromhex("2a85030701010101"), b"", inner), "PRIVATE KEY")
    path = tmp_path / "dump"
    path.write_bytes(bytes(64) + data + bytes(64))
    (found,) = scan(
        ScanRequest(path=str(path), in_process=True, rules=rules.load()), Silence()
    ).candidates
    assert "GnuTLS" in found.published


OPENSSL = ("prime192v2", "secp160r1", "secp112r1", "sect571k1", "brainpoolP320t1", "DH")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
@pytest.mark.parametrize("curve", OPENSSL)
def test_what_openssl_makes(tmp_path: Path, curve: str) -> None:
    """Keys on curves that OpenSSL knows and this module does not, and of Diffie-Hellman."""
    how = ["EC", "-pkeyopt", f"ec_paramgen_curve:{curve}"]
    if curve == "DH":
        how = ["DH", "-pkeyopt", "group:ffdhe2048"]
    made = subprocess.run(
        ["openssl", "genpkey", "-algorithm", *how], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("this openssl has no such keys")
    ((rule, algorithm, _, confidence),) = scanned(tmp_path, made.stdout)
    assert (rule, confidence) == ("private-key-pem", Confidence.STRUCTURE)
    assert algorithm == ("dh" if curve == "DH" else "ec")
    public = subprocess.run(
        ["openssl", "pkey", "-pubout", "-outform", "DER"],
        input=made.stdout,
        capture_output=True,
        check=True,
    ).stdout
    if curve == "DH":
        body = b"".join(line for line in made.stdout.splitlines() if b"-" not in line)
        parsed = keys.parse_private(base64.b64decode(body))
        assert parsed is not None
        assert isinstance(parsed.material, Ffc)
        assert describe(parsed.material).fingerprint.value == hashlib.sha256(public).hexdigest()


SIZES = {"brainpoolP320t1": 320, "sect571k1": 571, "GOST": 0}


@pytest.mark.parametrize("name", SIZES)
def test_a_curve_that_has_a_name_has_a_size(name: str) -> None:
    """It was told as one of 0 bits."""
    parsed = keys.parse_private(KEYS[name][0])
    assert parsed is not None
    assert describe(parsed.material).bits == SIZES[name]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
@pytest.mark.parametrize("more", [(), ("-pkeyopt", "dh_paramgen_type:1")])
def test_x942_as_openssl_makes_it(tmp_path: Path, more: tuple[str, ...]) -> None:
    """It is named by its SPKI, whether what validates its group stands in it or not."""
    parameters = tmp_path / "parameters"
    how = ("-pkeyopt", "group:dh_2048_256") if not more else ("-pkeyopt", "pbits:1024", *more)
    made = subprocess.run(
        ["openssl", "genpkey", "-genparam", "-algorithm", "DHX", *how],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("this openssl has no such keys")
    parameters.write_bytes(made.stdout)
    secret = openssl("genpkey", "-paramfile", str(parameters), "-outform", "DER")
    public = openssl("pkey", "-inform", "DER", "-pubout", "-outform", "DER", given=secret)
    parsed = keys.parse_private(secret)
    assert parsed is not None
    said = describe(parsed.material)
    assert (said.algorithm, said.fingerprint.value) == ("dhx", hashlib.sha256(public).hexdigest())
    assert said.bits == (1024 if more else 2048)
    read = x509.from_spki(public)
    assert read is not None
    assert read.witness.fingerprint == said.fingerprint


def openssl(*words: str, given: bytes = b"") -> bytes:
    """Return what openssl says."""
    return subprocess.run(["openssl", *words], input=given, capture_output=True, check=True).stdout


def test_it_is_never_written_down() -> None:
    """The material has no repr."""
    parsed = keys.parse_private(KEYS["brainpoolP320t1"][0])
    assert parsed is not None
    assert isinstance(parsed.material, Foreign)
    assert repr(parsed.material) == "<foreign: withheld>"


# --- a curve as the algorithm -------------------------------------------------------------------

K256 = bytes.fromhex("2b8104000a")


def test_a_curve_as_the_algorithm(tmp_path: Path) -> None:
    """Seen in Hedera's SDKs: the algorithm is the curve, and the scalar stands without a point."""
    data = pkcs8(K256, b"", tlv(4, SECRET[:32]))
    assert scanned(tmp_path, data) == [("pkcs8-der", "ec", "secp256k1", Confidence.STRUCTURE)]


@pytest.mark.parametrize(
    "behind", [b"\0" * 6 + b"0T\2\1\1\4 \0\0\0nodejs:tls:session:1", bytes(32)]
)
def test_a_header_alone(tmp_path: Path, behind: bytes) -> None:
    """Seen in Hedera's SDK for Node.js, without any key: its headers stand in a pool of buffers."""
    assert not scanned(tmp_path, pkcs8(K256, b"", tlv(4, behind[:32].ljust(32, b"\0"))))
