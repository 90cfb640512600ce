"""Post-quantum private keys in PKCS#8."""

import hashlib
import pickle
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import pqc, services
from fixtures.keystores import tlv
from scanner.detect.algebra import mldsa, mlkem
from scanner.detect.algebra.material import Pqc, describe
from scanner.detect.asn1 import keys, x509
from scanner.detect.asn1 import pqc as detector
from scanner.model import Confidence


def parse(data: bytes) -> tuple[Pqc, Confidence]:
    """Parse a key that must be one."""
    parsed = keys.parse_private(data)
    assert parsed is not None
    assert isinstance(parsed.material, Pqc)
    assert parsed.size == len(data)
    return parsed.material, parsed.confidence


@pytest.mark.parametrize("name", sorted(pqc.OIDS))
def test_keys_without_a_library(name: str) -> None:
    """SLH-DSA keys, expanded ML-KEM keys and seeds are structures, named where they can be."""
    key, confidence = parse(pqc.pkcs8(name))
    assert (key.algorithm, confidence) == (name, Confidence.STRUCTURE)
    wanted = {
        "slh": pqc.slh,
        "ml-k": lambda n: pqc.decapsulation_key(n)[1],
        "ml-d": lambda n: mldsa.keys(n, pqc.seed(n))[0],
        "x-wing": lambda n: services.x_wing_public(pqc.seed(n)),
    }
    for start, public in wanted.items():
        if name.startswith(start):
            raw = public(name)[-len(key.public) :]
            digest = hashlib.sha256(pqc.spki(name, raw)).hexdigest()
            assert describe(key).fingerprint.value == digest
            witness = x509.from_spki(pqc.spki(name, raw))
            assert witness is not None
            assert witness.witness.fingerprint.value == digest


@pytest.mark.parametrize("name", sorted(pqc.RANKS))
def test_an_expanded_key_must_hash(name: str) -> None:
    """A decapsulation key whose hash is not that of its public half is none."""
    dk, _ = pqc.decapsulation_key(name)
    for at in (len(dk) // 2, len(dk) - 40):
        broken = dk[:at] + bytes((dk[at] ^ 1,)) + dk[at + 1 :]
        assert keys.parse_private(pqc.wrapped(name, tlv(4, broken))) is None
    both = tlv(0x30, tlv(4, bytes(range(64))), tlv(4, dk))
    assert keys.parse_private(pqc.wrapped(name, both)) is None


@pytest.mark.parametrize("name", sorted(mlkem.SETS))
def test_an_expanded_key_whose_equation_closes(name: str) -> None:
    """It is proved by itself; with another s it is a structure, beside its seed none."""
    seed = pqc.seed(name)
    _, expanded = mlkem.keys(name, seed[:32], seed[32:])
    other = bytes((expanded[0] ^ 1,)) + expanded[1:]
    parsed = keys.parse_private(pqc.wrapped(name, tlv(4, expanded)))
    assert parsed is not None
    assert (parsed.confidence, parsed.proof) == (Confidence.PROOF, "A*s + e = t")
    assert parse(pqc.wrapped(name, tlv(4, other)))[1] is Confidence.STRUCTURE
    whole = tlv(0x30, tlv(4, seed), tlv(4, expanded))
    assert parse(pqc.wrapped(name, whole))[1] is Confidence.PROOF
    broken = tlv(0x30, tlv(4, seed), tlv(4, other))
    assert keys.parse_private(pqc.wrapped(name, broken)) is None


@pytest.mark.parametrize(
    "inner",
    [
        tlv(0x80, bytes(32)),
        tlv(0x80, bytes(range(31))),
        tlv(4, bytes(range(256)) * 10),
        tlv(4, b""),
        tlv(0x30, tlv(4, b""), tlv(4, b"")),
        tlv(0x80, bytes(range(32))) + b"\0",
        b"",
    ],
)
def test_what_is_no_key(inner: bytes) -> None:
    """Zeros, other lengths, coefficients out of bounds and loose ends are refused."""
    assert keys.parse_private(pqc.wrapped("ml-dsa-44", inner)) is None


@pytest.mark.parametrize("name", sorted(mldsa.SETS))
def test_halves_of_two_keys_are_none(name: str) -> None:
    """A seed beside the expanded key of another one is refused."""
    _, expanded = mldsa.keys(name, pqc.noise("another", 32))
    whole = tlv(0x30, tlv(4, pqc.seed(name)), tlv(4, expanded))
    assert keys.parse_private(pqc.wrapped(name, whole)) is None
    parsed = keys.parse_private(pqc.wrapped(name, tlv(4, expanded)))
    assert parsed is not None
    assert (parsed.confidence, parsed.proof) == (Confidence.PROOF, "A*s1 + s2 = t")


def test_only_what_is_private_is_private() -> None:
    """Of an expanded key the parts that stand in its public half are no secrets."""
    for name in pqc.OIDS:
        key, _ = parse(pqc.pkcs8(name))
        private = [raw for _, raw in detector.parts(key) if raw]
        assert sum(map(len, private)) < max(len(key.expanded) - 32, 65)
        assert not any(key.public[:32] in raw or key.public[-32:] in raw for raw in private)


def test_a_key_is_never_written_down() -> None:
    """The material has no repr and no pickle."""
    key, _ = parse(pqc.pkcs8("ml-kem-768"))
    assert repr(key) == "<pqc: withheld>"
    with pytest.raises(TypeError):
        pickle.dumps(key)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(pqc.OIDS)), st.data())
def test_arbitrary_bytes_raise_nothing(name: str, data: st.DataObject) -> None:
    """Whatever byte changes, nothing is raised."""
    blob = bytearray(pqc.pkcs8(name))
    blob[data.draw(st.integers(0, len(blob) - 1))] = data.draw(st.integers(0, 255))
    parsed = keys.parse_private(bytes(blob))
    assert parsed is None or parsed.size <= len(blob)


OPENSSL = [*sorted(set(pqc.OIDS) - {"slh-dsa-shake-256f", "x-wing"})]
FORMS = ("seed-priv", "priv-only", "seed-only")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
@pytest.mark.parametrize("name", OPENSSL)
@pytest.mark.parametrize("form", FORMS)
def test_what_openssl_makes(name: str, form: str) -> None:
    """Every form is read, named as openssl names it, and proved where seed and key agree."""
    family = "ml-dsa" if name.startswith("ml-dsa") else "ml-kem"
    make = ["openssl", "genpkey", "-algorithm", name.upper().replace("128S", "128s")]
    if name.startswith("slh") and form != FORMS[0]:
        return
    options = ["-provparam", f"{family}.output_formats={form}"]
    done = subprocess.run([*make, *options, "-outform", "DER"], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this openssl has no such keys")
    public = subprocess.run(
        ["openssl", "pkey", "-pubout", "-outform", "DER"],
        input=done.stdout,
        capture_output=True,
        check=True,
    ).stdout
    key, confidence = parse(done.stdout)
    alone = form == "seed-only" or name.startswith("slh")  # no equation closes in itself
    assert confidence is (Confidence.STRUCTURE if alone else Confidence.PROOF)
    assert describe(key).fingerprint.value == hashlib.sha256(public).hexdigest()
    assert x509.from_spki(public) is not None
