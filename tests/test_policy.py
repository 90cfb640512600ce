"""Findings to verdict: blocked beats incomplete beats pass, and nothing unswept passes."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner import policy
from scanner.dump import space
from scanner.engine import Scan
from scanner.errors import Unreadable
from scanner.model import (
    Confidence,
    Content,
    Coverage,
    DumpReport,
    Fault,
    Finding,
    Fingerprint,
    Gap,
    Layout,
    Public,
    Severity,
    Verdict,
)

SIZE = 4096
LAYOUT = Layout(format="elfcore")
SCAN = Scan(
    path="core",
    size=SIZE,
    sha256="00",
    content=Content(layers=(), size=SIZE, sha256="00"),
    layout=LAYOUT,
    space_map=space.build(LAYOUT, SIZE)[0],
    candidates=(),
    sightings=(),
    witnesses=(),
    coverage=Coverage(file_bytes=SIZE, scanned_bytes=SIZE, regions=0, gaps=(), faults=()),
    raw=False,
)


def finding(
    severity: Severity = Severity.CRITICAL,
    confidence: Confidence = Confidence.PROOF,
    kind: str = "private-key",
) -> Finding:
    """Make a finding."""
    return Finding(
        id="0",
        rule="rsa-limbs",
        kind=kind,
        algorithm="rsa",
        curve="",
        bits=2048,
        severity=severity,
        confidence=confidence,
        proof="p*q = n",
        names=(),
        fingerprint=Fingerprint(kind="spki-sha256", value="0" * 64),
        public=Public(),
        occurrences=(),
    )


def scan(**coverage: object) -> Scan:
    """Make a scan with this coverage."""
    changed = dataclasses.replace(SCAN.coverage, **coverage)  # type: ignore[arg-type]
    return dataclasses.replace(SCAN, coverage=changed)


FAULT = Fault(code="damaged-table", text="A table is damaged.")


def codes(report: DumpReport) -> list[str]:
    """Return the codes of the reasons."""
    return [reason.code for reason in report.reasons]


def test_a_whole_scan_without_findings_passes() -> None:
    """An undamaged dump without keys passes, for no reason."""
    report = policy.judge(SCAN, ())
    assert (report.verdict, report.reasons) == (Verdict.PASS, ())


@pytest.mark.parametrize(
    ("severity", "confidence", "blocked"),
    [
        (Severity.CRITICAL, Confidence.PROOF, True),
        (Severity.CRITICAL, Confidence.STRUCTURE, True),
        (Severity.CRITICAL, Confidence.SHAPE, False),
        (Severity.HIGH, Confidence.STRUCTURE, True),
        (Severity.MEDIUM, Confidence.PROOF, False),
        (Severity.LOW, Confidence.PROOF, False),
        (Severity.INFO, Confidence.PROOF, False),
    ],
)
def test_what_blocks(severity: Severity, confidence: Confidence, *, blocked: bool) -> None:
    """High and critical block, unless nothing but their shape was checked."""
    report = policy.judge(SCAN, [finding(severity, confidence)])
    assert (report.verdict is Verdict.BLOCKED) is blocked
    assert (codes(report) == ["private-key"]) is blocked
    assert len(report.findings) == 1


def test_suppressed_findings_do_not_block() -> None:
    """What is set aside is in the report and changes nothing."""
    report = policy.judge(SCAN, (), [finding()])
    assert (report.verdict, len(report.suppressed)) == (Verdict.PASS, 1)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        (scan(scanned_bytes=SIZE - 1), "unswept"),
        (scan(faults=(FAULT,)), "damaged-table"),
        (dataclasses.replace(SCAN, layout=Layout(format="raw")), "unknown-format"),
    ],
)
def test_what_is_incomplete(changed: Scan, code: str) -> None:
    """A byte that was not swept, a fault and an unknown format never pass."""
    report = policy.judge(changed, ())
    assert (report.verdict, codes(report)) == (Verdict.INCOMPLETE, [code])
    assert policy.judge(changed, [finding()]).verdict is Verdict.BLOCKED


def test_what_was_not_captured_does_not_matter() -> None:
    """Memory that the writer left out is normal."""
    gap = Gap(code="not-captured", start=0x1000, size=1 << 30)
    assert policy.judge(scan(gaps=(gap,)), ()).verdict is Verdict.PASS


def test_an_unknown_format_passes_where_the_operator_says_so() -> None:
    """--raw lets whole sweeps of unknown formats pass, and cut ones never."""
    raw = dataclasses.replace(SCAN, layout=Layout(format="raw"), raw=True)
    assert policy.judge(raw, ()).verdict is Verdict.PASS
    cut = dataclasses.replace(scan(scanned_bytes=1), layout=Layout(format="raw"), raw=True)
    assert policy.judge(cut, ()).verdict is Verdict.INCOMPLETE


def test_unreadable() -> None:
    """A dump that cannot be read is incomplete and says why."""
    report = policy.unreadable("core", Unreadable("Cannot open core", reason="it is gone"))
    assert (report.verdict, codes(report)) == (Verdict.INCOMPLETE, ["unreadable"])
    assert report.reasons[0].text == "Cannot open core: it is gone."


@given(
    st.lists(
        st.builds(finding, st.sampled_from(Severity), st.sampled_from(Confidence)), max_size=4
    ),
    st.booleans(),
    st.integers(0, SIZE),
)
def test_the_verdict_is_never_milder_than_the_worst(
    found: list[Finding], faulty: bool, scanned: int
) -> None:
    """Blocked if anything blocks; else incomplete if anything is missing; else pass."""
    report = policy.judge(scan(scanned_bytes=scanned, faults=(FAULT,) if faulty else ()), found)
    if any(map(policy.blocks, found)):
        assert report.verdict is Verdict.BLOCKED
    elif faulty or scanned < SIZE:
        assert report.verdict is Verdict.INCOMPLETE
    else:
        assert report.verdict is Verdict.PASS
    assert bool(report.reasons) is (report.verdict is not Verdict.PASS)


@given(st.lists(st.sampled_from(Verdict), max_size=5))
def test_the_worst_of_several_dumps(verdicts: list[Verdict]) -> None:
    """Of several dumps the worst verdict counts; no dump at all is incomplete."""
    one = policy.judge(SCAN, ())
    dumps = [dataclasses.replace(one, verdict=verdict) for verdict in verdicts]
    worst = policy.combine(dumps, rules_sha256="").verdict
    order = (Verdict.BLOCKED, Verdict.INCOMPLETE, Verdict.PASS)
    assert worst is min(verdicts, key=order.index, default=Verdict.INCOMPLETE)
