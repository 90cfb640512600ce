r"""Encrypted private keys: PKCS#8 as DER, PEM, base64 and in stores, traditional PEM, OpenSSH.

Sources: RFC 5958 section 3; RFC 1421 section 4.6 (Proc-Type, DEK-Info) as OpenSSL writes them,
whose key is MD5 of password and IV, once; OpenSSH PROTOCOL.key with bcrypt_pbkdf; and whatever its
label says is encrypted, Sigstore's JSON and Nebula's messages among them. NSS's databases are for
``keydb``. They are no reason to keep a dump: what they are worth is what their password is worth.
So the finding says what a guess costs, and what opens goes with it as a lock; no password is tried
here. What only has the label of a key is nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1 import der
from scanner.detect.asn1.der import Memory
from scanner.detect.encodings import armour
from scanner.detect.locked import keydb, locks, pbe, pkcs12, pvk
from scanner.detect.locked.locks import Lock
from scanner.detect.locked.sealed import UNKNOWN, Sealed, sealed
from scanner.detect.programs import minisign
from scanner.detect.ssh import blobs, putty
from scanner.detect.ssh.blobs import NotSsh, Wire
from scanner.detect.ssh.openssh import MARK
from scanner.detect.ssh.openssh_fields import LONGEST, MAGIC
from scanner.detect.texts import labelled
from scanner.detect.texts.encoded import Decoded, mapped
from scanner.detect.texts.pem import MARK as PEM_MARK
from scanner.detect.texts.pem import begins
from scanner.model import Place
from scanner.rules import Rule

_SEALED = (b"-----BEGIN ENCRYPTED ",)
_TRADITIONAL = {
    b"-----BEGIN RSA ": "rsa",
    b"-----BEGIN EC ": "ec",
    b"-----BEGIN DSA ": "dsa",
    b"-----BEGIN ": "unknown",
}
_HEADER = 512
_TYPE = re.compile(rb"Proc-Type:\s{0,4}4,ENCRYPTED")
_INFO = re.compile(rb"DEK-Info:\s{0,4}([A-Z0-9-]{6,20}),([0-9A-Fa-f]{16}(?:[0-9A-Fa-f]{16})?)")
_NAMES = {b"ED25519": "ed25519", b"X25519": "x25519", b"ECDSA": "ec"}
"""What other labels say of the key."""
_BLOCKS = {b"DES": 8, b"AES": 16, b"CAM": 16, b"ARI": 16, b"SEE": 16, b"SM4": 16}
"""Bytes of a block, by how the name of a cipher begins in DEK-Info."""

_SCRYPT = re.compile(
    rb'"kdf":\{"name":"scrypt","params":\{"N":([0-9]{1,9}),"r":([0-9]{1,4}),"p":([0-9]{1,4})\}'
)
"""How Sigstore's keys are protected (go-securesystemslib, encrypted)."""
_LEAST = 48
"""Bytes of a seed and a tag."""

_CIPHERS = re.compile(
    rb"aes(?:128|192|256)-(?:cbc|ctr|gcm@openssh\.com)|3des-cbc|chacha20-poly1305@openssh\.com"
)
_TAG = 16
"""Bytes behind the private section that say it is whole, of AES-GCM and of Poly1305."""

_LABELLED = 64
"""Characters before base64 in which a BEGIN line ends that says what it is."""

_ALGORITHM = re.compile(
    rb"\x30[\x10-\x7f]\x06(?:\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05|\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c)"
)
"""How an AlgorithmIdentifier of PKCS#5 or PKCS#12 begins, as the rule's anchors have it."""

_KDF = b"bcrypt"
_ROUNDS = 16
"""Rounds of bcrypt_pbkdf that ssh-keygen took at least when it was written."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Sealed | PublicKey]:
    """Yield the encrypted key whose BEGIN line, algorithm or magic stands at ``offset``."""
    head = memory.clip(space, offset, len(MAGIC))
    found: Sealed | None
    if head.replace(b"\0", b"").startswith(putty.MARK[:5]):
        yield from _putty(memory, space, offset, rule)
        return
    if head.lstrip(b"\0")[:1] == b"M":
        yield from _base64(memory, space, offset, rule)
        return
    if head[:1] == b"R":
        found = _minisign(memory, space, offset, rule)
    elif head[:4] == pvk.MARK:
        found = _pvk(memory, space, offset, rule)
    elif head[:1] == b"P":
        found = _pem(memory, space, offset, rule)
    elif head[:1] == b"0":
        found = _der(memory, space, offset, rule)
    else:
        yield from _openssh(memory, space, offset, rule)
        return
    if found is not None:
        yield found


def _der(memory: Memory, space: int, offset: int, rule: Rule) -> Sealed | None:
    lead = min(offset, der.BACK)
    window = memory.clip(space, offset - lead, lead)
    for start in der.headers_before(window, lead):
        where = offset - lead + start
        data = der.fetch(memory, space, where)
        stored = keydb.entry(data) if data is not None else None
        if stored is not None:
            return keydb.read(memory, space, where, stored, rule)
        envelope = pbe.parse(data) if data is not None else None
        if data is not None and envelope is not None:
            place, _ = armour.located(memory, space, where, envelope.size, 1)
            said, value = envelope.protection, envelope.ciphertext
            lock = pkcs12.emptied(data, envelope.lock)
            return sealed(rule, "PKCS8-DER", place, value, protection=said, lock=lock)
    return None


def _base64(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Sealed]:
    """Yield the encrypted keys in base64 of DER, a PKCS#12 store or one key, without a label.

    Settings and secrets of build services hold a PFX file so, and its password beside it.
    """
    text = armour.text_at(memory, space, offset)
    lead = min(text.offset // text.width, _LABELLED)
    before = memory.clip(space, text.offset - lead * text.width, lead * text.width)
    if PEM_MARK in before[:: text.width]:
        return
    whole, raw, at = armour.stretch(text, 0, armour.BODY)
    run = armour.around(raw, at)
    data = armour.decode(run.chars[run.at :]) if run is not None else b""
    size = der.total_size(data[: der.BACK])
    if run is None or size is None or size > len(data):
        return
    inner, end = Decoded(data[:size]), 0
    for match in _ALGORITHM.finditer(inner.data):
        found = _der(inner, 0, match.start(), rule) if match.start() >= end else None
        if found is not None:
            (place,) = found.candidate.places
            end = place.offset + place.size
            yield mapped(found, whole, run, run.at, "base64 of ")


def _pem(memory: Memory, space: int, offset: int, rule: Rule) -> Sealed | None:
    begin, body = begins(memory, space, offset, _SEALED)
    if not begin:
        return _traditional(memory, space, offset, rule) or _other(memory, space, offset, rule)
    found = armour.find_object(body)
    envelope = pbe.parse(found[0]) if found else None
    if found is None or envelope is None:
        return None
    size = begin + len(b"PRIVATE KEY-----") + found[1]
    first = offset - begin * body.width
    place, wide = armour.located(memory, space, first, size, body.width)
    said, value = envelope.protection, envelope.ciphertext
    lock = pkcs12.emptied(found[0], envelope.lock)
    return sealed(rule, f"PKCS8-PEM{wide}", place, value, protection=said, lock=lock)


def _traditional(memory: Memory, space: int, offset: int, rule: Rule) -> Sealed | None:
    """Read what follows a traditional BEGIN line: two header lines, then the ciphertext."""
    begin, body = begins(memory, space, offset, tuple(_TRADITIONAL))
    if not begin:
        return None
    text = body.read(_HEADER)
    kind = _TYPE.match(text, armour.unfilled(text, 0))
    info = _INFO.match(text, armour.unfilled(text, kind.end())) if kind else None
    block = _BLOCKS.get(info[1][:3], 0) if info else 0
    if info is None or len(info[2]) < 2 * block:
        return None
    text = body.read(armour.BODY)
    base64, end = armour.gather(text, info.start(2) + 2 * block)
    ciphertext = armour.decode(base64)
    last = armour.end_line(text, end)
    if not block or len(ciphertext) < armour.SMALLEST or len(ciphertext) % block or last == end:
        return None
    line = next(line for line in _TRADITIONAL if len(line) == begin)
    first = offset - begin * body.width
    size = begin + len(b"PRIVATE KEY-----") + last
    place, wide = armour.located(memory, space, first, size, body.width)
    cipher = info[1].decode("ascii")
    said = f"MD5 of the password, 1 iteration, {cipher}{pbe.strength(fast=True)}"
    algorithm = _TRADITIONAL[line]
    encoding = f"traditional-PEM{wide}"
    label = (line + b"PRIVATE KEY").removeprefix(b"-----BEGIN ")
    lock = locks.traditional(label, info[1], info[2][: 2 * block], ciphertext)
    return sealed(
        rule, encoding, place, ciphertext, protection=said, algorithm=algorithm, lock=lock
    )


def _other(memory: Memory, space: int, offset: int, rule: Rule) -> Sealed | None:
    """Read what stands under another label that says it is encrypted."""
    block = labelled.block(memory, space, offset, lambda label: b"ENCRYPTED" in label)
    if block is None or len(block.raw) < _LEAST:
        return None
    said, scrypt = "a passphrase", _SCRYPT.search(block.raw)
    if scrypt is not None:
        count, size, lanes = map(int, scrypt.groups())
        fast = count * size * lanes < pbe.ENOUGH_SCRYPT
        said = f"scrypt N={count} r={size} p={lanes}{pbe.strength(fast=fast)}"
    kind = next((_NAMES[word] for word in block.label if word in _NAMES), UNKNOWN)
    encoding = f"labelled base64{block.wide}"
    return sealed(rule, encoding, block.place, block.raw, protection=said, algorithm=kind)


def _pvk(memory: Memory, space: int, offset: int, rule: Rule) -> Sealed | None:
    file = pvk.read(memory.clip(space, offset, pvk.LONGEST))
    if file is None:
        return None
    place, _ = armour.located(memory, space, offset, file.size, 1)
    said, kind = file.protection, file.algorithm
    return sealed(
        rule, "PVK", place, file.ciphertext, protection=said, algorithm=kind, lock=file.lock
    )


def _minisign(memory: Memory, space: int, offset: int, rule: Rule) -> Sealed | None:
    text, file = minisign.text_of(memory, space, offset)
    if file is None or not file.protection:
        return None
    place, wide = armour.located(memory, space, text.offset, file.size, text.width)
    said = file.protection
    name = f"{file.program}{wide}"
    return sealed(rule, name, place, file.secret, protection=said, algorithm="ed25519", bits=256)


# --- with a public half in the clear --------------------------------------------------------------


def _openssh(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Sealed | PublicKey]:
    """Yield the key of an encrypted file, in binary or in base64, and the public half in it."""
    head = memory.clip(space, offset, len(MAGIC))
    width = 2 if head[:3] == b"b\x003" else 1
    if head == MAGIC:
        data, encoding, pieces = memory.clip(space, offset, LONGEST), "OPENSSH", b""
    elif head[:2] in (MARK[:2], b"b\0"):
        pieces = armour.Text(memory=memory, space=space, offset=offset, width=width).read(LONGEST)
        data, encoding = armour.decode(armour.gather(pieces)[0]), "OPENSSH-PEM"
    else:
        return
    found = read(data)
    if found is None:
        return
    size = found.size
    if pieces:
        size = armour.length(pieces, (size * 8 + 5) // 6)
    place, wide = armour.located(memory, space, offset, size, width)
    key = blobs.named(found.public, found.blob, place)
    file = data[: found.size]
    lock = locks.openssh(file, found.cipher, found.rounds)
    yield _named(key, rule, encoding + wide, place, found.protection, file, lock)
    yield key


def _putty(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Sealed | PublicKey]:
    """Yield the key of an encrypted PuTTY file, and the public half in it."""
    text, file = putty.text_of(memory, space, offset)
    public = blobs.read(file.public) if file is not None and file.protection else None
    if file is None or public is None or len(file.private) % 16:
        return
    place, wide = armour.located(memory, space, text.offset, file.size, text.width)
    key = blobs.named(public[0], file.public, place)
    said, encoding = file.protection, f"PuTTY-{file.version}{wide}"
    yield _named(key, rule, encoding, place, said, file.private, putty.lock(file))
    yield key


def _named(
    key: PublicKey,
    rule: Rule,
    encoding: str,
    place: Place,
    protection: str,
    value: bytes,
    lock: Lock | None,
) -> Sealed:
    return sealed(
        rule,
        encoding,
        place,
        value,
        lock=lock,
        protection=protection,
        algorithm=key.algorithm,
        curve=key.curve,
        bits=key.bits,
        fingerprint=key.witness.fingerprint,
    )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class File:
    """An encrypted openssh-key-v1 file that was read."""

    protection: str
    cipher: bytes
    rounds: int
    public: PublicKey
    blob: bytes
    """The public key as it stands there."""
    size: int
    """Bytes of the file."""


def read(data: bytes) -> File | None:
    """Read an encrypted openssh-key-v1 file; None for anything else, unencrypted ones included."""
    wire = Wire(data, len(MAGIC))
    try:
        if not data.startswith(MAGIC):
            return None
        cipher = wire.string()
        if not _CIPHERS.fullmatch(cipher) or wire.string() != _KDF:
            return None
        options = Wire(wire.string())
        salt, rounds = options.string(), options.word()
        if not salt or not rounds or options.at != len(options.data) or wire.word() != 1:
            return None
        blob = wire.string()
        size = wire.word() + (_TAG if b"@" in cipher else 0)
    except NotSsh:
        return None
    public = blobs.read(blob)
    if public is None or public[1] != len(blob) or not 32 <= size <= len(data) - wire.at:
        return None
    name = cipher.decode("ascii").partition("@")[0]
    said = f"bcrypt, {rounds} rounds, {name}{pbe.strength(fast=rounds < _ROUNDS)}"
    return File(
        protection=said,
        cipher=cipher,
        rounds=rounds,
        public=public[0],
        blob=blob,
        size=wire.at + size,
    )
