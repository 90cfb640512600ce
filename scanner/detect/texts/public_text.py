"""Certificates and public keys as text: PEM, bare base64, SAML documents, chains of JWK, hex.

A process may hold what it was configured with as text alone: it names the private key that it
belongs to, and is a witness, as its DER would be. PEM stands under the labels that OpenSSL reads
(RFC 7468); XML signatures announce base64 of a certificate (X509Certificate), and so does x5c (RFC
7517 4.7); bare base64 of an EC or Edwards key begins as its DER does (settings in JSON and YAML);
hex of a key is told by the algorithm of EC keys (Dovecot). Base64 of a PEM text (Kubernetes) is
decoded by ``nested``, which asks for it here. Other text is read in every shape of ``armour``;
what it decodes to must be what is announced. Requests are passed over: their keys are somebody's
before there is a certificate, and stand in DER beside them. An RSA key in text names its owner and
is no witness: a process that computes with a modulus has it as a number, and beside one that nobody
loaded, primes that were changed would be completed, as in decoys they are.
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

PLAIN = (
    *MARKS,
    *(b"BEGIN X509 ", b"BEGIN TRUSTED ", b"X509Certificate>", b"x5c", b"06072a8648", b"06072A8648"),
    *(b"MFkwE", b"MHYwE", b"MFYwE", b"MIGbMB", b"MCowB", b"MEMwB", b"MEIwB"),
)
"""What anchors begin with that are not base64 of a text: to look for one around each is dear."""

_LONGEST_LABEL = 32
_LABEL = re.compile(
    rb"BEGIN ((?:(?:X509 |TRUSTED )?CERTIFICATE)|(?:RSA )?PUBLIC KEY)-----"
    rb"|X509Certificate>|x5c\" ?: ?\[ ?\""
)
_HEX = re.compile(rb"06072[aA]8648")
_BARE = re.compile(rb"M(?:FkwE|HYwE|FYwE|IGbMB|CowB|EMwB|EIwB)")
"""What SPKI of P-256, P-384, secp256k1, P-521, and of RFC 8410's keys begin with in base64."""
_LINE = 16
"""Characters in which the end of a label and of its line stand before a body, and a margin."""
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
    head = text.read(_LONGEST_LABEL)
    label = _LABEL.match(head)
    if label is None and not (_BARE.match(head) and _is_alone(text)):
        return
    begins = label.end() if label is not None else 0
    found = armour.find_object(replace(text, offset=text.offset + begins * text.width))
    if found is None:
        return
    place, _ = armour.located(memory, space, text.offset, begins + found[1], text.width)
    read = x509.from_spki if label is None else _KEYS.get(label[1])
    # Where a certificate's text stands says nothing: bundles of authorities have it by the hundred,
    # and private numbers are looked for near what libraries keep first.
    key = read(found[0], place) if read else x509.from_certificate(found[0])
    if key is not None:
        yield key


def _is_alone(text: Text) -> bool:
    """Tell whether no label is the line before."""
    lead = min(text.offset // text.width, _LINE) * text.width
    return b"-----" not in text.memory.clip(text.space, text.offset - lead, lead)[:: text.width]


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
