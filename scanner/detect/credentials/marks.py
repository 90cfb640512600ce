"""The marks by which a token announces itself, and what chance makes of them.

A rule of Kingfisher's finds what looks like a token near a word. Here it is told whether the token
itself holds what wakes the rule, and whether the match is a piece of something else. This module
refuses to look for tokens.
"""

import functools
import re
from collections.abc import Sequence

from scanner.detect.credentials import chance, checksums, kingfisher, literals
from scanner.detect.credentials.kingfisher import Match

_MARK = re.compile(rb".{3}|[^A-Za-z0-9 ./:_-]", re.DOTALL)
"""What a mark by which a token announces itself has: three characters, or a sign that is rare."""

_LONG_MARK = 6
"""Characters of a mark that chance does not make of base64."""

_GROUP = re.compile(r"(?<!\\)\((?!\?)|\(\?P?<\w")
"""What opens the first group of an expression by which the token is told, if one does."""

_SIDE = 64
_BEFORE_BASE64, _BEHIND_BASE64 = re.compile(rb"[A-Za-z0-9+/]+\Z"), re.compile(rb"[A-Za-z0-9+/]+")
_LETTERS = tuple(map(re.compile, (rb"[A-Z]", rb"[a-z]", rb"[0-9]")))
_GOES_ON = re.compile(rb"(?:[0-9a-f]{17,}|[0-9A-F]{17,})\Z")
_IN_WORD = re.compile(rb"[A-Za-z0-9_]")

_NAME = re.compile(rb"[a-z]+(?:_(?:[a-z]{2,}|[0-9]+)){2,}")
"""A name of a program's: words and numbers, with a mark before them."""

_PADDING = re.compile(rb"={1,2}(?![A-Za-z0-9/+_=-])")
"""What makes a digest in base64 end with a whole group (RFC 4648 section 4)."""

_SHORT = re.compile(rb"[A-Za-z0-9_-]{,%d}" % (_LONG_MARK - 1))
"""A mark that chance makes in base64 with the letters of addresses (RFC 4648 section 5)."""

_BASE64, _HEX = re.compile(rb"[A-Za-z0-9/+_-]"), re.compile(rb"[A-F0-9]+|[a-f0-9]+")


@functools.lru_cache(maxsize=1024)
def _marks(rule: str, paths: tuple[str, ...]) -> tuple[bytes, ...]:
    """Return the texts, in lower case, of which one stands in every match of a rule.

    A word that stands before the token alone is none: a token in which it stands is a name itself
    (``datadog_measure: ExperimentsDatadogPercentileMeasureInput``).
    """
    pattern = str(kingfisher.catalogue(paths).detail(rule)["pattern"])
    group = _GROUP.search(pattern)
    cut = group.start() if group else 0
    head, rest = pattern[:cut].lower(), pattern[cut:].lower()
    leads = [lead.text.lower() for lead in literals.leads(pattern)]
    names = {text for text in leads if text.isalnum() and text in head and text not in rest}
    return tuple(text.encode() for text in leads if text not in names)


def announced(match: Match, text: bytes, paths: tuple[str, ...]) -> bool:
    """Tell whether the token itself holds what wakes its rule, and more than two letters of it.

    Letters and digits alone come about by chance in base64 and in hex: then the token must stand
    by itself, without padding, and be no number and no alphabet.
    """
    value = text[match.start : match.end]
    held = _held(match.rule, value, paths)
    if not held or not _brief(held):
        return bool(held)
    around = text[max(match.start - 1, 0) : match.start], text[match.end : match.end + 1]
    alone = not any(map(_BASE64.fullmatch, around)) and not _HEX.fullmatch(value)
    padding = _PADDING.match(text, match.end)
    padded = padding is not None and (len(value) + len(padding[0])) % 4 == 0
    return alone and not padded and not chance.arranged(text, match.start, match.end)


def doubtful(match: Match, text: bytes, paths: tuple[str, ...]) -> bool:
    """Tell whether chance makes all marks that a token holds, in the base64 of addresses too.

    It makes no checksum. Seen in Java: among a million session ids one that began with ``tss_``.
    """
    value = text[match.start : match.end]
    held = _held(match.rule, value, paths)
    return all(map(_SHORT.fullmatch, held)) and not checksums.holds(value)


def by_chance(match: Match, text: bytes, paths: tuple[str, ...]) -> bool:
    """Tell whether a match is a piece of something else.

    With a checksum, that is what stands in a longer word and has the wrong one: names of the
    solver HiGHS, as C++ writes them, hold ``ghs_``. Else it is what goes on in hex, and a short
    mark within base64, a digest or pixels. So are names of Ppxlib for OCaml, of words and numbers,
    as ``prf_attributes_11039_closure``; the operator's own rules may look for words.
    """
    value = text[match.start : match.end]
    around = text[max(match.start - 1, 0) : match.start] + text[match.end : match.end + 1]
    sound = checksums.holds(value)
    if sound is not None:
        return not sound and _IN_WORD.search(around) is not None
    last = max(match.start, match.end - _SIDE)
    if match.end < len(text) and _GOES_ON.search(text, last, match.end + 1):
        return True
    held = _held(match.rule, value, paths)
    if held and not paths and _NAME.fullmatch(value):
        return True
    if not held or not _brief(held):
        return False
    if _HEX.fullmatch(value) or chance.shaded(value):
        return True
    before = _BEFORE_BASE64.search(text, max(match.start - _SIDE, 0), match.start)
    behind = _BEHIND_BASE64.match(text, match.end, match.end + _SIDE)
    outside = (before[0] if before else b"") + (behind[0] if behind else b"")
    return all(kind.search(outside) for kind in _LETTERS)


def _held(rule: str, value: bytes, paths: tuple[str, ...]) -> list[bytes]:
    """Return the marks of a rule that stand in a token itself."""
    folded = value.lower()
    return [mark for mark in _marks(rule, paths) if _MARK.search(mark) and mark in folded]


def _brief(marks: Sequence[bytes]) -> bool:
    """Tell whether chance makes such marks in base64: a few letters and digits."""
    return all(mark.isalnum() and len(mark) < _LONG_MARK for mark in marks)
