"""OpenPGP packets and armour."""

import functools
import itertools
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import encodings, noise, pgp
from fixtures import keys as recipes
from scanner import rules
from scanner.detect import anchors
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import Proved
from scanner.detect.cursor import Mismatch
from scanner.detect.locked.sealed import Sealed
from scanner.detect.openpgp import pgparmour, strange_pgp
from scanner.detect.openpgp import transferable as detector
from scanner.model import Candidate, Confidence
from scanner.rules import Rule
from tests.detect.one_space import Bytes

RULES = {rule.kind: rule for rule in rules.load() if rule.detector == "pgp"}
KEYS = [
    recipes.rsa_key(2048),
    recipes.rsa_key(2048, e=3),
    recipes.rsa_key(4096),
    *(recipes.ec_key(curve) for curve in ("P-256", "P-384", "P-521", "secp256k1")),
    recipes.okp_key("ed25519"),
    recipes.okp_key("x25519"),
]
NATIVE = [recipes.okp_key(name) for name in ("ed25519", "x25519", "ed448", "x448")]


@functools.cache
def compiled(kinds: tuple[str, ...]) -> tuple[list[Rule], anchors.Sweeper]:
    """Return the rules of some kinds, and what finds their anchors."""
    chosen = [RULES[kind] for kind in kinds]
    return chosen, anchors.open_sweeper(anchors.compile_anchors(chosen))


def find(data: bytes, *kinds: str) -> list[Proved | PublicKey | Sealed]:
    """Run the rules of these kinds, or all of them, over the bytes."""
    chosen, sweeper = compiled(kinds or tuple(sorted(RULES)))
    return [
        found
        for index, offset in sweeper.sweep(data)
        for found in detector.examine(Bytes(data), 0, offset, chosen[index])
    ]


def private(data: bytes) -> dict[str, set[tuple[str, int, int]]]:
    """Return the proved keys by name, with encoding and place of each candidate."""
    said: dict[str, set[tuple[str, int, int]]] = {}
    for found in find(data, "private-key"):
        assert isinstance(found, Proved)
        (place,) = found.candidate.places
        assert found.candidate.confidence is Confidence.PROOF
        row = (found.candidate.encoding, place.offset, place.size)
        said.setdefault(found.candidate.fingerprint.value, set()).add(row)
    return said


def encrypted(data: bytes) -> list[Candidate]:
    """Return what is said of encrypted keys."""
    return [f.candidate for f in find(data, "encrypted-key") if isinstance(f, Sealed)]


def again(data: bytes, rule: Rule, at: int) -> bool:
    """Tell whether a place alone gives the key once more, as a trace asks for it."""
    return any(isinstance(f, Proved) for f in detector.examine(Bytes(data), 0, at, rule))


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.spki_sha256[:8])
@pytest.mark.parametrize("tag", [5, 7])
@pytest.mark.parametrize("old", [True, False])
def test_open_packets(key: recipes.Key, tag: int, old: bool) -> None:
    """A secret packet of either header form is one proved key, and its place is the packet."""
    packet = pgp.packet(key, tag=tag, old=old)
    data = b"\xfe" * 7 + packet + b"\xfe" * 9
    said = private(data)
    assert set(said) == {key.spki_sha256}
    assert ("PGP packet", 7, len(packet)) in said[key.spki_sha256]
    for _, at, size in said[key.spki_sha256]:
        assert 7 <= at < at + size <= 7 + len(packet)
        assert again(data, RULES["private-key"], at)
    assert find(data, "encrypted-key", "public-key") == []


@pytest.mark.parametrize("key", KEYS[3:6], ids=lambda key: key.curve)
def test_keys_of_agreement(key: recipes.EcKey) -> None:
    """A curve's key is found with the parameters of ECDH behind its point."""
    assert set(private(pgp.packet(key, agrees=True))) == {key.spki_sha256}


def test_a_seed_that_begins_with_zeros() -> None:
    """GnuPG writes it whole, and says that it has 256 bits: one key in 256."""
    some = (recipes.okp_key("ed25519", label=f"zero {at}") for at in itertools.count())
    key = next(key for key in some if not key.seed[0])
    for packet in (pgp.padded(key), pgp.packet(key)):
        assert len(private(packet)) == 1
        assert private(packet).keys() == private(pgp.native(key, 4)).keys()


@pytest.mark.parametrize("key", NATIVE, ids=lambda key: key.algorithm)
@pytest.mark.parametrize("version", [4, 6])
def test_keys_of_fixed_length(key: recipes.OkpKey, version: int) -> None:
    """The algorithms of RFC 9580 are found in packets of both versions."""
    packet = pgp.native(key, version)
    assert private(b"\xfe" * 3 + packet)[key.spki_sha256] == {("PGP packet", 3, len(packet))}


@pytest.mark.parametrize("key", KEYS[:1] + KEYS[3:], ids=lambda key: key.spki_sha256[:8])
def test_without_its_header(key: recipes.Key) -> None:
    """An open packet is found by its fields where an allocator took its first bytes."""
    packet = pgp.packet(key)
    lost = 40 if isinstance(key, recipes.RsaKey) else 2
    assert set(private(bytes(lost) + packet[lost:])) == {key.spki_sha256}


def test_without_its_checksum() -> None:
    """Seen in RNP on 32-bit x86: an allocator wrote over both ends of a packet that was freed."""
    packet = pgp.packet(KEYS[0])
    assert set(private(bytes(40) + packet[40:-2] + b"\x60\x05")) == {KEYS[0].spki_sha256}


def test_a_modulus_of_any_size() -> None:
    """The way from the exponent back to the version is as long as the modulus says."""
    key = recipes.rsa_key(1016)
    for made, kinds in ((pgp.packet, "private-key"), (pgp.encrypted, "encrypted-key")):
        assert find(b"\xfe" * 9 + made(key), kinds)
    assert find(b"\xfe" * 9 + pgp.public_packet(key), "public-key")
    packet = bytearray(pgp.public_packet(key))
    packet[packet.index(pgp.TIME) + 6] ^= 1
    assert find(bytes(packet), "public-key") == []


@pytest.mark.parametrize("ends", ["lf", "crlf", "escaped", "none"])
@pytest.mark.parametrize("wide", [False, True])
def test_armour(ends: str, wide: bool) -> None:
    """Every key of an armour is found, whatever ends its lines, in one or two bytes."""
    two = pgp.packet(KEYS[7]) + pgp.packet(KEYS[8], tag=7)
    text = pgp.armour(two, ends)
    if ends == "none":
        text = text.replace(b"Comment: throwaway", b"")
    data = encodings.utf16(text) if wide else text
    said = private(b"\xfe" * 5 + data + b"\xfe" * 40)
    assert set(said) == {KEYS[7].spki_sha256, KEYS[8].spki_sha256}
    assert again(b"\xfe" * 5 + data, RULES["private-key"], 5)
    for rows in said.values():
        for encoding, at, size in rows:
            assert (encoding == "PGP armour utf-16le") is wide
            assert (at, at + size <= 5 + len(data)) == (5, True)


def test_a_checksum_that_contradicts() -> None:
    """A proof needs no checksum; an encrypted key whose armour has a false one is none."""
    for made, left in ((pgp.packet, 1), (pgp.encrypted, 0)):
        text = pgp.armour(made(KEYS[7]))
        at = text.index(b"\n=") + 2
        broken = text[:at] + b"AAAA" + text[at + 4 :]
        assert len(private(text)) + len(encrypted(text)) == 1
        assert len(private(broken)) + len(encrypted(broken)) == left


@pytest.mark.parametrize("usage", [253, 254, 255])
@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("key", [KEYS[0], KEYS[3], KEYS[7]], ids=lambda key: key.spki_sha256[:8])
def test_encrypted_packets(key: recipes.Key, version: int, usage: int) -> None:
    """An encrypted secret is no private key, and its kind of protection is told."""
    packet = pgp.encrypted(key, usage=usage, version=version)
    found = set(encrypted(b"\xfe" * 3 + packet))
    (said,) = found
    assert not private(packet)
    assert said.fingerprint.value == key.spki_sha256
    assert (said.kind, said.confidence) == ("encrypted-key", Confidence.STRUCTURE)
    assert (said.places[0].offset, said.places[0].size) == (3, len(packet))
    wanted = "Argon2 3 passes of 65,536 KiB" if usage == 253 else "SHA-256 over 65,011,712 bytes"
    assert said.protection.endswith(wanted)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.spki_sha256[:8])
def test_public_packets(key: recipes.Key) -> None:
    """A public packet bears witness and is no private key."""
    if isinstance(key, recipes.OkpKey) and key.algorithm == "x25519":
        return
    found = find(b"\xfe" * 3 + pgp.public_packet(key))
    assert all(isinstance(f, PublicKey) for f in found)
    names = {f.witness.fingerprint.value for f in found if isinstance(f, PublicKey)}
    assert names == {key.spki_sha256}


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([KEYS[0], KEYS[3], KEYS[7]]), st.data())
def test_a_flipped_bit_proves_nothing_else(key: recipes.Key, data: st.DataObject) -> None:
    """Whichever bit is flipped, what is proved is that key or nothing."""
    packet = bytearray(pgp.packet(key))
    at = data.draw(st.integers(0, len(packet) - 1))
    packet[at] ^= 1 << data.draw(st.integers(0, 7))
    assert set(private(bytes(packet))) <= {key.spki_sha256}


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([pgp.packet, pgp.encrypted, lambda key: pgp.armour(pgp.packet(key))]),
    st.sampled_from(KEYS[3:8]),
    st.integers(0, 300),
    st.binary(max_size=300),
)
def test_arbitrary_bytes_raise_nothing(
    made: object, key: recipes.Key, cut: int, noise: bytes
) -> None:
    """Whatever stands behind an anchor, what comes out is that key or nothing."""
    assert callable(made)
    data = made(key)[:cut] + noise
    for rule in RULES.values():
        for at in (0, 2, 3):
            for found in detector.examine(Bytes(data), 0, at, rule):
                if isinstance(found, Proved):
                    assert found.candidate.fingerprint.value == key.spki_sha256


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200))
def test_armour_of_anything(text: bytes) -> None:
    """Decoding gives bytes or none, and never more characters than there are."""
    data, used, _ = pgparmour.dearmor(text)
    assert used <= len(text)
    assert len(data) <= used


def exported(command: list[str]) -> bytes:
    """Return what gpg exports: of a busy machine's, one in hundreds was refused at first."""
    tries = (subprocess.run(command, check=False, capture_output=True) for _ in range(3))
    return next(done.stdout for done in tries if done.returncode == 0)


@pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")
@pytest.mark.parametrize(
    ("algorithm", "passphrase"),
    [
        ("rsa2048", ""),
        ("dsa2048", ""),
        ("ed25519", ""),
        ("nistp384", ""),
        ("brainpoolP256r1", ""),
        ("rsa2048", "correct horse"),
        ("ed25519", "correct horse"),
    ],
)
def test_what_gpg_exports(tmp_path: Path, algorithm: str, passphrase: str) -> None:
    """A key that gpg made and exported is found, open or encrypted, primary key and subkey."""
    home = tmp_path / "g"
    home.mkdir(mode=0o700)
    (home / "gpg-agent.conf").write_text("s2k-count 65536\n")
    gpg = ["gpg", "--homedir", str(home), "--batch", "--pinentry-mode", "loopback"]
    gpg += ["--passphrase", passphrase]
    sub = {"rsa2048": "rsa2048", "dsa2048": "elg2048", "ed25519": "cv25519"}.get(
        algorithm, algorithm
    )
    try:
        subprocess.run(
            [*gpg, "--quick-gen-key", "somebody@example", algorithm, "sign", "never"],
            check=True,
            capture_output=True,
            timeout=120,
        )
        listed = subprocess.run(
            [*gpg, "--with-colons", "--list-keys"], check=True, capture_output=True, text=True
        ).stdout
        name = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
        subprocess.run(
            [*gpg, "--quick-add-key", name, sub, "encr", "never"],
            check=True,
            capture_output=True,
            timeout=120,
        )
        export = [*gpg, "--export-secret-keys"]
        binary, text = exported(export), exported([*export, "--armor"])
        public = subprocess.run([*gpg, "--export"], check=True, capture_output=True).stdout
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
    names = {f.witness.fingerprint.value for f in find(public) if isinstance(f, PublicKey)}
    assert len(names) == 2
    if passphrase:
        assert {f.fingerprint.value for f in encrypted(binary)} == names
        assert {f.fingerprint.value for f in encrypted(text)} == names
        assert not private(binary)
        assert not private(text)
    else:
        assert set(private(binary)) == names
        assert set(private(text)) == names
        assert not find(binary, "encrypted-key")


@pytest.mark.parametrize("key", [KEYS[0], recipes.rsa_key(2048, e=17)], ids=["65537", "17"])
@pytest.mark.parametrize("tag", [5, 7])
def test_version_3(key: recipes.RsaKey, tag: int) -> None:
    """The packets of PGP 2 have days of validity; open ones are keys, sealed ones are named."""
    packet = pgp.versioned(key, 3, tag=tag)
    said = private(b"\xfe" * 5 + packet + b"\xfe" * 5)
    assert ("PGP packet", 5, len(packet)) in said[key.spki_sha256]
    (sealed, *_) = encrypted(b"\xfe" * 5 + pgp.versioned(key, 3, tag=tag, sealed=True))
    assert (sealed.fingerprint.value, sealed.protection) == (
        key.spki_sha256,
        "MD5 of the passphrase",
    )


@pytest.mark.parametrize(
    "key",
    [*KEYS[:1], *KEYS[3:7], recipes.okp_key("ed25519"), recipes.okp_key("ed448")],
    ids=lambda key: key.spki_sha256[:8],
)
def test_version_5(key: recipes.Key) -> None:
    """LibrePGP's packets count their fields, and no count may lie."""
    packet = pgp.versioned(key, 5)
    said = private(b"\xfe" * 5 + packet + b"\xfe" * 5)
    assert ("PGP packet", 5, len(packet)) in said[key.spki_sha256]
    (sealed, *_) = encrypted(b"\xfe" * 5 + pgp.versioned(key, 5, sealed=True))
    assert sealed.fingerprint.value == key.spki_sha256
    assert "SHA-256" in sealed.protection
    at = packet.index(b"\x05" + pgp.TIME) + 9  # the last byte of the first count
    changed = packet[:at] + bytes((packet[at] ^ 1,)) + packet[at + 1 :]
    assert "PGP packet" not in {row[0] for rows in private(changed).values() for row in rows}


def _half(size: int, seed: int) -> bytes:
    return noise.uniform(size, seed)


def _point(oid: str) -> bytes:
    """Return the public fields of a curve that has no name here."""
    return bytes((len(oid) // 2,)) + bytes.fromhex(oid) + pgp.mpi(4 << 512 | 1 << 511 | 12345)


SM2, RARE = "2a811ccf5501822d", "2b2403030208010108"
SCALAR = pgp.mpi(int.from_bytes(noise.uniform(32, 3), "big") | 1 << 255)
STRANGE = {
    "ML-DSA-65+Ed25519, 6": (6, 30, _half(1984, 1), _half(64, 2)),
    "ML-DSA-87+Ed448, 6": (6, 31, _half(2649, 1), _half(89, 2)),
    "ML-KEM-768+X25519, 6": (6, 35, _half(1216, 1), _half(96, 2)),
    "ML-KEM-768+X25519, 4": (4, 35, _half(1216, 1), _half(96, 2)),
    "ML-KEM-1024+X448, 6": (6, 36, _half(1624, 1), _half(120, 2)),
    "SLH-DSA-SHAKE-128s, 6": (6, 32, _half(32, 1), _half(64, 2)),
    "unknown, 6": (6, 100, _half(777, 1), _half(99, 2)),
    "unknown, 5": (5, 8, _half(1250, 1), _half(99, 2)),
    "ec, 4": (4, 19, _point(SM2), SCALAR),
    "ec, 6": (6, 19, _point(RARE), SCALAR),
    "ec, agrees": (4, 18, _point(RARE) + bytes((3, 1, 8, 7)), SCALAR),
}
"""Version, algorithm and halves of keys that nobody here computes with."""


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("name", STRANGE)
def test_an_algorithm_that_nobody_knows(name: str, *, old: bool) -> None:
    """What its frame says is a private key is one: in armour, and where an anchor is, in memory."""
    packet = pgp.strange(*STRANGE[name], old=old)
    text = pgp.armour(packet)
    (found,) = find(b"\xfe" * 9 + text + b"\xfe" * 9, "private-key")
    assert isinstance(found, Proved)
    said = found.candidate
    assert (said.algorithm, said.confidence) == (name.partition(",")[0], Confidence.STRUCTURE)
    assert said.curve == {"ec, 4": "1.2.156.10197.1.301"}.get(name, said.curve)
    assert said.places[0].offset == 9
    if name[:2] in ("ML", "ec") and name != "ec, 4":
        (found,) = find(b"\xfe" * 9 + packet + b"\xfe" * 9, "private-key")
        assert isinstance(found, Proved)
        (place,) = found.candidate.places
        assert (place.offset, place.size) == (9, len(packet))


@pytest.mark.parametrize("name", STRANGE)
def test_what_its_frame_does_not_hold(name: str) -> None:
    """A wrong sum or size, a filler, a public packet, an encrypted one: nothing is said."""
    version, algorithm, public, secret = STRANGE[name]
    whole = pgp.strange(version, algorithm, public, secret, old=False)
    cut = pgp.framed(5, whole[3:-5], old=False)
    longer = pgp.framed(5, whole[3:] + b"\0", old=False)
    filler = pgp.strange(version, algorithm, public, bytes(len(secret)), old=False)
    sealed = bytearray(whole)
    sealed[len(whole) - len(secret) - {4: 3, 5: 8, 6: 1}[version]] = 254
    shown = pgp.framed(6, whole[3:], old=False)
    for packet in (filler, bytes(sealed), shown, *((cut, longer) if version < 6 else ())):
        assert find(pgp.armour(packet), "private-key") == []
        assert find(bytes(9) + packet + bytes(9), "private-key") == []
    spoiled = pgp.armour(whole).replace(b"\n=", b"\n=AAAA\n=")
    assert find(spoiled, "private-key") == []


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=120))
def test_arbitrary_bodies_are_refused(body: bytes) -> None:
    """Whatever bytes a body has, it is read or refused, and never half."""
    for front in (b"", b"\x04\x60\0\0\0\x13", b"\x06\x60\0\0\0\x20\0\0\0\x20"):
        try:
            found = strange_pgp.read(front + body)
        except Mismatch:
            continue
        assert found.secret in body
