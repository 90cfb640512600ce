"""DER private keys: found wherever they lie, proved or refused."""

import dataclasses
import pickle
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import described, encodings, noise
from fixtures import keys as recipes
from scanner import rules
from scanner.detect import anchors
from scanner.detect.algebra import curve_points
from scanner.detect.algebra.material import Foreign
from scanner.detect.asn1 import der, keys
from scanner.dump import source, space
from scanner.model import Confidence, Layout, Place, Region
from tests.detect.one_space import Bytes

RULES = tuple(rule for rule in rules.load() if rule.detector == "keys")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))

RSA = [recipes.rsa_key(bits) for bits in (512, 768, 1024, 1032, 2048, 4096)]
EC = [recipes.ec_key(curve) for curve in recipes.CURVES]
OKP = [recipes.okp_key(algorithm) for algorithm in recipes.SEED_BYTES]

PROVED = [
    *((key, encodings.pkcs1_der(key)) for key in RSA),
    *((key, encodings.pkcs8_der(key)) for key in (*RSA, *EC)),
    *((key, encodings.sec1_der(key)) for key in EC),
    *((key, encodings.okp_pkcs8_der(key, with_public=True)) for key in OKP),
]
UNPROVED = [
    *((key, encodings.sec1_der(key, with_public=False)) for key in EC),
    *((key, encodings.okp_pkcs8_der(key, with_public=False)) for key in OKP),
]


def find(data: bytes) -> list[keys.Proved]:
    """Run the rules over the bytes."""
    return [
        found
        for rule, offset in SWEEPER.sweep(data)
        for found in keys.examine(Bytes(data), 0, offset, RULES[rule])
    ]


def _ids(pair: object) -> str | None:
    if isinstance(pair, recipes.RsaKey):
        return f"rsa-{pair.bits}"
    return getattr(pair, "curve", None) or getattr(pair, "algorithm", None)


@pytest.mark.parametrize(("key", "data"), [*PROVED, *UNPROVED], ids=_ids)
def test_keys_are_found_and_named(key: recipes.Key, data: bytes) -> None:
    """Each form is found at its place, with the fingerprint that a foreign library gives it."""
    proof = (key, data) in PROVED
    found = find(b"\x30\x82" * 50 + data + b"\x30" * 70)
    whole = [
        each
        for each in found
        if each.candidate.places == (Place(space=0, offset=100, size=len(data)),)
    ]
    assert len(whole) == 1
    candidate = whole[0].candidate
    assert candidate.fingerprint.value == key.spki_sha256
    assert candidate.confidence is (Confidence.PROOF if proof else Confidence.STRUCTURE)
    assert bool(candidate.proof) == proof
    assert {each.candidate.fingerprint.value for each in found} == {key.spki_sha256}


@pytest.mark.parametrize(
    ("data", "rule", "encoding"),
    [
        (encodings.pkcs1_der(RSA[2]), "pkcs1-der", "PKCS1-DER"),
        (encodings.okp_pkcs8_der(OKP[0], with_public=False), "pkcs8-der", "PKCS8-DER"),
        (encodings.sec1_der(EC[0]), "sec1-der", "SEC1-DER"),
    ],
)
def test_candidates_name_their_rule_and_encoding(data: bytes, rule: str, encoding: str) -> None:
    """A candidate says which rule found it, and in what form."""
    [found] = find(data)
    assert (found.candidate.rule, found.candidate.encoding) == (rule, encoding)
    assert found.candidate.kind == "private-key"


@pytest.mark.parametrize(("key", "data"), [*PROVED, *UNPROVED], ids=_ids)
def test_cut_keys_are_nothing(key: recipes.Key, data: bytes) -> None:
    """A key without its end is none, and nothing is raised on the way."""
    del key
    for size in {*range(0, len(data), 97), *range(len(data) - 3, len(data))}:
        assert keys.parse_private(data[:size]) is None
    assert all(each.candidate.places[0].offset > 0 for each in find(data[:-1]))


def _private_bytes(key: recipes.Key) -> list[bytes]:
    if isinstance(key, recipes.RsaKey):
        return [encodings.big_endian(value) for value in (key.d, key.p, key.q)]
    if isinstance(key, recipes.EcKey):
        return [encodings.big_endian(key.d, key.field_bytes)]
    return [key.seed]


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(PROVED), st.data())
def test_a_flipped_bit_in_a_private_part_proves_nothing(
    pair: tuple[recipes.Key, bytes], draw: st.DataObject
) -> None:
    """The arithmetic sees any change of a private number."""
    key, data = pair
    part = draw.draw(st.sampled_from(_private_bytes(key)))
    at = data.index(part)
    bit = draw.draw(st.integers(0, 8 * len(part) - 1))
    flipped = bytearray(data)
    flipped[at + bit // 8] ^= 1 << bit % 8
    clamped = isinstance(key, recipes.OkpKey) and key.algorithm.startswith("x")
    parsed = keys.parse_private(bytes(flipped))
    assert parsed is None or clamped or parsed.confidence is not Confidence.PROOF
    # RFC 7748 ignores some bits of a private key: such a change makes no other key.
    assert (
        parsed is None
        or keys.candidate(parsed, RULES[0], "", ()).fingerprint.value == key.spki_sha256
    )


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([*PROVED, *UNPROVED]),
    st.integers(0, 300),
    st.binary(max_size=40),
)
def test_any_place_will_do(pair: tuple[recipes.Key, bytes], at: int, after: bytes) -> None:
    """The bytes around a key change nothing of it."""
    key, data = pair
    noise = bytes((i * 151 + 7) % 256 for i in range(at))
    names = {each.candidate.fingerprint.value for each in find(noise + data + after)}
    assert names == {key.spki_sha256}


@settings(max_examples=30)
@given(st.binary(max_size=120), st.sampled_from([pair[1][:40] for pair in PROVED]))
def test_no_bytes_raise(tail: bytes, head: bytes) -> None:
    """Random bytes are no key, not even behind the beginning of one."""
    assert find(tail) == []
    assert find(head + tail) == []
    assert keys.parse_private(tail) is None


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([*PROVED, *UNPROVED]), st.data())
def test_damage_anywhere_raises_nothing(
    pair: tuple[recipes.Key, bytes], draw: st.DataObject
) -> None:
    """A key with a few bytes overwritten is found or is not."""
    data = bytearray(pair[1])
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(0, min(len(data) - 1, 80)))] = draw.draw(st.integers(0, 255))
    find(bytes(data))
    keys.parse_private(bytes(data))


def _integer(value: int) -> bytes:
    return der.write(der.INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _rsa_der(*values: int, version: int = 0, others: bytes = b"") -> bytes:
    return der.write(der.SEQUENCE, b"".join(map(_integer, (version, *values))) + others)


def test_more_primes_than_two_are_multiplied() -> None:
    """A key of three primes (RFC 8017) is proved by their product, and refused without."""
    one, two = recipes.rsa_key(1024), recipes.rsa_key(1024, label="second")
    p, q, r = one.p, one.q, two.p
    n, phi = p * q * r, (p - 1) * (q - 1) * (r - 1)
    d = pow(65537, -1, phi)
    crt = (d % (p - 1), d % (q - 1), pow(q, -1, p))
    third = (r, d % (r - 1), pow(p * q, -1, r))
    other = der.write(der.SEQUENCE, b"".join(map(_integer, third)))
    others = der.write(der.SEQUENCE, other)
    parsed = keys.parse_private(_rsa_der(n, 65537, d, p, q, *crt, version=1, others=others))
    assert parsed is not None
    assert parsed.proof == "product of the primes = n"
    assert keys.parse_private(_rsa_der(n, 65537, d, p, q, *crt)) is None
    assert keys.parse_private(_rsa_der(n, 65537, d, p, q, *crt, version=0, others=others)) is None
    trivial = _rsa_der(n, 65537, d, n, 1, *crt)
    assert keys.parse_private(trivial) is None


def test_both_private_exponents_are_taken() -> None:
    """The exponent may be reduced modulo (p-1)(q-1) or modulo their least common multiple."""
    key = recipes.rsa_key(1024)
    for d in (key.d, key.d_euler):
        parsed = keys.parse_private(
            _rsa_der(key.n, key.e, d, key.p, key.q, key.dp, key.dq, key.qinv)
        )
        assert parsed is not None
    wrong = _rsa_der(key.n, key.e, key.d + 2, key.p, key.q, key.dp, key.dq, key.qinv)
    assert keys.parse_private(wrong) is None


def _sec1(scalar: bytes, *, oid: bytes = b"", point: bytes = b"") -> bytes:
    body = _integer(1) + der.write(der.OCTET_STRING, scalar)
    if oid:
        body += der.write(0xA0, der.write(der.OID, oid))
    if point:
        body += der.write(0xA1, der.write(der.BIT_STRING, b"\0" + point))
    return der.write(der.SEQUENCE, body)


P256 = bytes.fromhex("2a8648ce3d030107")
K1 = bytes.fromhex("2b8104000a")


def test_a_point_may_be_compressed_and_the_curve_unnamed() -> None:
    """The point tells its curve, whatever its form."""
    for key in EC:
        size = key.field_bytes
        scalar = key.d.to_bytes(size, "big")
        points = (
            encodings.public_point(key),
            bytes((2 + key.y % 2,)) + key.x.to_bytes(size, "big"),
        )
        for point in points:
            [found] = find(_sec1(scalar, point=point))
            assert found.candidate.fingerprint.value == key.spki_sha256
            assert found.candidate.proof == "d*G = Q"
        assert find(_sec1(scalar, point=bytes((3 - key.y % 2,)) + points[1][1:])) == []


@pytest.mark.parametrize("curve", list(curve_points.CURVES))
def test_every_curve_is_known(curve: str) -> None:
    """A key on any of the curves is proved in all its forms."""
    private = ec.derive_private_key(
        0xFEDCBA9876543210_0F1E2D3C4B5A6978, curve_points.CURVES[curve]()
    )
    point = private.public_key().public_numbers()
    key = recipes.EcKey(
        label="", curve=curve, d=0xFEDCBA9876543210_0F1E2D3C4B5A6978, x=point.x, y=point.y
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(recipes.CURVES, curve, curve_points.CURVES[curve])
        name, data = key.spki_sha256, encodings.pkcs8_der(key)
    assert {each.candidate.fingerprint.value for each in find(data)} == {name}


def test_old_encoders_drop_leading_zeros() -> None:
    """A scalar shorter than the field is the same number."""
    key = EC[0]
    d = key.d >> 17
    point = ec.derive_private_key(d, ec.SECP256R1()).public_key().public_numbers()
    [found] = find(_sec1(d.to_bytes(30, "big"), oid=P256))
    assert isinstance(found.material, keys.Ec)
    assert (found.material.x, found.material.y) == (point.x, point.y)


def test_a_zero_before_a_scalar() -> None:
    """Seen in gnutls-cli: a scalar with its highest bit set is written as an INTEGER would be."""
    key = EC[0]
    [found] = find(_sec1(b"\0" + key.d.to_bytes(32, "big"), oid=P256))
    assert found.candidate.fingerprint.value == key.spki_sha256
    assert find(_sec1(b"\1" + key.d.to_bytes(32, "big"), oid=P256)) == []


def test_a_bare_scalar_takes_the_curve_that_stands_before_it() -> None:
    """Inside of PKCS#8 without its header, the algorithm still names the curve."""
    scalar = recipes.ec_key("secp256k1").d.to_bytes(32, "big")
    bare = _sec1(scalar)
    [usual] = find(bare)
    assert (usual.candidate.curve, usual.candidate.confidence) == ("P-256", Confidence.STRUCTURE)
    assert usual.candidate.encoding == keys.SEC1_WITHIN
    before = der.write(der.OID, K1) + bytes((der.OCTET_STRING, len(bare)))
    [named] = find(bytes(20) + before + bare)
    assert named.candidate.fingerprint.value == recipes.ec_key("secp256k1").spki_sha256
    assert named.candidate.encoding == "SEC1-DER"


@pytest.mark.parametrize(
    "scalar",
    [bytes(32), b"\xff" * 32, b"\0" * 31 + b"\1", b"abcd" * 8],
    ids=["zero", "above the order", "one", "repeated"],
)
def test_absurd_scalars_are_no_keys(scalar: bytes) -> None:
    """What no generator makes is not taken for a key on its form alone."""
    assert find(_sec1(scalar, oid=P256)) == []


def test_headers_before_pointers() -> None:
    """Seen in HPKE for JavaScript, without any key: arrays of headers, before V8's own words."""
    head = bytes.fromhex("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420")
    behind = "2e6a730000308ba4f54e0600005902509b7b22000041f11ebb193c0000e9f01e"
    assert find(head + bytes.fromhex(behind)) == []
    assert find(head + EC[0].d.to_bytes(32, "big"))


def test_algorithms_that_disagree_are_refused() -> None:
    """The curve inside of PKCS#8 is the curve outside, and so is the point."""
    key = EC[0]
    inner = _sec1(key.d.to_bytes(32, "big"), oid=K1)
    algorithm = der.write(
        der.SEQUENCE, der.write(der.OID, keys.EC_PUBLIC_KEY) + der.write(der.OID, P256)
    )
    outer = der.write(der.SEQUENCE, _integer(0) + algorithm + der.write(der.OCTET_STRING, inner))
    assert keys.parse_private(outer) is None
    assert keys.parse_private(outer.replace(K1, K1[:-1] + b"\x0b")) is None


def test_a_wrapped_public_key_is_read_too() -> None:
    """Some writers of RFC 8410 keys put the public key in an explicit tag."""
    key = OKP[0]
    plain = encodings.okp_pkcs8_der(key, with_public=True)
    body = plain[2 : plain.index(b"\x81\x21\0")]
    wrapped = der.write(0xA1, der.write(der.BIT_STRING, b"\0" + key.public))
    [found] = find(der.write(der.SEQUENCE, body + wrapped))
    assert found.candidate.proof == "seed derives the public key"
    assert find(der.write(der.SEQUENCE, body + wrapped[:-1] + b"\x55")) == []


def test_a_key_that_straddles_two_regions_is_whole(tmp_path: Path) -> None:
    """Regions adjacent in address are one space, wherever their bytes stand in the file."""
    key = recipes.rsa_key(2048)
    data = bytes(64) + encodings.pkcs8_der(key) + bytes(64)
    for cut in (66, 70, 80, 700, len(data) - 65):
        path = tmp_path / "dump"
        path.write_bytes(data[cut:] + b"\xff" * 9 + data[:cut])
        size = path.stat().st_size
        regions = (
            Region(start=0x7000, size=cut, file_offset=size - cut),
            Region(start=0x7000 + cut, size=len(data) - cut, file_offset=0),
        )
        space_map, faults = space.build(Layout(format="raw", regions=regions), size)
        assert faults == ()
        with source.open_file(str(path)) as file:
            memory = space.Memory(space_map, file)
            number = int(np.flatnonzero(space_map.size == len(data))[0])
            found = [
                each.candidate
                for rule, offset in SWEEPER.sweep(memory.read(number, 0, len(data)))
                for each in keys.examine(memory, number, offset, RULES[rule])
            ]
        assert {each.rule for each in found} == {"pkcs8-der", "pkcs1-der"}
        assert {each.fingerprint.value for each in found} == {key.spki_sha256}


def test_nothing_of_a_secret_is_said() -> None:
    """Neither the repr nor the pickle of what was parsed holds a number of it."""
    parsed = keys.parse_private(encodings.pkcs1_der(recipes.canary()))
    assert parsed is not None
    assert len(repr(parsed)) < 80
    with pytest.raises(TypeError):
        pickle.dumps(parsed)
    [found] = find(encodings.pkcs1_der(recipes.canary()))
    text = repr(found) + repr(dataclasses.asdict(found.candidate))
    assert not any(
        str(value) in text or f"{value:x}" in text
        for value in recipes.canary().private_values().values()
    )


HEADERS = bytes.fromhex(
    "302e020100300506032b656e04220420302e020100300506032b657004220420"
    "3046020100300506032b656f043a04383047020100300506032b6571043b0439"
)
"""Of PKCS#8 (RFC 8410 section 7), for X25519, Ed25519, X448 and Ed448."""


def test_headers_end_to_end_are_no_keys() -> None:
    """The headers that SoftHSM puts before its keys, one behind the other, hold none."""
    assert find(HEADERS + bytes(64)) == []


def test_headers_of_other_kinds_behind_one_are_no_key() -> None:
    """Seen in libxul: the headers of Ed25519, X25519 and P-256 keys, as varied as a seed is."""
    headers = (
        "302e020100300506032b657004220420",
        "302e020100300506032b656e04220420",
        "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201",
    )
    assert find(bytes.fromhex("".join(headers)) + noise.uniform(64, 1)) == []
    seed = noise.uniform(32, 2)
    assert len(find(bytes.fromhex(headers[0]) + seed + bytes.fromhex(headers[1]))) == 1


def test_a_header_before_zeros_and_tables_is_no_key() -> None:
    """Seen in libldns: the header of an Ed448 key that it writes before seeds, then what follows.

    Sixteen zeros, constants of MD5 and of SHA-2, as varied as a seed is.
    """
    header = bytes.fromhex("3047020100300506032b6571043b0439")
    tables = bytes.fromhex(
        "0123456789abcdeffedcba987654321067e6096a85ae67bb72f36e3c3af54fa57f520e518c68059b"
    )
    assert find(header + bytes(16) + tables + bytes(16)) == []
    assert len(find(header + noise.uniform(57, 1) + tables)) == 1


@pytest.mark.parametrize(
    ("curve", "compressed"), [("P-256", False), ("secp256k1", False), ("secp256k1", True)]
)
def test_a_curve_that_is_described_instead_of_named(curve: str, compressed: bool) -> None:
    """OpenSSL writes it so when asked, and Bitcoin's wallets in every record."""
    key = recipes.ec_key(curve)
    for write in (described.sec1_der, described.pkcs8_der):
        data = write(key, compressed=compressed)
        places = (Place(space=0, offset=9, size=len(data)),)
        found = find(b"\xff" * 9 + data + bytes(9))
        whole = [each.candidate for each in found if each.candidate.places == places]
        assert [each.proof for each in whole] == ["d*G = Q"]
        assert {each.candidate.fingerprint.value for each in found} == {key.spki_sha256}


def test_a_curve_that_is_described_and_unknown() -> None:
    """Another generator is another curve, though all the rest were those of a known one.

    The key is told as one of an unknown curve, named by the point beside it: nothing proves it.
    """
    key = recipes.ec_key("secp256k1")
    data = described.sec1_der(key, compressed=True)
    x = described.CURVES["secp256k1"][2][0].to_bytes(32, "big")
    assert find(data)
    (found,) = find(data.replace(x, x[::-1]))
    assert isinstance(found.material, Foreign)
    assert found.candidate.confidence is Confidence.STRUCTURE
    assert found.candidate.curve == ""
