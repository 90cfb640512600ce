"""Encrypted keys whose passphrase lies in the same dump: opened, and so keys like any other.

Texts of the dump are tried on each lock, the cheapest lock first, as long as a stated budget lasts.
It counts what tries cost by a table, never a clock, so that a scan says the same on any machine.
That none was found says little, for few of the dear ones can be tried; what opens was opened, and
its numbers are as good as those that lie open. Of the passphrase nothing is said, not even where it
lies; a few that everybody tries first are tried first here.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from scanner.detect.asn1.keys import Parsed
from scanner.detect.locked import phrases
from scanner.detect.locked.locks import Lock
from scanner.detect.locked.sealed import Sealed
from scanner.dump import space
from scanner.model import Place
from scanner.stages.session import Session

BUDGET, BUDGET_DEEP = 1_000_000, 32_000_000
"""Microseconds, by the table, that are spent on tries for one dump."""

MOST_LOCKS = 256
"""Different locks of one dump that are tried, the first."""

BYTES, BYTES_DEEP = 16 << 20, 1 << 30
"""Bytes in which texts are looked for: around keys, then what is writable, then the rest."""

AROUND = 64 << 10
"""Bytes before and behind a key that are looked at first."""

USUAL = ("", "changeit", "changeme", "notasecret", "password")
"""What everybody tries first: none at all, those of Java's stores, and of Google's."""

IN_DUMP, WELL_KNOWN = "its passphrase stands in this dump", "its passphrase is one that all know"
NONE = "it has no passphrase"


def unlock(session: Session, sealed: Sequence[Sealed]) -> Iterator[tuple[Sealed, Parsed, str]]:
    """Yield what was opened: the encrypted key, the key behind it, and how it was opened."""
    waiting = _locked(sealed)
    if not waiting:
        return
    deep = session.target.deep
    places = [group[0].candidate.places[0] for _, group in waiting]
    stretches = _stretches(session, places, BYTES_DEEP if deep else BYTES)
    texts = phrases.gather(session.memory, stretches, places)
    there = frozenset(texts)
    left = BUDGET_DEEP if deep else BUDGET
    good: list[str] = []
    for number, (lock, group) in enumerate(waiting):
        tries = left // (len(waiting) - number) // lock.cost
        for phrase in itertools.islice(itertools.chain(good, USUAL, texts), tries):
            left -= lock.cost
            opened = lock.opens(phrase)
            if opened is not None:
                good = list(dict.fromkeys((phrase, *good)))
                how = NONE if not phrase else IN_DUMP if phrase in there else WELL_KNOWN
                yield from ((one, opened, how) for one in group)
                break


def _locked(sealed: Sequence[Sealed]) -> list[tuple[Lock, list[Sealed]]]:
    """Return the different locks, the cheapest first, each with the copies of its key."""
    groups: dict[bytes, tuple[Lock, list[Sealed]]] = {}
    for one in sealed:
        if one.lock is not None and (one.value in groups or len(groups) < MOST_LOCKS):
            groups.setdefault(one.value, (one.lock, []))[1].append(one)
    return sorted(groups.values(), key=lambda row: row[0].cost)


def _stretches(session: Session, keys: Sequence[Place], most: int) -> Iterator[Place]:
    """Yield where texts are looked for: at most so many bytes, the likeliest places first."""
    for place in itertools.chain(
        (
            Place(space=k.space, offset=max(k.offset - AROUND, 0), size=k.size + 2 * AROUND)
            for k in keys
        ),
        _regions(session, writable=True),
        _bare(session),
        _regions(session, writable=False),
    ):
        size = min(place.size, most)
        if size <= 0:
            return
        most -= size
        yield replace(place, size=size)


def _regions(session: Session, *, writable: bool) -> Iterator[Place]:
    """Yield the regions that may be written to, as far as the dump says, or the others."""
    for region in session.survey.layout.regions:
        found = space.find(session.memory.map, region.start)
        if found is not None and ("w" in region.perms or not region.perms) == writable:
            yield Place(space=found[0], offset=found[1], size=region.size)


def _bare(session: Session) -> Iterator[Place]:
    """Yield what has no address: headers, notes with arguments, streams, whole files of bytes."""
    spaces = session.memory.map
    for index in range(len(spaces.size)):
        if not spaces.addressed[index]:
            yield Place(space=index, offset=0, size=int(spaces.size[index]))
