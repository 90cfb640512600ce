"""What announces a piece: an allocator's size, a length, a tag before it.

The whole pool is looked through once for what may be the size of any scalar, though many relations
ask, each for another size. This module refuses to judge what stands behind.
"""

import numpy as np

from scanner.arrays import Flags, Offsets
from scanner.detect.integers import serialized
from scanner.detect.integers.distinct import distinct
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places.words import sliding

LEAD = 16
"""Bytes before a piece that may announce its size."""

LONGEST = 66
"""Bytes of the longest piece that is asked for: a scalar of P-521."""

_VERSIONED = 6
"""Bytes that an object has besides a piece: a byte or two, and a checksum."""

_BYTES = np.uint64(1) << np.arange(0, 64, 8, dtype=np.uint64)
"""The least word of which one byte is filled, two, and so on."""

DRAWN, _HALF = 256, 4
"""Bytes of a generator's block, and of a word that it gives."""

_WORD, _FLAGS = 8, 5
"""Bytes of a word, and flags of glibc's sizes: the block before is in use, another arena."""

_TAGS, _ALIKE = 3, 8
"""Bits of a sign or a tag below a count, and pieces behind the same word, at most."""

_LINKS = 3
"""Pointers with which an object begins that has a number in itself."""

_LEAST_POINTER, _MOST_POINTER = np.uint64(1 << 16), np.uint64(1 << 47)
"""Where a process of 64 bits has memory."""

BYTE, INT = 8, 10
"""Types of what the arrays of a Java heap dump hold, as its format numbers them (HPROF 1.0.2)."""

_CHUNK = 1 << 17
"""Bytes that are compared with several values at once: they stay in the first caches."""


def first(pool: Pool, size: int) -> tuple[Offsets, Offsets]:
    """Return what is announced, and what fills its run, or an array of a Java heap dump."""
    whole = (pool.head >= 0) & (pool.tail >= 0)
    lone = whole & (np.abs(pool.tail - pool.head - size) <= 8)
    alone = np.concatenate((pool.head[lone], pool.tail[lone] - (size & ~7)))
    said = (announced_at(pool, size), padded(pool, alone, size), counted_limbs(pool, alone, size))
    return np.concatenate(said), np.append(alone, _of_heap_dump(pool, size))


def announced_at(pool: Pool, size: int) -> Offsets:
    """Return what stands behind bytes that announce it, as ``size`` bytes: at most LONGEST.

    Of every other scalar of P-521 the first byte is zero, and what counts bytes leaves it out. Seen
    in wolfSSL on 32-bit ARM.
    """
    assert size <= LONGEST
    name = ("announced", size)
    if name not in pool.listed:
        sizes = (size, size - 1) if size == LONGEST else (size,)
        found = [_behind_sizes(pool, each) for each in sizes]
        found += [_behind_bits(pool, size), _of_heap_dump(pool, size)]
        found += [serialized.listed(pool, size, order) for order in "<>"]
        pool.listed[name] = np.concatenate(found)
    return pool.listed[name]


def moduli(pool: Pool, size: int) -> Offsets:
    """Return the runs that ``size`` bytes fill in a block of glibc's, if they may be a modulus.

    That is odd, and its first bit is set, as limbs or as bytes.
    """
    at = pool.head[(pool.head >= _WORD) & (pool.tail - pool.head == size)]
    room = np.uint64(((size + _WORD + 15) & ~15) | _FLAGS)
    at = at[(sliding(pool.data)[at - _WORD] | np.uint64(_FLAGS)) == room]
    first, last = pool.data[at], pool.data[at + size - 1]
    found: Offsets = at[((first & 1) & (last >> 7)) | ((last & 1) & (first >> 7)) > 0]
    return found


def in_blocks(pool: Pool, positions: Offsets, size: int) -> Flags:
    """Tell which of some positions begin a block that glibc gives for ``size`` bytes."""
    width = pool.memory.map.pointer_size
    own = sliding(pool.data, f"{'<>'[pool.big_endian]}u{width}")[np.maximum(positions - width, 0)]
    good: Flags = np.isin(own | own.dtype.type(_FLAGS), _chunks(pool, size)) & (positions >= width)
    return good


def padded(pool: Pool, positions: Offsets, size: int) -> Offsets:
    """Return those for which glibc gave two words more, of zeros: OpenSSL's private scalars."""
    zeros = positions + ((size + 7) & ~7)
    inside = (positions >= _WORD) & (zeros + _WORD <= len(pool.data))
    positions, zeros = positions[inside], zeros[inside]
    word, room = sliding(pool.data), np.uint64(((size + 3 * _WORD + 15) & ~15) | _FLAGS)
    good = (word[positions - _WORD] | np.uint64(_FLAGS)) == room
    found: Offsets = positions[good & (word[zeros] == 0)]
    return found


def counted_limbs(pool: Pool, positions: Offsets, size: int) -> Offsets:
    """Return those of some positions right behind the structure that counts their limbs.

    It says how many are used, and how many there is room for. BoringSSL and AWS-LC put a scalar
    behind a BIGNUM whose limbs it is (EC_WRAPPED_SCALAR), in a block that fits the longest one: no
    allocator's size tells it.
    """
    positions = positions[positions >= LEAD]
    before = sliding(pool.data)[positions - LEAD]
    twice = [np.uint64(-(-size // limb) * (1 << 32 | 1)) for limb in (8, 4)]
    found: Offsets = positions[np.isin(before, twice)]
    return found


def tagged(pool: Pool, size: int) -> Offsets:
    """Return what ends its run behind a pointer, and a word whose lower half counts its limbs.

    The upper half may be what stood there before, so that the run begins with it; the count may be
    above some bits of a sign or a tag. Seen in Gauche, whose collector clears nothing.
    """
    ends = pool.tail[(pool.tail >= 0) & (not pool.big_endian)]
    limbs = -(-size // _WORD)
    at = np.append(ends - (size & -_WORD), ends - limbs * _WORD)
    word = sliding(pool.data)
    pointer = word[np.maximum(at - 2 * _WORD, 0)]
    at = at[(at >= LEAD) & (pointer >= _LEAST_POINTER) & (pointer < _MOST_POINTER)]
    counts = [limbs << bits | tag for bits in range(_TAGS + 1) for tag in range(1 << bits)]
    count = word[at - _WORD].astype(np.uint32)
    return distinct(at[np.isin(count, np.array(counts, np.uint32))])


def behind_pointers(pool: Pool, positions: Offsets) -> Offsets:
    """Return those of some positions right behind three pointers of a machine of 64 bits.

    As in an object that has a number's limbs in itself, behind its class and what it shares. Seen
    in Botan 3, whose scalars are in Montgomery form there.
    """
    if pool.big_endian or pool.memory.map.pointer_size != _WORD:
        return positions[:0]
    word, found = sliding(pool.data), positions[positions >= _LINKS * _WORD]
    for back in range(_WORD, _LINKS * _WORD + 1, _WORD):
        pointer = word[found - back]
        good = (pointer >= _LEAST_POINTER) & (pointer < _MOST_POINTER)
        found = found[good & (pointer % np.uint64(_WORD) == 0)]
    return found


def behind_limbs(pool: Pool, size: int) -> Offsets:
    """Return what begins its run behind a pointer, and a word that is twice the count of its limbs.

    The lowest bit is the sign. Behind it other pointers may look as random as it does. Seen in V8.
    """
    heads = pool.head[(pool.head >= LEAD) & (not pool.big_endian)]
    word = sliding(pool.data)
    pointer, count = word[heads - 2 * _WORD], word[heads - _WORD]
    good = (pointer >= _LEAST_POINTER) & (pointer < _MOST_POINTER)
    found: Offsets = heads[good & (count == 2 * -(-size // _WORD))]
    return found


def likened(pool: Pool, positions: Offsets) -> Offsets:
    """Return those of some positions behind the same word as a few others, and not as many.

    The numbers of a key were read, parsed or computed in one way. Seen in MIT Scheme, where each
    stands in the buffer of a port of its own.
    """
    positions = positions[positions >= _WORD]
    word = sliding(pool.data)[positions - _WORD]
    _, inverse, count = np.unique(word, return_inverse=True, return_counts=True)
    found: Offsets = positions[(word > 0) & (count[inverse] > 1) & (count[inverse] <= _ALIKE)]
    return found


def _behind_sizes(pool: Pool, size: int) -> Offsets:
    """List what stands behind a length or an allocator's size word.

    glibc's chunk size with its flags 1 and 4, and a length with one word between (CPython's bytes:
    the hash), in the machine's own words; a 64-bit length (BoringSSL's allocator, .NET arrays); a
    32-bit length in either order (Java arrays, SSH strings), one more and a zero byte (SSH mpints);
    a DER octet string; a 16-bit length (libgcrypt's S-expressions), one more and a zero byte if
    little-endian too; a length as a Lisp's small integer (SBCL: twice).
    """
    width, chunks = pool.memory.map.pointer_size, _chunks(pool, size)
    lows = {
        size,
        size + 1,
        2 * size,
        *((chunk ^ flag) & 0xFF for flag in (0, 1, 4, 5) for chunk in chunks),
    }
    at = _sizes(pool)
    table = np.zeros(1 << 8, np.bool_)
    table[list(lows)] = True
    at = at[table[pool.data[at]]]
    ahead = (width - 1) * pool.big_endian  # a word's lowest byte is its last one there
    own = sliding(pool.data, f"{'<>'[pool.big_endian]}u{width}")[np.maximum(at - ahead, 0)]
    wide, half = sliding(pool.data)[at], sliding(pool.data, "<u4")[at]
    here, before, behind = pool.data[at], pool.data[at - 1], pool.data[at + 1]
    rows = (
        (np.isin(own | own.dtype.type(_FLAGS), chunks), width - ahead),
        (wide == size, 8),
        (wide == 2 * size, 8),
        (own == size, 2 * width - ahead),
        (half == size, 4),
        ((here == size) & ((before == 4) | (before == 0)), 1),
        (((here == size) | (here == size + 1)) & (behind == 0), 2),
        ((here == size + 1) & (behind == 0) & (pool.data[at + 2] == 0), 3),
    )
    return np.concatenate([at[good] + shift for good, shift in rows])


def _behind_bits(pool: Pool, size: int) -> Offsets:
    """List what begins a run, or a word before or behind, behind a word that counts its bits.

    Seen in Erlang/OTP 27, whose binaries on the heap of a process have their size so, in the
    machine's own words.
    """
    width = pool.memory.map.pointer_size
    steps = (0, -_WORD) if width == _WORD else (0, -width, width)
    at = (pool.head[pool.head >= 2 * _WORD, None] + np.array(steps)).ravel()
    words = sliding(pool.data, f"{'<>'[pool.big_endian]}u{width}")
    found: Offsets = at[words[at - width] == 8 * size]
    return found


def _chunks(pool: Pool, size: int) -> list[int]:
    """Return the sizes, with all flags, that glibc's blocks of ``size`` bytes may have.

    A word of its own is counted in, and all are multiples of 16; on 32-bit machines other than x86
    of 8, where OpenSSL's private scalars, of two limbs more, have another size.
    """
    word = pool.memory.map.pointer_size
    wanted = [(size, 16)] if word == _WORD else [(size, 16), (size, 8), (size + 2 * word, 8)]
    return [(room + word + unit - 1) & -unit | _FLAGS for room, unit in wanted]


def heap_array(pool: Pool, count: int, kind: int) -> Offsets:
    """Return the elements of each array of so many BYTEs or INTs in a Java heap dump, at any byte.

    Before them stand their count, of 32 bits, most significant byte first, and a byte for the type.
    """
    return _counts(pool, count, kind) + 2


def heap_ints(pool: Pool, count: int) -> Offsets:
    """Return the elements of each array of so many ints in a Java heap dump, at any byte.

    Of what the collector has not taken back yet HotSpot writes the memory as one array of ints,
    headers and all: no type stands behind the count then.
    """
    return np.append(heap_array(pool, count, INT), _counts(pool, count) + 1)


def _counts(pool: Pool, count: int, kind: int | None = None) -> Offsets:
    """List the last byte of each big-endian count, before a byte that is its ``kind``."""
    name, data = ("counts of heap dumps", count), pool.data
    if name not in pool.listed:
        at = _sizes(pool)
        at = at[data[at] == min(count, 0xFF)]
        pool.listed[name] = at[(data[at - 1] | data[at - 2] | data[at - 3]) == 0]
    at = pool.listed[name]
    return at if kind is None else at[data[at + 1] == kind]


def _of_heap_dump(pool: Pool, size: int) -> Offsets:
    """List what fills an array of a Java heap dump: bytes, a sign's zero before them, or ints.

    The ints of a BigInteger have their bytes turned there: the number stands as bytes.
    """
    signed, ints = heap_array(pool, size + 1, BYTE), -(-size // 4)
    signed = signed[pool.data[signed] == 0] + 1
    wide = heap_ints(pool, ints) + 4 * ints - size
    return np.concatenate((heap_array(pool, size, BYTE), signed, wide))


def behind_word(pool: Pool, word: int, width: int) -> Offsets:
    """Return what stands behind a little-endian word of ``width`` bytes, two at least."""
    there = sliding(pool.data, f"<u{width}")
    if not 0 < word <= 2 * LONGEST:
        return np.flatnonzero(there == word) + width
    at = _sizes(pool)
    behind: Offsets = at[there[at] == word] + width
    return behind


def in_longer(pool: Pool, size: int) -> Offsets:
    """Return what stands behind the first byte of an object a little longer than ``size``.

    A byte that says what follows, and a checksum behind, as decoders of wallet keys give them out:
    StrKey (SEP-23), WIF and BIP 32. The object's length is before it, of 64 bits, in CPython with
    one word between, or of 32 bits.
    """
    at = _sizes(pool)
    length = pool.data[at]
    fits = (length > size) & (length <= size + _VERSIONED)
    at, length = at[fits], length[fits]
    wide, half = sliding(pool.data)[at] == length, sliding(pool.data, "<u4")[at] == length
    return np.concatenate((at[wide] + 8, at[wide] + 16, at[half] + 4)) + 1


def shifted(pool: Pool, size: int) -> tuple[Offsets, Offsets]:
    """Return what ends before zeros, and whose run begins with a byte or a few before it.

    The zeros fill a word and the next one. And the same a byte later: the last byte may be a zero
    itself. Seen in BearSSL, whose decoder puts the parts of a key into one buffer, and a scalar
    behind a byte that it had read.
    """
    word, length, found = sliding(pool.data), pool.tail - pool.head, [np.empty(0, np.int64)]
    whole = (pool.head >= 0) & (pool.tail >= 0)
    for full in sorted({size + lead & -_WORD for lead in range(1, _WORD)}):
        at = pool.head[whole & ((length == full) | (length == full + _WORD))]
        at = at[at + full + 2 * _WORD <= len(pool.data)]
        at = at[word[at + full + _WORD] == 0]
        filled = np.count_nonzero(word[at + full, None] >= _BYTES, axis=1)
        lead = full + filled - size
        good = (filled % _WORD > 0) & (lead > 0) & (lead < _WORD)
        found.append(at[good] + lead[good])
    first = np.concatenate(found)
    return first, first + 1


def drawn(pool: Pool, size: int) -> Offsets:
    """Return what a generator of random numbers has given out, in the block that it keeps.

    What was given last comes first.
    """
    first, count = given(pool)
    steps = np.arange(0, DRAWN, _HALF)
    behind = _HALF * count[:, None] - size - steps
    order = np.argsort(behind[behind >= 0], kind="stable")
    found: Offsets = (first[:, None] + steps)[behind >= 0][order]
    return found


def given(pool: Pool) -> tuple[Offsets, Offsets]:
    """Return where blocks of random generators begin, and how many words of each were given out.

    They have 64 words of 32 bits, and behind these stands that count. Seen in Deno: rand_core's
    BlockRng, from which keys come; they had been let go, and their bytes were left.
    """
    ends = pool.tail[(pool.tail >= DRAWN) & ((pool.head < 0) | (pool.tail - pool.head >= DRAWN))]
    count = sliding(pool.data)[ends].astype(np.int64)
    good = (count > 0) & (count <= DRAWN // _HALF)
    return ends[good] - DRAWN, count[good]


def _sizes(pool: Pool) -> Offsets:
    """List the bytes that may be a size up to 2 * LONGEST, or its lowest one.

    There is a zero beside them, or the tag of a DER octet string before.
    """
    name = ("sizes", LONGEST)
    if name not in pool.listed:
        data, last = pool.data, len(pool.data) - LEAD
        found = [np.empty(0, np.int64)]
        for start in range(1, last, _CHUNK):
            stop = min(start + _CHUNK, last)
            before, here, behind = (data[start + at : stop + at] for at in (-1, 0, 1))
            marks = (behind == 0) | (before == 0) | (before == 4)
            marks &= here - np.uint8(1) < np.uint8(2 * LONGEST)
            found.append(np.flatnonzero(marks) + start)
        pool.listed[name] = np.concatenate(found)
    return pool.listed[name]
