"""Certificates and public keys as text: PEM, SAML documents, chains of JSON Web Keys, hex.

A process may hold what it was configured with as text alone: it names the private key that it
belongs to, and is a witness, as its DER would be. PEM stands under the labels that OpenSSL reads
(RFC 7468); XML signatures announce base64 of a certificate (X509Certificate), and so does x5c (RFC
7517 4.7); hex of a key is told by the algorithm of EC keys (Dovecot). Other text is read in every
shape of ``armour``; what it decodes to must be what is announced. Requests are passed over: their
keys are somebody's before there is a certificate, and stand in DER beside them. An RSA key in text
names its owner and is no witness: a process that computes with a modulus has it as a number, and
beside one that nobody loaded, primes that were changed would be completed, as in decoys they are.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1 import x509
from scanner.detect.asn1.der import Memory, total_size
from scanner.detect.encodings import armour
from scanner.detect.encodings.armour import Text
from scanner.rules import Rule

NAME = "public-text"
"""The detector of rules that find them."""

MARKS = (b"BEGIN CERTIFICATE-----", b"BEGIN PUBLIC KEY-----", b"BEGIN RSA PUBLIC KEY-----")
"""The anchors of the usual PEM."""

_LONGEST_LABEL = 32
_LABEL = re.compile(
    rb"BEGIN ((?:(?:X509 |TRUSTED )?CERTIFICATE)|(?:RSA )?PUBLIC KEY)-----"
    rb"|X509Certificate>|x5c\" ?: ?\[ ?\""
)
_HEX = re.compile(rb"06072[aA]8648")
_OID, _LONGEST_HEX = 10, 2 * 160
_DIGITS = re.compile(rb"[0-9a-fA-F]+")
_HEADERS = 8, 10
"""Digits of the two headers before the algorithm, the length of the first in one byte or two."""

_KEYS = {b"PUBLIC KEY": x509.from_spki, b"RSA PUBLIC KEY": x509.from_pkcs1}


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[PublicKey]:  # noqa: ARG001
    """Yield the certificate or the public key whose BEGIN line holds the anchor at ``offset``."""
    text = armour.text_at(memory, space, offset)
    if _HEX.match(text.read(_OID)):
        yield from _hexed(text)
        return
    label = _LABEL.match(text.read(_LONGEST_LABEL))
    if label is None:
        return
    body = replace(text, offset=text.offset + label.end() * text.width)
    found = armour.find_object(body)
    if found is None:
        return
    size = label.end() + found[1]
    place, _ = armour.located(memory, space, text.offset, size, text.width)
    read = _KEYS.get(label[1])
    # Where a certificate's text stands says nothing: bundles of authorities have it by the hundred,
    # and private numbers are looked for near what libraries keep first.
    key = read(found[0], place) if read else x509.from_certificate(found[0])
    if key is not None:
        yield key


def _hexed(text: Text) -> Iterator[PublicKey]:
    """Yield the public key in hex whose algorithm's identifier begins where the text does."""
    for ahead in _HEADERS:
        if text.offset < ahead * text.width:
            return
        begin = replace(text, offset=text.offset - ahead * text.width)
        digits = _DIGITS.match(begin.read(_LONGEST_HEX))
        data = bytes.fromhex(digits[0][: len(digits[0]) & ~1].decode()) if digits else b""
        size = total_size(data)
        if size is None or not 0 < size <= len(data):
            continue
        place, _ = armour.located(text.memory, text.space, begin.offset, 2 * size, text.width)
        key = x509.from_spki(data[:size], place)
        if key is not None:
            yield key
            return
