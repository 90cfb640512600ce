"""The result document as JSON, schema 1: a contract with pipelines and other tools.

Written out by hand, field by field, so that no change inside of the scanner changes the contract by
accident: fields may be added, never renamed or retyped. ``schema-1.json`` beside this module says
the same in JSON Schema. Addresses are hex strings or null, file offsets and sizes are integers; a
text that has no value is null. The output is ASCII, and a pure function of the report: this module
refuses to write a date, a host name or anything random.
"""

from collections.abc import Iterable
from typing import Any

from scanner import model
from scanner.fields import unicode
from scanner.report.document import written

SCHEMA = 1

Document = dict[str, Any]


def render(report: model.Report) -> str:
    """Return the report as one JSON object, ASCII, ended by a line feed: always whole."""
    return written(document(report))


def document(report: model.Report) -> Document:
    """Return the report as JSON values, keys in the order of the contract."""
    whole: Document = {
        "schema": SCHEMA,
        "tool": {
            "name": "keysift",
            "version": report.tool_version,
            "rules_sha256": report.rules_sha256,
        },
        "policy_sha256": _text(report.policy_sha256),
        "known_sha256": _text(report.known_sha256),
        "baseline_sha256": _text(report.baseline_sha256),
        "fingerprint_key_id": _text(report.fingerprint_key_id),
        "mode": report.mode,
        "verdict": str(report.verdict),
        "dumps": [_dump(dump) for dump in report.dumps],
    }
    if report.fleet is not None:
        whole["fleet"] = {"keys": [_spread(key) for key in report.fleet]}
    return whole


def _spread(key: model.Spread) -> Document:
    return {
        "fingerprint": {"kind": key.fingerprint.kind, "value": key.fingerprint.value},
        "dumps": list(key.dumps),
        "first": key.first,
        "first_seen": _text(key.first_seen),
    }


def _dump(dump: model.DumpReport) -> Document:
    return {
        "path": unicode(dump.path),
        "size": dump.size,
        "sha256": _text(dump.sha256),
        "content": {
            "layers": list(dump.content.layers),
            "size": dump.content.size,
            "sha256": _text(dump.content.sha256),
            "faults": _faults(dump.content.faults),
            "alone": dump.content.alone,
        },
        "format": dump.format,
        "arch": dump.arch,
        "verdict": str(dump.verdict),
        "reasons": [{"code": r.code, "text": unicode(r.text)} for r in dump.reasons],
        "coverage": _coverage(dump.coverage),
        "findings": [_finding(finding) for finding in dump.findings],
        "suppressed": [_finding(finding) for finding in dump.suppressed],
        "accepted": list(dump.accepted),
    }


def _coverage(coverage: model.Coverage) -> Document:
    return {
        "file_bytes": coverage.file_bytes,
        "scanned_bytes": coverage.scanned_bytes,
        "regions": coverage.regions,
        "gaps": [
            {"code": gap.code, "address": _address(gap.start), "size": gap.size}
            for gap in coverage.gaps
        ],
        "faults": _faults(coverage.faults),
        "map": [
            {"bytes": cell.bytes, "swept": cell.swept, "entropy": cell.entropy}
            for cell in coverage.map
        ],
        "ledger": dict(coverage.ledger),
        "memory": [
            {
                "address": _address(stretch.address),
                "size": stretch.size,
                "bytes": stretch.bytes,
                "label": unicode(stretch.label),
                "cells": list(stretch.cells),
            }
            for stretch in coverage.memory
        ],
    }


def _finding(finding: model.Finding) -> Document:
    public = finding.public
    return {
        "id": finding.id,
        "rule": finding.rule,
        "kind": finding.kind,
        "algorithm": finding.algorithm,
        "curve": _text(finding.curve),
        "bits": finding.bits,
        "severity": finding.severity.name.lower(),
        "confidence": finding.confidence.name.lower(),
        "proof": _text(finding.proof),
        "names": [unicode(name) for name in finding.names],
        "fingerprint": {"kind": finding.fingerprint.kind, "value": finding.fingerprint.value},
        "public": {
            "subject": _text(public.subject),
            "serial": _text(public.serial),
            "not_after": _text(public.not_after),
            "kid": _text(public.kid),
            "ssh_fingerprint": _text(public.ssh_fingerprint),
            "issuer": _text(public.issuer),
            "audience": _text(public.audience),
            "e_assumed": public.e_assumed,
        },
        "occurrences": [_occurrence(occurrence) for occurrence in finding.occurrences],
        "note": _text(finding.note),
        "protection": _text(finding.protection),
        "session": finding.session,
        "blocks": finding.blocks,
    }


def _occurrence(occurrence: model.Occurrence) -> Document:
    return {
        "encoding": occurrence.encoding,
        "region": _text(occurrence.region),
        "owner": _text(occurrence.owner),
        "state": occurrence.state,
        "extents": [
            {
                "address": _address(extent.address),
                "file_offset": extent.file_offset,
                "size": extent.size,
            }
            for extent in occurrence.extents
        ],
    }


def _faults(faults: Iterable[model.Fault]) -> list[Document]:
    return [{"code": fault.code, "text": unicode(fault.text)} for fault in faults]


def _address(address: int | None) -> str | None:
    return None if address is None else hex(address)


def _text(text: str) -> str | None:
    """Return a text, or null for one that has no value."""
    return unicode(text) if text else None
