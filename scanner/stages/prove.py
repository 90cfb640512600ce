"""Stage two: over all places of the whole dump, parse and prove.

Serialized candidates are examined where their anchors stand; public keys met on the way name keys
and bear witness; then the integer pool goes through the relations. Runs in one worker, which reads
every value again from the dump: what leaves are candidates and witnesses, no number of any key.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scanner.detect import keys, limbs, pem, pool, x509
from scanner.detect.keys import Proved
from scanner.detect.limbs import Runs
from scanner.detect.material import Rsa, describe
from scanner.detect.relations import rsa
from scanner.detect.x509 import PublicKey
from scanner.dump.space import Memory
from scanner.model import Candidate, Confidence, Witness
from scanner.rules import Rule
from scanner.stages.session import Session
from scanner.stages.sweep import Hits

Examine = Callable[[Memory, int, int, Rule], Iterator[Proved | PublicKey]]

EXAMINERS: tuple[tuple[str, Examine], ...] = (
    ("keys", keys.examine),
    ("pem", pem.examine),
    ("x509", x509.examine),
)
"""What a rule's ``detector`` names: (name, function of memory, space, offset and rule)."""

RSA_DETECTOR = "rsa"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofs:
    """What stage two says of a dump."""

    candidates: tuple[Candidate, ...]
    witnesses: tuple[Witness, ...]


def prove(session: Session, hits: Hits, runs: Runs) -> Proofs:
    """Examine the hits, then relate the runs; every value is read again from the dump."""
    candidates: list[Candidate] = []
    publics: dict[str, PublicKey] = {}
    witnesses: list[Witness] = []
    for found in _examine(session, hits):
        if isinstance(found, PublicKey):
            publics.setdefault(found.witness.fingerprint.value, found)
            witnesses.append(found.witness)
        else:
            candidates.append(found.candidate)
            if isinstance(found.material, Rsa):
                _learn(publics, found.material)
    for rule in session.rules:
        if rule.detector == RSA_DETECTOR:
            candidates += _relate(session, runs, publics, rule)
    return Proofs(candidates=tuple(candidates), witnesses=tuple(witnesses))


def _examine(session: Session, hits: Hits) -> Iterator[Proved | PublicKey]:
    examiners = dict(EXAMINERS)
    for index, space, offset in zip(
        hits.rule.tolist(), hits.space.tolist(), hits.offset.tolist(), strict=True
    ):
        rule = session.rules[index]
        yield from examiners[rule.detector](session.memory, space, offset, rule)


def _learn(publics: dict[str, PublicKey], key: Rsa) -> None:
    """Take the public half of a parsed key for a modulus to look for; it names nobody."""
    public = describe(key)
    publics.setdefault(
        public.fingerprint.value,
        PublicKey(
            algorithm="rsa",
            bits=public.bits,
            n=key.n,
            e=key.e,
            witness=Witness(kind="public-key", fingerprint=public.fingerprint),
        ),
    )


def _relate(
    session: Session, runs: Runs, publics: dict[str, PublicKey], rule: Rule
) -> Iterator[Candidate]:
    moduli = [rsa.Modulus(n=key.n, e=key.e) for key in publics.values() if key.n]
    numbers = pool.load(session.memory, limbs.join(runs))
    for found in rsa.search(numbers, moduli):
        public = describe(found.key)
        yield Candidate(
            rule=rule.id,
            kind=rule.kind,
            algorithm=public.algorithm,
            encoding=found.encoding,
            confidence=Confidence.PROOF,
            proof="p*q = n",
            fingerprint=public.fingerprint,
            bits=public.bits,
            places=found.places,
            e=found.key.e,
            e_assumed=found.key.e_assumed,
        )
