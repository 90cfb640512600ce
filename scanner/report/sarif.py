"""The report as SARIF 2.1.0 (OASIS, 27 March 2020), for code-scanning dashboards.

A key is one result; each of its places is a location with a binary region (byteOffset, byteLength;
section 3.30.10) of the decoded content. Results of different scans are matched by the key's
fingerprint, which says nothing of its secret half. What was set aside is a suppressed result, and
what was not looked at is a notification of a run that did not succeed. No snippet is ever written:
this module refuses to have one.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import quote

from scanner import model
from scanner.model import Severity, Verdict
from scanner.report import wording
from scanner.report.document import written
from scanner.report.printable import printable

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

MOST_LOCATIONS = 1000
"""Places of one key that are written; their number stands in the result's properties."""

_TEXT = 1000
_LARGEST = (1 << 31) - 1
"""Microsoft's SDK, on which viewers are built, reads integers of 32 bits and gives a whole log up
for a larger one: what is larger stands in names, messages and property bags."""

_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}

_SCORES = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.0",
    Severity.LOW: "2.0",
    Severity.INFO: "0.0",
}
"""What dashboards sort by: ``security-severity``, on the scale of CVSS."""

_EXIT_CODES = {Verdict.PASS: 0, Verdict.BLOCKED: 1, Verdict.INCOMPLETE: 3}

Document = dict[str, Any]


def render(report: model.Report) -> str:
    """Return one SARIF log with one run, ASCII, ended by a line feed."""
    return written(_log(report))


def _log(report: model.Report) -> Document:
    rules = _rules(report)
    index = {rule["id"]: number for number, rule in enumerate(rules)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "keysift",
                        "version": printable(report.tool_version),
                        "rules": rules,
                    }
                },
                "invocations": [_invocation(report)],
                "artifacts": [_artifact(dump) for dump in report.dumps],
                "results": [
                    _result(finding, number, dump, index, aside=aside)
                    for number, dump in enumerate(report.dumps)
                    for aside, findings in ((False, dump.findings), (True, dump.suppressed))
                    for finding in findings
                ],
                "columnKind": "unicodeCodePoints",
                "properties": {
                    "verdict": report.verdict.value,
                    "rules_sha256": report.rules_sha256,
                    "policy_sha256": report.policy_sha256,
                    "known_sha256": report.known_sha256,
                    "baseline_sha256": report.baseline_sha256,
                    **_fleet(report),
                },
            }
        ],
    }


def _fleet(report: model.Report) -> Document:
    """Say which key is in which dumps, as indices of artifacts."""
    if report.fleet is None:
        return {}
    keys = [
        {
            "fingerprint": f"{key.fingerprint.kind}:{key.fingerprint.value}",
            "artifacts": list(key.dumps),
            "first": key.first,
            "first_seen": printable(key.first_seen),
        }
        for key in report.fleet
    ]
    return {"fleet": keys}


def _rules(report: model.Report) -> list[Document]:
    """Describe the rules that found something, each by its worst finding."""
    worst: dict[str, model.Finding] = {}
    for dump in report.dumps:
        for finding in (*dump.findings, *dump.suppressed):
            rule = printable(finding.rule)
            if rule not in worst or finding.severity > worst[rule].severity:
                worst[rule] = finding
    return [
        {
            "id": rule,
            "shortDescription": {"text": _plain(f"{wording.kind(finding)} ({rule})")},
            "help": {"text": _plain(wording.advice(finding))},
            "defaultConfiguration": {"level": _LEVELS[finding.severity]},
            "properties": {
                "tags": ["security", "secret"],
                "security-severity": _SCORES[finding.severity],
            },
        }
        for rule, finding in sorted(worst.items())
    ]


def _invocation(report: model.Report) -> Document:
    return {
        "executionSuccessful": report.verdict is not Verdict.INCOMPLETE,
        "exitCode": _EXIT_CODES[report.verdict],
        "exitCodeDescription": report.verdict.value,
        "toolExecutionNotifications": [
            note for number, dump in enumerate(report.dumps) for note in _notes(dump, number)
        ],
    }


def _notes(dump: model.DumpReport, number: int) -> Iterator[Document]:
    """Tell what keeps a dump from being whole, and what the policy accepted of that."""
    accepted = [
        (fault.code, fault.text) for fault in dump.coverage.faults if fault.code in dump.accepted
    ]
    missing = [
        (reason.code, reason.text)
        for reason in dump.reasons
        if reason.code not in wording.FINDING_CODES
    ]
    for level, said in (("error", missing), ("note", accepted)):
        for code, text in dict.fromkeys(said):
            yield {
                "descriptor": {"id": printable(code)},
                "level": level,
                "message": {"text": _plain(text)},
                "locations": [{"physicalLocation": {"artifactLocation": _where(dump, number)}}],
            }


def _artifact(dump: model.DumpReport) -> Document:
    artifact: Document = {
        "location": {"uri": _uri(dump.path)},
        "roles": ["analysisTarget"],
        "properties": {
            "verdict": dump.verdict.value,
            "format": printable(dump.format),
            "arch": printable(dump.arch),
            "layers": [printable(layer) for layer in dump.content.layers],
            "bytes": dump.size,
            "content_bytes": dump.content.size,
            "content_sha256": dump.content.sha256,
            "scanned_bytes": dump.coverage.scanned_bytes,
            "file_bytes": dump.coverage.file_bytes,
        },
    }
    if dump.size <= _LARGEST:
        artifact["length"] = dump.size
    if dump.sha256:
        artifact["hashes"] = {"sha-256": dump.sha256}
    return artifact


def _result(
    finding: model.Finding,
    number: int,
    dump: model.DumpReport,
    index: dict[str, int],
    *,
    aside: bool,
) -> Document:
    said = [f"{wording.name(finding)} {wording.kind(finding)}", *wording.certificate(finding)]
    said += [*wording.otherwise_known(finding), wording.advice(finding)]
    rule, name = printable(finding.rule), finding.fingerprint
    result: Document = {
        "ruleId": rule,
        "ruleIndex": index[rule],
        "kind": "fail",
        "level": _LEVELS[finding.severity],
        "message": {"text": _plain(". ".join(text.rstrip(".") for text in said if text) + ".")},
        "locations": [
            _location(occurrence, dump, number)
            for occurrence in finding.occurrences[:MOST_LOCATIONS]
        ],
        "partialFingerprints": {f"{name.kind}/v1": name.value},
        "properties": {
            "severity": finding.severity.name.lower(),
            "confidence": finding.confidence.name.lower(),
            "blocks": finding.blocks,
            "proof": printable(finding.proof),
            "names": [printable(name) for name in finding.names],
            "places": len(finding.occurrences),
        },
    }
    if aside:
        why = {"kind": "external", "status": "accepted", "justification": _note(finding)}
        result["suppressions"] = [why]
    return result


def _note(finding: model.Finding) -> str:
    return printable(finding.note, _TEXT) or "no reason given"


def _location(occurrence: model.Occurrence, dump: model.DumpReport, number: int) -> Document:
    """Return the first extent as the place, and how many there are in all."""
    extent = occurrence.extents[0]
    region = {"byteOffset": extent.file_offset, "byteLength": extent.size}
    place: Document = {"artifactLocation": _where(dump, number)}
    place["region" if max(region.values()) <= _LARGEST else "properties"] = region
    if extent.address is not None:
        address: Document = {"name": hex(extent.address)}
        if extent.address <= _LARGEST:
            address["absoluteAddress"] = extent.address
        place["address"] = address
    name = printable(occurrence.region) or "outside of every region"
    pieces = f", in {len(occurrence.extents)} pieces" if len(occurrence.extents) > 1 else ""
    where = ", ".join(wording.coordinate(extent))
    said = f"{printable(occurrence.encoding)} at {where}{pieces}, in {name}"
    return {"physicalLocation": place, "message": {"text": _plain(said)}}


def _where(dump: model.DumpReport, number: int) -> Document:
    return {"uri": _uri(dump.path), "index": number}


def _uri(path: str) -> str:
    """Return a path as a URI reference (RFC 3986): ``file:`` where it is absolute."""
    if PureWindowsPath(path).drive and not PurePosixPath(path).is_absolute():
        path = "/" + path.replace("\\", "/")
    quoted = quote(path.encode("utf-8", "backslashreplace"), safe="/")
    return f"file://{quoted}" if path.startswith("/") else quoted


def _plain(text: str) -> str:
    """Return a message's text in which nothing is a link or a placeholder (section 3.11)."""
    shown = printable(text, _TEXT).replace("\\", "\\\\")
    for mark in "[]":
        shown = shown.replace(mark, f"\\{mark}")
    return shown.replace("{", "{{").replace("}", "}}")
