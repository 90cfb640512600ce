"""The words of the text report: one name for each thing, wherever it is said.

Pure functions from values of the model to short texts, all of them safe to show. This module lays
nothing out.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator

from scanner.fingerprint import AGREEMENT, HMAC, PLACE, SPKI
from scanner.model import (
    NONCES,
    Confidence,
    DumpReport,
    Extent,
    Finding,
    Fingerprint,
    Gap,
    Occurrence,
    Report,
    Severity,
    Spread,
    Verdict,
)
from scanner.report.printable import printable

_KINDS = {
    "private-key": ("private key", "private keys"),
    "nonce": ("signature nonce", "signature nonces"),
    "encrypted-key": ("encrypted key", "encrypted keys"),
    "symmetric-key": ("symmetric key", "symmetric keys"),
    "token": ("token", "tokens"),
    "certificate": ("certificate", "certificates"),
}

_ALGORITHMS = {
    "rsa": "RSA",
    "ec": "EC",
    "dsa": "DSA",
    "dh": "DH",
    "dhx": "X9.42 DH",
    "elgamal": "ElGamal",
    "ed25519": "Ed25519",
    "ed448": "Ed448",
    "x25519": "X25519",
    "x448": "X448",
    "x-wing": "X-Wing",
    "aes": "AES",
    "unknown": "Unknown",
}

_ONE_SIZE = ("ed25519", "ed448", "x25519", "x448")

_FINGERPRINTS = {
    SPKI: "SPKI SHA-256",
    HMAC: "HMAC-SHA-256",
    PLACE: "place SHA-256",
}

WORST_FIRST = (Verdict.BLOCKED, Verdict.INCOMPLETE, Verdict.PASS)

FINDING_CODES = ("private-key", "secret")
"""Reasons that a finding gives."""

_ADVICE = {
    "private-key": "Make a new key, put it in this one's place, and revoke its certificate.",
    "encrypted-key": "Rotate it unless its passphrase is strong and lies nowhere in the same dump.",
    "symmetric-key": "Rotate it if it outlives the process; a session's key ends with the session.",
    "token": "Revoke it where it was issued.",
}

EXPIRY = "A key signs whether its certificate has expired or not."

_SIGNED = "Make a new key in place of the one that signed with it, and revoke its certificate."

_ONCE = "it seems to be the nonce of a signature, which gives away the key that signed"

_AGREEMENT = "Nothing, if it is ephemeral, as it probably is; else make a new key."

_NOT_HERE = "Nothing, as long as the dump is all that leaves: what opens it is not there."

_SESSIONS = "Make a new key if a service keeps it; one made for a session ends with the session."
"""Of what agrees on keys as well as it signs or decrypts, and nobody names: as in a handshake."""

_ENDED = "Nothing, as a rule: it ended with its session, which can be read by who recorded it."

_FOR_SESSIONS = ("ec", "x-wing", *AGREEMENT)


# --- counts -------------------------------------------------------------------------------------


def count(number: int, one: str, many: str) -> str:
    """Return a number with its noun: ``1 byte``, ``2,048 bytes``."""
    return f"{number:,} {one if number == 1 else many}"


def counts(findings: Iterable[Finding]) -> str:
    """Return how many of each kind: ``2 private keys, 1 token``."""
    kinds = Counter(map(_sort, findings))
    known = [count(kinds.pop(kind), *words) for kind, words in _KINDS.items() if kinds[kind]]
    other = [f"{number} {printable(kind)}" for kind, number in sorted(kinds.items()) if number]
    return ", ".join(known + other) or "no findings"


def counted(findings: Iterable[Finding]) -> str:
    """Return how many of each kind, private keys that do not block told apart.

    ``3 private keys and 1 that does not block, 2 symmetric keys``. Of other kinds nobody expects
    that each blocks.
    """
    every = list(findings)
    passing = [f for f in every if _sort(f) == "private-key" and not f.blocks]
    if not passing:
        return counts(every)
    private = sum(_sort(f) == "private-key" for f in every) - len(passing)
    said = count(len(passing), "private key that does", "private keys that do")
    if private:
        blocking = count(private, *_KINDS["private-key"])
        said = f"{blocking} and {count(len(passing), 'that does', 'that do')}"
    other = [f for f in every if _sort(f) != "private-key"]
    return ", ".join((f"{said} not block", *([counts(other)] if other else [])))


def swept(dumps: Iterable[DumpReport]) -> str:
    """Return the bytes looked at, of the bytes in the files."""
    covers = [dump.coverage for dump in dumps]
    scanned = sum(cover.scanned_bytes for cover in covers)
    return f"{scanned:,} of {sum(cover.file_bytes for cover in covers):,} bytes"


def tally(report: Report) -> str:
    """Return how many dumps got which verdict, the worst first."""
    verdicts = Counter(dump.verdict for dump in report.dumps)
    parts = [f"{verdicts[verdict]} {verdict.value}" for verdict in WORST_FIRST if verdicts[verdict]]
    return f"{len(report.dumps)} dumps: {', '.join(parts)}"


def last_line(report: Report) -> str:
    """Return what the last line says after the verdict: counts, bytes swept of bytes there."""
    findings = [finding for dump in report.dumps for finding in dump.findings]
    aside = sum(len(dump.suppressed) for dump in report.dumps)
    dumps = f" ({tally(report)})" if len(report.dumps) > 1 else ""
    where = " in the file" if len(report.dumps) == 1 else ""
    said = f"{counted(findings)}, {aside} suppressed; swept {swept(report.dumps)}{where}"
    return f"{dumps}: {said}"


def over_fleet(report: Report) -> list[tuple[Finding, Spread]]:
    """Return each key to act on with the dumps that have it, in the report's order."""
    found: list[tuple[Finding, Spread]] = []
    named: dict[tuple[int, Fingerprint], list[Finding]] = {}
    for number, dump in enumerate(report.dumps if report.fleet else ()):
        for finding in dump.findings:
            named.setdefault((number, finding.fingerprint), []).append(finding)
    for key in report.fleet or ():
        same = [f for number in key.dumps for f in named.get((number, key.fingerprint), ())]
        acting = [finding for finding in same if acts(finding)]
        if acting:
            found.append((named_first(acting)[0], key))
    return found


def spread(key: Spread, report: Report) -> str:
    """Return how far a key is spread: ``in 41 dumps, first seen 2026-01-02T03:04:05Z in NAME``."""
    path = printable(report.dumps[key.first].path, 1000)
    when = f" {printable(key.first_seen)}" if key.first_seen else ""
    return f"in {count(len(key.dumps), 'dump', 'dumps')}, first seen{when} in {path}"


# --- a finding ----------------------------------------------------------------------------------


def acts(finding: Finding) -> bool:
    """Say whether somebody must act on a finding, rotate or revoke: not on a mere shape.

    What the operator's policy blocks is to be acted on, whatever it is.
    """
    grave = finding.severity >= Severity.HIGH and not finding.session
    return finding.blocks or (grave and finding.confidence > Confidence.SHAPE)


def verb(finding: Finding) -> str:
    """Return in one word what to do about a finding; of a key that has ended, what it was."""
    if finding.kind == "token":
        return "revoke"
    return "session" if finding.session else "rotate"


def named(finding: Finding) -> bool:
    """Say whether anything public tells whose key it is."""
    return bool(finding.names or finding.public.subject)


def certified(finding: Finding) -> bool:
    """Say whether a certificate that ends some day names a key."""
    return bool(finding.public.subject and finding.public.not_after)


def named_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings in the report's order, the unnamed after the named."""
    return sorted(findings, key=lambda finding: not named(finding))


def kind(finding: Finding) -> str:
    """Return what a finding is: ``private key``."""
    return _KINDS.get(_sort(finding), (printable(finding.kind),))[0]


def more(called: str, sort: str) -> tuple[str, str]:
    """Return what further findings of a name and a kind are, as one and as many."""
    one, many = _KINDS.get(sort, (printable(sort),) * 2)
    return f"more {called} {one}", f"more {called} {many}"


def is_nonce(finding: Finding) -> bool:
    """Say whether a secret is no key that anybody has: the nonce of some key's signature."""
    return finding.proof in NONCES and not named(finding)


def _sort(finding: Finding) -> str:
    """Return the kind by which a finding is counted."""
    return "nonce" if is_nonce(finding) else finding.kind


def signed_with(nonces: Iterable[Finding]) -> tuple[str, str]:
    """Return what to rotate for nonces of which nobody knows who signed, and why."""
    many = count(len(each := [name(nonce) for nonce in nonces]), *_KINDS["nonce"])
    which = ", ".join(dict.fromkeys(each))
    return "whatever key signed", f"with {many} ({which}): each gives away the key that used it"


def name(finding: Finding) -> str:
    """Return a key's algorithm with its size or curve: ``RSA 2048``, ``EC P-256``."""
    algorithm = _ALGORITHMS.get(finding.algorithm, printable(finding.algorithm))
    if finding.algorithm.startswith(("ml-dsa-", "ml-kem-", "slh-dsa-")):
        return algorithm.upper()
    if finding.curve:
        return f"{algorithm} {printable(finding.curve)}"
    if finding.algorithm in _ONE_SIZE or not finding.bits:
        return algorithm
    return f"{algorithm} {finding.bits}"


def names(finding: Finding) -> str:
    """Return who bears witness: ``certificate, known``."""
    return ", ".join(map(printable, finding.names))


def fingerprint_kind(finding: Finding) -> str:
    """Return the name of a fingerprint's function: ``SPKI SHA-256``."""
    return _FINGERPRINTS.get(finding.fingerprint.kind, printable(finding.fingerprint.kind))


def certificate(finding: Finding) -> Iterator[str]:
    """Give the lines that tell one certificate from another: subject, then serial and expiry."""
    public = finding.public
    if public.subject:
        yield printable(public.subject)
        more = [f"serial {printable(public.serial)}"] if public.serial else []
        more += [f"not after {printable(public.not_after)}"] if public.not_after else []
        if more:
            yield ", ".join(more)


def otherwise_known(finding: Finding) -> Iterator[str]:
    """Give the line by which a key without a certificate, or a token, can be told."""
    if finding.fingerprint.kind == PLACE:
        for occurrence in finding.occurrences[:1]:
            yield f"at {', '.join(coordinate(occurrence.extents[0]))}" if occurrence.extents else ""
    elif finding.names and not finding.public.subject:
        yield f"named by {names(finding)}"
    elif not named(finding):
        said = _ONCE if is_nonce(finding) else "nothing here says whose it is"
        yield f"unnamed: {'a handshake sent its public half' if finding.session else said}"


def places_by_region(occurrences: Iterable[Occurrence]) -> list[tuple[str, list[Occurrence]]]:
    """Return the occurrences of each region and owner, in the report's order."""
    regions: dict[str, list[Occurrence]] = {}
    for occurrence in occurrences:
        head = printable(occurrence.region) or "outside of every region"
        if occurrence.owner not in {"", occurrence.region}:
            head += f", owner {printable(occurrence.owner)}"
        regions.setdefault(head, []).append(occurrence)
    return list(regions.items())


def by_note(findings: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    """Return findings that were set aside, with the reason that they share."""
    notes: dict[str, list[Finding]] = {}
    for finding in findings:
        notes.setdefault(printable(finding.note) or "no reason given", []).append(finding)
    return list(notes.items())


def coordinate(extent: Extent) -> tuple[str, str]:
    """Return where bytes lie: address, offset in the file."""
    address = "no address" if extent.address is None else hex(extent.address)
    return address, f"file {hex(extent.file_offset)}"


def advice(finding: Finding) -> str:
    """Return what to do about a finding."""
    if finding.session and finding.kind == "private-key":
        return _ENDED
    if finding.kind == "private-key" and not acts(finding):
        agreed = finding.algorithm in {*AGREEMENT, "dh"}
        return _AGREEMENT if agreed else "Look at it by hand."
    if is_nonce(finding):
        return _SIGNED
    if finding.kind == "private-key" and finding.algorithm in _FOR_SESSIONS and not named(finding):
        return _SESSIONS
    if finding.kind == "encrypted-key" and finding.severity is Severity.INFO:
        return _NOT_HERE
    return _ADVICE.get(finding.kind, "Nothing: it is public.")


# --- a dump -------------------------------------------------------------------------------------


def headline(dump: DumpReport, inner: int = 0) -> str:
    """Return the answer in one sentence without its subject; ``inner`` dumps within have theirs."""
    match dump.verdict:
        case Verdict.BLOCKED:
            acting = [finding for finding in dump.findings if acts(finding)]
            return f"holds {counts(acting or dump.findings)}. Do not send it."
        case Verdict.INCOMPLETE if {reason.code for reason in dump.reasons} == {"unlogged"}:
            return "was swept, but what was decided of it could not be logged. Do not send it."
        case Verdict.INCOMPLETE:
            return f"{_missed(dump)}, and may hold a key. Do not send it."
        case Verdict.PASS:
            may, of = ("may leave if all dumps in it may", "other ") if inner else ("may leave", "")
            said = f"{may}: nothing that blocks was found in any of its {of}bytes"
            if not dump.accepted:
                return f"{said}."
            accepted = ", ".join(map(printable, dump.accepted))
            return f"{said} that are there, and the policy accepts: {accepted}."


def _missed(dump: DumpReport) -> str:
    """Return what was not done with a dump, by all that is held against it."""
    if {reason.code for reason in dump.reasons} == {"unknown-format"}:
        return "was swept, but is no dump of a known format"
    return "could not be read" if unread(dump) else "was not looked at as a whole"


def unread(dump: DumpReport) -> bool:
    """Say whether nothing is known of a dump but why it could not be read."""
    return not dump.size and {reason.code for reason in dump.reasons} == {"unreadable"}


def made_of(dump: DumpReport) -> str:
    """Return format, machine and layers, each once: ``minidump, x86_64, zstd``."""
    arch = () if dump.arch == "unknown" else (dump.arch,)
    name = "unknown format" if dump.format == "unknown" else dump.format
    return ", ".join(map(printable, dict.fromkeys((name, *arch, *dump.content.layers))))


def within(report: Report, number: int) -> int:
    """Return how many dumps behind this one in a report lie in it, as in an archive."""
    inner = f"{report.dumps[number].path}!"
    behind = itertools.islice(report.dumps, number + 1, None)
    return sum(1 for _ in itertools.takewhile(lambda dump: dump.path.startswith(inner), behind))


def reasons(dump: DumpReport, *, every: bool) -> list[str]:
    """Return why the verdict is what it is, once each; findings told as keys are left out."""
    told = not every and any(acts(finding) for finding in dump.findings)
    said = [r.text for r in dump.reasons if not (told and r.code in FINDING_CODES)]
    return [printable(text) for text in dict.fromkeys(said)]


def next_step(dump: DumpReport) -> str:
    """Return what to do with a dump that may not leave."""
    if dump.verdict is Verdict.BLOCKED:
        return "Keep the dump where it is, or delete it. Whoever has it has the keys."
    if any(reason.code == "truncated" for reason in dump.reasons):
        return "Take the dump again, or fetch it again: bytes that it claims to have are missing."
    if any(reason.code == "altered-signature" for reason in dump.reasons):
        return "Ask who took the dump, and with what; WER or procdump write one that passes checks."
    return "Settle what is said above and scan again; until then treat the dump as blocked."


def gaps_by_code(gaps: Iterable[Gap]) -> list[tuple[str, list[Gap]]]:
    """Return the gaps of each code, codes in order."""
    codes: dict[str, list[Gap]] = {}
    for gap in gaps:
        codes.setdefault(printable(gap.code), []).append(gap)
    return sorted(codes.items())


def gaps_said(code: str, gaps: list[Gap]) -> str:
    """Return what gaps of one code come to."""
    size = count(sum(gap.size for gap in gaps), "byte", "bytes")
    said = f"{count(len(gaps), 'range', 'ranges')}, {size}"
    if code == "not-captured":
        return f"{said}, which the writer of the dump left out; they are not in the file"
    return f"{said}, which the file claims to hold and does not"
