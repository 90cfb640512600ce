"""Public members of S-expressions, and exponents that have lost theirs."""

from collections.abc import Callable, Iterable

import pytest

from fixtures import containers, encodings, keys, noise
from scanner import rules
from scanner.detect import anchors
from scanner.detect.algebra import edwards25519, effort, publics
from scanner.detect.algebra.curve_points import derive
from scanner.detect.algebra.publics import BARE, PublicKey
from scanner.detect.asn1.keys import Proved
from scanner.detect.openpgp import sexp
from scanner.model import Confidence
from tests.detect.damaged.test_headless_dsa import key, named
from tests.detect.one_space import Bytes

(RULE,) = (rule for rule in rules.load() if rule.detector == "sexp")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors((RULE,)))

WHOLE = (containers.sexp_hex, containers.sexp_canonical, containers.sexp_object)
MEMBERS = (containers.members_hex, containers.members_canonical, containers.members_object)

KEYS = {
    "rsa": keys.rsa_key(2048),
    **{curve: keys.ec_key(curve) for curve in ("P-256", "P-521", "secp256k1", "brainpoolP384r1")},
    **{name: keys.okp_key(name) for name in ("ed25519", "x25519", "ed448", "x448")},
}

Write = Callable[..., bytes]


def found(data: bytes) -> list[Proved | PublicKey]:
    """Run the rule over the bytes."""
    return [
        seen
        for _, offset in SWEEPER.sweep(data)
        for seen in sexp.examine(Bytes(data), 0, offset, RULE)
    ]


def group(bits: int = 256, size: int = 1024) -> list[tuple[str, bytes]]:
    """Return p, q, g and y, each with a zero byte where its first bit is set."""
    public = key(bits, size).private_numbers().public_numbers
    of = public.parameter_numbers
    numbers = {"p": of.p, "q": of.q, "g": of.g, "y": public.y}
    return [(name, value.to_bytes(value.bit_length() // 8 + 1)) for name, value in numbers.items()]


def exponent(bits: int = 256, size: int = 1024) -> tuple[str, bytes]:
    """Return x, with a zero byte before it."""
    return "x", key(bits, size).private_numbers().x.to_bytes(bits // 8 + 1)


def in_text(*parts: bytes, apart: int = 3700) -> bytes:
    """Write parts so many bytes apart into text."""
    data, at = noise.text(16_000, 4), 600
    for part in parts:
        data = noise.plant(data, at, part)
        at += len(part) + apart
    return data


# --- public members -----------------------------------------------------------------------------


@pytest.mark.parametrize("write", WHOLE)
@pytest.mark.parametrize("of", KEYS)
def test_public_members_bear_witness(write: Write, of: str) -> None:
    """A public key of any kind is read in each spelling; a private one that proves itself is not.

    What is read has the place of the public members alone, which are not searched again.
    """
    data = in_text(write(KEYS[of], private=False))
    (public,) = found(data)
    assert isinstance(public, PublicKey)
    assert public.witness.fingerprint.value == KEYS[of].spki_sha256
    assert public.witness.kind == BARE
    place = public.witness.place
    assert place is not None
    assert public.independent
    last = {containers.sexp_object: b"\x04", containers.sexp_hex: b"#)"}.get(write, b")")
    assert data[place.offset : place.offset + place.size].endswith(last)
    assert not any(isinstance(seen, PublicKey) for seen in found(in_text(write(KEYS[of]))))


@pytest.mark.parametrize("wide", [False, True])
def test_members_in_wide_text(*, wide: bool) -> None:
    """A buffer of two bytes a character is read as others are."""
    text = containers.sexp_hex(KEYS["P-256"], private=False)
    (public,) = found(in_text(encodings.utf16(text) if wide else text))
    assert isinstance(public, PublicKey)
    assert public.witness.fingerprint.value == KEYS["P-256"].spki_sha256


@pytest.mark.parametrize("write", MEMBERS)
@pytest.mark.parametrize("bits", [160, 256])
def test_a_group_and_a_public_number(write: Write, bits: int) -> None:
    """Those of DSA, and of ElGamal, where nothing names an order, are a public key."""
    (public,) = found(in_text(write(group(bits))))
    assert isinstance(public, PublicKey)
    assert (public.algorithm, public.witness.fingerprint.value) == ("dsa", named(bits))
    without = [row for row in group(bits) if row[0] != "q"]
    (public,) = found(in_text(write(without)))
    assert isinstance(public, PublicKey)
    assert (public.algorithm, public.group[1]) == ("dh", 0)


@pytest.mark.parametrize("name", ["p", "q", "g", "y"])
def test_no_group_without_each_member(name: str) -> None:
    """A p that is gone, an order that does not divide p - 1, another generator: no public key."""
    rows = group()
    lost = containers.members_object(row for row in rows if row[0] != name)
    assert all(seen.algorithm == "dh" for seen in found(in_text(lost)) if name == "q")
    assert name == "q" or found(in_text(lost)) == []
    other = [(n, bytes(v[:-1]) + bytes((v[-1] ^ 2,)) if n == name else v) for n, v in rows]
    seen = found(in_text(containers.members_object(other)))
    assert (seen == []) == (name != "y")  # of y alone nothing is known


@pytest.mark.parametrize("of", ["P-521", "secp256k1", "brainpoolP384r1"])
def test_the_last_curve_that_is_named_counts(of: str) -> None:
    """Seen in Libgcrypt: keys that lie close, and the name of another's curve before one."""
    for before in ("ed25519", "P-256"):
        data = containers.sexp_object(KEYS[before]) + bytes(8) + containers.sexp_object(KEYS[of])
        names = {
            each.candidate.fingerprint.value
            for each in found(in_text(data))
            if isinstance(each, Proved)
        }
        assert names == {KEYS[before].spki_sha256, KEYS[of].spki_sha256}


def test_no_point_off_its_curve() -> None:
    """Another curve's point, one bit of it, a few zeros: no public key."""
    right = containers.sexp_canonical(KEYS["P-256"], private=False)
    point = encodings.public_point(KEYS["P-256"])
    for wrong in (
        right.replace(point, point[:-1] + bytes((point[-1] ^ 1,))),
        right.replace(b"10:NIST P-256", b"9:secp256k1"),
        right.replace(b"10:NIST P-256", b"7:Ed25519"),
        containers.sexp_canonical(KEYS["ed25519"], private=False)[:-36] + bytes(32) + b")))",
    ):
        assert found(in_text(wrong)) == []


# --- exponents apart from their groups ----------------------------------------------------------


def test_an_exponent_of_another_expression() -> None:
    """Seen in gpg-agent: before x the tail of y, and 3.7 KB on the key as it is protected."""
    tail = containers.members_object(group())[-99:]
    x = containers.members_object([exponent()])
    both = in_text(tail + x + b"\x04\x04", containers.members_object(group()))
    (seen,) = (seen for seen in found(both) if isinstance(seen, Proved))
    assert (seen.candidate.fingerprint.value, seen.candidate.proof) == (named(256), "g**x = y")
    assert seen.candidate.confidence is Confidence.PROOF
    (place,) = seen.candidate.places
    assert (both[place.offset :][: place.size], place.offset) == (x, 600 + len(tail))


@pytest.mark.parametrize("write", MEMBERS)
@pytest.mark.parametrize("order", [False, True])
def test_an_exponent_beside_other_groups(write: Write, *, order: bool) -> None:
    """Of DSA with 160 bits, and of ElGamal, on either side, among others: the key that it is."""
    own = [row for row in group(160) if order or row[0] != "q"]
    parts = [write(own), write([exponent(160)]), write(group(256))]
    for some in (parts, parts[::-1]):
        (seen,) = (seen for seen in found(in_text(*some, apart=200)) if isinstance(seen, Proved))
        assert seen.candidate.algorithm == ("dsa" if order else "dh")
        assert not order or seen.candidate.fingerprint.value == named(160)


def test_no_exponent_of_a_stranger() -> None:
    """Another key's group, a group of which p is gone, or one far away prove nothing."""
    x = containers.members_object([exponent()])
    others: Iterable[bytes] = (
        containers.members_object(group(160)),
        containers.members_object(group()[1:]),
        bytes(sexp.members.AROUND) + containers.members_object(group()),
    )
    for other in others:
        assert not any(isinstance(seen, Proved) for seen in found(in_text(x, other)))


def test_only_so_many_groups_are_tried() -> None:
    """A power takes its time, so copies count once and others up to a bound."""
    size, most = 1024, sexp.MOST_GROUPS
    p, q, g, y = (row[1] for row in group())
    ys = [(int.from_bytes(y) + n).to_bytes(len(y)) for n in range(1, most + 1)]
    rows = [containers.members_object(zip("pqgy", (p, q, g, own), strict=True)) for own in ys]
    x = containers.members_object([exponent(size=size)])
    own = containers.members_object(group())
    few = b"".join(bytes(20) + row for row in (rows[0], rows[0], *rows[: most - 1], own))
    assert any(isinstance(seen, Proved) for seen in found(x + few))
    many = b"".join(bytes(20) + row for row in (*rows, own))
    assert not any(isinstance(seen, Proved) for seen in found(x + many))


# --- scalars on Ed25519 -------------------------------------------------------------------------


def expression(*members: tuple[str, bytes]) -> bytes:
    """Return an object on Ed25519 whose flags say nothing."""
    head = containers.members_object([("ecc", b""), ("curve", b"Ed25519")])
    return in_text(head + containers.members_object(members) + b"\x04\x04\0")


def _root(y: int) -> int:
    """Return x of a point, up to a root of unity (RFC 8032 5.1.3)."""
    p = edwards25519.P
    square = (y * y - 1) * pow(1 + -121665 * pow(121666, -1, p) * y * y, -1, p)
    return pow(square, (p + 3) // 8, p)


SCALAR = int.from_bytes(noise.uniform(40, 5), "big") % edwards25519.ORDER
PUBLIC = edwards25519.multiple(SCALAR.to_bytes(32, "little"))
Y = int.from_bytes(PUBLIC, "little") % (1 << 255)
X = next(
    x
    for root in (1, pow(2, (edwards25519.P - 1) // 4, edwards25519.P))
    for x in (root * _root(Y) % edwards25519.P, -root * _root(Y) % edwards25519.P)
    if edwards25519.encoded(x, Y) == PUBLIC
)


@pytest.mark.parametrize("bits", [252, 240])
def test_a_scalar_of_ecdsa_on_ed25519(bits: int) -> None:
    """Seen in GNUnet: a member d without the flag eddsa is the scalar, and no seed."""
    d = SCALAR % (1 << bits)
    (private,) = found(expression(("d", d.to_bytes(32, "big").lstrip(b"\0"))))
    assert isinstance(private, Proved)
    spki = publics.okp("ed25519", edwards25519.multiple(d.to_bytes(32, "little")), kind=BARE)
    assert private.candidate.fingerprint == spki.witness.fingerprint
    assert private.candidate.confidence is Confidence.STRUCTURE


@pytest.mark.parametrize("point", ["encoded", "marked", "whole"])
def test_a_scalar_and_its_point_on_ed25519(point: str) -> None:
    """The point is encoded, or its x and y stand, of which the first gives a sign."""
    q = {
        "encoded": PUBLIC,
        "marked": b"\x40" + PUBLIC,
        "whole": b"\x04" + X.to_bytes(32, "big") + Y.to_bytes(32, "big"),
    }[point]
    seen = found(expression(("q", q), ("d", SCALAR.to_bytes(32, "big"))))
    (private,) = (one for one in seen if isinstance(one, Proved))
    spki = publics.okp("ed25519", PUBLIC, kind=BARE)
    assert private.candidate.fingerprint == spki.witness.fingerprint
    assert private.candidate.confidence is Confidence.PROOF
    other = found(expression(("q", q), ("d", (SCALAR ^ 4).to_bytes(32, "big"))))
    assert not any(isinstance(one, Proved) for one in other)


# --- what was freed -----------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [0, 1 << 64])
def test_two_primes_before_a_torn_member(wrong: int) -> None:
    """Seen in Libgcrypt: blocks that came later begin within d and within u."""
    rsa = keys.rsa_key(2048)
    p, q = ((number + more).to_bytes(129) for number, more in ((rsa.q, 0), (rsa.p, wrong)))
    torn = containers.members_object([("u", noise.uniform(128, 3))])[:90]
    data = noise.uniform(70, 4) + b"\x04" + containers.members_object([("p", p), ("q", q)])
    names = [
        one.candidate.fingerprint.value
        for one in found(in_text(data + torn + bytes(64)))
        if isinstance(one, Proved)
    ]
    assert names == ([] if wrong else [rsa.spki_sha256])


def test_a_key_on_p192() -> None:
    """Its curve is named as Libgcrypt does."""
    d = SCALAR % (1 << 180)
    x, y = derive("P-192", d)
    point = b"\x04" + x.to_bytes(24) + y.to_bytes(24)
    rows = [("curve", b"NIST P-192"), ("q", point), ("d", d.to_bytes(24))]
    seen = found(in_text(containers.members_object(rows)))
    (private,) = (one for one in seen if isinstance(one, Proved))
    assert (private.candidate.curve, private.candidate.confidence) == ("P-192", Confidence.PROOF)


@pytest.mark.parametrize("u", [None, 5])
@pytest.mark.parametrize("shared", [3, (1 << 61) - 1])
def test_two_members_with_a_divisor_in_common(shared: int, u: int | None) -> None:
    """Numbers without an inverse modulo each other are no primes, whatever stands beside them."""
    rows = [(name, (shared * more).to_bytes(256)) for name, more in (("p", 1 << 1900), ("q", 5))]
    rows += [("u", u.to_bytes(1))] if u is not None else []
    assert found(expression(*rows)) == []
    assert found(in_text(containers.members_object(rows))) == []


def test_members_too_long_for_a_key_cost_no_power() -> None:
    """A power of numbers of 20,000 bits takes seconds."""
    rows = [
        (name, (3 + (1 << 20_000) + more).to_bytes(2600)) for name, more in (("p", 0), ("q", 2))
    ]
    with effort.bounded(0) as bound:
        assert found(in_text(containers.members_object(rows))) == []
    assert not bound.refused
