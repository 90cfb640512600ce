"""Stage two, second half: what stands in memory as numbers, related to each other.

The integer pool is made of the random-looking runs, a section at a time, and each relation searches
each section in a call of its own: what one of them does not survive takes no key of another along.
Key schedules are looked for in the same runs. Every value is read again from the dump: what leaves
are candidates.
"""

import itertools
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence

from scanner.arrays import Flags
from scanner.detect.algebra import mldsa
from scanner.detect.algebra.material import Ffc, Material, Pqc, Rsa, describe
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.ciphers import aes, des, schedules, sm4
from scanner.detect.integers import chance, pool
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.runs import Runs, closed
from scanner.detect.register import Register
from scanner.detect.relations.edwards import edges as edwards_edges
from scanner.detect.relations.edwards import edwards, montgomery
from scanner.detect.relations.fields import discrete, dsa_nonces
from scanner.detect.relations.places import announced, pieces
from scanner.detect.relations.postquantum import encapsulation, hashtrees, lattices
from scanner.detect.relations.related import Related, Untried
from scanner.detect.relations.rsa import edges as rsa_edges
from scanner.detect.relations.rsa import rsa
from scanner.detect.relations.weierstrass import digit_nonces, digit_scalars, ec, points
from scanner.detect.relations.weierstrass import edges as ec_edges
from scanner.detect.structures import (
    golang,
    masked_token,
    openssh_shield,
    openssl,
    psa,
    sealed_memory,
    symcrypt,
)
from scanner.dump.space import Memory
from scanner.errors import LimitExceeded
from scanner.model import Candidate, Confidence, Fault
from scanner.rules import Rule
from scanner.stages.calls import MOST_SCHEDULES
from scanner.stages.session import Session

Search = Callable[[Pool, Iterable[PublicKey]], Iterator[Related]]
"""Gives what a pool proves; goes through the public keys more than once."""

Again = Callable[[Memory, Candidate], list[Material]]

RELATIONS: tuple[tuple[str, Search, Again], ...] = (
    ("rsa", rsa.search, rsa.again),
    ("ec", ec.search, ec.again),
    ("dh", discrete.search_dh, discrete.again),
    ("ec-digits", digit_nonces.search, digit_scalars.again),
    ("edwards", edwards.search, edwards.again),
    ("montgomery", montgomery.search, montgomery.again),
    ("dsa", dsa_nonces.search, discrete.again),
    ("lattices", lattices.search, lattices.again),
    ("encapsulation", encapsulation.search, encapsulation.again),
    ("hashtrees", hashtrees.search, hashtrees.again),
)
"""Of each of RELATED, in their order: its search of pool and public keys, and a second look at a
candidate."""

EDGES = (
    ("ec", ec_edges.search),
    ("25519", edwards_edges.search),
    ("rsa", rsa_edges.search),
)
"""The searches of all edges of all runs, by name."""

RULE_OF = {"rsa": "rsa", "ec": "ec", "ed25519": "edwards", "x25519": "montgomery"}
"""The detector whose rule tells of a key, by its algorithm."""

SCHEDULES: tuple[tuple[str, schedules.Find], ...] = (
    ("schedules", aes.find),
    ("des-schedules", des.find),
    ("sm4-schedules", sm4.find),
)
"""The detectors of key schedules: they look at the bytes of the runs, and have no public half."""

AGAIN: tuple[tuple[str, Again], ...] = (
    *((name, again) for name, _, again in RELATIONS),
    ("openssh-shield", openssh_shield.again),
    ("symcrypt", symcrypt.again),
    ("golang", golang.again),
    ("openssl", openssl.again),
    ("psa", psa.again),
    ("sealed-memory", sealed_memory.again),
    ("masked-token", masked_token.again),
)
"""A second look at candidates of which the places alone say all, without an anchor."""

SCALARS, MOST_SHARED, SHARED = (32, 48, 56, 57, 66), 64, 512
"""Bytes of the scalars and seeds of elliptic curves, and how many of each size are looked at in all
sections: at most so many of a section, and so many of all; one of each at least."""

MODULI, POINTS = (256, 384, 512), (32, 48, 66)
"""The same of what nothing but a block of its own or its kind tells: bytes of RSA moduli, and of a
coordinate."""


def distinct(session: Session, runs: Runs) -> tuple[Flags, Flags]:
    """Flag the runs that chance has cut off, and of the whole those that differ from all before.

    Flags, for runs are many, and who asks has them.
    """
    goes_on = chance.goes_on(session.memory, runs)
    return goes_on, pool.distinct(session.memory, closed(runs, goes_on))


def likely(session: Session, section: Runs, sections: int) -> Runs:
    """Return the likeliest scalars of one of so many sections, which are looked at in all.

    Numbers are related within a section, but the public halves of these may stand anywhere. So may
    that of others: what may be a modulus or a compressed point is looked at in all, too.
    """
    loaded = pool.load(session.memory, section, texts=True)
    most = max(min(MOST_SHARED, SHARED // sections), 1)
    found = [pieces.objects(loaded, size, most) for size in SCALARS]
    found += [announced.moduli(loaded, size)[:most] for size in MODULI]
    found += [points.marked(loaded, size)[:most] for size in POINTS]
    return pool.merged([pieces.runs(loaded, at) for at in found])


def relate(
    session: Session, detector: str, section: Runs, publics: Register | bytes
) -> tuple[Candidate | Fault, ...]:
    """Search one section of the pool for one relation, and say so where that was given up.

    Public keys may come pickled: they are the same for all sections.
    """
    numbers = _loaded(session, section)
    register = pickle.loads(publics) if isinstance(publics, bytes) else publics  # noqa: S301 - our own parent wrote it
    search = next(search for name, search, _ in RELATIONS if name == detector)
    told: list[Candidate | Fault] = []
    for rule in (rule for rule in session.rules if rule.detector == detector):
        try:
            for found in search(numbers, register):
                told.append(candidate(found, rule))  # noqa: PERF401 - what was found is kept
        except LimitExceeded as error:
            text = f"Numbers in memory were not all related ({detector}): {error.told}."
            told.append(Fault(code="limit-effort", text=text))
    return tuple(told)


def relate_edges(
    session: Session, name: str, runs: Runs, publics: bytes
) -> tuple[Candidate | Fault, ...]:
    """Try what stands at the edges of all runs, and say so where that was more than is tried."""
    register: Register = pickle.loads(publics)  # noqa: S301 - our own parent wrote it
    search = next(search for other, search in EDGES if other == name)
    rules = {rule.detector: rule for rule in session.rules}
    told: list[Candidate | Fault] = []
    try:
        for found in search(session.memory, runs, register, deep=session.target.deep):
            if isinstance(found, Untried):
                told.append(_untried(found, deep=session.target.deep))
            elif (rule := rules.get(RULE_OF[describe(found.key).algorithm])) is not None:
                told.append(candidate(found, rule))
    except LimitExceeded as error:
        text = f"Numbers in memory were not all related ({name}): {error.told}."
        told.append(Fault(code="limit-effort", text=text))
    return tuple(told)


def _untried(found: Untried, *, deep: bool) -> Fault:
    """Say how many numbers were not tried against which public keys."""
    text = (
        f"{found.count:,} of {found.of:,} numbers of {found.size} bytes were not tried against "
        f"the public keys of {found.witness}"
    )
    return Fault(code="limit-effort", text=f"{text}." if deep else f"{text}; --deep tries more.")


def _loaded(session: Session, section: Runs) -> Pool:
    """Load a section, or take it as it was loaded for the relation before."""
    name = (Pool, section.space.tobytes(), section.start.tobytes(), section.end.tobytes())
    kept = session.kept.get(Pool)
    if isinstance(kept, tuple) and kept[0] == name:
        loaded: Pool = kept[1]
        return loaded
    session.kept.pop(Pool, None)
    loaded = pool.load(session.memory, section, deep=session.target.deep, texts=True)
    session.kept[Pool] = (name, loaded)
    return loaded


def find_schedules(session: Session, runs: Runs) -> tuple[Candidate, ...]:
    """Search the runs, and what is around them, for key schedules: at most one too many."""
    asked = [
        (rule, find) for name, find in SCHEDULES for rule in session.rules if rule.detector == name
    ]
    return tuple(itertools.islice(_schedules(session, runs, asked), MOST_SCHEDULES + 1))


def _schedules(
    session: Session, runs: Runs, asked: Sequence[tuple[Rule, schedules.Find]]
) -> Iterator[Candidate]:
    """Yield a candidate for each place of each key; those of one key share a passing name."""
    finds, key = [find for _, find in asked], session.target.fingerprint_key
    for which, found in schedules.search(session.memory, runs, finds, key):
        rule = asked[which][0]
        yield Candidate(
            rule=rule.id,
            kind=rule.kind,
            algorithm=found.algorithm,
            encoding=f"{found.order} schedule",
            confidence=Confidence.PROOF,
            proof="the schedule recomputes",
            fingerprint=found.name,
            bits=found.bits,
            places=(found.place,),
            published=found.published,
        )


def candidate(found: Related, rule: Rule) -> Candidate:
    """Say of a key what leaves the worker: where it stands, and what of it is public."""
    public, key = describe(found.key), found.key
    return Candidate(
        rule=rule.id,
        kind=rule.kind,
        algorithm=public.algorithm,
        encoding=found.encoding,
        confidence=Confidence.PROOF,
        proof=found.proof,
        fingerprint=public.fingerprint,
        bits=public.bits,
        curve=public.curve,
        places=found.places,
        roles=found.roles,
        n=key.n if isinstance(key, Rsa) else 0,
        e=key.e if isinstance(key, Rsa) else 0,
        e_assumed=isinstance(key, Rsa) and key.e_assumed,
        group=(key.p, key.q, key.g) if isinstance(key, Ffc) else (),
        more=found.twin or found.signer or _more(key),
    )


def _more(key: Material) -> bytes:
    """Return what of a public key a second look needs, and nothing else tells."""
    match key:
        case Ffc():
            return key.more
        case Pqc() if key.algorithm in mldsa.SETS:
            return key.public[: mldsa.RHO]
        case _:
            return b""
