"""Keys in compressed text: gzip (RFC 1952), zlib (RFC 1950), ZIP and zstd (RFC 8878).

Helm keeps a release as base64 of gzip, which Kubernetes keeps in base64 again; cloud-init takes
user data as either; logs, archives and bodies of HTTP are gzip as they are, objects of git, parts
of PDF and other bodies of HTTP zlib. A member is inflated up to where it ends, is damaged or gets
too long: memory is full of torn ones, and what stands before the damage counts. The header of zlib
says little: of such a stream a little is inflated first, and is to be text; so it is with members
of ZIP, of which a Java program holds thousands that are none. All but zstd are looked for in base64
as well: programs are uploaded so. What is written there
is given to its reader as if it had stood in memory; certificates and public keys, too, which name a
private one. This module inflates once, and counts what it inflates (``effort``).
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise

import zstandard

from scanner.detect import inner
from scanner.detect.algebra import effort
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour
from scanner.detect.encodings.armour import Text
from scanner.rules import Rule

NAME = "packed"
"""The detector of rules that find them."""

MOST = 1 << 20
"""Bytes of a member that are read, and of what it holds that are inflated, at most."""

_READS = (1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, MOST)
"""Bytes of a member that are read, until it ends in them: most are damaged soon."""

_MAGIC, _ZLIB, _EITHER = b"\x1f\x8b\x08", b"\x78", 47
_ZIP, _RAW, _DEFLATED = b"PK\3\4", -15, 8
"""What a member of ZIP begins with, that its stream has no header, its method (APPNOTE 4.3.7)."""
_ZIP_HEADER = struct.Struct("<4xHHH16xHH")
_ZSTD, _ZSTD_WINDOW, _ZSTD_PIECE = b"\x28\xb5\x2f\xfd", 1 << 23, 256
_MARKS_ONCE = (b"H4sI", b"UEsD", b"eA", b"eJ", b"eN")
"""How either begins in base64; in base64 of that only gzip is looked for."""

_TRIED = 256
"""Bytes of a zlib stream, and of what they hold, by which it is told from others."""

_TEXT = bytes((9, 10, 13, *range(32, 127)))
_PIECE = 512
"""Bytes that are inflated at once; a power of eight."""


class State(Enum):
    """What ended the reading of a member."""

    WHOLE = "its own end"
    CUT = "damage, or a bound"
    OPEN = "the end of what was read"


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the keys in the member or stream that begins at ``offset``, or whose base64 does."""
    begins = memory.clip(space, offset, _TRIED)
    if begins.startswith(_ZLIB) and not _promising(begins):
        return  # and counts nothing: of chance, there are 20 in a megabyte
    if begins.startswith((_MAGIC, _ZLIB, _ZIP, _ZSTD)):
        body = Text(memory=memory, space=space, offset=offset, width=1)
        layers = 0
    else:
        body = armour.text_at(memory, space, offset)
        layers = 1 if body.read(len(_MARKS_ONCE[0])).startswith(_MARKS_ONCE) else 2
    member = _unpacked(body, layers)
    if member is None:
        return
    found, publics = inner.keys_in(member.plain, rule)
    yield from publics
    if not found:
        return
    ends = [place.offset + place.size for one in found for place in one.candidate.places]
    size = member.size(max(ends))
    where, wide = armour.located(memory, space, body.offset, size, body.width)
    for one in found:
        encoding = f"{'base64 of ' * layers}{member.kind} of {one.candidate.encoding}{wide}"
        yield replace(one, candidate=replace(one.candidate, places=(where,), encoding=encoding))


@dataclass(frozen=True, slots=True)
class _Member:
    """A member that was inflated, and the texts in which it stands, the outermost first."""

    texts: list[bytes]
    plain: bytes
    used: int
    whole: bool

    @property
    def kind(self) -> str:
        """What compressed it."""
        kinds = ((_ZLIB, "zlib"), (_ZIP, "zip"), (_ZSTD, "zstd"))
        return next((kind for mark, kind in kinds if self.texts[-1].startswith(mark)), "gzip")

    def size(self, end: int) -> int:
        """Return the characters of the outermost text that hold the member.

        Of one without an end those that hold so many bytes of its text: what stands behind is
        anybody's.
        """
        size = self.used if self.whole else inflate(self.texts[-1], end)[1]
        for text in reversed(self.texts[:-1]):
            size = armour.length(text, (size * 8 + 5) // 6)
        return size


def _decoded(body: Text, layers: int, size: int) -> list[bytes]:
    """Return base64, what it holds, and so on, of which the last has about ``size`` bytes."""
    texts = [body.read((layers + 1) * size)]
    for _ in range(layers):
        texts.append(armour.decode(armour.gather(texts[-1])[0]))
    return texts


def _unpacked(body: Text, layers: int) -> _Member | None:
    """Inflate the member of a text; None where nothing in it could be a key."""
    most = effort.inflatable(MOST)
    if not most:
        return None
    for size in _READS:
        texts = _decoded(body, layers, size)
        doubted = size == _READS[0] and texts[-1].startswith((_ZLIB, _ZIP))
        if doubted and not _promising(texts[-1]):
            return None
        plain, used, state = inflate(texts[-1], most)
        if state is not State.OPEN or len(texts[-1]) < size:
            break
    # What was read past the end counts a fourth: so all readings stay below the limit of a rule.
    effort.inflated(max(used, len(plain), len(texts[0]) // 4, _READS[0]))
    if len(plain) < armour.SMALLEST:
        return None
    return _Member(texts, plain, used, state is State.WHOLE)


def _stream(data: bytes) -> tuple[int, int] | None:
    """Return how the stream of a member is written, for zlib, and where it begins."""
    if not data.startswith(_ZIP):
        return _EITHER, 0
    if len(data) < _ZIP_HEADER.size:
        return None
    _, flags, method, name, more = _ZIP_HEADER.unpack_from(data)
    encrypted = flags & 1
    return (_RAW, _ZIP_HEADER.size + name + more) if method == _DEFLATED and not encrypted else None


def _promising(data: bytes) -> bool:
    """Tell whether a stream begins with what is mostly text; what is none is wrong soon."""
    stream = _stream(data)
    if stream is None:
        return False
    bits, start = stream
    engine, plain = zlib.decompressobj(bits), b""
    with suppress(zlib.error):
        for first, last in pairwise((0, _TRIED // 4, _TRIED // 2, _TRIED)):
            plain += engine.decompress(data[start + first : start + last], _TRIED)
    return len(plain) >= armour.SMALLEST and len(plain.translate(None, _TEXT)) * 4 < len(plain)


def inflate(data: bytes, most: int) -> tuple[bytes, int, State]:
    """Return what a member or a stream holds, how many bytes of it were read, and what ended that.

    At most ``most`` bytes, and those before the first that is wrong.
    """
    if data.startswith(_ZSTD):
        return _of_zstd(data, most)
    stream = _stream(data)
    if stream is None:
        return b"", 0, State.CUT
    bits, at = stream
    engine = zlib.decompressobj(bits)
    plain = bytearray()
    step = _PIECE
    while at < len(data):
        before = engine.copy()
        piece = data[at : at + step]
        try:
            plain += engine.decompress(piece, most - len(plain))
        except zlib.error:
            if step == 1:
                return bytes(plain), at, State.CUT
            engine, step = before, step // 8  # what it held before the damage came is asked for
            continue
        at += len(piece) - len(engine.unused_data) - len(engine.unconsumed_tail)
        if engine.eof:
            return bytes(plain), at, State.WHOLE
        if len(plain) >= most:
            return bytes(plain), at, State.CUT
    return bytes(plain), at, State.OPEN


def _of_zstd(data: bytes, most: int) -> tuple[bytes, int, State]:
    """Do the same with a frame of zstd, of which a piece of 256 bytes holds 8 MiB at most."""
    engine = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
    plain = bytearray()
    for at in range(0, len(data), _ZSTD_PIECE):
        try:
            plain += engine.decompress(data[at : at + _ZSTD_PIECE])
        except (zstandard.ZstdError, MemoryError):
            return bytes(plain), at, State.CUT
        used = min(at + _ZSTD_PIECE, len(data)) - len(engine.unused_data)
        if engine.eof:
            return bytes(plain[:most]), used, State.WHOLE
        if len(plain) >= most:
            return bytes(plain[:most]), used, State.CUT
    return bytes(plain), len(data), State.OPEN
