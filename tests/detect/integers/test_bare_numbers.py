"""Bare numbers that are written as text: found in any spelling, whole words alone, and again."""

import base64
import hashlib
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec

from fixtures import encodings, keys, noise
from scanner.detect.encodings import base32
from scanner.detect.integers import bare_numbers
from scanner.detect.integers.runs import Runs, gather
from scanner.detect.relations.edwards import edwards
from scanner.model import Candidate
from tests.detect.integers import scans
from tests.detect.integers.scans import private
from tests.detect.one_space import Bytes

RSA, P256, P521 = keys.rsa_key(2048), keys.ec_key("P-256"), keys.ec_key("P-521")
ED, X = keys.okp_key("ed25519"), keys.okp_key("x25519")
ED_PUBLIC, X_PUBLIC = (key.private_key.public_key().public_bytes_raw() for key in (ED, X))
SIZE = 1 << 14


def url(raw: bytes) -> bytes:
    """Spell bytes as RFC 7515 does."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def bytewise(raw: bytes) -> bytes:
    """Return decimal digits as bytes, as GNU bc and bcmath keep them."""
    return bytes(map(int, str(int.from_bytes(raw, "big"))))


SPELLINGS: dict[str, Callable[[bytes], bytes]] = {
    "base64url": url,
    "base64": base64.b64encode,
    "base64, signed": lambda raw: base64.b64encode(b"\0" + raw),
    "hex": lambda raw: raw.hex().encode(),
    "hex, upper case": lambda raw: raw.hex().upper().encode(),
    "hex, announced": lambda raw: b"0x" + raw.hex().encode(),
    "hex, behind a kind": lambda raw: b"ED" + raw.hex().upper().encode(),
    "hex, announced, behind a kind": lambda raw: b"0x02" + raw.hex().encode(),
    "hex, padded": lambda raw: b"0" * 10 + raw.hex().encode(),
    "hex, signed": lambda raw: b"00" + raw.hex().encode(),
    "decimal": lambda raw: str(int.from_bytes(raw, "big")).encode(),
    "base32": lambda raw: base64.b32encode(raw).rstrip(b"="),
    "base32, lower case": lambda raw: base64.b32encode(raw).rstrip(b"=").lower(),
    "z-base-32": base32.encode_legible,
    "z-base-32, two bytes a character": lambda raw: encodings.utf16(base32.encode_legible(raw)),
    "base64url, two bytes a character": lambda raw: encodings.utf16(url(raw)),
    "hex, two bytes a character": lambda raw: encodings.utf16(raw.hex()),
    "decimal, BigInt": lambda raw: b"%dn" % int.from_bytes(raw, "big"),
    "decimal, long": lambda raw: b"%dL" % int.from_bytes(raw, "big"),
    "decimal, two bytes a character": lambda raw: encodings.utf16(str(int.from_bytes(raw, "big"))),
}

HALVES: dict[str, tuple[bytes, bytes, str]] = {
    "P-256": (P256.d.to_bytes(32, "big"), P256.x.to_bytes(32, "big"), P256.spki_sha256),
    "P-521": (P521.d.to_bytes(66, "big"), P521.x.to_bytes(66, "big"), P521.spki_sha256),
    "Ed25519": (ED.seed, ED_PUBLIC, ED.spki_sha256),
    "X25519": (X.seed, X_PUBLIC, X.spki_sha256),
}
"""Private and public halves of a key, and its fingerprint."""


def scanned(folder: Path, data: bytes) -> tuple[Candidate, ...]:
    """Scan bytes; what is swept of them is said to be all."""
    found = scans.scanned(folder, data)
    assert found.coverage.scanned_bytes == len(data)
    return found.candidates


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_scalar_is_found_in_each_spelling(tmp_path: Path, spelling: str) -> None:
    """At whatever address it stands; its place is the whole text."""
    raw, public, spki = HALVES["P-256"]
    text = SPELLINGS[spelling](raw)
    data = noise.plant(noise.text(SIZE, 3), 4000, bytes(8) + public + bytes(8))
    data = noise.plant(data, 8192 + len(spelling), bytes(9) + text + bytes(9))
    (found,) = private(scanned(tmp_path, data), spki)
    assert found.proof == "d*G = Q"
    pad = text.endswith(b"=")
    assert (found.places[0].offset, found.places[0].size) == (8192 + len(spelling) + 9, len(text))
    form = "base64" if pad else spelling.partition(",")[0]
    assert found.encoding.split()[:2] == ["d", form.removesuffix("url")]


UNPADDED: dict[str, Callable[[int], bytes]] = {
    "hex": lambda d: f"{d:x}".encode(),
    "hex, announced": lambda d: f"0x{d:x}".encode(),
    "base64": lambda d: base64.b64encode(d.to_bytes(-(-d.bit_length() // 8))).rstrip(b"="),
}


@pytest.mark.parametrize("spelling", UNPADDED)
@pytest.mark.parametrize(("curve", "bits"), [("P-256", 252), ("P-521", 520), ("P-521", 521)])
def test_a_scalar_without_zeros_before_it(
    tmp_path: Path, curve: str, bits: int, spelling: str
) -> None:
    """As programs print integers: one scalar in 16 has fewer digits, and each on P-521."""
    key = keys.ec_key(curve)
    d = key.d % (1 << (bits - 1)) | 1 << (bits - 1)
    public = ec.derive_private_key(d, key.private_key.curve).public_key()
    spki = public.public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)
    text = UNPADDED[spelling](d)
    data = noise.plant(noise.text(SIZE, 3), 5000, bytes(8) + spki + bytes(8))
    data = noise.plant(data, 9000, bytes(1) + text + bytes(1))
    found = private(scanned(tmp_path, data), hashlib.sha256(spki).hexdigest())
    assert [one.encoding for one in found] == [f"d {spelling.partition(',')[0]}"]
    (place,) = found[0].places
    assert (place.offset, place.size) == (9001, len(text))


TWICE: dict[str, Callable[[bytes], bytes]] = {
    "hex": lambda raw: raw.hex().encode(),
    "hex, a line": lambda raw: raw.hex().encode() + b"\n",
    "base64": base64.b64encode,
    "base64, a line": lambda raw: base64.b64encode(raw) + b"\n",
    "base64, no padding": lambda raw: base64.b64encode(raw).rstrip(b"="),
}


@pytest.mark.parametrize("spelling", TWICE)
@pytest.mark.parametrize("kind", ["P-256", "Ed25519"])
def test_text_in_base64(tmp_path: Path, kind: str, spelling: str) -> None:
    """As Kubernetes keeps a key that is text."""
    raw, public, spki = HALVES[kind]
    text = base64.b64encode(TWICE[spelling](raw))
    data = noise.plant(noise.text(SIZE, 3), 5001, bytes(3) + url(public) + bytes(3))
    data = noise.plant(data, 9000, b'"' + text + b'"')
    (found,) = private(scanned(tmp_path, data), spki)
    form = f"base64 of {spelling.partition(',')[0]}"
    assert found.encoding.endswith(form)
    assert (found.places[0].offset, found.places[0].size) == (9001, len(text))


@pytest.mark.parametrize("kind", HALVES)
def test_halves_that_are_both_written(tmp_path: Path, kind: str) -> None:
    """What a JSON Web Key was made of: two strings, nothing around them."""
    raw, public, spki = HALVES[kind]
    data = noise.text(SIZE, 3)
    for at, half in ((5001, raw), (9003, public)):
        data = noise.plant(data, at, bytes(3) + url(half) + bytes(3))
    assert private(scanned(tmp_path, data), spki)


@pytest.mark.parametrize("around", [b"/keys/~/core", b"a+~+b", b"~/core", b"/~", b"id-~_1"])
def test_a_scalar_in_a_path(tmp_path: Path, around: bytes) -> None:
    """Digits of hex end where a sign stands, though base64 has it."""
    raw, public, spki = HALVES["P-256"]
    data = noise.plant(noise.text(SIZE, 3), 9003, bytes(3) + url(public) + bytes(3))
    text = around.replace(b"~", raw.hex().encode())
    (found,) = private(scanned(tmp_path, noise.plant(data, 5001, bytes(3) + text + bytes(3))), spki)
    assert (found.places[0].offset, found.places[0].size) == (5004 + around.find(b"~"), 64)


def test_keys_that_go_prints(tmp_path: Path) -> None:
    """``%+v`` of a struct of crypto/rsa and of crypto/ecdsa has a sign before each number."""
    rsa, ec = keys.rsa_key(2048), P256
    text = f"&{{PublicKey:{{N:+{rsa.n} E:65537}} D:+{rsa.d} Primes:[+{rsa.p} +{rsa.q}]}}\n"
    text += f"&{{PublicKey:{{Curve:0xc0000a X:+{ec.x} Y:+{ec.y}}} D:+{ec.d}}}"
    found = scanned(tmp_path, noise.plant(noise.text(SIZE, 3), 4001, b" " + text.encode() + b" "))
    assert private(found, rsa.spki_sha256)
    assert private(found, ec.spki_sha256)


def test_a_seed_and_its_public_half_in_one_text(tmp_path: Path) -> None:
    """NaCl's secret key of 64 bytes."""
    text = base64.b64encode(ED.seed + ED_PUBLIC)
    data = noise.plant(noise.text(SIZE, 3), 5000, b'"' + text + b'"')
    (found,) = private(scanned(tmp_path, data), ED.spki_sha256)
    assert found.places[0].size == len(text.rstrip(b"=")) + 2


@pytest.mark.parametrize("width", [1, 2])
def test_a_seed_and_its_public_half_in_base58(tmp_path: Path, width: int) -> None:
    """As Solana's tools and wallets write them, with nothing else of the key in the dump."""
    number, text = int.from_bytes(ED.seed + ED_PUBLIC, "big"), b""
    while number:
        number, rest = divmod(number, 58)
        text = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[rest : rest + 1] + text
    assert len(text) in bare_numbers.BASE58
    written = text if width == 1 else encodings.utf16(text)
    data = noise.plant(noise.zeros(SIZE), 5000, b"\0KEY=\0\0" + written + bytes(4))
    (found,) = private(scanned(tmp_path, data), ED.spki_sha256)
    assert (found.places[0].offset, found.places[0].size) == (5007, len(written))
    wrong = written.replace(text[40:41], b"1" if text[40:41] != b"1" else b"2", 1)
    assert not private(scanned(tmp_path, data.replace(written, wrong)), ED.spki_sha256)


@pytest.mark.parametrize("numbers", ["pn", "pq", "nd"])
@pytest.mark.parametrize("spelling", ["base64url", "hex", "decimal"])
def test_numbers_of_rsa(tmp_path: Path, numbers: str, spelling: str) -> None:
    """A prime and the modulus, both primes, or the exponent: each is a string of its own."""
    data = noise.text(SIZE, 3)
    values = {"p": RSA.p, "q": RSA.q, "n": RSA.n, "d": RSA.d}
    for at, name in enumerate(numbers):
        raw = encodings.big_endian(values[name])
        data = noise.plant(data, 2000 + 3001 * at, bytes(1) + SPELLINGS[spelling](raw) + bytes(1))
    found = private(scanned(tmp_path, data), RSA.spki_sha256)
    assert bool(found) == (numbers != "pq")  # a product that stands nowhere is no key


def test_decimal_digits_as_bytes(tmp_path: Path) -> None:
    """Seen in GNU bc: numbers of a key, of which the text that was read tells no modulus."""
    data = noise.text(SIZE, 3)
    for at, value in enumerate((RSA.p, RSA.n)):
        digits = bytewise(encodings.big_endian(value))
        data = noise.plant(data, 2000 + 3001 * at, b"\x41\1" + bytes(7) + digits + bytes(9))
    (found,) = private(scanned(tmp_path, data), RSA.spki_sha256)
    assert (found.places[0].offset, found.places[0].size) == (2009, 309)
    assert "bc digits" in found.encoding


@pytest.mark.parametrize("protocol", [0, 1])
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_numbers_in_a_pickle_of_an_old_protocol(tmp_path: Path, kind: str, protocol: int) -> None:
    """They are decimal between two letters, each on a line of its own."""
    numbers, spki = {
        "rsa": ((RSA.n, RSA.e, RSA.d, RSA.p, RSA.q), RSA.spki_sha256),
        "ec": ((P256.d, P256.x, P256.y), P256.spki_sha256),
    }[kind]
    data = noise.plant(noise.text(SIZE, 3), 2001, pickle.dumps(numbers, protocol))
    found = private(scanned(tmp_path, data), spki)
    assert found
    assert all("decimal" in one.encoding for one in found)


@pytest.mark.parametrize(("first", "last"), [(b"l", b"L"), (b"L", b"7"), (b"K", b"K")])
def test_digits_between_other_letters_are_no_number(
    tmp_path: Path, first: bytes, last: bytes
) -> None:
    """Nothing else has a number so."""
    lines = [first + str(number).encode() + last for number in (P256.d, P256.x)]
    data = noise.plant(noise.text(SIZE, 3), 2001, b"\n" + b"\n".join(lines) + b"\n")
    assert not private(scanned(tmp_path, data), P256.spki_sha256)


@pytest.mark.parametrize("bits", [1024, 2048, 3072, 4096])
def test_a_record_that_was_printed(tmp_path: Path, bits: int) -> None:
    """What Erlang prints of a key that a process held when it ended: integers, in decimal."""
    key = keys.rsa_key(bits)
    rows = (key.n, key.e, key.d, key.p, key.q, key.d % (key.p - 1), key.d % (key.q - 1))
    text = f"{{'RSAPrivateKey','two-prime',{','.join(map(str, rows))},asn1_NOVALUE}}"
    data = noise.plant(noise.text(1 << 15, 3), 5003, b"\n" + text.encode() + b"\n")
    assert private(scanned(tmp_path, data), key.spki_sha256)


@pytest.mark.parametrize(
    ("bits", "size"), [(256, 32), (384, 48), (521, 66), (512, 64), (1024, 128), (2048, 256)]
)
def test_decimal_digits_tell_the_bytes(bits: int, size: int) -> None:
    """A number that begins with a few zeros has a digit less, or two."""
    digits = {len(str((1 << bits) - 1 >> zeros)) for zeros in range(4)}
    assert {bare_numbers.DECIMAL[count] for count in digits} == {size}


def test_a_modulus_far_away(tmp_path: Path) -> None:
    """Seen in Ruby: the strings of one key are allocated wherever there is room."""
    p, n = url(encodings.big_endian(RSA.p)), url(encodings.big_endian(RSA.n))
    data = noise.plant(noise.text(1 << 18, 3), 2000, bytes(1) + p + bytes(1))
    data = noise.plant(data, 250_000, bytes(1) + n + bytes(1))
    (found,) = private(scanned(tmp_path, data), RSA.spki_sha256)
    assert (found.proof, found.e_assumed) == ("p | n", True)


@pytest.mark.parametrize("spelling", ["base64", "hex"])
def test_an_exponent_of_a_prime_far_from_the_modulus(tmp_path: Path, spelling: str) -> None:
    """Seen in PowerDNS: of a freed file of DNSSEC a line is left, and n in a record elsewhere."""
    text = SPELLINGS[spelling](encodings.big_endian(RSA.dp))
    data = noise.plant(noise.text(1 << 18, 3), 2000, b"\nExponent1: " + text + b"\n")
    data = noise.plant(data, 250_000, bytes(8) + encodings.big_endian(RSA.n) + bytes(8))
    (found,) = private(scanned(tmp_path, data), RSA.spki_sha256)
    assert (found.proof, found.roles) == ("(n, e, dp) factors n", ("dp",))
    assert (found.places[0].offset, found.places[0].size) == (2012, len(text))
    wrong = data.replace(text[:8], text[7::-1])
    assert not private(scanned(tmp_path, wrong), RSA.spki_sha256)


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("kind", ["P-384", "hex"])
def test_texts_that_adjoin(tmp_path: Path, kind: str, *, last: bool) -> None:
    """Seen in Go: 64 characters fill a slot, and nothing parts them from the next."""
    if kind == "hex":
        halves, spki = [half.hex().encode() for half in HALVES["P-256"][:2]], P256.spki_sha256
    else:
        key = keys.ec_key(kind)
        halves, spki = [url(v.to_bytes(48, "big")) for v in (key.d, key.x)], key.spki_sha256
    other = url(noise.uniform(48, 5))
    row = b"".join([other, *halves] if last else [*halves[::-1], other])
    data = noise.plant(noise.text(SIZE, 3), 4096 - 16, bytes(16) + row + bytes(16))
    (found,) = private(scanned(tmp_path, data), spki)
    assert (found.places[0].offset, found.places[0].size) == (4096 + 64, 64)


@pytest.mark.parametrize(
    ("fill", "behind"), [(0x36, b"\0"), (0x5C, b"7"), (0x36, b"cafe"), (0x5C, b"q")]
)
def test_digits_behind_a_block_of_hmac(tmp_path: Path, fill: int, behind: bytes) -> None:
    """Seen in Go: its blocks are as long as a key's digits, and nothing stands between both.

    The digits of a longer number are none, nor is what stands behind a mark of an escape.
    """
    public, text = (half.hex().encode() for half in HALVES["P-256"][1::-1])
    block = bytes(byte ^ fill for byte in noise.uniform(32)) + bytes((fill,)) * 32
    data = noise.plant(noise.text(SIZE, 3), 9000, bytes(8) + public + bytes(8))
    data = noise.plant(data, 4096, block + text + behind + bytes((0, 0xFF)))
    (found,) = private(scanned(tmp_path, data), P256.spki_sha256)
    assert (found.places[0].offset, found.places[0].size) == (4096 + 64, 64)
    for lead in (b"7" + public[:7], b"\\x" + public[:6]):
        longer = noise.plant(data, 4096, bytes(56) + lead + text + b"7\0")
        assert not private(scanned(tmp_path, longer), P256.spki_sha256)


@pytest.mark.parametrize("said", [0, 1])
@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_a_text_that_a_count_ends(tmp_path: Path, curve: str, said: int) -> None:
    """Seen in V8: a string that fills its words, and an object whose first byte is a letter."""
    key = keys.ec_key(curve)
    text, x = (n.to_bytes(key.field_bytes, "big").hex().encode() for n in (key.d, key.x))
    header = bytes.fromhex("7908b01a5502000003000000") + struct.pack("<I", len(text) + said)
    behind = bytes.fromhex("3193b01a5502000000000000")
    data = noise.plant(noise.text(SIZE, 3), 5001, b"\0" + x + b"\0")
    data = noise.plant(data, 9000, header + text + behind)
    places = [one.places[0] for one in private(scanned(tmp_path, data), key.spki_sha256)]
    assert [(place.offset, place.size) for place in places] == (
        [] if said else [(9000 + len(header), len(text))]
    )


AROUND = [(b"/", b""), (b"x", b""), (b"", b"x"), (b".", b""), (b"", b"-"), (b"%", b"")]


@pytest.mark.parametrize(("before", "behind"), AROUND)
def test_a_part_of_something_longer_is_none(tmp_path: Path, before: bytes, behind: bytes) -> None:
    """A token's signature and a path are not numbers."""
    raw, public, spki = HALVES["P-256"]
    data = noise.plant(noise.text(SIZE, 3), 4000, bytes(8) + public + bytes(8))
    data = noise.plant(data, 9000, bytes(8) + before + url(raw) + behind + bytes(8))
    assert not private(scanned(tmp_path, data), spki)


def test_what_is_not_canonical_is_none(tmp_path: Path) -> None:
    """The last character of 43 has two bits too many, and they are zero."""
    raw, public, spki = HALVES["P-256"]
    text = url(raw)
    last = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    text = text[:-1] + bytes((last[last.index(text[-1]) | 1],))
    data = noise.plant(noise.text(SIZE, 3), 4000, bytes(8) + public + bytes(8))
    data = noise.plant(data, 9000, bytes(8) + text + bytes(8))
    assert not private(scanned(tmp_path, data), spki)


def test_texts_in_crowds_are_left_first() -> None:
    """Where there are too many, those that stand alone are kept."""
    crowd = np.arange(1000) * 48
    alone = 1 << 20 | np.arange(5) << 16
    start = np.concatenate((crowd, alone))
    runs = Runs(space=np.zeros(len(start), np.int64), start=start, end=start + 43)
    kept = bare_numbers.sparse(runs, 10)
    assert len(kept) == 10
    assert set(alone.tolist()) <= set(kept.start.tolist())
    assert kept.start.tolist() == sorted(kept.start.tolist())
    assert bare_numbers.sparse(runs) is runs


def test_long_texts_are_kept_among_digests() -> None:
    """Numbers of RSA stand in a crowd, digests of a log alone: both are kept."""
    digests = np.arange(10_000) << 12
    numbers = (1 << 30) + np.arange(8) * 360
    start = np.concatenate((digests, numbers))
    size = np.repeat((64, 342), (len(digests), len(numbers)))
    runs = Runs(space=np.zeros(len(start), np.int64), start=start, end=start + size)
    kept = bare_numbers.sparse(runs, 100)
    assert len(kept) == 100
    assert kept.start[-8:].tolist() == numbers.tolist()


def test_no_length_of_texts_hides_another() -> None:
    """A scalar in base64 is kept in a table of digests, though others stand apart."""
    start = np.append(np.arange(10_000) << 12, np.arange(500) * 72)
    size = np.repeat((64, 128), (10_000, 500))
    runs = Runs(space=np.zeros(len(start), np.int64), start=start, end=start + size)
    lone = Runs(space=np.zeros(1, np.int64), start=np.array([8000]), end=np.array([8043]))
    kept = bare_numbers.sparse(gather([runs, lone]), 100)
    assert len(kept) == 100
    assert 8043 in kept.end.tolist()


@pytest.mark.parametrize("spelling", ["base64url", "decimal"])
def test_digests_hide_no_scalar_that_is_written_otherwise(tmp_path: Path, spelling: str) -> None:
    """Each of them stands alone, and the key's numbers are together."""
    key = keys.ec_key("brainpoolP384r1")
    raws = (n.to_bytes(key.field_bytes, "big") for n in (key.d, key.x, key.y))
    texts = b"\0\0".join(SPELLINGS[spelling](raw) for raw in raws)
    lines = [noise.uniform(48, n).hex().encode() + bytes(8200) for n in range(100)]
    (found,) = private(
        scanned(tmp_path, bytes(99) + texts + bytes(99) + b"".join(lines)), key.spki_sha256
    )
    assert found.proof == "d*G = Q"


@pytest.mark.parametrize("spelling", ["hex", "base64", "base64url, two bytes a character"])
@pytest.mark.parametrize(
    ("curve", "compressed"),
    [("P-256", False), ("P-256", True), ("P-384", True), ("P-521", False)],
)
def test_a_scalar_whose_point_is_written(
    tmp_path: Path, curve: str, spelling: str, *, compressed: bool
) -> None:
    """As most programs write public keys, behind the byte that says what follows (SEC 1).

    Seen in base64url in configurations of web push (VAPID).
    """
    key = keys.ec_key(curve)
    x, y, scalar = (n.to_bytes(key.field_bytes, "big") for n in (key.x, key.y, key.d))
    point = bytes((2 + key.y % 2,)) + x if compressed else b"\4" + x + y
    spell = SPELLINGS[spelling]
    data = noise.plant(noise.text(SIZE, 3), 5001, bytes(3) + spell(point) + bytes(3))
    data = noise.plant(data, 9000, bytes(3) + spell(scalar) + bytes(3))
    (found,) = private(scanned(tmp_path, data), key.spki_sha256)
    assert found.proof == "d*G = Q"


@pytest.mark.parametrize("tag", range(8))
def test_no_number_has_another_byte_before(tag: int) -> None:
    """A sign's zero and the kinds of compressed points alone stand before 32 bytes."""
    raw = P256.d.to_bytes(32, "big")
    found = bare_numbers.read(Bytes(url(bytes((tag,)) + raw)), 0, 0)
    assert (found and found.raw) == (raw if tag in (0, 2, 3) else None)


@pytest.mark.parametrize(
    ("curve", "size"), [("P-256", 32), ("P-256", 33), ("P-384", 48), ("P-521", 66), ("P-521", 65)]
)
@pytest.mark.parametrize("wrong", [False, True])
def test_a_scalar_behind_the_count_of_its_bytes(
    tmp_path: Path, curve: str, size: int, *, wrong: bool
) -> None:
    """As BN_bn2mpi has it: a zero for its sign, no others. The count must be right."""
    key = keys.ec_key(curve)
    d = {33: key.d | 1 << 255, 65: key.d % (1 << 519)}.get(size, key.d)
    public = ec.derive_private_key(d, key.private_key.curve).public_key()
    point = public.public_bytes(form.Encoding.X962, form.PublicFormat.UncompressedPoint).hex()
    spki = public.public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)
    counted = f"{size + wrong:08x}{d:0{2 * size}x}"
    data = noise.plant(noise.text(SIZE, 3), 5001, f"\0{point}\0".encode())
    data = noise.plant(data, 9000, f"\n2:1.2.3:0:{counted}:\0".encode())
    found = private(scanned(tmp_path, data), hashlib.sha256(spki).hexdigest())
    assert [one.encoding for one in found] == ["d hex"] * (not wrong)


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize(("algorithm", "crowd"), [("ed25519", 1300), ("ed448", 160)])
def test_a_seed_and_its_public_half_in_a_crowd_of_digests(
    tmp_path: Path, algorithm: str, crowd: int, *, flipped: bool
) -> None:
    """One text of both is found among more digests as long as are tried for a public half."""
    key = keys.okp_key(algorithm)
    own = key.seed + bytes((key.public[0] ^ flipped,)) + key.public[1:]
    lines = [hashlib.shake_256(b"%d" % n).hexdigest(len(own)) for n in range(crowd)]
    lines.insert(crowd * 2 // 3, own.hex())
    found = scanned(tmp_path, "".join(f"digest {line}\n" for line in lines).encode())
    told = private(found, key.spki_sha256)
    assert [one.proof for one in told] == [edwards.PROOFS["seed"]] * (not flipped)
    assert len(told) == len([one for one in found if one.kind == "private-key"])


@pytest.mark.parametrize("before", [0, 4, 8])
def test_zeros_before_a_text_of_unknown_size_count_nothing(before: int) -> None:
    """Who does not say how long a text is gets it whole, behind zeros too, or at the first byte."""
    raw = noise.uniform(32, 4)
    found = bare_numbers.read(Bytes(bytes(before) + raw.hex().encode() + bytes(8)), 0, before)
    assert found is not None
    assert found.raw == raw
