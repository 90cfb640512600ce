"""Findings to verdict. Pure: no file, no clock, no randomness.

May the dump leave? Blocked if a finding blocks; else incomplete if anything was not looked at, by
anyone, for any reason; else pass. Nothing here turns unswept bytes or a fault into a pass, but for
the one fault that a policy may accept: that the file lacks bytes which it claims to have.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from scanner import __version__
from scanner.engine.scanning import Scan
from scanner.errors import ScannerError
from scanner.fingerprint import PLACE, SPKI
from scanner.model import (
    NONCES,
    Content,
    Coverage,
    DumpReport,
    Fault,
    Finding,
    Reason,
    Report,
    Verdict,
)
from scanner.policyfile import DEFAULT, SESSION_KEYS, TOKENS_FAULT, Allow, Policy

_OPAQUE = frozenset(("unopened", "encrypted", "unsupported", "empty"))
"""What is known and was not looked into, or is nothing: --raw would not let it pass."""

_OTHER_KEY = "the baseline was made with another fingerprint key, or without one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a saved report had found, by what it is."""

    found: Mapping[tuple[str, str, str], tuple[Finding, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """By kind, fingerprint and, where that is a ``place-sha256``, the SHA-256 of the dump's
    content, for which alone it holds."""
    strange: frozenset[str] = frozenset()
    """Kinds of which it had findings that it names by another fingerprint key, or by none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """All by which a verdict is given, apart from the scan."""

    policy: Policy = DEFAULT
    baseline: Baseline = Baseline()
    today: dt.date = dt.date.max
    """In UTC. Whoever reads no clock gets no leave from any entry of the policy."""


def blocks(finding: Finding, policy: Policy = DEFAULT) -> bool:
    """Tell whether a finding keeps the dump from leaving."""
    if finding.session and not policy.block_session_keys:
        return False
    return finding.severity >= policy.fail_on and finding.confidence >= policy.min_confidence


def baseline(report: Report, fingerprint_key_id: str = "") -> Baseline:
    """Return what a saved report had found; what it had set aside does not count.

    Secrets are named by the key of that id now, or by none.
    """
    same = report.fingerprint_key_id == fingerprint_key_id
    strange = set[str]()
    found: dict[tuple[str, str, str], tuple[Finding, ...]] = {}
    for dump in report.dumps:
        for finding in dump.findings:
            known = _known_as(finding, dump.content.sha256)
            if known is not None:
                found[known] = (*found.get(known, ()), finding)
            if not same and finding.fingerprint.kind != SPKI:
                strange.add(finding.kind)
    return Baseline(found=found, strange=frozenset(strange))


def _known_as(finding: Finding, content_sha256: str) -> tuple[str, str, str] | None:
    """Return by what a finding is known again; None for a place in what has no digest."""
    name = finding.fingerprint
    if name.kind != PLACE:
        return finding.kind, name.value, ""
    return (finding.kind, name.value, content_sha256) if content_sha256 else None


def set_aside(
    findings: Sequence[Finding], content_sha256: str, ruling: Ruling
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Part findings from those that the policy allows or the baseline had; these say why.

    A finding whose leave has ended counts, and says so. A dump without a digest cannot be told from
    another: places in it are neither allowed nor had before. What blocks stood in a saved report
    only if that was of the same kind, and would block by the same policy: a key that was encrypted
    there, or of no weight, is no leave for what it protects.
    """
    entries = {entry.fingerprint: entry for entry in ruling.policy.allow}
    counting: list[Finding] = []
    aside: list[Finding] = []
    for finding in findings:
        known = _known_as(finding, content_sha256)
        entry = entries.get(finding.fingerprint.value) if known is not None else None
        before = ruling.baseline.found.get(known, ()) if known is not None else ()
        had = any(blocks(one, ruling.policy) for one in before)
        if entry and entry.expires >= ruling.today:
            aside.append(replace(finding, note=_leave(entry)))
        elif before and (had or not blocks(finding, ruling.policy)):
            aside.append(replace(finding, note="baseline: stood in the saved report"))
        elif entry:
            why = f"its leave ended on {entry.expires} (owner: {entry.owner})"
            counting.append(replace(finding, note=why))
        elif finding.kind in ruling.baseline.strange and finding.fingerprint.kind != SPKI:
            counting.append(replace(finding, note=_OTHER_KEY))
        else:
            counting.append(finding)
    return tuple(counting), tuple(aside)


def leave_ends(aside: Iterable[Finding], ruling: Ruling) -> dt.date | None:
    """Return the first last day of the leaves by which findings were set aside; None for none."""
    entries = {entry.fingerprint: entry for entry in ruling.policy.allow}
    leaves = [(finding, entries.get(finding.fingerprint.value)) for finding in aside]
    return min(
        (entry.expires for finding, entry in leaves if entry and finding.note == _leave(entry)),
        default=None,
    )


def _leave(entry: Allow) -> str:
    return f"allowed until {entry.expires}: {entry.reason} (owner: {entry.owner})"


def judge(
    scan: Scan,
    findings: Sequence[Finding],
    suppressed: Sequence[Finding] = (),
    ruling: Ruling = Ruling(),
) -> DumpReport:
    """Return the report on one dump; ``suppressed`` are findings set aside before."""
    counting, aside = set_aside(findings, scan.content.sha256, ruling)
    counting = tuple(_ruled(finding, ruling.policy) for finding in counting)
    accepted = _accepted(scan.coverage, counting, ruling.policy)
    against = [_blocked(finding) for finding in counting if finding.blocks]
    missing = [
        Reason(code=fault.code, text=fault.text)
        for fault in scan.coverage.faults
        if fault.code not in accepted
    ]
    left = scan.coverage.file_bytes - scan.coverage.scanned_bytes
    if left:
        missing.append(Reason(code="unswept", text=f"{left:,} bytes of the file were not swept."))
    if not scan.content.size:
        missing.append(Reason(code="empty", text="There is no byte in it."))
    told = any(reason.code in _OPAQUE for reason in missing)
    if scan.layout.format == "raw" and not (scan.raw or told):
        what = f"It is {scan.layout.instead}" if scan.layout.instead else "The format is unknown"
        text = f"{what}: the bytes were swept as they stand (--raw accepts that)."
        missing.append(Reason(code="unknown-format", text=text))
    verdict = Verdict.BLOCKED if against else Verdict.INCOMPLETE if missing else Verdict.PASS
    return DumpReport(
        path=scan.path,
        size=scan.size,
        sha256=scan.sha256,
        content=scan.content,
        format=scan.layout.format,
        arch=scan.layout.arch,
        verdict=verdict,
        reasons=tuple(dict.fromkeys((*against, *missing))),
        coverage=scan.coverage,
        findings=counting,
        suppressed=(*suppressed, *aside),
        accepted=accepted,
    )


def _ruled(finding: Finding, policy: Policy) -> Finding:
    """Return a finding that counts with what the policy says of it."""
    note = finding.note
    if _is_let_pass(finding, policy):
        note = note or "the policy lets keys of sessions pass"
    return replace(finding, note=note, blocks=blocks(finding, policy))


def _is_let_pass(finding: Finding, policy: Policy) -> bool:
    """Tell whether a key would block if it were not a session's."""
    return not blocks(finding, policy) and blocks(replace(finding, session=False), policy)


def _accepted(coverage: Coverage, findings: Iterable[Finding], policy: Policy) -> tuple[str, ...]:
    """Return the codes of the faults that are there and that the policy accepts.

    That bytes are missing is accepted only where each byte that is present was swept. And whether
    it lets keys of sessions pass that are there.
    """
    codes = set(policy.accept) if coverage.scanned_bytes == coverage.file_bytes else set()
    if not policy.require_tokens:
        codes.add(TOKENS_FAULT)
    there = codes & {fault.code for fault in coverage.faults}
    if any(_is_let_pass(finding, policy) for finding in findings):
        there.add(SESSION_KEYS)
    return tuple(sorted(there))


def _blocked(finding: Finding) -> Reason:
    kind = finding.curve or f"{finding.algorithm.upper()} {finding.bits or ''}".rstrip()
    if finding.kind == "token":
        kind = finding.algorithm
    what = finding.kind.replace("-", " ")
    if finding.proof in NONCES and not finding.names:
        what = "signature nonce"
    text = f"A {what} ({kind}) lies in the dump."
    return Reason(code="private-key" if finding.kind == "private-key" else "secret", text=text)


def kept_back(report: Report, reason: Reason) -> Report:
    """Return a report in which no dump passes: of a decision that cannot take effect."""
    dumps = tuple(
        replace(dump, verdict=Verdict.INCOMPLETE, reasons=(reason,))
        if dump.verdict is Verdict.PASS
        else dump
        for dump in report.dumps
    )
    verdict = Verdict.INCOMPLETE if report.verdict is Verdict.PASS else report.verdict
    return replace(report, dumps=dumps, verdict=verdict)


def unreadable(path: str, error: ScannerError) -> DumpReport:
    """Return the report on a dump of which nothing could be read."""
    text = f"{error.told[:1].upper()}{error.told[1:]}."
    fault = Fault(code="unreadable", text=text)
    return DumpReport(
        path=path,
        size=0,
        sha256="",
        content=Content(layers=(), size=0, sha256=""),
        format="unknown",
        arch="unknown",
        verdict=Verdict.INCOMPLETE,
        reasons=(Reason(code="unreadable", text=text),),
        coverage=Coverage(file_bytes=0, scanned_bytes=0, regions=0, gaps=(), faults=(fault,)),
        findings=(),
        suppressed=(),
    )


def combine(
    dumps: Sequence[DumpReport],
    *,
    rules_sha256: str,
    policy_sha256: str = "",
    known_sha256: str = "",
    baseline_sha256: str = "",
    fingerprint_key_id: str = "",
    mode: str = "default",
) -> Report:
    """Return one report on several dumps; its verdict is the worst of theirs."""
    verdicts = {dump.verdict for dump in dumps}
    worst = next(
        (verdict for verdict in (Verdict.BLOCKED, Verdict.INCOMPLETE) if verdict in verdicts),
        Verdict.PASS if dumps else Verdict.INCOMPLETE,
    )
    return Report(
        tool_version=__version__,
        rules_sha256=rules_sha256,
        policy_sha256=policy_sha256,
        known_sha256=known_sha256,
        baseline_sha256=baseline_sha256,
        fingerprint_key_id=fingerprint_key_id,
        mode=mode,
        verdict=worst,
        dumps=tuple(dumps),
    )
