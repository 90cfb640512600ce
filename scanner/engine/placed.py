"""Places of what was found, held to the dump: nobody after this one meets a place outside of it.

A place that has no bytes is a fault of ours or a dump's trick. It costs the verdict its ``pass``,
and nothing that was found elsewhere: what of a place lies in the dump is kept, and what was found
at no other place is counted, not told.
"""

from collections.abc import Iterable
from dataclasses import replace

from scanner.dump.space import SpaceMap
from scanner.model import Candidate, Fault, Place
from scanner.stages.calls import Proofs, Sighting


def proofs(space_map: SpaceMap, found: Proofs, faults: list[Fault]) -> Proofs:
    """Return what was proved, every place of it in the dump."""
    sizes = space_map.size.tolist()
    candidates = []
    bad = 0
    for candidate in found.candidates:
        held = _held(sizes, candidate)
        bad += held is not candidate
        if held is not None:
            candidates.append(held)
    publics, misplaced = found.publics.within(space_map.size)
    bad += misplaced
    witnesses = []
    for witness in found.witnesses:
        place = witness.place and _cut(sizes, witness.place)
        bad += place is not witness.place
        witnesses.append(witness if place is witness.place else replace(witness, place=place))
    _complain(bad, faults)
    return replace(found, candidates=tuple(candidates), witnesses=tuple(witnesses), publics=publics)


def sightings(
    space_map: SpaceMap, found: Iterable[Sighting], faults: list[Fault]
) -> tuple[Sighting, ...]:
    """Return what was sighted, each in the dump."""
    sizes = space_map.size.tolist()
    kept = []
    bad = 0
    for sighting in found:
        place = _cut(sizes, sighting.place)
        bad += place is not sighting.place
        if place is not None:
            kept.append(sighting if place is sighting.place else replace(sighting, place=place))
    _complain(bad, faults)
    return tuple(kept)


def _held(sizes: list[int], candidate: Candidate) -> Candidate | None:
    """Return a candidate with what of its places lies in the dump; itself where all of it does."""
    cut = [_cut(sizes, place) for place in candidate.places]
    if all(one is other for one, other in zip(cut, candidate.places, strict=True)):
        return candidate if cut else None
    kept = [index for index, place in enumerate(cut) if place is not None]
    if not kept:
        return None
    roles = tuple(candidate.roles[index] for index in kept) if candidate.roles else ()
    return replace(candidate, places=tuple(place for place in cut if place), roles=roles)


def _cut(sizes: list[int], place: Place) -> Place | None:
    """Return what of a place lies in its space: itself where all of it does."""
    if not 0 <= place.space < len(sizes):
        return None
    first, last = max(place.offset, 0), min(place.offset + place.size, sizes[place.space])
    if first >= last:
        return None
    inside = first == place.offset and last - first == place.size
    return place if inside else replace(place, offset=first, size=last - first)


def _complain(bad: int, faults: list[Fault]) -> None:
    if bad:
        text = f"Of what was found {bad} lie outside of the dump, or partly: a fault of keysift."
        faults.append(Fault(code="misplaced", text=text))
