"""Candidates to findings: one key, all its occurrences, and who bears witness to it. Pure.

A key is its number: what has the same public half is one finding, however often and however written
it stands. A written form that lies inside another (PKCS#1 inside PKCS#8, a prime inside either) is
folded into it. A finding takes the strongest confidence of its candidates; a certificate that has
expired changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

from scanner.dump import space
from scanner.engine import Scan
from scanner.labels import Labels
from scanner.model import Candidate, Extent, Finding, Occurrence, Place, Public, Witness
from scanner.published import Published
from scanner.rules import Rule
from scanner.stages.trace import Sighting

MOST_OCCURRENCES = 10_000
"""Occurrences of one key that are kept, the first in the file."""


def findings(scan: Scan, rules: Iterable[Rule]) -> tuple[Finding, ...]:
    """Return the findings of a scan: named ones first, then by severity, then by place."""
    by_rule = {rule.id: rule for rule in rules}
    witnesses: dict[str, list[Witness]] = defaultdict(list)
    for witness in scan.witnesses:
        witnesses[witness.fingerprint.value].append(witness)
    sightings: dict[str, list[Sighting]] = defaultdict(list)
    for sighting in scan.sightings:
        sightings[sighting.fingerprint].append(sighting)
    groups: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in scan.candidates:
        groups[candidate.fingerprint.value].append(candidate)
    labels = Labels.of(scan.layout)
    found = [
        _finding(scan, labels, by_rule, group, witnesses[name], sightings[name])
        for name, group in groups.items()
    ]
    found.sort(key=lambda f: (not f.names, -f.severity, f.occurrences[0].extents, f.id))
    return tuple(found)


def set_aside(
    found: Sequence[Finding], published: dict[str, Published]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Part findings from those whose key is public knowledge; these are listed, and say why."""
    counting = tuple(f for f in found if f.fingerprint.value not in published)
    aside = tuple(
        replace(f, note=f"published: {published[f.fingerprint.value].source}")
        for f in found
        if f.fingerprint.value in published
    )
    return counting, aside


def _finding(
    scan: Scan,
    labels: Labels,
    rules: dict[str, Rule],
    group: Sequence[Candidate],
    witnesses: Sequence[Witness],
    sightings: Sequence[Sighting],
) -> Finding:
    best = max(group, key=lambda c: (c.confidence, not c.e_assumed))
    written: list[tuple[str, tuple[Place, ...]]]
    written = [(c.encoding, c.places) for c in group if len(c.places) == 1]
    numbers: list[tuple[str, tuple[Place, ...]]]
    numbers = [(s.encoding, (s.place,)) for s in sightings]
    if not written and not numbers:
        numbers = [(c.encoding, c.places) for c in group]
    return Finding(
        id=best.fingerprint.value[:16],
        rule=best.rule,
        kind=best.kind,
        algorithm=best.algorithm,
        curve=best.curve,
        bits=best.bits,
        severity=rules[best.rule].severity,
        confidence=best.confidence,
        proof=best.proof,
        names=_names(witnesses),
        fingerprint=best.fingerprint,
        public=_public(witnesses, e_assumed=best.e_assumed),
        occurrences=_occurrences(scan, labels, chain(written, numbers)),
    )


def _names(witnesses: Sequence[Witness]) -> tuple[str, ...]:
    """Return the kinds of what names the key; a bare public key names nobody."""
    return tuple(sorted({w.kind for w in witnesses} - {"public-key"}))


def _public(witnesses: Sequence[Witness], *, e_assumed: bool) -> Public:
    """Take the certificate that is valid longest, then whatever else names the key."""
    named = max(
        witnesses, key=lambda w: (w.kind == "certificate", w.not_after, w.serial), default=None
    )
    if named is None:
        return Public(e_assumed=e_assumed)
    return Public(
        subject=named.subject,
        serial=named.serial,
        not_after=named.not_after,
        kid=named.kid,
        e_assumed=e_assumed,
    )


def _occurrences(
    scan: Scan, labels: Labels, places: Iterable[tuple[str, tuple[Place, ...]]]
) -> tuple[Occurrence, ...]:
    """Turn places into occurrences, each file extent once, nested ones folded into the outer."""
    rows: dict[tuple[Extent, ...], str] = {}
    for encoding, parts in places:
        extents = tuple(chain.from_iterable(space.extents(scan.space_map, p) for p in parts))
        rows.setdefault(extents, encoding)
    outermost = sorted(rows, key=lambda e: (e[0].file_offset, -sum(x.size for x in e)))
    kept: list[tuple[Extent, ...]] = []
    end = -1
    for extents in outermost:
        last = extents[-1].file_offset + extents[-1].size
        if len(extents) == 1 and last <= end:
            continue
        kept.append(extents)
        if len(extents) == 1:
            end = max(end, last)
    return tuple(
        Occurrence(
            encoding=rows[extents],
            region=labels.region(extents[0]),
            owner=labels.owner(extents[0]),
            state="unknown",
            extents=extents,
        )
        for extents in kept[:MOST_OCCURRENCES]
    )
