"""Certificates and public keys as text: PEM, SAML documents, chains of JSON Web Keys.

A process may hold what it was configured with as text alone: it names the private key that it
belongs to, and is a witness, as its DER would be. PEM stands under the labels that OpenSSL reads
(RFC 7468); XML signatures announce base64 of a certificate (X509Certificate), and so does x5c (RFC
7517 4.7). The text is read in every shape of ``armour``; what it decodes to must be what is
announced. Requests are passed over: their keys are somebody's before there is a certificate, and
stand in DER beside them. An RSA key in text names its owner and is no witness: a process that
computes with a modulus has it as a number, and beside one that nobody loaded, primes that were
changed would be completed, as in decoys they are.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1 import x509
from scanner.detect.asn1.der import Memory
from scanner.detect.encodings import armour
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
_KEYS = {b"PUBLIC KEY": x509.from_spki, b"RSA PUBLIC KEY": x509.from_pkcs1}


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[PublicKey]:  # noqa: ARG001
    """Yield the certificate or the public key whose BEGIN line holds the anchor at ``offset``."""
    text = armour.text_at(memory, space, offset)
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
