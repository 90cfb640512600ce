"""Vector registers that are saved in two halves: which parts of a dump make each of them.

What is copied 32 bytes at a time, a scalar or a seed, moves through YMM registers and may stand
nowhere else. XSAVE puts their low and their high halves into two areas (Intel's manual, volume 1,
chapter 13), and so do the notes and contexts that hold its image. This module says which halves
belong together; it refuses to look at what they hold.
"""

import struct

from scanner.dump.source import File

Parts = tuple[tuple[int, int], ...]
"""File offsets and sizes of what was one value, in reading order."""

MAX_JOINED = 1 << 15
"""Registers of one dump: those of 2048 threads."""

_HALF = 16
_AVX = 1 << 2
"""Bit of XSTATE_BV: the high halves are not in their initial state."""

_LEGACY = 160
"""Where XMM0 stands in the area of FXSAVE."""
_STATE, _HIGH = 512, 576
"""Where XSTATE_BV and the high halves stand in the standard form of XSAVE's area."""

_CONTEXTS = {"x86_64": (0x30, 0x100000, 0x1A0, 0x4D0, 16), "i386": (0, 0x10000, 0x16C, 0x2CC, 8)}
"""CONTEXT of winnt.h: where ContextFlags stand and the flag of the machine in them, where XMM0 and
where CONTEXT_EX stand, and how many registers there are."""

_XSTATE_FLAG = 0x40


def of_note(file: File, offset: int, size: int, *, wide: bool) -> tuple[Parts, ...]:
    """Return the registers in a note NT_X86_XSTATE; ``wide`` of a 64-bit program."""
    count = 16 if wide else 8
    if size < _HIGH + _HALF * count or not _saved(file, offset + _STATE):
        return ()
    return _paired(offset + _LEGACY, offset + _HIGH, count)


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
    return _paired(offset + low, offset + state + 64, count) if _saved(file, offset + state) else ()


def _saved(file: File, offset: int) -> bool:
    return bool(int.from_bytes(file.read(offset, 8), "little") & _AVX)


def _paired(low: int, high: int, count: int) -> tuple[Parts, ...]:
    return tuple(((low + at, _HALF), (high + at, _HALF)) for at in range(0, _HALF * count, _HALF))
