"""Anchors as rule files write them: bytes, each within a range, at which a detector is to look.

An anchor has a fixed length, so that a match's end gives its start, and says enough not to fire on
anything. This module refuses what would slow every scan down, and looks for nothing.
"""

import base64
import functools
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from scanner.errors import RuleError

LONGEST = 64
"""Bytes of the longest anchor."""

TAIL = (0x2B, 0x7E)
"""What a character behind a text anchor may be."""

FEWEST_BITS = 24
"""Bits that an anchor fixes at least: a shorter one fires on every other megabyte of anything."""

LITERAL = 3
"""Adjacent fixed bytes that an anchor has somewhere, two of them neither 00 nor ff: without a rare
literal to wait for, an engine runs an automaton over every byte, at up to ten times the cost."""

LONG_TAIL = 16
"""Characters of a set behind a text: as many make up for the third byte of a literal."""

Bounds = tuple[bytes, bytes]
"""What each byte of an anchor may be: its lowest value and its highest."""

_WORD, _HALF = (re.compile(f"0x(?!0+$)[0-9a-f]{{1,{count}}}") for count in (16, 8))
_AROUND = ("before", "then")
_SEVEN = bytes(7), bytes(7)


class Word(NamedTuple):
    """Which of an anchor's bytes are a word of the machine, at a multiple of its size."""

    at: int
    size: int = 8
    """4 in dumps of 32-bit machines alone."""
    big: bool = False
    """In dumps of big-endian machines alone; else in those of little-endian ones."""


class Anchor(NamedTuple):
    """A fixed number of bytes, each from ``low`` to ``high``; ``source`` is how it was written.

    One of small numbers has an aligned word: an engine that looks at every byte would stop at each
    of memory's zeros. A tuple, and bytes: each start reads thousands of them, and hands them on.
    """

    source: str
    low: bytes
    high: bytes
    """As many."""
    fold: bool = False
    """ASCII letters stand for both cases."""
    aligned: Word | None = None
    ends: bytes = b""
    """What the last byte may be, where that is no range."""

    @property
    def expression(self) -> bytes:
        """The anchor as a regular expression over bytes, for any engine, "." matching all."""
        return self.part(0, len(self.low))

    def part(self, first: int, last: int) -> bytes:
        """Return the expression of some of the anchor's bytes."""
        pairs = zip(self.low[first:last], self.high[first:last], strict=True)
        parts = [_expression(low, high, self.fold) for low, high in pairs]
        if self.ends and last == len(self.low):
            parts[-1] = b"[%b]" % b"".join(b"\\x%02x" % byte for byte in self.ends)
        return b"".join(parts)


@functools.cache
def _expression(low: int, high: int, fold: bool) -> bytes:  # noqa: FBT001 - an anchor's own
    """Return the expression of one byte: rules have 20,000, and few differ."""
    if low < high:
        return b"." if (low, high) == (0, 255) else b"[\\x%02x-\\x%02x]" % (low, high)
    if fold and chr(low).isascii() and chr(low).isalpha():
        return b"[%c%c]" % (low & 0xDF, low | 0x20)
    return b"\\x%02x" % low


# --- reading ------------------------------------------------------------------------------------


def refused(path: Path, reason: str, hint: str) -> RuleError:
    """Return the error that says what is wrong with a rule file, and what to do."""
    return RuleError(f"the rule file {path} cannot be used", reason=reason, hint=hint)


def read(path: Path, item: object) -> list[Anchor]:
    """Read ``{ hex = "30 82 ?? [80-ff]" }``, ``{ text = "..." }`` (ASCII, then UTF-16LE) or a word.

    ``{ hex = "78 9c", last = "4d 4e" }`` has either byte last. ``{ word = "0x4000" }`` is 64 bits,
    little-endian and aligned, ``before = "c0 00"`` what precedes it, ``then = "?? 00"`` what
    follows; ``{ half = "0x40" }`` is a word of a 32-bit machine. ``{ base64 = "..." }`` is what
    base64 makes of a text. ``{ text = "...", gaps = ["00 00 00"] }`` has each of these between any
    two characters; with seven zeros they are words, in either half.
    """
    tail = 0
    match item:
        case {"hex": str(source), **rest} if not rest:
            anchors = [_anchor(source, _bounds(path, source))]
        case {"hex": str(source), "last": str(last), **rest} if not rest and last.split():
            ends, _ = _bounds(path, last)
            bounds = _joined(_bounds(path, source), (bytes((min(ends),)), bytes((max(ends),))))
            anchors = [_anchor(source, bounds, ends=ends)]
        case {"text": str(source), **rest} if rest.keys() <= {"fold", "tail", "of", "gaps"}:
            anchors = list(_text(path, source, rest))
            tail = ("tail" in rest) * (len(anchors[0].low) - len(source))
        case {"base64": str(source), **rest} if not rest and source.isascii():
            anchors = [one for text in _base64(source.encode()) for one in text_anchors(text)]
        case {"word": str(word), **rest} if rest.keys() <= {*_AROUND} and _WORD.fullmatch(word):
            anchors = [_aligned(path, word, 8, rest)]
        case {"half": str(word), **rest} if rest.keys() <= {*_AROUND} and _HALF.fullmatch(word):
            anchors = [_aligned(path, word, 4, rest)]
        case _:
            raise refused(
                path, "an anchor is none of five", "write { hex, text, base64, word or half = ... }"
            )
    for anchor in anchors:
        _check(path, anchor, LITERAL - (tail >= LONG_TAIL))
    return anchors


def _check(path: Path, anchor: Anchor, literal: int) -> None:
    if not 1 <= len(anchor.low) <= LONGEST:
        raise refused(path, f"an anchor is empty or longer than {LONGEST} bytes", "shorten it")
    if anchor.aligned:
        if anchor.aligned.at + anchor.aligned.size > len(anchor.low):
            raise refused(path, "an anchor is shorter than its word", "make it longer")
        return
    last = anchor.ends[:1]
    low, high = (raw[: -len(last) or None] + last for raw in (anchor.low, anchor.high))
    if _has_literal(low, high, LITERAL):
        return
    if sum(8 - math.log2(1 + y - x) for x, y in zip(low, high, strict=True)) < FEWEST_BITS:
        raise refused(path, f"an anchor fixes fewer than {FEWEST_BITS} bits", "make it longer")
    if not _has_literal(low, high, literal):
        raise refused(
            path,
            f"the anchor {anchor.source!r} has no rare literal, and would slow every scan down",
            f"let {LITERAL} adjacent bytes be fixed, two of them neither 00 nor ff: spell small"
            " ranges out, or start from another part of the object",
        )


def _has_literal(low: bytes, high: bytes, least: int) -> bool:
    """Tell whether an anchor has a run of ``least`` fixed bytes that an engine can wait for.

    As many as ``LITERAL`` fix the bits that an anchor must, too.
    """
    size = rare = 0
    for one, other in zip(low, high, strict=True):
        size, rare = (size + 1, rare + (one not in (0x00, 0xFF))) if one == other else (0, 0)
        if size >= least and rare > 1:
            return True
    return False


def _aligned(path: Path, source: str, size: int, rest: Mapping[object, object]) -> Anchor:
    before, then = (_bounds(path, str(rest.get(name, ""))) for name in _AROUND)
    word = int(source, 16).to_bytes(size, "little")
    aligned = Word(at=len(before[0]), size=size)
    return _anchor(source, _joined(before, (word, word), then), aligned=aligned)


def _anchor(
    source: str, bounds: Bounds, *, aligned: Word | None = None, ends: bytes = b""
) -> Anchor:
    return Anchor(source=source, low=bounds[0], high=bounds[1], aligned=aligned, ends=ends)


def _joined(*parts: Bounds) -> Bounds:
    low, high = zip(*parts, strict=True)
    return b"".join(low), b"".join(high)


def text_anchors(
    text: str, *, fold: bool = False, tail: int = 0, of: tuple[int, int] = TAIL
) -> tuple[Anchor, ...]:
    """Return the anchors of an ASCII text: as it is, and in UTF-16LE.

    ``fold`` takes either case of its letters; ``tail`` characters in the range ``of`` follow it.
    """
    raw = text.encode("ascii")
    low, high = (raw + bytes((limit,)) * tail for limit in of)
    plain = Anchor(source=text, low=low, high=high, fold=fold)
    return plain, plain._replace(low=_wide(low), high=_wide(high))


def _wide(raw: bytes) -> bytes:
    """Return characters in UTF-16LE."""
    return raw.decode("latin-1").encode("utf-16-le")


def _apart(text: str, gap: Bounds) -> Iterator[Anchor]:
    """Yield a text with a gap between any two characters: as many as an anchor may have.

    With seven zeros a character is the lowest byte of a word, or of its upper half.
    """
    step = 1 + len(gap[0])
    most = LONGEST - (LONGEST - 1) % step
    low, high = (each.join(bytes((byte,)) for byte in text.encode())[:most] for each in gap)
    words = (Word(at=0), Word(at=4), Word(at=1, big=True), Word(at=5, big=True))
    for word in words if gap == _SEVEN else (None,):
        yield _anchor(text, (low, high), aligned=word)


def _base64(raw: bytes) -> Iterator[str]:
    """Yield the characters that bytes alone give, at each of three alignments."""
    for lead in range(3):
        spelled = base64.b64encode(bytes(lead) + raw).decode()
        yield spelled[-(-lead * 8 // 6) : (lead + len(raw)) * 8 // 6]


def _text(path: Path, source: str, rest: Mapping[object, object]) -> tuple[Anchor, ...]:
    """Read ``{ text = "...", fold = true, tail = 12, of = "0-z" }``, the last three at will.

    Or ``{ text = "...", gaps = ["00 00 00"] }``.
    """
    fold, tail, of = rest.get("fold", False), rest.get("tail", 0), rest.get("of", "+-~")
    if not source.isascii():
        raise refused(path, "the text of an anchor is not ASCII", "write it as hex")
    if not isinstance(fold, bool) or type(tail) is not int or not 0 <= tail <= LONGEST:
        raise refused(path, "an anchor's fold is no boolean or its tail no count", "correct it")
    if not isinstance(of, str) or not re.fullmatch("[!-~]-[!-~]", of) or of[0] > of[2]:
        raise refused(path, "an anchor's range is none", 'write of = "0-z"')
    if "gaps" in rest:
        gaps = rest["gaps"]
        if len(rest) > 1 or not gaps or not isinstance(gaps, list):
            raise refused(
                path, "an anchor's gaps are no list, or not alone", 'write gaps = ["00 00 00"]'
            )
        between = [_bounds(path, str(gap)) for gap in gaps]
        return tuple(one for gap in between for one in _apart(source, gap))
    return text_anchors(source, fold=fold, tail=tail, of=(ord(of[0]), ord(of[2])))


def _bounds(path: Path, source: str) -> Bounds:
    pairs = []
    for word in source.split():
        limits = _limits(word)
        if limits is None:
            raise refused(
                path, f"an anchor holds {word!r}", "bytes are written 30, ??, 8? or [80-ff]"
            )
        pairs.append(limits)
    return bytes(low for low, _ in pairs), bytes(high for _, high in pairs)


@functools.cache
def _limits(word: str) -> tuple[int, int] | None:
    """Return what a byte may be that is written 30, ??, 8? or [80-ff]; None for another word."""
    if word == "??":
        return (0x00, 0xFF)
    if re.fullmatch(r"[0-9a-f]\?", word):
        return (int(word[0], 16) << 4, int(word[0], 16) << 4 | 0xF)
    if re.fullmatch(r"[0-9a-f]{2}", word):
        return (int(word, 16), int(word, 16))
    if re.fullmatch(r"\[[0-9a-f]{2}-[0-9a-f]{2}\]", word) and word[1:3] <= word[4:6]:
        return (int(word[1:3], 16), int(word[4:6], 16))
    return None
