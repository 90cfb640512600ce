"""The frozen values that cross a module boundary, and the words for them.

This module exists so that every room speaks the same language; it computes nothing and imports
nothing of ours. Sizes and offsets are bytes. A *place* is a coordinate and a length and never
holds bytes: places are all that travels between processes.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field


class Confidence(enum.IntEnum):
    """What was checked, never a tuned score."""

    SHAPE = 1
    """It looks like one."""
    STRUCTURE = 2
    """It parses strictly, and nothing outside of it bears witness."""
    PROOF = 3
    """The arithmetic closes against something read elsewhere."""


NONCE = "x(k*G) = r"
"""What closed for a scalar of whose point x alone stands in the dump: as a rule the nonce of an
ECDSA signature, and with it the signature gives its key away."""

NONCE_EDWARDS, NONCE_DSA = "r*B = R", "g**k mod q = r"
"""The same of Ed25519, where R and S stand (RFC 8032), of DSA, where r does (FIPS 186-4 4.6)."""
NONCES = frozenset((NONCE, NONCE_EDWARDS, NONCE_DSA))


class Severity(enum.IntEnum):
    """What the finding means for the operator."""

    INFO = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
    CRITICAL = 5


class Verdict(enum.StrEnum):
    """The answer to: may this dump leave."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    BLOCKED = "blocked"
    INCOMPLETE = "incomplete"


# --- the dump -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Bytes of the file that the format gives an address: ``size`` bytes, all of them present."""

    start: int
    """Virtual (or physical) address, 0 <= start < 2**64."""
    size: int
    file_offset: int
    perms: str = ""
    """A subset of "rwx"; empty where the format does not say."""
    name: str = ""
    """Label, as the dump spells it (mapped file, stack of a thread); escaped by each renderer."""
    context: int = 0
    """Whose address it is: 0 is the dump's own, others are of tables of pages within it."""
    doubted: bool = False
    """The descriptor contradicts another or looks wrong: also swept at the file's alignment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Memory that the dump knows of and does not hold."""

    code: str
    """``not-captured`` (the writer left it out: normal) or ``truncated`` (past the file's end)."""
    start: int | None
    """Address, or None where the missing bytes have none."""
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that makes the scan less than whole; any fault makes the dump ``incomplete``."""

    code: str
    """Stable, lower-case, hyphenated."""
    text: str
    """One sentence of ours: numbers and coordinates, never bytes or strings of the dump."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a range of file bytes outside of every region is: ``header``, ``stream CommentW``..."""

    file_offset: int
    size: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A loaded image or mapped file."""

    start: int
    size: int
    name: str
    name_offset: int | None = field(default=None, compare=False)
    """Where in the file the name stands, and how many bytes of it; None where nobody says."""
    name_size: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A thread, with its stack's address range where known."""

    id: int
    stack_start: int | None = None
    stack_size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a format reader knows of a dump: tables of places, no bytes."""

    format: str
    arch: str = "unknown"
    pointer_size: int = 8
    byte_order: str = "little"
    regions: Sequence[Region] = ()
    gaps: tuple[Gap, ...] = ()
    faults: tuple[Fault, ...] = ()
    labels: tuple[Label, ...] = ()
    modules: tuple[Module, ...] = ()
    threads: tuple[Thread, ...] = ()
    system: str = ""
    """The operating system and its version, where the dump says so: ``linux``, ``windows 10.0``."""
    process: str = ""
    """Base name of the program; never a path."""
    arguments: int | None = None
    """How many arguments the process had, its name not counted; never what they were."""
    joined: tuple[tuple[tuple[int, int], ...], ...] = ()
    """Values without an address that stand in parts: file offset and size of each, in order."""
    instead: str = ""
    """Of an unknown format: what it is by its first bytes, where they tell that it is no dump."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What was decoded from the file given: the bytes that offsets refer to."""

    layers: tuple[str, ...]
    """Outermost first: ``zstd``, ``gzip``, ``xz``; empty for a plain file."""
    size: int
    sha256: str
    faults: tuple[Fault, ...] = ()
    alone: bool = False
    """A file of these bytes is scanned as they were: they are of no archive, nor begin like one."""


# --- what was found -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """A coordinate (space number, offset in it) and a length."""

    space: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Extent:
    """A place as a reader of the dump sees it. ``address`` is None for file-only bytes."""

    file_offset: int
    size: int
    address: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Fingerprint:
    """A name for a key that says nothing of its secret part."""

    kind: str
    """``spki-sha256``, ``hmac-sha256`` or ``place-sha256``."""
    value: str
    """Lower-case hex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Something public that names a key: a certificate, an SSH blob, a JWK, the operator's list."""

    kind: str
    """``certificate``, ``ssh``, ``jwk``, ``known``, ``public-key``, ``key-share``, ``claims``."""
    fingerprint: Fingerprint
    """Of the key, ``spki-sha256``; of a token, that of its candidates."""
    subject: str = ""
    """RFC 4514 string of a certificate's subject; empty elsewhere."""
    serial: str = ""
    """Lower-case hex."""
    not_after: str = ""
    """ISO 8601, UTC. An expired certificate never lowers a finding."""
    kid: str = ""
    ssh_fingerprint: str = ""
    """``SHA256:...`` of an SSH blob, as ``ssh-keygen -l`` prints it."""
    issuer: str = ""
    audience: str = ""
    """What a JSON Web Token says of itself; its not_after is what it calls exp."""
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What a detector says of one place. Holds no byte of a secret."""

    rule: str
    kind: str
    """``private-key``, ``encrypted-key``, ``symmetric-key``, ``token``."""
    algorithm: str
    encoding: str
    confidence: Confidence
    proof: str
    """The equation that closed (``p*q = n``); empty below PROOF."""
    fingerprint: Fingerprint
    bits: int
    curve: str = ""
    places: tuple[Place, ...]
    """Where it lies, in reading order; several where limbs scatter."""
    n: int = 0
    e: int = 0
    """Modulus and public exponent of an RSA key."""
    group: tuple[int, ...] = ()
    more: bytes = b""
    """p, q, g of a key in numbers (fingerprint.ffc_spki); the SHA-256 of another's SPKI; rho."""
    roles: tuple[str, ...] = ()
    """What stands at each place, where a relation found it: ``p``, ``d``, ``dp``..."""
    e_assumed: bool = False
    protection: str = ""
    """How an encrypted key is protected: derivation, its cost, cipher; empty for a bare secret."""
    published: str = ""
    """Where a token is printed as an example for everybody to read; empty for a secret."""
    either: bool = False
    """Its bytes are a key of one of several kinds, each told; nothing in them says of which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One place and encoding of a key."""

    encoding: str
    region: str
    owner: str
    state: str
    """``live``, ``freed`` or ``unknown``."""
    extents: tuple[Extent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Public:
    """What is publicly known of a key."""

    subject: str = ""
    serial: str = ""
    not_after: str = ""
    kid: str = ""
    ssh_fingerprint: str = ""
    issuer: str = ""
    audience: str = ""
    e_assumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One key, all its occurrences."""

    id: str
    rule: str
    kind: str
    algorithm: str
    curve: str
    bits: int
    severity: Severity
    confidence: Confidence
    proof: str
    names: tuple[str, ...]
    """Who bears witness: ``certificate``, ``ssh``, ``known``...; empty means unnamed."""
    fingerprint: Fingerprint
    public: Public
    occurrences: tuple[Occurrence, ...]
    note: str = ""
    """Why a finding was set aside; of one that counts, what the policy says of it, if anything."""
    protection: str = ""
    session: bool = False
    """Nothing names it, and a handshake sent its public half."""
    blocks: bool = False
    """By the policy, it keeps the dump from leaving."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a verdict is what it is."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of the map of the file."""

    bytes: int
    swept: int
    entropy: str
    """``zero``, ``low``, ``text``, ``mixed`` or ``random``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of the dump's address space: one region, or neighbours that are told as one."""

    address: int
    size: int
    """Addresses, those between neighbours of which the file has no byte included."""
    bytes: int
    """Bytes of the file that lie here."""
    label: str
    """Who owns it, or what it is called; escaped by each renderer."""
    cells: tuple[str | None, ...]
    """What equal parts look like, in order: entropy of most cells, ``unswept``; None: no byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Bytes looked at, of bytes in the file: the size of the union of swept file extents."""

    file_bytes: int
    scanned_bytes: int
    regions: int
    gaps: tuple[Gap, ...]
    faults: tuple[Fault, ...]
    map: tuple[Cell, ...] = ()
    ledger: tuple[tuple[str, int], ...] = ()
    """Bytes of each class (memory, note, header, stream, slack); the file is their sum."""
    memory: tuple[Stretch, ...] = ()
    """The map of the address space, by address; empty where the dump has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpReport:
    """All that is said of one dump."""

    path: str
    size: int
    sha256: str
    content: Content
    format: str
    arch: str
    verdict: Verdict
    reasons: tuple[Reason, ...]
    coverage: Coverage
    findings: tuple[Finding, ...]
    suppressed: tuple[Finding, ...]
    accepted: tuple[str, ...] = ()
    """Codes of faults that the policy accepts, and that are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A key over many dumps."""

    fingerprint: Fingerprint
    dumps: tuple[int, ...]
    """Which dumps of the report have it, counted from 0."""
    first: int
    """The one of them whose file is the oldest; the first of them where no file has a date."""
    first_seen: str
    """When that file was last written: ISO 8601, UTC; empty where nobody says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result document: all that a renderer may see."""

    tool_version: str
    rules_sha256: str
    policy_sha256: str
    known_sha256: str
    mode: str
    verdict: Verdict
    dumps: tuple[DumpReport, ...]
    baseline_sha256: str = ""
    """Of the saved report whose findings were set aside."""
    fingerprint_key_id: str = ""
    """Names the key of the HMACs by which secrets without a public half are named."""
    fleet: tuple[Spread, ...] | None = None
    """Which key is in which dumps; None unless it was asked for."""
