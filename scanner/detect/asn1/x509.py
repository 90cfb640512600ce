"""Public keys that stand in the dump: certificates (RFC 5280) and SubjectPublicKeyInfo.

They are no findings of their own accord: they name the private keys that are found, and they are
the witnesses against which scalars and factors are proved. Numbers are read by our own strict DER
reader and points are checked to lie on their curve; the labels of a certificate (subject, serial,
expiry) are read when they are asked for, come from ``cryptography`` where it can read them and are
left out where it cannot. No signature is verified: a forged certificate names its key as well as a
true one.
"""

import datetime as dt
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache

from cryptography import x509

from scanner import fingerprint
from scanner.detect.algebra import curve_points, publics
from scanner.detect.algebra.publics import BARE, PublicKey
from scanner.detect.asn1 import der, domains, pqc
from scanner.detect.asn1.curve_names import curve_of
from scanner.detect.asn1.der import Malformed, Memory, Reader
from scanner.detect.asn1.keys import EC_PUBLIC_KEY, OKP_BYTES, OKP_OF, RSA_ALGORITHMS, RSA_BITS
from scanner.model import Place
from scanner.rules import Rule

_OID_PQC = {oid: algorithm for algorithm, oid in fingerprint.PQC_OIDS.items()}

_VERSION = 0xA0
_EXPONENT_BITS = 256
_REMEMBERED = 2048
"""Public keys and certificates that are remembered: a process holds copies of the same few."""
_RSA_IDENTIFIER, _SPKI_HEADER = bytes.fromhex("300d06092a864886f70d010101050003"), 24
"""An AlgorithmIdentifier, and the tag behind it; bytes from an SPKI to the RSAPublicKey in it."""
_NO_SIGNATURE = b"\x03\x02\x00\x00"


_Read = Callable[[bytes, Place | None], PublicKey | None]


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[PublicKey]:  # noqa: ARG001
    """Yield the certificate or SubjectPublicKeyInfo that holds the anchor at ``offset``.

    An anchor starts with the version of a certificate (a0, two headers in), with the algorithm of
    an SPKI (06, two headers in), or with the SPKI itself (30), or with the RSAPublicKey in it: that
    outlives the identifier before it where an allocator took back the first bytes.
    """
    lead = min(offset, 2 * der.BACK)
    window = memory.clip(space, offset - lead, lead + der.BACK)
    if len(window) <= lead:
        return
    inner = () if window[lead] == der.SEQUENCE else der.headers_before(window, lead)
    outer = tuple(start for at in inner for start in der.headers_before(window, at))
    readers: list[tuple[_Read, tuple[int, ...]]] = [(from_spki, outer or (lead,))]
    if window[lead] == der.SEQUENCE and not _within(memory, space, offset):
        readers.append((from_pkcs1, (lead,)))
    if window[lead] == _VERSION:
        readers = [(from_certificate, outer), (from_signed_part, inner)]
    for read, starts in readers:
        for start in starts:
            where = offset - lead + start
            size = der.total_size(window[start : start + der.BACK])
            data = memory.clip(space, where, size) if size is not None else b""
            if not data or len(data) != size:
                continue
            found = read(data, Place(space=space, offset=where, size=len(data)))
            if found is not None:
                yield found
                return


def _within(memory: Memory, space: int, offset: int) -> bool:
    """Tell whether what begins there is an RSAPublicKey in an SPKI whose header stands."""
    first = max(offset - _SPKI_HEADER, 0)
    before = memory.clip(space, first, offset - first)
    at = before.find(_RSA_IDENTIFIER)
    return at >= 0 and bool(der.headers_before(before, at))


def from_spki(data: bytes, place: Place | None = None) -> PublicKey | None:
    """Read a DER SubjectPublicKeyInfo that fills ``data``; None for anything else."""
    return _placed(_spki(data), place)


def from_pkcs1(data: bytes, place: Place | None = None) -> PublicKey | None:
    """Read a DER RSAPublicKey (RFC 8017 A.1.1) that fills ``data``; None for anything else."""
    try:
        return _placed(_rsa(data), place)
    except Malformed:
        return None


def _placed(key: PublicKey | None, place: Place | None) -> PublicKey | None:
    return key and replace(key, witness=replace(key.witness, place=place))


@lru_cache(maxsize=_REMEMBERED)
def _spki(data: bytes) -> PublicKey | None:
    try:
        whole = Reader(data)
        body = whole.enter()
        whole.finish()
        identifier = body.enter()
        algorithm = identifier.content(der.OID)
        if algorithm == EC_PUBLIC_KEY:
            curve = curve_of(identifier)
            identifier.finish()
            key = _ec(curve, body.bits())
        elif algorithm in RSA_ALGORITHMS:
            key = _rsa(body.bits())
        elif algorithm in OKP_OF:
            identifier.finish()
            key = _okp(OKP_OF[algorithm], body.bits())
        elif algorithm in domains.ALGORITHMS:
            parameters = identifier.element()
            identifier.finish()
            key = domains.public(domains.ALGORITHMS[algorithm], parameters, body.bits())
        elif algorithm in _OID_PQC:
            identifier.finish()
            key = _pqc(_OID_PQC[algorithm], body.bits())
        else:
            return None
        body.finish()
    except Malformed:
        return None
    return key


def from_certificate(data: bytes, place: Place | None = None) -> PublicKey | None:
    """Read a DER Certificate that fills ``data``; None for anything else.

    A certificate that ``cryptography`` finds odd still gives its key: its labels stay empty (see
    :func:`labelled`).
    """
    return _placed(_certificate(data), place)


@lru_cache(maxsize=_REMEMBERED)
def _certificate(data: bytes) -> PublicKey | None:
    try:
        whole = Reader(data)
        body = whole.enter()
        whole.finish()
        signed = body.element()
        body.enter()
        body.bits()
        body.finish()
    except Malformed:
        return None
    return _certified(signed, data)


def from_signed_part(data: bytes, place: Place | None = None) -> PublicKey | None:
    """Read a DER TBSCertificate that fills ``data``; None for anything else.

    OpenSSL keeps this part of each certificate, without the signature, as long as the object lives.
    """
    return _placed(_signed_part(data), place)


@lru_cache(maxsize=_REMEMBERED)
def _signed_part(data: bytes) -> PublicKey | None:
    try:
        whole = Reader(data)
        body = whole.enter()
        whole.finish()
        body.content(_VERSION)
        body.skip()
        whole_again = der.write(der.SEQUENCE, data + body.element() + _NO_SIGNATURE)
    except Malformed:
        return None
    return _certified(data, whole_again)


def _certified(signed: bytes, certificate: bytes) -> PublicKey | None:
    """Return the key of a TBSCertificate, with the certificate around it."""
    try:
        body = Reader(signed).enter()
        body.content(_VERSION)
        body.skip()  # the serial, which not every issuer writes in DER
        for _ in range(4):  # signature algorithm, issuer, validity, subject
            body.enter()
        spki = body.element()
    except Malformed:
        return None
    key = _spki(spki)
    if key is None:
        return None
    return replace(key, certificate=certificate, witness=replace(key.witness, kind="certificate"))


def labelled(key: PublicKey) -> PublicKey:
    """Give a key's witness what its certificate, if it has one, calls the owner."""
    if not key.certificate:
        return key
    subject, serial, not_after = _labels(key.certificate)
    witness = replace(key.witness, subject=subject, serial=serial, not_after=not_after)
    return replace(key, certificate=b"", witness=witness)


def _labels(data: bytes) -> tuple[str, str, str]:
    """Return (subject in RFC 4514, serial in hex, expiry in ISO 8601); empty where unreadable."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # negative serials and the like are no concern of ours
        try:
            certificate = x509.load_der_x509_certificate(data)
        except Exception:  # noqa: BLE001 - whatever it dislikes, the key is ours already
            return "", "", ""
        return (
            _or_empty(lambda: certificate.subject.rfc4514_string()),  # noqa: PLW0108 - .subject raises
            _or_empty(lambda: f"{certificate.serial_number:x}"),
            _or_empty(lambda: _utc(certificate.not_valid_after_utc)),
        )


def _or_empty(label: Callable[[], str]) -> str:
    try:
        return label()
    except Exception:  # noqa: BLE001 - the same
        return ""


def _utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _rsa(content: bytes) -> PublicKey:
    """Read an RSAPublicKey (RFC 8017 A.1.1)."""
    whole = Reader(content)
    body = whole.enter()
    whole.finish()
    n, e = body.integer(), body.integer()
    body.finish()
    if n.bit_length() not in RSA_BITS or not n & 1 or not (3 <= e < n and e & 1):
        raise Malformed
    if e.bit_length() > _EXPONENT_BITS:
        raise Malformed
    return publics.rsa(n, e, kind=BARE)


def _ec(curve: str, point: bytes) -> PublicKey:
    """Read an ECPoint (RFC 5480 section 2.2), compressed or not, that lies on the curve."""
    if not curve_points.known(curve):
        raise Malformed
    try:
        x, y = curve_points.decode(curve, point)
    except ValueError as error:
        raise Malformed from error
    return publics.ec(curve, x, y, kind=BARE)


def _okp(algorithm: str, raw: bytes) -> PublicKey:
    """Read an encoded public key (RFC 8410 section 4)."""
    if len(raw) != OKP_BYTES[algorithm]:
        raise Malformed
    return publics.okp(algorithm, raw, kind=BARE)


def _pqc(algorithm: str, raw: bytes) -> PublicKey:
    """Read a post-quantum public key, which has the length of its algorithm."""
    size = pqc.PUBLIC.get(algorithm) or int(algorithm[-4:-1]) // 4
    if len(raw) != size or len(set(raw[:32])) < 8:
        raise Malformed
    return publics.pqc(algorithm, raw, kind=BARE)
