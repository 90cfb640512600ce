"""Stage two, as the parent drives it: what was swept is examined, then related.

What stands written is examined, while others look for copies among the runs, for tokens and for key
schedules. The public keys it names are what the relations look for, each in each section of the
integer pool in a call of its own, by whichever worker is free; nothing waits for what it does not
need. Certificates and public keys are not searched: they were read, and every byte of them is
public. Results are put in an order that depends on the dump alone.
"""

import pickle
from collections.abc import Iterator
from typing import Any

from scanner.answers import Asked, answered
from scanner.detect import limbs, pool, schedules
from scanner.detect.limbs import Runs
from scanner.model import Fault
from scanner.stages.examine import Proofs, find_tokens
from scanner.stages.relate import RELATIONS, distinct, find_schedules, likely, relate
from scanner.stages.sweep import Gathered
from scanner.stages.withhold import examined
from scanner.workers import Crew

READ = ("certificate", "public-key", "dnskey")
"""Kinds of witnesses of which every byte is public. The place of a JWK, a PGP key or an SSH key may
be that of a private file, whose numbers are looked for where it is damaged."""

UNRELATED = "Numbers in memory were not related"

_NOTHING = Proofs(candidates=())


def prove(crew: Crew, swept: Gathered, faults: list[Fault]) -> Proofs:
    """Run stage two over the places of all tasks."""
    hits, runs = swept.hits, swept.runs
    questions: list[Asked] = [
        ("The candidates were not proved", Proofs, (examined, hits)),
        (UNRELATED, Runs, (distinct, runs)),
        ("Tokens were not searched for", Proofs, (find_tokens, hits)),
        ("Key schedules were not searched for", tuple, (find_schedules, schedules.long(runs))),
    ]
    answers: dict[int, Any] = {}
    relating = _relating(questions, answers)
    needed = set(next(relating))
    for index, answer in answered(crew, questions, faults):
        answers[index] = answer
        needed.discard(index)
        if not needed:
            needed = set(next(relating, ()))
    keys, tokens = answers.get(0) or _NOTHING, answers.get(2) or _NOTHING
    faults += (*keys.faults, *tokens.faults)
    found = [*keys.candidates, *tokens.candidates, *(answers.get(3) or ())]
    for index, (_, _, call) in enumerate(questions):
        found += (answers.get(index) or ()) if call[0] is relate else ()
    return Proofs(candidates=tuple(found), witnesses=keys.witnesses + tokens.witnesses)


def _relating(questions: list[Asked], answers: dict[int, Any]) -> Iterator[range]:
    """Ask, step by step, for the relations; yield which questions must be answered first.

    It ends when all are asked, and keeps no runs: the questions have them.
    """
    yield range(2)
    keys: Proofs = answers[0] or _NOTHING
    runs = pool.outside(answers.pop(1) or limbs.gather(()), _stated(keys))
    cuts = tuple(pool.sections(runs))
    if len(cuts) > 1:
        questions += [(UNRELATED, Runs, (likely, cut)) for cut in cuts]
        yield range(4, len(questions))
        shared = [found for found in map(answers.get, range(4, len(questions))) if found]
        cuts = tuple(pool.merged((cut, *shared)) for cut in cuts)
    publics = pickle.dumps(keys.publics)
    questions += [
        (f"{UNRELATED} ({name})", tuple, (relate, name, cut, publics))
        for name, _, _ in RELATIONS
        for cut in cuts
    ]


def _stated(keys: Proofs) -> Runs:
    """Return the places of what was read whole, and is public."""
    return pool.of_places(w.place for w in keys.witnesses if w.kind in READ and w.place is not None)
