"""Stage three: where else does a proved key lie, whole or in pieces.

Proofs need one place of each number; whoever redacts or rotates needs all of them. Each worker
proves the keys again from their places, derives every private number in every reading, and looks
for their 16-byte pieces: a copy that lost its first bytes to the allocator, or was cut by the end
of a region, is found by what is left. A number looks random wherever it stands, so a scan looks
into the random-looking runs alone; tokens are text, and whoever overwrites copies wants certainty:
for these a task is swept, every byte of it. Nothing but places leaves.
"""

import base64
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scanner.detect import pem, pool, readings
from scanner.detect.anchors import Sweeper, compile_literals, open_sweeper
from scanner.detect.keys import Proved
from scanner.detect.limbs import Runs
from scanner.detect.material import Ec, Ffc, Material, Okp, Pqc, Rsa, describe
from scanner.detect.relations import edwards, words
from scanner.detect.relations.curves import CURVES
from scanner.dump.space import Memory
from scanner.dump.windows import windows
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Candidate, Place
from scanner.stages.examine import EXAMINERS
from scanner.stages.relate import AGAIN
from scanner.stages.session import Session

PIECE = 16
"""Bytes of a number that are searched for at once: chance finds none in 10**38."""

_COMPILED = 7_000
"""Bytes of a dump that are looked at word by word in the time that one piece takes to be compiled:
an RSA key has 20,000 in all its spellings, and a small dump is not worth that."""

_SHORT = 8
"""Bytes that are searched for where every byte is looked at: so far apart that each stretch of a
number that is more than chance holds eight of them, whatever it begins with."""

_DIGIT_STRIDE = 4

_CELLS = 4
"""Digits in a row that are more than chance, where a tag stands behind each."""

_BEGIN = 2 * len("-----BEGIN RSA PRIVATE KEY-----") + 1
"""Bytes of the longest first line of a PEM text, in UTF-16 of either order."""

MOST_SHARED = 4
"""Needles on whose behalf a piece is looked for: what more have in common is no key's own."""

FEWEST_VALUES = 8
"""Different byte values in a piece: fewer (zeros of a short number) could be anything."""

_VARIED_SHORT = 6
"""The same in a short piece that is all there is of a copy."""

_MOST_DECIMAL = 1024
"""Bytes of a number that is looked for in decimal: Python writes no longer ones down at once."""

_SCALAR = 66
"""Bytes of the longest number of which a word counts: registers push a scalar word by word."""

_WEB_TOKEN = b"eyJ"
_URL_ALPHABET = bytes.maketrans(b"+/", b"-_")

_FEWEST_SHORT = 3
"""The same in a short piece: of UTF-16, four digits and zeros."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Sighting:
    """One copy of a private number, or of a part of it."""

    fingerprint: str
    """Of its key."""
    encoding: str
    """The number and its reading: ``p limbs-le``; ``(part)`` where some of it is missing."""
    place: Place


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Needle:
    fingerprint: str
    encoding: str
    value: bytes
    stride: int = 1
    """Of so many pieces one is searched for in runs: digits are rarer than limbs, and longer."""
    least: int = PIECE
    """Bytes of a part that are more than chance."""


@dataclass(frozen=True, repr=False, eq=False)  # no slots: two properties are made when needed
class _Haystack:
    """What a worker searches for, made once for all its tasks. Stays in the worker."""

    needles: tuple[_Needle, ...]
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
        rows = [int.from_bytes(self.piece(i)[:8], "little") for i in range(len(self.pieces))]
        return words.table(np.array(rows, np.uint64))


def trace(
    session: Session, candidates: tuple[Candidate, ...], task: tuple[Place, ...]
) -> tuple[Sighting, ...]:
    """Return every sighting of the candidates' private numbers that has a piece in the task."""
    sought = _sought(session, candidates, texts=True)
    if not sought.pieces:
        return ()
    return _verified(session.memory, sought, _sweep(session.memory, sought, task))


def trace_runs(
    session: Session, candidates: tuple[Candidate, ...], runs: Runs
) -> tuple[Sighting, ...]:
    """Return every sighting of the candidates' private numbers that has a piece in the runs."""
    session.kept.pop(pool.Pool, None)  # what was related takes as much room as what is loaded here
    sought = _sought(session, candidates, texts=False)
    if not sought.pieces:
        return ()
    return _verified(session.memory, sought, _look(session.memory, sought, runs))


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
    """Return what the candidates' numbers look like, made once for all calls."""
    kept = session.kept.get((candidates, texts))
    if isinstance(kept, _Haystack):
        return kept
    needles = tuple(
        n for candidate in candidates for n in _needles(session, candidate, texts=texts)
    )
    cut = _short_pieces if texts else _pieces
    pieces = []
    shared: Counter[bytes] = Counter()
    for index, needle in enumerate(needles):
        for at, size in cut(needle):
            shared[needle.value[at : at + size]] += 1
            if shared[needle.value[at : at + size]] <= MOST_SHARED:
                pieces.append((index, at, size))
    session.kept[candidates, texts] = sought = _Haystack(needles, tuple(pieces))
    return sought


def _pieces(needle: _Needle) -> list[tuple[int, int]]:
    """Return the offset and size of each piece that is looked for in runs."""
    last = len(needle.value) - PIECE
    return [
        (at, PIECE)
        for at in range(0, last + 1, PIECE * needle.stride)
        if len(set(needle.value[at : at + PIECE])) >= FEWEST_VALUES
    ]


def _short_pieces(needle: _Needle) -> list[tuple[int, int]]:
    """Return the offset and size of each piece that is looked for where every byte is."""
    fewest = _VARIED_SHORT if needle.least == _SHORT else _FEWEST_SHORT
    return [
        (at, _SHORT)
        for at in range(0, len(needle.value) - _SHORT + 1, max(needle.least - _SHORT, 1))
        if len(set(needle.value[at : at + _SHORT])) >= fewest
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
        for segment in window.segments if hits else ():
            for piece, at in hits:
                if segment.at <= at < segment.at + segment.size:
                    yield piece, segment.space, segment.offset + at - segment.at


def _look(memory: Memory, sought: _Haystack, runs: Runs) -> Iterator[tuple[int, int, int]]:
    """Yield (piece, space, offset in it) of every piece in the runs, or near them."""
    loaded = pool.load(memory, runs, pool.SECTION)
    for index, position in words.find(loaded.data, sought.heads):
        if words.stands(loaded.data, position, sought.piece(index)):
            place = loaded.place(position, PIECE)
            yield index, place.space, place.offset


def _sightings(memory: Memory, needle: _Needle, space: int, start: int) -> Iterator[Sighting]:
    """Yield each maximal stretch, of a piece or more, in which memory holds the number."""
    size = len(needle.value)
    first = max(start, 0)
    there = memory.clip(space, first, start + size - first)
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
                encoding=needle.encoding + ("" if end - at == size else " (part)"),
                place=Place(space=space, offset=first + at, size=end - at),
            )
        at = end


def _tells(stretch: bytes) -> bool:
    """Tell whether a stretch is more than zeros at an end of a number."""
    return len(stretch) >= PIECE or len(set(stretch)) >= _VARIED_SHORT


def _needles(session: Session, candidate: Candidate, *, texts: bool) -> Iterator[_Needle]:
    if candidate.kind == "token":
        yield from _token(session.memory, candidate)
        return
    material = _again(session, candidate)
    if material is None:
        return
    name = candidate.fingerprint.value
    if texts:
        yield from _spelled_as_text(name, material)
    for number, value, size in _numbers(material):
        for reading in readings.table(session.memory.map.byte_order):
            spelled = readings.encode(reading, value, 8 * size)
            stride = _DIGIT_STRIDE if reading.packed else 1
            least = _least(reading, short=texts and size <= _SCALAR)
            yield _Needle(name, f"{number} {reading.name}", spelled, stride, least=least)
    if isinstance(material, Okp):
        for number, raw in edwards.spelled(material):
            yield _Needle(name, number, raw, least=_SHORT if texts else PIECE)
    if isinstance(material, Pqc):
        for number, raw in (("seed", material.seed), ("expanded", material.expanded)):
            yield _Needle(name, number, raw)


def _least(reading: readings.Reading, *, short: bool) -> int:
    """Return the bytes of a part of a number in a reading that are more than chance."""
    if reading.cell:
        return _CELLS * reading.cell + _SHORT
    return _SHORT if short and not reading.packed else PIECE


def _spelled_as_text(name: str, material: Material) -> Iterator[_Needle]:
    """Yield the private numbers of a key in hex, and in base64 at each phase, ASCII and UTF-16LE.

    Of base64 what neighbouring bytes have a part in is left out.
    """
    rows = [(number, value.to_bytes(size, "big")) for number, value, size in _numbers(material)]
    if isinstance(material, Okp):
        rows += edwards.spelled(material)
    if isinstance(material, Pqc):
        rows += [("seed", material.seed), ("expanded", material.expanded)]
    for number, raw in rows:
        digits, shifted = raw.hex(), [base64.b64encode(bytes(at) + raw)[4:-4] for at in range(3)]
        spelled = [("hex", digits.encode()), ("hex", digits.upper().encode())]
        spelled += [("hex", raw.hex(":").encode())]
        if len(raw) <= _MOST_DECIMAL:
            spelled += [("decimal", str(int.from_bytes(raw, "big")).encode())]
        spelled += [("base64", text) for text in shifted]
        spelled += [("base64url", text) for text in _of_urls(shifted)]
        for form, text in spelled:
            yield from _in_both_widths(name, f"{number} {form}", text)


def _token(memory: Memory, candidate: Candidate) -> Iterator[_Needle]:
    """Yield a token as text, and in base64: where nothing announces a copy, it is one still.

    What a web token begins with says how it is signed, and is the same in many.
    """
    (place,) = candidate.places
    raw = memory.clip(place.space, place.offset, place.size)
    text = raw[::2] if raw[1:2] == b"\0" else raw
    if text.startswith(_WEB_TOKEN):
        text = text[text.find(b".") + 1 :]
    name = candidate.fingerprint.value
    forms = [("text", text)]
    forms += [("base64", base64.b64encode(bytes(at) + text)[4:-4]) for at in range(3)]
    for form, value in forms:
        yield from _in_both_widths(name, form, value, wide=PIECE)


def _in_both_widths(
    name: str, said: str, text: bytes, *, wide: int = 2 * PIECE - 1
) -> Iterator[_Needle]:
    """Yield a text in one and in two bytes a character, of which ``wide`` bytes are a part.

    But for its first byte, a text in UTF-16BE is one in UTF-16LE a byte further on.
    """
    yield _Needle(name, said, text, least=min(PIECE, len(text)))
    doubled = text.decode("latin-1").encode("utf-16-le")
    yield _Needle(name, f"{said} utf-16le", doubled, least=min(wide, len(doubled) - 1))


def _of_urls(texts: list[bytes]) -> list[bytes]:
    """Return those texts in base64 that another alphabet writes otherwise, written so."""
    written = [text.translate(_URL_ALPHABET) for text in texts]
    return [text for text in written if text not in texts]


def _numbers(material: Material) -> list[tuple[str, int, int]]:
    """List (name, value, bytes) of the private numbers of a key."""
    match material:
        case Rsa(p=p, q=q, n=n, d=d, primes=primes):
            half, whole = _size(max(p, q)), _size(n)
            rows = [("p", p, half), ("q", q, half), ("d", d, whole)]
            if q > 1 and math.gcd(p, q) == 1:
                rows += [
                    ("dp", d % (p - 1), half),
                    ("dq", d % (q - 1), half),
                    ("qinv", pow(q, -1, p), half),
                    ("pinv", pow(p, -1, q), half),
                ]
            for prime in primes:
                rows += [("p", prime, _size(prime)), ("dp", d % (prime - 1), _size(prime))]
            return rows + [("d", other, whole) for other in _other_d(material)]
        case Ec(curve=curve, d=d):
            rows = [("d", d, FIELD_BYTES[curve])]
            if curve in CURVES:
                group = CURVES[curve]
                rows.append(("d montgomery", d * group.radix % group.n, group.size))
            return rows
        case Ffc(x=x):
            return [("x", x, _size(x))]
        case Okp() | Pqc():
            return []


def _other_d(key: Rsa) -> list[int]:
    """Return d modulo (p-1)(q-1) and modulo lcm(p-1, q-1): libraries keep either."""
    both = {pow(key.e, -1, order) for order in _orders(key) if math.gcd(key.e, order) == 1}
    return sorted(both - {key.d})


def _orders(key: Rsa) -> tuple[int, int]:
    return (key.p - 1) * (key.q - 1), math.lcm(key.p - 1, key.q - 1)


def _size(value: int) -> int:
    return (value.bit_length() + 7) // 8


def _again(session: Session, candidate: Candidate) -> Material | None:
    """Prove a candidate once more from its places; None where the bytes do not say it again."""
    rule = next(rule for rule in session.rules if rule.id == candidate.rule)
    for name, again in AGAIN:
        if name == rule.detector:
            found = again(session.memory, candidate)
            break
    else:
        place = candidate.places[0]
        offset = place.offset
        if rule.detector in ("pem", "fragment"):
            offset += _mark(session.memory.clip(place.space, offset, _BEGIN))
        examine = dict(EXAMINERS)[rule.detector]
        found = [
            proved.material
            for proved in examine(session.memory, place.space, offset, rule)
            if isinstance(proved, Proved)
        ]
    return next((key for key in found if describe(key).fingerprint == candidate.fingerprint), None)


def _mark(head: bytes) -> int:
    """Return where in the first line of a PEM text its anchor starts."""
    wide = pem.MARK.decode().encode("utf-16-le")
    return max(head.find(pem.MARK), head.find(wide), 0)
