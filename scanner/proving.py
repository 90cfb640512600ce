"""Stage two, as the parent drives it: what was swept is examined, then related.

What stands written is examined, while others look for tokens and key schedules; the public keys
it names are what the relations look for, each in each section of the integer pool in a call of its
own, by whichever worker is free. Certificates are not searched: they were read, and every byte of
them is public. Results are put in an order that depends on the dump alone.
"""

import pickle

from scanner.answers import asked, failed
from scanner.detect import limbs
from scanner.detect.publics import PublicKey
from scanner.model import Candidate, Fault
from scanner.stages.examine import Proofs, examine, find_tokens
from scanner.stages.relate import RELATIONS, find_schedules, relate, sections
from scanner.stages.sweep import Gathered
from scanner.workers import Crew

READ = ("certificate",)
"""Kinds of witnesses of which every byte is public. The place of a public key may be a private blob
(CNG), whose numbers are looked for where the blob itself is damaged."""

UNRELATED = "Numbers in memory were not related"


def prove(crew: Crew, swept: Gathered, faults: list[Fault]) -> Proofs:
    """Run stage two over the places of all tasks."""
    hits, runs = swept.hits, swept.runs
    keys, tokens, expanded = asked(
        crew,
        (
            ("The candidates were not proved", Proofs, (examine, hits)),
            ("Tokens were not searched for", Proofs, (find_tokens, hits)),
            ("Key schedules were not searched for", tuple, (find_schedules, runs)),
        ),
        faults,
    )
    keys, tokens = keys or Proofs(candidates=()), tokens or Proofs(candidates=())
    faults += tokens.faults
    stated = [w.place for w in keys.witnesses if w.kind in READ and w.place is not None]
    (parts_of,) = asked(crew, [(UNRELATED, tuple, (sections, runs, stated))], faults)
    related = _relate(crew, parts_of or (), keys.publics, faults)
    return Proofs(
        candidates=(*keys.candidates, *tokens.candidates, *(expanded or ()), *related),
        witnesses=keys.witnesses + tokens.witnesses,
    )


def _relate(
    crew: Crew,
    parts: tuple[limbs.Runs, ...],
    publics: tuple[PublicKey, ...],
    faults: list[Fault],
) -> list[Candidate]:
    """Search each section of the integer pool for each relation; results in a fixed order."""
    known = pickle.dumps(publics)
    batch = [(relate, name, part, known) for part in parts for name, _, _ in RELATIONS]
    found: dict[int, tuple[Candidate, ...]] = {}
    for index, answer in crew.map(batch):
        if isinstance(answer, tuple):
            found[index] = answer
        else:
            faults.append(failed(f"{UNRELATED} ({batch[index][1]})", answer))
    return [candidate for index in sorted(found) for candidate in found[index]]
