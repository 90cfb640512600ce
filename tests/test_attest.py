"""Statements: what they bind, what they refuse to say, and when they no longer hold."""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from scanner import attest, model, policy
from scanner.attest import Demands
from scanner.errors import AttestError
from scanner.model import Confidence, Fingerprint, Severity, Verdict
from scanner.policy import Ruling
from scanner.policyfile import Allow, Policy

SCHEMA = json.loads((Path(attest.__file__).parent / "report/attestation-1.json").read_text("utf-8"))
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
DEMANDS = Demands(now=NOW, max_age=dt.timedelta(days=1))
FILE, CONTENT, NAME = "f" * 64, "c" * 64, "a" * 64
PLAIN = Ruling()
ALLOWED = Allow(fingerprint=NAME, reason="load test", owner="us", expires=dt.date(2026, 3, 2))


def dump(*suppressed: model.Finding, **changes: Any) -> model.DumpReport:  # noqa: ANN401
    """Return the report on a compressed dump that passed."""
    return replace(
        model.DumpReport(
            path="/home/somebody/core.zst",
            size=10,
            sha256=FILE,
            content=model.Content(layers=("zstd",), size=100, sha256=CONTENT, alone=True),
            format="elfcore",
            arch="x86-64",
            verdict=Verdict.PASS,
            reasons=(),
            coverage=model.Coverage(
                file_bytes=1 << 60, scanned_bytes=1 << 60, regions=1, gaps=(), faults=()
            ),
            findings=(),
            suppressed=suppressed,
        ),
        **changes,
    )


def finding(note: str = "") -> model.Finding:
    """Return a finding."""
    return model.Finding(
        id="f",
        rule="rsa-limbs",
        kind="private-key",
        algorithm="rsa",
        curve="",
        bits=2048,
        severity=Severity.CRITICAL,
        confidence=Confidence.PROOF,
        proof="p*q = n",
        names=(),
        fingerprint=Fingerprint(kind="spki-sha256", value=NAME),
        public=model.Public(),
        occurrences=(),
        note=note,
    )


def stated(*dumps: model.DumpReport, ruling: Ruling = PLAIN, time: dt.datetime = NOW) -> bytes:
    """Return the statement on a report."""
    report = policy.combine(dumps or (dump(),), rules_sha256="e" * 64, policy_sha256="d" * 64)
    return attest.statement(report, ruling=ruling, document="{}\n", time=time)


def test_it_binds_everything() -> None:
    """The payload keeps to its schema, and has the digests, sizes and names of the report."""
    payload = json.loads(stated())
    jsonschema.validate(payload, SCHEMA)
    assert [subject["digest"]["sha256"] for subject in payload["subject"]] == [FILE, CONTENT]
    (row,) = payload["predicate"]["dumps"]
    assert row["coverage"]["file_bytes"] == 1 << 60
    assert b"somebody" not in stated()
    attested = attest.read(stated())
    assert (attested.verdict, attested.time, attested.name) == (Verdict.PASS, NOW, "core.zst")
    assert attested.policy_sha256 == "d" * 64


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device here")
def test_a_device_without_an_end() -> None:
    """It would be hashed for ever."""
    with pytest.raises(AttestError) as caught:
        attest.digest("/dev/zero")
    assert caught.value.reason == "it is a character device"


@pytest.mark.parametrize("digest", [FILE, CONTENT])
def test_it_holds_for_the_file_and_for_its_content(digest: str) -> None:
    """Who unpacked the dump holds what was scanned."""
    attest.check(attest.read(stated()), digest, DEMANDS)


def test_what_is_left_of_an_archive_is_no_subject() -> None:
    """By itself it may be read as something else, so the statement is about the archive alone."""
    rest = model.Content(layers=("tar",), size=100, sha256=CONTENT)
    payload = stated(dump(content=rest))
    jsonschema.validate(json.loads(payload), SCHEMA)
    assert attest.read(payload).digests == {FILE}
    for value in ({"sha256": CONTENT}, {"sha256": CONTENT, "alone": 1}):
        assert attest.read(damaged((P, "dumps", 0, "content"), value)).digests == {FILE}


@pytest.mark.parametrize(
    ("digest", "demands"),
    [
        ("0" * 64, {}),
        (FILE, {"now": NOW + dt.timedelta(days=1, seconds=1)}),
        (FILE, {"now": NOW - dt.timedelta(minutes=6)}),
        (FILE, {"min_version": "999.0"}),
        (FILE, {"policy_sha256": "0" * 64}),
        (FILE, {"policy_sha256": ""}),
    ],
    ids=["digest", "old", "future", "version", "policy", "no-policy"],
)
def test_what_does_not_hold(digest: str, demands: dict[str, Any]) -> None:
    """Another file, an old scan, one from the future, an old tool, another policy: refused."""
    with pytest.raises(AttestError):
        attest.check(attest.read(stated()), digest, replace(DEMANDS, **demands))


def test_the_version_that_is_asked_for_is_told() -> None:
    """Beside the one that it was made by."""
    with pytest.raises(AttestError) as raised:
        attest.check(attest.read(stated()), FILE, replace(DEMANDS, min_version="999.0"))
    assert raised.value.reason.endswith(", and 999.0 or newer is asked for")


def test_a_leave_that_ends_ends_the_statement() -> None:
    """What passed by leave of the policy holds to the last day of that leave, and no longer."""
    ruling = Ruling(policy=Policy(allow=(ALLOWED,)), today=NOW.date())
    _, (aside,) = policy.set_aside([finding()], CONTENT, ruling)
    attested = attest.read(stated(dump(aside), ruling=ruling))
    assert attested.good_until == ALLOWED.expires
    late = replace(DEMANDS, max_age=dt.timedelta(days=99))
    attest.check(attested, FILE, replace(late, now=NOW + dt.timedelta(days=1)))
    with pytest.raises(AttestError, match="does not hold"):
        attest.check(attested, FILE, replace(late, now=NOW + dt.timedelta(days=2)))


def test_what_is_published_has_no_end() -> None:
    """Findings that were set aside for another reason end nothing, though a policy names them."""
    ruling = Ruling(policy=Policy(allow=(ALLOWED,)), today=NOW.date())
    attested = attest.read(stated(dump(finding("published: in a manual")), ruling=ruling))
    assert (attested.good_until, attested.set_aside) == (None, 1)


def test_many_set_aside_are_counted() -> None:
    """The statement names a bounded number of what was set aside, and counts all."""
    payload = json.loads(stated(dump(*[finding("x")] * 1500)))["predicate"]["set_aside"]
    assert (payload["count"], len(payload["findings"])) == (1500, attest.MOST_ASIDE)


@pytest.mark.parametrize(
    "one",
    [
        dump(
            verdict=Verdict.INCOMPLETE,
            reasons=(model.Reason(code="unswept", text="A byte was not swept."),),
        ),
        dump(sha256=""),
        dump(
            verdict=Verdict.BLOCKED,
            sha256="",
            reasons=(model.Reason(code="private-key", text="A key."),),
        ),
    ],
    ids=["incomplete", "no-digest", "blocked-no-digest"],
)
def test_what_nobody_can_vouch_for(one: model.DumpReport) -> None:
    """Of an incomplete scan, or one without a digest, there is no statement."""
    with pytest.raises(AttestError):
        stated(one)


def test_a_blocked_member_blocks() -> None:
    """The verdict is the worst of all dumps of an archive."""
    reasons = (model.Reason(code="private-key", text="A key."),)
    inner = dump(path="core.zst!inner", verdict=Verdict.BLOCKED, reasons=reasons)
    payload = stated(dump(), inner)
    jsonschema.validate(json.loads(payload), SCHEMA)
    assert attest.read(payload).verdict is Verdict.BLOCKED


def damaged(path: tuple[str | int, ...], value: object) -> bytes:
    """Return a statement with one value replaced."""
    table = json.loads(stated())
    *above, last = path
    inner = table
    for name in above:
        inner = inner[name]
    inner[last] = value
    return json.dumps(table).encode()


P = "predicate"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("_type",), "https://in-toto.io/Statement/v0.1"),
        (("predicateType",), "urn:other"),
        (("subject",), []),
        (("subject", 0, "digest"), {}),
        (("subject", 0, "digest"), {"sha256": "F" * 64}),
        (("subject", 0, "digest"), {"sha256": "0" * 64}),
        (("subject", 1, "digest"), {"sha256": "0" * 64}),
        ((P,), {}),
        ((P, "tool"), {"name": "other", "version": "1"}),
        ((P, "tool"), {"name": "keysift", "version": "one"}),
        ((P, "verdict"), "incomplete"),
        ((P, "verdict"), "fine"),
        ((P, "time"), "2026-03-01"),
        ((P, "dumps"), []),
        ((P, "dumps", 0, "verdict"), "incomplete"),
        ((P, "dumps", 0, "blocking"), 1),
        ((P, "dumps", 0, "coverage", "faults"), ["truncated"]),
        ((P, "dumps", 0, "coverage", "scanned_bytes"), 1),
        ((P, "dumps", 0, "coverage", "file_bytes"), None),
        ((P, "set_aside", "good_until"), "soon"),
        ((P, "accepted"), 7),
    ],
)
def test_a_statement_that_is_none(path: tuple[str | int, ...], value: object) -> None:
    """What contradicts the form or itself is refused, though its signature may hold."""
    with pytest.raises(AttestError):
        attest.read(damaged(path, value))


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"{", b"\xff", b'{"a":' * 50_000, b'{"_type":1,"_type":2}', b"NaN"]
)
def test_a_payload_that_is_none(payload: bytes) -> None:
    """Bytes that are no statement are refused."""
    with pytest.raises(AttestError):
        attest.read(payload)


def test_unknown_fields_are_ignored() -> None:
    """A later keysift may say more."""
    attest.read(damaged((P, "news"), {"a": [1]}))
    attest.read(damaged(("news",), 1))
