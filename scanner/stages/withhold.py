"""Names that a dump gives, and that are not passed on because of what they hold.

A module, a member of an archive, the owner of a note or of a certificate may be called after a
secret, or be one. The rules that search the dump search its names too, before these leave the
worker; of what they find a name is withheld whole. A scan withholds more: names in whose bytes it
found something (``labels``). This module does not know what a dump means by a name, and in doubt it
withholds.
"""

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from scanner import regions
from scanner.detect.algebra import effort
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.credentials import kingfisher, tokens
from scanner.detect.register import Columns
from scanner.dump import space
from scanner.dump.archives.archive import MAX_MEMBER_NAME
from scanner.dump.draft import base_name
from scanner.dump.source import File, Identity
from scanner.dump.space import Memory
from scanner.labels import WITHHELD
from scanner.model import Candidate, Layout, Witness
from scanner.rules import Rule
from scanner.stages import naming, trace
from scanner.stages.calls import TOKENS
from scanner.stages.examine import EXAMINERS
from scanner.stages.session import Session, Survey

MOST_BYTES = 8 << 20
"""Bytes of names that are searched; every name behind them is withheld."""

MOST_HITS = 1 << 14
"""Anchors in names that are followed up; more of them are a dump made to have them."""

MOST_EFFORT = 10_000_000
"""Microseconds, by the table of ``effort``, that numbers in names may cost."""

_MARKED = (tokens.SURE, tokens.JWT)
"""The rules whose anchors stand in tokens, not beside them."""

_GAP = bytes(64)
_FILLING = b"7" * 64
"""What a name may have gone on with: digits that stand in the tail of each anchor that has one."""
_WORDS = re.compile(
    rb"(0x[0-9a-f]{1,8}|[A-Za-z][a-z]*[0-9]{0,3}([._-][A-Z]?[a-z]+[0-9]{0,3})*)%b\0" % _FILLING
)
"""What a name goes on with that is the beginning of no token: words, or the number of a type."""

MOST_CODED, MOST_COMPARED, AT_ONCE = 256, 256, 16
"""Names of public keys that may spell a secret, and keys with which these are compared, some at
once: where there are more, those names are withheld."""

_CODED = re.compile(r"[0-9A-Za-z+/_=:-]{16,}")

_HEX = re.compile(r"[0-9A-Fa-f]{48,}")
"""As many digits as the shortest private scalar has (P-192): names of files are shorter digests."""
_PIECE = re.compile(r"(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{12,}", re.IGNORECASE)
"""Of a name that is cut: a program's has 15 characters on Linux."""

_FOLDERS = re.compile(r"[/\\!]")
"""What parts the name of a member, in whose folders too nothing random is shown."""

_BASE64 = re.compile(r"[A-Za-z0-9+/=]{20,}")
_KINDS = tuple(map(re.compile, ("[A-Z]+", "[a-z]+", "[0-9]+")))
_MANY = 0.4
"""Runs of one kind, of all characters: random base64 has 0.6, words have 0.3."""
_APART = 20
"""Characters from slash to slash: random base64 has 64, paths have less."""
_CUT = re.compile(r"[A-Za-z0-9+/]{14,}")
_MIXED = tuple(map(re.compile, ("[A-Z]", "[a-z]", "[0-9][0-9+/]*[A-Za-z]")))
"""What no word has: large and small letters, and a number within."""


def survey(session: Session) -> Survey:
    """Say what the dump is, as :func:`scanner.stages.session.survey` does, without such names."""
    found = session.survey
    layout = found.layout
    members = [part.name for part in found.members]
    whole = [
        *(module.name for module in layout.modules),
        *(name for name, _ in regions.columns(layout.regions).kinds),
        *members,
    ]
    short = [
        layout.process,
        *(label.name for label in layout.labels),
        *filter(_may_be_cut, members),
    ]
    held = _held(session, dict.fromkeys(whole), dict.fromkeys(short))
    held |= {name for name in members if any(map(_random, _FOLDERS.split(name)))}
    if not held:
        return found
    parts = tuple(
        replace(part, name=f"member {number}, {WITHHELD}") if part.name in held else part
        for number, part in enumerate(found.members, 1)
    )
    return replace(found, layout=_without(layout, held), members=parts)


def named(
    session: Session,
    names: frozenset[str],
    hits: Columns,
    candidates: tuple[Candidate, ...] = (),
) -> tuple[Witness, ...]:
    """Return who bears witness to keys, as ``naming`` does, without such names.

    What public keys are called is withheld only if a rule finds something in it, or if it has a
    piece of one of the ``candidates``: identifiers of keys are often random.
    """
    found = naming.witnesses(session, names, hits)
    said = dict.fromkeys(chain.from_iterable((one.subject, one.kid) for one in found))
    held = _found_in(session, _Listing.of(said, {}))
    coded = {text for text in said if _CODED.search(text)} - held
    keys = candidates
    if len(keys) > AT_ONCE:  # those that are called so themselves
        called = {one.fingerprint.value for one in found if coded & {one.subject, one.kid}}
        keys = tuple(key for key in keys if key.fingerprint.value in called)
    if len(coded) > MOST_CODED or len(keys) > MOST_COMPARED:
        held |= coded
    for at in range(0, len(keys), AT_ONCE) if coded - held else ():
        held |= trace.repeated(session, keys[at : at + AT_ONCE], coded)
    return tuple(
        replace(
            one,
            subject=WITHHELD if one.subject in held else one.subject,
            kid="" if one.kid in held else one.kid,
        )
        for one in found
    )


def _without(layout: Layout, held: frozenset[str]) -> Layout:
    bases = {base_name(name) for name in held} - {""}
    process = layout.process
    if process and any(base.startswith(process) for base in bases):
        process = WITHHELD
    return replace(
        layout,
        modules=tuple(
            replace(m, name=WITHHELD) if m.name in held or base_name(m.name) in bases else m
            for m in layout.modules
        ),
        regions=regions.columns(layout.regions).renamed(
            lambda name: WITHHELD if name in held or base_name(name) in bases else name
        ),
        labels=tuple(
            replace(label, name=WITHHELD) if label.name in held else label
            for label in layout.labels
        ),
        process=process,
    )


def _held(session: Session, whole: dict[str, None], short: dict[str, None]) -> frozenset[str]:
    """Return the names to withhold; those of ``short`` may be the beginnings of longer ones."""
    held = {name for name in (*whole, *short) if _random(name)}
    held |= {name for name in short if _cut(name)}
    return frozenset(held | _found_in(session, _Listing.of(whole, short)))


def _found_in(session: Session, listing: "_Listing") -> frozenset[str]:
    """Return the names in which rules find something, and those that were not searched."""
    if not session.rules:
        return listing.left
    hits = [(session.rules[index], offset) for index, offset in session.sweeper.sweep(listing.data)]
    if len(hits) > MOST_HITS:
        return listing.left.union(listing.names)
    try:
        with effort.bounded(MOST_EFFORT):
            spans = list(_found(session, listing, hits))
    except effort.Spent:
        return listing.left.union(listing.names)
    return listing.left.union(*(listing.at(*span) for span in spans))


@dataclass(frozen=True, slots=True)
class _Listing:
    """Names one behind the other, each as UTF-8, and as UTF-16LE if it has more than ASCII."""

    data: bytes
    names: tuple[str, ...]
    starts: tuple[int, ...]
    first_short: int
    """Where in ``data`` the names begin that are followed by what they may have gone on with."""
    left: frozenset[str]
    """Names for which there was no room."""

    @staticmethod
    def of(whole: dict[str, None], short: dict[str, None]) -> "_Listing":
        data = bytearray()
        names: list[str] = []
        starts: list[int] = []
        left: set[str] = set()
        first_short = 0
        for group, filling in ((whole, b""), (short, _FILLING)):
            first_short = len(data)
            for name in group:
                if len(data) > MOST_BYTES:
                    left.add(name)
                    continue
                for codec in ("utf-8", "utf-16-le")[: 1 if name.isascii() else 2]:
                    names.append(name)
                    starts.append(len(data))
                    data += name.encode(codec, "surrogatepass") + filling + _GAP
                    data += bytes(-len(data) % 8)
        return _Listing(bytes(data), tuple(names), tuple(starts), first_short, frozenset(left))

    def is_word(self, offset: int) -> bool:
        """Tell whether a name ends in what is no token, nor the beginning of one."""
        return offset >= self.first_short and _WORDS.match(self.data, offset) is not None

    def at(self, first: int, end: int) -> Iterator[str]:
        """Yield the names that a range of the bytes touches."""
        low = max(bisect.bisect_right(self.starts, first) - 1, 0)
        yield from self.names[low : bisect.bisect_left(self.starts, end)]


def _found(
    session: Session, listing: _Listing, hits: list[tuple[Rule, int]]
) -> Iterator[tuple[int, int]]:
    """Yield the ranges of the listing in which rules find something that is not public."""
    file = File(_Bytes(listing.data))
    memory = Memory(space.build(Layout(format="raw"), file.size)[0], file)
    examiners = dict(EXAMINERS)
    crowd = [
        (rule, offset)
        for rule, offset in hits
        if rule.detector == TOKENS and not listing.is_word(offset)
    ]
    for rule, offset in hits:
        if rule.detector != TOKENS:
            for found in examiners[rule.detector](memory, 0, offset, rule):
                if not isinstance(found, PublicKey):
                    places = found.candidate.places
                    yield from ((place.offset, place.offset + place.size) for place in places)
    if not crowd:  # what knows tokens takes a third of a second to load
        return
    said = tokens.search(
        memory,
        np.zeros(len(crowd), np.int64),
        np.array([offset for _, offset in crowd], np.int64),
        [rule for rule, _ in crowd],
        session.target.token_rules,
    )
    for candidate in said.candidates:
        yield from ((place.offset, place.offset + place.size) for place in candidate.places)
    unsure = bool(said.faults) or not kingfisher.available()
    for rule, offset in crowd:
        if rule.id in _MARKED and (unsure or offset >= listing.first_short):
            yield offset, offset + 1


class _Bytes:
    """A reader of bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read_at(self, offset: int, view: memoryview) -> int:
        part = self._data[offset : offset + len(view)]
        view[: len(part)] = part
        return len(part)

    def zeros(self, offset: int) -> int:  # noqa: ARG002 - see Reader
        return 0

    def identify(self) -> Identity:
        return Identity(size=self.size)

    def close(self) -> None:
        """Hold nothing."""


def _random(name: str) -> bool:
    """Tell whether a name holds what looks like a key in hex, or like random bytes in base64.

    A folder may be called after a digest; that is no reason to withhold what lies in it.
    """
    if _HEX.search(base_name(name)):
        return True
    for run in _BASE64.findall(name):
        large, small, digits = (len(kind.findall(run)) for kind in _KINDS)
        mixed = min(large, small, digits + 1) > 1 and large + small + digits >= _MANY * len(run)
        if mixed and run.count("/") * _APART <= len(run):
            return True
    return False


def _may_be_cut(name: str) -> bool:
    """Tell whether an archive's reader may have left out the end of a member's name."""
    return any(len(part) >= MAX_MEMBER_NAME for part in name.split("!"))


def _cut(name: str) -> bool:
    """Tell whether a short name holds what may be the beginning of such."""
    return _PIECE.search(name) is not None or any(
        all(kind.search(run) for kind in _MIXED) for run in _CUT.findall(name)
    )
