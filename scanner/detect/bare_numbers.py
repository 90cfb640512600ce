"""Bare numbers that are written as one word: base64, base64url or hex, and nothing around them.

What takes a JSON Web Key apart keeps its numbers as strings of their own, and frees them as such; a
wallet holds a scalar in hex. Such a word is as long as a private number's bytes make it, canonical
(RFC 4648 section 3.5), and ends where other characters begin. In stage one one word of memory in
four is looked at, enough to meet each text of this length; in stage two a text is read again, and
what it spells takes part in the relations as if it had stood there. This module knows no keys: only
the arithmetic says whose number it is, if any.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scanner.detect import limbs
from scanner.detect.limbs import Offsets, Runs
from scanner.dump.space import Memory
from scanner.model import Place

Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]

SIZES = (32, 48, 56, 57, 64, 66, 96, 128, 192, 256, 384, 512, 1024)
"""Bytes of the numbers: scalars and seeds (a seed and its public key: 64), and RSA's up to 8192
bits."""

MOST = 1 << 12
"""Texts that are kept, of a task and of a dump; where there are more those in crowds are left."""

LONGEST = 2 * SIZES[-1]
"""Characters of the longest text."""

SHORTEST = 43
"""Characters of the shortest one."""

_BASE64 = {-(-8 * size // 6): size for size in SIZES}
_HEX = {2 * size: size for size in SIZES}
_IS_BASE64, _IS_HEX, _IS_CUT = 1, 2, 4
_LENGTHS = np.zeros(LONGEST + 4, np.uint8)
_LENGTHS[[*_HEX, *(count + len("0x") for count in _HEX)]] = _IS_HEX
_LENGTHS[[*_BASE64]] |= _IS_BASE64

SLOT, _MOST_SLOTS, _ALIGNED = 64, 6, 16
"""Characters of texts that fill the slots of an allocator without a header (Go), so that nothing
parts one from the next; of how many in a row; and where slots begin."""

_CROWD = 1 << 12
"""Bytes within which texts are a crowd."""

_STEP = 4
"""Of so many words one is looked at: of the shortest text four are whole, wherever it begins."""

_MOST_WORDS, _BLOCK = 1 << 11, 9
"""Words that are followed up, of a buffer; where there are more those in crowded blocks, of 512
words, are left: tables of digests, and text that is packed as letters. Words in a row are no crowd:
an RSA number fills ten."""

_PIECE = 1 << 14
_TWO = np.uint64(1 << 32)
_HIGH = np.uint64(0x8080808080808080)
_LEAST = np.uint64(0x2B2B2B2B2B2B2B2B)
_EVEN = np.uint64(0x00FF00FF00FF00FF)
_BYTE, _TOP = np.uint64(8), np.uint64(56)

_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_OTHER, _UPPER, _DIGIT, _LOWER, _NIBBLE = 1, 2, 4, 8, 16
_INSIDE = np.isin(np.arange(256), list(_LETTERS))
_KIND = np.zeros(256, np.uint8)
for _some, _kind in (
    (_LETTERS[:26], _UPPER),
    (_LETTERS[26:52], _LOWER),
    (_LETTERS[52:62], _DIGIT),
    (_LETTERS[62:], _OTHER),
    (b"0123456789abcdefABCDEF", _NIBBLE),
):
    _KIND[list(_some)] |= _kind

_BEFORE = 32
"""Bytes before the first word that is looked at in which its text begins."""

_REACHES = (64, 128, LONGEST + 1)
"""Characters in which the end of a text is looked for: first in few, and of the rest in more."""

_JUDGED, _FEWEST = 43, 4
"""Characters by which a text is judged, and letters of either case that 43 random ones have, at
least."""

_HEAD = 16
_ROWS = 1 << 12
_PART = np.isin(np.arange(256), list(b".%~\\+/-_"))
"""What stands before a part of something longer: a path, a token, an escape."""

_LINE, _RETURN = ord("\n"), ord("\r")

_WORD = re.compile(rb"([A-Za-z0-9+/_-]+)(={0,2})")
_AHEAD = re.compile(rb"0[xX0]")
"""What may stand before the digits of hex: a mark, or a sign's zeros (libgcrypt)."""

_ONE_CASE = re.compile(rb"[0-9a-f]+|[0-9A-F]+")
_URL = bytes.maketrans(b"-_", b"+/")
_VARIED = {32: 24}
_MOST_VARIED = 35
"""Different byte values of 32 random bytes and of more, at least: one in 10**5 has fewer."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Written:
    """A number's bytes, most significant first, and how and where in its space they are written."""

    form: str
    raw: bytes
    offset: int
    size: int


# --- stage one ----------------------------------------------------------------------------------


def find(
    buffer: Bytes, owned_starts: Offsets, owned_ends: Offsets, filled: Sequence[tuple[int, int]]
) -> tuple[Offsets, Offsets]:
    """Return starts and ends (byte offsets in ``buffer``) of what may be such texts.

    Those that begin in the owned ranges (sorted, apart). One that goes on beyond the buffer, which
    is cut to that, is taken to be as long as the longest.
    """
    words = buffer[: len(buffer) & ~7].view(np.uint64)
    chosen: tuple[list[Offsets], list[Offsets]] = ([], [])
    for low, high in filled:
        for first in range(low // 8 & -_STEP, high // 8, _PIECE * _STEP):
            sample = words[first : min(first + _PIECE * _STEP, high // 8) : _STEP]
            narrow, wide = _texts(sample)
            chosen[0].append(first + narrow * _STEP)
            chosen[1].append(first + wide * _STEP)
    starts, ends = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for width, parts in enumerate(chosen, 1):
        at = np.concatenate(parts) if parts else np.empty(0, np.int64)
        at, begins = (_long if width == 1 else _long_wide)(words, at)
        for rows in _parted(buffer, _lonely(at, begins), width):
            start, size = _whole(buffer, rows, width)
            starts.append(start)
            ends.append(start + size)
    start, end = np.concatenate(starts), np.concatenate(ends)
    index = np.searchsorted(owned_starts, start, side="right") - 1
    mine = (index >= 0) & (start < owned_ends[index])
    start, end = start[mine], end[mine]
    order = np.argsort(start, kind="stable")
    return start[order], end[order]


def _texts(words: Words) -> tuple[Offsets, Offsets]:
    """Return which words are of the alphabet's range, in one byte a character and in two."""
    words = np.ascontiguousarray(words)
    plain = np.flatnonzero(((words & _HIGH) == 0) & (words > _TWO))
    words = words[plain]
    return plain[_ranged(words)], plain[_ranged_wide(words)]


def _ranged(words: Words) -> Flags:
    """Tell in which words each byte is in the range of the alphabet."""
    ranged: Flags = ((words | _HIGH) - _LEAST) & ~words & _HIGH == _HIGH
    return ranged


def _ranged_wide(words: Words) -> Flags:
    """Tell in which words each other byte is in the range of the alphabet, and the rest are 0."""
    wide: Flags = ((words & _EVEN) == 0) | ((words & ~_EVEN) == 0)
    some = words[wide]
    wide[wide] = _ranged(some | some << _BYTE | some >> _TOP)
    return wide


def _long(words: Words, at: Offsets) -> tuple[Offsets, Flags]:
    """Keep the words that stand in a row of _STEP of the range: a text is no shorter.

    And tell which of them may be the first in their row that is looked at.
    """
    around = [_ranged(words.take(at + step, mode="clip")) for step in (-1, 1)]
    at = at[around[0] | around[1]]
    rows = [_ranged(words.take(at + step, mode="clip")) for step in (-3, -2, -1, 1, 2, 3)]
    back = rows[2] & rows[1]
    ahead = rows[3] & rows[4]
    keep = (back & (rows[0] | rows[3])) | (ahead & (rows[5] | rows[2]))
    return at[keep], ~(rows[0] & back)[keep]


def _long_wide(words: Words, at: Offsets) -> tuple[Offsets, Flags]:
    """Do the same for two bytes a character: of nine words and more, three are on one side."""
    back, ahead = np.ones((2, len(at)), np.bool_)
    for step in range(1, _STEP):
        back &= _ranged_wide(words.take(at - step, mode="clip"))
        ahead &= _ranged_wide(words.take(at + step, mode="clip"))
    keep = back | ahead
    return at[keep], ~back[keep]


def _lonely(at: Offsets, begins: Flags) -> Offsets:
    """Keep at most _MOST_WORDS words, those in whose block fewest rows begin."""
    if len(at) <= _MOST_WORDS:
        return at
    block = at >> _BLOCK
    crowd = np.bincount(block, weights=begins)[block]
    return at[np.sort(np.argsort(crowd, kind="stable")[:_MOST_WORDS])]


def _parted(buffer: Bytes, at: Offsets, width: int) -> list[Offsets]:
    """Return where words begin that are of the alphabet: of two-byte characters, by their order.

    Some characters, there or in a word beside, are upper case or digits.
    """
    words = buffer[: len(buffer) & ~7].view(np.uint64)
    rows = _kinds(words, at)
    if width == 1:
        good = np.asarray((rows > 0).all(axis=1))
        plain = np.flatnonzero(good & ((rows & (_UPPER | _DIGIT)) == 0).all(axis=1))
        for step in (-1, 1):
            beside = _kinds(words, at[plain] + step)
            plain = plain[((beside & (_UPPER | _DIGIT)) == 0).all(axis=1)]
        good[plain] = False
        return [at[good] * 8]
    at = at * 8
    even, odd = (rows[:, shift::2] for shift in (0, 1))
    return [at[(even > 0).all(axis=1)], at[(odd > 0).all(axis=1)] + 1]


def _kinds(words: Words, at: Offsets) -> Bytes:
    """Return the kinds of the eight characters of each word."""
    return _KIND.take(words.take(at, mode="clip").view(np.uint8)).reshape(-1, 8)


def _whole(buffer: Bytes, at: Offsets, width: int) -> tuple[Offsets, Offsets]:
    """Return start and bytes of the texts of which the words at ``at`` are the first looked at."""
    if not len(at):
        return at, at
    before = _inside(buffer, at - _BEFORE, _BEFORE // width, width)
    lead = before[:, ::-1].argmin(axis=1)
    first = ~before.all(axis=1)
    start = at[first] - lead[first] * width
    size = np.zeros(len(start), np.int64)
    left = np.arange(len(start))
    for reach in _REACHES:
        ended = np.zeros(len(left), np.bool_)
        for low in range(0, len(left), _ROWS):
            part = slice(low, low + _ROWS)
            inside = _inside(buffer, start[left[part]], reach, width)
            size[left[part]] = inside.argmin(axis=1)
            ended[part] = ~inside.all(axis=1)
        left = left[~ended]
    size[left] = 0  # longer than any number
    cut = start + (size + 1) * width > len(buffer)
    cut &= size > 0
    size[cut] = LONGEST
    length = np.where(cut, np.uint8(_IS_CUT), _LENGTHS[size])
    keep = np.flatnonzero(length)
    keep = keep[_plausible(buffer, start[keep], size[keep], length[keep], width)]
    slots = _slots(start, size) if width == 1 else start[:0]
    size = np.append(size[keep] * width, np.full(len(slots), SLOT))
    return np.append(start[keep], slots), size


def _slots(start: Offsets, size: Offsets) -> Offsets:
    """Return where texts begin that fill their slots of an allocator, and adjoin."""
    rows = np.flatnonzero((start % _ALIGNED == 0) & (size % SLOT == 0))
    rows = rows[(size[rows] > SLOT) & (size[rows] <= _MOST_SLOTS * SLOT)]
    count = size[rows] // SLOT
    index = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    found: Offsets = np.repeat(start[rows], count) + index * SLOT
    return found


def _inside(buffer: Bytes, at: Offsets, count: int, width: int) -> Flags:
    """Tell of each of ``count`` characters from ``at`` on whether it is of the alphabet.

    What is beyond the buffer is none.
    """
    span = count * width
    rows = np.zeros((len(at), span), np.uint8)
    whole = (at >= 0) & (at + span <= len(buffer))
    if whole.any():
        rows[whole] = np.lib.stride_tricks.sliding_window_view(buffer, span)[at[whole]]
    for row in np.flatnonzero(~whole).tolist():
        first = int(at[row])
        there = buffer[max(first, 0) : max(first + span, 0)]
        rows[row, max(-first, 0) : max(-first, 0) + len(there)] = there
    inside: Flags = _INSIDE[rows[:, ::width]]
    if width > 1:
        inside &= rows[:, 1::width] == 0
    return inside


def _plausible(buffer: Bytes, start: Offsets, size: Offsets, length: Bytes, width: int) -> Flags:
    """Tell which texts are hex, or have letters of both cases, and digits, as random ones have.

    Not so lines of many, nor what stands behind a character that makes it a part.
    """
    spots = start[:, None] + np.arange(0, _JUDGED * width, width)
    good = spots < np.minimum(start + size * width, len(buffer))[:, None]
    kinds = np.where(good, _KIND[buffer[np.where(good, spots, 0)]], np.uint8(0))
    upper, digits = (kinds & _UPPER > 0).sum(axis=1), (kinds & _DIGIT > 0).sum(axis=1)
    lower = (kinds & _LOWER > 0).sum(axis=1)
    spelled = (upper >= _FEWEST) & (lower >= _FEWEST) & (digits > 0)
    spelled &= (length & _IS_BASE64) > 0
    nibbles = ((kinds & _NIBBLE > 0) | ~good)[:, 2:].all(axis=1)  # 0x may stand before
    spelled |= nibbles & (digits >= _FEWEST) & ((length & _IS_HEX) > 0)
    spelled |= length == _IS_CUT
    before = buffer[np.maximum(start - width, 0)]
    behind = buffer[np.minimum(start + size * width, len(buffer) - 1)]
    line = (before == _LINE) & ((behind == _LINE) | (behind == _RETURN))
    result: Flags = spelled & ~line & ~_PART[before]
    return result


def crowd(place: Offsets) -> Offsets:
    """Count, for each of some coordinates, how many stand near it."""
    marks = np.sort(place)
    near: Offsets = np.searchsorted(marks, place + _CROWD) - np.searchsorted(marks, place - _CROWD)
    return near


def sparse(runs: Runs, most: int = MOST) -> Runs:
    """Return at most so many texts: those with the fewest others near them."""
    if len(runs) <= most:
        return runs
    place = limbs.coordinate(runs.space, runs.start)
    order = np.argsort(place, kind="stable")
    chosen = order[np.sort(np.argsort(crowd(place[order]), kind="stable")[:most])]
    return Runs(space=runs.space[chosen], start=runs.start[chosen], end=runs.end[chosen])


# --- stage two ----------------------------------------------------------------------------------


def may_be(data: Bytes, at: Offsets) -> Flags:
    """Tell by the first bytes of runs which are texts: random-looking ones are none."""
    found = np.zeros(len(at), np.bool_)
    maybe = np.flatnonzero(_INSIDE[data[at]])
    rows = data[at[maybe, None] + np.arange(_HEAD)]
    even, odd = rows[:, ::2], rows[:, 1::2]
    found[maybe] = _INSIDE[even].all(axis=1) & (_INSIDE[odd].all(axis=1) | ~odd.any(axis=1))
    return found


def read(memory: Memory, space: int, offset: int, size: int = 0) -> Written | None:
    """Read the text that begins at a coordinate; None where it is none, or part of a longer one.

    Where ``size`` says that it fills a slot, others may adjoin it.
    """
    wide = memory.clip(space, offset + 1, 1) == b"\0"
    width = 1 + wide
    text = memory.clip(space, offset, (LONGEST + 8) * width)[::width]
    before = memory.clip(space, offset - width, width)[:1]
    adjoined = size == SLOT and bool(before) and _INSIDE[before[0]]
    match = _WORD.match(text[:SLOT] if size == SLOT else text)
    if match is None or (before and _PART[before[0]] and not adjoined):
        return None
    found = _decoded(match)
    if found is None:
        return None
    form, raw = found
    size = match.end() * width
    if width == 2 and any(memory.clip(space, offset, size)[1::2]):
        return None
    if len(set(raw)) < _VARIED.get(len(raw), _MOST_VARIED):
        return None
    behind = text[match.end() : match.end() + 1]
    if before == b"\n" and behind in (b"\r", b"\n"):  # a line of many
        return None
    return Written(form=form + " utf-16" * wide, raw=raw, offset=offset, size=size)


def _decoded(match: re.Match[bytes]) -> tuple[str, bytes] | None:
    text, pad = match.groups()
    digits = text[len("0x") :] if _AHEAD.match(text) and len(text) not in _HEX else text
    if len(digits) in _HEX and _ONE_CASE.fullmatch(digits) and not pad:
        return "hex", bytes.fromhex(digits.decode())
    if len(text) not in _BASE64 or len(pad) not in (0, -len(text) % 4):
        return None
    plain = text.translate(_URL)
    if plain != text and any(sign in text for sign in b"+/"):
        return None
    try:
        raw = base64.b64decode(plain + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return None
    if base64.b64encode(raw).rstrip(b"=") != plain:
        return None
    return "base64", raw


def number(memory: Memory, place: Place) -> bytes:
    """Return the bytes of a place, or what they spell where they are such a text."""
    raw = memory.read(place.space, place.offset, place.size)
    if place.size >= SHORTEST and may_be(np.frombuffer(raw, np.uint8), np.zeros(1, np.int64))[0]:
        text = read(memory, place.space, place.offset, place.size)
        return text.raw if text is not None and text.size == place.size else raw
    return raw
