r"""Windows key blobs as text: base64, hex, hex dumps and lists of numbers of what ``cng`` reads.

.NET's ExportCspBlob and CngKey.Export give bytes, which settings, scripts and databases hold as
base64 (``BwIAAACk``) or hex, as they do key files of strong names. BitConverter prints ``52-53``,
the registry exports ``52,53`` with a backslash before each line end, PowerShell prints numbers, one
a line. How much of a text is read is what the header in it asks for. This module knows no more of
a blob than that, and decodes once.
"""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace

from scanner.detect.algebra.publics import PublicKey, nowhere
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour
from scanner.detect.encodings.armour import Text
from scanner.detect.encodings.spelled import Spelled
from scanner.detect.programs import cng
from scanner.detect.texts import dumped
from scanner.detect.texts.encoded import Decoded, mapped
from scanner.rules import Rule

_PREFIX, _HEAD = 8, 16
"""Bytes of PUBLICKEYSTRUC, and of a header that say how long a blob is."""

_HEADERS, _MOST = 80, 6
"""A blob has less than so many bytes besides, and times, those of its modulus (RSA3: 4.5)."""

_CHARACTERS = 8
"""Of a byte in a list: ``0x52,`` and two blanks."""

_COLUMNS = 12
"""Of a byte in a hex dump, with its share of an address of 16 digits and of the text."""

_BASE64 = re.compile(rb"BwI|BwM|UlN|RUN|RFN|RFB|REh")
_GAP = rb"(?:[\s,;:\-]|\\(?=\s)){0,16}+"
_DECIMAL = re.compile(rb"(?:7|8[0-9]|69)[\s,;]")
_NUMBER = re.compile(rb"(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})(?![0-9])%b" % _GAP)
_PAIR = re.compile(rb"(?:0[xX]|&H|\$)?([0-9A-Fa-f]{2})%b" % _GAP)


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the key of the blob, or of the text of one, that begins at ``offset``."""
    body = armour.text_at(memory, space, offset)
    head = body.read(4)
    if head[:1] in (b"\x06", b"\x07") or (body.width == 1 and head[:3] in cng.MAGICS):
        yield from cng.examine(memory, space, offset, rule)
    elif _BASE64.match(head):
        yield from _base64(body, rule)
    elif head[:1].isdigit() or head[:1] in (b"&", b"$"):
        yield from _listed(body, rule)


def _size(head: bytes) -> int:
    """Return an upper bound of the bytes of the blob that begins so; 0 where none does."""
    if head[:1] in (b"\x06", b"\x07"):
        head = head[_PREFIX:]
    if len(head) < _PREFIX or head[:3] not in cng.MAGICS:
        return 0
    (length,) = struct.unpack_from("<I", head, 4)
    bits = length if head[:3] in (b"RSA", b"DSS") else 8 * length
    return _HEADERS + _MOST * (bits // 8) if bits <= max(cng.BITS) else 0


def _base64(body: Text, rule: Rule) -> Iterator[Proved | PublicKey]:
    size = _size(armour.decode(armour.gather(body.read(armour.NOISE))[0][: 2 * _HEAD]))
    if not size:
        return
    whole, raw, at = armour.stretch(body, 0, min(armour.BODY, 2 * size + armour.NOISE))
    run = armour.around(raw, at)
    if run is None or run.at:
        return
    for found in cng.examine(Decoded(armour.decode(run.chars)), 0, 0, rule):
        if isinstance(found, PublicKey):
            yield nowhere(found)
        else:
            yield mapped(found, whole, run, 0, "base64 of ")


def _listed(body: Text, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Read hex, with something between two bytes or not, or decimal numbers."""
    base, item = (10, _NUMBER) if _DECIMAL.match(body.read(4)) else (16, _PAIR)

    def value(match: re.Match[bytes]) -> int:
        return int(match[1], base)

    first = _bytes(body.read(2 * _CHARACTERS * _HEAD), item, value, _HEAD)
    size = _size(first.data)
    if not size:
        return
    listed = _bytes(body.read(_CHARACTERS * size), item, value, size)
    said = False
    for found in cng.examine(Decoded(listed.data), 0, 0, rule):
        yield nowhere(found) if isinstance(found, PublicKey) else _told(found, body, listed)
        said = True
    if not said and base == 16:
        yield from _dumped(body, size, rule)


def _dumped(body: Text, size: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Read a hex dump, as certutil, PowerShell and debuggers print it: an address a line."""
    whole, raw, at = armour.stretch(body, dumped.BEFORE, min(_COLUMNS * size, dumped.LONGEST))
    rows = dumped.read_rows(raw, at)
    if rows is None:
        return
    for found in cng.examine(Decoded(rows.data), 0, 0, rule):
        if isinstance(found, PublicKey):
            yield nowhere(found)
        else:
            (inside,) = found.candidate.places
            place, wide = dumped.located(whole, rows, inside.offset, inside.size)
            encoding = f"hex dump of {found.candidate.encoding}{wide}"
            told = replace(found.candidate, places=(place,), encoding=encoding)
            yield replace(found, candidate=told)


def _bytes(
    text: bytes, item: re.Pattern[bytes], value: Callable[[re.Match[bytes]], int], most: int
) -> Spelled:
    data = bytearray()
    places: list[tuple[int, int]] = []
    at = 0
    while len(data) < most and (match := item.match(text, at)):
        data.append(value(match))
        places.append(match.span(1))
        at = match.end()
    return Spelled(bytes(data), places)


def _told(found: Proved, body: Text, listed: Spelled) -> Proved:
    """Return a key with its place in the text instead of that in the decoded bytes."""
    said = found.candidate
    (place,) = said.places
    start, end = listed.places[place.offset][0], listed.places[place.offset + place.size - 1][1]
    first = body.offset + start * body.width
    where, wide = armour.located(body.memory, body.space, first, end - start, body.width)
    said = replace(said, places=(where,), encoding=f"{said.encoding} spelled out{wide}")
    return replace(found, candidate=said)
