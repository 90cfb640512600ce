r"""Private keys in base32 (RFC 4648), base85 (Adobe's, RFC 1924's, Z85) and uuencode.

Secrets are kept in base32 where a store takes letters and digits alone, in base85 by git, Python
and ZeroMQ, and uuencode is what Perl's ``pack`` and old mail make. How a PEM text begins, or the
DER of a key, has literal heads of ten characters or so in each, at any alignment of a text. What
stands there is decoded, in lines or not, and given to the readers of ``inner``. Base32 may be in
lower case; padding is not needed. Adobe's ``z`` for four zeros ends a text; of DER in uuencode the
heads are too short, and of SEC1 on P-384 and P-521 in base85.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from scanner.detect import inner
from scanner.detect.algebra import effort
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour
from scanner.detect.encodings.armour import Text
from scanner.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """``size`` bytes, a number, as so many digits of the alphabet, the most significant first."""

    name: str
    alphabet: bytes
    size: int
    digits: int
    lined: bool = False
    """A character before each line says how many bytes it holds."""

    def cased(self, text: bytes) -> bytes:
        """Return a text in upper case where case says nothing."""
        return text.upper() if self is BASE32 else text

    def encode(self, data: bytes) -> bytes:
        """Spell whole groups of bytes."""
        text = bytearray()
        for at in range(0, len(data), self.size):
            number, group = int.from_bytes(data[at : at + self.size], "big"), bytearray()
            for _ in range(self.digits):
                number, digit = divmod(number, len(self.alphabet))
                group.append(self.alphabet[digit])
            text += group[::-1]
        return bytes(text)

    def decode(self, text: bytes) -> bytes:
        """Return the bytes that characters of the alphabet spell, up to the last that is whole."""
        lacking = -len(text) % self.digits
        values = np.zeros(256, np.uint64)
        values[np.frombuffer(self.alphabet, np.uint8)] = np.arange(len(self.alphabet))
        filled = text + self.alphabet[-1:] * lacking
        rows = values[np.frombuffer(filled, np.uint8)].reshape(-1, self.digits)
        weights = len(self.alphabet) ** np.arange(self.digits - 1, -1, -1, dtype=np.uint64)
        numbers = (rows * weights).sum(axis=1, dtype=np.uint64).astype(">u8")
        raw: bytes = numbers.view(np.uint8).reshape(-1, 8)[:, 8 - self.size :].tobytes()
        return raw[: len(text) * self.size // self.digits]


_DIGITS = b"0123456789"
_UPPER = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LOWER = _UPPER.lower()
BASE32 = Spelling(name="base32", alphabet=_UPPER + b"234567", size=5, digits=8)
UU = Spelling(name="uuencode", alphabet=b"`" + bytes(range(33, 96)), size=3, digits=4, lined=True)
ASCII85 = Spelling(name="ascii85", alphabet=bytes(range(33, 118)), size=4, digits=5)
BASE85 = Spelling(
    name="base85",
    alphabet=_DIGITS + _UPPER + _LOWER + b"!#$%&()*+-;<=>?@^_`{|}~",
    size=4,
    digits=5,
)
Z85 = Spelling(
    name="Z85", alphabet=_DIGITS + _LOWER + _UPPER + b".-:+=^!/*?&<>()[]{}@%$#", size=4, digits=5
)
SPELLINGS = (BASE32, UU, ASCII85, BASE85, Z85)

_BEGIN = b"-----BEGIN ".hex()
_HEADS = (
    *("??" * lead + _BEGIN for lead in range(5)),
    "3082????020100300d06092a864886f70d010101",  # PKCS#8: RSA,
    "3081??020100301306072a8648ce3d0201",  # P-256,
    "3081??020100301006072a8648ce3d0201",  # other curves,
    "302e02010030050603??6?0422",  # RFC 8410
    "3082????0201000282010100",  # PKCS#1 of 2048, 3072 and 4096 bits
    "3082????0201000282018100",
    "3082????0201000282020100",
    "30770201010420",  # SEC1: P-256, P-384, P-521
    "3081??0201010430",
    "3081??0201010442",
)
"""How what is looked for begins: a text's BEGIN line, at any place of a group, and DER."""

_LEAST = 7
"""Characters of an anchor."""

_BEFORE, _FIRST = 32, 128
"""Characters before an anchor that are read, and behind it in which a text says what it is."""

_LINE = re.compile(rb"([!-M])([ -`]{2,61})(?:\r?\n|$)")
_BLANK = b" \t\r\n"
_SEQUENCE = b"\x30"


def _head(spelling: Spelling, pattern: str) -> tuple[bytes, int]:
    """Return the longest row of characters that a pattern of bytes gives, and where it begins."""
    pattern += "?" * (-len(pattern) % (2 * spelling.size))
    low, high = (spelling.encode(bytes.fromhex(pattern.replace("?", x))) for x in "0f")
    best = first = 0
    for at in range(len(low) + 1):
        # Behind a digit that may differ all of its group may, but where digits are so many bits.
        group = at if spelling is BASE32 else at - at % spelling.digits
        if at < len(low) and low[group : at + 1] == high[group : at + 1]:
            continue
        if at - first > best:
            best, begin = at - first, first
        first = at + 1
    return low[begin : begin + best], begin


def _anchors() -> Iterator[tuple[bytes, Spelling, int]]:
    for spelling in SPELLINGS:
        leads = 1 if spelling.lined else spelling.size
        for head in (*_HEADS[:leads], *(() if spelling.lined else _HEADS[5:])):
            text, before = _head(spelling, head)
            if len(text) >= _LEAST:
                yield (b"M" * spelling.lined + text, spelling, before)


ANCHORS = tuple(_anchors())
"""What is looked for, in which spelling, and so many characters behind the beginning of a group."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the keys in the text whose head stands at ``offset``, or what of its group is before.

    So a place of what was found leads to it again.
    """
    text = armour.text_at(memory, space, offset)
    head = text.read(max(before + len(anchor) for anchor, _, before in ANCHORS))
    for anchor, spelling, before in ANCHORS:
        for skipped in {0, before}:
            if spelling.cased(head[skipped:]).startswith(anchor):
                there = replace(text, offset=text.offset + skipped * text.width)
                yield from _read(there, spelling, before, rule)


def _read(text: Text, spelling: Spelling, before: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the keys in a text, ``before`` characters of whose first group stand before it."""
    if not effort.inflatable(armour.BODY):
        return
    for behind in (_FIRST, armour.BODY):
        whole, raw, lead = armour.stretch(text, _BEFORE, behind)
        raw = spelling.cased(raw)
        places = _lines(raw, lead) if spelling.lined else _places(spelling, raw, lead, before)
        data = spelling.decode(bytes(raw[at] for at in places))
        effort.inflated(len(raw))
        if not data.startswith(_SEQUENCE) and b"PRIVATE KEY" not in data:
            return
    found, publics = inner.keys_in(data, rule)
    yield from publics
    for one in found:
        (inside,) = one.candidate.places
        first = places[inside.offset * spelling.digits // spelling.size]
        if first - places[0] < _FIRST:
            first = places[0] - spelling.lined
        end = -(-(inside.offset + inside.size) * spelling.digits // spelling.size)
        size = places[min(end, len(places)) - 1] + 1 - first
        start = whole.offset + first * whole.width
        where, wide = armour.located(text.memory, text.space, start, size, whole.width)
        encoding = f"{spelling.name} of {one.candidate.encoding}{wide}"
        yield replace(one, candidate=replace(one.candidate, places=(where,), encoding=encoding))


def _lines(raw: bytes, at: int) -> list[int]:
    """Return where the characters stand of the lines from ``at`` on, each behind its length."""
    places: list[int] = []
    while line := _LINE.match(raw, at):
        places += range(line.start(2), line.end(2))
        at = line.end()
    return places


def _places(spelling: Spelling, raw: bytes, at: int, before: int) -> list[int]:
    """Return where the characters stand from ``at`` on, and so many before it."""
    within = frozenset(spelling.alphabet + _BLANK)
    places: list[int] = []
    first, end = at, at
    while first > 0 and len(places) < before and raw[first - 1] in within:
        first -= 1
        if raw[first] not in _BLANK:
            places.insert(0, first)
    if len(places) < before:
        return []
    while end < len(raw) and raw[end] in within:
        end += 1
    return places + [here for here in range(at, end) if raw[here] not in _BLANK]
