"""Stage two, as the parent drives it: what was swept is examined, then related.

What stands written is examined in one worker, whose public keys the relations look for; each
relation searches each section of the integer pool in a call of its own, by whichever worker is
free. Results are put in an order that depends on the dump alone.
"""

import numpy as np

from scanner.answers import asked, failed
from scanner.detect import limbs
from scanner.detect.publics import PublicKey
from scanner.model import Candidate, Fault
from scanner.stages.examine import Proofs, examine, find_tokens
from scanner.stages.relate import RELATIONS, find_schedules, relate, sections
from scanner.stages.sweep import Hits, Swept
from scanner.workers import Crew


def prove(lead: Crew, crew: Crew, swept: dict[int, Swept], faults: list[Fault]) -> Proofs:
    """Run stage two over the places of all tasks."""
    parts = [swept[index] for index in sorted(swept)]
    hits = Hits(
        rule=_joined([part.hits.rule for part in parts]),
        space=_joined([part.hits.space for part in parts]),
        offset=_joined([part.hits.offset for part in parts]),
    )
    runs = runs_of(swept)
    keys = asked(lead, "The candidates were not proved", Proofs, faults, examine, hits)
    tokens = asked(lead, "Tokens were not searched for", Proofs, faults, find_tokens, hits)
    keys, tokens = keys or Proofs(candidates=()), tokens or Proofs(candidates=())
    faults += tokens.faults
    what = "Key schedules were not searched for"
    expanded = asked(lead, what, tuple, faults, find_schedules, runs)
    related = _relate(lead, crew, runs, keys.publics, faults)
    return Proofs(
        candidates=(*keys.candidates, *tokens.candidates, *(expanded or ()), *related),
        witnesses=keys.witnesses + tokens.witnesses,
    )


def runs_of(swept: dict[int, Swept]) -> limbs.Runs:
    """Return the random-looking runs of all tasks, in their order."""
    return limbs.gather([swept[index].runs for index in sorted(swept)])


def _relate(
    lead: Crew, crew: Crew, runs: limbs.Runs, publics: tuple[PublicKey, ...], faults: list[Fault]
) -> list[Candidate]:
    """Search each section of the integer pool for each relation; results in a fixed order."""
    what = "Numbers in memory were not related"
    batch = [
        (name, section, publics)
        for section in asked(lead, what, tuple, faults, sections, runs) or ()
        for name, _, _ in RELATIONS
    ]
    found: dict[int, tuple[Candidate, ...]] = {}
    for index, answer in crew.map(relate, batch):
        if isinstance(answer, tuple):
            found[index] = answer
        else:
            faults.append(failed(f"{what} ({batch[index][0]})", answer))
    return [candidate for index in sorted(found) for candidate in found[index]]


def _joined(arrays: list[limbs.Offsets]) -> limbs.Offsets:
    return np.concatenate(arrays) if arrays else np.empty(0, np.int64)
