"""Stage two, as the parent drives it: what was swept is examined, then related.

What stands written is examined, while others look for copies among the runs, for tokens and for key
schedules. The public keys it names are what the relations look for, each in each section of the
integer pool in a call of its own, by whichever worker is free; nothing waits for what it does not
need. Certificates and public keys are not searched: they were read, and every byte of them is
public. At the end those that bear witness to what was found are asked for names. Results are put in
an order that depends on the dump alone.
"""

import pickle
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from scanner.arrays import Flags
from scanner.detect.ciphers import schedules
from scanner.detect.integers import pool
from scanner.detect.integers.runs import Runs, chosen, closed, gather
from scanner.detect.register import Register
from scanner.engine import remains
from scanner.engine.answers import Asked, answered, asked
from scanner.engine.either import settled
from scanner.engine.traceable import traced
from scanner.fingerprint import SPKI
from scanner.model import Candidate, Fault, Witness
from scanner.processes.workers import Call, Crew
from scanner.stages.calls import (
    BEGIN_TOKENS,
    DISTINCT,
    EDGES,
    EXAMINE,
    FIND_SCHEDULES,
    FIND_TOKENS,
    LIKELY,
    MOST_SCHEDULES,
    NAMED,
    OWNERS,
    RELATE,
    RELATE_EDGES,
    RELATED,
    Proofs,
)
from scanner.stages.sweep import Gathered, Hits

READ = ("certificate", "public-key", "dnskey")
"""Kinds of witnesses that were read whole, and of which every byte is public. The place of a JWK, a
PGP key or an SSH key may be that of a private file, whose numbers are looked for where it is
damaged."""

UNRELATED = "Numbers in memory were not related"

_NOTHING = Proofs(candidates=())


def prove(crew: Crew, swept: Gathered, faults: list[Fault], *, alone: bool = False) -> Proofs:
    """Run stage two over the places of all tasks.

    A worker that is ``alone`` finds tokens last: what knows them is loaded meanwhile.
    """
    questions, last = _asked_first(swept.hits.pop(), swept.runs, alone=alone)
    answers: dict[int, Any] = {}
    relating = _relating(swept.runs, questions, answers, last)
    needed = set(next(relating))
    for index, answer in answered(crew, questions, faults):
        answers[index] = answer
        needed.discard(index)
        if not needed:
            needed = set(next(relating, ()))
    given: dict[Call, list[Any]] = defaultdict(list)
    for index, (_, _, (call, *_)) in enumerate(questions):
        given[call] += [answers[index]] if answers.get(index) is not None else []
    keys: Proofs = next(iter(given[EXAMINE]), _NOTHING)
    said: Proofs = next(iter(given[FIND_TOKENS]), _NOTHING)
    faults += (*keys.faults, *said.faults)
    expanded = next(iter(given[FIND_SCHEDULES]), ())
    if len(expanded) > MOST_SCHEDULES:
        text = f"More than {MOST_SCHEDULES} key schedules stand in the dump; the rest is not told."
        faults.append(Fault(code="limit-schedules", text=text))
    found = [*keys.candidates, *said.candidates, *expanded[:MOST_SCHEDULES]]
    related: list[Candidate | Fault] = list(chain.from_iterable(given[RELATE]))
    faults += dict.fromkeys(one for one in related if isinstance(one, Fault))  # of many sections
    found += (one for one in related if isinstance(one, Candidate))
    at_edges: list[Candidate | Fault] = list(chain.from_iterable(given[RELATE_EDGES]))
    faults += (one for one in at_edges if isinstance(one, Fault))
    names = {one.fingerprint for one in found}
    found += (c for c in at_edges if isinstance(c, Candidate) and c.fingerprint not in names)
    found = _rejoined(crew, settled(found), faults)
    witnesses = _witnesses(crew, found, keys.publics, faults) + said.witnesses
    return Proofs(candidates=tuple(found), witnesses=witnesses, publics=keys.publics)


def _asked_first(hits: Hits, runs: Runs, *, alone: bool) -> tuple[list[Asked], list[Asked]]:
    """Return what is asked first, and what last: they alone have the hits."""
    tokens: list[Asked] = [("Tokens were not searched for", Proofs, (FIND_TOKENS, hits))]
    begun: list[Asked] = [("Tokens were not searched for", type(None), (BEGIN_TOKENS, hits))]
    questions: list[Asked] = [
        ("The candidates were not proved", Proofs, (EXAMINE, hits)),
        (UNRELATED, tuple, (DISTINCT, runs)),
        *(begun if alone else tokens),
        ("Key schedules were not searched for", tuple, (FIND_SCHEDULES, schedules.long(runs))),
    ]
    return questions, tokens if alone else []


def _relating(
    runs: Runs, questions: list[Asked], answers: dict[int, Any], last: list[Asked]
) -> Iterator[range]:
    """Ask, step by step, for the relations; yield which questions must be answered first.

    It ends when all are asked, the ``last`` ones too, and keeps no runs: the questions have them.
    """
    yield range(2)
    keys: Proofs = answers[0] or _NOTHING
    private = _private(runs, answers.pop(1), keys.publics)
    cuts = tuple(pool.sections(private))
    if len(cuts) > 1:
        asked_now = range(len(questions), len(questions) + len(cuts))
        questions += [(UNRELATED, Runs, (LIKELY, cut, len(cuts))) for cut in cuts]
        yield asked_now
        shared = [found for found in map(answers.get, asked_now) if found]
        cuts = tuple(pool.merged((cut, *shared)) for cut in cuts)
    publics = {some: pickle.dumps(keys.publics.of(some)) for _, some in (*RELATED, *EDGES)}
    questions += [
        (f"{UNRELATED} (edges, {name})", tuple, (RELATE_EDGES, name, private, publics[some]))
        for name, some in (EDGES if cuts else ())
    ]
    questions += [
        (f"{UNRELATED} ({name})", tuple, (RELATE, name, cut, publics[some]))
        for cut in cuts  # one after the other: who has loaded one asks all of it
        for name, some in RELATED
    ]
    questions += last


def _private(runs: Runs, told: tuple[Flags, Flags] | None, publics: Register) -> Runs:
    """Return runs that may be private: what was told of them, if anything, says which differ."""
    private = chosen(closed(runs, told[0]), told[1]) if told else gather(())
    return pool.outside(private, publics.places(READ))


def _witnesses(
    crew: Crew, found: Sequence[Candidate], publics: Register, faults: list[Fault]
) -> tuple[Witness, ...]:
    """Ask what the keys that were found are called."""
    names = frozenset(c.fingerprint.value for c in found if c.fingerprint.kind == SPKI)
    keys = tuple(key for key in traced(tuple(found)) if key.kind == "private-key")
    hits = publics.hits(names)
    question: Asked = ("Keys have no names", tuple, (NAMED, names, hits, keys))
    (answer,) = asked(crew, [question] if names else [], faults) or (None,)
    return answer or ()


def _rejoined(crew: Crew, found: list[Candidate], faults: list[Fault]) -> list[Candidate]:
    """Give fragments the names of the keys of which they are, where these were found whole."""
    left = remains.fragments(found)
    keys = tuple(key for key in traced(tuple(found)) if key.kind == "private-key")
    if not left or not 0 < len(keys) <= remains.MOST_KEYS:
        return found
    question: Asked = ("Fragments were not compared", tuple, (OWNERS, left, keys))
    (answer,) = asked(crew, [question], faults)
    names = dict(zip(map(id, left), answer or (), strict=False))
    return [replace(c, fingerprint=names.get(id(c)) or c.fingerprint) for c in found]
