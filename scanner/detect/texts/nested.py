"""Key files in base64, as Kubernetes secrets, variables of CI and cloud APIs hold them.

A format of key files has a mark, and base64 spells a mark in three ways: these are anchors of the
format's own rule. What stands around one is decoded, and given to the format's reader as if it had
stood in memory. This module knows no formats, and decodes once. Base64 of DER and of a PEM text is
for ``encoded``.
"""

import functools
import re
from collections.abc import Callable, Iterator

from scanner.detect.algebra.publics import PublicKey, nowhere
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour
from scanner.detect.encodings.armour import Run, Text
from scanner.detect.locked.sealed import Sealed
from scanner.detect.texts.encoded import Decoded, mapped
from scanner.rules import Rule

Found = Proved | PublicKey | Sealed
Reader = Callable[[Memory, int, int, Rule], Iterator[Found]]

_NEAR = 160
"""Characters on either side of an anchor in which its mark stands: a comment may be between."""

_READS = ((1024, 2048), (8 * 1024, armour.BODY))
"""Characters before and behind that are read, until the base64 ends in them: a mark may stand in
the middle of what its reader reads."""

_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")


def reading(reader: Reader, *marks: bytes) -> Reader:
    """Return a reader of what ``reader`` reads, in base64 too, where a mark is an anchor's.

    What begins with a mark as it stands, in characters of any width, is not read as base64: as
    letters go, it may be some.
    """
    most = 4 * max([1, *map(len, marks)])

    @functools.wraps(reader)
    def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Found]:
        begins = memory.clip(space, offset, most)
        chars = begins.replace(b"\0", b"")
        marked = begins.startswith(marks) or chars.startswith(marks)
        spells = chars and chars[0] in _ALPHABET and not marked
        text = armour.text_at(memory, space, offset) if spells else None
        found = False
        if text is None or not _marked(text, marks):
            for one in reader(memory, space, offset, rule):
                found = True
                yield one
        if text is not None and not found:
            yield from _inside(text, reader, marks, rule)

    return examine


def _marked(text: Text, marks: tuple[bytes, ...]) -> bool:
    """Tell from little text whether what it begins with spells a mark."""
    _, raw, lead = armour.stretch(text, _NEAR, _NEAR)
    run = armour.around(raw, lead)
    return run is not None and any(
        next(_places(run, armour.decode(run.chars[shift:]), shift, marks), -1) >= 0
        for shift in range(4)
    )


def _places(run: Run, data: bytes, shift: int, marks: tuple[bytes, ...]) -> Iterator[int]:
    """Yield where marks begin in decoded bytes, the nearest to the character asked for first."""
    around = (run.at - shift) * 6 // 8
    first, last = max(around - _NEAR, 0), max(around + _NEAR, 0)
    found = (one for mark in marks for one in re.finditer(re.escape(mark), data[first:last]))
    places = (first + one.start() for one in found)
    yield from sorted(places, key=lambda at: abs(at - around))


def _around(text: Text) -> tuple[Text, Run] | None:
    """Return the base64 in which the first character of a text stands, and the text around it."""
    found = None
    for before, behind in _READS:
        whole, raw, lead = armour.stretch(text, before, behind)
        run = armour.around(raw, lead)
        if run is None:
            return None
        found = whole, run
        begins = lead < before or run.places[0] > armour.NOISE
        if begins and (len(raw) - lead < behind or run.places[-1] + armour.NOISE < len(raw)):
            break
    return found


def _inside(text: Text, reader: Reader, marks: tuple[bytes, ...], rule: Rule) -> Iterator[Found]:
    """Yield what the base64 holds in which the first character of a text stands.

    The reader begins at a mark, or at the first byte that begins in this character: a place of what
    was found leads to it again.
    """
    gathered = _around(text)
    if gathered is None:
        return
    whole, run = gathered
    for shift in range(4):
        inner = Decoded(armour.decode(run.chars[shift:]))
        asked = -(-(run.at - shift) * 6 // 8)
        for at in (*_places(run, inner.data, shift, marks), asked):
            found = list(reader(inner, 0, at, rule)) if at >= 0 else []
            for one in found:
                if isinstance(one, PublicKey):
                    yield nowhere(one)
                else:
                    yield mapped(one, whole, run, shift, "base64 of ")
            if found:
                return
