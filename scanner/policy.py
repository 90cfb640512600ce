"""Findings to verdict. Pure: no file, no clock, no randomness.

May the dump leave? Blocked if a finding blocks; else incomplete if anything was not looked at, by
anyone, for any reason; else pass. Nothing here turns unswept bytes or a fault into a pass.
"""

from collections.abc import Sequence

from scanner import __version__
from scanner.engine import Scan
from scanner.errors import ScannerError
from scanner.model import (
    Confidence,
    Content,
    Coverage,
    DumpReport,
    Fault,
    Finding,
    Reason,
    Report,
    Severity,
    Verdict,
)

FAIL_ON = Severity.HIGH
"""The least severity that blocks."""

MIN_CONFIDENCE = Confidence.STRUCTURE
"""The least confidence that blocks: what merely looks like a key does not."""


def blocks(finding: Finding) -> bool:
    """Tell whether a finding keeps the dump from leaving."""
    return finding.severity >= FAIL_ON and finding.confidence >= MIN_CONFIDENCE


def judge(
    scan: Scan, findings: Sequence[Finding], suppressed: Sequence[Finding] = ()
) -> DumpReport:
    """Return the report on one dump."""
    coverage = scan.coverage
    faults = list(coverage.faults)
    reasons = [_blocked(finding) for finding in findings if blocks(finding)]
    blocked = bool(reasons)
    reasons += [Reason(code=fault.code, text=fault.text) for fault in faults]
    if coverage.scanned_bytes != coverage.file_bytes:
        left = coverage.file_bytes - coverage.scanned_bytes
        reasons.append(Reason(code="unswept", text=f"{left} bytes of the file were not swept."))
    if scan.layout.format == "raw" and not scan.raw:
        text = "The format is unknown: the bytes were swept as they stand, without addresses."
        reasons.append(Reason(code="unknown-format", text=text))
    incomplete = len(reasons) > sum(blocks(finding) for finding in findings)
    return DumpReport(
        path=scan.path,
        size=scan.size,
        sha256=scan.sha256,
        content=scan.content,
        format=scan.layout.format,
        arch=scan.layout.arch,
        verdict=(
            Verdict.BLOCKED if blocked else Verdict.INCOMPLETE if incomplete else Verdict.PASS
        ),
        reasons=tuple(reasons),
        coverage=coverage,
        findings=tuple(findings),
        suppressed=tuple(suppressed),
    )


def _blocked(finding: Finding) -> Reason:
    kind = finding.curve or f"{finding.algorithm.upper()} {finding.bits}"
    text = f"A {finding.kind.replace('-', ' ')} ({kind}) lies in the dump."
    return Reason(code="private-key" if finding.kind == "private-key" else "secret", text=text)


def unreadable(path: str, error: ScannerError) -> DumpReport:
    """Return the report on a dump of which nothing could be read."""
    text = f"{error.message}: {error.reason}." if error.reason else f"{error.message}."
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
        mode=mode,
        verdict=worst,
        dumps=tuple(dumps),
    )
