"""Keys of which the end is gone: cut by a region or a file, or written over from somewhere on.

Under the label of a private key stands base64 that decodes to the beginning of an object, which
says how large it was; DER and OpenSSH's binary form stand for themselves. What is left is read
number by number (RFC 8017 A.1.2, RFC 5958, RFC 5915, OpenSSL's DSAPrivateKey, OpenSSH's
PROTOCOL.key): where it proves the key, it is a proof; a scalar or a seed without its public half is
a structure; less than that has the shape of a key, and how much of it is there is said. Without a
label, more is asked: the memory ends in the object, or n and e stand whole before a d that begins.
Whole objects are for ``keys``, ``pem`` and ``openssh``, those without their beginning for
``headless`` and ``headless_text``, PuTTY's and OpenPGP's for ``torn``; encrypted ones are passed
over.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from scanner.detect.algebra import groups
from scanner.detect.asn1 import der
from scanner.detect.asn1.curve_names import USUAL_CURVE, curve_of
from scanner.detect.asn1.der import Malformed, Memory, Reader
from scanner.detect.asn1.keys import (
    EC_PUBLIC_KEY,
    OKP_BYTES,
    RSA_ALGORITHMS,
    RSA_BITS,
    Proved,
    parse_private,
)
from scanner.detect.encodings import armour
from scanner.detect.evidence import (
    Key,
    ec_derived,
    ec_scalar,
    okp_derived,
    okp_seed,
    proved,
    rsa_exponents,
    rsa_public,
    unproved,
)
from scanner.detect.factors import claim
from scanner.detect.locked.sealed import UNKNOWN, Sealed, sealed
from scanner.detect.ssh import blobs, openssh_fields
from scanner.detect.ssh.blobs import NotSsh, Wire
from scanner.detect.texts import pem
from scanner.fingerprint import FFC_OIDS, OKP_OIDS
from scanner.model import Confidence, Place
from scanner.rules import Rule

SMALLEST = 24
"""Bytes that must be left: fewer are an example in a manual as often as a key."""

_VARIED = 12
"""Different byte values among them."""

_LINES = (
    b"-----BEGIN ",
    *(b"-----BEGIN %b " % kind for kind in (b"RSA", b"EC", b"DSA", b"OPENSSH")),
)
_FIRST_READ = 512
_NUMBERS, _DSA = 8, 5
_CHECKED = 64
"""Bytes of a private number that must look random where the memory goes on behind it."""

_OUTER = 32
_WRAPPER = re.compile(
    rb"\x30(?:\x82..|\x81.|.)\x02\x01[\x00\x01]\x30.*\x04[^\x04]{1,3}\Z", re.DOTALL
)
_OKP = {oid: name for name, oid in OKP_OIDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class _Rest:
    """What is left of a file: of what form and size it was, and the key, if that is left."""

    form: str
    total: int
    algorithm: str = UNKNOWN
    key: Key | None = None
    certain: bool = False
    """The key is proved, not derived alone."""
    begun: int = 0
    """Bytes from where its first private number begins; 0 where it is not told from other bytes."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | Sealed]:
    """Yield what is left of the object at whose BEGIN line, header or version the anchor stands."""
    head = memory.clip(space, offset, len(openssh_fields.MAGIC))
    if head[:1] == b"P":
        yield from _labelled(memory, space, offset, rule)
    elif head == openssh_fields.MAGIC:
        data = memory.clip(space, offset, openssh_fields.LONGEST)
        rest = _openssh(data)
        if rest is not None and (rest.key is not None or len(data) < rest.total):
            place = Place(space=space, offset=offset, size=min(len(data), rest.total))
            yield from _said(rest, rule, "", place, data[: rest.total])
    else:
        yield from _bare(memory, space, offset, rule)


def _labelled(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | Sealed]:
    begin, body = pem.begins(memory, space, offset, _LINES)
    data, end = _decoded(body) if begin else (b"", 0)
    if not _varied(data):
        return
    rest = _openssh(data) if data.startswith(openssh_fields.MAGIC) else _der(data)
    if rest is None or (rest.key is None and len(data) >= rest.total and _is_sound(data)):
        return
    first = offset - begin * body.width
    place, wide = armour.located(memory, space, first, begin + len(pem.MARK) + end, body.width)
    yield from _said(rest, rule, f"-PEM{wide}", place, data)


def _bare(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | Sealed]:
    """Read DER whose header, or the version behind it, is at ``offset``."""
    for where in der.starts(memory, space, offset):
        total = der.total_size(memory.clip(space, where, der.BACK)) or 0
        data = memory.clip(space, where, total)
        rest = _der(data) if len(data) > der.BACK else None
        if rest is None or rest.begun < SMALLEST or _wrapped(memory, space, where):
            continue
        cut = len(data) < total
        if _varied(data[-rest.begun :][:_CHECKED]) and (cut or rest.algorithm == "rsa"):
            place = Place(space=space, offset=where, size=len(data))
            yield from _said(rest, rule, "-DER", place, data)
            return


def _wrapped(memory: Memory, space: int, offset: int) -> bool:
    """Tell whether a PKCS#8 object goes on at ``offset``, of which its own header tells."""
    lead = min(offset, _OUTER)
    return _WRAPPER.search(memory.clip(space, offset - lead, lead)) is not None


def _varied(data: bytes) -> bool:
    """Tell whether so much is left that it may be of a key."""
    return len(data) >= SMALLEST and len(set(data)) >= _VARIED


def _said(
    rest: _Rest, rule: Rule, kind: str, place: Place, data: bytes
) -> Iterator[Proved | Sealed]:
    left = f"{len(data)} of {rest.total} bytes" if len(data) < rest.total else "damaged"
    encoding = f"{rest.form}{kind}, {left}"
    if rest.key is None:
        said = f"{encoding}: no private number is whole"
        shape = Confidence.SHAPE
        yield sealed(rule, said, place, data, algorithm=rest.algorithm, confidence=shape)
    elif rest.certain:
        yield proved(rest.key, rule, encoding, (place,))
    else:
        yield unproved(rest.key, rule, encoding, (place,))


def _decoded(body: armour.Text) -> tuple[bytes, int]:
    """Return the bytes that a body holds in base64, and its characters; little is read first."""
    for size in (_FIRST_READ, armour.BODY):
        text = body.read(size)
        base64, end = armour.gather(text)
        if end + armour.NOISE < len(text):
            break
    return armour.decode(base64), end


# --- DER ----------------------------------------------------------------------------------------


def _der(data: bytes) -> _Rest | None:
    """Read the beginning of a PKCS#1, PKCS#8, SEC1 or DSA object; None for a whole one."""
    total = der.total_size(data[: der.BACK])
    if total is None or total < armour.SMALLEST or parse_private(data) is not None:
        return None
    body = _content(data, 0, der.SEQUENCE)
    version = _content(data, body, der.INTEGER)
    if data[body : body + 2] != b"\x02\x01" or data[version] > 1:
        return None
    match data[version + 1]:
        case der.INTEGER:
            return _numbers(data, version + 1, "PKCS1", total)
        case der.OCTET_STRING:
            return _scalar(data, version + 1, "", "SEC1", total)
        case der.SEQUENCE:
            return _pkcs8(data, version + 1, total)
    return None


def _is_sound(data: bytes) -> bool:
    """Tell whether the elements of an object are whole: a key of a kind that is not read here.

    Seen in GnuTLS's self-tests: a key on P-192.
    """
    try:
        inside = Reader(data).enter()
        while inside.peek() >= 0:
            inside.element()
    except Malformed:
        return False
    return True


def _content(data: bytes, at: int, tag: int) -> int:
    """Return where the content of the element at ``at`` begins, at the end of ``data`` at most."""
    head = data[at : at + 2]
    if len(head) < 2 or head[0] != tag:
        return len(data) - 1
    return min(at + 2 + (head[1] & 0x7F if head[1] > 0x80 else 0), len(data) - 1)


def _pkcs8(data: bytes, at: int, total: int) -> _Rest | None:
    """Read the algorithm, which must be whole, and what is left of the key in it."""
    try:
        outer = Reader(data, at)
        identifier = outer.enter()
        at += len(Reader(data, at).element())
        name = identifier.content(der.OID)
        if name == FFC_OIDS["dsa"]:
            return _exponent(data, at, identifier.enter().integers(3), total)
        curve = curve_of(identifier) if name == EC_PUBLIC_KEY else ""
    except Malformed:
        return None
    inside = _content(data, at, der.OCTET_STRING)
    if name in _OKP:
        seed = data[inside + 2 : inside + 2 + OKP_BYTES[_OKP[name]]]
        key = okp_derived(_OKP[name], seed)
        begun = len(data) - inside - 2
        return _Rest(form="PKCS8", total=total, algorithm=_OKP[name], key=key, begun=begun)
    fields = _content(data, inside, der.SEQUENCE)
    if name in RSA_ALGORITHMS:
        return _numbers(data, fields + 3, "PKCS8", total)
    if curve:
        return _scalar(data, fields + 3, curve, "PKCS8", total)
    return None


def _exponent(data: bytes, at: int, group: list[int], total: int) -> _Rest | None:
    """Read the exponent of a DSA key, behind the algorithm that ends at ``at``."""
    inside = _content(data, at, der.OCTET_STRING)
    key = None
    if len(group) == 3:
        with suppress(Malformed):
            p, q, g = group
            key = groups.derived(p, q, g, Reader(data, inside).integer())
    begun = len(data) - inside
    return _Rest(form="PKCS8", total=total, algorithm="dsa", key=key, begun=begun)


def _numbers(data: bytes, at: int, form: str, total: int) -> _Rest:
    """Read the INTEGERs from ``at`` on that are whole, and see what they prove."""
    numbers: list[int] = []
    ends = [at]
    try:
        reader = Reader(data, at)
        while len(numbers) < _NUMBERS:
            numbers.append(reader.integer())
            ends.append(reader.at)
    except Malformed:  # the last one is cut
        pass
    if len(numbers) > 1 and groups.plausible(numbers[0], numbers[1], 2):
        key = groups.proved(*numbers[:5]) if len(numbers) >= _DSA else None
        begun = len(data) - ends[4] if len(ends) > 4 else 0
        return _Rest(
            form="DSA",
            total=total,
            algorithm="dsa",
            key=key,
            certain=key is not None,
            begun=begun,
        )
    sound = len(numbers) > 1 and all(0 < n.bit_length() < RSA_BITS.stop and n > 0 for n in numbers)
    found = claim(numbers) if sound else None
    known = found.key if found is not None else None
    begun = 0
    torn = known is not None or len(numbers) < _NUMBERS  # whole numbers without a key are no key
    public = len(numbers) > 1 and rsa_public(*numbers[:2])
    if torn and public and data[ends[2] : ends[2] + 1] == b"\x02":
        begun = len(data) - ends[2] - 4
    return _Rest(
        form=form, total=total, algorithm="rsa", key=known, certain=known is not None, begun=begun
    )


def _scalar(data: bytes, at: int, curve: str, form: str, total: int) -> _Rest:
    """Read the scalar at ``at``, on its curve: the one given, or named behind, or the usual one."""
    reader, scalar = Reader(data, at), b""
    with suppress(Malformed):
        scalar = reader.content(der.OCTET_STRING)
        curve = curve or USUAL_CURVE.get(len(scalar), "")
        curve = curve_of(reader.enter(0xA0))
    varied = len(set(scalar)) >= _VARIED
    key = ec_derived(curve, int.from_bytes(scalar, "big")) if varied else None
    begun = len(data) - at - 2
    return _Rest(form=form, total=total, algorithm="ec", key=key, begun=begun)


# --- OpenSSH ------------------------------------------------------------------------------------


def _openssh(data: bytes) -> _Rest | None:
    """Read the beginning of an unencrypted openssh-key-v1 file; None for a whole one."""
    wire = Wire(data, len(openssh_fields.MAGIC))
    try:
        if wire.string() != b"none" or wire.string() != b"none" or wire.string():
            return None
        if wire.word() != 1 or openssh_fields.read_file(data) is not None:
            return None
        public = blobs.read(wire.string())
        size = wire.word()
    except NotSsh:
        return None
    if public is None or size > openssh_fields.LONGEST:
        return None
    key = _fields(Wire(data, wire.at + 8))
    total, algorithm = wire.at + size, public[0].algorithm
    return _Rest(form="OPENSSH", total=total, algorithm=algorithm, key=key, certain=key is not None)


def _fields(wire: Wire) -> Key | None:
    """Read the private fields as far as they are there, type first."""
    try:
        kind = wire.string()
        if kind == b"ssh-rsa":
            return rsa_exponents(*(wire.mpint() for _ in range(3)))
        if kind == b"ssh-ed25519":
            public = wire.string()
            wire.word()
            return okp_seed("ed25519", wire.data[wire.at : wire.at + 32], public)
        curve, x, y = wire.point()
        return ec_scalar(curve, wire.mpint(), x, y)
    except NotSsh:
        return None
