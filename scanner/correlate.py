"""Candidates to findings: one key, all its occurrences, and who bears witness to it. Pure.

A key is its number: what has the same public half is one finding, however often and however written
it stands. A written form that lies inside another (PKCS#1 inside PKCS#8, a prime inside either) is
folded into it. The nonce of a signature is no key: where the key that signed was found, it stands
behind that key's own places. A scalar on a curve that nobody can tell is a proved key's where that
key's scalar stands in it. A finding takes the strongest confidence of its candidates, and of
those that a file could hold or arithmetic bears out the highest severity; a certificate that has
expired changes nothing. The order in which candidates, sightings and witnesses come changes nothing
either.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice

from scanner import fingerprint
from scanner.detect.algebra.publics import BARE, DECODED, KEY_SHARE
from scanner.detect.asn1.keys import SEC1_WITHIN
from scanner.detect.integers import bare_numbers
from scanner.dump import ledger, space
from scanner.dump.space import SpaceMap
from scanner.engine.scanning import Scan
from scanner.fingerprint import PLACE, SPKI
from scanner.labels import Labels, withheld
from scanner.model import (
    NONCES,
    Candidate,
    Confidence,
    Extent,
    Finding,
    Occurrence,
    Place,
    Public,
    Severity,
    Witness,
)
from scanner.published import Published
from scanner.rules import Rule
from scanner.stages.calls import PARTLY, RELATED, STRUCTURES, Sighting

MOST_OCCURRENCES = 10_000
"""Occurrences of one key that are kept, the first in the file."""

KEY_FILE = "key-file"
"""What names a key that stands as text or in a container: somebody keeps it in a file."""

_WRITTEN = ("x25519", "x448")
"""Algorithms of which a bare number is a handshake's own as a rule, but for one that is a text."""

_KEPT = ("private-key", "encrypted-key")
"""What somebody keeps in a file."""

_NAMELESS = {BARE, DECODED, KEY_SHARE, "claims"}
"""The kinds of witnesses that name nobody."""

_WHOLE = ("p*q = n", "product of the primes = n")
"""The equations of an RSA key that are told where one of them closed."""

_RELATED = frozenset(name for name, _ in RELATED)
_IN_MEMORY = _RELATED | {*STRUCTURES}
"""Detectors of what no file holds: numbers and structures of a library."""

_Extents = tuple[Extent, ...]
_Row = tuple[str, tuple[Place, ...]]
"""An encoding, and the places of its parts."""


def findings(scan: Scan, rules: Iterable[Rule], *, most: int | None = None) -> tuple[Finding, ...]:
    """Return the findings of a scan: named ones first, then by severity, then by place.

    Each has at most ``most`` occurrences, by default MOST_OCCURRENCES.
    """
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
    places = chain(
        (place for candidate in scan.candidates for place in candidate.places),
        (sighting.place for sighting in scan.sightings),
    )
    labels = Labels.of(scan.layout, withheld(scan.layout, scan.space_map, places))
    for name, whole in _spelled(groups, scan.sightings).items():
        groups[whole] += groups.pop(name)
    found = []
    nonces: dict[str, list[_Row]] = defaultdict(list)
    for name, signer in _signed(groups, witnesses).items():
        nonces[signer] += _once(_rows(by_rule, groups.pop(name), sightings[name]))
    for name, group in groups.items():
        rows = (_rows(by_rule, group, sightings[name]), nonces[name])
        limit = MOST_OCCURRENCES if most is None else most
        every = (_occurrences(scan.space_map, labels, some, limit) for some in rows)
        occurrences = tuple(chain.from_iterable(every))[:limit]
        finding = _finding(by_rule, group, witnesses[name], occurrences)
        if _nameless(finding):
            (first,) = _occurrences(scan.space_map, labels, _rows(by_rule, group, ()), 1)
            finding = _placed(scan, finding, first.extents[0])
        found.append(finding)
    return tuple(sorted(found, key=_order))


def set_aside(
    found: Sequence[Finding], published: dict[str, Published]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Part findings from those whose key is public knowledge; these are listed, and say why."""
    noted = tuple(
        replace(f, note=f"published: {published[f.fingerprint.value].source}")
        if f.fingerprint.value in published
        else f
        for f in found
    )
    return tuple(f for f in noted if not f.note), tuple(f for f in noted if f.note)


def _order(finding: Finding) -> tuple[bool, int, tuple[_Extents, ...], str]:
    first = tuple(occurrence.extents for occurrence in finding.occurrences[:1])
    return not finding.names, -finding.severity, first, finding.id


def _nameless(finding: Finding) -> bool:
    """Tell whether a secret has no public half that could name it."""
    return finding.fingerprint.kind == PLACE


def _placed(scan: Scan, finding: Finding, first: Extent) -> Finding:
    """Name a secret by where it was first found: parts of it may be parts of others too."""
    name = fingerprint.of_place(scan.content.sha256, finding.rule, first)
    return replace(finding, fingerprint=name, id=name.value[:16])


def _spelled(
    groups: Mapping[str, Sequence[Candidate]], sightings: Iterable[Sighting]
) -> dict[str, str]:
    """Return the keys that are scalars on a curve nobody can tell, and the proved ones they are.

    Seen in Libgcrypt: of an object that was freed the curve's name is torn, and the scalar whole.
    """
    curves = {name for name, group in groups.items() if all(c.algorithm == "ec" for c in group)}
    bare = {n for n in curves if all(c.fingerprint.kind != SPKI and not c.curve for c in groups[n])}
    known = curves - bare
    scalars = sorted(
        (sighting.place, sighting.fingerprint)
        for sighting in (sightings if bare else ())
        if sighting.fingerprint in known
        and sighting.encoding.startswith("d ")
        and not sighting.encoding.endswith(PARTLY)
    )
    within = {
        name: {
            key
            for candidate in groups[name]
            for place in candidate.places
            for key in _among(scalars, place)
        }
        for name in bare
    }
    return {name: min(keys) for name, keys in within.items() if keys}


def _among(numbers: Sequence[tuple[Place, str]], place: Place) -> Iterator[str]:
    """Yield whose numbers lie whole inside of a place."""
    end = place.offset + place.size
    first = bisect_left(numbers, (replace(place, size=0), ""))
    for inner, key in islice(numbers, first, None):
        if inner.space != place.space or inner.offset >= end:
            return
        if inner.offset + inner.size <= end:
            yield key


def _signed(
    groups: Mapping[str, Sequence[Candidate]], witnesses: Mapping[str, Sequence[Witness]]
) -> dict[str, str]:
    """Return who signed with each nonce, where that key was found: fingerprints of both.

    What anybody calls a key is one.
    """
    once = {name for name, group in groups.items() if all(c.proof in NONCES for c in group)}
    return {
        name: signer
        for name in groups
        if name in once and not witnesses.get(name)
        for signer in (max(c.more for c in groups[name]).hex(),)
        if signer in groups and signer not in once
    }


def _once(rows: Iterable[_Row]) -> Iterator[_Row]:
    """Say of the places of a nonce that they are none of the key's own number."""
    for encoding, places in rows:
        yield f"nonce {encoding.removeprefix('d ').removeprefix('x ')}", places


# --- a finding ----------------------------------------------------------------------------------


def _finding(
    rules: dict[str, Rule],
    group: Sequence[Candidate],
    witnesses: Sequence[Witness],
    occurrences: tuple[Occurrence, ...],
) -> Finding:
    best = min(
        group,
        key=lambda c: (
            *(-c.confidence, c.protection, c.e_assumed, c.proof not in _WHOLE, c.rule),
            *(c.proof in NONCES, c.places, c.encoding),
        ),
    )
    names = _names(rules, group, witnesses, occurrences)
    least = min(best.confidence, Confidence.STRUCTURE)
    severity = max(
        rules[c.rule].severity for c in group if c.kind == best.kind and c.confidence >= least
    )
    if best.algorithm in fingerprint.AGREEMENT and not names:
        severity = min(severity, Severity.MEDIUM)
    elif _kept(best, witnesses) and best.kind == "private-key":
        severity = Severity.CRITICAL
    return Finding(
        id=best.fingerprint.value[:16],
        rule=best.rule,
        kind=best.kind,
        algorithm=best.algorithm,
        curve=best.curve,
        bits=best.bits,
        severity=severity,
        confidence=best.confidence,
        proof=best.proof,
        names=names,
        fingerprint=best.fingerprint,
        public=_public(witnesses, e_assumed=all(c.e_assumed for c in group)),
        occurrences=occurrences,
        note=f"published: {best.published}" if best.published else "",
        protection=best.protection,
        session=not names and any(witness.kind == KEY_SHARE for witness in witnesses),
    )


def _kept(best: Candidate, witnesses: Sequence[Witness]) -> bool:
    """Tell whether a key of an agreement that has a name is one that somebody keeps.

    It is, if somebody names it or it is in a file, whatever the rule says that found it. What a
    file held of Diffie-Hellman is as grave as its own rule says.
    """
    if best.algorithm == "dh":
        return not {witness.kind for witness in witnesses} <= _NAMELESS
    return best.algorithm in fingerprint.AGREEMENT


def _names(
    rules: dict[str, Rule],
    group: Sequence[Candidate],
    witnesses: Sequence[Witness],
    occurrences: Sequence[Occurrence],
) -> tuple[str, ...]:
    """Return the kinds of what names the key; a bare public key names nobody.

    Of a handshake's own nobody writes the number as text. Seen in rspamd: what its settings say.
    """
    names = {witness.kind for witness in witnesses} - _NAMELESS
    if any(c.kind in _KEPT and not _in_memory(rules, c) for c in group):
        names.add(KEY_FILE)
    if group[0].algorithm in _WRITTEN and any(map(_is_text, occurrences)):
        names.add(KEY_FILE)
    return tuple(sorted(names))


def _is_text(occurrence: Occurrence) -> bool:
    """Tell whether a number is written in letters, and whole."""
    form = occurrence.encoding.removesuffix(" utf-16le").removesuffix(" utf-16")
    return form.rpartition(" ")[2] in bare_numbers.KEPT


def _in_memory(rules: dict[str, Rule], candidate: Candidate) -> bool:
    """Tell whether no file holds what was found: the JDK's EC keys are such DER, of a handshake."""
    return rules[candidate.rule].detector in _IN_MEMORY or candidate.encoding == SEC1_WITHIN


def _public(witnesses: Sequence[Witness], *, e_assumed: bool) -> Public:
    """Take the certificate that is valid longest, and a key id from whoever gives one."""
    titled = [w for w in witnesses if w.subject or w.serial or w.not_after]
    subject, serial, not_after = max(
        ((w.subject, w.serial, w.not_after) for w in titled),
        key=lambda row: (row[2], row[1], row[0]),
        default=("", "", ""),
    )
    return Public(
        subject=subject,
        serial=serial,
        not_after=not_after,
        kid=min((w.kid for w in witnesses if w.kid), default=""),
        ssh_fingerprint=min(
            (w.ssh_fingerprint for w in witnesses if w.ssh_fingerprint), default=""
        ),
        issuer=min((w.issuer for w in witnesses if w.issuer), default=""),
        audience=min((w.audience for w in witnesses if w.audience), default=""),
        e_assumed=e_assumed,
    )


# --- its occurrences ----------------------------------------------------------------------------


def _rows(
    rules: dict[str, Rule], group: Sequence[Candidate], sightings: Sequence[Sighting]
) -> Iterator[_Row]:
    """Yield what stands in one piece and what was sighted; scattered parts if there is neither.

    The scattered parts of a related key are the numbers of which all copies are sighted; those of
    a structure belong together.
    """
    written = [
        (c.encoding, c.places)
        for c in group
        if len(c.places) == 1 or rules[c.rule].detector not in _RELATED
    ]
    sighted = [(s.encoding, (s.place,)) for s in sightings]
    yield from written
    yield from sighted
    if not written and not sighted:
        yield from ((c.encoding, c.places) for c in group)


def _occurrences(
    space_map: SpaceMap, labels: Labels, rows: Iterable[_Row], most: int
) -> tuple[Occurrence, ...]:
    """Turn places into occurrences: the same bytes once, what lies inside another folded."""
    encodings: dict[_Extents, tuple[int, int, str, _Extents]] = {}
    for encoding, places in rows:
        extents = tuple(chain.from_iterable(space.extents(space_map, place) for place in places))
        # Extents are equal by file offset: of several addresses for them, the lowest is shown.
        bare, address = (extents[0].address is None), (extents[0].address or 0)
        row = (bare, address, encoding, extents)
        if extents not in encodings or row[:3] < encodings[extents][:3]:
            encodings[extents] = row
    return tuple(
        Occurrence(
            encoding=encoding,
            region=labels.region(extents[0]),
            owner=labels.owner(extents[0]),
            state="unknown",
            extents=extents,
        )
        for _, _, encoding, extents in map(encodings.__getitem__, _outermost(encodings, most))
    )


def _outermost(all_extents: Iterable[_Extents], most: int) -> list[_Extents]:
    """Keep, in file order, what does not lie whole inside of another; overlaps stay."""
    spans = sorted((_spans(extents), extents) for extents in all_extents)
    spans.sort(key=lambda row: (row[0][0][0], -row[0][0][1], -sum(b - a for a, b in row[0])))
    kept: list[tuple[list[tuple[int, int]], _Extents]] = []
    around: list[list[tuple[int, int]]] = []
    for mine, extents in spans:
        around = [other for other in around if other[-1][1] > mine[0][0]]
        if any(_inside(mine, other) for other in around):
            continue
        around.append(mine)
        kept.append((mine, extents))
        if len(kept) == most:
            break
    return [extents for _, extents in kept]


def _spans(extents: _Extents) -> list[tuple[int, int]]:
    """Return the file ranges of extents, ascending, those that touch joined."""
    return ledger.joined((e.file_offset, e.file_offset + e.size) for e in extents)


def _inside(inner: list[tuple[int, int]], outer: list[tuple[int, int]]) -> bool:
    return all(any(a <= start and end <= b for a, b in outer) for start, end in inner)
