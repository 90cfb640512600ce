"""Keys in OpenPGP packets and in ASCII armour: RFC 9580, RFC 4880, RFC 6637, LibrePGP.

The public half stands in the same packet as the secret one, so that an open secret is proved: p*q
= n, d*G = Q, g**x = y, or the seed gives the public key. The packet's header may be gone, for the
fields say where they end; an RSA secret is read even where all that is left before it is the public
exponent. An encrypted secret is told apart by its string-to-key specifier, and needs its header.
RSA packets are found by that exponent, from which the modulus leads back to the version: nothing
else in them is the same from key to key. What opens an encrypted secret is for ``pgplock``. An open
secret of an algorithm or a curve that nobody here knows is a structure, where it is framed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from scanner.detect.algebra import groups, publics
from scanner.detect.algebra.material import Foreign
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1 import foreign
from scanner.detect.asn1.der import Malformed, Memory
from scanner.detect.asn1.keys import OKP_BYTES, Proved
from scanner.detect.cursor import Cursor, Mismatch
from scanner.detect.evidence import (
    Key,
    ec_scalar,
    okp_seed,
    on_curve,
    proved,
    rsa_primes,
    rsa_public,
    unproved,
)
from scanner.detect.locked.sealed import UNKNOWN, Sealed, sealed
from scanner.detect.openpgp import grammar, pgparmour, pgplock, strange_pgp
from scanner.detect.openpgp.grammar import Body, Header
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Place
from scanner.rules import Rule

MARK = b"-----BEGIN PGP PRIVATE KEY BLOCK-----"
"""The line that opens an armoured secret key; its end is the anchor."""

ANCHOR = b"PGP PRIVATE KEY BLOCK-----"

EXPONENT = bytes.fromhex("0011010001")
"""65537 as an MPI: what stands before the secret of most RSA keys."""

ARMOUR = 64 * 1024
"""Characters of the longest armour."""

MOST_PACKETS = 64
"""Packets of one armour that are looked at: a key, its subkeys, user IDs, signatures."""

_LEAD = 6
_CHECKED = 20
"""Bytes of the shortest secret under any protection: checksum, hash or tag included."""
_VARIED = 12
"""Different bytes of a secret to which nothing bears witness, at least."""
_WIDE = MARK.decode().encode("utf-16-le")

Found = Proved | PublicKey | Sealed


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class _Packet:
    """A key packet: where it starts, its size, its fields."""

    start: int
    size: int
    secret: bool
    body: Body
    ciphertext: bytes = b""
    """What follows an encrypted secret's specifier."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Found]:
    """Yield what the packet or the armour at ``offset`` holds of what ``rule`` looks for.

    An anchor starts with a packet's header, with the version behind it, with the exponent of an RSA
    key, or with the label of an armour. A rule of encrypted keys is given these alone, one of
    public keys the public ones.
    """
    head = memory.clip(space, offset, 5)
    if head in (b"P\0G\0P", b"-\0-\0-") or head[:4] in (b"PGP ", b"----"):
        yield from _armour(memory, space, offset, rule)
        return
    packet = None
    if head == EXPONENT:
        first = max(offset - _LEAD - grammar.MODULUS, 0)
        starts = grammar.bodies_before(memory.clip(space, first, offset - first))
        packets = (_around(memory, space, first + at) for at in starts)
        packet = max(filter(None, packets), key=lambda found: found.size, default=None)
        if packet is None:
            yield from _rsa_tail(memory, space, offset, rule)
    elif head[:1] in (b"\x03", b"\x04", b"\x05", b"\x06"):
        packet = _around(memory, space, offset)
        if packet is None and rule.kind == "private-key":
            yield from _strange_around(memory, space, offset, rule)
    else:
        front = grammar.header(memory.clip(space, offset, _LEAD))
        if front is not None:
            packet = _announced(memory, space, offset, front)
            if packet is None and rule.kind == "private-key":
                yield from _strange_around(memory, space, offset + front.size, rule)
    if packet is None:
        return
    place = Place(space=space, offset=packet.start, size=packet.size)
    yield from _said(packet, rule, "PGP packet", place)


def _around(memory: Memory, space: int, at: int) -> _Packet | None:
    """Read the packet whose body is at ``at``; a header that ends there must fit, or be gone.

    No more is read than the header announces: rings of public keys are long.
    """
    lead = min(at, _LEAD)
    for head in grammar.headers_before(memory.clip(space, at - lead, lead)):
        packet = _announced(memory, space, at - head.size, head)
        if packet is not None:
            return packet
    body = _read(memory.clip(space, at, grammar.LONGEST), secret=True)
    if body is None or body.protection:
        return None
    return _Packet(start=at, size=body.size, secret=True, body=body)


def _announced(memory: Memory, space: int, offset: int, head: Header) -> _Packet | None:
    """Read the packet at ``offset``, where its header stands."""
    if head.body > grammar.LONGEST:
        return None
    packet = _framed(memory.clip(space, offset, head.size + head.body), 0, head)
    return None if packet is None else replace(packet, start=offset)


def _framed(data: bytes, start: int, head: Header) -> _Packet | None:
    """Read the packet at ``start``, whose fields must fill what its header announces."""
    secret = head.tag in grammar.SECRET_TAGS
    if head.body > grammar.LONGEST or not (secret or head.tag in grammar.PUBLIC_TAGS):
        return None
    at = start + head.size
    whole = data[at : at + head.body]
    body = _read(whole, secret=secret) if len(whole) == head.body else None
    if body is None:
        return None
    behind = head.body - body.size
    if behind < _CHECKED if body.protection else behind:
        return None
    return _Packet(
        start=start,
        size=head.size + head.body,
        secret=secret,
        body=body,
        ciphertext=whole[body.size :] if body.protection else b"",
    )


def _read(data: bytes, *, secret: bool) -> Body | None:
    try:
        return grammar.read(data, secret=secret)
    except Mismatch:
        return None


def _said(packet: _Packet, rule: Rule, encoding: str, place: Place) -> Iterator[Found]:
    """Yield the private key, the encrypted one or the public one, if the rule looks for it."""
    body = packet.body
    if rule.kind == "encrypted-key":
        public = public_of(body) if body.protection else None
        if public is not None:
            yield _encrypted(public, packet, rule, encoding, place)
            yield public
    elif rule.kind == "private-key":
        key = key_of(body) if body.secret else None
        if key is not None:
            yield proved(key, rule, encoding, (place,))
    else:
        public = None if packet.secret else public_of(body)
        if public is not None:
            yield replace(public, witness=replace(public.witness, place=place))


def _encrypted(
    public: PublicKey, packet: _Packet, rule: Rule, encoding: str, place: Place
) -> Sealed:
    """Name an encrypted key by the public half in its packet."""
    name = public.witness.fingerprint
    return sealed(
        rule,
        encoding,
        place,
        packet.ciphertext,
        lock=pgplock.lock(packet.body, packet.ciphertext, key_of),
        protection=packet.body.protection,
        algorithm=public.algorithm,
        curve=public.curve,
        bits=public.bits,
        fingerprint=name,
    )


# --- algorithms that nobody here knows --------------------------------------------------------


def _strange_around(memory: Memory, space: int, at: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key in the packet whose body is at ``at``, whose header stands before it."""
    lead = min(at, _LEAD)
    for head in grammar.headers_before(memory.clip(space, at - lead, lead)):
        if head.tag in grammar.SECRET_TAGS and head.body <= grammar.LONGEST:
            key = _strange(memory.clip(space, at, head.body), head.body)
            if key is not None:
                place = Place(space=space, offset=at - head.size, size=head.size + head.body)
                yield unproved(key, rule, "PGP packet", (place,))
                return


def _strange(body: bytes, size: int) -> Foreign | None:
    """Return the key of a whole body; None for any other."""
    if len(body) != size:
        return None
    try:
        found = strange_pgp.read(body)
        curve = foreign.dotted(found.curve) if found.curve else ""
    except (Mismatch, Malformed):
        return None
    if len(found.secret) < _CHECKED or len(set(found.secret)) < _VARIED:
        return None
    return Foreign(algorithm=found.algorithm or UNKNOWN, curve=curve, inner=found.secret)


# --- numbers ------------------------------------------------------------------------------------


def key_of(body: Body) -> Key | None:
    """Return the key of an open secret, where its equation closes."""
    numbers = [int.from_bytes(raw, "big") for raw in (*body.public, *body.secret)]
    if body.algorithm in grammar.RSA:
        n, e, d, p, q, _ = numbers
        key = rsa_primes(n, e, p, q)
        return (
            key if key is not None and (e * d - 1) % (p - 1) == 0 == (e * d - 1) % (q - 1) else None
        )
    if body.algorithm == grammar.DSA:
        return groups.proved(*numbers)
    if body.algorithm in grammar.ELGAMAL:
        p, g, y, x = numbers
        return groups.proved(p, 0, g, y, x)
    if body.curve not in OKP_BYTES:
        x, y = _point(body.curve, body.public[0])
        return ec_scalar(body.curve, numbers[1], x, y)
    secret = body.secret[0].rjust(OKP_BYTES[body.curve], b"\0")
    if body.curve == "x25519" and body.algorithm == grammar.ECDH:
        secret = secret[::-1]  # RFC 9580 section 5.5.5.6.1.1: the scalar as an MPI
    return okp_seed(body.curve, secret, _encoded(body))


def public_of(body: Body) -> PublicKey | None:
    """Return the public half of a packet, where its numbers may be those of a key."""
    numbers = [int.from_bytes(raw, "big") for raw in body.public]
    if body.algorithm in grammar.RSA:
        n, e = numbers
        return publics.rsa(n, e, kind="pgp") if rsa_public(n, e) else None
    if body.algorithm == grammar.DSA or body.algorithm in grammar.ELGAMAL:
        p, q, g, y = numbers if body.algorithm == grammar.DSA else (numbers[0], 0, *numbers[1:])
        if not groups.plausible(p, q, g, y):
            return None
        return publics.ffc("dsa" if q else "dh", p, q, g, y, kind="pgp")
    if body.curve in OKP_BYTES:
        raw = _encoded(body)
        return publics.okp(body.curve, raw, kind="pgp") if len(set(raw)) >= 8 else None
    x, y = _point(body.curve, body.public[0])
    return publics.ec(body.curve, x, y, kind="pgp") if on_curve(body.curve, x, y) else None


def _point(curve: str, raw: bytes) -> tuple[int, int]:
    """Return x and y of an uncompressed point, or a pair that lies on no curve."""
    size = FIELD_BYTES[curve]
    if len(raw) != 2 * size + 1 or raw[0] != 4:
        return 0, 0
    return int.from_bytes(raw[1 : size + 1], "big"), int.from_bytes(raw[size + 1 :], "big")


def _encoded(body: Body) -> bytes:
    """Return an encoded key, without the octet 40 before it in the older form."""
    raw = body.public[0]
    size = OKP_BYTES[body.curve]
    return raw[1:] if len(raw) == size + 1 and raw[:1] == b"\x40" else raw


# --- without a head -----------------------------------------------------------------------------


def _rsa_tail(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Read an open RSA secret behind its exponent: p*q must be the modulus right before it.

    The first half of the modulus may be gone.
    """
    if rule.kind != "private-key":
        return
    fields = Cursor(memory.clip(space, offset, grammar.LONGEST), len(EXPONENT))
    try:
        if fields.number(1):
            return
        _, p, q, _ = (int.from_bytes(grammar.mpi(fields), "big") for _ in range(4))
        fields.number(2)  # their sum, over which an allocator may have written: seen in RNP
    except Mismatch:
        return
    size = (p.bit_length() + q.bit_length()) // 8 + 1
    first = max(offset - size, 0)
    before = memory.clip(space, first, offset - first)
    n = p * q
    raw = n.to_bytes((n.bit_length() + 7) // 8, "big")
    key = rsa_primes(n, 65537, p, q) if before.endswith(raw[len(raw) // 2 :]) else None
    if key is not None:
        place = Place(space=space, offset=offset, size=fields.at)
        yield proved(key, rule, "PGP secret fields", (place,))


# --- armour -------------------------------------------------------------------------------------


def _armour(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Found]:
    """Yield what the packets of an armour hold; all of them lie in one place."""
    wide = memory.clip(space, offset, 2)[1:] == b"\0"
    width, mark = (2, _WIDE) if wide else (1, MARK)
    first = (
        offset
        if memory.clip(space, offset, 1) == b"-"
        else offset - len(mark) + len(ANCHOR) * width
    )
    if first < 0 or memory.clip(space, first, len(mark)) != mark:
        return
    text = memory.clip(space, first + len(mark), ARMOUR * width)
    if wide:
        high = text[1::2]
        text = text[::2][: len(high) - len(high.lstrip(b"\0"))]
    data, used, contradicted = pgparmour.dearmor(text)
    place = Place(space=space, offset=first, size=len(mark) + used * width)
    encoding = "PGP armour" + (" utf-16le" if wide else "")
    for at, head in _headers(data):
        packet = _framed(data, at, head)
        if packet is not None:
            for found in _said(packet, rule, encoding, place):
                if not contradicted or isinstance(found, Proved):
                    yield found
        elif head.tag in grammar.SECRET_TAGS and rule.kind == "private-key" and not contradicted:
            first = at + head.size
            key = _strange(data[first : first + head.body], head.body)
            if key is not None:
                yield unproved(key, rule, encoding, (place,))


def _headers(data: bytes) -> Iterator[tuple[int, Header]]:
    """Walk the packets of a decoded armour: where each begins, and its header."""
    at = 0
    for _ in range(MOST_PACKETS):
        head = grammar.header(data, at)
        if head is None:
            return
        yield at, head
        at += head.size + head.body
