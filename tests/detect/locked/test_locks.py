"""Locks: the right passphrase opens what the programs that own a format wrote, another does not."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures import encodings, keys, keystores, pgp, sealed
from fixtures.foreign import PASSWORD, run
from scanner import rules
from scanner.detect import anchors, encrypted
from scanner.detect.algebra.material import describe
from scanner.detect.locked import locks
from scanner.detect.locked.locks import Lock
from scanner.detect.locked.sealed import Sealed
from scanner.detect.openpgp import grammar
from scanner.detect.openpgp import transferable as pgp_packets
from scanner.detect.texts.encoded import Decoded
from scanner.model import Confidence

RULES = tuple(
    rule for rule in rules.load() if rule.id in ("encrypted-private-key", "pgp-encrypted-key")
)
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
EXAMINE = {"encrypted": encrypted.examine, "pgp": pgp_packets.examine}
RSA, EC, ED = keys.rsa_key(2048), keys.ec_key("P-384"), keys.okp_key("ed25519")
OUT = ("-passout", f"pass:{PASSWORD}")
STORE = ("-storepass", PASSWORD, "-keypass", PASSWORD, "-keystore", "store", "-alias", "a")


def found(data: bytes) -> list[Sealed]:
    """Return the encrypted keys that lie in the bytes."""
    return [
        one
        for number, offset in SWEEPER.sweep(data)
        for one in EXAMINE[RULES[number].detector](Decoded(data), 0, offset, RULES[number])
        if isinstance(one, Sealed)
    ]


def lock_of(data: bytes) -> Lock:
    """Return the lock of the one encrypted key that lies in the bytes."""
    lock = found(data)[0].lock
    assert lock is not None
    return lock


def openssl(key: keys.Key, *options: str) -> Callable[[Path], bytes]:
    """Return a writer by a command of openssl that reads a key."""
    return lambda folder: run("openssl", *options, *OUT, cwd=folder, data=encodings.pkcs8_pem(key))


def ssh_keygen(key: keys.Key, cipher: str) -> Callable[[Path], bytes]:
    """Return a writer by ssh-keygen, with few rounds."""

    def written(folder: Path) -> bytes:
        file = folder / "id"
        file.touch(mode=0o600)
        file.write_bytes(encodings.openssh_pem(key))
        command = ("ssh-keygen", "-q", "-p", "-P", "", "-N", PASSWORD, "-a", "2", "-Z", cipher)
        run(*command, "-f", file, cwd=folder)
        return file.read_bytes()

    return written


def puttygen(key: keys.Key, *options: str) -> Callable[[Path], bytes]:
    """Return a writer by puttygen."""

    def written(folder: Path) -> bytes:
        (folder / "id").write_bytes(encodings.openssh_pem(key))
        (folder / "phrase").write_text(PASSWORD)
        command = ("puttygen", "id", "-O", "private", "-o", "out", "--new-passphrase", "phrase")
        run(*command, *options, cwd=folder)
        return (folder / "out").read_bytes()

    return written


def gpg(algorithm: str, *options: str) -> Callable[[Path], bytes]:
    """Return a writer by gpg, with a short derivation."""

    def written(folder: Path) -> bytes:
        folder.chmod(0o700)
        (folder / "gpg-agent.conf").write_text("s2k-count 65536\n")
        command = ("gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", PASSWORD)
        run(*command, "--quick-gen-key", "a@example.org", algorithm, "sign", "never", cwd=folder)
        try:
            return run(*command, *options, "--export-secret-keys", cwd=folder)
        finally:
            run("gpgconf", "--kill", "all", cwd=folder)

    return written


def keytool(kind: str) -> Callable[[Path], bytes]:
    """Return a writer of a store by keytool."""

    def written(folder: Path) -> bytes:
        fast = ("-J-Djdk.jceks.iterationCount=10000", "-J-XX:TieredStopAtLevel=1")
        key = ("-keyalg", "EC", "-dname", "CN=a.example", "-storetype", kind)
        run("keytool", *fast, "-genkeypair", *key, *STORE, cwd=folder)
        return (folder / "store").read_bytes()

    return written


WRITERS: dict[str, Callable[[Path], bytes]] = {
    "PBES2": openssl(RSA, "pkcs8", "-topk8", "-iter", "2"),
    "PBES2, DER": openssl(EC, "pkcs8", "-topk8", "-iter", "2", "-outform", "DER"),
    "PBES2, SHA-1 and 3DES": openssl(
        ED, "pkcs8", "-topk8", "-v2", "des3", "-v2prf", "hmacWithSHA1"
    ),
    "scrypt": openssl(ED, "pkcs8", "-topk8", "-scrypt", "-scrypt_N", "1024"),
    "PBES1": openssl(RSA, "pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES"),
    "traditional, RSA": openssl(RSA, "rsa", "-aes256", "-traditional"),
    "traditional, EC": openssl(EC, "ec", "-aes128"),
    "traditional, 3DES": openssl(RSA, "rsa", "-des3", "-traditional"),
    "PKCS#12": openssl(EC, "pkcs12", "-export", "-nocerts", "-iter", "2"),
    "OpenSSH, RSA": ssh_keygen(RSA, "aes256-ctr"),
    "OpenSSH, Ed25519": ssh_keygen(ED, "aes256-gcm@openssh.com"),
    "OpenSSH, CBC": ssh_keygen(ED, "aes256-cbc"),
    "PuTTY 2": puttygen(EC, "--ppk-param", "version=2"),
    "PuTTY 3": puttygen(RSA, "--ppk-param", "version=3,memory=64,passes=1"),
    "PGP": gpg("ed25519"),
    "JKS": keytool("JKS"),
    "JCEKS": keytool("JCEKS"),
}


@pytest.mark.parametrize("form", WRITERS)
def test_what_programs_wrote_opens(form: str, tmp_path: Path) -> None:
    """The passphrase gives a proved key, or a parsed one where a seed has no public half beside it.

    Others, those that begin alike among them, give nothing.
    """
    try:
        data = WRITERS[form](tmp_path)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("the program is not installed, or does not have the scheme")
    lock = lock_of(data)
    for wrong in ("", "x", PASSWORD[:-1], PASSWORD + "x", PASSWORD.title(), "\u00fc\u20ac"):
        assert lock.opens(wrong) is None
    opened = lock.opens(PASSWORD)
    assert opened is not None
    assert opened.confidence >= Confidence.STRUCTURE
    assert bool(opened.proof) == (opened.confidence is Confidence.PROOF)


@pytest.mark.parametrize(
    ("form", "key"),
    [("PBES2", RSA), ("traditional, EC", EC), ("OpenSSH, Ed25519", ED), ("PuTTY 2", EC)],
)
def test_the_key_is_the_one_that_was_locked(form: str, key: keys.Key, tmp_path: Path) -> None:
    """What opens is named by the public half of the key that the program was given."""
    try:
        opened = lock_of(WRITERS[form](tmp_path)).opens(PASSWORD)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("the program is not installed, or does not have the scheme")
    assert opened is not None
    assert describe(opened.material).fingerprint.value == key.spki_sha256


def test_pvk_opens() -> None:
    """A PVK file under RC4, whose writer in openssl needs a module that few have."""
    data = sealed.pvk(RSA, PASSWORD.encode())
    lock = lock_of(data)
    opened = lock.opens(PASSWORD)
    assert opened is not None
    assert describe(opened.material).fingerprint.value == RSA.spki_sha256
    assert lock.opens("another") is None


@pytest.mark.parametrize("mask", ["PBKDF2", "scrypt"])
def test_the_cost_follows_the_derivation(mask: str, tmp_path: Path) -> None:
    """A try of what takes ten times the iterations costs ten times as much."""
    few, many = ("-iter", "1000"), ("-iter", "100000")
    if mask == "scrypt":
        few, many = ("-scrypt", "-scrypt_N", "1024"), ("-scrypt", "-scrypt_N", "16384")
    try:
        cheap, dear = (
            lock_of(openssl(ED, "pkcs8", "-topk8", *options)(tmp_path)).cost
            for options in (few, many)
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("openssl is not installed, or does not have the scheme")
    assert dear > 10 * cheap > 10 * locks.FIRST


def test_what_takes_too_much_memory_has_no_lock() -> None:
    """Argon2 is asked for as much as the file says: it may lie."""
    text = sealed.putty(ED, encrypted=True)
    assert found(text)[0].lock is not None
    for old, new in (
        (b"Memory: 8192", b"Memory: 8388608"),
        (b"Memory: 8192", b"Memory: 7"),
        (b"Parallelism: 1", b"Parallelism: 9999999999"),
        (b"Parallelism: 1", b"Parallelism: 0"),
        (b"Passes: 13", b"Passes: 0"),
        (b"Argon2id", b"Argon2d"),
    ):
        assert found(text.replace(old, new))[0].lock is None


@pytest.mark.parametrize(
    "data",
    [
        sealed.pkcs8_der(RSA),
        sealed.traditional_pem(EC),
        sealed.openssh(ED, rounds=1),
        sealed.putty(EC, 2, encrypted=True),
        sealed.pvk(RSA),
        keystores.jks(RSA),
        pgp.encrypted(RSA),
    ],
)
@pytest.mark.parametrize("phrase", ["", "a", "x" * 64, "\u00fc", "\U0001f511"])
def test_what_nobody_can_open_raises_nothing(data: bytes, phrase: str) -> None:
    """Any text on any ciphertext is a try, and no error is let out."""
    for one in found(data):
        assert one.lock is None or one.lock.opens(phrase) is None


def test_a_sum_that_fits_is_no_key() -> None:
    """A secret of a PGP packet must close the equation too, whatever stands behind it."""
    data = pgp.packet(EC, tag=5)
    ((at, head),) = pgp_packets._headers(data)
    packet = pgp_packets._framed(data, at, head)
    assert packet is not None
    assert grammar.opened(packet.body, bytes(40)) is None


@pytest.mark.parametrize("simple", [False, True])
def test_no_passphrase_at_all_is_a_try(*, simple: bool) -> None:
    """It is tried first on every lock: where there is no salt either nothing is hashed."""
    forms = (
        sealed.pkcs8_der(RSA),
        sealed.traditional_pem(RSA),
        sealed.putty(ED, 2, encrypted=True),
        sealed.pvk(RSA),
        keystores.jks(RSA),
        pgp.encrypted(EC, simple=simple),
    )
    assert [lock_of(form).opens("") for form in forms] == [None] * len(forms)
