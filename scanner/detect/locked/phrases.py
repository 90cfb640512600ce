"""Texts of a dump that may be the passphrase of a key in it, the likeliest first.

A process that opens a key had its passphrase, as a line of configuration, an argument, a variable
of its environment, or a string beside the key. Runs of printable ASCII are taken, in one and in two
bytes a character (UTF-16LE), of stated lengths and up to stated counts: no dictionary, no changed
spellings, no other alphabets. Likely is what follows a word like ``password``, then what stands
near a key, then what stands alone where an allocation begins, words of mixed characters before
others, then whatever comes often. The texts are secrets: they stay in the process that read them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets
from scanner.detect.asn1.der import Memory
from scanner.model import Place

SHORTEST, LONGEST = 4, 64
"""Characters of a passphrase that is tried."""

MOST = 400_000
"""Texts of one dump."""

NEAR = 4096
"""Bytes between a text and a key that it is near to."""

_CHUNK, _OVERLAP = 1 << 20, 1 << 10
_LINE = 4096
"""Characters of a run that are searched for a name and its value."""

_FOLLOW = 2
"""Runs behind one that ends in a name which may be its value."""

_WORD = rb"(?:pass|pwd|secret|phrase|\bpin\b)"
_QUOTE = rb"(?:\\{0,3}[\"'])?"
_NAMED = re.compile(
    rb"%b[\w.\-]{0,24}%b[ \t]{0,2}[=: >,][ \t]{0,2}%b([^\"'<>\\]{4,64})" % (_WORD, _QUOTE, _QUOTE),
    re.IGNORECASE,
)
"""A name, what parts it from its value, and the value: as properties, JSON, XML, arguments."""
_ENDS = re.compile(rb"[,;&]")
"""What parts a value from the next, if it is no part of it: settings, forms."""

_NAME = re.compile(rb"[\w.\- ]{0,32}" + _WORD + rb"[\w.\-]{0,16}[:=]?[ ]?", re.IGNORECASE)
_UNLIKELY = re.compile(rb"[/.%\\<{(\[]|[A-Za-z0-9+/=_-]{40,}|[A-Za-z_]+[_.:][\w.:]*$")
"""Paths, formats, code, base64, names of functions."""

_KINDS = tuple(map(re.compile, (rb"[a-z]", rb"[A-Z]", rb"[0-9]", rb"[^A-Za-z0-9 ]")))
"""Of these, what people are told to make passwords of has three."""

NAMED, BESIDE, MIXED, ALONE, OTHER, UNLIKELY = range(6)


_PRINTABLE = np.zeros(256, np.bool_)
_PRINTABLE[32:127] = True


@dataclass(slots=True, repr=False)
class _Seen:
    """What is known of one text: how likely it is, and how often it came."""

    tier: int
    distance: int
    count: int = 1


@dataclass(slots=True, repr=False)
class _Tally:
    texts: dict[bytes, _Seen] = field(default_factory=dict)

    def add(self, text: bytes, tier: int, distance: int) -> None:
        seen = self.texts.get(text)
        if seen is not None:
            seen.tier, seen.distance = min(seen.tier, tier), min(seen.distance, distance)
            seen.count += 1
        elif len(self.texts) < MOST:
            self.texts[text] = _Seen(tier, distance)


def gather(memory: Memory, stretches: Iterable[Place], keys: Sequence[Place]) -> list[str]:
    """Return the texts of the stretches that may be passphrases of the keys, likeliest first."""
    tally = _Tally()
    for stretch in stretches:
        mine = [key for key in keys if key.space == stretch.space]
        end = stretch.offset + stretch.size
        for at in range(stretch.offset, end, _CHUNK):
            raw = memory.clip(stretch.space, at, min(_CHUNK + _OVERLAP, end - at))
            data = np.frombuffer(raw, np.uint8)
            if data.any():
                _narrow(tally, data, raw, at, mine)
                _wide(tally, data, at, mine)
    ordered = sorted(tally.texts.items(), key=lambda row: _rank(row[1]))
    return [text.decode("ascii") for text, _ in ordered]


def _rank(seen: _Seen) -> tuple[int, int, int]:
    return seen.tier, seen.distance, -seen.count


def _runs(mask: Flags) -> tuple[Offsets, Offsets]:
    """Return where the runs of a mask begin and end, those of SHORTEST and more."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    starts, ends = edges[::2], edges[1::2]
    long = ends - starts >= SHORTEST
    return starts[long], ends[long]


def _narrow(tally: _Tally, data: Bytes, raw: bytes, at: int, keys: list[Place]) -> None:
    starts, ends = _runs(_PRINTABLE[data])
    alone = np.zeros(len(starts), np.bool_)
    inside = (starts > 0) & (ends < len(data))
    before, behind = data[starts[inside] - 1], data[ends[inside]]
    alone[inside] = (before == 0) & (behind == 0) & ((starts[inside] + at) % 8 == 0)
    far = _distances(starts + at, ends + at, keys)
    texts = (raw[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True))
    _take(tally, zip(texts, alone.tolist(), far.tolist(), strict=True))


def _wide(tally: _Tally, data: Bytes, at: int, keys: list[Place]) -> None:
    for parity in (0, 1):
        pairs = data[parity:][: (len(data) - parity) & ~1].view("<u2")
        starts, ends = _runs((pairs >= 32) & (pairs < 127))
        low = pairs.astype(np.uint8).tobytes()
        first = at + parity
        far = _distances(2 * starts + first, 2 * ends + first, keys)
        alone = (2 * starts + first) % 4 == 0
        texts = (low[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True))
        _take(tally, zip(texts, alone.tolist(), far.tolist(), strict=True))


def _distances(starts: Offsets, ends: Offsets, keys: list[Place]) -> Offsets:
    """Return how far each run is from the nearest key; -1 for what lies in one."""
    nearest = np.full(len(starts), NEAR, np.int64)
    for key in keys:
        gap = np.maximum(key.offset - ends, starts - key.offset - key.size)
        nearest = np.minimum(nearest, np.where(gap < 0, -1, gap))
    return nearest


def _take(tally: _Tally, runs: Iterator[tuple[bytes, bool, int]]) -> None:
    """Add what the runs hold, in their order."""
    follow = 0
    for text, alone, distance in runs:
        if distance < 0:  # the text in which the key stands, or around it: JSON, a form
            for end in (text[:_LINE], text[_LINE:][-_LINE:]):
                _take_named(tally, end, 0)
            continue
        named = follow > 0
        follow -= named
        if len(text) <= LONGEST:
            tally.add(
                text, NAMED if named else _tier(text, alone=alone, near=distance < NEAR), distance
            )
            if _NAME.fullmatch(text):
                follow = _FOLLOW
        _take_named(tally, text[:_LINE], distance)
        _, equals, value = text[:_LINE].partition(b"=")
        if equals and SHORTEST <= len(value) <= LONGEST:
            tally.add(value, _tier(value, alone=False, near=distance < NEAR), distance)


def _take_named(tally: _Tally, text: bytes, distance: int) -> None:
    """Add the values that a name announces."""
    for match in _NAMED.finditer(text):
        value = match[1]
        tally.add(value, NAMED, distance)
        for piece in (value.split()[:1], _ENDS.split(value.rstrip(b" ,;}"))[:1]):
            if piece and SHORTEST <= len(piece[0]) <= LONGEST:
                tally.add(piece[0], NAMED, distance)


def _tier(text: bytes, *, alone: bool, near: bool) -> int:
    if _UNLIKELY.match(text):
        return UNLIKELY
    if near:
        return BESIDE
    if not alone:
        return OTHER
    return MIXED if sum(kind.search(text) is not None for kind in _KINDS) > 2 else ALONE
