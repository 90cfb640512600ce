"""Findings to verdict: blocked beats incomplete beats pass, and nothing unswept passes."""

import contextlib
import dataclasses
import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner import dump, policy, policyfile
from scanner.detect.integers.runs import gather
from scanner.detect.register import Registrar
from scanner.dump import space
from scanner.dump.source import open_file
from scanner.engine.scanning import Scan
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
    Reason,
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
    publics=Registrar().register(),
    runs=gather(()),
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


def test_each_reason_stands_once() -> None:
    """Thousands of tokens of a kind are thousands of findings, and one reason; order is kept."""
    report = policy.judge(scan(scanned_bytes=0, faults=(FAULT, FAULT)), [finding()] * 50)
    assert codes(report) == ["private-key", "damaged-table", "unswept"]
    assert len(report.findings) == 50


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


@pytest.mark.parametrize("code", ["unopened", "encrypted", "unsupported"])
def test_what_is_known_and_not_opened_is_no_unknown_format(code: str) -> None:
    """The one reason is what it is: that --raw would let it pass is not said, for it would not."""
    fault = Fault(code=code, text="It is not opened.")
    for raw in (True, False):
        held = dataclasses.replace(scan(faults=(fault,)), layout=Layout(format="raw"), raw=raw)
        assert codes(policy.judge(held, ())) == [code]


def test_numbers_are_written_one_way() -> None:
    """Bytes that were not swept are counted as the report counts bytes."""
    left = policy.judge(scan(scanned_bytes=0), ()).reasons[0]
    assert left.text == "4,096 bytes of the file were not swept."


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


def test_a_program_is_called_one(tmp_path: Path) -> None:
    """What links and runs is no core: it is said so, and --raw lets it pass as it lets the rest."""
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00" + bytes(46))
    with contextlib.closing(open_file(str(program))) as file:
        layout = dump.read_layout(file)
    judged = policy.judge(dataclasses.replace(SCAN, layout=layout), ())
    assert codes(judged) == ["unknown-format"]
    assert judged.reasons[0].text.startswith("It is a program or a library, not a core: ")
    assert policy.judge(dataclasses.replace(SCAN, layout=layout, raw=True), ()).reasons == ()


def test_of_an_empty_file_raw_is_not_told() -> None:
    """It does not help there, and nothing says that it would."""
    empty = Content(layers=(), size=0, sha256="00")
    raw = dataclasses.replace(SCAN, size=0, content=empty, layout=Layout(format="raw"))
    for asked in (False, True):
        report = policy.judge(dataclasses.replace(raw, raw=asked), [])
        assert "empty" in codes(report)
        assert "unknown-format" not in codes(report)
        assert not any("--raw" in reason.text for reason in report.reasons)


def test_a_report_that_is_kept_back_has_no_pass() -> None:
    """What blocks stays as it was."""
    good, bad = policy.judge(SCAN, []), policy.judge(SCAN, [finding()])
    reason = Reason(code="unlogged", text="No log.")
    for dumps, verdict in (([good], Verdict.INCOMPLETE), ([good, bad], Verdict.BLOCKED)):
        kept = policy.kept_back(policy.combine(dumps, rules_sha256=""), reason)
        assert kept.verdict is verdict
        assert kept.dumps[0].verdict is Verdict.INCOMPLETE
        assert kept.dumps[0].reasons == (reason,)
        assert kept.dumps[1:] == tuple(dumps[1:])


def test_unreadable() -> None:
    """A dump that cannot be read is incomplete and says why."""
    report = policy.unreadable("core", Unreadable("the file cannot be opened", reason="it is gone"))
    assert (report.verdict, codes(report)) == (Verdict.INCOMPLETE, ["unreadable"])
    assert report.reasons[0].text == "The file cannot be opened: it is gone."


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


TODAY = dt.date(2027, 1, 31)
HASH = "0" * 64


def ruling(**said: object) -> policy.Ruling:
    """Make a ruling of a policy that says this, on one day."""
    return policy.Ruling(policy=policyfile.Policy(**said), today=TODAY)  # type: ignore[arg-type]


def leave(expires: dt.date, fingerprint: str = HASH) -> policyfile.Allow:
    """Make an entry of a policy."""
    return policyfile.Allow(fingerprint=fingerprint, reason="lab", owner="me", expires=expires)


@given(st.sampled_from(Severity), st.sampled_from(Confidence), st.sampled_from(Severity))
def test_fail_on(severity: Severity, confidence: Confidence, least: Severity) -> None:
    """What blocks is at least as severe as the policy says, and says of itself that it blocks."""
    report = policy.judge(SCAN, [finding(severity, confidence)], (), ruling(fail_on=least))
    expected = severity >= least and confidence >= Confidence.STRUCTURE
    assert (report.verdict is Verdict.BLOCKED) is expected is report.findings[0].blocks


@pytest.mark.parametrize(("days", "allowed"), [(-1, False), (0, True), (1, True)])
def test_leave_ends_after_its_last_day(days: int, allowed: bool) -> None:
    """An entry works through its last day; what it set aside, or did not, says why."""
    entry = leave(TODAY + dt.timedelta(days=days))
    report = policy.judge(SCAN, [finding()], (), ruling(allow=(entry,)))
    assert (report.verdict is Verdict.PASS) is allowed
    (one,) = report.suppressed + report.findings
    assert ("lab (owner: me)" in one.note) is allowed
    assert ("its leave ended on" in one.note) is not allowed


def test_without_a_clock_nothing_is_allowed() -> None:
    """A ruling that was told no day gives no leave that ends."""
    allow = policyfile.Policy(allow=(leave(dt.date(9999, 12, 30)),))
    assert policy.judge(SCAN, [finding()], (), policy.Ruling(policy=allow)).findings[0].blocks


def test_a_place_in_a_dump_without_a_digest_has_no_leave() -> None:
    """The place is named by the digest of its dump: without one it is another's name as well."""
    bare = dataclasses.replace(SCAN, content=dataclasses.replace(SCAN.content, sha256=""))
    allowed = ruling(allow=(leave(TODAY, HASH),))
    for changed, verdict in ((SCAN, Verdict.PASS), (bare, Verdict.BLOCKED)):
        assert policy.judge(changed, [PLACE], (), allowed).verdict is verdict


def test_leave_is_for_one_key() -> None:
    """An entry for another key changes nothing."""
    other = ruling(allow=(leave(TODAY, "1" * 64),))
    assert policy.judge(SCAN, [finding()], (), other).verdict is Verdict.BLOCKED


PLACE = dataclasses.replace(finding(), fingerprint=Fingerprint(kind="place-sha256", value=HASH))


@pytest.mark.parametrize(
    ("one", "before", "now", "aside"),
    [
        (finding(), "00", "00", True),
        (finding(), "00", "11", True),
        (PLACE, "00", "00", True),
        (PLACE, "00", "11", False),
        (PLACE, "", "", False),
    ],
)
def test_baseline(one: Finding, before: str, now: str, aside: bool) -> None:
    """Keys of a saved report are set aside in any dump, nameless secrets in the same dump alone."""

    def of(sha256: str) -> Scan:
        return dataclasses.replace(SCAN, content=dataclasses.replace(SCAN.content, sha256=sha256))

    old = policy.combine([policy.judge(of(before), [one])], rules_sha256="")
    rule = policy.Ruling(baseline=policy.baseline(old))
    report = policy.judge(of(now), [one], (), rule)
    assert (report.verdict is Verdict.PASS) is aside
    assert (len(report.suppressed), len(report.findings)) == (aside, not aside)
    again = policy.baseline(policy.combine([report], rules_sha256=""))
    assert (again == policy.Baseline()) is (aside or not before)


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [("", "", False), (HASH, HASH, False), (HASH, "", True), ("", HASH, True), (HASH, "22", True)],
)
def test_a_baseline_of_another_fingerprint_key_says_so(
    before: str, now: str, *, told: bool
) -> None:
    """What has no public half it names otherwise; keys it knows all the same."""
    secret = dataclasses.replace(PLACE, kind="token", id="token")
    key = finding()
    old = policy.combine(
        [policy.judge(SCAN, [key, secret])], rules_sha256="", fingerprint_key_id=before
    )
    new = dataclasses.replace(secret, fingerprint=Fingerprint(kind="hmac-sha256", value="33" * 32))
    other = dataclasses.replace(new, kind="symmetric-key", id="symmetric")
    rule = policy.Ruling(baseline=policy.baseline(old, now))
    report = policy.judge(SCAN, [key, new, other], (), rule)
    assert [one.fingerprint for one in report.suppressed] == [key.fingerprint]
    notes = {one.kind: one.note for one in report.findings}
    assert notes["symmetric-key"] == ""
    assert ("fingerprint key" in notes["token"]) is told


@pytest.mark.parametrize(
    ("kind", "severity", "confidence", "fail_on", "aside"),
    [
        ("encrypted-key", Severity.MEDIUM, Confidence.STRUCTURE, Severity.HIGH, False),
        ("encrypted-key", Severity.CRITICAL, Confidence.PROOF, Severity.LOW, False),
        ("private-key", Severity.MEDIUM, Confidence.PROOF, Severity.HIGH, False),
        ("private-key", Severity.MEDIUM, Confidence.PROOF, Severity.MEDIUM, True),
        ("private-key", Severity.HIGH, Confidence.SHAPE, Severity.HIGH, False),
        ("private-key", Severity.HIGH, Confidence.STRUCTURE, Severity.HIGH, True),
    ],
)
def test_a_baseline_is_no_leave_for_what_is_worse(
    kind: str, severity: Severity, confidence: Confidence, fail_on: Severity, aside: bool
) -> None:
    """Where a key was encrypted, or did not block, its plain form is not set aside."""
    before = dataclasses.replace(finding(severity, confidence), kind=kind)
    old = policy.combine([policy.judge(SCAN, [before])], rules_sha256="")
    rule = policy.Ruling(
        policy=policyfile.Policy(fail_on=fail_on), baseline=policy.baseline(old), today=TODAY
    )
    report = policy.judge(SCAN, [finding(Severity.CRITICAL, Confidence.PROOF)], (), rule)
    assert (report.verdict is Verdict.PASS) is aside
    assert policy.judge(SCAN, [before], (), rule).verdict is Verdict.PASS


CUT = Fault(code="truncated", text="Bytes are missing.")


@pytest.mark.parametrize(
    ("changed", "accept", "verdict"),
    [
        (scan(faults=(CUT,)), ("truncated",), Verdict.PASS),
        (scan(faults=(CUT,)), (), Verdict.INCOMPLETE),
        (scan(faults=(CUT, FAULT)), ("truncated",), Verdict.INCOMPLETE),
        (scan(faults=(FAULT,)), ("truncated",), Verdict.INCOMPLETE),
        (scan(faults=(CUT,), scanned_bytes=SIZE - 1), ("truncated",), Verdict.INCOMPLETE),
    ],
)
def test_truncated(changed: Scan, accept: tuple[str, ...], verdict: Verdict) -> None:
    """Missing bytes are accepted where the policy says so and each byte that is there was swept."""
    report = policy.judge(changed, (), (), ruling(accept=accept))
    assert report.verdict is verdict
    assert report.coverage == changed.coverage
    whole = changed.coverage.scanned_bytes == changed.coverage.file_bytes
    taken = accept if whole and CUT in changed.coverage.faults else ()
    assert report.accepted == taken
    assert ("truncated" in codes(report)) is (CUT in changed.coverage.faults and not taken)
    assert policy.judge(changed, [finding()], (), ruling(accept=accept)).verdict is Verdict.BLOCKED


def test_session_keys_block_unless_said() -> None:
    """An EC key that nothing names blocks, whatever it was made for; a policy may let it pass."""
    once = dataclasses.replace(finding(), session=True)
    assert policy.judge(scan(), [once]).verdict is Verdict.BLOCKED
    lax = ruling(block_session_keys=False)
    report = policy.judge(scan(), [once], (), lax)
    assert (report.verdict, report.suppressed) == (Verdict.PASS, ())
    assert not report.findings[0].blocks
    assert report.accepted == (policyfile.SESSION_KEYS,)
    assert policy.judge(scan(), [finding()], (), lax).accepted == ()
    assert report.findings[0].note == "the policy lets keys of sessions pass"
    assert policy.judge(scan(), [finding()], (), lax).verdict is Verdict.BLOCKED


def test_tokens_are_required_unless_said() -> None:
    """Tokens that were not searched are a fault, which require_tokens = false accepts."""
    changed = scan(faults=(Fault(code=policyfile.TOKENS_FAULT, text="No tokens."),))
    assert policy.judge(changed, ()).verdict is Verdict.INCOMPLETE
    report = policy.judge(changed, (), (), ruling(require_tokens=False))
    assert (report.verdict, report.accepted) == (Verdict.PASS, (policyfile.TOKENS_FAULT,))
