"""OpenSSH key files in base64 of which nothing but the end is left.

An allocator writes over the beginning of a freed text, and a database keeps a long one in pieces:
what is left may begin behind the name of the type. From the END line the base64 is read backwards;
the last fields of a file (OpenSSH PROTOCOL.key) are private numbers, a comment and the padding 1,
2, 3..., whose lengths lead from one to the next up to its last byte. Both primes of RSA are a key;
a scalar is one where the end of its point stands before it, a seed of Ed25519 where its public key
follows. Files that have the name of the type are left to ``openssh`` and ``beheaded``.
"""

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from scanner.detect.algebra import gmp
from scanner.detect.algebra.material import Ec, Rsa
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour
from scanner.detect.encodings.armour import Text
from scanner.detect.evidence import Key, ec_derived, okp_seed, proved, rsa_primes, unproved
from scanner.detect.ssh import blobs
from scanner.detect.ssh.blobs import NotSsh, Wire
from scanner.detect.ssh.openssh_fields import LONGEST, blob_of, padded, public_of, read
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Place
from scanner.rules import Rule

END = b"END OPENSSH PRIVATE KEY-----"
_HYPHENS = b"-----"

_LAST = re.compile(rb"[A-Za-z0-9+/](={0,2})(?:\s|\\+[rn]){0,4}\Z")
"""The last character of base64, and what stands between it and the END line."""

_TYPE = re.compile(rb"\0\0\0(?:\x07ssh-|\x0bssh-|\x13ecdsa-)")
_LENGTH = re.compile(rb"(?=\0\0[\0-\x04])")
"""Where the length of a field may begin: zeros that are rare among random bytes."""

_MOST_FIELDS, _MOST_TRIED = 8, 64
"""Strings behind which padding must have come, and places in one text where they may begin: a file
has a dozen, and zeros without end have any number."""
_FEWEST = 16
"""Bytes of a point that must stand before its scalar: no other one ends with them."""

_USUAL = 65537


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class _Field:
    """A string of the file, and where its length stands."""

    at: int
    value: bytes

    @property
    def number(self) -> int:
        """Return it as an mpint; 0 for what is none."""
        return int.from_bytes(self.value, "big") if self.value[:1] < b"\x80" else 0


def examine(text: Text, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the key whose last fields stand before the END line that begins a text, or ends it."""
    text, raw, lead = armour.stretch(text, LONGEST, LONGEST)
    ends = raw.find(END, lead)
    begins = ends - len(_HYPHENS)
    last = _LAST.search(raw, 0, begins) if raw[:ends].endswith(_HYPHENS) else None
    run = armour.around(raw, last.start()) if last is not None else None
    if last is None or run is None:
        return
    chars, places = run.chars[: run.at + 1], run.places
    pad = -(len(chars) + len(last[1])) % 4
    found = _read(armour.decode(b"A" * pad + chars))
    if found is None:
        return
    key, at, certain = found
    start = places[max(-(-at * 8 // 6) - pad, 0)]
    first, size = text.offset + start * text.width, ends + len(END) - start
    place, wide = armour.located(text.memory, text.space, first, size, text.width)
    yield _said(key, rule, f"OPENSSH-PEM (damaged){wide}", place, certain=certain)
    yield blobs.named(public_of(key), blob_of(key), place)


def _said(key: Key, rule: Rule, encoding: str, place: Place, *, certain: bool) -> Proved:
    say = proved if certain else unproved
    return say(key, rule, encoding, (place,))


def _read(data: bytes) -> tuple[Key, int, bool] | None:
    """Return the key of the last fields, where the first of them begins, and if it is proved."""
    types = itertools.islice(_TYPE.finditer(data), _MOST_TRIED)
    if any(read(data[match.start() :]) is not None for match in types):
        return None
    for match in itertools.islice(_LENGTH.finditer(data), _MOST_TRIED):
        fields = _fields(data, match.start())
        if len(fields) > 1:
            return _rsa(fields) or _ec(data, fields) or _ed25519(fields)
    return None


def _fields(data: bytes, at: int) -> list[_Field]:
    """Return the strings from a byte on, the comment last; none if they do not end in padding."""
    wire, fields = Wire(data, at), list[_Field]()
    try:
        while not fields or (not padded(data[wire.at :]) and len(fields) < _MOST_FIELDS):
            fields.append(_Field(at=wire.at, value=wire.string()))
    except NotSsh:
        return []
    return fields if padded(data[wire.at :]) else []


def _rsa(fields: list[_Field]) -> tuple[Rsa, int, bool] | None:
    """Read the primes, and what is left before them: iqmp, and d before that."""
    if len(fields) < 3:
        return None
    *before, p, q, _ = fields
    if not p.number & q.number & 1 or math.gcd(p.number, q.number) != 1:
        return None
    first, certain, e = p.at, False, _USUAL
    order = math.lcm(p.number - 1, q.number - 1)
    if before and before[-1].number * q.number % p.number == 1:
        first, certain = before[-1].at, True
    d = before[-2].number if certain and len(before) > 1 else 0
    if d and math.gcd(d, order) == 1 and gmp.inverse(d, order).bit_length() <= 64:
        first, e = before[-2].at, gmp.inverse(d, order)
    if not certain and any(gmp.power(2, one.number - 1, one.number) != 1 for one in (p, q)):
        return None
    key = rsa_primes(p.number * q.number, e, p.number, q.number)
    return (replace(key, e_assumed=not d), first, certain) if key is not None else None


def _ec(data: bytes, fields: list[_Field]) -> tuple[Ec, int, bool] | None:
    """Read the scalar, with as much of its point as stands before it."""
    scalar = fields[-2]
    for curve in blobs.NISTP.values():
        size = FIELD_BYTES[curve]
        if not size - 2 <= len(scalar.value.lstrip(b"\0")) <= size:
            continue
        before = data[max(scalar.at - _FEWEST, 0) : scalar.at]
        key = ec_derived(curve, scalar.number) if len(before) == _FEWEST else None
        if key is not None and key.y.to_bytes(size, "big").endswith(before):
            return key, scalar.at, True
    return None


def _ed25519(fields: list[_Field]) -> tuple[Key, int, bool] | None:
    secret = fields[-2]
    if len(secret.value) != 64:
        return None
    key = okp_seed("ed25519", secret.value[:32], secret.value[32:])
    return (key, secret.at, True) if key is not None else None
