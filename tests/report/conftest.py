"""Reports made by hand: what a renderer must be able to show, hostile strings included."""

import dataclasses
import enum
import itertools
from typing import Any

import pytest

from scanner import spread
from scanner.model import (
    Cell,
    Confidence,
    Content,
    Coverage,
    DumpReport,
    Extent,
    Fault,
    Finding,
    Fingerprint,
    Gap,
    Occurrence,
    Public,
    Reason,
    Report,
    Severity,
    Stretch,
    Verdict,
)

HOSTILE = (
    "\x1b[31m\x1b]0;owned\x07[red]x[/red][link=file:///]\r\n\x00\x7f\x9b"
    "\u202e\u2066\u200b\u2028\udc80\U000e0041a\u0301</script>&<b>\ufeff\u00a0"
)
"""Terminal sequences, markup, line ends, bidirectional and invisible marks, a lone surrogate."""


def named_rsa(text: str = "") -> Finding:
    """Return an RSA key that a certificate names, in nine places, one of them scattered."""
    places = [
        Occurrence(
            encoding="raw-LE",
            region="[heap]" + text,
            owner="openssl" + text,
            state="live",
            extents=(
                Extent(address=0x55D0_4C10_8B40, file_offset=0x1F340, size=128),
                Extent(address=0x55D0_4C10_8BD0, file_offset=0x1F3D0, size=128),
            ),
        ),
        Occurrence(
            encoding="PKCS8-PEM",
            region="[heap]" + text,
            owner="openssl" + text,
            state="freed",
            extents=(Extent(address=0x55D0_4C10_A000, file_offset=0x20800, size=1704),),
        ),
        Occurrence(
            encoding="PKCS1-DER",
            region="",
            owner="",
            state="unknown",
            extents=(Extent(address=None, file_offset=0x2C_0000, size=1190),),
        ),
    ]
    places += [
        dataclasses.replace(
            places[1], extents=(Extent(address=0x7F00_0000 + i, file_offset=i, size=1704),)
        )
        for i in range(6)
    ]
    return Finding(
        id="k-7d9c2f10",
        rule="rsa-limbs",
        kind="private-key",
        algorithm="rsa",
        curve="",
        bits=2048,
        severity=Severity.CRITICAL,
        confidence=Confidence.PROOF,
        proof="p*q = n",
        names=("certificate", "known"),
        fingerprint=Fingerprint(kind="spki-sha256", value="7d9c2f10" * 8),
        public=Public(
            subject="CN=sts.example.org,O=Example" + text,
            serial="33000001f2e4" + text,
            not_after="2021-04-04T23:59:59Z",
            kid="key-1" + text,
            ssh_fingerprint="SHA256:abc" + text,
        ),
        occurrences=tuple(places),
    )


def unnamed(algorithm: str, curve: str, bits: int, severity: Severity) -> Finding:
    """Return a key that nothing names, in one place."""
    return Finding(
        id=f"k-{algorithm}",
        rule=f"{algorithm}-scalar",
        kind="private-key",
        algorithm=algorithm,
        curve=curve,
        bits=bits,
        severity=severity,
        confidence=Confidence.PROOF,
        proof="d*G = Q",
        names=(),
        fingerprint=Fingerprint(kind="spki-sha256", value="0badcafe" * 8),
        public=Public(),
        occurrences=(
            Occurrence(
                encoding="raw-LE",
                region="stack of thread 4711",
                owner="",
                state="live",
                extents=(Extent(address=0x7FFC_DEAD_BEE0, file_offset=0x9000, size=32),),
            ),
        ),
    )


def token() -> Finding:
    """Return a token, named by its place alone."""
    return dataclasses.replace(
        unnamed("", "", 0, Severity.HIGH),
        kind="token",
        algorithm="jwt",
        proof="",
        confidence=Confidence.STRUCTURE,
        fingerprint=Fingerprint(kind="place-sha256", value="11223344" * 8),
    )


def memory(text: str = "") -> tuple[Stretch, ...]:
    """Return a program, its heap and a stack, the last of them told with what lies near it."""
    return (
        Stretch(
            address=0x55D0_4C10_0000,
            size=0x8000,
            bytes=0x8000,
            label="openssl" + text,
            cells=("text", "random"),
        ),
        Stretch(
            address=0x55D0_4C10_8000,
            size=0x20_0000,
            bytes=0x20_0000,
            label="memory rw" + text,
            cells=("zero", "mixed", "random", "low", "unswept"),
        ),
        Stretch(
            address=0x7FFC_DEAD_0000,
            size=0x1_0000,
            bytes=0x8000,
            label="stack of thread 4711" + text,
            cells=("low", None, "low"),
        ),
    )


def dump_report(verdict: Verdict, findings: tuple[Finding, ...] = (), text: str = "") -> DumpReport:
    """Return the report of one ELF core of 3,000,000 bytes."""
    incomplete = verdict is Verdict.INCOMPLETE
    size = 3_000_000
    reasons = tuple(
        Reason(code="private-key", text=f"a private key of confidence proof{text}")
        for _ in findings
        if verdict is Verdict.BLOCKED
    )
    if incomplete:
        reasons += (Reason(code="truncated", text="4,096 bytes that the file claims are missing"),)
    return DumpReport(
        path="/var/crash/core.1234" + text,
        size=812_345,
        sha256="ab" * 32,
        content=Content(layers=("zstd",), size=size, sha256="cd" * 32),
        format="elf-core",
        arch="x86_64",
        verdict=verdict,
        reasons=reasons,
        coverage=Coverage(
            file_bytes=size,
            scanned_bytes=size - 4096 * incomplete,
            regions=41,
            gaps=(
                Gap(code="not-captured", start=0x7F00_0000_0000, size=1 << 20),
                Gap(code="not-captured", start=None, size=4096),
            )
            + ((Gap(code="truncated", start=0x1000, size=4096),) if incomplete else ()),
            faults=(Fault(code="worker-lost", text="bytes 0x10000 to 0x20000"),) * incomplete,
            map=(Cell(bytes=size, swept=size - 4096 * incomplete, entropy="mixed"),),
            memory=memory(text),
        ),
        findings=tuple(
            dataclasses.replace(
                finding,
                blocks=verdict is Verdict.BLOCKED and finding.severity >= Severity.HIGH,
            )
            for finding in findings
        ),
        suppressed=(dataclasses.replace(token(), note="published: RFC 9500" + text),),
    )


def whole(*dumps: DumpReport) -> Report:
    """Return a report of these dumps; its verdict is the worst of theirs."""
    verdicts = {dump.verdict for dump in dumps}
    order = (Verdict.BLOCKED, Verdict.INCOMPLETE, Verdict.PASS)
    return Report(
        tool_version="0.1.0",
        rules_sha256="ef" * 32,
        policy_sha256="",
        known_sha256="",
        mode="default",
        verdict=next(verdict for verdict in order if verdict in verdicts),
        dumps=dumps,
    )


def keys(text: str = "") -> tuple[Finding, ...]:
    """Return one finding of each sort, the unnamed among the named."""
    return (
        unnamed("ec", "P-256", 256, Severity.CRITICAL),
        named_rsa(text),
        token(),
        unnamed("x25519", "", 256, Severity.MEDIUM),
    )


def many(count: int, text: str = "") -> tuple[Finding, ...]:
    """Return so many findings of every sort, each a key of its own."""
    sorts = keys(text)
    return tuple(
        dataclasses.replace(
            finding,
            id=f"{finding.id}-{number}",
            fingerprint=dataclasses.replace(finding.fingerprint, value=f"{number:08x}" * 8),
        )
        for number, finding in zip(range(count), itertools.cycle(sorts), strict=False)
    )


def fleet(text: str = "") -> Report:
    """Return a report on three dumps that share a key, the second of them the oldest."""
    blocked = [dump_report(Verdict.BLOCKED, keys(text), f"{name}{text}") for name in "abc"]
    dumps = (*blocked, dump_report(Verdict.PASS))
    return dataclasses.replace(
        whole(*dumps), fleet=spread.spread(dumps, (1.7e9 + 0.5, 1.6e9, None, 5.0))
    )


REPORTS = {
    "pass": whole(dump_report(Verdict.PASS)),
    "blocked": whole(dump_report(Verdict.BLOCKED, keys())),
    "incomplete": whole(dump_report(Verdict.INCOMPLETE)),
    "hostile": whole(dump_report(Verdict.BLOCKED, keys(HOSTILE), HOSTILE)),
    "several": whole(
        dump_report(Verdict.PASS),
        dump_report(Verdict.INCOMPLETE),
        dump_report(Verdict.BLOCKED, keys()),
    ),
    "fleet": fleet(),
    "hostile fleet": fleet(HOSTILE),
}


@pytest.fixture(params=sorted(REPORTS))
def report(request: pytest.FixtureRequest) -> Report:
    """Return each of the reports in turn."""
    made: Report = REPORTS[request.param]
    return made


@pytest.fixture
def hostile() -> Report:
    """Return the report whose every dump-controlled string is hostile."""
    return REPORTS["hostile"]


@pytest.fixture
def blocked() -> Report:
    """Return the report of a dump with keys, named and unnamed."""
    return REPORTS["blocked"]


@pytest.fixture
def several() -> Report:
    """Return the report of three dumps, one of each verdict."""
    return REPORTS["several"]


@pytest.fixture
def passed() -> Report:
    """Return the report of a dump without keys."""
    return REPORTS["pass"]


def spoiled(value: Any, text: str = HOSTILE) -> Any:  # noqa: ANN401 - any value of the model
    """Return a value of the model with ``text`` added to every string in it, enumerations apart."""
    if isinstance(value, enum.Enum):
        return value
    if isinstance(value, str):
        return value + text
    if isinstance(value, tuple):
        return tuple(spoiled(item, text) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: spoiled(getattr(value, f.name), text) for f in dataclasses.fields(value)}
        return dataclasses.replace(value, **changed)
    return value


@pytest.fixture
def foul() -> Report:
    """Return a report in which every string whatever is hostile, those of ours included."""
    made: Report = spoiled(REPORTS["several"])
    return made


@pytest.fixture
def halted() -> Report:
    """Return the report of a dump that was not looked at as a whole."""
    return REPORTS["incomplete"]
