"""Stage three: where else does a proved key lie, whole or in pieces.

Proofs need one place of each number; whoever redacts or rotates needs all of them. Each worker
proves the keys again from their places, derives every private number in every reading, and looks
for their 16-byte pieces: a copy that lost its first bytes to the allocator, or was cut by the end
of a region, is found by what is left. A number looks random wherever it stands, so a scan looks
into the random-looking runs alone; tokens are text, and whoever overwrites copies wants certainty:
for these a task is swept, every byte of it. Nothing but places leaves.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scanner.detect.algebra.material import Material, describe
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.anchors import Sweeper, compile_literals, open_sweeper
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import listed
from scanner.detect.integers import pool, spaced
from scanner.detect.integers.runs import Runs
from scanner.detect.locked.sealed import Sealed
from scanner.detect.needles import PIECE, SHORT, Needle, of_key, of_token
from scanner.detect.relations.places import words
from scanner.detect.texts import pem
from scanner.dump.space import Memory
from scanner.dump.windows import TRAIL, Window, windows
from scanner.model import Candidate, Fingerprint, Place
from scanner.stages.calls import PARTLY, Sighting
from scanner.stages.examine import EXAMINERS
from scanner.stages.relate import AGAIN
from scanner.stages.session import Session

_COMPILED = 7_000
"""Bytes of a dump that are looked at word by word in the time that one piece takes to be compiled:
an RSA key has 20,000 in all its spellings, and a small dump is not worth that."""

_BEGIN = 2 * len("-----BEGIN RSA PRIVATE KEY-----") + 1
"""Bytes of the longest first line of a PEM text, in UTF-16 of either order."""

MOST_SHARED = 4
"""Needles on whose behalf a piece is looked for: what more have in common is no key's own."""

FEWEST_VALUES = 8
"""Different byte values in a piece: fewer (zeros of a short number) could be anything."""

_VARIED_SHORT = 6
"""The same in a short piece that is all there is of a copy."""

_FEWEST_SHORT = 3
"""The same in a short piece: of UTF-16, four digits and zeros; or a digit in a cell."""


@dataclass(frozen=True, repr=False, eq=False)  # no slots: two properties are made when needed
class _Haystack:
    """What a worker searches for, made once for all its tasks. Stays in the worker."""

    needles: tuple[Needle, ...]
    pieces: tuple[tuple[int, int, int], ...]
    """Needle, offset in it and size of each piece."""

    def piece(self, index: int) -> bytes:
        """Return the bytes of a piece."""
        needle, at, size = self.pieces[index]
        return self.needles[needle].value[at : at + size]

    @cached_property
    def sweeper(self) -> Sweeper:
        """What finds pieces in any bytes."""
        return open_sweeper(compile_literals([*map(self.piece, range(len(self.pieces)))]))

    @cached_property
    def heads(self) -> words.Table:
        """The first word of each piece."""
        return words.table(words.firsts(map(self.piece, range(len(self.pieces)))))


def trace(
    session: Session, candidates: tuple[Candidate, ...], task: tuple[Place, ...]
) -> tuple[Sighting, ...]:
    """Return every sighting of the candidates' private numbers that has a piece in the task."""
    sought = _sought(session, candidates, texts=True)
    if not sought.pieces:
        return ()
    found = _verified(session.memory, sought, _sweep(session.memory, sought, task))
    apart = _apart(session.memory, sought, task)
    return tuple(sorted({*found, *apart, *_listed(session.memory, sought, task)}))


def trace_runs(
    session: Session, candidates: tuple[Candidate, ...], runs: Runs
) -> tuple[Sighting, ...]:
    """Return every sighting of the candidates' private numbers that has a piece in the runs."""
    session.kept.pop(pool.Pool, None)  # what was related takes as much room as what is loaded here
    sought = _sought(session, candidates, texts=False)
    if not sought.pieces:
        return ()
    return _verified(session.memory, sought, _look(session.memory, sought, runs))


def repeated(
    session: Session, candidates: tuple[Candidate, ...], texts: Collection[str]
) -> frozenset[str]:
    """Return which texts have a piece of the candidates' private numbers, in whatever spelling."""
    sought = _sought(session, candidates, texts=True)
    session.kept.pop(_sought)  # nobody else asks for these
    pieces = set(map(sought.piece, range(len(sought.pieces))))
    sizes = {size for _, _, size in sought.pieces}
    return frozenset(
        text
        for text in texts
        for raw in (text.encode("utf-8", "surrogatepass"),)
        if any(raw[at : at + size] in pieces for size in sizes for at in range(len(raw)))
    )


def _verified(
    memory: Memory, sought: _Haystack, hits: Iterator[tuple[int, int, int]]
) -> tuple[Sighting, ...]:
    """Return what stands around the pieces that were hit."""
    starts = {
        (sought.pieces[hit][0], space, offset - sought.pieces[hit][1])
        for hit, space, offset in hits
    }
    found: set[Sighting] = set()
    for index, space, start in sorted(starts):
        found.update(_sightings(memory, sought.needles[index], space, start))
    return tuple(sorted(found))


def _sought(session: Session, candidates: tuple[Candidate, ...], *, texts: bool) -> _Haystack:
    """Return what the candidates' numbers look like, made once for all calls in a row."""
    kept = session.kept.pop(_sought, None)
    if isinstance(kept, tuple) and kept[:2] == (candidates, texts):
        session.kept[_sought] = kept
        known: _Haystack = kept[2]
        return known
    del kept
    needles = tuple(
        needle for candidate in candidates for needle in _needles(session, candidate, texts=texts)
    )
    cut = _short_pieces if texts else _pieces
    pieces = []
    shared: Counter[bytes] = Counter()
    for index, needle in enumerate(needles):
        for at, size in cut(needle) if not needle.apart else ():
            shared[needle.value[at : at + size]] += 1
            if shared[needle.value[at : at + size]] <= MOST_SHARED:
                pieces.append((index, at, size))
    sought = _Haystack(needles, tuple(pieces))
    session.kept[_sought] = (candidates, texts, sought)
    return sought


def _pieces(needle: Needle) -> list[tuple[int, int]]:
    """Return the offset and size of each piece that is looked for in runs."""
    size, fewest = (SHORT, _FEWEST_SHORT) if needle.cell else (PIECE, FEWEST_VALUES)
    last = len(needle.value) - size
    return [
        (at, size)
        for at in range(0, last + 1, PIECE * needle.stride)
        if len(set(needle.value[at : at + size])) >= fewest
    ]


def _short_pieces(needle: Needle) -> list[tuple[int, int]]:
    """Return the offset and size of each piece that is looked for where every byte is."""
    fewest = _VARIED_SHORT if needle.least == SHORT else _FEWEST_SHORT
    return [
        (at, SHORT)
        for at in range(0, len(needle.value) - SHORT + 1, max(needle.least - SHORT, 1))
        if len(set(needle.value[at : at + SHORT])) >= fewest
    ]


def _sweep(
    memory: Memory, sought: _Haystack, task: tuple[Place, ...]
) -> Iterator[tuple[int, int, int]]:
    """Yield (piece, space, offset in it) of every literal; windows overlap by more than a piece."""
    compiled = len(sought.pieces) * _COMPILED <= int(memory.map.size.sum())
    for window in windows(memory, task):
        if compiled:
            hits = sought.sweeper.sweep(window.buffer.data)
        else:
            hits = list(words.find(window.buffer, sought.heads))
        starts = [segment.at for segment in window.segments]
        for piece, at in hits:
            segment = window.segments[bisect_right(starts, at) - 1]
            if segment.at <= at < segment.at + segment.size:
                yield piece, segment.space, segment.offset + at - segment.at


def _apart(memory: Memory, sought: _Haystack, task: tuple[Place, ...]) -> Iterator[Sighting]:
    """Yield each whole number of which every byte stands in a word of its own."""
    needles = {needle.value: needle for needle in sought.needles if needle.apart}
    sizes = {len(value) for value in needles}
    for window in windows(memory, task) if sizes else ():
        starts = [segment.at for segment in window.segments]
        for first, last in np.column_stack(spaced.find(window.buffer, [(0, len(window.buffer))])):
            raw = spaced.read(window.buffer[first:last].tobytes()) or b""
            stride = (last - first) // max(len(raw), 1)
            segment = window.segments[max(bisect_right(starts, first) - 1, 0)]
            inside = segment.at <= first < segment.at + segment.size
            spots = ((at, size) for size in sizes for at in range(len(raw) - size + 1))
            for at, size in spots if inside else ():
                needle = needles.get(raw[at : at + size])
                if needle is not None:
                    offset = segment.offset + first - segment.at + at * stride
                    place = Place(space=segment.space, offset=int(offset), size=size * int(stride))
                    yield Sighting(
                        fingerprint=needle.fingerprint,
                        encoding=f"{needle.encoding} {spaced.FORM}",
                        place=place,
                    )


def _listed(memory: Memory, sought: _Haystack, task: tuple[Place, ...]) -> Iterator[Sighting]:
    """Yield each number, or part of one, whose bytes a text lists, the last one first too."""
    values = [
        (needle, value)
        for needle in sought.needles
        if needle.apart
        for value in (needle.value, needle.value[::-1])
    ]
    pieces = {
        value[at : at + SHORT]: (needle, value, at)
        for needle, value in values
        for at in range(0, len(value) - SHORT + 1, SHORT)
        if len(set(value[at : at + SHORT])) >= _VARIED_SHORT
    }
    for window in windows(memory, task) if pieces else ():
        for row in () if window.hole else listed.find(window.buffer):
            end, spans = 0, None
            for at in range(len(row.data) - SHORT + 1):
                hit = pieces.get(row.data[at : at + SHORT])
                if hit is None or at < end:
                    continue
                needle, value, spot = hit
                before = row.data[max(at - spot, 0) : at]
                first = at - _alike(before[::-1], value[:spot][::-1])
                end = at + _alike(row.data[at : at + len(value)], value[spot:])
                if end - first < PIECE:
                    continue
                whole = end - first == len(value)
                spans = spans or row.spans()
                for place in _owned(window, spans[first][0], spans[end - 1][1]):
                    yield Sighting(
                        fingerprint=needle.fingerprint,
                        encoding=f"{needle.encoding} {listed.FORM}" + ("" if whole else PARTLY),
                        place=place,
                    )


def _alike(one: bytes, other: bytes) -> int:
    """Return how many bytes two texts have in common at their beginning."""
    size = min(len(one), len(other))
    differ = (at for at in range(size) if one[at] != other[at])
    return next(differ, size)


def _owned(window: Window, start: int, end: int) -> Iterator[Place]:
    """Yield where a stretch of a window lies, from what the window owns of it on."""
    behind = bisect_right([segment.at for segment in window.segments], start)
    for segment in window.segments[max(behind - 1, 0) : behind + 1]:
        first = max(start, segment.at)
        last = min(end, segment.at + segment.size + TRAIL)
        if first < min(end, segment.at + segment.size):
            offset = segment.offset + first - segment.at
            yield Place(space=segment.space, offset=offset, size=last - first)


def _look(memory: Memory, sought: _Haystack, runs: Runs) -> Iterator[tuple[int, int, int]]:
    """Yield (piece, space, offset in it) of every piece in the runs, or near them."""
    loaded = pool.load(memory, runs, pool.SECTION)
    for index, position in words.find(loaded.data, sought.heads):
        if words.stands(loaded.data, position, sought.piece(index)):
            place = loaded.place(position, PIECE)
            yield index, place.space, place.offset


def _sightings(memory: Memory, needle: Needle, space: int, start: int) -> Iterator[Sighting]:
    """Yield each maximal stretch, of a piece or more, in which memory holds the number."""
    size = len(needle.value)
    first = max(start, 0)
    there = needle.cleared(memory.clip(space, first, start + size - first), first - start)
    wanted = needle.value[first - start : first - start + len(there)]
    at = 0
    while at < len(there):
        if there[at] != wanted[at]:
            at += 1
            continue
        end = at
        while end < len(there) and there[end] == wanted[end]:
            end += 1
        if end - at >= needle.least and _tells(wanted[at:end]):
            yield Sighting(
                fingerprint=needle.fingerprint,
                encoding=needle.encoding + ("" if end - at == size else PARTLY),
                place=Place(space=space, offset=first + at, size=end - at),
            )
        at = end


def _tells(stretch: bytes) -> bool:
    """Tell whether a stretch is more than zeros at an end of a number."""
    return len(stretch) >= PIECE or len(set(stretch)) >= _VARIED_SHORT


def _needles(session: Session, candidate: Candidate, *, texts: bool) -> Iterator[Needle]:
    memory, name = session.memory, candidate.fingerprint.value
    if candidate.kind == "token":
        (place,) = candidate.places
        yield from of_token(name, memory.clip(place.space, place.offset, place.size))
        return
    material = again(session, candidate)
    if material is not None:
        yield from of_key(name, material, memory.map.byte_order, texts=texts)


def again(session: Session, candidate: Candidate) -> Material | None:
    """Prove a candidate once more from its places; None where the bytes do not say it again."""
    detector = next(rule.detector for rule in session.rules if rule.id == candidate.rule)
    if detector not in dict(AGAIN):
        return _written(session, candidate).get(candidate.fingerprint)
    found = dict(AGAIN)[detector](session.memory, candidate)
    return next((key for key in found if describe(key).fingerprint == candidate.fingerprint), None)


def _written(session: Session, candidate: Candidate) -> dict[Fingerprint, Material]:
    """Return the keys that are written where a candidate is, read once for all that are.

    One text, packed or in base64, may hold thousands; the keys of the last one are kept.
    """
    which = candidate.rule, candidate.places[0]
    kept = session.kept.get(_written)
    if isinstance(kept, tuple) and kept[0] == which:
        known: dict[Fingerprint, Material] = kept[1]
        return known
    keys = [one.material for one in examined(session, candidate) if isinstance(one, Proved)]
    found = {describe(key).fingerprint: key for key in reversed(keys)}
    session.kept[_written] = (which, found)
    return found


def examined(session: Session, candidate: Candidate) -> Iterator[Proved | PublicKey | Sealed]:
    """Read once more what is written at a candidate's first place."""
    rule = next(rule for rule in session.rules if rule.id == candidate.rule)
    place = candidate.places[0]
    offset = place.offset
    if rule.detector in ("pem", "fragment"):
        offset += _mark(session.memory.clip(place.space, offset, _BEGIN))
    yield from dict(EXAMINERS)[rule.detector](session.memory, place.space, offset, rule)


def _mark(head: bytes) -> int:
    """Return where in the first line of a PEM text its anchor starts."""
    wide = pem.MARK.decode().encode("utf-16-le")
    return max(head.find(pem.MARK), head.find(wide), 0)
