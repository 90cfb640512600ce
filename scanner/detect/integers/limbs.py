"""Random-looking runs: where memory could hold a number that nobody labelled.

A private number is random to the eye, whatever library holds it, so this module asks one question
of each aligned 64-bit word: could it be part of a random number. The answer depends on the word
and its two neighbours alone, and for rows of digits that fill no words on the row, which counts as
long where it touches an end: runs cut by the end of a window join again without loss. A run says
where a number may begin or end, never what it is: this module proves nothing, and it refuses to
guess alignment, byte order or length. Those are readings of a run's edges, and the relations try
them all.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scanner.arrays import Bytes, Flags, Offsets, Words
from scanner.detect.integers import likelihood, tagged

WORD = 8
"""Bytes of the unit in which randomness is judged."""

CONTEXT = 4 * WORD
"""Bytes before and after a chunk that its words' flags depend on."""

SHORTEST = 3 * WORD
"""Bytes of the shortest run of interest: a 32-byte scalar at an odd offset holds three words."""

LONG = 16 * WORD
"""Bytes of a run that may hold digits: 1024 bits in digits of 28 bits fill 18 words, and 512 bits
in the upper halves of words 19; the outermost may be too small to be seen."""

ROW = 9 * WORD
"""Bytes of a shorter run that may hold digits of a scalar: 256 bits fill 10 integers of V8."""

PIECE = 1 << 15
"""Words that are judged at once: they stay in the second-level cache."""

_HIGH_BITS = np.uint64(0x8080808080808080)
_FOUR = np.uint32(0x01010101)
"""Four flags in a row: a row of nine has at least one such four, wherever it stands."""

_THREE = np.arange(SHORTEST // WORD)
_FEWEST_BITS = np.uint8(12)
_LEAST_BITS = 66
"""Bits that are set in 24 bytes of a random number, but of one in 100 000: 96 on average."""
_LEAST_INSIDE = 150
"""Of 48 bytes, with the same chance: 192 on average."""
_VALUES = 20
"""Different byte values that 24 bytes of a random number have, but of one in 500."""
_EXPANDED = 15
"""Whole words of the shortest expanded key (SM4), wherever it begins."""
_INSIDE, _VALUES_INSIDE, _EVERY = np.array([0, 1, 2, 5, 6, 7]), 37, 8
"""Words that are looked at inside of a run, from every eighth on, so that each expanded key holds
them, and how many values they have: of 48 random bytes one row in 6000 has fewer."""
_ROWS = 1 << 12
"""Places that are looked at at once."""

_NOT_SMALL = np.uint64(0xF0000000FFFFFFFF)
_NOT_TINY, _OVER, _FEW_SMALL = np.uint64(1 << 52), np.uint64(1 << 60), 2
"""Between these are digits of 26 and 28 bits in the upper halves of words, but two of nine."""
_NO_DIGITS_30 = np.uint64(0xC0000000C0000000)
_NO_DIGITS_60 = np.uint64(0xF000000000000000)
_NO_DIGITS_26, _NO_DIGITS_52 = np.uint64(0xFC000000FC000000), np.uint64(0xFFF0000000000000)
_ELEMENT = 4
"""Bits that digits of 26 and of 52 bits leave empty, and words of such that are looked at
(``packed``, and fields of secp256k1)."""
_NO_DES = (np.uint64(0x30303030_03030303), np.uint64(0x03030303_30303030))
"""Bits that rounds of DES leave empty, at either half of a word (see ``des``)."""
_SIZE = np.uint64(1 << 44)
"""Below it are sizes, also in the upper half of a word, as on 32-bit machines; and of random words
one in a million."""
_HALF_SIZE = np.uint64(1 << 12)
"""Below it are sizes in the lower half of a word."""
_NO_HEADER, _HEADED = np.uint64(0x0000FF00FF00FF00), np.uint64(1 << 56)
"""Bits that three numbers of 16 bits, each below 256, leave empty, and from where on the fourth has
flags above them; of random words one in 16 million looks so."""
_LOW_HALF = np.uint64(0xFFFFFFFF)
_TOP_SHIFT = np.uint64(48)
_TOP = np.uint64(1 << 48)


def random_looking(
    words: Words, bits: Bytes | None = None, *, halves: bool = False, cells: bool = True
) -> Flags:
    """Flag each word that could be part of a random number; ``bits`` are set in it.

    A random word has 12 to 52 bits set (all but 2e-7 of them), is neither a small integer nor a
    pointer (top 16 bits 0000 or FFFF: 3e-5), has a byte above 0x7f, which text has not (0.4 % fail)
    and differs from the word before. A single word that fails between two that pass is taken in:
    two in a row fail in one random kilobyte of five hundred. Not so where it is a small number: the
    size of an allocator's chunk parts two private numbers that lie one behind the other (glibc), or
    has few bits: Wine's heap has a size of 16, and flags. Nor is that heap's header of a small
    block part of a number: a size, a rest, a count and flags, of 16 bits each. On 32-bit machines,
    whose sizes fill ``halves`` of words, a size in the lower half, with a number's first digit,
    parts two numbers too (V8): one random word in a million. Rows of V8's small integers, each in
    the upper half of a word, are flagged as well where they are long, or look like a scalar of
    BN.js: digits of a number. So are rows of cells, a digit in one word and a tag in the next, as
    PHP, QuickJS and others keep arrays of small integers, unless there are no ``cells``.
    """
    bits = np.bitwise_count(words) if bits is None else bits
    flags = (bits - _FEWEST_BITS) <= np.uint8(64) - np.uint8(2) * _FEWEST_BITS
    flags &= (words & _HIGH_BITS) != 0
    flags &= (words + _TOP) >= _TOP + _TOP
    flags[1:] &= words[1:] != words[:-1]
    flags[1:-1] |= flags[:-2] & flags[2:] & (words[1:-1] >= _SIZE) & (bits[1:-1] >= _FEWEST_BITS)
    headers = flags & ((words & _NO_HEADER) == 0)
    if headers.any():
        flags &= ~headers | (words < _HEADED)
    if halves:
        flags &= (words & _LOW_HALF) >= _HALF_SIZE
    small: Flags = (words & _NOT_SMALL) == 0
    small &= words >= _TOP
    fours = small[: len(small) & ~3].view(np.uint32) == _FOUR
    if fours.any() or small[:2].all() or small[-2:].all():
        flags |= _in_long_rows(words, small)
    if cells:
        flags |= tagged.in_rows(words)
    return flags


def lack_high_bytes(words: Words) -> Flags:
    """Flag each word that would look random had it a byte above 0x7f, and is no size in a half."""
    flags: Flags = (words & _HIGH_BITS) == 0
    flags &= words >= _TOP
    flags &= (words & _LOW_HALF) >= _HALF_SIZE
    flags &= np.bitwise_count(words) >= _FEWEST_BITS
    return flags


def _in_long_rows(words: Words, small: Flags) -> Flags:
    """Keep rows of 16 and more, with single gaps, and what touches an end and may go on there.

    Of rows of nine and more those that may be a scalar.
    """
    small[1:-1] |= small[:-2] & small[2:]
    step = np.diff(small.astype(np.int8), prepend=np.int8(0), append=np.int8(0))
    starts, ends = np.flatnonzero(step > 0), np.flatnonzero(step < 0)
    long = (ends - starts >= LONG // WORD) | (starts == 0) | (ends == len(small))
    short = np.flatnonzero(~long & (ends - starts >= ROW // WORD))
    long[short] = _are_scalars(words[starts[short, None] + np.arange(ROW // WORD)])
    step = np.zeros(len(small) + 1, np.int8)
    step[starts[long]] = 1
    step[ends[long]] = -1
    rows: Flags = np.cumsum(step[:-1], dtype=np.int8).view(np.bool_)
    return rows


def _are_scalars(rows: Words) -> Flags:
    """Tell which rows of V8's small integers may be digits: all differ, and few are small."""
    digits = np.sort(rows, axis=1)
    different: Flags = (digits[:, 1:] != digits[:, :-1]).all(axis=1)
    return different & (digits[:, _FEW_SMALL] >= _NOT_TINY) & (digits[:, -1] < _OVER)


def find(
    buffer: Bytes,
    owned_starts: Offsets,
    owned_ends: Offsets,
    filled: Sequence[tuple[int, int]] | None = None,
    *,
    halves: bool = False,
    swapped: bool = False,
) -> tuple[Offsets, Offsets]:
    """Return starts and ends (byte offsets in ``buffer``) of the random-looking runs in it.

    ``buffer`` is aligned as the addresses are. The owned ranges (sorted, apart, multiples of 8) are
    what the caller answers for; what stands between them is context. Outside of the ``filled``
    ranges (multiples of 8 but for the last) there are only zeros. Runs are cut to the owned ranges,
    and one that touches an end of its range is returned however short, for :func:`join` to
    complete. ``halves``: see :func:`random_looking`. Words are ``swapped`` on a big-endian machine:
    its sizes and pointers end runs as those of others do.
    """
    words = buffer[: len(buffer) & ~7].view(np.uint64)
    words = words.byteswap() if swapped else words
    first, last = owned_starts // WORD, np.minimum(owned_ends // WORD, len(words))
    flags, bits = _flags(words, [(0, len(buffer))] if filled is None else filled, halves=halves)
    mine = np.zeros(len(words), np.bool_)
    for start, stop in zip(first.tolist(), last.tolist(), strict=True):
        mine[start:stop] = True
    flags &= mine
    starts, ends = _threes(flags)
    cut = np.zeros(len(words) + 1, np.bool_)
    cut[first] = True
    cut[last] = True
    whole = ~(cut[starts] | cut[ends])
    keep = ~whole
    keep[whole] = _edges_look_random(words, bits, starts[whole], ends[whole])
    open_starts, open_ends = _open(flags, first, last)
    starts = np.concatenate((starts[keep], open_starts))
    order = np.argsort(starts, kind="stable")
    ends = np.concatenate((ends[keep], open_ends))
    return starts[order] * WORD, ends[order] * WORD


def _flags(words: Words, filled: Sequence[tuple[int, int]], *, halves: bool) -> tuple[Flags, Bytes]:
    """Flag the random-looking words of the filled ranges, a piece of them at a time.

    And say of each word how many bits are set in it.
    """
    flags, bits = np.zeros(len(words), np.bool_), np.zeros(len(words), np.uint8)
    around = CONTEXT // WORD
    eights = tagged.eights(words) if filled else np.empty(0, np.int64)
    for low, high in filled:
        for start in range(low // WORD, high // WORD, PIECE):
            stop = min(start + PIECE, high // WORD)
            base = max(start - around, 0)
            cells = bool(((eights > start - 16) & (eights < stop + 8)).any())
            piece = words[base : stop + around]
            count = np.bitwise_count(piece)
            judged = random_looking(piece, count, halves=halves, cells=cells)
            flags[start:stop] = judged[start - base : stop - base]
            bits[start:stop] = count[start - base : stop - base]
    return flags, bits


def _threes(flags: Flags) -> tuple[Offsets, Offsets]:
    """Return where runs of three flags and more start and end."""
    three = np.zeros(len(flags) + 1, np.bool_)
    if len(flags) >= SHORTEST // WORD:
        np.logical_and(flags[:-2], flags[1:-1], out=three[1:-2])
        three[1:-2] &= flags[2:]
    turns = np.flatnonzero(three[1:] != three[:-1])
    return turns[::2], turns[1::2] + 2


def _open(flags: Flags, first: Offsets, last: Offsets) -> tuple[Offsets, Offsets]:
    """Return the runs of one and two flags that touch an end of the range [first, last)."""
    found: set[tuple[int, int]] = set()
    padded = np.concatenate((np.zeros(3, np.bool_), flags, np.zeros(3, np.bool_)))
    for at, step in ((first, 1), (last - 1, -1)):
        one, two, three = (padded[at + 3 + k * step] for k in range(3))
        inside = (last - first) > 1
        two &= inside
        three &= (last - first) > 2
        for rows, size in ((one & ~two, 1), (one & two & ~three, 2)):
            low = at[rows] if step > 0 else at[rows] + 1 - size
            found.update(zip(low.tolist(), (low + size).tolist(), strict=True))
    pairs = np.array(sorted(found), np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _edges_look_random(words: Words, bits: Bytes, starts: Offsets, ends: Offsets) -> Flags:
    """Tell which runs have, at either edge, 24 bytes that look random by their values.

    Machine code, tables and text seldom do, and they are most of what passes the word test. Of
    24 random bytes at least 20 have different values (22.9 on average, fewer than 20 in one of
    500). Long runs have more tries: inside, for an expanded key between code or tables is not at
    their edges; and as digits, which not all bits of a word hold: few of Curve25519 suffice.
    """
    verdict = np.zeros(len(starts), np.bool_)
    for at, least in ((starts, 0), (ends - 3, 4)):
        rest = np.flatnonzero(~verdict & (ends - starts >= least))
        dense = rest[_bits(bits, at[rest], _THREE) >= _LEAST_BITS]
        verdict[dense] = _look_random(words, at[dense], _THREE, _VALUES)
    rest = np.flatnonzero(~verdict & (ends - starts >= _EXPANDED))
    verdict[rest] = _hold_random(words, bits, starts[rest], ends[rest])
    rest = np.flatnonzero(~verdict & (ends - starts >= ROW // WORD))
    row = rest[(words.take(starts[rest] + 1) & _NOT_SMALL) == 0]
    verdict[row] = _are_scalars(words[starts[row, None] + np.arange(ROW // WORD)])
    rest = np.flatnonzero(~verdict & (ends - starts >= _ELEMENT))
    first = words.take(starts[rest])
    rest = rest[((first & _NO_DIGITS_26) == 0) | ((first & _NO_DIGITS_52) == 0)]
    verdict[rest] = _hold_element(words[starts[rest, None] + np.arange(_ELEMENT)])
    rest = np.flatnonzero(~verdict & (ends - starts >= ROW // WORD))
    verdict[rest] = tagged.are_digits(words[starts[rest, None] + np.arange(ROW // WORD)])
    long = np.flatnonzero(~verdict & (ends - starts >= LONG // WORD))
    maybe = _hold_digits(words.take(starts[long] + 1)) | _hold_digits(words.take(starts[long] + 2))
    long = long[maybe]
    verdict[long] = _edges_hold_digits(words[starts[long, None] + np.arange(1, 5)])
    return verdict


def _look_random(words: Words, at: Offsets, steps: Offsets, values: int) -> Flags:
    """Tell where the words at these steps look random by their values, so many of them different.

    In pieces: a table may be as long as a window.
    """
    verdict = np.zeros(len(at), np.bool_)
    least = np.float32(likelihood.least(WORD * len(steps)))
    for low in range(0, len(at), _ROWS):
        rows = words[at[low : low + _ROWS, None] + steps]
        dense = np.flatnonzero(likelihood.of_words(rows) >= least)
        dense = dense[likelihood.values(rows[dense].view(np.uint8)) >= values]
        verdict[low + dense] = True
    return verdict


def _hold_random(words: Words, bits: Bytes, starts: Offsets, ends: Offsets) -> Flags:
    """Tell which runs look random somewhere inside, at a place that an expanded key would fill."""
    places = (ends - starts - _INSIDE[-1] - 1) // _EVERY + 1
    run = np.repeat(np.arange(len(starts)), places)
    index = np.arange(len(run)) - np.repeat(np.cumsum(places) - places, places)
    at = starts[run] + _EVERY * index
    dense = np.flatnonzero(_bits(bits, at, _THREE) >= _LEAST_BITS)
    dense = dense[_bits(bits, at[dense], _INSIDE) >= _LEAST_INSIDE]
    good = dense[_look_random(words, at[dense], _INSIDE, _VALUES_INSIDE)]
    verdict = np.zeros(len(starts), np.bool_)
    verdict[run[good]] = True
    return verdict


def _hold_digits(words: Words) -> Flags:
    """Tell which words may be digits: of two that are next to each other in digits, one may."""
    maybe: Flags = (words & _NO_DIGITS_60) == 0
    for empty in (_NO_DIGITS_30, *_NO_DES):
        maybe |= (words & empty) == 0
    return maybe


def _hold_element(rows: Words) -> Flags:
    """Tell which rows of four words may be digits of 26 and 25 bits in turn, or of 52."""
    verdict: Flags = ((rows & _NO_DIGITS_26) == 0).all(axis=1)
    verdict |= ((rows & _NO_DIGITS_52) == 0).all(axis=1)
    verdict[verdict] = likelihood.values_of_digits(rows[verdict]) >= _VALUES
    return verdict


def _bits(bits: Bytes, at: Offsets, steps: Offsets) -> npt.NDArray[np.uint16]:
    """Sum how many bits are set in the words that are so many steps from ``at``."""
    sums = np.zeros(len(at), np.uint16)
    for step in steps.tolist():
        sums += bits.take(at + step)
    return sums


def _edges_hold_digits(rows: Words) -> Flags:
    """Tell which rows of four words hold digits of a number, which do not fill their words.

    V8's small integers in the upper halves; rounds of DES; or digits of 30 bits (or 28) in 32, or
    of 60 in 64, whose other bytes have 20 different values in 24.
    """
    verdict: Flags = ((rows[:, :3] & _NOT_SMALL) == 0).sum(axis=1) >= 2
    for empty in _NO_DES:
        verdict |= ((rows & empty) == 0).all(axis=1)
    packed = ((rows & _NO_DIGITS_30) == 0).all(axis=1) | ((rows & _NO_DIGITS_60) == 0).all(axis=1)
    maybe = np.flatnonzero(packed & ((rows >> _TOP_SHIFT) != 0).all(axis=1))
    verdict[maybe] |= likelihood.values_of_digits(rows[maybe]) >= _VALUES
    return verdict
