"""What was found of a dump, as an in-toto Statement; and what such a statement is worth.

A statement binds the digests of a dump, of the rules, policy and known keys by which it was
scanned, what was set aside and accepted, the coverage, the tool's version, the time and the
verdict. All of it is in the signed payload. Statements are made of the report of a scan alone, not
of a saved one, which anyone may have written. This module refuses to speak of a dump that was not
scanned whole or has no digest, and to call a statement good that contradicts itself.
"""

import datetime as dt
import hashlib
import json
import os
import re
import stat
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import STATEMENT_TYPE_URI, Statement
from packaging.version import InvalidVersion, Version

from scanner import pipes, policy
from scanner.errors import AttestError, cause, phrase, remedy
from scanner.fields import unicode
from scanner.model import DumpReport, Report, Verdict
from scanner.policy import Ruling

PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPE = "urn:keysift:predicate:scan:1"

MOST_ASIDE = 1000
"""Findings set aside that a statement names; their count is always whole."""

SKEW = dt.timedelta(minutes=5)
"""How far in the future a statement may lie: clocks differ."""

_TIME = "%Y-%m-%dT%H:%M:%SZ"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """What a statement says, as far as trust depends on it."""

    digests: frozenset[str]
    """SHA-256 of the file, and of what was decoded from it where that is a file by itself."""
    name: str
    verdict: Verdict
    time: dt.datetime
    """When the scan began, in UTC."""
    version: str
    policy_sha256: str
    mode: str
    accepted: tuple[str, ...]
    set_aside: int
    good_until: dt.date | None
    """The last day of the leave by which something was set aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What whoever relies on a statement asks of it."""

    now: dt.datetime
    max_age: dt.timedelta
    min_version: str = "0"
    policy_sha256: str | None = None
    """Empty: that there was no policy."""


def statement(report: Report, *, ruling: Ruling, document: str, time: dt.datetime) -> bytes:
    """Return the statement on the one file of a report, as JSON: ASCII.

    ``document`` is the report as JSON, which the statement names by its digest; ``time`` is when
    the scan began, in UTC. Raises AttestError where there is nothing that one could vouch for.
    """
    if report.verdict is Verdict.INCOMPLETE:
        why = [f": {phrase(r.text)}" for dump in report.dumps for r in dump.reasons]
        raise _unmade(f"the scan is incomplete{why[0] if why else ''}")
    first = report.dumps[0]
    if not (_SHA256.fullmatch(first.sha256) and _SHA256.fullmatch(first.content.sha256)):
        raise _unmade("the dump has no digest")
    aside = [finding for dump in report.dumps for finding in dump.suppressed]
    ends = policy.leave_ends(aside, ruling)
    table = {
        "_type": STATEMENT_TYPE_URI,
        "subject": _subjects(first),
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "tool": {"name": "keysift", "version": report.tool_version},
            "time": time.strftime(_TIME),
            "verdict": str(report.verdict),
            "mode": report.mode,
            "rules_sha256": report.rules_sha256,
            "policy_sha256": report.policy_sha256 or None,
            "known_sha256": report.known_sha256 or None,
            "baseline_sha256": report.baseline_sha256 or None,
            "report_sha256": hashlib.sha256(document.encode()).hexdigest(),
            "accepted": sorted({code for dump in report.dumps for code in dump.accepted}),
            "set_aside": {
                "count": len(aside),
                "good_until": ends.isoformat() if ends else None,
                "findings": [
                    {
                        "fingerprint": {"kind": f.fingerprint.kind, "value": f.fingerprint.value},
                        "rule": f.rule,
                        "reason": unicode(f.note),
                    }
                    for f in aside[:MOST_ASIDE]
                ],
            },
            "dumps": [_dump(dump) for dump in report.dumps],
        },
    }
    payload = json.dumps(table, ensure_ascii=True, allow_nan=False, sort_keys=True).encode("ascii")
    read(payload)
    return payload


def read(payload: bytes) -> Attested:
    """Read a statement whose signature holds. Raises AttestError for what is none of ours."""
    try:
        parsed = json_format.Parse(payload, statement_pb2.Statement(), ignore_unknown_fields=True)
        Statement.copy_from_pb(parsed).validate()
        return _attested(json.loads(payload))
    except (json_format.ParseError, ValueError, TypeError, LookupError, RecursionError):
        raise _void("its payload is no statement of a scan") from None


def check(attested: Attested, digest: str, demands: Demands) -> None:
    """Raise AttestError where a statement is not about this file, or not what is asked for.

    What remains is its verdict: it holds, be that ``pass`` or ``blocked``.
    """
    if digest not in attested.digests:
        raise _void("it is about another file, or this one was changed since")
    if attested.time > demands.now + SKEW:
        raise _void("it is from the future")
    if demands.now - attested.time > demands.max_age:
        raise _void(f"it is too old: from {attested.time.strftime(_TIME)}")
    if attested.good_until is not None and demands.now.date() > attested.good_until:
        raise _void(f"a leave by which it set a key aside ended on {attested.good_until}")
    if Version(attested.version) < Version(demands.min_version):
        said = f"it was made by version {attested.version}"
        raise _void(f"{said}, and {demands.min_version} or newer is asked for")
    if demands.policy_sha256 not in (None, attested.policy_sha256):
        raise _void("it was made by another policy")


def digest(path: str) -> str:
    """Return the SHA-256 of a file, in lower-case hex. Raises AttestError where there is none."""
    try:
        with pipes.open_file(path) as file:
            if not stat.S_ISCHR(os.fstat(file.fileno()).st_mode):  # it may have no end
                return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        raise AttestError(
            "the dump cannot be read",
            reason=cause(error),
            hint=remedy(error),
        ) from error
    raise AttestError(
        "the dump cannot be read", reason="it is a character device", hint="name a file"
    )


def version(text: str) -> str:
    """Return a version as it was given. Raises ValueError for what is none."""
    try:
        return str(Version(text))
    except InvalidVersion as error:
        raise ValueError from error


def _subjects(dump: DumpReport) -> list[dict[str, Any]]:
    """Name the file, and what was decoded from it where that is another file.

    What is left of an archive is none: by itself it may be read as something else.
    """
    name = unicode(os.path.basename(dump.path))  # noqa: PTH119 - "<stdin>" and "" too
    subjects = [{"name": name or "dump", "digest": {"sha256": dump.sha256}}]
    if dump.content.alone and dump.content.sha256 != dump.sha256:
        layers = ", ".join(dump.content.layers)
        decoded = {"sha256": dump.content.sha256}
        subjects.append({"name": f"{name or 'dump'} without {layers}", "digest": decoded})
    return subjects


def _dump(dump: DumpReport) -> dict[str, Any]:
    return {
        "size": dump.size,
        "sha256": dump.sha256,
        "content": {
            "layers": list(dump.content.layers),
            "size": dump.content.size,
            "sha256": dump.content.sha256,
            "alone": dump.content.alone,
        },
        "format": dump.format,
        "verdict": str(dump.verdict),
        "reasons": sorted({reason.code for reason in dump.reasons}),
        "coverage": {
            "file_bytes": dump.coverage.file_bytes,
            "scanned_bytes": dump.coverage.scanned_bytes,
            "gaps": len(dump.coverage.gaps),
            "faults": sorted({fault.code for fault in dump.coverage.faults}),
        },
        "findings": len(dump.findings),
        "blocking": sum(finding.blocks for finding in dump.findings),
    }


def _attested(table: dict[str, Any]) -> Attested:
    """Take a statement apart. Raises ValueError, TypeError and LookupError."""
    said = table["predicate"]
    if table["predicateType"] != PREDICATE_TYPE or said["tool"]["name"] != "keysift":
        raise ValueError
    verdict = Verdict(said["verdict"])
    dumps = said["dumps"]
    digests = [subject["digest"]["sha256"] for subject in table["subject"]]
    if not all(map(_SHA256.fullmatch, digests)) or verdict is Verdict.INCOMPLETE:
        raise ValueError
    accepted = tuple(map(str, said["accepted"]))
    if verdict is Verdict.PASS and not all(_passed(dump, accepted) for dump in dumps):
        raise ValueError
    content = dumps[0]["content"]
    if digests[0] != dumps[0]["sha256"] or not set(digests[1:]) <= {content["sha256"]}:
        raise ValueError
    ends = said["set_aside"]["good_until"]
    return Attested(
        digests=frozenset(digests if content.get("alone") is True else digests[:1]),
        name=str(table["subject"][0]["name"]),
        verdict=verdict,
        time=dt.datetime.strptime(said["time"], _TIME).replace(tzinfo=dt.UTC),
        version=version(said["tool"]["version"]),
        policy_sha256=str(said["policy_sha256"] or ""),
        mode=str(said["mode"]),
        accepted=accepted,
        set_aside=int(said["set_aside"]["count"]),
        good_until=dt.date.fromisoformat(ends) if ends is not None else None,
    )


def _passed(dump: dict[str, Any], accepted: Collection[str]) -> bool:
    covered = dump["coverage"]
    whole = type(covered["file_bytes"]) is int and covered["scanned_bytes"] == covered["file_bytes"]
    sound = whole and set(covered["faults"]) <= set(accepted)
    return sound and dump["verdict"] == Verdict.PASS and dump["blocking"] == 0


def _unmade(reason: str) -> AttestError:
    return AttestError(
        "there is no attestation of this dump",
        reason=reason,
        hint="keysift scan says all that is missing",
    )


def _void(reason: str) -> AttestError:
    return AttestError(
        "the attestation does not hold", reason=reason, hint="do not rely on it; scan the dump"
    )
