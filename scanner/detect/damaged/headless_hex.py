"""Private keys in hex of which the beginning is gone, or the end.

What writes over a freed text takes its first characters; a text that grows by pieces (a string
builder, a pipe) lies in several, of which one holds two primes, or a scalar and its point. The
headers inside of the DER have but one spelling in hex, or one in each case: these are the anchors.
From there the digits are read in both directions, and judged like damaged DER in memory (see
``headless``). Whole keys are left to ``encoded``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from scanner.detect.asn1.keys import Proved
from scanner.detect.damaged import headless
from scanner.detect.encodings import armour
from scanner.detect.encodings.armour import Text
from scanner.detect.texts.encoded import Decoded
from scanner.rules import Rule

_DIGITS = re.compile(rb"[0-9A-Fa-f]+(?:(?:\s|\\+[rn]){1,8}[0-9A-Fa-f]+)*")
"""Digits on lines."""

_NAME = b"\x2b\x65"
"""How the names of algorithms with seeds begin (RFC 8410 section 3)."""

_OTHERS = bytes(char for char in range(256) if char not in b"0123456789ABCDEFabcdef")
_FIRST = re.compile(rb"(?:[0-9A-Fa-f](?:\s|\\+[rn]){0,8}){16}")
"""More digits than base64 has in a row by chance."""

_HEAD = 32
_BESIDE, _NEAR = 256, 1536
"""Characters before and behind an anchor that are read first: of a scalar, and of a number of 4096
bits and what follows it."""

_REACH = 20 * 1024
"""Characters before and behind an anchor that are read: the digits of an 8192-bit key on lines."""


def begins(text: Text) -> bool:
    """Tell whether a text begins with digits, as base64 does not."""
    return _FIRST.match(text.read(_HEAD)) is not None


def examine(text: Text, rule: Rule) -> Iterator[Proved]:
    """Yield the key of which a number, or its public key, is written in hex where a text begins."""
    near = _around(text, _BESIDE, _NEAR)
    if not headless.plausible(near.data, near.at) and not near.data.startswith(_NAME, near.at):
        return
    whole = _around(text, _REACH, _REACH)
    inner = Decoded(whole.data)
    found = headless.prove_at(inner, 0, whole.at, rule)
    if found is None or headless.is_within(inner, whole.data, found.candidate.places[0].offset):
        return
    yield _mapped(found, whole)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class _Digits:
    """Digits around a character of a text, and the bytes that they spell."""

    text: Text
    chars: bytes
    """What stands in the text from its first digit to the last, line ends too."""
    data: bytes
    at: int
    """Which of the bytes begins with the character that was asked for."""


def _around(text: Text, before: int, behind: int) -> _Digits:
    """Return the digits around a text's beginning, of so many characters before and behind."""
    whole, raw, lead = armour.stretch(text, before, behind)
    match = next((each for each in _DIGITS.finditer(raw) if each.end() > lead), None)
    if match is None or match.start() > lead:
        return _Digits(text=whole, chars=b"", data=b"", at=0)
    ahead = len(raw[match.start() : lead].translate(None, _OTHERS))
    start = match.start() + ahead % 2
    digits = raw[start : match.end()].translate(None, _OTHERS)
    data = bytes.fromhex(digits[: len(digits) & ~1].decode())
    whole = replace(whole, offset=whole.offset + start * whole.width)
    return _Digits(text=whole, chars=raw[start : match.end()], data=data, at=ahead // 2)


def _mapped(found: Proved, within: _Digits) -> Proved:
    """Return the candidate with its place in the text instead of that in the bytes."""
    said, text = found.candidate, within.text
    (place,) = said.places
    places = [at for at, char in enumerate(within.chars) if char not in _OTHERS]
    start, end = places[2 * place.offset], places[2 * (place.offset + place.size) - 1] + 1
    offset = text.offset + start * text.width
    where, wide = armour.located(text.memory, text.space, offset, end - start, text.width)
    said = replace(said, places=(where,), encoding=f"hex of {said.encoding}{wide}")
    return replace(found, candidate=said)
