"""DNSSEC private keys, as dnssec-keygen, ldns and Knot write them.

Source: BIND 9, lib/dns/dst_parse.c (Private-key-format v1.2 and v1.3); algorithms have the
numbers of RFC 8624 section 3.1. An RSA key proves itself by p*q = n. The other algorithms have a
private number alone: its public half stands in another file, the DNSKEY record.
"""

import base64
import re
from collections.abc import Iterator

from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour, escapes, margins
from scanner.detect.encodings.armour import EOL
from scanner.detect.evidence import (
    DISTINCT,
    Key,
    ec_derived,
    okp_derived,
    proved,
    rsa_primes,
    unproved,
)
from scanner.detect.programs.dnskey import CURVES, OKP
from scanner.fingerprint import FIELD_BYTES
from scanner.rules import Rule

MARK = b"Private-key-format: v1."

LONGEST = 16 * 1024
"""Characters of the longest file: RSA of 16384 bits."""

_RSA = frozenset((1, 5, 7, 8, 10))
_FIRST = rb"Private-key-format: v1\.[0-9]"
_FORMAT = _FIRST + EOL
_HEAD = re.compile(rb"(?:%b)?Algorithm: ([0-9]{1,3})" % _FORMAT)
_WHOLE = re.compile(_FORMAT + rb"\Z")
_LINE = 96
"""Characters before the line of the algorithm in which the first line begins."""

_FIELD = re.compile(rb"(?:[ \t]\([A-Z0-9-]{1,32}\))?" + EOL + rb"([A-Za-z0-9]{4,20}):[ \t]?")
_VALUE = re.compile(rb"[A-Za-z0-9+/]{1,4096}={0,2}")
_NAMES = (b"Modulus", b"PublicExponent", b"Prime1", b"Prime2", b"PrivateKey")


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key whose file begins at ``offset``, or the line of its algorithm.

    An allocator takes the first line of a freed file. One that is there has an anchor of its own.
    """
    text = armour.text_at(memory, space, offset)
    _, raw, at = armour.stretch(text, _LINE, 1)
    found = None if _WHOLE.search(raw[:at]) else read(text.read(LONGEST))
    if found is None:
        return
    key, whole, size = found
    place, wide = armour.located(memory, space, text.offset, size, text.width)
    say = proved if whole else unproved
    yield say(key, rule, f"DNSSEC{wide}", (place,))


def read(text: bytes) -> tuple[Key, bool, int] | None:
    """Read the file at the start of ``text``: its key, whether that is proved, its characters.

    Its first line may be gone.
    """
    plain = escapes.undone(text)
    even = margins.evened(plain.text, _FIRST, b"Algorithm: ")
    text = even.text
    head = _HEAD.match(text)
    if head is None:
        return None
    algorithm, at = int(head[1]), head.end()
    fields: dict[bytes, bytes] = {}
    end = at
    while match := _FIELD.match(text, at):
        value = _VALUE.match(text, match.end())
        if value is None:
            break
        at = value.end()
        if match[1] in _NAMES and match[1] not in fields and len(value[0]) % 4 == 0:
            fields[match[1]], end = base64.b64decode(value[0]), at
        elif not value[0].isdigit():
            end = at
    key = _key(algorithm, fields)
    return (key, algorithm in _RSA, plain.size(even.size(end))) if key else None


def _key(algorithm: int, fields: dict[bytes, bytes]) -> Key | None:
    if algorithm in _RSA:
        n, e, p, q = (int.from_bytes(fields.get(name, b""), "big") for name in _NAMES[:4])
        return rsa_primes(n, e, p, q)
    secret = fields.get(b"PrivateKey", b"")
    if algorithm in OKP:
        return okp_derived(OKP[algorithm], secret)
    curve = CURVES.get(algorithm)
    if curve is None or len(secret) != FIELD_BYTES[curve] or len(set(secret)) < DISTINCT:
        return None
    return ec_derived(curve, int.from_bytes(secret, "big"))
