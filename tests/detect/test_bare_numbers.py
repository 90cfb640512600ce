"""Bare numbers that are written as text: found in any spelling, whole words alone, and again."""

import base64
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fixtures import encodings, keys, noise
from scanner import rules
from scanner.detect import bare_numbers
from scanner.detect.limbs import Runs
from scanner.dump import source, space
from scanner.dump.space import Memory
from scanner.engine import ScanRequest, scan
from scanner.model import Candidate, Layout, Place
from scanner.progress import Silence

RSA, P256, P521 = keys.rsa_key(2048), keys.ec_key("P-256"), keys.ec_key("P-521")
ED, X = keys.okp_key("ed25519"), keys.okp_key("x25519")
ED_PUBLIC, X_PUBLIC = (key.private_key.public_key().public_bytes_raw() for key in (ED, X))
SIZE = 1 << 14


def url(raw: bytes) -> bytes:
    """Spell bytes as RFC 7515 does."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


SPELLINGS: dict[str, Callable[[bytes], bytes]] = {
    "base64url": url,
    "base64": base64.b64encode,
    "hex": lambda raw: raw.hex().encode(),
    "hex, upper case": lambda raw: raw.hex().upper().encode(),
    "hex, announced": lambda raw: b"0x" + raw.hex().encode(),
    "hex, signed": lambda raw: b"00" + raw.hex().encode(),
    "base64url, two bytes a character": lambda raw: encodings.utf16(url(raw)),
    "hex, two bytes a character": lambda raw: encodings.utf16(raw.hex()),
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
    path = folder / "dump"
    path.write_bytes(data)
    found = scan(ScanRequest(path=str(path), in_process=True, rules=rules.load()), Silence())
    assert found.coverage.scanned_bytes == len(data)
    return found.candidates


def private(found: tuple[Candidate, ...], spki: str) -> list[Candidate]:
    """Return the candidates for one private key."""
    return [c for c in found if c.kind == "private-key" and c.fingerprint.value == spki]


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
    assert found.encoding.startswith("d base64" if "base64" in spelling or pad else "d hex")


@pytest.mark.parametrize("kind", HALVES)
def test_halves_that_are_both_written(tmp_path: Path, kind: str) -> None:
    """What a JSON Web Key was made of: two strings, nothing around them."""
    raw, public, spki = HALVES[kind]
    data = noise.text(SIZE, 3)
    for at, half in ((5001, raw), (9003, public)):
        data = noise.plant(data, at, bytes(3) + url(half) + bytes(3))
    assert private(scanned(tmp_path, data), spki)


def test_a_seed_and_its_public_half_in_one_text(tmp_path: Path) -> None:
    """NaCl's secret key of 64 bytes."""
    text = base64.b64encode(ED.seed + ED_PUBLIC)
    data = noise.plant(noise.text(SIZE, 3), 5000, b'"' + text + b'"')
    (found,) = private(scanned(tmp_path, data), ED.spki_sha256)
    assert found.places[0].size == len(text.rstrip(b"=")) + 2


@pytest.mark.parametrize("numbers", ["pn", "pq", "nd"])
@pytest.mark.parametrize("spelling", ["base64url", "hex"])
def test_numbers_of_rsa(tmp_path: Path, numbers: str, spelling: str) -> None:
    """A prime and the modulus, both primes, or the exponent: each is a string of its own."""
    data = noise.text(SIZE, 3)
    values = {"p": RSA.p, "q": RSA.q, "n": RSA.n, "d": RSA.d}
    for at, name in enumerate(numbers):
        raw = encodings.big_endian(values[name])
        data = noise.plant(data, 2000 + 3001 * at, bytes(1) + SPELLINGS[spelling](raw) + bytes(1))
    found = private(scanned(tmp_path, data), RSA.spki_sha256)
    assert bool(found) == (numbers != "pq")  # a product that stands nowhere is no key


def test_a_modulus_far_away(tmp_path: Path) -> None:
    """Seen in Ruby: the strings of one key are allocated wherever there is room."""
    p, n = url(encodings.big_endian(RSA.p)), url(encodings.big_endian(RSA.n))
    data = noise.plant(noise.text(1 << 18, 3), 2000, bytes(1) + p + bytes(1))
    data = noise.plant(data, 250_000, bytes(1) + n + bytes(1))
    (found,) = private(scanned(tmp_path, data), RSA.spki_sha256)
    assert (found.proof, found.e_assumed) == ("p | n", True)


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


def test_a_word_of_small_letters_alone() -> None:
    """One text in 750 has only such where it is looked at first."""
    text = url(noise.uniform(66, 7))
    for at in range(len(text) - 8):
        plain = text[:at] + b"abcdefgh" + text[at + 8 :]
        assert found_in(bytes(64) + plain + bytes(64)) == [(64, 64 + len(plain))]


def test_a_long_text_is_no_crowd() -> None:
    """Seen in Ruby: the modulus among thousands of paths, ten words of one row."""
    path = b"/usr/lib/Ruby/gems/3.1.0/Some-Gem-1.2.3/lib/Some.rb" + bytes(13)
    text = url(noise.uniform(256, 7))
    data = path * 32 * 400 + bytes(2048) + text + bytes(2048) + path * 32 * 100
    at = len(path) * 32 * 400 + 2048
    assert (at, at + len(text)) in found_in(data)


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


def found_in(data: bytes) -> list[tuple[int, int]]:
    """Return where stage one sees texts in a buffer: start and end."""
    buffer = np.frombuffer(data + bytes(-len(data) % 8), np.uint8)
    whole = np.array([0]), np.array([len(data)])
    starts, ends = bare_numbers.find(buffer, *whole, [(0, len(buffer))])
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


@settings(max_examples=60)
@given(
    st.sampled_from(bare_numbers.SIZES),
    st.sampled_from(["base64url", "hex", "base64url, two bytes a character"]),
    st.integers(0, 200),
    st.integers(0, 1 << 16),
)
def test_texts_are_seen_at_any_address(size: int, spelling: str, at: int, seed: int) -> None:
    """Each length and width, wherever a text begins."""
    text = SPELLINGS[spelling](noise.uniform(size, seed))
    assume(any(byte in b"0123456789" for byte in text[:43]))  # one in 1500 has none there
    data = noise.uniform(64, seed) + bytes(at + 2) + text + bytes(100)
    assert (64 + at + 2, 64 + at + 2 + len(text)) in found_in(data)


@pytest.mark.parametrize("seen", [40, 50, 600])
def test_a_text_that_a_window_cuts(tmp_path: Path, seen: int) -> None:
    """It belongs to the window in which it begins, and is read whole."""
    raw = noise.uniform(512, 4)
    text = url(raw)
    data = bytes(4096 - seen) + text
    assert found_in(data[:4096]) == [(4096 - seen, 4096 - seen + bare_numbers.LONGEST)]
    (tmp_path / "file").write_bytes(data)
    made, _ = space.build(Layout(format="raw"), len(data))
    with source.open_file(str(tmp_path / "file")) as file:
        memory = Memory(made, file)
        place = Place(space=0, offset=4096 - seen, size=len(text))
        assert bare_numbers.number(memory, place) == raw
        assert bare_numbers.number(memory, Place(space=0, offset=10, size=64)) == bytes(64)


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


@pytest.mark.parametrize("data", [noise.text(1 << 16, 1), noise.uniform(1 << 16, 2), b"ab" * 9999])
def test_ordinary_bytes_hold_none(data: bytes) -> None:
    """Words, random bytes and rows without an end."""
    assert not found_in(data)


def test_a_lone_text_is_seen_in_spite_of_tables_of_others() -> None:
    """Where there are too many, those in crowds are left: lists of digests, packed text."""
    lone = url(noise.uniform(32, 5))
    table = b"".join(noise.uniform(32, seed).hex().encode() + bytes(8) for seed in range(3000))
    data = bytes(500) + lone + bytes(8000) + table + bytes(8000) + lone + bytes(500)
    found = found_in(data)
    assert {start for start, _ in found} >= {500, len(data) - 500 - len(lone)}
    assert 2 < len(found) < 3000
