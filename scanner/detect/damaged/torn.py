"""PuTTY and OpenPGP keys of which the end is gone: cut by a region or a file, or written over.

Both have their public half first, so that one whole private number proves the key: d, which RSA
keys begin their private half with, an exponent, a scalar or a seed. Where none is whole, the rest
has the shape of a key, and how much of it is there is said; where nothing of it is left, nothing
is. Whole files are for ``putty`` and ``transferable``, encrypted ones are passed over, and packets
without armour are read only where the memory ends within them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from scanner.detect.algebra import groups
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.cursor import Mismatch
from scanner.detect.encodings import armour
from scanner.detect.encodings.armour import Text
from scanner.detect.evidence import Key, ec_scalar, okp_seed, proved, rsa_exponents
from scanner.detect.locked.sealed import Sealed, sealed
from scanner.detect.openpgp import grammar, pgparmour, transferable
from scanner.detect.ssh import blobs, putty
from scanner.detect.ssh.blobs import NotSsh, Wire
from scanner.model import Confidence, Place
from scanner.rules import Rule

SMALLEST, _VARIED = 16, 10
"""Bytes of a private half that must be left, and different values among them."""

_LINE = 48
"""Bytes in a line of a PuTTY key file."""

_LEAD = 6


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class _Half:
    """What is left of a private half: its bytes, how many there were, and the key they prove."""

    data: bytes
    total: int
    algorithm: str
    key: Key | None


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | Sealed]:
    """Yield what is left of the file, the armour or the packet whose anchor is at ``offset``."""
    text = armour.text_at(memory, space, offset)
    head = text.read(len(putty.MARK))
    if head == putty.MARK:
        yield from _putty(text, rule)
    elif head.startswith(transferable.ANCHOR[:5]):
        yield from _armour(text, rule)
    else:
        yield from _packet(memory, space, offset, rule)


def _said(half: _Half, rule: Rule, form: str, place: Place) -> Iterator[Proved | Sealed]:
    if len(half.data) < SMALLEST or len(set(half.data)) < _VARIED:
        return
    cut = len(half.data) < half.total
    left = f"{len(half.data)} of {half.total} private bytes" if cut else "damaged"
    if half.key is not None:
        yield proved(half.key, rule, f"{form}, {left}", (place,))
        return
    said = f"{form}, {left}: no private number is whole"
    shape = Confidence.SHAPE
    yield sealed(rule, said, place, half.data, algorithm=half.algorithm, confidence=shape)


# --- PuTTY --------------------------------------------------------------------------------------


def _putty(text: Text, rule: Rule) -> Iterator[Proved | Sealed]:
    raw = text.read(putty.LONGEST)
    file = putty.read(raw, cut=True)
    whole = putty.read(raw)
    if file is None or file.encryption != b"none" or (whole and putty.key_of(whole)):
        return
    public = blobs.read(file.public)
    if public is None:
        return
    half = _Half(
        data=file.private,
        total=file.lines * _LINE,
        algorithm=public[0].algorithm,
        key=_number(public[0].algorithm, file),
    )
    place, wide = armour.located(text.memory, text.space, text.offset, file.size, text.width)
    yield from _said(half, rule, f"PuTTY-{file.version}{wide}", place)


def _number(algorithm: str, file: putty.File) -> Key | None:
    """Return the key that the first private number of a file proves, if it is whole."""
    found = blobs.read(file.public)
    wire = Wire(file.private)
    if found is None:
        return None
    public = found[0]
    try:
        match algorithm:
            case "rsa":
                return rsa_exponents(public.n, public.e, wire.mpint())
            case "ec":
                return ec_scalar(public.curve, wire.mpint(), public.x, public.y)
            case "ed25519" | "ed448":
                return okp_seed(public.algorithm, wire.string(), public.raw)
        blob = Wire(file.public)
        blob.string()
        return groups.proved(*blobs.dss(blob), wire.mpint())
    except NotSsh:
        return None


# --- OpenPGP ------------------------------------------------------------------------------------


def _armour(text: Text, rule: Rule) -> Iterator[Proved | Sealed]:
    lead = len(transferable.MARK) - len(transferable.ANCHOR)
    first = text.offset - lead * text.width
    if first < 0:
        return
    body = Text(memory=text.memory, space=text.space, offset=first, width=text.width)
    raw = body.read(len(transferable.MARK) + transferable.ARMOUR)
    if not raw.startswith(transferable.MARK):
        return
    data, used, _ = pgparmour.dearmor(raw[len(transferable.MARK) :], cut=True)
    at = 0
    for _ in range(transferable.MOST_PACKETS):
        head = grammar.header(data, at)
        if head is None:
            return
        at += head.size
        inside = data[at : at + head.body]
        half = _half(inside, head.body) if head.tag in grammar.SECRET_TAGS else None
        if half is not None:
            size = len(transferable.MARK) + used
            place, wide = armour.located(text.memory, text.space, first, size, text.width)
            yield from _said(half, rule, f"PGP armour{wide}", place)
            return
        at += head.body


def _packet(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | Sealed]:
    """Read the packet with its header, version or exponent at ``offset`` in which memory ends."""
    front = memory.clip(space, offset, _LEAD)
    starts = [offset]
    if front.startswith(transferable.EXPONENT):
        first = max(offset - _LEAD - grammar.MODULUS, 0)
        lead = memory.clip(space, first, offset - first)
        starts = [first + at for at in grammar.bodies_before(lead)]
    elif (head := grammar.header(front)) is not None:
        starts = [offset + head.size]
    for start in starts:
        lead = memory.clip(space, max(start - _LEAD, 0), min(start, _LEAD))
        for head in grammar.headers_before(lead):
            if head.tag not in grammar.SECRET_TAGS or head.body >= grammar.LONGEST:
                continue
            inside = memory.clip(space, start, head.body)
            half = _half(inside, head.body) if len(inside) < head.body else None
            if half is not None:
                begin = start - head.size
                place = Place(space=space, offset=begin, size=head.size + len(inside))
                yield from _said(half, rule, "PGP packet", place)
                return


def _half(data: bytes, total: int) -> _Half | None:
    """Read the body of a packet that lay open; None where it is whole, or is none."""
    try:
        body = grammar.begin(data)
    except Mismatch:
        return None
    public = transferable.public_of(body)
    if public is None:
        return None
    if len(data) == total:
        try:
            if transferable.key_of(grammar.read(data, secret=True)) is not None:
                return None
        except Mismatch:
            pass
    key: Key | None = None
    if body.secret and body.algorithm in grammar.RSA:
        key = rsa_exponents(public.n, public.e, int.from_bytes(body.secret[0], "big"))
    elif body.secret:
        key = transferable.key_of(body)
    return _Half(
        data=data[body.size :], total=total - body.size, algorithm=public.algorithm, key=key
    )
