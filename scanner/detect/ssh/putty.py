r"""PuTTY key files: what pageant, plink and WinSCP read, versions 2 and 3.

Source: PuTTY, sshpubk.c and appendix C of its manual. Header lines, then the public blob and the
private one in base64, then a MAC over all of it. The blobs prove each other; the MAC of a file
without a passphrase is checked as well, and what is said names a file whose MAC does not hold: text
of it was overwritten. Of a type that nobody here knows, the MAC alone tells that it is a key. Where
the public half is gone or damaged, the private one of an RSA key proves itself, and what has the
size of a scalar or a seed is told as one.
Encrypted files say their derivation and have a lock; they are for ``encrypted``.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from scanner.detect.algebra import groups
from scanner.detect.algebra.material import Foreign
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import OKP_BYTES, Parsed, Proved
from scanner.detect.encodings import armour, escapes, margins
from scanner.detect.encodings.armour import EOL, Text
from scanner.detect.evidence import (
    Key,
    ec_derived,
    ec_scalar,
    okp_derived,
    okp_seed,
    proved,
    rsa_alone,
    rsa_primes,
    unproved,
)
from scanner.detect.locked import locks, pbe
from scanner.detect.locked.locks import Lock
from scanner.detect.locked.sealed import UNKNOWN
from scanner.detect.ssh import blobs
from scanner.detect.ssh.blobs import NotSsh, Wire
from scanner.fingerprint import FIELD_BYTES
from scanner.rules import Rule

MARK = b"PuTTY-User-Key-File-"
PRIVATE_MARK = b"Private-Lines: "
"""What stands between the halves of a file: an anchor where its head is gone."""

LONGEST = 32 * 1024
"""Characters of the longest file: the public and the private half of an RSA key of 16384 bits."""

ENOUGH = 2 * 19 * 1024
"""KiB of memory times passes of Argon2id, by OWASP's Password Storage Cheat Sheet."""

_PUBLIC_MARK, _LINE_SIZE = b"Public-Lines: ", 32
_VARIED = 20
"""Different bytes of a scalar: 32 random ones miss it once in 10**10."""

_MOST_LINES = 200
_BREAK = rb"(?:" + EOL + rb"|[ \t]{1,8})"
"""A line end, or blanks where all lines became one."""

_TYPE = rb"PuTTY-User-Key-File-[23]: [A-Za-z0-9@.-]{4,64}"
_HEAD = re.compile(
    rb"PuTTY-User-Key-File-([23]): ([A-Za-z0-9@.-]{4,64})" + EOL
    + rb"Encryption: (none|aes256-cbc)" + EOL
    + rb"Comment: ([^\r\n\0]{0,256})" + EOL
    + rb"Public-Lines: ([0-9]{1,3})" + _BREAK
)  # fmt: skip
_PUBLIC = re.compile(rb"Public-Lines: ([0-9]{1,3})" + _BREAK)
_ARGON = re.compile(
    rb"Key-Derivation: (Argon2(?:id|i|d))" + EOL
    + rb"Argon2-Memory: ([0-9]{1,10})" + EOL
    + rb"Argon2-Passes: ([0-9]{1,10})" + EOL
    + rb"Argon2-Parallelism: ([0-9]{1,10})" + EOL
    + rb"Argon2-Salt: ([0-9a-f]{16,128})" + EOL
)  # fmt: skip
_PRIVATE = re.compile(rb"Private-Lines: ([0-9]{1,3})" + _BREAK)
_LINE = re.compile(rb"([A-Za-z0-9+/]{1,64}={0,2})(?:" + _BREAK + rb")?")
_MAC = re.compile(rb"Private-MAC: ([0-9a-f]{40}(?:[0-9a-f]{24})?)")
_LANES = range(1, 17)
_ARGON_STEP = 0.55
"""Microseconds, measured: a pass over a KiB."""

_MAC_KEY = b"putty-private-key-file-mac-key"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class File:
    """A key file that was read, not yet what its blobs say."""

    version: str
    algorithm: bytes
    encryption: bytes
    comment: bytes
    public: bytes
    private: bytes
    mac: bytes
    """Empty where its line is gone."""
    protection: str
    argon: tuple[str, int, int, int, bytes] | None = None
    """Of an encrypted file of version 3: which one, KiB, passes, lanes, salt."""
    lines: int
    """Lines of its private half, by its own word."""
    size: int
    """Characters."""


def read(text: bytes, *, cut: bool = False) -> File | None:
    """Read the key file at the start of ``text``; None for anything else.

    Of its first lines all before the public half may be gone, where it is not encrypted. With
    ``cut``, the private half may end anywhere.
    """
    plain = escapes.undone(text)
    even = margins.evened(plain.text, _TYPE, b"Encryption: ")
    file = _read(even.text, cut=cut)
    return replace(file, size=plain.size(even.size(file.size))) if file else None


def _read(text: bytes, *, cut: bool) -> File | None:
    head = _HEAD.match(text) or _PUBLIC.match(text)
    if head is None:
        return None
    *fields, count = head.groups()
    version, algorithm, encryption, comment = fields or (b"", b"", b"none", b"")
    public, at = _lines(text, head.end(), int(count))
    protection, derivation = "", None
    if encryption != b"none":
        protection = _slow("SHA1 of the passphrase, 1 iteration", 0)
        if version == b"3":
            argon = _ARGON.match(text, at)
            if argon is None:
                return None
            memory, passes, lanes = (int(argon[number]) for number in (2, 3, 4))
            said = f"{argon[1].decode()} {memory} KiB, {passes} passes, {lanes} lanes"
            protection, at = _slow(said, memory * passes), argon.end()
            salt = bytes.fromhex(argon[5][: len(argon[5]) & ~1].decode())
            derivation = (argon[1].decode(), memory, passes, lanes, salt)
    lines = _PRIVATE.match(text, at)
    if lines is None:
        return None
    private, at = _lines(text, lines.end(), int(lines[1]), cut=cut)
    mac = _MAC.match(text, at)
    if not public or not private:
        return None
    return File(
        version=version.decode(),
        algorithm=algorithm,
        encryption=encryption,
        comment=comment,
        public=public,
        private=private,
        mac=bytes.fromhex(mac[1].decode()) if mac else b"",
        protection=protection,
        argon=derivation,
        lines=int(lines[1]),
        size=mac.end() if mac else at,
    )


def _slow(said: str, cost: int) -> str:
    return f"{said}, AES-256-CBC{pbe.strength(fast=cost < ENOUGH)}"


def _lines(text: bytes, at: int, count: int, *, cut: bool = False) -> tuple[bytes, int]:
    """Return the bytes that so many lines of base64 hold, and where the next field begins.

    With ``cut``, as many as there are.
    """
    gathered = b""
    for _ in range(count if count <= _MOST_LINES else 0):
        match = _LINE.match(text, at)
        if match is None and cut:
            break
        if match is None:
            return b"", at
        gathered, at = gathered + match[1], match.end()
    if cut:
        return armour.decode(gathered.partition(b"=")[0]), at
    try:
        return base64.b64decode(gathered, validate=True), at
    except binascii.Error:
        return b"", at


# --- what the blobs say -------------------------------------------------------------------------


def _rsa(public: PublicKey, wire: Wire) -> Key | None:
    d, p, q, _ = (wire.mpint() for _ in range(4))
    key = rsa_primes(public.n, public.e, p, q)
    return key if key and not (public.e * d - 1) % (p - 1) else None


def _ecdsa(public: PublicKey, wire: Wire) -> Key | None:
    return ec_scalar(public.curve, wire.mpint(), public.x, public.y)


def _edwards(public: PublicKey, wire: Wire) -> Key | None:
    return okp_seed(public.algorithm, wire.string(), public.raw)


def _dsa(blob: bytes, wire: Wire) -> Key | None:
    public = Wire(blob)
    public.string()
    return groups.proved(*blobs.dss(public), wire.mpint())


_READERS: dict[str, Callable[[PublicKey, Wire], Key | None]] = {
    "rsa": _rsa,
    "ec": _ecdsa,
    "ed25519": _edwards,
    "ed448": _edwards,
}


def key_of(file: File) -> tuple[Key, PublicKey] | None:
    """Return the key that the blobs of an unencrypted file prove, and its public half."""
    public = blobs.read(file.public)
    if public is None:
        return None
    reader = _READERS.get(public[0].algorithm)
    try:
        private = Wire(file.private)
        key = reader(public[0], private) if reader else _dsa(file.public, private)
    except NotSsh:
        return None
    return (key, public[0]) if key else None


def authentic(file: File, key: bytes | None = None) -> bool:
    """Tell whether the MAC of a file with an open private half holds (sshpubk.c, ppk_load_s).

    ``key`` is that of the MAC where a passphrase gave one.
    """
    fields = (file.algorithm, file.encryption, file.comment, file.public, file.private)
    data = b"".join(len(field).to_bytes(4, "big") + field for field in fields)
    if file.version == "3":
        return hmac.digest(key or b"", data, "sha256") == file.mac
    return hmac.digest(key or locks.sha1(_MAC_KEY), data, "sha1") == file.mac


def lock(file: File) -> Lock | None:
    """Return the lock of an encrypted file; None for Argon2i, Argon2d, and where a try is dear."""
    cost = locks.FIRST
    if file.argon is not None:
        kind, memory, passes, lanes, salt = file.argon
        within = 8 * lanes <= memory <= locks.MOST_MEMORY >> 10 and passes > 0
        if kind != "Argon2id" or lanes not in _LANES or not within:
            return None
        cost += int(memory * passes * _ARGON_STEP)

    def opens(phrase: str) -> Parsed | None:
        if file.argon is None:
            secret = b"".join(locks.sha1(bytes((0, 0, 0, at)) + phrase.encode()) for at in (0, 1))
            key, vector, mac = secret[:32], bytes(16), locks.sha1(_MAC_KEY + phrase.encode())
        else:
            derivation = Argon2id(
                salt=salt, length=80, iterations=passes, lanes=lanes, memory_cost=memory
            )
            secret = derivation.derive(phrase.encode())
            key, vector, mac = secret[:32], secret[32:48], secret[48:]
        plain = Cipher(AES(key), modes.CBC(vector)).decryptor().update(file.private)
        opened = replace(file, private=plain)
        found = key_of(opened) if authentic(opened, mac) else None
        return locks.parsed(found[0]) if found else None

    return Lock(cost=cost, opens=opens)


def text_of(memory: Memory, space: int, offset: int) -> tuple[Text, File | None]:
    """Return the text at ``offset``, and the key file that it is."""
    text = armour.text_at(memory, space, offset)
    return text, read(text.read(LONGEST))


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the key of the unencrypted file that begins at ``offset``, and its public half.

    Or of the file whose private half begins there, where an allocator took its first lines.
    """
    text, file = text_of(memory, space, _start(memory, space, offset))
    if file is None or (not file.version and key_of(file) is None):
        yield from _alone(memory, space, offset, rule)
        return
    if file.encryption != b"none":
        return
    found = key_of(file)
    place, wide = armour.located(memory, space, text.offset, file.size, text.width)
    if found is None:
        if file.algorithm not in blobs.TYPES and authentic(file):
            key = Foreign(algorithm=UNKNOWN, inner=file.private)
            yield unproved(key, rule, f"PuTTY-{file.version}{wide}", (place,))
        return
    doubt = "" if authentic(file) else ", its MAC does not hold"
    named = f"PuTTY-{file.version}{wide}{doubt}" if file.version else f"PuTTY (damaged){wide}"
    yield proved(found[0], rule, named, (place,))
    yield blobs.named(found[1], file.public, place)


def _alone(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key that a private half at ``offset`` gives by itself.

    A scalar and a seed of one size have no algorithm here: it is a key of each.
    """
    text, raw, at = armour.stretch(armour.text_at(memory, space, offset), LONGEST, LONGEST)
    plain = escapes.undone(raw[at:])
    lines = _PRIVATE.match(plain.text)
    public = raw.rfind(_PUBLIC_MARK, 0, at)
    whole = read(raw[public:]) if public >= 0 and lines else None
    if lines is None or (whole is not None and key_of(whole) is not None):
        return
    private, end = _lines(plain.text, lines.end(), int(lines[1]))
    first = text.offset + at * text.width
    place, wide = armour.located(memory, space, first, plain.size(end), text.width)
    encoding = f"PuTTY (damaged){wide}"
    wire = Wire(private)
    try:
        only = wire.string()
        numbers = [] if wire.at == len(private) else [Wire(private).mpint()]
        numbers += [wire.mpint() for _ in range(3 if numbers else 0)]
    except NotSsh:
        return
    if not numbers:
        found = [unproved(key, rule, encoding, (place,)) for key in _of_size(only)]
        for each in found:
            said = replace(each.candidate, either=len(found) > 1)
            yield replace(each, candidate=said)
        return
    d, p, q, inverse = numbers
    key = rsa_alone(d, q, p, inverse)
    if key is not None:
        yield proved(key, rule, encoding, (place,))


def _of_size(secret: bytes) -> Iterator[Key]:
    """Yield the keys whose seed or scalar, with the byte of its sign, may be of that size."""
    for algorithm in ("ed25519", "ed448"):
        key = okp_derived(algorithm, secret) if len(secret) == OKP_BYTES[algorithm] else None
        if key is not None:
            yield key
    for curve in blobs.NISTP.values():
        scalar = secret.removeprefix(b"\0")
        short = FIELD_BYTES[curve] - len(scalar)  # a number is as short as it can be
        same = short in (0, 1) and len(set(scalar)) >= _VARIED
        derived = ec_derived(curve, int.from_bytes(scalar, "big")) if same else None
        if derived is not None:
            yield derived


def _start(memory: Memory, space: int, offset: int) -> int:
    """Return where to read: at the line that counts a public half, if the private one is here.

    The end of the text's head stands before it. A head that can be read has an anchor of its own.
    """
    found = armour.text_at(memory, space, offset)
    if found.read(len(PRIVATE_MARK)) != PRIVATE_MARK:
        return offset
    text, raw, at = armour.stretch(found, LONGEST, 1)
    start = raw.rfind(_PUBLIC_MARK, 0, at)
    head = raw.rfind(MARK, 0, max(start, 0))
    whole = head >= 0 and _HEAD.match(escapes.undone(raw[head : start + _LINE_SIZE]).text)
    return offset if start < 0 or whole else text.offset + start * text.width
