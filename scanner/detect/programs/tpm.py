"""Keys of a TPM outside of it: sensitive areas in the clear, and keys wrapped for a TPM.

Sources: TPM 2.0 Library, Part 2: TPMT_PUBLIC (12.2.4) and TPMT_SENSITIVE (12.3.2.4), big-endian;
the ASN.1 of TPMKey as OpenSSL engines and providers write it (TSS2 PRIVATE KEY). A sensitive area
holds one prime or the scalar: it is proved against the public area near it, and nothing is said
without one. A wrapped key opens in its own TPM alone, and does not block. Sealed data is no key.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from scanner.detect.algebra import publics
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1 import der
from scanner.detect.asn1.der import Malformed, Memory, Reader
from scanner.detect.asn1.keys import Proved
from scanner.detect.cursor import Cursor, Mismatch
from scanner.detect.encodings import armour
from scanner.detect.evidence import Key, ec_scalar, on_curve, proved, rsa_primes, rsa_public
from scanner.detect.locked.sealed import Sealed, sealed
from scanner.detect.texts.pem import MARK, begins
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Place
from scanner.rules import Rule

AROUND = 4096
"""Bytes before and behind a public area in which its sensitive one is sought."""

MOST_AREAS = 256
"""Words in that neighbourhood that are taken for the start of a sensitive area."""

_RSA, _ECC, _NULL = 0x0001, 0x0023, 0x0010
_CURVES = {3: "P-256", 4: "P-384", 5: "P-521"}
_NAMES = (0x0004, 0x000B, 0x000C, 0x000D)
_AUTH = 64
_PUBLIC = 1024 + 256
_KIND = "public-key"
_TYPE = bytes.fromhex("6781050a01")
_TSS2 = (b"-----BEGIN TSS2 ",)
_LABEL = b"TSS2 "
_LOADABLE, _IMPORTABLE = 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Area:
    """A public area: its key, and its bytes."""

    key: PublicKey
    size: int


def examine(
    memory: Memory, space: int, offset: int, rule: Rule
) -> Iterator[Proved | PublicKey | Sealed]:
    """Yield the key whose public area, TPMKey or BEGIN line is at ``offset``."""
    if rule.kind == "encrypted-key":
        yield from _wrapped(memory, space, offset, rule)
        return
    area = _area(memory.clip(space, offset, _PUBLIC))
    if area is None:
        return
    place = Place(space=space, offset=offset, size=area.size)
    first = max(offset - AROUND, 0)
    window = memory.clip(space, first, offset - first + area.size + AROUND)
    found = _sensitive(window, area.key)
    if found is not None:
        key, at, size = found
        secret = Place(space=space, offset=first + at, size=size)
        yield proved(key, rule, "TPM2 sensitive area", (place, secret))
    yield replace(area.key, witness=replace(area.key.witness, place=place))


def _area(data: bytes) -> _Area | None:
    """Read TPMT_PUBLIC of an asymmetric key."""
    fields = Cursor(data)
    try:
        kind = fields.number(2)
        if kind not in (_RSA, _ECC) or fields.number(2) not in _NAMES:
            return None
        fields.raw(4)
        fields.counted(2, _AUTH)
        if fields.number(2) != _NULL:  # the cipher of a storage key: bits and mode
            fields.raw(4)
        scheme = fields.number(2)
        if scheme not in (_NULL, 0x0015):  # RSAES alone has no hash
            fields.raw(2)
        key = _rsa(fields) if kind == _RSA else _ecc(fields)
    except Mismatch:
        return None
    return _Area(key=key, size=fields.at)


def _rsa(fields: Cursor) -> PublicKey:
    bits, e = fields.number(2), fields.number(4) or 65537
    n = int.from_bytes(fields.counted(2, 2048), "big")
    if n.bit_length() != bits or not rsa_public(n, e):
        raise Mismatch
    return publics.rsa(n, e, kind=_KIND)


def _ecc(fields: Cursor) -> PublicKey:
    curve = _CURVES.get(fields.number(2), "")
    if fields.number(2) != _NULL:  # key derivation
        fields.raw(2)
    x, y = (int.from_bytes(fields.counted(2, 66), "big") for _ in range(2))
    if not on_curve(curve, x, y):
        raise Mismatch
    return publics.ec(curve, x, y, kind=_KIND)


def _sensitive(window: bytes, public: PublicKey) -> tuple[Key, int, int] | None:
    """Find the TPMT_SENSITIVE of a public key: the key, where the area starts, and its size."""
    mark = (_RSA if public.n else _ECC).to_bytes(2, "big")
    at = -1
    for _ in range(MOST_AREAS):
        at = window.find(mark, at + 1)
        if at < 0:
            return None
        fields = Cursor(window, at + 2)
        try:
            fields.counted(2, _AUTH)
            fields.counted(2, _AUTH)
            key = _matching(fields.counted(2, 1024), public)
        except Mismatch:
            continue
        if key is not None:
            return key, at, fields.at - at
    return None


def _matching(secret: bytes, public: PublicKey) -> Key | None:
    number = int.from_bytes(secret, "big")
    if public.n:
        if (
            number.bit_length() < 64
            or 2 * number.bit_length() > public.bits + 2
            or public.n % number
        ):
            return None
        return rsa_primes(public.n, public.e, number, public.n // number)
    if not 0 <= FIELD_BYTES[public.curve] - len(secret) <= 3:
        return None
    return ec_scalar(public.curve, number, public.x, public.y)


# --- wrapped ------------------------------------------------------------------------------------


def _wrapped(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Sealed | PublicKey]:
    """Yield the key of a TPMKey, as text or as DER, and its public half."""
    head = memory.clip(space, offset, 2)
    if head[:1] == _LABEL[:1]:
        width = 2 if head[1:] == b"\0" else 1
        begin, body = begins(memory, space, offset + len(_LABEL) * width, _TSS2)
        found = armour.find_object(body) if begin else None
        if found is None:
            return
        first = offset + len(_LABEL) * width - begin * width
        place, wide = armour.located(memory, space, first, begin + len(MARK) + found[1], width)
        yield from _said(found[0], rule, f"TSS2-PEM{wide}", place)
        return
    for where in der.starts(memory, space, offset):
        data = der.fetch(memory, space, where)
        if data is not None:
            place = Place(space=space, offset=where, size=len(data))
            yield from _said(data, rule, "TSS2-DER", place)


def _said(data: bytes, rule: Rule, encoding: str, place: Place) -> Iterator[Sealed | PublicKey]:
    public = wrapped(data)
    if public is None:
        return
    yield sealed(
        rule,
        encoding,
        place,
        data,
        protection="a TPM, in which alone it opens",
        algorithm=public.algorithm,
        curve=public.curve,
        bits=public.bits,
        fingerprint=public.witness.fingerprint,
    )
    yield public


def wrapped(data: bytes) -> PublicKey | None:
    """Return the public half of a TPMKey that fills ``data`` and holds a private one."""
    try:
        whole = Reader(data)
        body = whole.enter()
        whole.finish()
        kind = body.content(der.OID)
        while body.peek() >= 0xA0:
            body.skip()
        body.integer()  # the handle of the parent
        public, private = body.content(der.OCTET_STRING), body.content(der.OCTET_STRING)
        body.finish()
    except Malformed:
        return None
    if kind[:-1] != _TYPE or kind[-1] not in (_LOADABLE, _IMPORTABLE):
        return None
    size = int.from_bytes(public[:2], "big")
    if size != len(public) - 2 or int.from_bytes(private[:2], "big") != len(private) - 2:
        return None
    area = _area(public[2:])
    return area.key if area is not None and area.size == size else None
