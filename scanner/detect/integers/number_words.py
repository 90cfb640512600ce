"""Where bare numbers may be written as one word: what the sweep sees of them.

One word of memory in four is looked at, enough to meet each text of a number's length; where it may
be a part of one, the text's beginning and end are looked for. It must be as long as a number's
bytes make it, and as mixed as random ones are. What stands with its bytes ``apart`` is listed
beside. This module reads no number: see ``bare_numbers``.
"""

from collections.abc import Sequence

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets, Words
from scanner.detect.integers import apart, characters, leads
from scanner.detect.integers.bare_numbers import (
    AHEAD,
    BASE32,
    BASE58,
    BASE64,
    BYTES,
    COUNT,
    COUNTED,
    DECIMAL,
    HEX,
    INSIDE,
    LETTERS,
    LONGEST,
    PART,
    PICKLED,
    SHORT_HEX,
    SIGNS,
    TAGGED,
    TAGS,
    TWICE,
)
from scanner.detect.integers.characters import SLOT

_IS_BASE64, _IS_HEX, _IS_CUT, _IS_DECIMAL, _IS_BASE32, _IS_PICKLED, _IS_TAGGED, _IS_SHORT = (
    1 << bit for bit in range(8)
)
_LENGTHS = np.zeros(LONGEST + AHEAD[-1] + 1, np.uint8)
_LENGTHS[[count + ahead for count in HEX for ahead in AHEAD]] = _IS_HEX
_LENGTHS[[count + mark for count in SHORT_HEX for mark in (0, 2)]] |= _IS_SHORT
_LENGTHS[[*COUNTED]] |= _IS_HEX
_LENGTHS[[*BASE64, *BASE58, *TWICE]] |= _IS_BASE64
_LENGTHS[[*TAGGED]] |= _IS_TAGGED
_LENGTHS[[count + end for count in DECIMAL for end in (0, 1)]] |= _IS_DECIMAL  # ENDS
_LENGTHS[[count + 2 for count in DECIMAL]] |= _IS_PICKLED
_LENGTHS[[*BASE32]] |= _IS_BASE32
_EXACT = _LENGTHS & np.uint8(_IS_SHORT - 1)

_STEP = 4
"""Of so many words one is looked at: of the shortest text four are whole, wherever it begins."""

_PIECE = 1 << 14
_TWO = np.uint64(1 << 32)
_HIGH = np.uint64(0x8080808080808080)
_LEAST = np.uint64(0x2B2B2B2B2B2B2B2B)
_EVEN = np.uint64(0x00FF00FF00FF00FF)
_FLAGS = np.uint64(0x0101010101010101)
_BYTE, _TOP = np.uint64(8), np.uint64(56)

_OTHER, _UPPER, _DIGIT, _LOWER, _NIBBLE = 1, 2, 4, 8, 16
_KIND = np.zeros(256, np.uint8)
for _some, _kind in (
    (LETTERS[:26], _UPPER),
    (LETTERS[26:52], _LOWER),
    (LETTERS[52:62], _DIGIT),
    (LETTERS[62:], _OTHER),
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

_EIGHT = 8
_SIGNS, _TAGS = np.frombuffer(SIGNS, np.uint8), np.frombuffer(TAGS, np.uint8)
_ALNUM = INSIDE & ~np.isin(np.arange(256), _SIGNS)
_ROWS = 1 << 12
"""Words that are followed up at once."""

_LINE, _RETURN = ord("\n"), ord("\r")

_NIBBLES, _SIXES = np.uint64(0xF0F0F0F0F0F0F0F0), np.uint64(0x0606060606060606)
_FIFTEENS, _SIXTEENS = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x1010101010101010)
_NONZERO = 5
"""Bytes of eight that are no zeros, of random decimal digits, at least: one in 200 has fewer."""

_SORTS, _SHARE = 9, 4
"""Digits of ten that random ones have at least, and of how many one may be the same: of 75, one in
100,000 numbers has more or fewer. Tables of small numbers do."""

_BACK = 160
"""Bytes before the first such word that is seen in which its number begins."""


def find(
    buffer: Bytes, owned_starts: Offsets, owned_ends: Offsets, filled: Sequence[tuple[int, int]]
) -> tuple[Offsets, Offsets]:
    """Return starts and ends (byte offsets in ``buffer``) of what may be such texts.

    Those that begin in the owned ranges (sorted, apart). One that goes on beyond the buffer, which
    is cut to that, is taken to be as long as the longest.
    """
    words = buffer[: len(buffer) & ~7].view(np.uint64)
    chosen: tuple[list[Offsets], list[Offsets]] = ([], [])
    bytewise: list[Offsets] = []
    for low, high in filled:
        for first in range(low // 8 & -_STEP, high // 8, _PIECE * _STEP):
            last = min(first + _PIECE * _STEP, high // 8)
            sample = np.ascontiguousarray(words[first:last:_STEP])
            narrow, wide = _texts(sample)
            chosen[0].append(first + narrow * _STEP)
            chosen[1].append(first + wide * _STEP)
            bytewise.append(first + _small(sample) * _STEP)
    found = _bytewise(buffer, words, np.concatenate(bytewise)) if bytewise else []
    starts, ends = ([np.array([pair[end] for pair in found], np.int64)] for end in range(2))
    for width, sampled in enumerate(chosen, 1):
        at = np.concatenate(sampled) if sampled else np.empty(0, np.int64)
        at = (_long if width == 1 else _long_wide)(words, at)
        parts = [at[low : low + _ROWS] for low in range(0, len(at), _ROWS)]
        for rows, digits in (both for part in parts for both in _parted(words, part, width)):
            for start, size in (_whole(buffer, rows, width), _digits(buffer, digits, width)):
                starts.append(start)
                ends.append(start + size)
    start, end = apart.find(buffer, filled)
    start, end = np.concatenate([*starts, start]), np.concatenate([*ends, end])
    index = np.searchsorted(owned_starts, start, side="right") - 1
    mine = (index >= 0) & (start < owned_ends[index])
    start, end = start[mine], end[mine]
    order = np.argsort(start, kind="stable")
    return start[order], end[order]


def _small(words: Words) -> Offsets:
    """Return which words are eight decimal digits, few of them zeros."""
    at = np.flatnonzero(((words & _NIBBLES) == 0) & (words > _TWO))
    return at[_are_decimal(words[at])]


def _are_decimal(words: Words) -> Flags:
    filled = (words + _FIFTEENS & _SIXTEENS) >> np.uint64(4)
    good: Flags = (words + _SIXES & _NIBBLES == 0) & (words & _NIBBLES == 0)
    return good & (filled * _FLAGS >> _TOP >= _NONZERO)


def _bytewise(buffer: Bytes, words: Words, at: Offsets) -> list[tuple[int, int]]:
    """Return start and end of the numbers in such digits around words that were looked at.

    The shortest has eight whole words: of those looked at one has a neighbour on either side.
    """
    at = at[_are_decimal(_at(words, at - 1)) & _are_decimal(_at(words, at + 1))]
    found: list[tuple[int, int]] = []
    last = 0
    for here in (at * 8).tolist():
        if here < last:
            continue
        first = max(here - _BACK, last)
        text = buffer[first : here + LONGEST].tobytes()
        for one in BYTES.finditer(text):
            last = max(last, first + one.end())
            if first + one.end() > here:
                if (len(one[0]) in DECIMAL and _mixed(one[0])) or last == len(buffer):
                    found.append((first + one.start(), last))
                break
    return found


def _mixed(digits: bytes) -> bool:
    """Tell whether digits are as mixed as random ones are."""
    sorts = set(digits)
    return len(sorts) >= _SORTS and _SHARE * max(map(digits.count, sorts)) <= len(digits)


def _texts(words: Words) -> tuple[Offsets, Offsets]:
    """Return which words are of the alphabet's range, in one byte a character and in two."""
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


def _long(words: Words, at: Offsets) -> Offsets:
    """Keep the words that stand in a row of _STEP of the range: a text is no shorter."""
    around = [_ranged(_at(words, at + step)) for step in (-1, 1)]
    at = at[around[0] | around[1]]
    rows = [_ranged(_at(words, at + step)) for step in (-3, -2, -1, 1, 2, 3)]
    back = rows[2] & rows[1]
    ahead = rows[3] & rows[4]
    keep = (back & (rows[0] | rows[3])) | (ahead & (rows[5] | rows[2]))
    kept: Offsets = at[keep]
    return kept


def _long_wide(words: Words, at: Offsets) -> Offsets:
    """Do the same for two bytes a character: of nine words and more, three are on one side."""
    back, ahead = np.ones((2, len(at)), np.bool_)
    for step in range(1, _STEP):
        back &= _ranged_wide(_at(words, at - step))
        ahead &= _ranged_wide(_at(words, at + step))
    kept: Offsets = at[back | ahead]
    return kept


def _parted(words: Words, at: Offsets, width: int) -> list[tuple[Offsets, Offsets]]:
    """Return where words begin that are of the alphabet: of two-byte characters, by their order.

    Some characters, there or in a word beside, are upper case or digits. And which are of hex.
    """
    rows = _kinds(words, at)
    hexed = rows & _NIBBLE > 0
    if width == 1:
        good = np.asarray((rows > 0).all(axis=1))
        plain = np.flatnonzero(good & ((rows & (_UPPER | _DIGIT)) == 0).all(axis=1))
        for step in (-1, 1):
            beside = _kinds(words, at[plain] + step)
            plain = plain[((beside & (_UPPER | _DIGIT)) == 0).all(axis=1)]
        good[plain] = False
        return [(at[good] * 8, at[good & hexed.all(axis=1)] * 8)]
    at = at * 8
    flags = [(rows[:, shift::2] > 0, hexed[:, shift::2]) for shift in (0, 1)]
    return [
        (at[some.all(axis=1)] + shift, at[digits.all(axis=1)] + shift)
        for shift, (some, digits) in enumerate(flags)
    ]


def _kinds(words: Words, at: Offsets) -> Bytes:
    """Return the kinds of the eight characters of each word."""
    return characters.looked_up(_KIND, _at(words, at).view(np.uint8)).reshape(-1, 8)


def _at(words: Words, at: Offsets) -> Words:
    """Return words: of what is beyond an end, the last one there."""
    return words.take(at, mode="clip")


def _whole(buffer: Bytes, at: Offsets, width: int) -> tuple[Offsets, Offsets]:
    """Return start and bytes of the texts of which the words at ``at`` are the first looked at."""
    if not len(at):
        return at, at
    start, size = _spans(buffer, at, width, INSIDE)
    size = _counted(buffer, start, size) if width == 1 else size
    others = leads.without(buffer, start, size, width, _LENGTHS)
    start, size = np.append(start, others[0]), np.append(size, others[1])
    cut = start + (size + 1) * width > len(buffer)
    cut &= size > 0
    size[cut] = LONGEST
    length = np.where(cut, np.uint8(_IS_CUT), _LENGTHS[size])
    keep = np.flatnonzero(length)
    keep = keep[_plausible(buffer, start[keep], size[keep], length[keep], width)]
    found, size_of = start[keep], size[keep] * width
    if width == 1:
        slots = np.append(characters.slots(start, size), characters.apart(buffer, start, size))
        found, size_of = np.append(found, slots), np.append(size_of, np.full(len(slots), SLOT))
    return found, size_of


def _counted(buffer: Bytes, start: Offsets, size: Offsets) -> Offsets:
    """Return the characters of texts: of those that a count before them ends, as many as it says.

    What stands behind is another object, whose first bytes may be letters. Seen in V8, whose
    strings have no end but their padding, of which a multiple of eight has none.
    """
    odd = np.flatnonzero((_EXACT[size] == 0) & (size > 0) & (start >= COUNT))
    count = (
        characters.read(buffer, start[odd] - COUNT, COUNT).copy().view("<u4")[:, 0].astype(np.int64)
    )
    more = size[odd] - count
    good = (more > 0) & (more <= _EIGHT)
    good[good] = _LENGTHS[count[good]] > 0
    said = size.copy()
    said[odd[good]] = count[good]
    return said


def _digits(buffer: Bytes, at: Offsets, width: int) -> tuple[Offsets, Offsets]:
    """Return start and bytes of digits in longer texts, which signs part from the rest.

    Of those of which the words at ``at``, which are digits, are the first looked at.
    """
    if not len(at):
        return at, at
    start, size = _spans(buffer, at, width, _KIND & _NIBBLE > 0)
    before = buffer[np.maximum(start - width, 0)]
    behind = buffer[np.minimum(start + size * width, len(buffer) - 1)]
    parted = np.isin(before, _SIGNS) | np.isin(behind, _SIGNS)
    alone = ~(_ALNUM[before] | _ALNUM[behind])
    number = _LENGTHS[np.minimum(size, LONGEST)] & (_IS_HEX | _IS_DECIMAL) > 0
    keep = parted & alone & number
    return start[keep], size[keep] * width


def _spans(buffer: Bytes, at: Offsets, width: int, inside: Flags) -> tuple[Offsets, Offsets]:
    """Return where the texts begin of which the words at ``at`` are the first looked at.

    And how many characters they have of those that are ``inside``; 0 for more than any number.
    """
    before = _inside(buffer, at - _BEFORE, _BEFORE // width, width, inside)
    first = ~_all(before)
    start = at[first] - before[first, ::-1].argmin(axis=1) * width
    size = np.zeros(len(start), np.int64)
    left = np.arange(len(start))
    for reach in _REACHES:
        there = _inside(buffer, start[left], reach, width, inside)
        size[left] = there.argmin(axis=1)
        left = left[_all(there)]
    size[left] = 0  # longer than any number
    return start, size


def _all(rows: Flags) -> Flags:
    """Tell of which rows all flags are set, by eight of them at once where they can be."""
    count = rows.shape[1] & -_EIGHT
    eight = np.ascontiguousarray(rows[:, :count]).view(np.uint64)
    every: Flags = (eight == _FLAGS).all(axis=1) & rows[:, count:].all(axis=1)
    return every


def _inside(buffer: Bytes, at: Offsets, count: int, width: int, table: Flags) -> Flags:
    """Tell of each of ``count`` characters from ``at`` on whether it is of a table's.

    What is beyond the buffer is none.
    """
    rows = characters.read(buffer, at, count * width)
    inside: Flags = characters.looked_up(table, rows[:, ::width])
    return inside if width == 1 else inside & (rows[:, 1::width] == 0)


def _plausible(buffer: Bytes, start: Offsets, size: Offsets, length: Bytes, width: int) -> Flags:
    """Tell which texts are digits, hex, base32, or have letters of both cases, as random ones have.

    Not so lines of many, nor what stands behind a character that makes it a part.
    """
    seen = characters.read(buffer, start, _JUDGED * width)[:, ::width]
    good = np.arange(_JUDGED) < size[:, None]
    kinds = characters.looked_up(_KIND, seen) * good
    upper, digits = (kinds & _UPPER > 0).sum(axis=1), (kinds & _DIGIT > 0).sum(axis=1)
    lower = (kinds & _LOWER > 0).sum(axis=1)
    spelled = (upper >= _FEWEST) & (lower >= _FEWEST) & (digits > 0)
    tagged = np.isin(seen[:, 0], _TAGS) & ((length & _IS_TAGGED) > 0)
    spelled &= tagged | ((length & _IS_BASE64) > 0)
    nibbles = ((kinds & _NIBBLE > 0) | ~good)[:, 2:].all(axis=1)  # 0x may stand before
    spelled |= nibbles & (digits >= _FEWEST) & ((length & (_IS_HEX | _IS_SHORT)) > 0)
    spelled |= ((kinds & _DIGIT > 0) | ~good).all(axis=1) & ((length & _IS_DECIMAL) > 0)
    one_case = ((upper == 0) | (lower == 0)) & (digits > 0)
    spelled |= one_case & ((length & _IS_BASE32) > 0)
    ended = buffer[np.minimum(start + (size - 1) * width, len(buffer) - 1)] == PICKLED
    pickled = (seen[:, 0] == PICKLED) & ended & ((length & _IS_PICKLED) > 0)
    pickled &= (kinds[:, 1:] & _DIGIT > 0).all(axis=1)
    spelled |= pickled | (length == _IS_CUT)
    before = buffer[np.maximum(start - width, 0)]
    behind = buffer[np.minimum(start + size * width, len(buffer) - 1)]
    line = (before == _LINE) & ((behind == _LINE) | (behind == _RETURN)) & ~pickled
    result: Flags = spelled & ~line
    part = np.flatnonzero(result & PART[before])
    counted = before[part] == size[part]
    result[part] = counted | characters.filled(buffer, start[part], width)
    return result
