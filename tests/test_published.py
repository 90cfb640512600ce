"""Keys that are public knowledge: the list is sound, and its keys are set aside."""

import base64
import hashlib
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from fixtures import elfcore, encodings, keys, noise
from scanner import correlate, gate, policy, published, rules
from scanner.detect import evidence
from scanner.detect.algebra import material
from scanner.detect.asn1 import pqc
from scanner.engine import scanning
from scanner.errors import RuleError
from scanner.model import Verdict
from scanner.progress import Silence

ROOT = Path(__file__).resolve().parent.parent
LISTS = sorted((ROOT / "rules" / "published").glob("*.toml"))
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
"""RFC 8032, section 7.1, test 1."""

MODULI = {
    "Netty": (
        "8206d6b260d0eb3373459e405bc1377a81a5a96bce0436f916cd68051ad5407b"
        "989950286aac03cd7609d0b3b06b6f770205844358e971b676869a18433a8464"
        "14cb9c584cae1445947e8a6c9343f18df7919fe24950410ee19b7526c94a194c"
        "fb85b043d200b28e0c678bd6dd2d62bf97c61a92e06ed5d19817ff454f2898dd"
        "068a396f5a52d61d68a32cdf3142dc9216e050eecb16f1170a01aaf2de9526e9"
        "451007e0a8ea59dfb62d13cda83c3e08e1009ab6677c1bb064673f6612bd8a1a"
        "2baab39875d1625a7f3f1ae30406409a42c9b386139bf5c517e7e4798c788bdc"
        "ea1dbca89dee727ab4626ec1da5d958b9d42feac5a1e31d2afaf4552dec1a685"
    ),
    "H2": (
        "dc0a13c602b7141110eade2f051b54777b060d0f74e6a110f9cce81159f271eb"
        "c88d8e8aa1f743b505fc2e7dfe38d33b8d3f64d1b363d1af4d877833897954cb"
        "aec2fa384c22a415498cf306bb07ac09b76b001cd68bf77ea0a628f5101959cf"
        "2993a9c23dbee79b19305977f8715ae78d023471194cc900b231eecb0aaea98d"
    ),
}


def of_row(row: dict[str, Any]) -> list[str]:
    """Return the fingerprints of a row: one, or those of keys that share its name and source."""
    return list(row.get("fingerprints") or [row["fingerprint"]])


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_row_says_what_and_where(path: Path) -> None:
    """A list has a source, and each of its keys a name and a fingerprint of its own."""
    table = tomllib.loads(path.read_text("utf-8"))
    assert table["source"].endswith(".")
    assert set(table) == {"source", "keys"}
    fingerprints = [one for row in table["keys"] for one in of_row(row)]
    assert len(set(fingerprints)) == len(fingerprints)
    for row in table["keys"]:
        one, some = {"name", "fingerprint"}, {"name", "fingerprints"}
        assert set(row) - {"source"} in (one, some)
        assert row.get("source", ".").endswith(".")


def test_all_lists_are_loaded() -> None:
    """Every key of every list is there, by its fingerprint."""
    rows = [row for path in LISTS for row in tomllib.loads(path.read_text("utf-8"))["keys"]]
    loaded = published.load()
    assert set(loaded) == {one for row in rows for one in of_row(row)}
    assert all(key == row.fingerprint for key, row in loaded.items())


def test_lists_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many dumps are judged, the lists are read for the first of them that holds a key."""
    read: list[dict[str, published.Published]] = []
    load = published.load
    monkeypatch.setattr(published, "load", lambda: read.append(load()) or read[-1])
    request = scanning.ScanRequest(path="", in_process=True, rules=rules.load())
    digests = dict.fromkeys(
        ("rules_sha256", "known_sha256", "policy_sha256", "baseline_sha256"), ""
    )
    judging = gate.Gate(request=request, ruling=policy.Ruling(), **digests)
    gate._published.cache_clear()
    key = encodings.pkcs8_pem(keys.ec_key())
    for name, held, times in (("none", b"", 0), ("one", key, 1), ("two", key, 1)):
        (tmp_path / name).write_bytes(noise.plant(noise.text(9000), 4000, held))
        (report,) = gate.judged(judging, str(tmp_path / name), Silence(), pytest.fail)
        assert report.verdict is (Verdict.BLOCKED if held else Verdict.INCOMPLETE)
        assert len(read) == times


def test_the_example_of_fido_is_listed() -> None:
    """Its private number is printed in the standard; its fingerprint here is what it derives."""
    text = "f3fccc0d00d8031954f90864d43c247f" + "4bf5f0665c6b50cc17749a27d1cf7664"
    public = ec.derive_private_key(int(text, 16), ec.SECP256R1()).public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert "FIDO" in published.load()[hashlib.sha256(spki).hexdigest()].source


def test_the_example_of_bitcoinlib_is_listed() -> None:
    """Its text is printed in the docstring of check_network_and_key."""
    number = 0
    for char in "L4dTuJf2ceEdWDvCPsLhYf8GiiuYqXtqfbcKdC21BPDvEM1ykJRC":
        number = number * 58 + ALPHABET.index(char)
    public = ec.derive_private_key(number >> 40 & (1 << 256) - 1, ec.SECP256K1()).public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert "bitcoinlib" in published.load()[hashlib.sha256(spki).hexdigest()].source


@pytest.mark.parametrize(
    ("source", "first", "second"),
    [
        ("bitcoinlib", "221ff330268a9bb5549a02c801764cff", "bc79d5c26f4041b26293a425fd5b557c"),
        ("testecc", "b1121e4088a66a28f5b6b0f5844943ec", "d9f610196d7bb83b25214b60452c09af"),
        ("BIP 340", "c90fdaa22168c234c4c6628b80dc1cd1", "29024e088a67cc74020bbea63b14e5c9"),
        ("ecpy.ecdsa", "fb26a4e75eec75544c0f44e937dcf5ee", "6355c7176600b9688c667e5c283b43c5"),
    ],
)
def test_the_keys_of_libraries_for_bitcoin_are_listed(source: str, first: str, second: str) -> None:
    """Their private numbers stand in docstrings, and in what tries a library of the curve."""
    public = ec.derive_private_key(int(first + second, 16), ec.SECP256K1()).public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert source in published.load()[hashlib.sha256(spki).hexdigest()].source


@pytest.mark.parametrize(
    ("source", "public"),
    [
        (
            "RFC 7520, section 5.5.1",
            (
                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZe2loSV3wrroKUN/4zhwGhCqo3Xh"
                "u1td4QjeQ5wIVR0eUu11cBFj9/nkDd+fNBs9ybqGCvfgynyn6e7NAITRnA=="
            ),
        ),
        (
            "RFC 9421, appendix B.1.3",
            (
                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf"
                "w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ=="
            ),
        ),
        (
            "RFC 9421, appendix B.1.4",
            "MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=",
        ),
    ],
)
def test_the_keys_of_standards_are_listed(source: str, public: str) -> None:
    """Their public halves are printed beside the private ones."""
    spki = base64.b64decode(public)
    assert source in published.load()[hashlib.sha256(spki).hexdigest()].source


@pytest.mark.parametrize(
    ("source", "public"),
    [
        ("ecdsa", "MCowBQYDK2VwAyEAIwBQ0NZkIiiO41WJfm5BV42u3kQm7lYnvIXmCy8qy2U="),
        (
            "cryptography-vectors",
            (
                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJLzzbuz2tRnLFlOL+6bTX6giVavA"
                "sc6NDFFT0IMCd2ibTTNUDDkFGsgq0cH5JYPg/6xUlMBFKrWYe3yQ4has9w=="
            ),
        ),
        (
            "PKITS",
            (
                "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuZlRiRFH4M1FuYQnghMCFs1EOaqs2wnD"
                "3uIsTtukV5+UNSg1wmtk9lsLbTxsb6DkzQBPNXS86qDzwOzX8WMUMrWg8i2qyIMiYkirTFv963nD"
                "vZY0/EdWtyyvsCnoMd93Auk0ydyq3Nf3aFT+IZUcsT/D84JbAAghtMdrF2sYxQbsOQknqIjubOql"
                "zI+/IACj07dIeMmv67Dm9KsdGt62dXa6fRuiG8ayU3rgxj9QiJGc8XB3aAPvpvIPOgzWKjItEKWV"
                "8EnmxEPP3GtQc2KBMBR2VuVvrKuc200maStE5i+SHqwsRNSH0RiHQCv73h9lVd8ZWLntLDvHWPIA"
                "1OUDjQIDAQAB"
            ),
        ),
        (
            "py_vapid",
            (
                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEJwJZq/GN8jJbo1GGpyU70hmP2hb"
                "WAUpQFKDByKB81yldJ9GTklBM5xqEwuPM7VuQcyiLDhvovthPIXx+gsQRQ=="
            ),
        ),
    ],
)
def test_the_keys_of_tests_for_python_are_listed(source: str, public: str) -> None:
    """Packages install their tests, whose public halves are these."""
    spki = base64.b64decode(public)
    assert source in published.load()[hashlib.sha256(spki).hexdigest()].source


def test_the_keys_that_documentation_of_debian_shows_are_listed() -> None:
    """A specification prints a public half; others stand in files beside the private ones."""
    numbers = [
        int.from_bytes(base64.urlsafe_b64decode(text + "="), "big")
        for text in (
            "m7zUpx3b-zmVE5cymSs64POG9QcyEpJaYCD82-549_Q",
            "dU3biz8sZ_8GPB-odm8Wxz3lNDr1xcAQQPQaOcr1fmc",
        )
    ]
    point = ec.EllipticCurvePublicNumbers(*numbers, ec.SECP256R1()).public_key()
    blob = base64.b64decode("IGaRAow/S++YWvT9l4XgcBwPFBTECa9GEFMoh7e/x0mi")
    seed = ed25519.Ed25519PublicKey.from_public_bytes(blob[-32:])
    blob = base64.b64decode("EvA4OYtMK/9P/rp2qlQTohvUZ/wkl8ZzE40Xlt+shZ0=")
    issuer = ed25519.Ed25519PublicKey.from_public_bytes(blob)
    sources = {"docker-registry": point, "r-cran-openssl": seed, "librust-rustls-dev": issuer}
    for source, public in sources.items():
        spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert source in published.load()[hashlib.sha256(spki).hexdigest()].source


def test_the_keys_that_servers_are_tested_with_are_listed() -> None:
    """The modulus stands in test/ssl/server.crt of Mosquitto."""
    spki = base64.b64decode(
        "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr202EHJ5c0WeB6PyjSjI"
        "A2MVfxEVDxs05+DPVp19O3xaa/MVwJAJ1CsMRGxK8A3PKGAegazn02bnXN6VddOZ"
        "kwFCMXxQ1J5uIrMbyQ/lM02tF/CcIGlXHugVvc9/CIpoFJ0+7yUKXj00x1sw+mX6"
        "D9KAuRGO3cKFP5ODiBVdZm+cjmcIz2FT1N32AQTuMtU4mJ3Vssrs/6G2CHmlPGaB"
        "/pa1AWczzrN96eX+st6a6LAY0yWAN/TX3DN5hRsYvKxZYecwRsJ1+bpUOQ45Z7dC"
        "BMeshKjNM/m4BdX/v6xe3Rou4oP0SbNiwNcpor5Lbm3tzwuQOQRlZl+CGUvQ2tuk"
        "7wIDAQAB"
    )
    assert "Mosquitto" in published.load()[hashlib.sha256(spki).hexdigest()].source


def test_the_examples_of_stellar_are_listed() -> None:
    """Its texts are printed in docstrings: a seed in base32, behind a tag and before a sum."""
    for text in (
        "SBFZCHU5645DOKRWYBXVOXY2ELGJKFRX6VGGPRYUWHQ7PMXXJNDZFMKD",
        "SB2LHKBL24ITV2Y346BU46XPEL45BDAFOOJLZ6SESCJZ6V5JMP7D6G5X",
    ):
        seed = base64.b32decode(text)[1:33]
        public = ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key()
        spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert "stellar_sdk" in published.load()[hashlib.sha256(spki).hexdigest()].source


def test_the_key_of_rbnacl_is_listed() -> None:
    """Its seed stands in test_vectors.rb."""
    text = "b18e1d0045995ec3d010c387ccfeb984" + "d783af8fbb0f40fa7db126d889f6dadd"
    public = ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text)).public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert "RbNaCl" in published.load()[hashlib.sha256(spki).hexdigest()].source


def test_the_key_of_jose_is_listed() -> None:
    """Its private number stands in jose_server.erl."""
    text = "6898580c1352fb9cab1fdecf004c7358" + "d2e5246a89c051999afee226f746e29d"
    public = ec.derive_private_key(int(text, 16), ec.SECP256R1()).public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert "jose" in published.load()[hashlib.sha256(spki).hexdigest()].source


@pytest.mark.parametrize(("source", "modulus"), MODULI.items())
def test_the_rsa_keys_of_java_libraries_are_listed(source: str, modulus: str) -> None:
    """They stand in OpenSsl.class of Netty and CipherFactory.class of H2; so do their moduli."""
    public = rsa.RSAPublicNumbers(65537, int(modulus, 16)).public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert source in published.load()[hashlib.sha256(spki).hexdigest()].source


def test_the_exchange_of_rfc_5114_is_listed() -> None:
    """Its appendix A.6 prints dA, which strongSwan's plugin of test vectors carries."""
    text = "814264145f2f56f2e96a8e337a128499" + "3faf432a5abce59e867b7291d507a3af"
    public = ec.derive_private_key(int(text, 16), ec.SECP256R1()).public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert "RFC 5114" in published.load()[hashlib.sha256(spki).hexdigest()].source


def test_the_key_that_chromium_carries_is_listed() -> None:
    """It lies in gzip in resources.pak, which all processes of Chromium map."""
    name = "ef55d76692e9339e99d09d9567f5837407bf4c2fe8d4a480a1f1a80580facbf1"
    assert "Chromium" in published.load()[name].source


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("wg-quick(8)", "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="),
        ("systemd.netdev(5)", "EEGlnEPYJV//kbvvIqxKkQwOiS+UENyPncC4bF46ong="),
    ],
)
def test_the_examples_of_manual_pages_are_listed(source: str, text: str) -> None:
    """Whoever reads the page holds them, and so does whoever made an image of the machine."""
    public = x25519.X25519PrivateKey.from_private_bytes(base64.b64decode(text)).public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert source in published.load()[hashlib.sha256(spki).hexdigest()].source


@pytest.mark.parametrize(
    ("who", "text"),
    [
        ("Alice", "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo="),
        ("Bob", "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw="),
    ],
)
def test_the_agreement_of_rfc_7518_is_listed(who: str, text: str) -> None:
    """Its appendix C prints both private keys."""
    number = int.from_bytes(base64.urlsafe_b64decode(text))
    public = ec.derive_private_key(number, ec.SECP256R1()).public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    listed = published.load()[hashlib.sha256(spki).hexdigest()]
    assert listed.source == f"RFC 7518, appendix C, {who}."


def test_the_example_of_web3_is_listed() -> None:
    """Its text stands in a docstring beside its public half, in every process that loads it."""
    text = "1e046a882bb38236b646c9f135cf90ad" + "90a140810f439875f2a6dd8e50fa261f"
    public = ec.derive_private_key(int(text, 16), ec.SECP256K1()).public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert "web3" in published.load()[hashlib.sha256(spki).hexdigest()].source


@pytest.mark.parametrize("first", [0, 1])
def test_scalars_and_seeds_that_count_are_listed(first: int) -> None:
    """Nobody draws one at random, and many libraries try themselves with one."""
    raw = bytes(range(first, first + 32))
    number = int.from_bytes(raw, "big")
    for key in (
        ec.derive_private_key(number, ec.SECP256R1()),
        ec.derive_private_key(number, ec.SECP256K1()),
        ed25519.Ed25519PrivateKey.from_private_bytes(raw),
        x25519.X25519PrivateKey.from_private_bytes(raw),
    ):
        spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert " ... " in published.load()[hashlib.sha256(spki).hexdigest()].source


def test_keys_of_one_source_may_share_a_row(tmp_path: Path) -> None:
    """Packages install hundreds of keys with their tests."""
    rows = "".join(f'"{digit * 64}",' for digit in "ab")
    (tmp_path / "list.toml").write_text(
        f'source = "S."\n[[keys]]\nname = "N"\nfingerprints = [{rows}]\n'
    )
    assert set(published.load(tmp_path)) == {"a" * 64, "b" * 64}


def test_what_the_endomorphism_of_secp256k1_multiplies_by_is_listed() -> None:
    """Of the cube roots of 1 modulo the order, and of their negatives, the points are known."""
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    root = pow(3, (order - 1) // 3, order)
    for number in (root, order - root, root * root % order, order - root * root % order):
        key = evidence.ec_derived("secp256k1", number)
        assert key is not None
        listed = published.load()[material.describe(key).fingerprint.value]
        assert "endomorphism" in listed.source


def test_the_key_of_the_self_test_of_ml_kem_in_go_is_listed() -> None:
    """Its seed counts from 1: every process of Go in FIPS mode derives it."""
    key = pqc.from_seed("ml-kem-768", bytes(range(1, 65)))
    assert "Go" in published.load()[material.describe(key).fingerprint.value].source


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("c6cb6d1e322b2e4edc98a284f983a8be89a18a53db897b7ec32f9aa382c50a5c", "Mbed TLS 2"),
        ("0d47bb32995c4f374228dd401ca46be4fe313ef89960c81b8c6db8b502f3f5c5", "Mbed TLS 2"),
        ("2f63edce32db43f8fc496e792455cfb5b2aa14657ca2f729376399e1a8846441", "AWS-LC"),
        ("dea54b3a3c4cf88bd66bb832f81fb82370a2591203093e730223c2fb50b3ce77", "AWS-LC"),
        ("5e22824f75a9f8ae795bfc2bc010cf13c74cb9452c85d4229ad18b57c27abcef", "FIPS module"),
        ("8bfb8f1401eb9c46eb5529364994319b6fc4744a6cbc8e2eaff568c51951377c", "NSS"),
        ("c24c09abd5ac0dcd60ec10a3703e403dae8b6ee654d30460c8335829dfe16c5f", "RFC 6979"),
        ("b9968d56ed8d6aa3fb43b15fa01e355d7a3a0203b1408b3fd2733637c4d1642c", "RustCrypto"),
        ("075ac329a3ee37fed4b396453a8a7ead2c796323b38036d68c8212e677026750", "Certbot"),
        ("37ba31e82c1c15f2b953ac225746d73a501191cb4a652c5ffdab0a131c998108", "Racket"),
        ("077a63aef37c165e07ff0ad90985bf991ee28af414d1ec4c85caebb0a5b8466e", "IBM"),
        ("9ab0326e19362eb0f414e73c43be42fe2e02e4a7aad9cb7133904e72d2f63ced", "IBM"),
        ("ff3ea9854eafa9217e69b68f4c390407c2af7f4a3df6c797a7ab8d47d50fe683", "hashcat"),
        ("4d0ae26caf7a87457218f9a2889b3db7a4a20feb24d835b78058d08cacd95831", "Ettercap"),
        ("13f24dfde0ba1dcc2eb80e0df8763a50e8ba5e89cb0793d5b4feb7f29950ec99", "Red Hat"),
        ("8cb702f429975446a362a815ae7783e7d4a741f47ea0853b107373701e10ed6b", "librdkafka"),
        ("c7c33a9a1bf0b606c384fb4b141f01191a14471f441f0cffd7865e4d81de754e", "smtp-server"),
        ("2aa6e28065f54e839655480a797289043e23c8fb307bcf35be3613c905792c9e", "Mockoon"),
        ("027ccdcaff80154b7bb55057357d59990e4dc401938a4065c3195508391531c5", "Browsersync"),
        ("53b676ee7841f03921dffb29ac9a24f4ae928ab5ee303d5e05959abac06432ee", "lws"),
        ("a0b54a1cbcbef1186a6e6420be92a7da4af08608ec84b630c45caa4a70ca3e91", "stubby"),
        ("bf482df804e1eef36592d7af0d7e8d3f25f6dedd4d4d4850c06e8e9332c1c976", "Selenium Wire"),
        ("94d71115241286373b1f722831bc4ec8abf377b222d618051e931cb7f8a57efa", "Twisted"),
        ("91fe4cab3ef9afc961cfc9d06d2d2b131fcee82c8b9bde02a39cc78ccb87081a", "smbtorture"),
    ],
)
def test_the_keys_that_libraries_carry_are_listed(name: str, source: str) -> None:
    """Keys of certs.c of Mbed TLS 2, of the self-tests of AWS-LC and OpenSSL's FIPS module.

    And those with which servers for development speak TLS where none is given, and of tests. Nonces
    of the self-tests of NSS and Libgcrypt (1.12) as well: each was blocked in its library.
    """
    assert source in published.load()[name].source


def test_the_example_of_sm2_is_listed() -> None:
    """Its private number is printed in the standard; no library here but this one derives it."""
    text = "3945208f7b2144b13f36e38ac6d39f95" + "889393692860b51a42fb81ef4df7c5b8"
    key = evidence.ec_derived("SM2", int(text, 16))
    assert key is not None
    listed = published.load()[material.describe(key).fingerprint.value]
    assert "GB/T 32918.5" in listed.source


def test_the_key_on_p_192_of_crypto_is_listed() -> None:
    """Its PKCS#8 object stands in the library as hex, without its point: fipstest.cpp."""
    key = evidence.ec_derived("P-192", 0x2BB8A13C8B867010BD9471D9E81FDB01ABD0538C64D6249A)
    assert key is not None
    listed = published.load()[material.describe(key).fingerprint.value]
    assert "Crypto++" in listed.source


def test_the_accounts_for_development_are_listed() -> None:
    """Anvil prints their private keys at each start: this is the first."""
    text = "ac0974bec39a17e36ba4a6b4d238ff944" + "bacb478cbed5efcae784d7bf4f2ff80"
    key = evidence.ec_derived("secp256k1", int(text, 16))
    assert key is not None
    assert "Anvil" in published.load()[material.describe(key).fingerprint.value].source


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        'source = "x"',
        '[[keys]]\nname = "x"\nfingerprint = "00"',
        'source = "x"\n[[keys]]\nname = "x"\nfingerprint = "00"',
        'source = "x"\n[[keys]]\nname = "x"\nfingerprint = 5',
        f'source = "x"\n[[keys]]\nfingerprint = "{"0" * 64}"',
        'source = "x"\nkeys = 5',
    ],
)
def test_a_list_that_is_none(tmp_path: Path, text: str) -> None:
    """A list without a source, or with a key that has no SHA-256, is refused by name."""
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    with pytest.raises(RuleError, match=r"mine\.toml"):
        published.load(tmp_path)


def test_a_key_of_a_standard_does_not_block(tmp_path: Path) -> None:
    """The private key of an RFC's example is found, listed with its source, and passes."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(SEED)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    data = noise.plant(noise.text(4096), 1000, der)
    path = tmp_path / "core"
    path.write_bytes(elfcore.write([elfcore.Segment(address=0x1000, data=data)]).data)
    loaded = rules.load()
    scanned = scanning.scan(
        scanning.ScanRequest(path=str(path), in_process=True, rules=loaded), Silence()
    )
    found = correlate.findings(scanned, loaded)
    report = policy.judge(scanned, *correlate.set_aside(found, published.load()))
    assert (report.findings, report.verdict) == ((), Verdict.PASS)
    (aside,) = report.suppressed
    assert aside.note.startswith("published: RFC 8032, section 7.1, test 1")
