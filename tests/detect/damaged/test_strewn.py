"""Private keys as text whose lines lie apart."""

import base64
import struct
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import containers, encodings, keys, noise, pgp, sealed
from scanner import rules
from scanner.detect import anchors
from scanner.detect.asn1.keys import Proved
from scanner.detect.damaged import strewn, strewn_ecdsa, strewn_rsa
from scanner.model import Confidence
from tests.detect.one_space import Bytes

(RULE,) = (rule for rule in rules.load() if rule.detector == "strewn")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors((RULE,)))
RSA, ED = keys.rsa_key(2048), keys.okp_key("ed25519")


def find(data: bytes) -> list[Proved]:
    """Run the rule over the bytes."""
    return [
        found
        for _, offset in SWEEPER.sweep(data)
        for found in strewn.examine(Bytes(data), 0, offset, RULE)
    ]


def told(data: bytes, key: keys.Key) -> Proved:
    """Return the one key that is found, which is proved."""
    (found,) = find(data)
    assert found.candidate.fingerprint.value == key.spki_sha256
    assert found.candidate.confidence is Confidence.PROOF
    return found


def apart(lines: list[bytes]) -> bytes:
    """Return lines as strings of their own, as malloc of glibc lays them."""
    return b"".join(b"\x51" + bytes(7) + line + bytes(8) for line in lines)


@pytest.mark.parametrize("bits", [1024, 2048, 3072, 4096])
@pytest.mark.parametrize("form", [encodings.pkcs1_pem, encodings.pkcs8_pem])
def test_rsa(form: Callable[..., bytes], bits: int) -> None:
    """Primes are put together from rows in no order; every line is said but the last, all copies.

    What a copy without these lines has of the key is less than any of its numbers.
    """
    key, text = keys.rsa_key(bits), form(keys.rsa_key(bits))
    lines = text.splitlines()[1:-1]
    found = told(encodings.strewn(text + b"\n".join(lines[1:])), key)
    full = sum(len(line) == 64 for line in lines)
    assert len(found.candidate.places) == 2 * full - 1


@pytest.mark.parametrize("form", [encodings.pkcs1_pem, encodings.pkcs8_pem])
def test_letters_behind(form: Callable[..., bytes]) -> None:
    """Blocks without a zero behind the text keep letters of what they held, as tmux's lines do."""
    lines = form(RSA).splitlines()[1:-1]
    first, *others = (line + b"ane"[: index % 4] for index, line in enumerate(lines, 1))
    found = told(apart([first, *others[::-1]]), RSA)
    assert {place.size for place in found.candidate.places} == {64}


def test_rsa_among_others() -> None:
    """Lines of a certificate and of noise lie between, some before the first line."""
    lines = encodings.pkcs8_pem(RSA).splitlines()
    lines += encodings.certificate_pem(RSA).splitlines()
    lines += [base64.b64encode(noise.uniform(48, number)) for number in range(60)]
    told(apart(sorted(lines, key=lambda line: line[::-1])), RSA)


def test_rsa_incomplete() -> None:
    """Without a line of the modulus or of a prime nothing is proved; the others are not needed."""
    lines = encodings.pkcs8_pem(RSA).splitlines()[1:-1]
    assert not find(apart(lines[:3] + lines[4:]))
    assert not find(apart(lines[:14] + lines[15:]))
    told(apart(lines[:9] + lines[10:20]), RSA)
    told(apart(lines[::-1]), RSA)
    assert not find(apart([lines[0]] * 400))


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521", "secp256k1"])
@pytest.mark.parametrize("form", [encodings.pkcs8_pem, encodings.sec1_pem])
def test_curves(form: Callable[..., bytes], curve: str) -> None:
    """A scalar gives the point that stands in its own lines, or another key's are told apart."""
    key, other = keys.ec_key(curve), keys.ec_key("P-256")
    text = form(key) + encodings.pkcs8_pem(RSA)
    told(encodings.strewn(text).replace(b"MIIE", b"####"), key)
    lines = form(key).splitlines()[1:-1]
    assert not find(apart([lines[0], *encodings.pkcs8_pem(other).splitlines()[3:]]))


@pytest.mark.parametrize("width", [64, 70, 76])
def test_openssh(width: int) -> None:
    """An Ed25519 key of OpenSSH's in lines as OpenSSH, cryptography and MIME write them."""
    chars = b"".join(encodings.openssh_pem(ED).splitlines()[1:-1])
    lines = [chars[at : at + width] for at in range(0, len(chars), width)]
    told(apart(lines[::-1]), ED)
    assert not find(apart([line for line in lines if line != lines[3]]))
    assert not find(b"\n".join(lines))


def commented(key: keys.Key, comment: bytes) -> bytes:
    """Return the base64 of a file of OpenSSH with a comment, on which the last line depends."""
    raw = containers.openssh_file(key)
    padding = raw[-1] if raw[-1] <= 8 else 0
    raw = raw[: len(raw) - padding - 4] + struct.pack(">I", len(comment)) + comment
    return base64.b64encode(raw + bytes(range(1, 8 - len(raw) % 8)))


@pytest.mark.parametrize("bits", [1024, 2048, 3072, 4096])
@pytest.mark.parametrize("width", [64, 70, 76])
def test_openssh_rsa(bits: int, width: int) -> None:
    """Every other line of 70 characters begins within a byte; the last one is not needed."""
    key = keys.rsa_key(bits)
    for comment in (b"", b"root@host", b"somebody@somewhere.example.org"):
        chars = commented(key, comment)
        lines = [chars[at : at + width] for at in range(0, len(chars), width)]
        others = [base64.b64encode(noise.uniform(width, at))[:width] for at in range(40)]
        mixed = sorted((*lines[:-1], *others), key=lambda line: line[::-1])
        told(apart(mixed), key)
    primes = [line for line in lines if line not in lines[len(lines) * 3 // 4 :]]
    assert not find(apart(primes))


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
@pytest.mark.parametrize("width", [64, 70, 76])
@pytest.mark.parametrize("comment", [b"", b"root@host", b"somebody@somewhere.example.org"])
def test_openssh_ecdsa(curve: str, width: int, comment: bytes) -> None:
    """As ssh-keygen, Go and cryptography write them: the scalar may end in the last, short line.

    Each line that holds any of it is a place, and leads to nothing without another of the point.
    """
    key = keys.ec_key(curve)
    chars = commented(key, comment)
    lines = [chars[at : at + width] for at in range(0, len(chars), width)]
    others = [base64.b64encode(noise.uniform(width, at))[:width] for at in range(40)]
    others += [b"AAA" + base64.b64encode(noise.uniform(24, at)) for at in range(40)]
    mixed = sorted((*lines, *others), key=lambda line: line[::-1])
    found = told(apart(mixed), key)
    data = apart(mixed)
    held = {data[p.offset : p.offset + p.size] for p in found.candidate.places}
    assert held < {*lines}
    scalar = strewn_ecdsa.curve_of(strewn.digits(lines[0]))
    assert scalar == curve
    (again,) = strewn.examine(Bytes(data), 0, found.candidate.places[0].offset, RULE)
    assert again.candidate == found.candidate
    for line in held - {lines[0]}:
        assert not find(apart([one for one in mixed if one != line]))
    assert not find(b"\n".join(lines))


@pytest.mark.parametrize(
    ("bits", "is_found"), [(256, True), (255, True), (247, True), (239, False)]
)
def test_openssh_ecdsa_of_another_length(bits: int, *, is_found: bool) -> None:
    """A scalar with its top bit has a zero before it, one in 256 has a byte less."""
    d = 1 << bits - 1 | int.from_bytes(noise.uniform(28, bits), "big")
    point = ec.derive_private_key(d, ec.SECP256R1()).public_key().public_numbers()
    key = keys.EcKey(label="", curve="P-256", d=d, x=point.x, y=point.y)
    chars = commented(key, b"root@host")
    lines = [chars[at : at + 70] for at in range(0, len(chars), 70)]
    assert [one.candidate.fingerprint.value for one in find(apart(lines[::-1]))] == (
        [key.spki_sha256] if is_found else []
    )


def test_openssh_ecdsa_of_another_point() -> None:
    """A scalar whose point stands in no line but its own is no key, nor one among very many."""
    key, other = keys.ec_key("P-384"), keys.ec_key("P-384", label="other")
    mine, others = (
        [chars[at : at + 70] for at in range(0, len(chars), 70)]
        for chars in (commented(one, b"root@host") for one in (key, other))
    )
    told(apart([*mine[:5], *mine[:4:-1]]), key)
    assert not find(apart([mine[0], *others[1:5], *mine[5:]]))
    rows = [strewn.digits(line) for line in mine]
    alike = [noise.uniform(30, at).hex()[:23] + rows[7][23:] for at in range(300)]
    assert strewn_ecdsa.solve(rows[0], rows[:7], rows[7:]) is not None
    assert strewn_ecdsa.solve(rows[0], rows[:7], [*rows[7:], *alike]) is None


def test_rows_that_end_alike() -> None:
    """Where every row is followed by any of hundreds, it is given up after a stated count."""
    chars = commented(keys.rsa_key(4096), b"")
    rows = [strewn.digits(chars[at : at + 70]) for at in range(0, len(chars) - 69, 70)]
    alike = [noise.uniform(23, at).hex()[:45] + rows[at % len(rows)][45:] for at in range(300)]
    assert strewn_rsa.factors(rows[0], [*rows, *alike]) is None


def test_no_more_rows_are_put_together_than_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their number is bounded while it grows, and so is the memory that they take."""
    rows = [strewn.digits(line) for line in encodings.pkcs8_pem(RSA).splitlines()[1:-2]]
    assert strewn_rsa.factors(rows[0], rows) in {(RSA.p, RSA.q), (RSA.q, RSA.p)}
    monkeypatch.setattr(strewn_rsa, "STATES", 4)
    assert strewn_rsa.factors(rows[0], rows) is None


def test_openssh_rsa_in_a_terminal() -> None:
    """Its numbers stand in lines, each of which is a place, and the modulus stands twice."""
    lines = encodings.openssh_pem(RSA).splitlines()[1:-1]
    chars = b"".join(lines)
    text = b"\n".join(chars[at : at + 70] for at in range(0, len(chars), 70))
    found = told(encodings.strewn(text, encodings.shown), RSA)
    assert found.candidate.encoding == "base64 of a terminal in lines apart"
    assert len(found.candidate.places) > 16


PUTTY: dict[str, keys.Key] = {
    **{f"rsa-{bits}": keys.rsa_key(bits) for bits in (1024, 2048, 3072, 4096)},
    "rsa-2048-e37": keys.rsa_key(2048, e=37),
    **{curve: keys.ec_key(curve) for curve in ("P-256", "P-384", "P-521")},
    "P-256-high": keys.ec_key("P-256", high=True),
    **{name: keys.okp_key(name) for name in ("ed25519", "ed448")},
}
"""PuTTYgen made RSA keys with e = 37 until 0.75."""


@pytest.mark.parametrize("name", PUTTY)
def test_putty(name: str) -> None:
    """Seen in nano and vim: the heading, the private lines and those of the public half suffice.

    Every line of the private half is a place, but the last one of RSA, and none is found without.
    """
    key = PUTTY[name]
    lines = sealed.putty(key).splitlines()
    others = [base64.b64encode(noise.uniform(48, at)) for at in range(40)]
    others += [base64.b64encode(noise.uniform(at, at)) for at in range(4, 47)]
    for mixed in ([*lines, *others], sorted((*lines, *others), key=lambda line: line[::-1])):
        data = apart(mixed)
        found = told(data, key)
        places = found.candidate.places
        assert data[places[0].offset : places[0].offset + places[0].size] == lines[0]
        held = [data[place.offset : place.offset + place.size] for place in places[1:]]
        first = next(at for at, line in enumerate(lines) if line.startswith(b"Private-Lines")) + 1
        assert {*held} >= {*lines[first : -2 if name.startswith("rsa") else -1]}
        (again,) = strewn.examine(Bytes(data), 0, places[0].offset, RULE)
        assert again.candidate == found.candidate
    needed = first + (len(lines) - 1 - first) // 2 if name.startswith("rsa") else first
    for line in (lines[0], lines[4], lines[needed]):
        assert not find(apart([one for one in mixed if one != line]))


@pytest.mark.parametrize("name", ["rsa-2048", "P-384", "ed25519"])
def test_putty_files_of_others(name: str) -> None:
    """Whole files are for their own detector, encrypted ones have no key; nor have other types."""
    key = PUTTY[name]
    for version in (2, 3):
        assert not find(sealed.putty(key, version))
        assert not find(apart(sealed.putty(key, version, encrypted=True).splitlines()))
        told(apart(sealed.putty(key, version).splitlines()[::-1]), key)
    lines = sealed.putty(key).splitlines()
    assert not find(apart([b"PuTTY-User-Key-File-3: ssh-dss", *lines[1:]]))
    for flipped in (lines[4][:-1] + b"AB"[lines[4].endswith(b"A") :][:1], lines[4][:40]):
        assert not find(apart([line if line != lines[4] else flipped for line in lines]))


@pytest.mark.parametrize(
    "text", [b"AAAAB3NzaC1yc2E" + tail * 49 for tail in (b"A", b"/", b"AAAA/")]
)
def test_putty_hostile(text: bytes) -> None:
    """Lengths that lead to nowhere are no key."""
    assert not find(apart([b"PuTTY-User-Key-File-3: ssh-rsa", text[:64], text[1:65], text[:60]]))


def armoured(data: bytes) -> list[bytes]:
    """Return lines of base64 of a packet and of what stands behind it."""
    chars = base64.b64encode(data + noise.uniform(150, len(data)))
    return [chars[at : at + 64] for at in range(0, len(chars), 64)]


@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize("label", ["default", "begins with zero 28"])
def test_openpgp(label: str, *, old: bool) -> None:
    """Seen in nano: the seed stands in the second line, whose other bytes are public."""
    key = keys.okp_key("ed25519", label=label)
    assert (key.seed[0] == 0) == (label != "default")
    for packet in (pgp.packet(key, old=old), pgp.padded(key)):
        lines = armoured(packet)
        data = apart(lines[::-1])
        found = told(data, key)
        places = found.candidate.places
        assert [data[p.offset : p.offset + p.size] for p in places] == lines[:2]
        (again,) = strewn.examine(Bytes(data), 0, places[0].offset, RULE)
        assert again.candidate == found.candidate
        assert not find(b"\n".join(lines))
        for at in (21, 50, 60, len(packet) - 1):
            flipped = bytes(b ^ (index == at) for index, b in enumerate(packet))
            assert not find(apart(armoured(flipped)[::-1]))
    assert not find(apart(armoured(pgp.encrypted(key))[::-1]))


WIDE = {"utf-16": encodings.utf16, "utf-32": encodings.utf32, "of a terminal": encodings.shown}
"""What the name of an encoding has of a form, and that form."""


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("shift", range(8))
def test_wide_lines(name: str, shift: int) -> None:
    """Lines of .NET (UTF-16), fish (UTF-32) and tmux (cells), at any address; each is a place."""
    others = encodings.certificate_pem(keys.rsa_key(3072))
    for text, key in (
        (encodings.pkcs8_pem(RSA), RSA),
        (encodings.pkcs1_pem(RSA), RSA),
        (encodings.sec1_pem(keys.ec_key("P-384")), keys.ec_key("P-384")),
        (encodings.openssh_pem(ED), ED),
        (encodings.openssh_pem(keys.ec_key()), keys.ec_key()),
        (sealed.putty(ED), ED),
        (sealed.putty(RSA), RSA),
    ):
        data = bytes(shift) + encodings.strewn(text + others, WIDE[name])
        found = told(data, key).candidate
        assert found.encoding == f"base64 {name} in lines apart"
        for place in found.places:
            there = data[place.offset : place.offset + place.size]
            assert any(WIDE[name](line).find(there) >= 0 for line in text.splitlines())
        (again,) = strewn.examine(Bytes(data), 0, found.places[0].offset, RULE)
        assert again.candidate == found


@pytest.mark.parametrize("name", WIDE)
def test_wide_lines_incomplete(name: str) -> None:
    """Without the line of a seed, or with a byte of it that is no base64, nothing is proved."""
    chars = b"".join(encodings.openssh_pem(ED).splitlines()[1:-1])
    rows = [chars[at : at + 70] for at in range(0, len(chars), 70)]
    torn = rows[3].replace(rows[3][30:31], b"-")
    lines = [WIDE[name](row) for row in (*rows, torn)]
    told(apart(lines[::-1]), ED)
    assert not find(apart([*lines[:3], *lines[4:]]))


def test_whole() -> None:
    """What follows line by line is found by others."""
    for text in (encodings.pkcs8_pem(RSA), encodings.openssh_pem(ED)):
        assert find(text) == find(encodings.utf16(text)) == find(encodings.utf32(text)) == []


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_rows(data: st.DataObject) -> None:
    """Rows of any bytes behind a first one prove nothing, and raise nothing."""
    first = encodings.pkcs1_der(RSA)[:48].hex()
    rows = data.draw(st.lists(st.binary(min_size=48, max_size=48), max_size=8))
    assert strewn_rsa.factors(first, [first, *(row.hex() for row in rows)]) is None
