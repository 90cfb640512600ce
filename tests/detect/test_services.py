"""Keys of services and wallets with formats of their own: strictly read, proved if possible."""

import base64
import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import keys, noise, pqc, services
from scanner import published, rules
from scanner.detect import anchors, encrypted
from scanner.detect.algebra.material import Pqc
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import bech32
from scanner.detect.locked.sealed import Sealed
from scanner.detect.programs import (
    age,
    dnssec,
    minisign,
    named_pairs,
    nkey,
    nostr,
    paired,
    stellar,
    tor,
    wireguard,
)
from scanner.model import Confidence
from tests.detect.one_space import Bytes

RULES = {rule.id: rule for rule in rules.load()}
READERS = {
    "wireguard-private-key": wireguard.examine,
    "age-secret-key": age.examine,
    "minisign-secret-key": minisign.examine,
    "dnssec-private-key": dnssec.examine,
    "tor-onion-key": tor.examine,
    "nostr-secret-key": nostr.examine,
    "stellar-secret-seed": stellar.examine,
    "nats-nkey-seed": nkey.examine,
    "named-key-pair": named_pairs.examine,
    "paired-private-key": paired.examine,
    "encrypted-private-key": encrypted.examine,
}
SWEEPERS = {name: anchors.open_sweeper(anchors.compile_anchors((RULES[name],))) for name in READERS}
K1, P256 = keys.ec_key("secp256k1"), keys.ec_key("P-256")
X, ED = keys.okp_key("x25519"), keys.okp_key("ed25519")
FORMS = {
    "wireguard-private-key": (X, services.wireguard(X)),
    "age-secret-key": (X, services.age(X)),
    "minisign-secret-key": (ED, services.minisign(ED)),
    "dnssec-private-key": (keys.rsa_key(1024), services.dnssec(keys.rsa_key(1024))),
    "tor-onion-key": (ED, services.tor(ED)),
    "nostr-secret-key": (K1, services.nsec(K1)),
    "stellar-secret-seed": (ED, services.strkey(ED)),
    "nats-nkey-seed": (ED, services.nkey(ED)),
    "named-key-pair": (P256, services.vapid(P256)),
    "paired-private-key": (ED, services.libp2p(ED)),
}


def find(name: str, data: bytes) -> list[Proved | Sealed]:
    """Run a rule over the bytes."""
    return [
        found
        for _, offset in SWEEPERS[name].sweep(data)
        for found in READERS[name](Bytes(data), 0, offset, RULES[name])
        if isinstance(found, Proved | Sealed)
    ]


def only(name: str, data: bytes) -> Proved:
    """Return the one key that a rule finds."""
    (found,) = find(name, data)
    assert isinstance(found, Proved)
    return found


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("name", FORMS)
def test_forms(name: str, codec: str) -> None:
    """Each form is found, under its own fingerprint, again from its place."""
    key, text = FORMS[name]
    if name == "tor-onion-key":
        data = b"\xfe" * 8 + text
    else:
        data = b"\xfe" * 8 + text.decode().encode(codec) + b"\xfe\xfe"
    found = only(name, data)
    assert found.candidate.fingerprint.value == key.spki_sha256
    (place,) = found.candidate.places
    assert 8 <= place.offset < place.offset + place.size <= len(data)
    (again,) = READERS[name](Bytes(data), 0, place.offset, RULES[name])
    assert isinstance(again, Proved)
    assert again.candidate.fingerprint == found.candidate.fingerprint


@pytest.mark.parametrize("public", [False, True])
def test_a_public_half_beside_it_is_the_proof(*, public: bool) -> None:
    """What derives a public half proves nothing until that stands there."""
    wanted = Confidence.PROOF if public else Confidence.STRUCTURE
    for name, text in (
        ("wireguard-private-key", services.wireguard(X, public=public)),
        ("age-secret-key", services.age(X, public=public)),
        ("tor-onion-key", services.tor(ED, public=public)),
        ("tor-onion-key", services.tor_control(ED, public=public)),
        ("stellar-secret-seed", services.strkey(ED, public=public)),
        ("nats-nkey-seed", services.nkey(ED, "U", public=public)),
        ("nats-nkey-seed", services.nkey(ED, "A", public=public)),
        ("nats-nkey-seed", services.nkey(ED, "O", public=public)),
        ("nats-nkey-seed", services.nkey(X, "X", public=public)),
        ("paired-private-key", services.paserk(keys.ec_key("P-384"), public=public)),
        ("nostr-secret-key", services.nsec(K1, "npub" if public else "")),
        ("nostr-secret-key", services.nsec(K1, "hex" if public else "")),
    ):
        assert only(name, text).candidate.confidence is wanted


@pytest.mark.parametrize("public", [False, True])
@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize(
    "program",
    ["networkd", "networkmanager", "netplan", "openwrt", "routeros", "uapi", "json"],
)
def test_wireguard_without_its_own_tools(program: str, codec: str, *, public: bool) -> None:
    """Whatever sets the interface up, its key is one, found again from its place."""
    text = services.wireguard_of(program, X, public=public)
    data = bytes(8) + text.decode().encode(codec) + bytes(8)
    found = only("wireguard-private-key", data)
    assert found.candidate.fingerprint.value == X.spki_sha256
    assert found.candidate.confidence is (Confidence.PROOF if public else Confidence.STRUCTURE)
    (place,) = found.candidate.places
    rule = RULES["wireguard-private-key"]
    (again,) = wireguard.examine(Bytes(data), 0, place.offset, rule)
    assert again.candidate.places == (place,)


@pytest.mark.parametrize("public", [False, True])
def test_a_hybrid_identity(*, public: bool) -> None:
    """An X-Wing identity has the name of its public key, which beside it is the proof."""
    seed = pqc.seed("x-wing")
    found = only("age-secret-key", b"\0" + services.age_hybrid(seed, public=public) + b"\0")
    spki = pqc.spki("x-wing", services.x_wing_public(seed))
    assert found.candidate.fingerprint.value == hashlib.sha256(spki).hexdigest()
    assert found.candidate.algorithm == "x-wing"
    assert found.candidate.confidence is (Confidence.PROOF if public else Confidence.STRUCTURE)
    broken = services.age_hybrid(seed).replace(b"AGE-SECRET-KEY-PQ-1", b"AGE-SECRET-KEY-PQ-1Q")
    assert find("age-secret-key", broken) == []


def test_the_hybrid_identity_of_the_manual() -> None:
    """Its recipient begins as age-keygen(1) prints it; the identity is one of the published."""
    text = "AGE-SECRET-KEY-PQ-1K30MYPZAHAXHR22YHH27EGDVLU0QNSUH3DSV7J7NR3X6D9LHXNWSDLTV4T"
    found = only("age-secret-key", text.encode())
    assert isinstance(found.material, Pqc)
    assert bech32.encode("age1pq", found.material.public).startswith("age1pq167")
    assert found.candidate.fingerprint.value in published.load()


@pytest.mark.parametrize(
    ("key", "confidence"),
    [
        (keys.rsa_key(2048), Confidence.PROOF),
        (keys.ec_key("P-256"), Confidence.STRUCTURE),
        (keys.ec_key("P-384"), Confidence.STRUCTURE),
        (ED, Confidence.STRUCTURE),
        (keys.okp_key("ed448"), Confidence.STRUCTURE),
    ],
    ids=lambda value: getattr(value, "name", type(value).__name__),
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\\n"])
def test_dnssec(key: keys.Key, confidence: Confidence, end: str) -> None:
    """Every algorithm of RFC 8624 that must be implemented is read, whatever the line ends."""
    found = only("dnssec-private-key", services.dnssec(key, end))
    assert found.candidate.fingerprint.value == key.spki_sha256
    assert found.candidate.confidence is confidence


@pytest.mark.parametrize("lost", [8, 16, 24])
@pytest.mark.parametrize("key", [keys.rsa_key(1024), keys.ec_key("P-384"), ED])
def test_dnssec_whose_first_line_is_gone(key: keys.Key, lost: int) -> None:
    """An allocator took it: the line of the algorithm says what the fields are."""
    text = services.dnssec(key)
    found = only("dnssec-private-key", bytes(lost) + text[lost:])
    assert found.candidate.fingerprint.value == key.spki_sha256
    assert len(find("dnssec-private-key", text)) == 1


def test_minisign_and_signify() -> None:
    """Plain keys are proved; encrypted ones are listed with what a guess costs."""
    for text in (services.minisign(ED), services.signify(ED)):
        assert only("minisign-secret-key", text).candidate.confidence is Confidence.PROOF
        assert find("encrypted-private-key", text) == []
    for text, said in (
        (services.minisign(ED, encrypted=True), "scrypt, 33554432 operations, 1024 MiB: slow"),
        (services.signify(ED, 42), "bcrypt, 42 rounds: slow"),
        (services.signify(ED, 4), "bcrypt, 4 rounds: fast"),
    ):
        assert find("minisign-secret-key", text) == []
        (found,) = find("encrypted-private-key", text)
        assert isinstance(found, Sealed)
        assert found.candidate.protection.startswith(said)


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("lead", ["KEY=", r"\n", r"\\n", r"\t", "%0A", "%3D", r"\u003d", "A" * 8])
def test_what_parts_a_seed_from_letters_before_it(lead: str, codec: str) -> None:
    """Variables, texts within others, whose line ends are escapes, and fills."""
    for name, text in (
        ("stellar-secret-seed", services.strkey(ED).strip()),
        ("nats-nkey-seed", services.nkey(ED).split(b"\n")[1]),
    ):
        found = only(name, (lead + text.decode() + ".").encode(codec))
        assert found.candidate.fingerprint.value == ED.spki_sha256


def test_a_seed_within_other_letters_is_none() -> None:
    """A checksum of 16 bits holds by chance: what goes on is no seed, nor what stands in a word."""
    for name, text in (
        ("stellar-secret-seed", services.strkey(ED).strip()),
        ("nats-nkey-seed", services.nkey(ED).split(b"\n")[1]),
    ):
        assert only(name, b"(" + text + b")")
        for around in (b"A%b", b"%bA", b"%b=", b"/%b", b"x%b"):
            assert find(name, around % text) == []
        for fill in (b"6", b"\\"):  # Go has a block of HMAC right before it
            assert only(name, noise.uniform(32) + fill * 32 + text + bytes(6))
        assert find(name, noise.uniform(32) + b"6" * 7 + text + bytes(6)) == []
        swapped = text[:20] + text[21:22] + text[20:21] + text[22:]
        assert swapped == text or find(name, swapped) == []


@pytest.mark.parametrize(
    "text",
    [
        services.libp2p(ED),
        services.libp2p(ED, twice=True),
        services.paserk(ED),
        services.solana(ED),
        services.solana(ED, "SOLANA_PRIVATE_KEY="),
        services.solana(ED, "Uint8Array(64) ").replace(b",", b",\n     "),
    ],
)
def test_a_seed_with_its_public_key_is_proved(text: bytes) -> None:
    """What is written in one word with its public half needs no other witness."""
    found = only("paired-private-key", text)
    assert found.candidate.confidence is Confidence.PROOF
    assert found.candidate.fingerprint.value == ED.spki_sha256


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (P256, services.vapid_lines(P256)),
        (P256, services.vapid(P256).replace(b":", b": ")),
        (P256, services.vapid(P256).replace(b'"', b'\\"')),
        (K1, services.named_hex(K1)),
        (ED, services.named_hex(ED)),
        (X, services.named_hex(X)),
        (X, services.zeromq(X)),
        (X, services.zeromq(X).replace(b'"', b'\\"')),
    ],
)
def test_a_name_and_a_public_half(key: keys.Key, text: bytes) -> None:
    """What stands behind a name is a key where its public half is near, of whatever algorithm."""
    found = only("named-key-pair", text)
    assert found.candidate.confidence is Confidence.PROOF
    assert found.candidate.fingerprint.value == key.spki_sha256


def test_a_line_of_a_certificate() -> None:
    """Without the public half it proves nothing, but says what a number elsewhere is."""
    found = only("named-key-pair", services.zeromq(X).splitlines()[3])
    assert found.candidate.confidence is Confidence.SHAPE
    assert found.candidate.fingerprint.value == X.spki_sha256


def test_a_control_line_of_tor() -> None:
    """In either width, found again from its place."""
    for codec in ("ascii", "utf-16-le"):
        data = services.tor_control(ED).decode().encode(codec)
        found = only("tor-onion-key", bytes(8) + data)
        assert found.candidate.fingerprint.value == ED.spki_sha256
        (place,) = found.candidate.places
        again = tor.examine(Bytes(bytes(8) + data), 0, place.offset, RULES["tor-onion-key"])
        assert [one.candidate.places for one in again] == [(place,)]


@settings(max_examples=30)
@given(data=st.binary(min_size=1, max_size=40))
def test_bech32(data: bytes) -> None:
    """What is written is read back, and one wrong character is told."""
    text = bech32.encode("age", data)
    assert bech32.decode("age", text[4:]) == data
    for at in range(4, len(text)):
        wrong = "q" if text[at] != "q" else "p"
        assert bech32.decode("age", text[4:at] + wrong + text[at + 1 :]) is None


CLAMPED = base64.b64encode(services.clamped(X))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("wireguard-private-key", b"PrivateKey = " + CLAMPED),
        ("wireguard-private-key", services.wireguard(X).replace(b"=\n", b"A\n")),
        ("wireguard-private-key", b"[Interface]\nPrivateKey = " + base64.b64encode(b"\x01" * 32)),
        (
            "wireguard-private-key",
            b"[Interface]\nPrivateKey = " + base64.b64encode(b"\xff" + services.clamped(X)[1:]),
        ),
        ("wireguard-private-key", b"private_key=" + services.clamped(X).hex().encode() + b"\n"),
        ("wireguard-private-key", b"mode: wireguard\n  keys:\n    public: " + CLAMPED),
        ("wireguard-private-key", b"option private_key 'generate'"),
        ("age-secret-key", services.age(X)[:-3]),
        ("age-secret-key", services.age(X).strip() + b"Q"),
        ("age-secret-key", services.age(X).replace(b"-1", b"-1Q")),
        ("minisign-secret-key", services.minisign(ED)[:200]),
        ("minisign-secret-key", b"RWQAAEIyAAAA" + b"A" * 300),
        ("dnssec-private-key", services.dnssec(keys.rsa_key(1024)).replace(b"Prime1", b"Prime9")),
        ("dnssec-private-key", services.dnssec(ED).replace(b"15 (", b"99 (")),
        ("tor-onion-key", services.tor(ED)[:-1]),
        ("tor-onion-key", tor.SECRET + bytes(64)),
        ("paired-private-key", services.libp2p(ED).replace(b"CAESQ", b"CAESQA")),
        ("paired-private-key", services.paserk(ED)[:-6]),
        ("paired-private-key", services.solana(ED)[:-5] + b"]"),
        ("paired-private-key", services.solana(ED).replace(b":[", b":[9")),
        ("paired-private-key", b'"secretKey":' + str([1] * 64).encode()),
        ("paired-private-key", services.paserk(ED).replace(b"k4", b"k3")),
        ("named-key-pair", services.vapid(P256).replace(b'Key":"B', b'Key":"C')),
        ("named-key-pair", services.named_hex(K1).splitlines()[1]),
        ("named-key-pair", services.named_hex(ED)[:-3]),
        ("named-key-pair", services.zeromq(X).replace(b'"\n', b'#"\n')),
        ("named-key-pair", b'secret-key = "' + b"Ab1+/" * 8 + b'"'),
        ("named-key-pair", services.zeromq(X)[:-42] + b"#" * 40 + b'"'),
        ("tor-onion-key", services.tor_control(ED)[:90]),
        ("tor-onion-key", b"ED25519-V3:" + base64.b64encode(bytes(64))),
    ],
)
def test_what_is_no_key(name: str, data: bytes) -> None:
    """Labels, cut files, and values that break their own rules are nothing."""
    assert find(name, data) == []


@settings(max_examples=30, deadline=None)
@given(
    name=st.sampled_from(sorted(FORMS)),
    at=st.integers(0, 2000),
    size=st.integers(0, 20),
    filler=st.binary(max_size=20),
)
def test_damage_raises_nothing(name: str, at: int, size: int, filler: bytes) -> None:
    """Whatever bytes are changed, nothing is raised."""
    data = bytearray(FORMS[name][1])
    data[at % len(data) : at % len(data) + size] = filler
    find(name, bytes(data))
    find(name, bytes(data).decode("latin-1").encode("utf-16-le"))


def run(*command: str, given_input: bytes = b"") -> bytes:
    """Run a foreign tool, or skip the test where it is missing or refuses."""
    try:
        done = subprocess.run(command, input=given_input, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip(f"{command[0]} is not installed")
    if done.returncode:
        pytest.skip(f"{command[0]} refuses")
    return done.stdout


def test_what_wg_writes() -> None:
    """A key of wg genkey, with the half that wg pubkey prints, is proved."""
    secret = run("wg", "genkey")
    public = run("wg", "pubkey", given_input=secret)
    text = b"[Interface]\nPrivateKey = " + secret + b"[Peer]\nPublicKey = " + public
    assert only("wireguard-private-key", text).candidate.confidence is Confidence.PROOF


@pytest.mark.parametrize("width", [1, 2])
def test_a_recipient_of_age(width: int) -> None:
    """Seen in rage: the text is all that is left of the public half."""
    text = services.age_recipient(X)
    for data, there in ((text, True), (text + b"q", False), (text[:-1] + b"q", False)):
        wide = b"".join(bytes((letter,)) + bytes(width - 1) for letter in data + b"\n")
        found = list(age.recipient(Bytes(wide), 0, 0, RULES["age-recipient"]))
        names = [public.witness.fingerprint.value for public in found]
        assert names == ([X.spki_sha256] if there else [])
        assert all(public.independent for public in found)


def test_what_age_writes() -> None:
    """An identity of age-keygen is proved by the recipient in its comment."""
    text = run("age-keygen")
    assert only("age-secret-key", text).candidate.confidence is Confidence.PROOF


@pytest.mark.parametrize(
    "algorithm", ["RSASHA256", "ECDSAP256SHA256", "ECDSAP384SHA384", "ED25519"]
)
def test_what_bind_writes(tmp_path: Path, algorithm: str) -> None:
    """A key of dnssec-keygen gives the public key of its DNSKEY record."""
    bits = ["-b", "1024"] if algorithm.startswith("RSA") else []
    folder = ["-K", str(tmp_path)]
    name = run("dnssec-keygen", "-q", "-a", algorithm, *bits, *folder, "example.").decode().strip()
    found = only("dnssec-private-key", (tmp_path / f"{name}.private").read_bytes())
    line = (tmp_path / f"{name}.key").read_text().splitlines()[-1]
    record = base64.b64decode("".join(line.split()[6:]))
    match found.material:
        case dnssec_key if hasattr(dnssec_key, "n"):
            assert record.endswith(dnssec_key.n.to_bytes(128, "big"))
        case dnssec_key if hasattr(dnssec_key, "x"):
            size = len(record) // 2
            assert record == b"".join(v.to_bytes(size, "big") for v in (dnssec_key.x, dnssec_key.y))
        case dnssec_key:
            assert record == dnssec_key.public


def test_what_minisign_writes(tmp_path: Path) -> None:
    """A key of minisign -G -W is proved."""
    paths = ("-p", str(tmp_path / "p"), "-s", str(tmp_path / "s"))
    run("minisign", "-G", "-W", *paths)
    data = (tmp_path / "s").read_bytes()
    assert only("minisign-secret-key", data).candidate.confidence is Confidence.PROOF
