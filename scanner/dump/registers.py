"""Vector registers that are saved in parts: which bytes of a dump make each, and several together.

What is copied 32 bytes at a time, a scalar or a seed, moves through YMM registers and may stand
nowhere else. XSAVE puts their low and their high halves into two areas (Intel's manual, volume 1,
chapter 13), the upper halves of ZMM registers into a third and other 16 registers into a fourth,
and so do the notes and contexts that hold its image. What is longer moves through several, in the
orders in which a copy takes them. This module says which bytes belong together; it refuses to look
at more than whether registers vary, and where the bytes of two are the same.
"""

import itertools
import struct
from collections.abc import Iterator, Sequence

from scanner.dump.source import File

Parts = tuple[tuple[int, int], ...]
"""File offsets and sizes of what was one value, in reading order."""

MAX_JOINED = 1 << 15
"""Registers of one dump: those of 2048 threads, if no more are joined."""

_HALF = 16
_AVX = 1 << 2
"""Bit of XSTATE_BV: the high halves are not in their initial state."""

_LEGACY = 160
"""Where XMM0 stands in the area of FXSAVE."""
_STATE, _HIGH = 512, 576
"""Where XSTATE_BV and the high halves stand in the standard form of XSAVE's area."""

_ZMM, _MORE = 1 << 6, 1 << 7
"""Bits of XSTATE_BV: upper halves of ZMM0 to ZMM15, and ZMM16 to ZMM31."""
_UPPER, _UPPER_SIZE = (1152, 896), 512
"""Where the upper halves stand, those of Intel and those of AMD, whose area ends before the other's
does; and their bytes. ZMM16 to ZMM31 are right behind."""

_ORDERS: tuple[tuple[Sequence[int], Sequence[int]], ...] = (
    (range(16), ()),
    ((0, 1), (3, 2)),
    ((0, 1, 2, 3), (7, 6, 5, 4)),
    ((1, 2, 3, 4), (8, 7, 6, 5)),
    ((0, 5, 6, 7), (4, 3, 2, 1)),
    ((0, 1, 2, 3), (8, 7, 6, 5)),
    ((4, 5, 6, 7), (3, 2, 1, 0)),
)
"""Registers that hold neighbouring bytes: in turn, and as memmove of glibc loads them, the first
bytes and the last, which may overlap (sysdeps/x86_64/multiarch/memmove-vec-unaligned-erms.S): up to
four, up to eight, and in loops, forward and backward, of glibc 2.41 and of older ones."""

_CONTEXTS = {"x86_64": (0x30, 0x100000, 0x1A0, 0x4D0, 16), "i386": (0, 0x10000, 0x16C, 0x2CC, 8)}
"""CONTEXT of winnt.h: where ContextFlags stand and the flag of the machine in them, where XMM0 and
where CONTEXT_EX stand, and how many registers there are."""

_XSTATE_FLAG = 0x40


def of_note(file: File, offset: int, size: int, *, wide: bool) -> tuple[Parts, ...]:
    """Return the registers in a note NT_X86_XSTATE; ``wide`` of a 64-bit program."""
    count = 16 if wide else 8
    if size < _HIGH + _HALF * count:
        return ()
    states = int.from_bytes(file.read(offset + _STATE, 8), "little")
    low = _paired(_LEGACY, _HIGH, count)
    groups, upper = [low], _upper(size) if wide else 0
    if upper and states & (_ZMM | _MORE):
        rows = range(upper, upper + _UPPER_SIZE, 32)
        groups = [tuple((*parts, (at, 32)) for parts, at in zip(low, rows, strict=True))]
        more = upper + _UPPER_SIZE
        groups.append(tuple(((at, 64),) for at in range(more, more + 16 * 64, 64)))
    elif not states & _AVX:
        return ()
    area = file.read(offset, min(size, _UPPER[0] + 3 * _UPPER_SIZE))
    found = low if states & _AVX else ()
    found += tuple(parts for group in groups for parts in _stretches(area, group))
    return _moved(found, offset)


def _moved(found: tuple[Parts, ...], offset: int) -> tuple[Parts, ...]:
    """Return parts whose offsets were those within an area that begins at ``offset``."""
    return tuple(tuple((offset + at, length) for at, length in parts) for parts in found)


def _upper(size: int) -> int:
    """Return where the upper halves of ZMM registers stand in an area, or 0."""
    return next((at for at in _UPPER if size >= at + 3 * _UPPER_SIZE), 0)


def of_context(file: File, offset: int, size: int, arch: str) -> tuple[Parts, ...]:
    """Return the registers in a CONTEXT of Windows that CONTEXT_EX and XSTATE follow (winnt.h)."""
    if arch not in _CONTEXTS or not 0 <= offset <= file.size - size:
        return ()
    flags_at, machine, low, extended, count = _CONTEXTS[arch]
    if size < extended + 24:
        return ()
    flags = int.from_bytes(file.read(offset + flags_at, 4), "little")
    chunk, length = struct.unpack("<iI", file.read(offset + extended + 16, 8))
    state = extended + chunk
    if flags & (machine | _XSTATE_FLAG) != machine | _XSTATE_FLAG:
        return ()
    if chunk < 24 or length < 64 + _HALF * count or state + 64 + _HALF * count > size:
        return ()
    if not _saved(file, offset + state):
        return ()
    found = _paired(low, state + 64, count)
    area = file.read(offset, state + 64 + _HALF * count)
    return _moved((*found, *_stretches(area, found)), offset)


def _saved(file: File, offset: int) -> bool:
    return bool(int.from_bytes(file.read(offset, 8), "little") & _AVX)


def _paired(low: int, high: int, count: int) -> tuple[Parts, ...]:
    return tuple(((low + at, _HALF), (high + at, _HALF)) for at in range(0, _HALF * count, _HALF))


def _stretches(area: bytes, registers: Sequence[Parts]) -> Iterator[Parts]:
    """Yield what several registers hold together that does not stand so in the area."""
    vectors = [_filled(area, parts) for parts in registers]
    found: dict[Parts, None] = {}
    for head, tail in _ORDERS:
        order = [at for at in (*head, *tail) if at < len(vectors)]
        for _, row in itertools.groupby(order, key=lambda at: _length(vectors[at])):
            chosen = tuple(row)
            first = tuple(part for at in chosen if at in head for part in vectors[at])
            last = tuple(part for at in chosen if at in tail for part in vectors[at])
            if _length(first + last) > 32 and bool(last) == bool(tail):
                both = _both(_bytes(area, first), _bytes(area, last))
                found[_adjoined(first + _cut(last, both, _length(last)))] = None
    yield from (parts for parts in found if len(parts) > 1)


def _filled(area: bytes, parts: Parts) -> Parts:
    """Return the 64 or 32 bytes that a register holds; none if they hardly vary."""
    value = _bytes(area, parts)
    if not any(value[32:]):
        value, parts = value[:32], _cut(parts, 0, 32)
    return parts if 2 * len(set(value)) > len(value) else ()


def _both(first: bytes, last: bytes) -> int:
    """Return how many bytes of the last stand at the end of the first as well."""
    for count in range(len(last), 0, -1):
        if first and last[:count].endswith(first[-count:]):
            return count
    return 0


def _bytes(area: bytes, parts: Parts) -> bytes:
    return b"".join(area[at : at + size] for at, size in parts)


def _length(parts: Parts) -> int:
    return sum(size for _, size in parts)


def _cut(parts: Parts, start: int, end: int) -> Parts:
    """Return the parts of the bytes from ``start`` to ``end``."""
    found = []
    for at, size in parts:
        low, high = max(start, 0), min(end, size)
        if low < high:
            found.append((at + low, high - low))
        start, end = start - size, end - size
    return tuple(found)


def _adjoined(parts: Parts) -> Parts:
    """Return the parts with those made one that are side by side."""
    found: list[tuple[int, int]] = []
    for at, size in parts:
        if found and sum(found[-1]) == at:
            at, size = found[-1][0], found.pop()[1] + size  # noqa: PLW2901
        found.append((at, size))
    return tuple(found)
