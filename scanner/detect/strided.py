"""Key files as text with a character in each word: UTF-32, and arrays of characters.

``wchar_t`` of Unix, runes of Go, ``char`` of Rust and strings of Common Lisp have four bytes a
character, and so has each string of Python in which a single one, as of an emoji, needs them; a
string of Chez Scheme and Racket has a tag in the lowest of the four, an array of small integers in
JavaScript eight bytes. The marks of ``inner``'s readers are looked for in these shapes, and what
stands around one is given to its reader as if it had stood in memory with a byte a character. Bare
numbers and tokens this module does not look for.
"""

from collections.abc import Iterator
from dataclasses import replace

from scanner.arrays import Bytes
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour
from scanner.detect.encodings.stride import Stride
from scanner.detect.inner import TEXTS, Plain, Reader, keys_in
from scanner.model import Place
from scanner.ruleanchors import LONGEST
from scanner.rules import Rule

NAME = "strided"
"""The detector of rules that find them."""


STRIDES = (
    Stride(name="utf-32", gap=bytes(3)),
    Stride(name="tagged characters", gap=b"\0\0\x16"),
    Stride(name="64-bit characters", gap=bytes(7)),
)
"""Unicode 16.0 section 3.10 (UTF-32, in either order); Chez Scheme's string-char tag (cmacros.ss);
V8's small integers, which have the upper half of a word."""

_READS = ((1 << 10, 1 << 11), (1 << 13, armour.BODY))
"""Characters before a mark and from it on that are read, until the text ends in them."""


def anchor(stride: Stride, mark: bytes) -> bytes:
    """Return so much of a mark, spread, as an anchor may have."""
    return stride.spread(mark[: (LONGEST - 1) // stride.size + 1])


_ANCHORS: tuple[tuple[bytes, Stride, int, Reader], ...] = tuple(
    (anchor(stride, mark), stride, back, reader)
    for mark, back, reader in TEXTS
    for stride in STRIDES
)


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the key of which a mark begins at ``offset``, or those of the text that does.

    So a place of what was found leads to it again.
    """
    head = memory.clip(space, offset, LONGEST)
    marked = False
    for begins, stride, back, reader in _ANCHORS:
        if not head.startswith(begins):
            continue
        marked = True
        text, first = _around(memory, space, offset, stride)
        at = (offset - first) // stride.size
        for one in reader(Plain(text), 0, at - back, rule) if at >= back else ():
            if isinstance(one, PublicKey):
                yield _placed(one, space, first, stride)
            elif isinstance(one, Proved):
                yield _mapped(one, memory, space, first, stride)
    for stride in STRIDES if not marked else ():
        ahead = stride.ahead(head)
        text, first = _around(memory, space, offset + ahead, stride)
        for one in keys_in(text[(offset + ahead - first) // stride.size :], rule)[0]:
            yield _mapped(one, memory, space, offset + ahead, stride)


def _around(memory: Memory, space: int, offset: int, stride: Stride) -> tuple[bytes, int]:
    """Return the characters around ``offset``, a byte each, and where the first one stands."""
    for before, behind in _READS:
        lead = min(offset // stride.size, before)
        first = offset - lead * stride.size
        raw = memory.clip(space, first, (lead + behind) * stride.size)
        rows = stride.rows(raw)
        start, end = _extent(rows, stride, lead)
        if (start > 0 or lead < before) and end - lead < behind:
            break
    return rows[start:end, 0].tobytes(), first + start * stride.size


def _extent(rows: Bytes, stride: Stride, at: int) -> tuple[int, int]:
    """Return the first character and that behind the last of the text around the one at ``at``.

    Before the last one, each is followed by a gap.
    """
    followed = stride.followed(rows) & (rows[:, 0] != 0)
    before, behind = followed[:at][::-1], followed[at:]
    start = 0 if before.all() else at - int(before.argmin())
    end = len(rows) if behind.all() else at + int(behind.argmin()) + 1
    return start, end


def _placed(key: PublicKey, space: int, first: int, stride: Stride) -> PublicKey:
    """Return a public key with its place in memory: what has none bears no witness."""
    read = key.witness.place
    if read is None:
        return key
    at, size = first + read.offset * stride.size, read.size * stride.size
    witness = replace(key.witness, place=Place(space=space, offset=at, size=size))
    return replace(key, witness=witness)


def _mapped(found: Proved, memory: Memory, space: int, first: int, stride: Stride) -> Proved:
    """Return a key with its place in memory, in whole words where the text fills such."""
    said = found.candidate
    ahead = first % stride.size
    before = memory.clip(space, first - ahead, ahead)
    if len(before) < ahead or not stride.gap.endswith(before):
        ahead = 0  # the text is in no words, or the memory begins with it
    places = tuple(
        Place(
            space=space,
            offset=first + place.offset * stride.size - ahead,
            size=place.size * stride.size,
        )
        for place in said.places
    )
    said = replace(said, places=places, encoding=f"{said.encoding} {stride.name}")
    return replace(found, candidate=said)
