"""What the parent of a scan asks of its workers, by name, and the words in which they answer.

Detectors and relations are imported by those who search with them. What the parent has to know of
them stands here: which relations there are, and what each looks at. This module searches nothing.
"""

from dataclasses import dataclass, field

from scanner.detect.algebra import mldsa, mlkem, slhdsa
from scanner.detect.register import Register, Registrar
from scanner.model import Candidate, Fault, Place, Witness
from scanner.processes.later import Later

SURVEY = Later("scanner.stages.opening", "survey")
NAMED = Later("scanner.stages.withhold", "named")
EXAMINE = Later("scanner.stages.examine", "examine")
BEGIN_TOKENS = Later("scanner.stages.examine", "begin_tokens")
FIND_TOKENS = Later("scanner.stages.examine", "find_tokens")
DISTINCT = Later("scanner.stages.relate", "distinct")
LIKELY = Later("scanner.stages.relate", "likely")
RELATE = Later("scanner.stages.relate", "relate")
RELATE_EDGES = Later("scanner.stages.relate", "relate_edges")
FIND_SCHEDULES = Later("scanner.stages.relate", "find_schedules")
TRACE = Later("scanner.stages.trace", "trace")
TRACE_RUNS = Later("scanner.stages.trace", "trace_runs")
OWNERS = Later("scanner.stages.owners", "owners")

TOKENS = "tokens"
"""The detector whose hits are examined in a call of their own."""

RELATED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("rsa", ("rsa",)),
    ("ec", ("ec",)),
    ("dh", ("dh", "elgamal")),
    ("ec-digits", ("ec",)),
    ("edwards", ("ed25519", "ed448")),
    ("montgomery", ("x25519", "x448")),
    ("dsa", ("rsa", "dsa", "dhx")),
    ("lattices", tuple(mldsa.SETS)),
    ("encapsulation", tuple(mlkem.SETS)),
    ("hashtrees", tuple(slhdsa.SETS)),
)
"""Relations, and the algorithms of public keys that each looks at. The dearest come first: what is
asked last should not be what all wait for."""

EDGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ec", ("ec",)),
    ("25519", ("ed25519", "x25519")),
    ("rsa", ("rsa",)),
)
"""The same of those that try the edges of all runs, whatever their number."""

STRUCTURES = (
    "openssh-shield",
    "symcrypt",
    "golang",
    "openssl",
    "psa",
    "sealed-memory",
    "masked-token",
)
"""Detectors of what a library holds: of their candidates the places alone say all."""

MOST_SCHEDULES = 100_000
"""Key schedules of a dump that are told, the first: a server has a few for each connection."""

PARTLY = " (part)"
"""What ends the name of a reading of which some is missing."""


@dataclass(frozen=True, slots=True)
class Proofs:
    """What a part of stage two says of a dump."""

    candidates: tuple[Candidate, ...]
    witnesses: tuple[Witness, ...] = ()
    """Who bears witness to what was found."""
    publics: Register = field(default_factory=lambda: Registrar().register())
    """The operator's own public keys, and those that were met."""
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Sighting:
    """One copy of a private number, or of a part of it."""

    fingerprint: str
    """Of its key."""
    encoding: str
    """The number and its reading: ``p limbs-le``; ``(part)`` where some of it is missing."""
    place: Place
