"""OpenPGP private keys in base64 of which the beginning is gone.

An allocator that takes back the text of an armoured key writes over its BEGIN line, and over lines
of base64 when it gives the memory out again. What is left has packets as whole as before: an OID in
them, or the exponent of an RSA key with the open secret behind it, has but three spellings in
base64, and the END line stands where it stood. From there the text is decoded in both directions,
and its packets are read as ``transferable`` reads them in memory. Where the first packet is cut
too, behind the name of its curve, a secret is told by its checksum, and proved by what is left of
the public half before it. Readers that squeeze the line ends out of a text in place leave its last
characters behind its end. Whole armours are left to ``transferable``, and encrypted secrets are
passed over.
"""

import re
from collections.abc import Iterator
from itertools import islice

from scanner.detect.algebra.material import Ec, Okp
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import OKP_BYTES, Proved
from scanner.detect.cursor import Cursor, Mismatch
from scanner.detect.encodings import armour, lines
from scanner.detect.encodings.armour import Run, Text
from scanner.detect.evidence import ec_derived, okp_derived, proved
from scanner.detect.openpgp import grammar, transferable
from scanner.detect.texts.encoded import Decoded, mapped
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Place
from scanner.rules import Rule

REACH = 12 * 1024
"""Characters before and behind an anchor that are read: the base64 of an RSA key of 16384 bits."""

_NEAR = 64
"""Characters behind an anchor that tell whether it spells what it seems to."""

_OIDS = tuple(grammar.CURVES)
_BEFORE = (7, 11)
"""Bytes from a version to an OID, without and with the count that stands there from version 5 on:
time, algorithm, and the length of the OID."""

_EXPONENT = transferable.EXPONENT + b"\0"
_HEADS = re.compile(
    rb"%s|[\x04-\x06][\x28-\x9f]...(?:[\x12-\x16](?:\0\0\0.)?[\x03-\x0a][\x2a\x2b]|[\x19-\x1c])"
    % re.escape(_EXPONENT),
    re.DOTALL,
)
"""An RSA secret's exponent; version, time and algorithm of other keys, and where an OID begins."""

_VERSION = re.compile(rb"[\x03-\x06][\x28-\x9f]")
_BREAK = re.compile(rb"[\r\n]+|\\+[rn]")
_MOST_HEADS = 256
_TAIL = re.compile(rb"([A-Za-z0-9+/])={0,2}\s{0,8}(?:=[A-Za-z0-9+/]{4}\s{1,8})?-----END $")
_MOVED = re.compile(rb"([A-Za-z0-9+/])={1,2}[A-Za-z0-9+/=\s]{0,192}-----END $")
"""The last character before an END line; and where a padded text was squeezed, whose old end is
left behind its new one: as many characters as it had line ends."""

_TAIL_BACK = 256
_CUT = 384
"""Bytes at the beginning of a text in which the secret of a packet stands whose front is gone."""

_BIT_SIZES = range(233, 521 + 1)
_LEFT = 16
"""Bytes of a public half that are left at least, for it to bear witness."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the keys of packets whose OID, exponent, beginning or END line is at ``offset``."""
    text = armour.text_at(memory, space, offset)
    label = text.read(len(transferable.ANCHOR)) == transferable.ANCHOR
    if not label and not _plausible(text):
        return
    found = list(_in_one(text, rule, label=label))
    yield from found
    for whole, run in lines.joined(text) if not found and not label else ():
        for pad in range(4):
            found += (lines.mapped(each, whole, run, pad) for each in _keys(run, pad, rule))
        if found:
            yield from found
            return


def _in_one(text: Text, rule: Rule, *, label: bool) -> Iterator[Proved]:
    """Yield the keys in the base64 around a text's first character, or before its END line."""
    text, raw, lead = armour.stretch(text, REACH, 1 if label else REACH)
    if label:
        first = max(lead - _TAIL_BACK, 0)
        tail = _MOVED.search(raw, first, lead) or _TAIL.search(raw, first, lead)
        lead = tail.start(1) if tail is not None else -1
    run = armour.around(raw, lead)
    if run is None or _headed(raw[: run.places[0]]):
        return
    for pad in range(4):
        for found in _keys(run, pad, rule, label=label):
            yield mapped(found, text, run, -pad, "base64 of ")


def _keys(run: Run, pad: int, rule: Rule, *, label: bool = False) -> Iterator[Proved]:
    """Yield the keys of packets around the character asked for; behind a label, of all of them."""
    inner = Decoded(armour.decode(b"A" * pad + run.chars))
    starts = _heads(inner.data) if label else _starts(inner.data, run, pad)
    cuts = range(_CUT) if label else _asked(run, pad)
    whole = list(_read(inner, starts, rule))
    yield from whole
    yield from (each for each in _secrets(inner.data, cuts, rule) if not _within(each, whole))


def _headed(before: bytes) -> bool:
    """Tell whether only headers stand between a BEGIN line and what follows: it is whole."""
    _, mark, between = before.rpartition(transferable.MARK)
    heads = _BREAK.split(between)
    return bool(mark) and all(b": " in head or not head.strip() for head in heads)


def _plausible(text: Text) -> bool:
    """Tell from little text whether an OID, an exponent or a packet begins here."""
    _, raw, lead = armour.stretch(text, _NEAR, 2 * _NEAR)
    run = armour.around(raw, lead)
    if run is None:
        return False
    for pad in range(4):
        data = armour.decode(b"A" * pad + run.chars)
        if _starts(data, run, pad) or any(_secret(data, at) for at in _asked(run, pad)):
            return True
    return False


def _asked(run: Run, pad: int) -> range:
    """Return the bytes of which the first bits may stand in the character asked for.

    Or those of the byte before: where it begins is rounded.
    """
    first = (run.at + pad) * 6 // 8
    return range(first, first + 3)


def _starts(data: bytes, run: Run, pad: int) -> list[int]:
    """Return where in the decoded bytes an exponent, a version or a header may be."""
    found = []
    for at in _asked(run, pad):
        head = grammar.header(data, at)
        framed = head is not None and head.tag in grammar.SECRET_TAGS
        if framed or data.startswith(_EXPONENT, at) or _VERSION.match(data, at):
            found.append(at)
        if data.startswith(_OIDS, at):
            found += [at - before for before in _BEFORE if at >= before]
    return found


def _heads(data: bytes) -> list[int]:
    return [match.start() for match in islice(_HEADS.finditer(data), _MOST_HEADS)]


def _read(inner: Decoded, starts: list[int], rule: Rule) -> Iterator[Proved]:
    """Yield each key once of those that ``transferable`` reads at some places."""
    seen = set()
    for start in starts:
        for found in transferable.examine(inner, 0, start, rule):
            if isinstance(found, Proved) and found.candidate.places not in seen:
                seen.add(found.candidate.places)
                yield found


# --- a packet without its front -----------------------------------------------------------------


def _secret(data: bytes, at: int) -> bytes:
    """Return the number of an open secret whose usage, zero, is at ``at``; its checksum holds."""
    if data[at : at + 2] not in (b"\0\0", b"\0\1", b"\0\2"):
        return b""
    fields = Cursor(data, at + 1)
    try:
        number = grammar.mpi(fields, padded=True)
        total = fields.number(2)
    except Mismatch:
        return b""
    written = data[at + 1 : fields.at - 2]
    bits = int.from_bytes(written[:2], "big")
    return number if bits in _BIT_SIZES and sum(written) & 0xFFFF == total else b""


def _secrets(data: bytes, places: range, rule: Rule) -> Iterator[Proved]:
    """Yield the keys of secrets before which the end of their public half stands."""
    for at in places:
        number = _secret(data, at)
        before = data[max(at - _LEFT - 4, 0) : at]
        if number and before[-4:-2] == b"\x03\x01":  # how a shared secret is derived
            before = before[:-4]
        key = _beside(number, before[-_LEFT:]) if number and len(before) >= _LEFT else None
        if key is not None:
            place = Place(space=0, offset=at, size=len(number) + 5)
            yield proved(key, rule, "PGP secret fields", (place,))


def _within(cut: Proved, whole: list[Proved]) -> bool:
    """Tell whether a secret stands in a packet that was read."""
    (place,) = cut.candidate.places
    spans = (each.candidate.places[0] for each in whole)
    return any(span.offset <= place.offset < span.offset + span.size for span in spans)


def _beside(number: bytes, end: bytes) -> Ec | Okp | None:
    """Return the key of a secret number whose public half ends as ``end`` does."""
    for curve in grammar.CURVES.values():
        size = OKP_BYTES.get(curve) or FIELD_BYTES[curve]
        if not size - 3 < len(number) <= size:
            continue
        if curve in OKP_BYTES:
            seed = number.rjust(size, b"\0")
            seed = seed[::-1] if curve == "x25519" else seed  # as ``transferable`` reads it
            okp = okp_derived(curve, seed)
            if okp is not None and okp.public.endswith(end):
                return okp
        else:
            ec = ec_derived(curve, int.from_bytes(number, "big"))
            if ec is not None and ec.y.to_bytes(size, "big").endswith(end):
                return ec
    return None
