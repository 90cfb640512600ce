"""The pool's own bytes as a place to look things up: does this public value stand here.

A public key that no format announces (a point in a key object, a key share in a record buffer) is
random to the eye as well, so it lies in the pool. Relations derive public values first, thousands
of them; one pass over every byte offset then says where 64 bits of them stand, and whoever asked
compares the rest. This module refuses to say what a value means.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scanner.arrays import Bytes, Flags, Offsets, Words
from scanner.kernels import words as kernel
from scanner.kernels.words import Index

BLOCK = 1 << 22
"""Positions that are looked at together."""

MOST = 1 << 14
"""Words that are found at once: in a block that has more of them, the search goes on behind."""

CROWD = 4
"""Of the wanted so many have one word by right, at most: a number as x on each of four curves."""

_DIFFERENT = 2
"""Bytes of a word that differ from the next lower one: fewer are in words that stand everywhere."""


def sliding(data: Bytes, kind: str = "<u8") -> npt.NDArray[np.unsignedinteger]:
    """View the word of a numpy ``kind`` at every byte offset of ``data``; nothing is copied."""
    count = max(len(data) - int(kind[-1]) + 1, 0)
    return np.ndarray((count,), kind, data, strides=(1,)) if count else np.empty(0, kind)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Table:
    """Words made ready to be found, for those who look more than once."""

    index: Index
    """Each word once, in order."""
    indices: Offsets
    """Which of the wanted each was, in the order of words."""
    first: Offsets
    """Where in ``indices`` those of each word begin, and the last ones end."""


def table(wanted: Words) -> Table:
    """Make words ready to be found."""
    indices = np.argsort(wanted, kind="stable")
    words, first = np.unique(wanted[indices], return_index=True)
    return Table(kernel.index(words.astype(np.uint64)), indices, np.append(first, len(indices)))


class Whole(NamedTuple):
    """How a value is spelled, and how many bytes of that are before the word that is looked up.

    Of each ``step`` bytes the first ones that are ``told`` count.
    """

    raw: bytes
    ahead: int = 0
    step: int = 1
    told: int = 1


Spell = Callable[[int], Whole]
_Crowd = Mapping[tuple[int, int, int, int], Mapping[bytes, list[int]]]


def find(
    data: Bytes, wanted: Words | Table, spell: Spell | None = None
) -> Iterator[tuple[int, int]]:
    """Yield (index in ``wanted``, byte offset in ``data``) wherever a little-endian word stands.

    A dump can have thousands of values, made so that they share a word which it has everywhere: of
    such a crowd those are yielded that stand whole, if it is told how to ``spell`` them.
    """
    if isinstance(wanted, Table):
        yield from _find(data, wanted, spell)
    elif len(wanted):
        yield from _find(data, table(wanted), spell)


def common(sought: Words) -> Flags:
    """Tell which words stand everywhere, and prove nothing: those of two different bytes at most.

    Zeros, small numbers, repeated characters. Seen where a test suite's points have x = 0: every
    zero of its memory was such a point.
    """
    rows = np.sort(np.ascontiguousarray(sought, "<u8").view(np.uint8).reshape(-1, 8), axis=1)
    steps: Offsets = np.count_nonzero(np.diff(rows, axis=1), axis=1)
    return steps < _DIFFERENT


def find_whole(data: Bytes, values: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Yield (index in ``values``, byte offset in ``data``) wherever one of them stands whole."""
    for index, at in find(data, firsts(values), lambda index: Whole(values[index])):
        if stands(data, at, values[index]):
            yield index, at


def firsts(values: Iterable[bytes]) -> Words:
    """Return the first word of each value, by which it is looked up."""
    return np.array([int.from_bytes(value[:8], "little") for value in values], np.uint64)


def _find(data: Bytes, wanted: Table, spell: Spell | None) -> Iterator[tuple[int, int]]:
    crowds: dict[int, _Crowd] = {}
    start, last = 0, len(data) - 7
    while start < last:
        stop = min(start + BLOCK, last)
        found, which, count = kernel.find(wanted.index, data[start : stop + 7], MOST)
        for spot, word in zip(found.tolist(), which.tolist(), strict=True):
            at = start + spot
            alike = wanted.indices[wanted.first[word] : wanted.first[word + 1]]
            indices: Iterable[int]
            if spell is None or len(alike) <= CROWD:
                indices = alike.tolist()
            else:
                if word not in crowds:
                    crowds[word] = _crowd(alike.tolist(), spell)
                indices = _whole(data, at, crowds[word])
            for index in indices:
                yield index, at
        start = stop if count <= MOST else start + int(found[-1]) + 1


def _crowd(indices: Iterable[int], spell: Spell) -> _Crowd:
    """Gather those who share a word by what else they are."""
    found: dict[tuple[int, int, int, int], dict[bytes, list[int]]] = {}
    for index in indices:
        raw, ahead, step, told = spell(index)
        rows = np.frombuffer(raw, np.uint8).reshape(-1, step)[:, :told]
        alike = found.setdefault((ahead, len(raw), step, told), {})
        alike.setdefault(rows.tobytes(), []).append(index)
    return found


def _whole(data: Bytes, at: int, crowd: _Crowd) -> Iterator[int]:
    """Yield those of a crowd that stand whole where their word stands."""
    for (ahead, size, step, told), alike in crowd.items():
        there = data[max(at - ahead, 0) : at - ahead + size]
        if at >= ahead and len(there) == size:
            yield from alike.get(there.reshape(-1, step)[:, :told].tobytes(), ())


def stands(data: Bytes, position: int, value: bytes) -> bool:
    """Tell whether a value stands whole at a position, which may be none."""
    return position >= 0 and data[position : position + len(value)].tobytes() == value
