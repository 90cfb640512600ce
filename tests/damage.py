"""Ways in which a dump is damaged: cut where its tables say that something ends, bits turned.

For the tests, and for ``benchmarks/check_damage.py``, which takes more of each.
"""

import random
from collections.abc import Iterator

from scanner.dump.ledger import tables
from scanner.model import Layout

LOSSES = frozenset({"slack", "stream secondary data", "section headers"})
"""What a dump may lose at its end and be whole for anybody who reads it."""


def edges(layout: Layout, size: int) -> list[int]:
    """Return where something that a dump names begins or ends, and the bytes beside, in order."""
    marks = {0, size}
    for place in (*layout.regions, *layout.labels):
        marks |= {place.file_offset, place.file_offset + place.size}
    return sorted({at + step for at in marks for step in (-1, 0, 1) if 0 <= at + step < size})


def cuts(layout: Layout, size: int, count: int, seed: int) -> list[int]:
    """Return sizes to cut a dump to: at the edges, ``count`` at most, and as many anywhere."""
    choice = random.Random(seed)  # noqa: S311 - damage that can be repeated
    found = edges(layout, size)
    if len(found) > count:
        found = choice.sample(found, count)
    return sorted({*found, *(choice.randrange(size) for _ in range(count))})


def needed(layout: Layout) -> int:
    """Return the offset behind the last byte that a table of the dump claims."""
    named = [label for label in layout.labels if label.name not in LOSSES]
    return max((p.file_offset + p.size for p in (*layout.regions, *named)), default=0)


def flipped(data: bytes, layout: Layout, count: int, seed: int) -> Iterator[tuple[int, bytes]]:
    """Yield ``count`` dumps with one bit of headers and tables turned, and where it was."""
    choice = random.Random(seed)  # noqa: S311 - damage that can be repeated
    spans = tables(layout) or [(0, min(64, len(data)))]
    sizes = [min(end, len(data)) - start for start, end in spans]
    for _ in range(count):
        start, end = choice.choices(spans, sizes)[0]
        at = choice.randrange(start, min(end, len(data)))
        out = bytearray(data)
        out[at] ^= 1 << choice.randrange(8)
        yield at, bytes(out)
